//! Opening the chain: from what the disk holds, through the same code that runs live.

use super::{Chain, Effect, censorship, report, sync::Peers};
use crate::{
    limits,
    membership::Membership,
    mempool::{Mempool, MempoolLimits},
    metrics::Metrics,
};
use probata_consensus::{Head, Input, Output, Promise, Replica, RestoreError, Settings};
use probata_genesis::Genesis;
use probata_ledger::{
    Journal, JournalError, Ledger, LedgerError, OpenError, Setup, Storage, Store,
};
use probata_types::{
    Height, Keypair, Now, ValidatorIndex, View, codec, mutated, state::StateError,
};
use std::{collections::BTreeSet, sync::Arc};

/// What a chain is made from.
pub struct ChainSetup {
    /// What all nodes agree on.
    pub genesis: Arc<Genesis>,
    /// The keys that may sign votes, whichever has a seat; none on a member node.
    pub keypairs: Vec<Keypair>,
    /// Holds the block log and the journal.
    pub storage: Arc<dyn Storage>,
    /// Holds what is derived.
    pub store: Arc<dyn Store>,
    /// Counts what the chain does.
    pub metrics: Arc<Metrics>,
}

/// Why a chain cannot be opened, or must stop. Each needs a person.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The ledger cannot be opened.
    #[error("the ledger cannot be opened: {0}")]
    Open(#[from] OpenError),
    /// The ledger failed or contradicts itself.
    #[error("the ledger failed: {0}")]
    Ledger(#[from] LedgerError),
    /// The journal failed.
    #[error("the consensus journal failed: {0}")]
    Journal(#[from] JournalError),
    /// The state could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The journal holds something that this software cannot read.
    #[error("record {at} of the consensus journal cannot be read: {reason}")]
    Promise {
        /// Position in the journal.
        at: usize,
        /// What is wrong.
        reason: codec::CodecError,
    },
    /// The journal's promises contradict each other or the ledger.
    #[error("the consensus journal cannot be restored: {0}")]
    Restore(#[from] RestoreError),
    /// The blocks are there but the journal is not.
    #[error(
        "the consensus journal is gone while the log holds {0} blocks: this validator may have promised what it \
         no longer knows, and must not vote with this key again. Start it as a member node (without \
         keys.validator) and have the consortium give it a new validator key"
    )]
    JournalLost(u64),
}

impl Chain {
    /// Opens a chain: cuts a torn tail, re-applies what is not yet derived, restores the promises.
    /// `progress` is told the height reached and the height aimed at. Without a key the journal is left
    /// as it is: one that is lost stays lost, and one that is there still binds its key.
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn open(
        setup: ChainSetup,
        now: Now,
        progress: &dyn Fn(u64, u64),
    ) -> Result<(Self, Vec<Effect>), ChainError> {
        let ChainSetup { genesis, keypairs, storage, store, metrics } = setup;
        let mut ledger = Ledger::open(Setup {
            storage: Arc::clone(&storage),
            store,
            suite: genesis.suite(),
            chain: genesis.chain(),
            initial: genesis.initial_state(),
        })?;
        reapply(&mut ledger, progress)?;
        let faults_on_chain = report::count(&ledger.reader())?;
        let head = ledger.head();
        let (restored, outputs) = restore(&genesis, &ledger, &keypairs, storage, now)?;
        let mut chain = Self::assemble(genesis, ledger, metrics, restored, now);
        (chain.keypairs, chain.faults_on_chain) = (keypairs, faults_on_chain);
        // A key that has no seat yet gets its journal too: one that is missing later was lost.
        if !chain.keypairs.is_empty() {
            chain.prune_journal()?;
        }
        chain.effects.push(Effect::Membership(Arc::clone(&chain.membership)));
        for output in outputs {
            if let Some(input) = chain.obey(now, output)? {
                chain.step(now, input)?;
            }
        }
        if let Some((header, seal)) = head.sealed.clone() {
            chain.step(now, Input::Sealed { header, seal })?;
        }
        let effects = std::mem::take(&mut chain.effects);
        Ok((chain, effects))
    }

    fn assemble(
        genesis: Arc<Genesis>,
        ledger: Ledger,
        metrics: Arc<Metrics>,
        restored: Restored,
        now: Now,
    ) -> Self {
        let Restored { membership, me, replica, journal } = restored;
        Self {
            mempool: Mempool::new(mempool_limits(&genesis)),
            recent: Arc::default(),
            sealed_at: consensus_head(&genesis, &membership, &ledger.head()).time,
            genesis,
            membership,
            keypairs: Vec::new(),
            me,
            replica,
            ledger,
            journal,
            journal_bytes: 0,
            journal_kept: 0,
            journal_dirty: false,
            metrics,
            own: BTreeSet::new(),
            to_hand_on: Vec::new(),
            early: None,
            to_execute: None,
            executed: None,
            peers: Peers::default(),
            last_commit: now.monotonic,
            last_block_full: false,
            leading: censorship::Leading::default(),
            next_housekeeping: now.monotonic,
            next_resend: now.monotonic,
            next_complaint: now.monotonic,
            clock: super::clock::OwnClock::default(),
            view_changes: 0,
            faults: Vec::new(),
            reports: Vec::new(),
            faults_on_chain: 0,
            halted: None,
            effects: Vec::new(),
        }
    }
}

/// What the journal and the key make of a node.
struct Restored {
    membership: Arc<Membership>,
    me: Option<ValidatorIndex>,
    replica: Replica,
    journal: Journal,
}

fn restore(
    genesis: &Genesis,
    ledger: &Ledger,
    keypairs: &[Keypair],
    storage: Arc<dyn Storage>,
    now: Now,
) -> Result<(Restored, Vec<Output>), ChainError> {
    let head = ledger.head();
    let membership = Arc::new(Membership::read(ledger, genesis.suite())?);
    let (me, keypair) = seat(&membership, keypairs);
    let (journal, records) = Journal::open(storage)?;
    if me.is_some() && journal.is_new() && head.height > Height::ZERO {
        return Err(ChainError::JournalLost(head.height.get()));
    }
    if let (None, Some(pair)) = (me, keypairs.first()) {
        let key = pair.public();
        tracing::warn!(%key, "the validator key has no seat: this node follows until a motion gives it one");
    }
    let promises = if me.is_some() { read_promises(&records)? } else { Vec::new() };
    let settings = settings(genesis, &membership, me);
    let head = consensus_head(genesis, &membership, &head);
    let (replica, outputs) = Replica::new(settings, keypair, head, promises, now)?;
    Ok((Restored { membership, me, replica, journal }, outputs))
}

/// The place among the validators that one of the keys has, and that key.
pub(super) fn seat(
    membership: &Membership,
    keypairs: &[Keypair],
) -> (Option<ValidatorIndex>, Option<Keypair>) {
    let seated = keypairs
        .iter()
        .find_map(|pair| Some((membership.set().position_of(&pair.public())?, pair.clone())));
    seated.unzip()
}

/// The ledger's head, as consensus needs it: views are counted anew in each epoch (P24).
pub(super) fn consensus_head(
    genesis: &Genesis,
    membership: &Membership,
    head: &probata_ledger::Head,
) -> Head {
    let (height, hash) = (head.height, head.hash);
    match &head.sealed {
        Some((header, seal)) => {
            let own = membership.epoch.first <= height || mutated!(ViewsKept);
            let view = if own { seal.view } else { View::ZERO };
            Head { height, hash, time: header.time, view }
        }
        None => Head { height, hash, time: genesis.created_at(), view: View::ZERO },
    }
}

fn mempool_limits(genesis: &Genesis) -> MempoolLimits {
    let pending = genesis.parameters().pending_per_institution;
    MempoolLimits {
        pending_per_institution: usize::try_from(pending).unwrap_or(usize::MAX),
        total_bytes: limits::MEMPOOL_BYTES,
        total_submissions: limits::MEMPOOL_SUBMISSIONS,
    }
}
/// Executes again what the log holds and the derived state does not.
pub(crate) fn reapply(ledger: &mut Ledger, progress: &dyn Fn(u64, u64)) -> Result<(), ChainError> {
    let target = ledger.log_height().get();
    while let Some(block) = ledger.unapplied()? {
        let execution = probata_contracts::execute(&block.proposal, &*ledger)?;
        ledger.apply(&block, &execution.changes)?;
        progress(block.header.height.get(), target);
    }
    Ok(())
}

fn read_promises(records: &[Vec<u8>]) -> Result<Vec<Promise>, ChainError> {
    records
        .iter()
        .enumerate()
        .map(|(at, bytes)| {
            Promise::decode(bytes).map_err(|reason| ChainError::Promise { at, reason })
        })
        .collect()
}

pub(super) fn settings(
    genesis: &Genesis,
    membership: &Membership,
    me: Option<ValidatorIndex>,
) -> Settings {
    let parameters = genesis.parameters();
    Settings {
        suite: genesis.suite(),
        chain: genesis.chain(),
        set: membership.set().clone(),
        first: membership.epoch.first,
        me,
        rotation: parameters.rotation,
        view_timeout: parameters.view_timeout,
        view_timeout_cap: parameters.view_timeout_cap,
        retransmit: parameters.retransmit,
        heartbeat: parameters.heartbeat,
        batch_delay: parameters.batch_delay,
        precision: parameters.precision,
        message_delay: parameters.message_delay,
    }
}
