//! A store whose files rot: it is derived again where it can be, and nothing is removed where not.

use crate::{Entry, Finding, Fsck, Ledger, MemoryStore, Store, StoreError, Tree, fixtures::*};
use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, atomic::AtomicBool},
};

/// What opening reads.
const READ: [Tree; 4] = [Tree::Meta, Tree::Crown, Tree::Blocks, Tree::History];

/// A store one tree of which cannot be read until all is wiped.
pub(super) struct Rotten {
    store: Arc<MemoryStore>,
    tree: Mutex<Option<Tree>>,
}

impl Rotten {
    fn read(&self, tree: Tree) -> Result<&MemoryStore, StoreError> {
        match *self.tree.lock().unwrap() {
            Some(rotten) if rotten == tree => Err(StoreError::Damaged("a sum".to_owned())),
            _ => Ok(&self.store),
        }
    }
}

impl Store for Rotten {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(tree)?.get(tree, key)
    }

    fn put(&self, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.store.put(tree, key, value)
    }

    fn scan(
        &self,
        tree: Tree,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.read(tree)?.scan(tree, from, to, limit)
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.store.flush()
    }

    fn wipe(&self) -> Result<(), StoreError> {
        *self.tree.lock().unwrap() = None;
        self.store.wipe()
    }
}

impl Rotten {
    pub(super) fn of(store: &MemoryStore, tree: Tree) -> Arc<Self> {
        let copy = MemoryStore::default();
        for (tree, key, value) in dump(store) {
            copy.put(tree, &key, &value).unwrap();
        }
        Arc::new(Self { store: Arc::new(copy), tree: Mutex::new(Some(tree)) })
    }
}

#[test]
fn a_rotten_store_is_derived_again() {
    let (storage, store, ledger) = grown(12);
    ledger.close().unwrap();
    for tree in READ {
        let rotten = Rotten::of(&store, tree);
        let mut ledger = Ledger::open(setup(storage.clone(), rotten.clone())).unwrap();
        assert_eq!(catch_up(&mut ledger).unwrap(), 12, "{}", tree.name());
        ledger.close().unwrap();
        assert!(dump(&*rotten) == dump(&*store), "{}", tree.name());
    }
}

#[test]
fn a_check_finds_what_is_rotten_and_compares_the_rest() {
    let (storage, store, ledger) = grown(12);
    ledger.close().unwrap();
    let stop = AtomicBool::new(false);
    for tree in Tree::ALL {
        let fsck = Fsck {
            setup: setup(storage.clone(), Rotten::of(&store, tree)),
            scratch: Arc::new(MemoryStore::default()),
            execute: &execute,
            workers: NonZeroUsize::MIN,
            stop: &stop,
            progress: &|_| (),
        };
        let report = fsck.run().unwrap();
        let findings = &report.findings;
        assert!(matches!(&findings[..], [Finding::State(_)]), "{}: {findings:?}", tree.name());
        // What says where the store stands is needed to compare.
        let of = |tree| store.scan(tree, &[], None, usize::MAX).unwrap().len();
        let rest = if tree == Tree::Meta { 0 } else { dump(&*store).len() - of(tree) };
        assert_eq!(report.compared, rest as u64, "{}", tree.name());
    }
}
