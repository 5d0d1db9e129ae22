//! The store on disk, in fjall: a log-structured merge tree for each tree.
//!
//! Few writes go to fjall's journal and memory. Many that come sorted become a sorted file at once, which costs
//! less than a third; files are merged behind by a thread of fjall's own. So the cost of a random key does not
//! grow with what is there already, and a key that is not there is mostly found so by a filter in memory.

mod worker;

use super::{Entry, Sorted, Store, StoreError, StoreView, Tree};
use fjall::{
    Database, Keyspace, KeyspaceCreateOptions, LsmError, PersistMode, Readable as _, Snapshot,
    compaction::Leveled,
    config::{
        BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry,
        PartitioningPolicy,
    },
};
use std::{
    fs, io,
    ops::Bound,
    path::Path,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};
use worker::Worker;

/// Threads that write and merge sorted files: [`Worker`] counts what one was asked for.
const WORKERS: usize = 1;
/// Bytes of entries in memory for one tree, until they are written as a sorted file.
const MEMTABLE_BYTES: u64 = 8 << 20;
/// Bytes of sorted entries from which on they become a file of their own. Many small files would cost more in
/// merging them than is won.
const FILE_BYTES: usize = 256 << 10;
/// The same of a tree whose keys ascend with the chain: its files are never merged, and stay as many as they came.
const ASCENDING_FILE_BYTES: usize = 4 << 20;
/// Sorted files of a tree above its merged ones, from which on they are merged: with four times as many as fjall's default of 4 the
/// merged ones are written a fourth as often, and a look-up asks six more filters on average.
const FILES_TO_MERGE: u8 = 16;
/// Bytes of a merged file. The first level of merged ones is [`FILES_TO_MERGE`] of them large, so that what is merged into it
/// is some half of it; with files twice as large it would be a fourth.
const MERGED_FILE_BYTES: u64 = 32 << 20;
/// Levels of a tree, which fjall fixes: the first of new files, the last of what has been merged for long.
const LEVELS: usize = 7;
/// Bytes of entries in the journal, until all are in sorted files.
const JOURNAL_BYTES: u64 = 64 << 20;

/// A fjall database in a folder of its own.
pub struct FjallStore {
    database: Database,
    trees: RwLock<Vec<Keyspace>>,
    worker: Worker,
}

impl FjallStore {
    /// Opens the database in `folder`, which is made if there is none, with a cache of `cache_bytes`.
    /// Files that fjall finds damaged are removed: the ledger derives everything in them again.
    ///
    /// # Errors
    /// [`StoreError`] if the disk refuses or another process has it open.
    pub fn open(folder: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let open = || {
            let builder = Database::builder(folder)
                .cache_size(cache_bytes)
                .worker_threads(WORKERS)
                .max_journaling_size(u64::MAX)
                .manual_journal_persist(true);
            let database = builder.open()?;
            let trees = open_trees(&database)?;
            let worker = Worker::of(&database, &trees);
            Ok(Self { database, trees: RwLock::new(trees), worker })
        };
        let open = || open().map_err(|error| failed(&error));
        match open() {
            Err(error @ StoreError::Damaged(_)) => {
                tracing::warn!(?folder, %error, "the derived store is made anew");
                fs::remove_dir_all(folder)
                    .map_err(|error| StoreError::Failed(error.to_string()))?;
                open()
            }
            opened => opened,
        }
    }

    fn trees(&self) -> RwLockReadGuard<'_, Vec<Keyspace>> {
        self.trees.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn tree(&self, tree: Tree) -> Keyspace {
        self.trees()[tree.position()].clone()
    }

    /// Puts a few entries into the memory of a tree; `false` if they must become a file.
    fn put_few(&self, tree: Tree, entries: &[(&[u8], &[u8])]) -> Result<bool, StoreError> {
        let trees = self.trees();
        if !self.worker.make_room(&self.database, &trees[tree.position()])? {
            return Ok(false);
        }
        let mut batch = self.database.batch();
        for (key, value) in entries {
            batch.insert(&trees[tree.position()], *key, *value);
        }
        batch.commit().map_err(|error| failed(&error))?;
        let bytes = entries.iter().map(|(key, value)| key.len() + value.len()).sum();
        self.worker.count((&self.database, &trees), tree, (entries.len(), bytes))?;
        Ok(true)
    }
}

fn open_trees(database: &Database) -> Result<Vec<Keyspace>, fjall::Error> {
    Tree::ALL.iter().map(|tree| database.keyspace(tree.name(), || options(*tree))).collect()
}

fn options(tree: Tree) -> KeyspaceCreateOptions {
    // Of files, which are large, the cache holds parts of indexes and filters: as a whole they are hundreds of kilobytes,
    // and one that had to be read again for each look-up would cost more than all else of it.
    let in_parts = || PartitioningPolicy::new([false, true]);
    let options = KeyspaceCreateOptions::default()
        .manual_journal_persist(true)
        .index_block_partitioning_policy(in_parts())
        .filter_block_partitioning_policy(in_parts())
        .max_memtable_size(u64::MAX)
        .compaction_strategy(Arc::new(
            Leveled::default()
                .with_l0_threshold(FILES_TO_MERGE)
                .with_table_target_size(MERGED_FILE_BYTES),
        ));
    let options = match tree {
        // Digests, which nothing makes shorter.
        Tree::Crown | Tree::Pages => {
            options.data_block_compression_policy(CompressionPolicy::disabled())
        }
        _ => options,
    };
    match tree {
        // What is not there is seldom looked up: the page above tells.
        Tree::Pages | Tree::Values => options.filter_policy(none_for_the_last()),
        // Of these no single keys are looked up.
        Tree::Crown | Tree::Records | Tree::Submissions | Tree::Search => {
            options.filter_policy(FilterPolicy::disabled())
        }
        _ => options,
    }
}

/// Filters as fjall has them, but for the last level: what was not in the others is there. Its filters would be nine tenths
/// of all. (fjall's own `expect_point_read_hits` takes those of new files, too.)
fn none_for_the_last() -> FilterPolicy {
    let bloom = |policy| FilterPolicyEntry::Bloom(policy);
    let newest = bloom(BloomConstructionPolicy::FalsePositiveRate(0.0001));
    let merged = bloom(BloomConstructionPolicy::BitsPerKey(10.0));
    // New files that came whole have the policy of level 1, where nothing is merged to before the others are full.
    let between = std::iter::repeat_n(merged, LEVELS - 3);
    let new = [newest, newest].into_iter();
    FilterPolicy::new(new.chain(between).chain([FilterPolicyEntry::None]).collect::<Vec<_>>())
}

const fn file_bytes(tree: Tree) -> usize {
    match tree {
        Tree::Blocks | Tree::Contents => ASCENDING_FILE_BYTES,
        _ => FILE_BYTES,
    }
}

impl std::fmt::Debug for FjallStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FjallStore").finish_non_exhaustive()
    }
}

fn failed(error: &fjall::Error) -> StoreError {
    use fjall::Error::{Io, KeyspaceDeleted, Locked, Poisoned, Storage};
    use io::ErrorKind::{InvalidData, UnexpectedEof};
    let what = error.to_string();
    match error {
        Poisoned => StoreError::Failed(
            "its worker has ended, and the log says why; if its files are damaged, they can be made again: see \"Checking \
             and rebuilding\" in docs/OPERATING.md"
                .to_owned(),
        ),
        // A file that is shorter than it was is damaged, too.
        Io(error) | Storage(LsmError::Io(error))
            if !matches!(error.kind(), InvalidData | UnexpectedEof) =>
        {
            StoreError::Failed(what)
        }
        Locked | KeyspaceDeleted => StoreError::Failed(what),
        _ => StoreError::Damaged(what),
    }
}

impl Store for FjallStore {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.tree(tree).get(key).map_err(|error| failed(&error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn put(&self, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.put_sorted(tree, &mut std::iter::once((key, value)))
    }

    fn put_sorted(&self, tree: Tree, entries: &mut Sorted<'_>) -> Result<(), StoreError> {
        let (mut first, mut bytes, of_file) = (Vec::new(), 0, file_bytes(tree));
        while bytes < of_file {
            let Some((key, value)) = entries.next() else { break };
            bytes += key.len() + value.len();
            first.push((key, value));
        }
        if bytes < of_file && (first.is_empty() || self.put_few(tree, &first)?) {
            return Ok(());
        }
        self.worker.ask(&self.database)?;
        let write = || {
            let keyspace = self.tree(tree);
            let mut file = keyspace.start_ingestion()?;
            first.into_iter().chain(entries).try_for_each(|(key, value)| file.write(key, value))?;
            file.finish()
        };
        write().map_err(|error| failed(&error))
    }

    fn scan(
        &self,
        tree: Tree,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        if to.is_some_and(|to| to <= from) {
            return Ok(Vec::new());
        }
        let to = to.map_or(Bound::Unbounded, Bound::Excluded);
        let found = self.tree(tree).range::<&[u8], _>((Bound::Included(from), to)).take(limit);
        entries(found)
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.database.persist(PersistMode::SyncAll).map_err(|error| failed(&error))
    }

    fn freeze(&self) -> Option<Box<dyn StoreView>> {
        let trees = self.trees().clone();
        Some(Box::new(FjallView { snapshot: self.database.snapshot(), trees }))
    }

    /// Not by fjall's `clear`: its journal does that again when it is opened, to files that came later, too.
    fn wipe(&self) -> Result<(), StoreError> {
        let mut trees = self.trees.write().unwrap_or_else(PoisonError::into_inner);
        let again = || {
            trees.iter().try_for_each(|tree| self.database.delete_keyspace(tree.clone()))?;
            open_trees(&self.database)
        };
        let again = again().map_err(|error| failed(&error))?;
        *trees = again;
        self.worker.begin(&self.database, &trees);
        self.flush()
    }
}

/// A snapshot of the whole database.
struct FjallView {
    snapshot: Snapshot,
    trees: Vec<Keyspace>,
}

impl StoreView for FjallView {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.snapshot.get(&self.trees[tree.position()], key);
        Ok(value.map_err(|error| failed(&error))?.map(|value| value.to_vec()))
    }

    fn scan(
        &self,
        tree: Tree,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        if to.is_some_and(|to| to <= from) {
            return Ok(Vec::new());
        }
        let to = to.map_or(Bound::Unbounded, Bound::Excluded);
        let tree = &self.trees[tree.position()];
        let found = self.snapshot.range::<&[u8], _>(tree, (Bound::Included(from), to)).take(limit);
        entries(found)
    }
}

fn entries(found: impl Iterator<Item = fjall::Guard>) -> Result<Vec<Entry>, StoreError> {
    found
        .map(|entry| entry.into_inner().map(|(key, value)| (key.to_vec(), value.to_vec())))
        .collect::<Result<_, _>>()
        .map_err(|error| failed(&error))
}
