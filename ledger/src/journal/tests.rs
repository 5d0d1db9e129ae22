use super::*;
use crate::storage::MemoryStorage;

fn open(storage: &Arc<MemoryStorage>) -> (Journal, Vec<Vec<u8>>) {
    Journal::open(Arc::clone(storage) as Arc<dyn Storage>).unwrap()
}

/// A journal of three synced groups; gives the length after each.
fn filled() -> (Arc<MemoryStorage>, Vec<usize>) {
    let storage = Arc::new(MemoryStorage::default());
    let (mut journal, _) = open(&storage);
    let mut lengths = vec![0];
    for group in 0..3u8 {
        for record in 0..=group {
            journal.append(&[group, record, 7]).unwrap();
        }
        journal.sync().unwrap();
        lengths.push(storage.files()[FILE].len());
    }
    (storage, lengths)
}

fn records(groups: u8) -> Vec<Vec<u8>> {
    (0..groups).flat_map(|group| (0..=group).map(move |record| vec![group, record, 7])).collect()
}

fn with(bytes: &[u8]) -> Arc<MemoryStorage> {
    Arc::new(MemoryStorage::with_files([(FILE.to_owned(), bytes.to_vec())].into()))
}

#[test]
fn what_was_synced_is_there_again_and_what_was_not_is_not() {
    let (storage, _) = filled();
    let (mut journal, found) = open(&storage);
    assert_eq!(found, records(3));
    assert!(!journal.is_new());
    journal.append(b"never synced").unwrap();
    drop(journal);
    assert_eq!(open(&storage).1, records(3));
    let (journal, found) = open(&Arc::new(MemoryStorage::default()));
    assert!(journal.is_new() && found.is_empty());
}

#[test]
fn a_sync_of_nothing_writes_nothing_and_empty_records_count() {
    let storage = Arc::new(MemoryStorage::default());
    let (mut journal, _) = open(&storage);
    journal.sync().unwrap();
    assert!(storage.files().is_empty());
    journal.append(b"").unwrap();
    journal.sync().unwrap();
    assert_eq!(open(&storage).1, [b""]);
}

#[test]
fn a_torn_tail_is_cut_at_every_byte_and_writing_goes_on() {
    let (storage, lengths) = filled();
    let bytes = &storage.files()[FILE];
    for cut in 0..bytes.len() {
        let torn = with(&bytes[..cut]);
        let (mut journal, found) = open(&torn);
        let whole = lengths.iter().filter(|length| **length <= cut).count() - 1;
        assert_eq!(found, records(u8::try_from(whole).unwrap()), "cut at {cut}");
        journal.append(b"after").unwrap();
        journal.sync().unwrap();
        assert_eq!(open(&torn).1.last().unwrap(), b"after");
    }
}

/// Emptied, overwritten, or cut within its first frame: what it held is lost, and it says so.
#[test]
fn a_journal_without_a_whole_frame_is_as_good_as_none() {
    let (storage, lengths) = filled();
    let bytes = storage.files()[FILE].clone();
    for spoilt in [&[][..], &[0x5a; 4_096], &bytes[..lengths[1] - 1]] {
        let (journal, found) = open(&with(spoilt));
        assert!(journal.is_new() && found.is_empty(), "{} bytes", spoilt.len());
    }
    let (journal, found) = open(&with(&bytes[..lengths[1]]));
    assert!(!journal.is_new() && found == records(1));
}

#[test]
fn damage_before_the_last_frame_is_told_apart_at_every_bit() {
    let (storage, lengths) = filled();
    let bytes = &storage.files()[FILE];
    for at in 0..lengths[2] {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            let error = Journal::open(with(&damaged)).map(|_| ()).unwrap_err();
            let begins = lengths.iter().rev().find(|length| **length <= at).unwrap();
            let FileError::Corrupt { file, offset, .. } = error else { panic!("{error}") };
            assert_eq!((file.as_str(), offset), (FILE, *begins as u64), "bit {bit} of {at}");
        }
    }
}

#[test]
fn a_rewrite_replaces_everything() {
    let (storage, _) = filled();
    let (mut journal, _) = open(&storage);
    journal.append(b"taken, not written").unwrap();
    journal.rewrite(vec![b"one".to_vec(), b"two".to_vec()]).unwrap();
    journal.append(b"three").unwrap();
    journal.sync().unwrap();
    assert_eq!(open(&storage).1, [b"one".as_slice(), b"two", b"three"]);
    journal.rewrite(Vec::new()).unwrap();
    let (journal, found) = open(&storage);
    assert!(found.is_empty() && !journal.is_new());
}

#[test]
fn a_rewrite_that_did_not_come_to_its_rename_is_forgotten() {
    let (storage, _) = filled();
    storage.append(NEW_FILE, b"half a frame").unwrap();
    assert_eq!(open(&storage).1, records(3));
    assert!(!storage.files().contains_key(NEW_FILE));
}

#[test]
fn too_much_is_refused_before_anything_is_written() {
    let storage = Arc::new(MemoryStorage::default());
    let (mut journal, _) = open(&storage);
    let long = vec![0; JOURNAL_FRAME_BYTES];
    assert!(matches!(journal.append(&long), Err(FileError::TooLong { .. })));
    assert!(matches!(journal.rewrite(vec![long]), Err(FileError::TooLong { .. })));
    journal.append(b"still good").unwrap();
    journal.sync().unwrap();
    assert_eq!(open(&storage).1, [b"still good"]);
}

#[test]
fn frames_that_do_not_hold_records_are_damage() {
    let error = Journal::open(with(&FRAMES.encode(0, &[0, 0, 0, 9, 1]))).map(|_| ()).unwrap_err();
    assert!(matches!(error, FileError::Corrupt { offset: 0, .. }));
}
