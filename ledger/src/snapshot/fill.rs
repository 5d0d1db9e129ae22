//! Filling a store with the chunks of a snapshot: some at a time, so that the store gets few large files and not many small
//! ones that it would merge again and again, and on several threads, since checking them is most of the work.

use super::{Chunk, Manifest, SnapshotError, SnapshotFiles};
use crate::{
    limits::{RESTORE_BYTES, RESTORE_WORKERS},
    store::Store,
    tree::Node,
};
use probata_types::{Hash, Suite};
use std::{
    num::NonZeroUsize,
    ops::Range,
    sync::{
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

/// What is filled, and from what.
pub(super) struct Filling<'a> {
    pub(super) suite: Suite,
    pub(super) manifest: &'a Manifest,
    /// The lowest key of each chunk.
    pub(super) starts: &'a [Hash],
    pub(super) from: &'a SnapshotFiles,
    pub(super) store: &'a dyn Store,
}

/// The nodes of some chunks, from the first of these on.
type Filled = (usize, Vec<(u8, Node)>);

impl Filling<'_> {
    /// Puts all chunks into the store, each checked; gives their nodes, in order.
    ///
    /// # Errors
    /// [`SnapshotError`]: a chunk that does not hold, or a disk that fails.
    pub(super) fn run(
        &self,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Vec<(u8, Node)>, SnapshotError> {
        let of = self.starts.len();
        let (parts, next) = (self.parts(), AtomicUsize::new(0));
        let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let workers = workers.min(RESTORE_WORKERS);
        let (filled, results) = sync_channel(workers);
        let mut nodes = vec![(0, Node::Empty); of];
        thread::scope(|scope| {
            let (parts, next) = (&parts, &next);
            let begin = |_| {
                let filled = filled.clone();
                scope.spawn(move || self.work(parts, next, &filled))
            };
            let workers: Vec<_> = (0..workers).map(begin).collect();
            drop(filled);
            let mut done = 0;
            for (first, some) in results {
                done += some.len();
                nodes[first..first + some.len()].copy_from_slice(&some);
                progress(done, of);
            }
            workers.into_iter().try_for_each(|worker| match worker.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })?;
        Ok(nodes)
    }

    /// Neighbours that are put at once.
    fn parts(&self) -> Vec<Range<usize>> {
        let (mut parts, mut first, mut bytes) = (Vec::new(), 0, 0);
        for (index, head) in self.manifest.chunks.iter().enumerate() {
            bytes += head.bytes as usize;
            if bytes >= RESTORE_BYTES || index + 1 == self.starts.len() {
                parts.push(first..index + 1);
                (first, bytes) = (index + 1, 0);
            }
        }
        parts
    }

    /// Takes the next part, again and again, until there is none or something is wrong.
    fn work(
        &self,
        parts: &[Range<usize>],
        next: &AtomicUsize,
        filled: &SyncSender<Filled>,
    ) -> Result<(), SnapshotError> {
        while let Some(part) = parts.get(next.fetch_add(1, Relaxed)) {
            match self.fill(part.clone()) {
                Ok(nodes) => filled.send((part.start, nodes)).expect("it is received to the end"),
                Err(error) => {
                    // The others end with what they have begun.
                    next.store(parts.len(), Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn fill(&self, part: Range<usize>) -> Result<Vec<(u8, Node)>, SnapshotError> {
        let bytes = part.clone().map(|index| self.from.chunk(index));
        let bytes: Vec<Vec<u8>> = bytes.collect::<Result<_, _>>()?;
        let chunks = part.zip(&bytes).map(|(index, bytes)| {
            let (head, start) = (&self.manifest.chunks[index], &self.starts[index]);
            Chunk::read(self.suite, (index, head, start), bytes)
        });
        let chunks: Vec<Chunk<'_>> = chunks.collect::<Result<_, _>>()?;
        Chunk::put_all(&chunks, self.store)?;
        Ok(chunks.iter().map(|chunk| (chunk.nibbles, chunk.node)).collect())
    }
}
