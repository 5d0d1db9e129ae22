//! Moving segments, cut short at every step: by a disk that dies, and by an archive that fails or lies.

use super::{BLOCKS, MemoryArchive, archive_all, in_segments, with_archive};
use crate::{
    Archive, ArchivedStorage, FileError, MemoryStorage, Storage, fixtures::*, tests::crash::Handle,
};
use probata_types::Height;
use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

type Files = BTreeMap<String, Vec<u8>>;

/// A disk with these files, synced, that dies after so many operations.
fn disk_of(files: &Files, operations: u64) -> Arc<Handle> {
    let disk = Handle::new(u64::MAX);
    for (name, bytes) in files {
        disk.append(name, bytes).unwrap();
        Storage::sync(&disk, name).unwrap();
    }
    disk.sync_folder().unwrap();
    disk.allow(operations);
    Arc::new(disk)
}

/// Does something on a disk that dies at each of its operations in turn, and shows each time what is left.
fn at_every_step(
    files: &Files,
    archive: &Arc<MemoryArchive>,
    act: impl Fn(&ArchivedStorage) -> Result<(), FileError>,
    left: impl Fn(Arc<MemoryStorage>),
) -> u64 {
    for operations in 0.. {
        let disk = disk_of(files, operations);
        let done = with_archive(&disk, archive).and_then(|storage| act(&storage));
        for luck in 1..=6 {
            left(disk.survivors(operations * 31 + luck).0);
        }
        if done.is_ok() {
            return operations;
        }
    }
    unreachable!("it ends")
}

#[test]
fn wherever_moving_ends_every_block_is_there_and_it_goes_on() {
    let (disk, store) = in_segments(BLOCKS);
    let (whole, archive) = (disk.files(), Arc::new(MemoryArchive::default()));
    let reader = open(disk, store.clone()).reader();
    let holds = |storage: &Arc<ArchivedStorage>| {
        let left = open(storage.clone(), store.clone()).reader();
        for height in (1..=BLOCKS).map(Height::new) {
            assert_eq!(left.block(height).unwrap(), reader.block(height).unwrap());
        }
    };
    let away = |storage: &ArchivedStorage| archive_all(storage).map(drop);
    let steps = at_every_step(&whole, &archive, away, |left| {
        let storage = with_archive(&left, &archive).unwrap();
        holds(&storage);
        archive_all(&storage).unwrap();
        assert_eq!(left.files().len(), 3, "the list and two segments: {:?}", left.files().keys());
        holds(&storage);
        storage.bring_back(&|_| ()).unwrap();
        assert!(left.files() == whole);
    });
    assert!(steps > 20, "{steps} operations");

    let folder = Arc::new(MemoryStorage::with_files(whole.clone()));
    archive_all(&with_archive(&folder, &archive).unwrap()).unwrap();
    let back = |storage: &ArchivedStorage| storage.bring_back(&|_| ()).map(drop);
    let steps = at_every_step(&folder.files(), &archive, back, |left| {
        let storage = with_archive(&left, &archive).unwrap();
        holds(&storage);
        storage.bring_back(&|_| ()).unwrap();
        assert!(left.files() == whole, "byte for byte");
        holds(&storage);
    });
    assert!(steps > 20, "{steps} operations");
}

/// An archive that does one thing wrong, at a request that is drawn.
struct Liar {
    inner: Arc<MemoryArchive>,
    left: AtomicU64,
    wrong: fn(&MemoryArchive, &str, Vec<u8>) -> io::Result<()>,
}

impl Archive for Liar {
    fn put(&self, object: &str, bytes: Vec<u8>) -> io::Result<()> {
        match self.left.fetch_sub(1, Ordering::Relaxed) {
            0 => (self.wrong)(&self.inner, object, bytes),
            _ => self.inner.put(object, bytes),
        }
    }

    fn read(&self, object: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.inner.read(object, offset, length)
    }
}

#[test]
fn a_segment_stays_until_the_archive_has_given_all_of_it_back() {
    type Wrong = fn(&MemoryArchive, &str, Vec<u8>) -> io::Result<()>;
    let wrongs: [Wrong; 4] = [
        |_, _, _| Err(io::Error::other("no room")),
        // It says that it has it.
        |_, _, _| Ok(()),
        |inner, object, bytes| inner.put(object, bytes[..bytes.len() - 1].to_vec()),
        |inner, object, mut bytes| {
            bytes[30] ^= 1;
            inner.put(object, bytes)
        },
    ];
    let (disk, _) = in_segments(BLOCKS);
    let whole = disk.files();
    for wrong in wrongs {
        for puts in 0..4 {
            let folder = Arc::new(MemoryStorage::with_files(whole.clone()));
            let inner = Arc::new(MemoryArchive::default());
            let liar = Liar { inner: inner.clone(), left: AtomicU64::new(puts), wrong };
            let storage = ArchivedStorage::open(folder.clone(), Arc::new(liar)).unwrap();
            archive_all(&storage).unwrap_err();
            assert_eq!(storage.archived().len() as u64, puts);
            let gone = whole.keys().filter(|name| !folder.files().contains_key(*name)).count();
            assert_eq!(gone as u64, puts, "what is not safe there stays here");
            // Once the archive is well again, it goes on.
            let storage = with_archive(&folder, &inner).unwrap();
            archive_all(&storage).unwrap();
            storage.bring_back(&|_| ()).unwrap();
            assert!(folder.files() == whole);
        }
    }
}

#[test]
fn a_damaged_segment_does_not_go() {
    let (disk, _) = in_segments(BLOCKS);
    let mut files = disk.files();
    files.get_mut("blocks-0000000000000001").unwrap()[40] ^= 1;
    let folder = Arc::new(MemoryStorage::with_files(files.clone()));
    let archive = Arc::new(MemoryArchive::default());
    let error = archive_all(&with_archive(&folder, &archive).unwrap()).unwrap_err();
    assert!(matches!(error, FileError::Corrupt { .. }), "{error}");
    assert!(folder.files() == files && archive.objects.lock().unwrap().is_empty());
}
