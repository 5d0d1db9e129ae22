//! Comparing two derived stores, entry by entry: each tree by itself, several trees at once.

use super::{Difference, Finding, FsckError, Report, check_stop};
use crate::{
    error::LedgerError,
    index,
    layers::Layers,
    limits::{FSCK_CHUNK, FSCK_FINDINGS},
    store::{Entry, StoreError, Tree},
};
use probata_types::Height;
use std::{
    cmp::Ordering,
    collections::VecDeque,
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering as Memory},
    },
    thread,
};

/// Two stores, and what of them is compared.
pub(super) struct Comparison<'a> {
    /// What is there.
    pub(super) old: &'a Layers,
    /// What should be there.
    pub(super) new: &'a Layers,
    /// Entries that tell of earlier blocks are skipped: what should be there is not known of them.
    pub(super) from: Height,
    pub(super) workers: NonZeroUsize,
    pub(super) stop: &'a AtomicBool,
}

/// What came of one tree.
#[derive(Default)]
struct Compared {
    compared: u64,
    skipped: u64,
    findings: Vec<Finding>,
    more: u64,
}

impl Comparison<'_> {
    /// Enters every difference into the report, tree by tree.
    pub(super) fn run(&self, report: &mut Report) -> Result<(), FsckError> {
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..self.workers.get().min(Tree::ALL.len()) {
                scope.spawn(|| {
                    while let Some(tree) = Tree::ALL.get(next.fetch_add(1, Memory::Relaxed)) {
                        let result = self.tree(*tree);
                        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                        results.push((*tree, result));
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_unstable_by_key(|(tree, _)| *tree);
        for (_, result) in results {
            let Compared { compared, skipped, findings, more } = result?;
            report.compared += compared;
            report.skipped += skipped;
            findings.into_iter().for_each(|finding| report.add(finding));
            report.more += more;
        }
        Ok(())
    }

    fn tree(&self, tree: Tree) -> Result<Compared, FsckError> {
        let (mut is, mut should) = (Walk::new(self.old, tree), Walk::new(self.new, tree));
        is.is_checked = true;
        let (mut left, mut right) = (is.next()?, should.next()?);
        let mut result = Compared::default();
        loop {
            if result.compared.is_multiple_of(FSCK_CHUNK as u64) {
                check_stop(self.stop)?;
            }
            if let Some(damage) = is.damage.take() {
                let what = format!("tree {}: {damage}", tree.name());
                result.enter(Some(Finding::State(what)));
                return Ok(result);
            }
            let order = match (&left, &right) {
                (None, None) => return Ok(result),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((is, _)), Some((should, _))) => is.cmp(should),
            };
            let (difference, key) = match (order, &left, &right) {
                (Ordering::Less, Some((key, _)), _) => (Some(Difference::Extra), key),
                (Ordering::Greater, _, Some((key, _))) => (Some(Difference::Missing), key),
                (_, Some((key, is)), Some((_, should))) => {
                    ((is != should).then_some(Difference::Different), key)
                }
                _ => return Ok(result),
            };
            if difference.is_some()
                && self.is_earlier(tree, left.as_ref().filter(|_| order.is_le()))?
            {
                result.skipped += 1;
            } else {
                result.compared += 1;
                result.enter(difference.map(|difference| Finding::entry(tree, key, difference)));
            }
            if order.is_le() {
                left = is.next()?;
            }
            if order.is_ge() {
                right = should.next()?;
            }
        }
    }

    /// Whether an entry that is there tells of blocks before the first one only.
    fn is_earlier(&self, tree: Tree, entry: Option<&Entry>) -> Result<bool, LedgerError> {
        let Some((key, value)) = entry.filter(|_| self.from > Height::new(1)) else {
            return Ok(false);
        };
        let height = match tree {
            Tree::Idempotency => index::idempotency_height(self.old, value)?,
            _ => index::last_height(tree, key),
        };
        Ok(height.is_some_and(|height| height < self.from))
    }
}

impl Compared {
    fn enter(&mut self, finding: Option<Finding>) {
        match finding {
            Some(finding) if self.findings.len() < FSCK_FINDINGS => self.findings.push(finding),
            Some(_) => self.more += 1,
            None => {}
        }
    }
}

/// All entries of a tree, a chunk at a time.
struct Walk<'a> {
    layers: &'a Layers,
    tree: Tree,
    chunk: VecDeque<Entry>,
    from: Option<Vec<u8>>,
    /// Whether damage is a finding, and no failure.
    is_checked: bool,
    /// What of it could not be read; it ends there.
    damage: Option<StoreError>,
}

impl<'a> Walk<'a> {
    fn new(layers: &'a Layers, tree: Tree) -> Self {
        let (chunk, from) = (VecDeque::new(), Some(Vec::new()));
        Self { layers, tree, chunk, from, is_checked: false, damage: None }
    }

    fn next(&mut self) -> Result<Option<Entry>, LedgerError> {
        if self.chunk.is_empty()
            && let Some(from) = self.from.take()
        {
            self.chunk = match self.layers.scan(self.tree, &from, None, FSCK_CHUNK) {
                Err(damage @ StoreError::Damaged(_)) if self.is_checked => {
                    self.damage = Some(damage);
                    return Ok(None);
                }
                read => read?.into(),
            };
            self.from = self.chunk.back().map(|(key, _)| [key.as_slice(), &[0]].concat());
        }
        Ok(self.chunk.pop_front())
    }
}
