//! Checking a whole ledger: everything is derived again from the log, and compared.
//!
//! ```text
//!   log ─► one thread reads ahead ─► workers: decode, roots, signatures, seal ─► one thread, in order:
//!                                                                    execute, derive, place in the chain
//!                                                                                │ layers, by a thread behind
//!                                                     derived store ◄─ compare ─► scratch store
//! ```
//!
//! Nothing is written to the ledger. Each block's frame, content, submissions' signatures, outcomes, roots,
//! place in the chain and seal are checked; at the height of the derived store every one of its entries is
//! compared with what was derived anew. What is found comes in the order of the chain, whatever the number of workers.
//!
//! A ledger that lacks its oldest blocks cannot be executed from genesis: `partial.rs` says what is checked then.

mod ahead;
mod behind;
mod block;
mod compare;
mod partial;
mod report;
mod state;
mod walk;

pub use report::{Difference, Finding, Report};

use crate::{
    checkpoint,
    derive::Marker,
    error::LedgerError,
    index,
    layers::Layers,
    ledger::Setup,
    log::BlockLog,
    snapshot::Base,
    store::{Store, Tree},
};
use probata_types::{
    Height, Proposal,
    outcome::OutcomeLeaf,
    state::{Changes, StateError, StateRead},
};
use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

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
    /// Threads that look at blocks, beside the one that executes them.
    pub workers: NonZeroUsize,
    /// Set by another thread to end the check before its end.
    pub stop: &'a AtomicBool,
    /// Is told how far it is.
    pub progress: &'a dyn Fn(&Progress),
}

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// The last block that was checked.
    pub checked: Height,
    /// The last block of the log.
    pub log: Height,
    /// Records in the blocks that were checked.
    pub records: u64,
    /// Bytes of the log that they take.
    pub bytes: u64,
    /// Bytes of the whole log.
    pub of_bytes: u64,
}

/// What a check is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The state is put together from its objects, as it cannot be derived again.
    State,
    /// The log is checked, block by block.
    Blocks,
    /// The derived store is compared with what was derived again. Blocks may follow.
    Comparison,
}

/// Why a check could not be done: never because of what is wrong with the content.
#[derive(Debug, thiserror::Error)]
pub enum FsckError {
    /// The disk or a store fails.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Somebody ended it.
    #[error("it was stopped before its end")]
    Stopped,
}

impl From<crate::FileError> for FsckError {
    fn from(error: crate::FileError) -> Self {
        Self::Ledger(error.into())
    }
}

impl From<crate::StoreError> for FsckError {
    fn from(error: crate::StoreError) -> Self {
        Self::Ledger(error.into())
    }
}

impl Fsck<'_> {
    /// Checks the ledger.
    ///
    /// # Errors
    /// [`FsckError`].
    pub fn run(self) -> Result<Report, FsckError> {
        let mut report = Report::default();
        let (storage, store) = (&self.setup.storage, &self.setup.store);
        let Some(base) = report.found(Base::load(&**storage))? else { return Ok(report) };
        let mut old = Layers::new(Arc::clone(store));
        let Some(layer) = report.found(checkpoint::load(&**storage))? else { return Ok(report) };
        let usable = checkpoint::has_base(&**store)?;
        old.draining = layer.filter(|_| usable).map(Arc::new);
        report.derived = report.derived(derived_height(&old))?.flatten();
        let begins = base.as_ref().map_or(Height::new(1), |base| base.height());
        let log = BlockLog::inspect(Arc::clone(storage), begins);
        let Some((mut log, torn)) = report.found(log)? else { return Ok(report) };
        let base = match log.leave_out_unreadable()? {
            None => base,
            Some((_, why)) if report.derived.is_none() => return Err(why.into()),
            Some((last, _)) => {
                report.archived_to = Some(last);
                let stored = partial::stored_base(&self.setup, &old, base.as_ref(), log.first());
                let Some(stored) = report.derived(stored)? else { return Ok(report) };
                Some(stored)
            }
        };
        (report.from, report.log, report.torn) = (log.first(), log.height(), torn);
        if let Some(derived) = report.derived.filter(|derived| *derived > log.height()) {
            report.add(Finding::LogLost { log: log.height(), derived });
        }
        thread::scope(|scope| walk::walk(scope, &self, (&log, &old, base.as_ref()), &mut report))?;
        Ok(report)
    }
}

/// The height of a derived store; `None` if it does not say any.
fn derived_height(old: &Layers) -> Result<Option<Height>, LedgerError> {
    Ok(marker(old)?.map(|marker| marker.height))
}

/// What a derived store says of itself, if it can be read. One of another layout is derived again when it is opened.
fn marker(old: &Layers) -> Result<Option<Marker>, LedgerError> {
    let Some(bytes) = old.get(Tree::Meta, Marker::KEY)? else { return Ok(None) };
    let marker = index::parse::<Marker>(Tree::Meta, Marker::KEY, &bytes).ok();
    Ok(marker.filter(|marker| marker.format == Marker::FORMAT))
}

fn check_stop(stop: &AtomicBool) -> Result<(), FsckError> {
    if stop.load(Ordering::Relaxed) { Err(FsckError::Stopped) } else { Ok(()) }
}
