//! Checking a whole ledger: everything is derived again from the log, and compared.
//!
//! Nothing is written to the ledger. Each block's frame, content, submissions' signatures, outcomes, roots,
//! place in the chain and seal are checked; at the height of the derived store every one of its entries is
//! compared with what was derived anew.

mod block;
mod compare;

use crate::{
    checkpoint,
    derive::{Chain, Marker, Tip},
    error::{FileError, LedgerError, hex},
    index,
    layers::{InBytes, Layers},
    ledger::{Setup, decode},
    limits::{CHECKPOINT_BYTES, FSCK_FINDINGS},
    log::{BlockLog, Place},
    snapshot::Base,
    store::{Store, Tree},
};
use probata_types::{
    Hash, Height, Proposal,
    outcome::OutcomeLeaf,
    seal::SealError,
    state::{Changes, StateError, StateKey, StateRead, StateValue},
};
use std::{fmt, sync::Arc};

/// Executes a proposal on a state: outcomes and changes.
pub type Execute<'a> =
    dyn Fn(&Proposal, &dyn StateRead) -> Result<(Vec<OutcomeLeaf>, Changes), StateError> + 'a;

/// What is checked, and how.
pub struct Fsck<'a> {
    /// The ledger, as it would be opened. No process may have it open.
    pub setup: Setup,
    /// An empty store, for what is derived again: in memory, or on disk for a long chain.
    pub scratch: Arc<dyn Store>,
    /// The contracts.
    pub execute: &'a Execute<'a>,
    /// Is told the height that was checked and the height of the log.
    pub progress: &'a dyn Fn(Height, Height),
}

/// What a check found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Blocks of the log.
    pub log: Height,
    /// Blocks that were checked: less than those of the log if one could not be executed.
    pub checked: Height,
    /// The height of the derived store; `None` if it is empty.
    pub derived: Option<Height>,
    /// Entries of the derived store that were compared.
    pub compared: u64,
    /// Bytes at the log's end that a crash left; opening the ledger cuts them.
    pub torn: u64,
    /// What is wrong, the first [`FSCK_FINDINGS`] of it.
    pub findings: Vec<Finding>,
    /// How much more is wrong.
    pub more: u64,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// The log, or the checkpoint, is damaged.
    #[error("{file} is damaged at byte {offset}: {what}")]
    Damaged {
        /// The file.
        file: String,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// A block contradicts itself, the one before, or its execution.
    #[error("block {height}: {what}")]
    Block {
        /// The block.
        height: Height,
        /// What is wrong with it.
        what: String,
    },
    /// A block's seal does not hold.
    #[error("block {height}: {error}")]
    Seal {
        /// The block.
        height: Height,
        /// Why not.
        error: SealError,
    },
    /// The derived store is above the log: sealed blocks are lost.
    #[error("the derived store stands at block {derived}, the log ends at {log}")]
    LogLost {
        /// Last block of the log.
        log: Height,
        /// Last block that was applied.
        derived: Height,
    },
    /// An entry of the derived store is wrong.
    #[error("the derived store, tree {}, key {key}: the entry is {difference}", tree.name())]
    Entry {
        /// The tree.
        tree: Tree,
        /// The key, in hex.
        key: String,
        /// How it is wrong.
        difference: Difference,
    },
}

/// How an entry of the derived store is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// It should be there.
    Missing,
    /// It should not be there.
    Extra,
    /// It has another value.
    Different,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Extra => "one too many",
            Self::Different => "another one than the log gives",
        })
    }
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(&mut self, finding: Finding) {
        if self.findings.len() < FSCK_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }
}

impl Fsck<'_> {
    /// Checks the ledger.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk or a store fails: never because of what is wrong with the content.
    /// [`LedgerError::NotHere`] if the ledger began from a snapshot: it cannot be derived again.
    pub fn run(self) -> Result<Report, LedgerError> {
        if let Some(base) = Base::load(&*self.setup.storage)? {
            return Err(LedgerError::NotHere { from: base.height() });
        }
        let mut report = Report::default();
        let mut old = Layers::new(Arc::clone(&self.setup.store));
        match found(checkpoint::load(&*self.setup.storage), &mut report)? {
            Some(layer) => {
                let usable = checkpoint::has_base(&*self.setup.store)?;
                old.draining = layer.filter(|_| usable).map(Arc::new);
            }
            None => return Ok(report),
        }
        report.derived = derived_height(&old)?;
        let log =
            found(BlockLog::inspect(Arc::clone(&self.setup.storage), Height::new(1)), &mut report)?;
        let Some((log, torn)) = log else { return Ok(report) };
        (report.log, report.torn) = (log.height(), torn);
        if let Some(derived) = report.derived.filter(|derived| *derived > log.height()) {
            report.add(Finding::LogLost { log: log.height(), derived });
        }
        self.derive_again(&log, &old, &mut report)?;
        Ok(report)
    }

    /// Executes the log from its first block on, up to its end or to a block that is wrong.
    fn derive_again(
        &self,
        log: &BlockLog,
        old: &Layers,
        report: &mut Report,
    ) -> Result<(), LedgerError> {
        let chain = Chain { suite: self.setup.suite, id: self.setup.chain };
        self.scratch.wipe()?;
        let mut new = Layers::new(Arc::clone(&self.scratch));
        let (layer, mut tip) = chain.begin(&new, &self.setup.initial)?;
        new.absorb(layer);
        let mut last = None;
        loop {
            if report.derived == Some(tip.head.height) {
                store_fresh(&mut new)?;
                report.compared = compare::compare(old, &new, report)?;
            }
            let Some(next) = found(log.next(last), report)? else { return Ok(()) };
            let Some((place, bytes)) = next else { return Ok(()) };
            let applied = self.apply(&chain, &mut new, &tip, (place, &bytes), report)?;
            let Some(after) = applied else { return Ok(()) };
            tip = after;
            last = Some((tip.head.height, place));
            report.checked = tip.head.height;
            if new.fresh.bytes() > CHECKPOINT_BYTES {
                store_fresh(&mut new)?;
            }
            (self.progress)(report.checked, report.log);
        }
    }

    /// Checks and applies one block; `None` if it is so wrong that none after it can be executed.
    fn apply(
        &self,
        chain: &Chain,
        new: &mut Layers,
        tip: &Tip,
        (place, bytes): (Place, &[u8]),
        report: &mut Report,
    ) -> Result<Option<Tip>, LedgerError> {
        let block = match decode(place, bytes) {
            Ok(block) => block,
            Err(LedgerError::File(error)) => return Ok(found(Err(error), report)?),
            Err(other) => return Err(other),
        };
        let height = tip.head.height.next();
        let view = View { suite: chain.suite, layers: new };
        let executed = (self.execute)(&block.proposal, &view);
        let (outcomes, changes) = match executed {
            Ok(executed) => executed,
            Err(StateError(what)) => {
                report.add(Finding::Block { height, what });
                return Ok(None);
            }
        };
        let (set, next) = match block::sets(&view, &changes) {
            Ok(sets) => sets,
            Err(StateError(what)) => {
                report.add(Finding::Block { height, what });
                return Ok(None);
            }
        };
        if let Err(error) = block.seal.verify(&block.header, &set) {
            report.add(Finding::Seal { height, error });
        }
        for what in block::check(&block, tip, &outcomes, &next) {
            report.add(Finding::Block { height, what });
        }
        let update = chain.update(new, tip.root, &changes)?;
        if let Err(error) = chain.check(tip, &block, &update) {
            report.add(Finding::Block { height, what: error.to_string() });
            return Ok(None);
        }
        let (layer, after) = chain.derive(new, &block, place, update)?;
        new.absorb(layer);
        Ok(Some(after))
    }
}

/// What is there, or `None` after entering the damage into the report.
fn found<T>(result: Result<T, FileError>, report: &mut Report) -> Result<Option<T>, FileError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(FileError::Corrupt { file, offset, what }) => {
            report.add(Finding::Damaged { file, offset, what });
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// The height of a derived store; `None` if it does not say any.
fn derived_height(old: &Layers) -> Result<Option<Height>, LedgerError> {
    let Some(bytes) = old.get(Tree::Meta, Marker::KEY)? else { return Ok(None) };
    let marker = index::parse::<Marker>(Tree::Meta, Marker::KEY, &bytes);
    Ok(marker.ok().map(|marker| marker.height))
}

fn store_fresh(layers: &mut Layers) -> Result<(), LedgerError> {
    let layer = std::mem::take(&mut layers.fresh);
    InBytes::of(&layer).put(&*layers.store)?;
    layers.keep_pages(&layer);
    Ok(())
}

fn entry(tree: Tree, key: &[u8], difference: Difference) -> Finding {
    Finding::Entry { tree, key: hex(key), difference }
}

/// The state that was derived again, for the execution of the next block.
struct View<'a> {
    suite: probata_types::Suite,
    layers: &'a Layers,
}

impl StateRead for View<'_> {
    fn get(&self, key: &StateKey) -> Result<Option<StateValue>, StateError> {
        let key: Hash = key.hash(self.suite);
        Ok(crate::reader::value(self.layers, &key)?)
    }
}
