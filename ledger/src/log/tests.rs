use super::*;
use crate::storage::MemoryStorage;

const FIRST: Height = Height::new(1);

fn open(storage: &Arc<MemoryStorage>) -> BlockLog {
    let mut log =
        BlockLog::open(Arc::clone(storage) as Arc<dyn Storage>, FIRST, Arc::default()).unwrap();
    log.set_segment_bytes(100);
    log
}

/// What stands for the block of a height.
fn bytes(height: u64) -> Vec<u8> {
    vec![u8::try_from(height).unwrap(); 20 + usize::try_from(height % 7).unwrap()]
}

fn filled(blocks: u64) -> Arc<MemoryStorage> {
    let storage = Arc::new(MemoryStorage::default());
    let mut log = open(&storage);
    for height in 1..=blocks {
        log.append(Height::new(height), &bytes(height)).unwrap();
    }
    storage
}

/// All blocks, one after the other.
fn walk(log: &BlockLog) -> Result<Vec<Vec<u8>>, FileError> {
    let (mut blocks, mut last) = (Vec::new(), None);
    while let Some((place, block)) = log.next(last)? {
        blocks.push(block);
        last = Some((Height::new(blocks.len() as u64), place));
    }
    Ok(blocks)
}

#[test]
fn blocks_come_back_from_many_segments_and_at_their_places() {
    let storage = filled(20);
    assert!(storage.files().len() > 5);
    let log = open(&storage);
    assert_eq!(log.height(), Height::new(20));
    let expected: Vec<_> = (1..=20).map(bytes).collect();
    assert_eq!(walk(&log).unwrap(), expected);
    let mut log = open(&storage);
    let place = log.append(Height::new(21), &bytes(21)).unwrap();
    assert_eq!(read(&*storage, Height::new(21), place).unwrap(), bytes(21));
    assert!(read(&*storage, Height::new(20), place).is_err());
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_and_written_again() {
    let storage = filled(20);
    let file = storage.files().keys().last().unwrap().clone();
    let whole = storage.files()[&file].clone();
    let first: u64 = file[PREFIX.len()..].parse().unwrap();
    for cut in 0..whole.len() {
        let mut files = storage.files();
        files.insert(file.clone(), whole[..cut].to_vec());
        let torn = Arc::new(MemoryStorage::with_files(files));
        let mut log = open(&torn);
        assert!((first - 1..20).contains(&log.height().get()), "cut at {cut}");
        for height in log.height().get() + 1..=20 {
            log.append(Height::new(height), &bytes(height)).unwrap();
        }
        assert_eq!(torn.files(), storage.files(), "cut at {cut}");
    }
}

#[test]
fn damage_in_an_old_segment_names_the_file_and_the_place() {
    let storage = filled(20);
    let file = storage.files().keys().nth(1).unwrap().clone();
    let mut files = storage.files();
    files.get_mut(&file).unwrap()[30] ^= 1;
    let log = open(&Arc::new(MemoryStorage::with_files(files)));
    match walk(&log) {
        Err(FileError::Corrupt { file: found, offset: 0, .. }) => assert_eq!(found, file),
        other => panic!("{other:?}"),
    }
}

#[test]
fn missing_and_foreign_segments_are_damage() {
    let storage = filled(20);
    let names: Vec<String> = storage.files().keys().cloned().collect();
    let without = |name: &String| {
        let mut files = storage.files();
        files.remove(name);
        Arc::new(MemoryStorage::with_files(files))
    };
    let first = BlockLog::open(without(&names[0]), FIRST, Arc::default()).map(|_| ());
    assert!(matches!(first, Err(FileError::Corrupt { .. })));
    let middle = BlockLog::open(without(&names[2]), FIRST, Arc::default()).unwrap();
    assert!(matches!(walk(&middle), Err(FileError::Corrupt { .. })));
    for name in ["blocks-1", "blocks-0000000000000000", "blocks-x", "blocks-9999999999999999"] {
        let mut files = storage.files();
        files.insert(name.to_owned(), Vec::new());
        let found =
            BlockLog::open(Arc::new(MemoryStorage::with_files(files)), FIRST, Arc::default());
        assert!(matches!(found.map(|_| ()), Err(FileError::Corrupt { .. })), "{name}");
    }
}

#[test]
fn an_empty_last_segment_is_begun_again() {
    let storage = filled(20);
    storage.append(&file_name(Height::new(21)), b"").unwrap();
    let mut log = open(&storage);
    assert_eq!(log.height(), Height::new(20));
    log.append(Height::new(21), &bytes(21)).unwrap();
    assert_eq!(walk(&open(&storage)).unwrap().len(), 21);
}

#[test]
fn inspecting_changes_nothing() {
    let storage = filled(3);
    let file = storage.files().keys().last().unwrap().clone();
    storage.append(&file, b"torn").unwrap();
    let before = storage.files();
    let (log, torn) = BlockLog::inspect(Arc::clone(&storage) as Arc<dyn Storage>, FIRST).unwrap();
    assert_eq!((log.height(), torn), (Height::new(3), 4));
    assert_eq!(storage.files(), before);
}

#[test]
#[should_panic(expected = "in order")]
fn a_gap_cannot_be_written() {
    let mut log = open(&filled(3));
    let _ = log.append(Height::new(5), &bytes(5));
}
