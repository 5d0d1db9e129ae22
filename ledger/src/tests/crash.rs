//! A disk that dies at every single operation, and keeps as little as it may.

use crate::{
    Entry, Journal, Ledger, MemoryStorage, MemoryStore, Storage, Store, StoreError, Tree,
    checkpoint, fixtures::*,
};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard},
};

/// Files and a derived store on one disk that fails from some operation on.
#[derive(Default)]
struct Disk {
    /// Operations until it fails.
    left: u64,
    /// All bytes of each file, and how many are synced.
    files: Vec<(Vec<u8>, usize)>,
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    store: MemoryStore,
    /// Writes to the store since its last flush.
    unflushed: Vec<(Tree, Vec<u8>, Vec<u8>)>,
    flushed: MemoryStore,
}

#[derive(Clone, Default)]
pub(super) struct Handle(Arc<Mutex<Disk>>);

impl Handle {
    pub(super) fn new(operations: u64) -> Self {
        let handle = Self::default();
        handle.lock().left = operations;
        handle
    }

    /// Lets it do so many operations from here on.
    pub(super) fn allow(&self, operations: u64) {
        self.lock().left = operations;
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap()
    }

    /// The disk, for one more operation that changes it.
    fn write(&self) -> io::Result<MutexGuard<'_, Disk>> {
        let mut disk = self.lock();
        disk.left = disk.left.checked_sub(1).ok_or_else(|| io::Error::other("the disk died"))?;
        Ok(disk)
    }

    /// What is there after the crash: all that was synced, and of the rest what `luck` decides.
    pub(super) fn survivors(&self, mut luck: u64) -> (Arc<MemoryStorage>, Arc<MemoryStore>) {
        let mut draw = |below: usize| {
            luck ^= luck << 13;
            luck ^= luck >> 7;
            luck ^= luck << 17;
            usize::try_from(luck % (below as u64 + 1)).unwrap()
        };
        let disk = self.lock();
        let names = if draw(1) == 0 { &disk.names } else { &disk.synced_names };
        let files = names.iter().map(|(name, id)| {
            let (bytes, synced) = &disk.files[*id];
            let kept = synced + draw(bytes.len() - synced);
            let mut survived = bytes[..kept].to_vec();
            // Or the length reached the disk, and the bytes did not.
            if draw(2) == 0 {
                survived.resize(bytes.len(), 0);
            }
            (name.clone(), survived)
        });
        let files: BTreeMap<_, _> = files.collect();
        let store = MemoryStore::default();
        for (tree, key, value) in dump(&disk.flushed) {
            store.put(tree, &key, &value).unwrap();
        }
        // Any part of what was not flushed, in any order of keys.
        for (tree, key, value) in &disk.unflushed {
            if draw(1) == 0 {
                store.put(*tree, key, value).unwrap();
            }
        }
        (Arc::new(MemoryStorage::with_files(files)), Arc::new(store))
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Storage for Handle {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.lock().names.keys().cloned().collect())
    }

    fn length(&self, file: &str) -> io::Result<u64> {
        let disk = self.lock();
        let id = disk.names.get(file).ok_or_else(missing)?;
        Ok(disk.files[*id].0.len() as u64)
    }

    fn read(&self, file: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let disk = self.lock();
        let id = disk.names.get(file).ok_or_else(missing)?;
        let at = usize::try_from(offset).unwrap();
        disk.files[*id].0.get(at..at + length).map(<[u8]>::to_vec).ok_or_else(missing)
    }

    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.write()?;
        let id = match disk.names.get(file) {
            Some(id) => *id,
            None => {
                disk.files.push((Vec::new(), 0));
                let id = disk.files.len() - 1;
                disk.names.insert(file.to_owned(), id);
                id
            }
        };
        disk.files[id].0.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&self, file: &str) -> io::Result<()> {
        let mut disk = self.write()?;
        let id = *disk.names.get(file).ok_or_else(missing)?;
        disk.files[id].1 = disk.files[id].0.len();
        Ok(())
    }

    fn truncate(&self, file: &str, length: u64) -> io::Result<()> {
        let mut disk = self.write()?;
        let id = *disk.names.get(file).ok_or_else(missing)?;
        let length = usize::try_from(length).unwrap();
        disk.files[id].0.truncate(length);
        disk.files[id].1 = length;
        Ok(())
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        self.write()?.names.remove(file).map(|_| ()).ok_or_else(missing)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.write()?;
        let id = disk.names.remove(from).ok_or_else(missing)?;
        disk.names.insert(to.to_owned(), id);
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut disk = self.write()?;
        disk.synced_names = disk.names.clone();
        Ok(())
    }
}

fn died(error: &io::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}

impl Store for Handle {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.lock().store.get(tree, key)
    }

    fn put(&self, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let mut disk = self.write().map_err(|error| died(&error))?;
        disk.unflushed.push((tree, key.to_vec(), value.to_vec()));
        disk.store.put(tree, key, value)
    }

    fn scan(
        &self,
        tree: Tree,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.lock().store.scan(tree, from, to, limit)
    }

    fn flush(&self) -> Result<(), StoreError> {
        let mut disk = self.write().map_err(|error| died(&error))?;
        for (tree, key, value) in std::mem::take(&mut disk.unflushed) {
            disk.flushed.put(tree, &key, &value)?;
        }
        Ok(())
    }

    fn wipe(&self) -> Result<(), StoreError> {
        let mut disk = self.write().map_err(|error| died(&error))?;
        disk.unflushed.clear();
        disk.store.wipe()?;
        disk.flushed.wipe()
    }
}

const BLOCKS: u64 = 9;

/// Commits blocks on a disk until it dies; gives the height that was acknowledged.
fn run(disk: &Handle, behind: bool) -> u64 {
    let setup = setup(Arc::new(disk.clone()), Arc::new(disk.clone()));
    let Ok(mut ledger) = Ledger::open(setup) else { return 0 };
    if behind {
        ledger.write_behind(|| ());
    }
    ledger.set_checkpoint_blocks(2);
    let mut acknowledged = 0;
    for height in 1..=BLOCKS {
        let (next, changes) = block(&ledger, content(height));
        if ledger.commit(&next, &changes).is_err() {
            assert!(ledger.commit(&next, &changes).is_err(), "a stopped ledger commits nothing");
            return acknowledged;
        }
        acknowledged = height;
    }
    if ledger.close().is_ok() { u64::MAX } else { acknowledged }
}

#[test]
fn whenever_the_disk_dies_nothing_acknowledged_is_lost_and_all_is_derived_as_before() {
    let (_, expected, whole) = grown(BLOCKS);
    whole.close().unwrap();
    let expected = dump(&*expected);
    let mut operations = 0;
    loop {
        let disk = Handle::new(operations);
        // By a thread behind, the order of operations is not always the same; what holds is.
        let acknowledged = run(&disk, operations % 2 == 1);
        let step = if operations < 40 { 1 } else { 1 + operations % 3 };
        for luck in 1..=4 {
            let (storage, store) = disk.survivors(operations * 31 + luck);
            // In one case of four what is derived is lost with it.
            let store = if luck == 4 { Arc::default() } else { store };
            let mut ledger = open(storage, store.clone());
            let height = ledger.head().height.get();
            assert!(height >= acknowledged.min(BLOCKS), "died after {operations} operations");
            grow(&mut ledger, BLOCKS);
            ledger.close().unwrap();
            assert!(dump(&*store) == expected, "died after {operations} operations, luck {luck}");
        }
        if acknowledged == u64::MAX {
            break;
        }
        operations += step;
    }
    assert!(operations > 200, "the disk died at {operations} operations at most");
}

#[test]
fn a_layer_that_is_not_yet_in_the_store_is_checked_where_it_is() {
    let mut checked = 0;
    for operations in 20..400 {
        let disk = Handle::new(operations);
        if run(&disk, false) == u64::MAX {
            break;
        }
        let (storage, store) = disk.survivors(operations);
        let is_whole = checkpoint::load(&*storage).is_ok_and(|layer| layer.is_some());
        if is_whole && checkpoint::has_base(&*store).unwrap() {
            let storage: Arc<dyn Storage> = storage;
            let report = super::fsck::check_in(&storage, &store).unwrap();
            assert!(report.is_clean(), "died after {operations} operations: {report:?}");
            // A store under it whose marker cannot be read is derived again.
            let rotten = super::rotten::Rotten::of(&store, Tree::Meta);
            let mut ledger = open(storage, rotten);
            grow(&mut ledger, BLOCKS);
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked} had a layer that was not in the store");
}

#[test]
fn whenever_the_disk_dies_the_journal_keeps_what_it_promised() {
    for operations in 0..40 {
        let disk = Handle::new(operations);
        let (mut journal, _) = Journal::open(Arc::new(disk.clone())).unwrap();
        let (mut kept, mut tried) = (Vec::new(), Vec::new());
        for round in 0..8u8 {
            let record = vec![round; 30];
            tried.push(record.clone());
            let written = if round % 4 == 3 {
                // Prune: only the newest two stay.
                let newest = tried[tried.len() - 2..].to_vec();
                journal.rewrite(newest.clone()).map(|()| kept = newest)
            } else {
                journal.append(&record).and_then(|()| journal.sync()).map(|()| kept.push(record))
            };
            if written.is_err() {
                assert!(journal.append(b"more").is_err(), "a stopped journal takes nothing");
                break;
            }
        }
        for luck in 1..=8 {
            let (storage, _) = disk.survivors(operations * 31 + luck);
            let (_, found) = Journal::open(storage).unwrap();
            let newest = tried[tried.len().saturating_sub(2)..].to_vec();
            let mut one_more = kept.clone();
            one_more.extend(tried.last().cloned());
            assert!(
                found == kept || found == one_more || found == newest,
                "died after {operations}: {found:?} for {kept:?}"
            );
        }
    }
}
