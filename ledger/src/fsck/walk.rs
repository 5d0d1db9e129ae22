//! From block to block: each is checked, executed and applied to what was derived from those before.

use super::{
    Finding, Fsck, FsckError, Progress, Report, Stage,
    ahead::{Ahead, Next},
    behind::Behind,
    block, check_stop,
    compare::Comparison,
    partial::Partial,
};
use crate::{
    derive::{Chain, Tip},
    error::LedgerError,
    layers::Layers,
    limits::CHECKPOINT_BYTES,
    log::BlockLog,
    snapshot::Base,
    tree::Node,
};
use probata_types::{
    Height, ValidatorSet, epoch,
    state::{StateError, StateKey, StateRead, StateValue},
};
use std::{sync::Arc, thread::Scope};

/// Checks a log and what is derived from it, up to the log's end or to a block that is so wrong that nothing after it
/// means anything.
pub(super) fn walk<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    fsck: &Fsck<'_>,
    (log, old, base): (&'env BlockLog, &Layers, Option<&Base>),
    report: &mut Report,
) -> Result<(), FsckError> {
    fsck.scratch.wipe()?;
    let chain = Chain { suite: fsck.setup.suite, id: fsck.setup.chain };
    let new = Layers::new(Arc::clone(&fsck.scratch));
    let compare_at = report.derived;
    let (behind, of_bytes) = (Behind::new(scope), log.bytes()?);
    let mut check =
        Check { fsck, chain, old, new, behind, base, report, compare_at, last: None, of_bytes };
    let partial = base.map(|base| Partial::begin(&mut check, log, base)).transpose()?;
    // The state before the first block is that of genesis, unless blocks are missing.
    let partial = partial.filter(|_| log.first() > Height::new(1));
    let (tip, set) = match &partial {
        Some(partial) => (partial.tip.clone(), partial.set.clone()),
        None => check.begin()?,
    };
    let ahead = Ahead::start(scope, (log, None), fsck.workers, set)?;
    check.run(ahead, tip, partial)
}

/// A check under way.
pub(super) struct Check<'a, 'scope, 'env> {
    pub(super) fsck: &'a Fsck<'a>,
    pub(super) chain: Chain,
    /// The derived store that is checked.
    pub(super) old: &'a Layers,
    /// What is derived again.
    pub(super) new: Layers,
    behind: Behind<'scope, 'env>,
    base: Option<&'a Base>,
    pub(super) report: &'a mut Report,
    /// The height at which the two are compared.
    pub(super) compare_at: Option<Height>,
    /// The set that is to seal the next block, as the last one has it.
    last: Option<ValidatorSet>,
    /// Of the whole log.
    of_bytes: u64,
}

impl Check<'_, '_, '_> {
    fn begin(&mut self) -> Result<(Tip, ValidatorSet), FsckError> {
        let initial = &self.fsck.setup.initial;
        let (layer, tip) = self.chain.begin(&self.new, initial)?;
        self.new.absorb(layer);
        let set = epoch::next(initial).map_err(|StateError(what)| {
            LedgerError::derived(crate::Tree::Values, &[], format!("genesis: {what}"))
        })?;
        Ok((tip, set.set))
    }

    fn run(
        mut self,
        mut ahead: Ahead,
        mut tip: Tip,
        mut partial: Option<Partial>,
    ) -> Result<(), FsckError> {
        loop {
            check_stop(self.fsck.stop)?;
            if self.compare_at == Some(tip.head.height) {
                self.compare(partial.is_some())?;
            }
            let Some(next) = ahead.next() else { return Ok(()) };
            let Some(next) = self.report.found(next)? else { return Ok(()) };
            let height = tip.head.height.next();
            let followed = partial.as_mut().filter(|partial| height <= partial.until);
            let after = match followed {
                Some(partial) => partial.follow(&mut self, &tip, &next)?,
                None => self.apply(&tip, &next)?,
            };
            let Some(after) = after else { return Ok(()) };
            if let Some(set) = &self.last {
                ahead.expect_set(set);
            }
            self.count(&after, &next);
            tip = after;
            if self.new.fresh.bytes() > CHECKPOINT_BYTES {
                self.behind.put(&mut self.new)?;
            }
        }
    }

    fn count(&mut self, tip: &Tip, next: &Next) {
        let report = &mut *self.report;
        report.checked = tip.head.height;
        report.blocks += 1;
        report.records += next.looked.block.proposal.record_count() as u64;
        report.bytes += next.bytes();
        self.tell(Stage::Blocks);
    }

    pub(super) fn tell(&self, stage: Stage) {
        let Report { checked, log, records, bytes, .. } = *self.report;
        let of_bytes = self.of_bytes;
        (self.fsck.progress)(&Progress { stage, checked, log, records, bytes, of_bytes });
    }

    /// Compares the two stores, which stand at one height.
    fn compare(&mut self, partial: bool) -> Result<(), FsckError> {
        self.tell(Stage::Comparison);
        self.behind.put(&mut self.new)?;
        self.behind.wait(&mut self.new)?;
        let from = if partial { self.report.from } else { Height::new(1) };
        let (workers, stop) = (self.fsck.workers, self.fsck.stop);
        Comparison { old: self.old, new: &self.new, from, workers, stop }.run(self.report)
    }

    /// Checks and applies one block; `None` if it is so wrong that none after it can be executed.
    fn apply(&mut self, tip: &Tip, next: &Next) -> Result<Option<Tip>, FsckError> {
        let (height, block) = (tip.head.height.next(), &next.looked.block);
        let view = View { suite: self.chain.suite, layers: &self.new, root: tip.root };
        let executed =
            (self.fsck.execute)(&block.proposal, &view).and_then(|(outcomes, changes)| {
                let sets = block::sets(&view, &changes)?;
                Ok((outcomes, changes, sets))
            });
        let (outcomes, changes, (set, following)) = match executed {
            Ok(executed) => executed,
            Err(StateError(what)) => {
                self.report.add(Finding::Block { height, what });
                return Ok(None);
            }
        };
        self.report.state_from.get_or_insert(height);
        if let Err(error) = next.looked.check_seal(&set) {
            self.report.add(Finding::Seal { height, error });
        }
        for what in next.looked.check(tip, &outcomes, &following) {
            self.report.add(Finding::Block { height, what });
        }
        if self.base.is_some_and(|base| base.height() == height && base.header != block.header) {
            let what = "it is not the block of the base".to_owned();
            self.report.add(Finding::Block { height, what });
        }
        let update = self.chain.update(&self.new, tip.root, &changes)?;
        if let Err(error) = self.chain.check(tip, block, &update) {
            self.report.add(Finding::Block { height, what: error.to_string() });
            return Ok(None);
        }
        let (layer, after) = self.chain.derive(&self.new, block, next.place, update)?;
        self.new.absorb(layer);
        self.last = Some(following);
        Ok(Some(after))
    }

    /// Says which set is to seal the next block.
    pub(super) fn expect(&mut self, set: Option<&ValidatorSet>) {
        self.last = set.cloned();
    }
}

/// The state that was derived again, for the execution of the next block.
struct View<'a> {
    suite: probata_types::Suite,
    layers: &'a Layers,
    root: Node,
}

impl StateRead for View<'_> {
    fn get(&self, key: &StateKey) -> Result<Option<StateValue>, StateError> {
        let key = key.hash(self.suite);
        Ok(crate::reader::value_under(self.suite, self.layers, self.root, &key)?)
    }
}
