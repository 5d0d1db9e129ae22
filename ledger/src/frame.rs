//! Frames: how bytes lie in an append-only file, so that a crash and damage are told apart.
//!
//! ```text
//! magic 4 | number u64 | length u32 | crc32 of the payload | crc32 of the 20 bytes before | payload
//! ```
//! Integers are big-endian; the CRC is that of IEEE 802.3. Frames of a file are numbered without gaps. A
//! frame is synced before the next one is written, so a crash can spoil the last frame only: a bad frame
//! with a good one after it is damage, and whatever follows must not be cut off.

use crate::{error::FileError, limits::LAST_FRAMES, storage::Storage};
use std::collections::BTreeSet;

/// Bytes before the payload.
pub(crate) const HEAD: usize = 24;

/// The frames of one kind of file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameKind {
    /// The first four bytes of each frame.
    pub(crate) magic: [u8; 4],
    /// Payload bytes of one frame.
    pub(crate) max: usize,
}

/// What a scan found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Where the last whole frame ends.
    pub(crate) end: u64,
    /// The number of the frame to be written there.
    pub(crate) next: u64,
    /// Bytes after it, which a crash left.
    pub(crate) torn: u64,
}

/// The first bytes of a frame.
#[derive(Debug, Clone, Copy)]
struct Head {
    number: u64,
    length: usize,
    checksum: u32,
}

impl FrameKind {
    /// The bytes of a frame.
    ///
    /// # Panics
    /// If the payload is longer than the kind allows: its writer has checked.
    pub(crate) fn encode(&self, number: u64, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::with_capacity(HEAD + payload.len());
        frame.resize(HEAD, 0);
        frame.extend_from_slice(payload);
        self.fill_head(number, &mut frame);
        frame
    }

    /// Makes a frame of a payload before which [`HEAD`] bytes are left.
    ///
    /// # Panics
    /// As [`FrameKind::encode`].
    pub(crate) fn fill_head(&self, number: u64, frame: &mut [u8]) {
        let (head, payload) = frame.split_first_chunk_mut::<HEAD>().expect("the head is left");
        assert!(payload.len() <= self.max, "the writer keeps the bound of its frames");
        let length = u32::try_from(payload.len()).expect("the bound of a frame fits");
        head[..4].copy_from_slice(&self.magic);
        head[4..12].copy_from_slice(&number.to_be_bytes());
        head[12..16].copy_from_slice(&length.to_be_bytes());
        head[16..20].copy_from_slice(&crc32fast::hash(payload).to_be_bytes());
        let check = crc32fast::hash(&head[..20]);
        head[20..].copy_from_slice(&check.to_be_bytes());
    }

    /// The payload of the frame at `offset`, which must have this number.
    ///
    /// # Errors
    /// [`FileError::Corrupt`] if it is not there whole.
    pub(crate) fn read(
        &self,
        storage: &dyn Storage,
        file: &str,
        offset: u64,
        number: u64,
    ) -> Result<Vec<u8>, FileError> {
        let length = storage.length(file).map_err(|e| FileError::io("measure", file, e))?;
        let missing = || FileError::corrupt(file, offset, format!("frame {number} is not whole"));
        let left = length.checked_sub(offset).ok_or_else(missing)?;
        if left < HEAD as u64 {
            return Err(missing());
        }
        let bytes = read(storage, file, offset, HEAD)?;
        let head = self.parse(&bytes).filter(|head| head.number == number);
        let head = head.filter(|head| (HEAD + head.length) as u64 <= left).ok_or_else(missing)?;
        let payload = read(storage, file, offset + HEAD as u64, head.length)?;
        if crc32fast::hash(&payload) == head.checksum {
            Ok(payload)
        } else {
            Err(FileError::corrupt(file, offset, format!("frame {number} has a wrong checksum")))
        }
    }

    /// Visits every frame of a file (number, offset, payload), whose first has the number `first`.
    ///
    /// # Errors
    /// [`FileError::Corrupt`] if a frame is bad that no crash can have left so; what `visit` returns.
    pub(crate) fn scan(
        &self,
        storage: &dyn Storage,
        file: &str,
        first: u64,
        visit: &mut dyn FnMut(u64, u64, Vec<u8>) -> Result<(), FileError>,
    ) -> Result<Scan, FileError> {
        let length = storage.length(file).map_err(|e| FileError::io("measure", file, e))?;
        let (mut end, mut next) = (0, first);
        while end < length {
            match self.read(storage, file, end, next) {
                Ok(payload) => {
                    let size = (HEAD + payload.len()) as u64;
                    visit(next, end, payload)?;
                    end += size;
                    next += 1;
                }
                Err(FileError::Corrupt { .. }) => {
                    self.check_torn(storage, file, end, next)?;
                    return Ok(Scan { end, next, torn: length - end });
                }
                Err(other) => return Err(other),
            }
        }
        Ok(Scan { end, next, torn: 0 })
    }

    /// Checks that what lies from `offset` can be the one frame that was being written in a crash.
    fn check_torn(
        &self,
        storage: &dyn Storage,
        file: &str,
        offset: u64,
        number: u64,
    ) -> Result<(), FileError> {
        let length = storage.length(file).map_err(|e| FileError::io("measure", file, e))?;
        let left = usize::try_from(length - offset).unwrap_or(usize::MAX);
        if left > HEAD + self.max {
            let what = format!("frame {number} is bad, and more follows than one frame holds");
            return Err(FileError::corrupt(file, offset, what));
        }
        let bytes = read(storage, file, offset, left)?;
        let damaged = match self.parse(&bytes) {
            // The head is whole, so the frame's end is known: nothing was ever written behind a torn one.
            Some(head) => head.number != number || HEAD + head.length < left,
            None => self.good_frames_follow(&bytes, number),
        };
        if damaged {
            let what = format!("frame {number} is bad, and others follow it");
            return Err(FileError::corrupt(file, offset, what));
        }
        Ok(())
    }

    /// Whether whole frames with numbers above `number` lie somewhere in `bytes` and reach exactly to
    /// their end. A submitter can put the bytes of a frame into a record, but not make them end the file.
    fn good_frames_follow(&self, bytes: &[u8], number: u64) -> bool {
        // Every position is walked at most once, and few sums are made, so crafted bytes cost little.
        let mut walked = BTreeSet::new();
        let mut sums = 0;
        for start in 1..bytes.len() {
            let mut at = start;
            while let Some(head) = bytes.get(at..).and_then(|rest| self.parse(rest)) {
                let to = at + HEAD + head.length;
                if head.number <= number || to > bytes.len() || !walked.insert(at) {
                    break;
                }
                if to == bytes.len() {
                    sums += 1;
                    let good = crc32fast::hash(&bytes[at + HEAD..to]) == head.checksum;
                    // Nobody's honest bytes have so many: let a person look before anything is cut.
                    if good || sums == LAST_FRAMES {
                        return true;
                    }
                }
                at = to;
            }
        }
        false
    }

    fn parse(&self, bytes: &[u8]) -> Option<Head> {
        let head = bytes.get(..HEAD)?;
        if head[..4] != self.magic {
            return None;
        }
        let word =
            |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let number = (u64::from(word(4)) << 32) | u64::from(word(8));
        let length = usize::try_from(word(12)).ok()?;
        let good = crc32fast::hash(&head[..20]) == word(20) && length <= self.max;
        good.then_some(Head { number, length, checksum: word(16) })
    }
}

fn read(storage: &dyn Storage, file: &str, at: u64, length: usize) -> Result<Vec<u8>, FileError> {
    storage.read(file, at, length).map_err(|error| FileError::io("read", file, error))
}

#[cfg(test)]
mod tests;
