//! Deriving: everything that follows from one more block, as one layer of entries. The one function for
//! live blocks, for blocks applied again, and for checking a ledger.

use crate::{
    error::LedgerError,
    history, index,
    layers::{Draft, Layer, Layers},
    log::Place,
    store::Tree,
    tree::{self, Node},
};
use probata_types::{
    Hash, Header, Height, Seal, SealedBlock, Suite,
    block::history_leaf,
    codec,
    state::{Changes, StateValue},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

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
}

impl Marker {
    /// The layout that this software writes. One of another number is derived again.
    pub(crate) const FORMAT: u16 = 2;
    pub(crate) const KEY: &'static [u8] = b"tip";
}

/// What changes do to the state, not yet written.
#[derive(Debug, Clone)]
pub(crate) struct StateUpdate {
    pub(crate) tree: tree::Update,
    /// The new objects, encoded, by key hash.
    values: BTreeMap<Hash, Vec<u8>>,
}

impl StateUpdate {
    /// Of a state that is in the store already.
    pub(crate) const fn none(tree: tree::Update) -> Self {
        Self { tree, values: BTreeMap::new() }
    }

    pub(crate) fn root(&self, suite: Suite) -> Hash {
        self.tree.after.digest(suite)
    }

    fn put(&self, draft: &mut Draft<'_>) {
        self.tree.put(draft);
        for (key, value) in &self.values {
            draft.put(Tree::Values, *key.as_bytes(), value.clone());
        }
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
    ) -> Result<(Layer, Tip), LedgerError> {
        let update = self.update(layers, Node::Empty, initial)?;
        let mut draft = Draft::new(layers);
        update.put(&mut draft);
        let head = Head { height: Height::ZERO, hash: self.id, sealed: None };
        self.end(draft, head, update.tree.after)
    }

    /// What `changes` do to the state under `root`.
    pub(crate) fn update(
        &self,
        layers: &Layers,
        root: Node,
        changes: &Changes,
    ) -> Result<StateUpdate, LedgerError> {
        let (mut digests, mut values) = (BTreeMap::new(), BTreeMap::new());
        for (key, value) in changes {
            let (key, value) = (key.hash(self.suite), codec::encode(value));
            digests.insert(key, StateValue::hash_of(self.suite, &value));
            values.insert(key, value);
        }
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
        update: &StateUpdate,
    ) -> Result<(Layer, Tip), LedgerError> {
        let mut draft = Draft::new(layers);
        update.put(&mut draft);
        index::enter(&mut draft, block, place)?;
        let head = Head {
            height: block.header.height,
            hash: block.header.hash(),
            sealed: Some((block.header.clone(), block.seal.clone())),
        };
        self.end(draft, head, update.tree.after)
    }

    /// Adds the head to the history and to the marker.
    fn end(
        &self,
        mut draft: Draft<'_>,
        head: Head,
        root: Node,
    ) -> Result<(Layer, Tip), LedgerError> {
        let leaf = history_leaf(self.suite, &head.hash);
        history::append(self.suite, &mut draft, head.height.get(), leaf)?;
        let get = |key: &[u8]| draft.get(Tree::History, key);
        let history_root = history::root(self.suite, &get, head.height.get() + 1)?;
        let marker = Marker {
            format: Marker::FORMAT,
            chain: self.id,
            height: head.height,
            hash: head.hash,
            root,
        };
        draft.put(Tree::Meta, Marker::KEY, codec::encode(&marker));
        Ok((draft.into_layer(), Tip { head: Arc::new(head), root, history_root }))
    }
}
