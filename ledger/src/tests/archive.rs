//! Old segments in the archive: what is there is read from there, and what cannot be read is never denied.

use super::fsck::{changed, check_in};
use crate::{
    Archive, ArchivedStorage, FileError, FsckError, Ledger, LedgerError, MemoryStorage,
    MemoryStore, NoArchive, OpenError, Storage, Tree, fixtures::*,
};
use probata_types::{Height, SealedBlock, codec};
use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

mod crash;

/// Objects in memory, which can be out of reach.
#[derive(Default)]
pub(super) struct MemoryArchive {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    away: AtomicBool,
    requests: AtomicU64,
}

impl MemoryArchive {
    fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    /// Changes the object that begins with a block.
    fn change(&self, first: u64, change: impl Fn(&mut Vec<u8>)) {
        let name = format!("test/{}-", crate::log::file_name(Height::new(first)));
        let mut objects = self.objects.lock().unwrap();
        let (_, bytes) = objects.iter_mut().find(|(object, _)| object.starts_with(&name)).unwrap();
        change(bytes);
    }
}

impl Archive for MemoryArchive {
    fn put(&self, object: &str, bytes: Vec<u8>) -> io::Result<()> {
        self.objects.lock().unwrap().insert(object.to_owned(), bytes);
        Ok(())
    }

    fn read(&self, object: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        if self.away.load(Ordering::Relaxed) {
            return Err(io::Error::other("the cable is out"));
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        let objects = self.objects.lock().unwrap();
        let bytes = objects.get(object).ok_or(io::ErrorKind::NotFound)?;
        let at = usize::try_from(offset).unwrap();
        let part = bytes.get(at..at + length).ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(part.to_vec())
    }
}

const BLOCKS: u64 = 40;

/// A closed ledger of small segments.
pub(super) fn in_segments(blocks: u64) -> (Arc<MemoryStorage>, Arc<MemoryStore>) {
    let (storage, store, mut ledger) = grown(0);
    ledger.set_segment_bytes(4_000);
    grow(&mut ledger, blocks);
    ledger.close().unwrap();
    (storage, store)
}

pub(super) fn with_archive(
    disk: &Arc<impl Storage + 'static>,
    archive: &Arc<MemoryArchive>,
) -> Result<Arc<ArchivedStorage>, FileError> {
    ArchivedStorage::open(disk.clone(), archive.clone()).map(Arc::new)
}

/// Moves away whatever may go.
pub(super) fn archive_all(storage: &ArchivedStorage) -> Result<u64, FileError> {
    let movable = storage.movable()?;
    storage.put_away(&movable, "test/", &|_| ())?;
    Ok(storage.archived().last().map_or(0, |segment| segment.last.get()))
}

/// A ledger whose old segments are in the archive: the folder, the archive behind it, and what is derived.
struct Old {
    /// The folder before.
    files: BTreeMap<String, Vec<u8>>,
    blocks: Vec<SealedBlock>,
    disk: Arc<MemoryStorage>,
    archive: Arc<MemoryArchive>,
    storage: Arc<ArchivedStorage>,
    store: Arc<MemoryStore>,
    /// The last block that is in the archive.
    last: u64,
}

impl Old {
    fn new() -> Self {
        let (disk, store) = in_segments(BLOCKS);
        let reader = open(disk.clone(), store.clone()).reader();
        let block = |height| reader.block(Height::new(height)).unwrap().unwrap();
        let (files, blocks) = (disk.files(), (1..=BLOCKS).map(block).collect());
        let archive = Arc::new(MemoryArchive::default());
        let storage = with_archive(&disk, &archive).unwrap();
        let last = archive_all(&storage).unwrap();
        assert!(storage.archived().len() > 4, "{:?}", storage.archived());
        Self { files, blocks, disk, archive, storage, store, last }
    }

    fn open(&self) -> Ledger {
        open(self.storage.clone(), self.store.clone())
    }

    fn check(&self) -> crate::Report {
        let storage: Arc<dyn Storage> = self.storage.clone();
        check_in(&storage, &self.store).unwrap()
    }
}

fn is_archived(error: &LedgerError, height: u64) -> bool {
    let height = Height::new(height);
    matches!(error, LedgerError::File(FileError::Archived { first, last, .. }) if (*first..=*last).contains(&height))
}

#[test]
fn what_is_in_the_archive_is_read_from_there() {
    let old = Old::new();
    let names: Vec<String> = old.disk.files().into_keys().collect();
    assert_eq!(names.len(), 3, "the list and the two last segments are left: {names:?}");
    let mut ledger = old.open();
    let reader = ledger.reader();
    old.archive.requests.store(0, Ordering::Relaxed);
    for block in &old.blocks {
        let height = block.header.height;
        assert_eq!(reader.block(height).unwrap().as_ref(), Some(block));
        assert_eq!(reader.block_bytes(height).unwrap(), Some(codec::encode(block)));
        assert_eq!(reader.is_archived(height).unwrap(), height.get() <= old.last);
    }
    let requests = old.archive.requests.load(Ordering::Relaxed);
    assert_eq!(requests, old.storage.archived().len() as u64, "neighbours come with one request");
    grow(&mut ledger, BLOCKS + 5);
    ledger.close().unwrap();
    assert_eq!(old.open().head().height.get(), BLOCKS + 5);
}

#[test]
fn what_cannot_be_read_now_is_told_and_everything_else_goes_on() {
    let old = Old::new();
    old.archive.set_away(true);
    let again = with_archive(&old.disk, &old.archive).unwrap();
    let mut ledger = open(again, old.store.clone());
    let reader = ledger.reader();
    for block in &old.blocks {
        let height = block.header.height;
        let sealed = (block.header.clone(), block.seal.clone());
        assert_eq!(reader.sealed_header(height).unwrap(), Some(sealed));
        if height.get() < BLOCKS {
            reader.prove(&[], &[height]).unwrap();
        }
        for record in block.proposal.submissions.iter().flat_map(|one| one.record_ids()) {
            assert!(reader.record(record).unwrap().is_some(), "where it is stays known");
        }
        if height.get() > old.last {
            assert!(reader.block(height).unwrap().is_some());
            continue;
        }
        for error in [reader.block(height).unwrap_err(), reader.block_bytes(height).unwrap_err()] {
            assert!(is_archived(&error, height.get()), "{error}");
            assert!(error.to_string().contains("the cable is out"), "{error}");
        }
    }
    grow(&mut ledger, BLOCKS + 5);
    old.archive.set_away(false);
    assert_eq!(reader.block(Height::new(1)).unwrap().as_ref(), Some(&old.blocks[0]));
    drop((ledger, reader));
    // Who has no archive in its configuration is told what to set.
    let none = ArchivedStorage::open(old.disk.clone(), Arc::new(NoArchive)).unwrap();
    let reader = open(Arc::new(none), old.store.clone()).reader();
    let error = reader.block(Height::new(1)).unwrap_err();
    assert!(is_archived(&error, 1) && error.to_string().contains("set archive.url"), "{error}");
}

#[test]
fn deriving_everything_again_needs_the_archive_and_removes_nothing_without_it() {
    let old = Old::new();
    old.archive.set_away(true);
    // Damaged: the newest block's entry is gone.
    let damaged = changed(&old.store, |entries| {
        let at = entries.iter().rposition(|(tree, ..)| *tree == Tree::Blocks).unwrap();
        entries.remove(at);
    });
    let before = dump(&*damaged);
    let fresh = || with_archive(&old.disk, &old.archive).unwrap();
    let error = Ledger::open(setup(fresh(), damaged.clone())).map(drop).unwrap_err();
    assert!(matches!(&error, OpenError::Ledger(error) if is_archived(error, 1)), "{error}");
    assert!(dump(&*damaged) == before, "nothing was wiped");
    old.archive.set_away(false);
    open(fresh(), damaged.clone()).close().unwrap();
    assert!(dump(&*damaged) == dump(&*old.store));
}

#[test]
fn other_bytes_than_were_put_there_are_never_taken_for_a_block() {
    let old = Old::new();
    let length = old.storage.archived()[0].bytes;
    for at in (0..length).step_by(97) {
        let at = usize::try_from(at).unwrap();
        old.archive.change(1, |bytes| bytes[at] ^= 1);
        let reader =
            open(with_archive(&old.disk, &old.archive).unwrap(), old.store.clone()).reader();
        let last = old.storage.archived()[0].last.get();
        let errors = (1..=last).filter_map(|height| reader.block(Height::new(height)).err());
        let errors: Vec<LedgerError> = errors.collect();
        assert_eq!(errors.len(), 1, "byte {at}");
        assert!(matches!(errors[0], LedgerError::File(FileError::Corrupt { .. })), "{}", errors[0]);
        old.archive.change(1, |bytes| bytes[at] ^= 1);
    }
    // Frames whose sums are right, with something else in them.
    type Change = fn(&mut SealedBlock);
    let cases: [(&str, Change); 2] = [
        ("header is another one", |block| block.header.time = time(999)),
        ("submissions are not those", |block| {
            block.proposal.submissions.as_mut_slice()[0].signature.0[0] ^= 1;
        }),
    ];
    for (expected, change) in cases {
        let mut block = old.blocks[0].clone();
        change(&mut block);
        let forged = MemoryStorage::default();
        crate::log::write_segment(&forged, Height::new(1), &[codec::encode(&block)]).unwrap();
        let frame = &forged.files()["blocks-0000000000000001"];
        let whole = old.archive.objects.lock().unwrap().clone();
        old.archive.change(1, |bytes| bytes[..frame.len()].copy_from_slice(frame));
        let reader =
            open(with_archive(&old.disk, &old.archive).unwrap(), old.store.clone()).reader();
        let error = reader.block(Height::new(1)).unwrap_err().to_string();
        assert!(error.contains("holds another block 1") && error.contains(expected), "{error}");
        assert!(old.storage.bring_back(&|_| ()).is_err(), "what is wrong is not brought back");
        *old.archive.objects.lock().unwrap() = whole;
    }
}

#[test]
fn what_is_brought_back_is_what_was_there_to_the_last_byte() {
    let old = Old::new();
    assert!(old.check().is_clean());
    let moved = old.storage.bring_back(&|_| ()).unwrap();
    assert_eq!(moved.segments.last().unwrap().first, Height::new(1), "the first comes last");
    assert!(old.disk.files() == old.files && old.storage.archived().is_empty());
    // And goes again, to the same objects.
    let objects = old.archive.objects.lock().unwrap().clone();
    assert_eq!(archive_all(&old.storage).unwrap(), old.last);
    assert!(*old.archive.objects.lock().unwrap() == objects);
    assert!(old.check().is_clean());
}

#[test]
fn a_check_reads_through_the_archive_and_says_what_it_could_not_read() {
    let old = Old::new();
    let report = old.check();
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.from.get(), report.blocks, report.archived_to), (1, BLOCKS, None));
    assert_eq!((report.compared, report.skipped), (dump(&*old.store).len() as u64, 0));
    old.archive.set_away(true);
    let report = old.check();
    assert!(report.is_clean(), "{:?}", report.findings);
    let (from, head) = (Height::new(old.last + 1), Height::new(BLOCKS));
    assert_eq!((report.from, report.archived_to), (from, Some(Height::new(old.last))));
    assert_eq!((report.state_from, report.state_at), (None, Some(head)));
    assert_eq!((report.blocks, report.checked), (BLOCKS - old.last, head));
    assert!(report.skipped > 0);
    // Peaks of the history that are made whole by later blocks stand in both stores.
    assert_eq!(report.compared + report.skipped, dump(&*old.store).len() as u64);
    let lost: Arc<dyn Storage> = old.storage.clone();
    let error = check_in(&lost, &Arc::default()).unwrap_err();
    assert!(matches!(&error, FsckError::Ledger(error) if is_archived(error, old.last)), "{error}");
    // One object that is gone hides what is before it, and no more.
    old.archive.set_away(false);
    let second = old.storage.archived()[1].clone();
    old.archive.objects.lock().unwrap().remove(&second.object.to_string());
    let report = check_in(&lost, &old.store).unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.archived_to, Some(second.last));
}

#[test]
fn a_check_without_the_archive_finds_what_is_wrong_with_what_is_here() {
    let old = Old::new();
    old.archive.set_away(true);
    let storage: Arc<dyn Storage> = old.storage.clone();
    let all = dump(&*old.store);
    // A chain so short has no pages below the crown.
    let asked = |tree: &Tree| !matches!(tree, Tree::Meta | Tree::Pages);
    for tree in Tree::ALL.into_iter().filter(asked) {
        let last = all.iter().rposition(|(of, ..)| *of == tree).unwrap();
        // The newest entry of trees that are sorted by height; any other is of the state, or looked up.
        let wrong = changed(&old.store, |entries| match entries[last].2.last_mut() {
            Some(byte) => *byte ^= 1,
            None => entries[last].2.push(0),
        });
        let by_height = matches!(tree, Tree::Crown | Tree::Values | Tree::Blocks | Tree::Contents);
        let clean = check_in(&storage, &wrong).unwrap().is_clean();
        assert!(!clean || !by_height, "{}", tree.name());
    }
    old.archive.set_away(false);
    for at in [0, 30, 90] {
        let mut files = old.disk.files();
        files.get_mut("archive").unwrap()[at] ^= 1;
        let disk: Arc<MemoryStorage> = Arc::new(MemoryStorage::with_files(files));
        let damaged = with_archive(&disk, &old.archive).map(drop).unwrap_err();
        assert!(matches!(damaged, FileError::Corrupt { .. }), "{damaged}");
    }
}
