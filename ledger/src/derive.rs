//! Deriving: everything that follows from one more block, as one layer of entries. The one function for
//! live blocks, for blocks applied again, and for checking a ledger.

use crate::{
    error::LedgerError,
    history, index,
    layers::{Draft, Layers, New},
    log::Place,
    store::Tree,
    tree::{self, Node},
};
use probata_types::{
    Hash, Header, Height, Seal, SealedBlock, Suite,
    block::history_leaf,
    codec,
    state::{Changes, StateKey, StateValue},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The newest block that is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its height; zero before the first block.
    pub height: Height,
    /// Its hash; the chain id before the first block.
    pub hash: Hash,
    /// Its header and seal, once there is a block.
    pub sealed: Option<(Header, Seal)>,
}

/// Where the derived state stands.
#[derive(Debug, Clone)]
pub(crate) struct Tip {
    pub(crate) head: Arc<Head>,
    pub(crate) root: Node,
    /// Over the chain id and the header hashes up to the head.
    pub(crate) history_root: Hash,
}

/// What the store says of itself: written with every block, so with every checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// The layout of the store.
    pub(crate) format: u16,
    pub(crate) chain: Hash,
    pub(crate) height: Height,
    pub(crate) hash: Hash,
    pub(crate) root: Node,
    /// The last of the blocks of which the store holds nothing, from the first on; zero if there is none.
    pub(crate) missing: Height,
}

impl Marker {
    /// The layout that this software writes. One of another number is derived again.
    pub(crate) const FORMAT: u16 = 5;
    pub(crate) const KEY: &'static [u8] = b"tip";
}

/// What changes do to the state, not yet written.
#[derive(Debug, Clone)]
pub(crate) struct StateUpdate {
    pub(crate) tree: tree::Update,
    /// The new objects, encoded, in the order of their key hashes.
    values: Vec<(Hash, Vec<u8>)>,
}

impl StateUpdate {
    /// Of a state that is in the store already.
    pub(crate) const fn none(tree: tree::Update) -> Self {
        Self { tree, values: Vec::new() }
    }

    pub(crate) fn root(&self, suite: Suite) -> Hash {
        self.tree.after.digest(suite)
    }

    fn put(self, draft: &mut Draft<'_>) -> Node {
        self.tree.put(draft);
        for (key, mut value) in self.values {
            value.shrink_to_fit();
            draft.put_value(key, value);
        }
        self.tree.after
    }
}

/// The chain whose blocks are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) suite: Suite,
    pub(crate) id: Hash,
}

impl Chain {
    /// The state before block 1, with the chain id as the first leaf of the history.
    pub(crate) fn begin(
        &self,
        layers: &Layers,
        initial: &Changes,
    ) -> Result<(New, Tip), LedgerError> {
        let update = self.update(layers, Node::Empty, initial)?;
        let mut draft = Draft::new(layers);
        let root = update.put(&mut draft);
        let head = Head { height: Height::ZERO, hash: self.id, sealed: None };
        self.end(draft, head, root)
    }

    /// What `changes` do to the state under `root`.
    pub(crate) fn update(
        &self,
        layers: &Layers,
        root: Node,
        changes: &Changes,
    ) -> Result<StateUpdate, LedgerError> {
        let encode = |(key, value): (&StateKey, _)| (key.hash(self.suite), codec::encode(value));
        let mut values: Vec<(Hash, Vec<u8>)> = changes.iter().map(encode).collect();
        values.sort_unstable_by_key(|(key, _)| *key);
        let digest =
            |(key, value): &(Hash, Vec<u8>)| (*key, StateValue::hash_of(self.suite, value));
        let digests: Vec<(Hash, Hash)> = values.iter().map(digest).collect();
        Ok(StateUpdate { tree: tree::update(self.suite, layers, root, &digests)?, values })
    }

    /// Checks that a block comes next and is sealed as this node computes it.
    pub(crate) fn check(
        &self,
        tip: &Tip,
        block: &SealedBlock,
        update: &StateUpdate,
    ) -> Result<(), LedgerError> {
        let Header { height, chain, parent, history_root, state_root, .. } = block.header;
        let expected = tip.head.height.next();
        if height != expected {
            return Err(LedgerError::WrongHeight { expected, got: height });
        }
        let values = [
            ("chain", chain, self.id),
            ("parent", parent, tip.head.hash),
            ("history root", history_root, tip.history_root),
            ("state root", state_root, update.root(self.suite)),
        ];
        match values.into_iter().find(|(_, sealed, computed)| sealed != computed) {
            Some((what, sealed, computed)) => {
                Err(LedgerError::Mismatch { height, what, sealed, computed })
            }
            None => Ok(()),
        }
    }

    /// All entries that follow from a checked block, and where the derived state then stands.
    pub(crate) fn derive(
        &self,
        layers: &Layers,
        block: &SealedBlock,
        place: Place,
        update: StateUpdate,
    ) -> Result<(New, Tip), LedgerError> {
        let mut draft = Draft::new(layers);
        let root = update.put(&mut draft);
        index::enter(&mut draft, block, place)?;
        let head = Head {
            height: block.header.height,
            hash: block.header.hash(),
            sealed: Some((block.header.clone(), block.seal.clone())),
        };
        self.end(draft, head, root)
    }

    /// Adds the head to the history and to the marker.
    fn end(&self, mut draft: Draft<'_>, head: Head, root: Node) -> Result<(New, Tip), LedgerError> {
        let leaf = history_leaf(self.suite, &head.hash);
        history::append(self.suite, &mut draft, head.height.get(), leaf)?;
        let get = |key: &[u8]| draft.get(Tree::History, key);
        let history_root = history::root(self.suite, &get, head.height.get() + 1)?;
        let missing = draft.missing();
        self.mark(&mut draft, &head, root, missing);
        Ok((draft.into_new(), Tip { head: Arc::new(head), root, history_root }))
    }

    fn mark(&self, draft: &mut Draft<'_>, head: &Head, root: Node, missing: Height) {
        let format = Marker::FORMAT;
        let Head { height, hash, .. } = *head;
        let marker = Marker { format, chain: self.id, height, hash, root, missing };
        draft.put(Tree::Meta, Marker::KEY, codec::encode(&marker));
    }

    /// All entries that follow from blocks older than all that are there, newest first. What came of them is in the
    /// state already.
    pub(crate) fn derive_older(
        &self,
        layers: &Layers,
        tip: &Tip,
        blocks: &[(SealedBlock, Place)],
    ) -> Result<New, LedgerError> {
        let (mut draft, mut missing) = (Draft::new(layers), layers.missing);
        let leaves = tip.head.height.get() + 1;
        for (block, place) in blocks {
            let height = block.header.height;
            assert_eq!(height, missing, "older blocks come in order, downwards");
            index::enter_older(&mut draft, block, *place)?;
            let leaf = history_leaf(self.suite, &block.header.hash());
            history::prepend(self.suite, &mut draft, (height.get(), leaf), leaves)?;
            missing = height.previous().unwrap_or_default();
        }
        if missing == Height::ZERO {
            history::prepend(
                self.suite,
                &mut draft,
                (0, history_leaf(self.suite, &self.id)),
                leaves,
            )?;
        }
        self.mark(&mut draft, &tip.head, tip.root, missing);
        Ok(draft.into_new())
    }
}
