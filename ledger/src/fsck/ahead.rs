//! Reading ahead: one thread reads the log, many look at its blocks, and whoever asks gets them in order.
//!
//! The blocks go round: block number *i* is looked at by worker *i mod n*, and is taken from it in its turn. So they come
//! in one order, whatever the number of workers and however long each takes.

use super::block::Looked;
use crate::{
    error::{FileError, LedgerError},
    frame::HEAD,
    limits::{FSCK_AHEAD_BLOCKS, FSCK_AHEAD_BYTES},
    log::{BlockLog, Place},
};
use probata_types::{Height, ValidatorSet};
use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Condvar, Mutex, PoisonError, RwLock,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, Scope},
};

/// The blocks of a log, in order. When it is dropped, the threads end.
pub(super) struct Ahead {
    looked: Vec<Receiver<Result<Next, FileError>>>,
    turn: usize,
    budget: Arc<Budget>,
    set: Arc<RwLock<Arc<ValidatorSet>>>,
}

/// A block that was looked at.
pub(super) struct Next {
    pub(super) place: Place,
    pub(super) looked: Looked,
    /// Given back when the block is done with.
    _held: Held,
}

impl Next {
    /// Bytes of its frame.
    pub(super) fn bytes(&self) -> u64 {
        HEAD as u64 + u64::from(self.place.length)
    }
}

impl Ahead {
    /// Begins to read the log after a place. `set` is taken to seal the next blocks.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        (log, after): (&'scope BlockLog, Option<(Height, Place)>),
        workers: NonZeroUsize,
        set: ValidatorSet,
    ) -> Result<Self, LedgerError> {
        let budget = Arc::new(Budget::default());
        let set = Arc::new(RwLock::new(Arc::new(set)));
        let (mut frames, mut looked) = (Vec::new(), Vec::new());
        // From here on an error drops the ends of all channels, and the threads that were begun end.
        let spawn = |name: &str| thread::Builder::new().name(name.to_owned());
        for _ in 0..workers.get() {
            let (frame_in, frame_out) = sync_channel(FSCK_AHEAD_BLOCKS);
            let (looked_in, looked_out) = sync_channel(FSCK_AHEAD_BLOCKS);
            let set = Arc::clone(&set);
            let work = move || work(&frame_out, &looked_in, &set);
            spawn("fsck-look").spawn_scoped(scope, work).map_err(LedgerError::Thread)?;
            frames.push(frame_in);
            looked.push(looked_out);
        }
        let read = {
            let budget = Arc::clone(&budget);
            move || read(log, after, &frames, &budget)
        };
        spawn("fsck-read").spawn_scoped(scope, read).map_err(LedgerError::Thread)?;
        Ok(Self { looked, turn: 0, budget, set })
    }

    /// The next block; `None` at the end of the log, and after an error.
    pub(super) fn next(&mut self) -> Option<Result<Next, FileError>> {
        // A thread that panicked looks like the end here; its scope panics as well, so it is not taken for one.
        let next = self.looked[self.turn].recv().ok()?;
        self.turn = (self.turn + 1) % self.looked.len();
        Some(next)
    }

    /// Tells which set is likely to seal the blocks to come.
    pub(super) fn expect_set(&self, set: &ValidatorSet) {
        let known = Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner));
        if *known != *set {
            *self.set.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set.clone());
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.budget.close();
    }
}

type Frame = Result<(Place, Vec<u8>, Held), FileError>;

/// Reads until the end, an error, or until nobody listens.
fn read(
    log: &BlockLog,
    after: Option<(Height, Place)>,
    frames: &[SyncSender<Frame>],
    budget: &Arc<Budget>,
) {
    let mut last = after;
    for to in frames.iter().cycle() {
        let frame = match log.next(last) {
            Ok(None) => return,
            Ok(Some((place, bytes))) => {
                let height = last.map_or(log.first(), |(height, _)| height.next());
                last = Some((height, place));
                let Some(held) = budget.hold(bytes.len()) else { return };
                Ok((place, bytes, held))
            }
            Err(error) => Err(error),
        };
        let failed = frame.is_err();
        if to.send(frame).is_err() || failed {
            return;
        }
    }
}

fn work(
    frames: &Receiver<Frame>,
    looked: &SyncSender<Result<Next, FileError>>,
    set: &RwLock<Arc<ValidatorSet>>,
) {
    for frame in frames {
        let next = frame.and_then(|(place, bytes, held)| {
            let set = Arc::clone(&set.read().unwrap_or_else(PoisonError::into_inner));
            Ok(Next { place, looked: Looked::at(place, &bytes, set)?, _held: held })
        });
        if looked.send(next).is_err() {
            return;
        }
    }
}

/// Bytes of blocks that were read and are not done with.
#[derive(Default)]
struct Budget {
    held: Mutex<HeldBytes>,
    changed: Condvar,
}

#[derive(Default)]
struct HeldBytes {
    bytes: usize,
    closed: bool,
}

impl Budget {
    /// Waits until so many bytes are free, or none is held; `None` once it is closed.
    fn hold(self: &Arc<Self>, bytes: usize) -> Option<Held> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        while !held.closed && held.bytes > 0 && held.bytes + bytes > FSCK_AHEAD_BYTES {
            held = self.changed.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
        if held.closed {
            return None;
        }
        held.bytes += bytes;
        Some(Held { budget: Arc::clone(self), bytes })
    }

    fn close(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_all();
    }
}

/// A part of the budget.
struct Held {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.held.lock().unwrap_or_else(PoisonError::into_inner).bytes -= self.bytes;
        self.budget.changed.notify_all();
    }
}
