//! What fjall's worker is asked for, so that it never stands still.
//!
//! The worker takes what it is to do from a queue of 1,000. Of its own accord fjall queues a request for every entry above
//! what a tree may have in memory, and to do that the worker queues another: where there is no room for it then, it waits
//! for ever for itself, and everybody who writes waits with it, soon or late. (fjall 3.1.13, `inner_rotate_memtable`.) So here
//! fjall is told that a tree may have any number of entries in memory and in the journal; when those are to become files is
//! said by who writes. The queue holds a part of what it has room for, at most. Nor is anybody left to fjall's own waiting, which
//! has no end where the worker has ended.

use super::{JOURNAL_BYTES, MEMTABLE_BYTES, failed};
use crate::store::{StoreError, Tree};
use fjall::{AbstractTree as _, Database, Keyspace, PersistMode};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::Duration,
};

/// Requests that the worker may have before it. Those for trees that were wiped are not counted and may be as many again.
const REQUESTS: u64 = 256;
/// Lots of entries that a tree has in memory beside the newest one; fjall waits from 4 on.
const LOTS: usize = 3;
/// Files of a tree above its merged ones, from which on nothing more goes to its memory; fjall waits from 30 on.
const FILES: usize = 20;
/// How long to wait before looking again whether it has done one.
const LOOK: Duration = Duration::from_millis(10);
/// Looks after which a worker that has done nothing is given up: ten minutes, in which it would merge gigabytes.
const LOOKS: u32 = 60_000;
/// Bytes of an entry in memory besides its key and value.
const ENTRY_BYTES: u64 = 64;

/// What the worker was asked for and is to be asked for next.
#[derive(Debug)]
pub(super) struct Worker {
    /// Merges that were asked for.
    asked: AtomicU64,
    /// Bytes of entries in memory, by tree.
    in_memory: [AtomicU64; Tree::ALL.len()],
    /// Bytes of entries in the journal.
    in_journal: AtomicU64,
}

impl Worker {
    /// Of a database that was opened: what the last process left in the journal is in memory again.
    pub(super) fn of(database: &Database, trees: &[Keyspace]) -> Self {
        let in_memory = std::array::from_fn(|_| AtomicU64::new(0));
        let worker = Self { asked: AtomicU64::new(0), in_memory, in_journal: AtomicU64::new(0) };
        worker.begin(database, trees);
        worker
    }

    /// Forgets what was asked for: these are the trees now.
    pub(super) fn begin(&self, database: &Database, trees: &[Keyspace]) {
        self.asked.store(database.compactions_completed() as u64, Relaxed);
        self.in_journal.store(0, Relaxed);
        for (bytes, tree) in self.in_memory.iter().zip(trees) {
            let size = tree.tree.active_memtable().size();
            bytes.store(size, Relaxed);
            self.in_journal.fetch_add(size, Relaxed);
        }
    }

    /// Waits for room for one more request, which is then counted: a new file.
    pub(super) fn ask(&self, database: &Database) -> Result<(), StoreError> {
        wait(database, |done| self.asked.load(Relaxed).saturating_sub(done) < REQUESTS)?;
        self.asked.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Waits until a tree may have more in memory; `false` if that has too many files for it.
    pub(super) fn make_room(
        &self,
        database: &Database,
        tree: &Keyspace,
    ) -> Result<bool, StoreError> {
        wait(database, |_| tree.sealed_memtable_count() <= LOTS)?;
        Ok(tree.l0_table_count() < FILES)
    }

    /// Counts entries that went to the memory of a tree, and has files made of those that are too many.
    pub(super) fn count(
        &self,
        (database, trees): (&Database, &[Keyspace]),
        tree: Tree,
        (entries, bytes): (usize, usize),
    ) -> Result<(), StoreError> {
        let bytes = bytes as u64 + entries as u64 * ENTRY_BYTES;
        let in_journal = self.in_journal.fetch_add(bytes, Relaxed) + bytes;
        let in_memory = self.in_memory[tree.position()].fetch_add(bytes, Relaxed) + bytes;
        // The journal is let go as far as no tree has entries of it in memory.
        if in_journal >= JOURNAL_BYTES {
            self.in_journal.store(0, Relaxed);
            return Tree::ALL.iter().try_for_each(|tree| self.write((database, trees), *tree));
        }
        if in_memory >= MEMTABLE_BYTES {
            return self.write((database, trees), tree);
        }
        Ok(())
    }

    /// Has what a tree has in memory written as a file.
    fn write(
        &self,
        (database, trees): (&Database, &[Keyspace]),
        tree: Tree,
    ) -> Result<(), StoreError> {
        self.in_memory[tree.position()].store(0, Relaxed);
        self.ask(database)?;
        let asked = trees[tree.position()].rotate_memtable().map_err(|error| failed(&error))?;
        if !asked {
            // There was nothing to write.
            self.asked.fetch_sub(1, Relaxed);
        }
        Ok(())
    }
}

/// Waits until something is so, given how many merges the worker has done; an error if it has ended, or does none for long.
fn wait(database: &Database, is_so: impl Fn(u64) -> bool) -> Result<(), StoreError> {
    let (mut done, mut looks) = (database.compactions_completed(), 0);
    while !is_so(done as u64) {
        // Writing what is in its buffer: a worker that has ended has marked the database.
        database.persist(PersistMode::Buffer).map_err(|error| failed(&error))?;
        if looks == LOOKS {
            let what = "its files have not been merged for ten minutes; start the node again";
            return Err(StoreError::Failed(what.to_owned()));
        }
        thread::sleep(LOOK);
        let now = database.compactions_completed();
        looks = if now == done { looks + 1 } else { 0 };
        done = now;
    }
    Ok(())
}
