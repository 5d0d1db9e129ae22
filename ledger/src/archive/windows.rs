//! Parts of archived segments that were read lately.
//!
//! A block is small and a request is slow, so what is asked for is a whole *window* of the file: neighbours are mostly read
//! next.

use super::{Archive, ArchivedSegment};
use crate::limits::{ARCHIVE_WINDOW_BYTES, ARCHIVE_WINDOWS};
use probata_types::Height;
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, PoisonError},
};

/// The windows that were used lately; the last one used is the first here.
#[derive(Default)]
pub(super) struct Windows(Mutex<VecDeque<Window>>);

struct Window {
    /// The first block of its segment, and its number there.
    key: (Height, u64),
    bytes: Arc<Vec<u8>>,
}

impl Windows {
    /// Bytes of a segment that it has.
    pub(super) fn read(
        &self,
        archive: &dyn Archive,
        segment: &ArchivedSegment,
        (offset, length): (u64, usize),
    ) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(length);
        let mut at = offset;
        while bytes.len() < length {
            let number = at / ARCHIVE_WINDOW_BYTES;
            let window = self.window(archive, segment, number)?;
            let skip = usize::try_from(at % ARCHIVE_WINDOW_BYTES).expect("a window is small");
            let part = &window[skip..];
            let part = &part[..part.len().min(length - bytes.len())];
            bytes.extend_from_slice(part);
            at += part.len() as u64;
        }
        Ok(bytes)
    }

    fn window(
        &self,
        archive: &dyn Archive,
        segment: &ArchivedSegment,
        number: u64,
    ) -> io::Result<Arc<Vec<u8>>> {
        let key = (segment.first, number);
        if let Some(bytes) = self.find(key) {
            return Ok(bytes);
        }
        let offset = number * ARCHIVE_WINDOW_BYTES;
        let length = (segment.bytes - offset).min(ARCHIVE_WINDOW_BYTES);
        let length = usize::try_from(length).expect("a window is small");
        // Not under the lock: whoever finds what is here does not wait for the archive.
        let bytes = archive.read(&segment.object, offset, length)?;
        if bytes.len() != length {
            let what = format!("{} bytes came, {length} were asked for", bytes.len());
            return Err(io::Error::other(what));
        }
        let bytes = Arc::new(bytes);
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows.push_front(Window { key, bytes: Arc::clone(&bytes) });
        windows.truncate(ARCHIVE_WINDOWS);
        Ok(bytes)
    }

    fn find(&self, key: (Height, u64)) -> Option<Arc<Vec<u8>>> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = windows.iter().position(|window| window.key == key)?;
        let window = windows.remove(at)?;
        let bytes = Arc::clone(&window.bytes);
        windows.push_front(window);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use probata_types::{Hash, Text};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// One object whose bytes follow from their places.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    fn byte(at: u64) -> u8 {
        u8::try_from((at ^ (at >> 9)) % 251).unwrap()
    }

    impl Archive for Counting {
        fn put(&self, _: &str, _: Vec<u8>) -> io::Result<()> {
            Ok(())
        }

        fn read(&self, _: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok((offset..).map(byte).take(length).collect())
        }
    }

    #[test]
    fn any_part_is_read_in_whole_windows_of_which_a_few_stay() {
        let (windows, archive) = (Windows::default(), Counting::default());
        let count = ARCHIVE_WINDOWS as u64 + 2;
        let bytes = (count - 1) * ARCHIVE_WINDOW_BYTES + 77;
        let segment = ArchivedSegment {
            object: Text::new("object").unwrap(),
            first: Height::new(1),
            last: Height::new(9),
            bytes,
            hash: Hash::ZERO,
        };
        let edge = ARCHIVE_WINDOW_BYTES;
        for (offset, length) in
            [(0, 5), (edge - 3, 9), (edge - 1, 1), (5, 2 * 1_024 * 1_024), (bytes - 80, 80)]
        {
            let read = windows.read(&archive, &segment, (offset, length)).unwrap();
            let expected: Vec<u8> = (offset..).map(byte).take(length).collect();
            assert!(read == expected, "{length} bytes from {offset}");
        }
        assert_eq!(
            archive.0.load(Ordering::Relaxed),
            5,
            "the first three and the last two, once each"
        );
        for number in 0..count {
            windows.read(&archive, &segment, (number * edge, 1)).unwrap();
        }
        assert_eq!(windows.0.lock().unwrap().len(), ARCHIVE_WINDOWS);
        let before = archive.0.load(Ordering::Relaxed);
        windows.read(&archive, &segment, ((count - 1) * edge, 1)).unwrap();
        assert_eq!(archive.0.load(Ordering::Relaxed), before, "the last one is still here");
        windows.read(&archive, &segment, (0, 1)).unwrap();
        assert_eq!(archive.0.load(Ordering::Relaxed), before + 1, "the first one is not");
    }
}
