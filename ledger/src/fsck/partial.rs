//! A ledger that lacks its oldest blocks, because it began from a snapshot, or because they are in an archive that cannot be
//! read.
//!
//! The block that it began from, the *base* (or the first one that can be read), is proven as a snapshot is: by the walk of the validator sets from genesis. The blocks of
//! the log are followed from the first on: their place in the chain, content, signatures and seals are checked, and what the
//! indexes hold of them. What came of their records is taken from what is sealed. The state cannot be derived again, so it is put
//! together from the objects in the store, and must come to the sealed root at the store's height; every page of its tree is compared.
//! Blocks above that height, which a crash may leave, are executed again on that state.

use super::{Finding, FsckError, Stage, ahead::Next, marker, state, walk::Check};
use crate::{
    derive::{Head, StateUpdate, Tip},
    error::LedgerError,
    history, index,
    layers::{Draft, Layers},
    ledger::Setup,
    limits::SNAPSHOT_SETS,
    log::BlockLog,
    snapshot::{Base, SnapshotError},
    store::Tree,
    tree::{self, Node, Update},
};
use probata_types::{
    Epoch, Hash, Header, Height, List, SealedBlock, Suite, ValidatorSet,
    block::history_leaf,
    epoch,
    evidence::SetChange,
    state::{StateKey, StateValue},
};
use std::{collections::BTreeMap, sync::Arc};

/// Follows blocks that cannot be executed.
pub(super) struct Partial {
    base: Base,
    /// Before the first block.
    pub(super) tip: Tip,
    /// The set that sealed the base.
    pub(super) set: ValidatorSet,
    /// All sets that are known, by their digests.
    sets: BTreeMap<Hash, ValidatorSet>,
    /// The last block that is not executed.
    pub(super) until: Height,
    /// The first block that the store has entries of: older ones of the log may not be entered yet.
    entered_from: Height,
    /// Whether the history is known, as it is from the base on.
    has_history: bool,
    /// The height of the derived store, if its state can be compared.
    state_at: Option<Height>,
}

impl Partial {
    /// Checks the base, and puts the state together if blocks are missing.
    pub(super) fn begin(
        check: &mut Check<'_, '_, '_>,
        log: &BlockLog,
        base: &Base,
    ) -> Result<Self, FsckError> {
        let (suite, height) = (check.chain.suite, base.height());
        // How far down the blocks are that were entered since is not derived, but told.
        check.new.missing = marker(check.old)?.map_or(Height::ZERO, |marker| marker.missing);
        let initial = &check.fsck.setup.initial;
        if let Err(error) = base.check(suite, &check.chain.id, initial) {
            wrong_base(check, height, &error);
        }
        let mut sets = BTreeMap::new();
        let genesis = epoch::next(initial).map(|epoch| epoch.set);
        let genesis = genesis.map_err(|error| LedgerError::derived(Tree::Values, &[], error.0))?;
        let of_base = base.sets.iter().map(|change| change.set.clone());
        let epochs = check.report.derived(epochs(suite, check.old))?.unwrap_or_default();
        let epochs = epochs.into_iter().map(|epoch| epoch.set);
        for set in std::iter::once(genesis.clone()).chain(of_base).chain(epochs) {
            sets.insert(set.hash(suite), set);
        }
        let set = sets.get(&base.header.validators).cloned().unwrap_or(genesis);
        let (root, state_at) = match log.first() {
            first if first > Height::new(1) => Self::state(check, height)?,
            _ => (Node::Empty, None),
        };
        let head = Head {
            height: log.first().previous().unwrap_or_default(),
            hash: Hash::ZERO,
            sealed: None,
        };
        let tip = Tip { head: Arc::new(head), root, history_root: Hash::ZERO };
        let until = state_at.unwrap_or(Height::MAX);
        let entered_from = first_entered(check.old)?.unwrap_or(height).min(height);
        Ok(Self {
            base: base.clone(),
            tip,
            set,
            sets,
            until,
            entered_from,
            has_history: false,
            state_at,
        })
    }

    /// The state of the derived store, copied to the scratch store, and the height at which it is to be compared.
    fn state(
        check: &mut Check<'_, '_, '_>,
        base: Height,
    ) -> Result<(Node, Option<Height>), FsckError> {
        let (suite, old, fsck) = (check.chain.suite, check.old, check.fsck);
        check.compare_at = None;
        let Some(derived) = check.report.derived.filter(|derived| *derived >= base) else {
            let what = "it is missing, and cannot be derived again from a log that does not begin with block 1";
            check.report.add(Finding::State(what.to_owned()));
            return Ok((Node::Empty, None));
        };
        check.tell(Stage::State);
        let copied = match state::copy(suite, old, &*fsck.scratch, fsck.stop) {
            Err(FsckError::Ledger(error)) => check.report.derived(Err(error))?,
            other => Some(other?),
        };
        let Some(root) = copied else { return Ok((Node::Empty, None)) };
        tree::crown::grow(suite, &check.new, root)?;
        check.compare_at = Some(derived);
        Ok((root, Some(derived)))
    }

    /// Checks the next block, and applies what follows from it without its execution; `None` if it is so wrong that
    /// nothing after it means anything.
    pub(super) fn follow(
        &mut self,
        check: &mut Check<'_, '_, '_>,
        tip: &Tip,
        next: &Next,
    ) -> Result<Option<Tip>, FsckError> {
        let (height, block) = (tip.head.height.next(), &next.looked.block);
        let wrong = |what: String| Finding::Block { height, what };
        match self.sets.get(&block.header.validators) {
            Some(set) => {
                if let Err(error) = next.looked.check_seal(set) {
                    check.report.add(Finding::Seal { height, error });
                }
            }
            None => check.report.add(wrong("its validator set is not known".to_owned())),
        }
        let before = tip.head.sealed.is_some().then_some(tip);
        for what in next.looked.check_unexecuted(before) {
            check.report.add(wrong(what));
        }
        if let Some(what) = self.misplaced(check, tip, &block.header) {
            check.report.add(wrong(what.to_owned()));
            return Ok(None);
        }
        check.expect(self.sets.get(&block.header.next_validators));
        if height == self.base.height() {
            self.has_history = self.put_peaks(check, &block.header)?;
        }
        if self.state_at == Some(height) {
            self.compare_root(check, tip.root, &block.header);
        }
        Ok(Some(self.apply(check, tip, next)?))
    }

    /// What is wrong with a block's place in the chain, if anything.
    fn misplaced(
        &self,
        check: &Check<'_, '_, '_>,
        tip: &Tip,
        header: &Header,
    ) -> Option<&'static str> {
        let (height, base) = (tip.head.height.next(), self.base.height());
        let before = tip.head.sealed.as_ref().map(|(before, _)| before);
        let facts = [
            (header.height == height, "it has another height"),
            (header.chain == check.chain.id, "it is of another chain"),
            (
                before.is_none() || header.parent == tip.head.hash,
                "its parent is not the block before",
            ),
            (
                before.is_none_or(|before| before.next_validators == header.validators),
                "its validators are not those that the block before names",
            ),
            (height != base || *header == self.base.header, "it is not the block of the base"),
            (
                height == base || !self.has_history || header.history_root == tip.history_root,
                "its history root is not that of the headers before",
            ),
        ];
        facts.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what)
    }

    /// Begins the history with the subtrees before the base, if they are those that it is sealed with.
    fn put_peaks(&self, check: &mut Check<'_, '_, '_>, header: &Header) -> Result<bool, FsckError> {
        let (suite, size, old) = (check.chain.suite, header.height.get(), check.old);
        let get = |key: &[u8]| Ok(old.get(Tree::History, key)?);
        let read = || Ok((history::root(suite, &get, size)?, history::peaks(&get, size)?));
        let Some((root, peaks)) = check.report.derived(read())? else { return Ok(false) };
        if root != header.history_root {
            let what = "the history in the store does not come to the root that the base has";
            check.report.add(Finding::State(what.to_owned()));
            return Ok(false);
        }
        let mut draft = Draft::new(&check.new);
        history::put_peaks(&mut draft, size, &peaks);
        let peaks = draft.into_new();
        check.new.absorb(peaks);
        Ok(true)
    }

    fn compare_root(&mut self, check: &mut Check<'_, '_, '_>, root: Node, header: &Header) {
        let (height, got) = (header.height, root.digest(check.chain.suite));
        check.report.state_at = Some(height);
        if got != header.state_root {
            let expected = header.state_root;
            let what =
                format!("its objects come to {got}, block {height} is sealed with {expected}");
            check.report.add(Finding::State(what));
            // Nothing can be executed on it.
            self.until = Height::MAX;
        }
    }

    fn apply(
        &self,
        check: &mut Check<'_, '_, '_>,
        tip: &Tip,
        next: &Next,
    ) -> Result<Tip, FsckError> {
        let block = &next.looked.block;
        if self.has_history {
            let update = StateUpdate::none(Update::none(tip.root));
            let (layer, after) = check.chain.derive(&check.new, block, next.place, update)?;
            check.new.absorb(layer);
            return Ok(after);
        }
        let SealedBlock { header, seal, .. } = block;
        if header.height >= self.entered_from {
            let mut draft = Draft::new(&check.new);
            index::enter(&mut draft, block, next.place)?;
            let (suite, height) = (check.chain.suite, header.height.get());
            let leaf = history_leaf(suite, &header.hash());
            history::append_after_gap(suite, &mut draft, height, leaf)?;
            let entries = draft.into_new();
            check.new.absorb(entries);
        }
        let head = Head {
            height: header.height,
            hash: header.hash(),
            sealed: Some((header.clone(), seal.clone())),
        };
        Ok(Tip { head: Arc::new(head), ..tip.clone() })
    }
}

/// What stands for a base where the blocks before are in an archive that cannot be read: the first block that is here, by
/// the headers and sets that stayed in the store. It is proven from genesis as any base is.
pub(super) fn stored_base(
    setup: &Setup,
    old: &Layers,
    base: Option<&Base>,
    first: Height,
) -> Result<Base, LedgerError> {
    let sealed = |height: Height| {
        if let Some(sealed) = base.and_then(|base| base.sealed(height)) {
            return Ok(sealed);
        }
        let missing =
            || LedgerError::derived(Tree::Blocks, &index::block_key(height), "it is missing");
        let entry = index::block(old, height)?.ok_or_else(missing)?;
        Ok::<_, LedgerError>((entry.header, entry.seal))
    };
    let mut sets = List::empty();
    for epoch in epochs(setup.suite, old)?.into_iter().skip(1) {
        let before = epoch.first.previous().unwrap_or_default();
        if before >= first {
            break;
        }
        let (header, seal) = sealed(before)?;
        let pushed = sets.push(SetChange { header, seal, set: epoch.set });
        pushed.map_err(|_| LedgerError::derived(Tree::Values, &[], "there are too many epochs"))?;
    }
    let (header, seal) = sealed(first)?;
    Ok(Base { header, seal, sets })
}

/// The lowest block that the store has an entry of.
fn first_entered(old: &Layers) -> Result<Option<Height>, LedgerError> {
    let first = old.scan(Tree::Blocks, &[], None, 1)?;
    Ok(first.first().and_then(|(key, _)| index::last_height(Tree::Blocks, key)))
}

fn wrong_base(check: &mut Check<'_, '_, '_>, height: Height, error: &SnapshotError) {
    check.report.add(Finding::Base { height, what: error.to_string() });
}

/// All epochs that the store knows. Their sets count by their digests, so it is not asked where they come from.
fn epochs(suite: Suite, old: &Layers) -> Result<Vec<Epoch>, LedgerError> {
    let mut sets = Vec::new();
    for number in (0u32..).take(SNAPSHOT_SETS) {
        let key = StateKey::Epoch(number).hash(suite);
        let Some(StateValue::Epoch(epoch)) = crate::reader::value(old, &key)? else { break };
        sets.push(*epoch);
    }
    Ok(sets)
}
