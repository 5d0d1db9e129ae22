//! Keep the frames that wait for one peer on one lane.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::limits::mesh::OUTBOX_FRAMES;

/// A queue with two bounds, frames and bytes. It takes frames only while its peer is connected, so
/// nothing stale waits for a peer's return, and makes room by dropping the oldest.
#[derive(Debug)]
pub(crate) struct Outbox {
    inner: Mutex<Inner>,
    filled: Notify,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct Inner {
    open: bool,
    frames: VecDeque<Arc<[u8]>>,
    bytes: usize,
}

/// The peer is not connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

/// Frames that will not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Dropped {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
}

impl Dropped {
    fn add(&mut self, frame: &[u8]) {
        self.frames += 1;
        self.bytes += frame.len() as u64;
    }
}

impl Outbox {
    /// A closed queue of at most `max_bytes`.
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { inner: Mutex::default(), filled: Notify::new(), max_bytes }
    }

    /// The peer is there: take frames.
    pub(crate) fn open(&self) {
        self.lock().open = true;
    }

    /// The peer is gone: take no frames, and drop those that wait.
    pub(crate) fn close(&self) -> Dropped {
        let mut inner = self.lock();
        inner.open = false;
        let mut dropped = Dropped::default();
        while let Some(frame) = inner.take_oldest() {
            dropped.add(&frame);
        }
        dropped
    }

    /// Adds a frame, and drops the oldest as long as there is no room. Never waits.
    ///
    /// # Errors
    /// [`Closed`] when the peer is not connected; the frame is not kept.
    pub(crate) fn push(&self, frame: Arc<[u8]>) -> Result<Dropped, Closed> {
        assert!(frame.len() <= self.max_bytes, "a frame was checked against its lane's limit");
        let mut inner = self.lock();
        if !inner.open {
            return Err(Closed);
        }
        let mut dropped = Dropped::default();
        while inner.frames.len() >= OUTBOX_FRAMES || inner.bytes + frame.len() > self.max_bytes {
            let oldest = inner.take_oldest().expect("an empty queue has room for any frame");
            dropped.add(&oldest);
        }
        inner.bytes += frame.len();
        inner.frames.push_back(frame);
        drop(inner);
        self.filled.notify_one();
        Ok(dropped)
    }

    /// Takes the oldest frame, waiting for one. Cancelling it loses nothing. One task may wait.
    pub(crate) async fn pop(&self) -> Arc<[u8]> {
        loop {
            let oldest = self.lock().take_oldest();
            match oldest {
                Some(frame) => return frame,
                None => self.filled.notified().await,
            }
        }
    }

    /// Frames and bytes that wait.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.frames.len(), inner.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds the lock half-changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn take_oldest(&mut self) -> Option<Arc<[u8]>> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.len();
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(fill: u8, length: usize) -> Arc<[u8]> {
        vec![fill; length].into()
    }

    #[tokio::test]
    async fn bytes_are_bounded_and_the_oldest_gives_way() {
        let outbox = Outbox::new(100);
        outbox.open();
        assert_eq!(outbox.push(frame(1, 40)), Ok(Dropped::default()));
        assert_eq!(outbox.push(frame(2, 40)), Ok(Dropped::default()));
        assert_eq!(outbox.push(frame(3, 90)), Ok(Dropped { frames: 2, bytes: 80 }));
        assert_eq!(outbox.depth(), (1, 90));
        assert_eq!(outbox.pop().await[0], 3);
        assert_eq!(outbox.depth(), (0, 0));
    }

    #[tokio::test]
    async fn frames_are_bounded_and_the_oldest_gives_way() {
        let outbox = Outbox::new(1 << 20);
        outbox.open();
        for i in 0..OUTBOX_FRAMES {
            assert_eq!(outbox.push(frame(u8::from(i > 0), 1)), Ok(Dropped::default()));
        }
        assert_eq!(outbox.push(frame(2, 1)), Ok(Dropped { frames: 1, bytes: 1 }));
        assert_eq!(outbox.depth(), (OUTBOX_FRAMES, OUTBOX_FRAMES));
        assert_eq!(outbox.pop().await[0], 1);
    }

    #[test]
    fn a_closed_queue_takes_nothing_and_keeps_nothing() {
        let outbox = Outbox::new(100);
        assert_eq!(outbox.push(frame(1, 1)), Err(Closed));
        outbox.open();
        outbox.push(frame(1, 7)).unwrap();
        assert_eq!(outbox.close(), Dropped { frames: 1, bytes: 7 });
        assert_eq!(outbox.push(frame(1, 1)), Err(Closed));
        assert_eq!(outbox.depth(), (0, 0));
    }

    #[tokio::test]
    async fn a_waiting_reader_gets_what_is_pushed() {
        let outbox = Arc::new(Outbox::new(100));
        outbox.open();
        let reader = tokio::spawn({
            let outbox = Arc::clone(&outbox);
            async move { (outbox.pop().await, outbox.pop().await) }
        });
        tokio::task::yield_now().await;
        outbox.push(frame(1, 1)).unwrap();
        outbox.push(frame(2, 1)).unwrap();
        let (first, second) = reader.await.unwrap();
        assert_eq!((first[0], second[0]), (1, 2));
    }
}
