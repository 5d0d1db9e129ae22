//! Files as they lie on disk: genesis, evidence, block log, journal; and digests over many things.

use super::store::{VectorFile, path, update};
use probata_client::light::{self, Level, Request, Verdict};
use probata_genesis::Genesis;
use probata_ledger::{Journal, Ledger, MemoryStorage, MemoryStore, Setup, SnapshotFiles, Storage};
use probata_types::{EvidenceFile, SealedBlock, codec, evidence::Parsed};
use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex, PoisonError},
};

/// The file of what is pinned as bytes alone.
const PINS: &str = "pins.json";

static PINNING: Mutex<()> = Mutex::new(());

/// The genesis document of the vectors.
pub(super) fn genesis() -> Genesis {
    update::if_asked();
    read_genesis()
}

pub(super) fn read_genesis() -> Genesis {
    Genesis::parse(&fs::read(path("genesis.json")).unwrap()).unwrap()
}

/// The bytes that are pinned under a name.
fn pinned(name: &str) -> Vec<u8> {
    let _one_at_a_time = PINNING.lock().unwrap_or_else(PoisonError::into_inner);
    let text = fs::read_to_string(path(PINS)).unwrap();
    let pins: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    hex::decode(&pins[name]).unwrap()
}

/// Compares bytes with those that are pinned under a name.
pub(super) fn pin(name: &str, bytes: &[u8]) {
    let _one_at_a_time = PINNING.lock().unwrap_or_else(PoisonError::into_inner);
    let text = fs::read_to_string(path(PINS)).unwrap_or_else(|_| "{}".to_owned());
    let mut pins: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    let got = hex::encode(bytes);
    if update::is_asked() {
        pins.insert(name.to_owned(), got);
        fs::write(path(PINS), serde_json::to_string_pretty(&pins).unwrap() + "\n").unwrap();
    } else {
        assert_eq!(pins.get(name), Some(&got), "{name} of {PINS}; {}", update::HOW);
    }
}

#[test]
fn a_genesis_document_and_an_evidence_file_are_read_as_ever() {
    let genesis = genesis();
    let bytes = fs::read(path("genesis.json")).unwrap();
    assert_eq!(genesis.to_json().as_bytes(), bytes, "a document is written as it was read");
    let evidence = fs::read(path("evidence.json")).unwrap();
    let Parsed::Evidence(file) = EvidenceFile::parse(&evidence).unwrap() else {
        panic!("it is of a version that is known")
    };
    assert_eq!(file.to_json().unwrap().as_bytes(), evidence, "a file is written as it was read");
    let request = Request { evidence: &evidence, genesis: Some(&genesis), ..Request::default() };
    let report = light::verify(&request);
    assert_eq!((report.level, report.verdict), (Some(Level::E5), Verdict::Indeterminate));
    let missing: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| check.status != light::Status::Passed)
        .map(|check| check.predicate.as_str())
        .collect();
    assert!(missing.iter().all(|name| name.starts_with("document:")), "{missing:?}");
}

/// The empty block 1 of the vectors, as the log of a real ledger holds it.
#[test]
fn the_log_holds_a_block_in_one_frame() {
    let genesis = genesis();
    let storage = Arc::new(MemoryStorage::default());
    let mut ledger = empty_ledger(&genesis, Arc::clone(&storage));
    let block: SealedBlock = vector("blocks", "an empty block");
    ledger.commit(&block, &Arc::default()).unwrap();
    let bytes = whole(&*storage, "blocks-");
    let expected = codec::encode(&block);
    assert_eq!(in_frame(&bytes), expected, "the frame holds the block's bytes");
    if update::is_asked() {
        pin("block log", &bytes);
    }
    // Another version of the library may compress to other bytes. What any has written must be read.
    assert_eq!(in_frame(&pinned("block log")), expected, "block log of {PINS}");
}

/// What a frame of the block log holds: after magic, number, length and two sums the length of the block, and the block
/// in Zstandard.
fn in_frame(frame: &[u8]) -> Vec<u8> {
    let (length, compressed) = frame[24..].split_first_chunk().unwrap();
    zstd::bulk::decompress(compressed, u32::from_be_bytes(*length) as usize).unwrap()
}

/// The state after that block, as a snapshot of it lies on disk.
#[test]
fn a_snapshot_is_a_manifest_and_chunks_in_one_frame_each() {
    let genesis = genesis();
    let mut ledger = empty_ledger(&genesis, Arc::default());
    let block: SealedBlock = vector("blocks", "an empty block");
    ledger.commit(&block, &Arc::default()).unwrap();
    let storage = Arc::new(MemoryStorage::default());
    let files = SnapshotFiles::new(Arc::clone(&storage) as Arc<dyn Storage>);
    ledger.freeze().unwrap().write(&files, &|_| ()).unwrap();
    let manifest = files.manifest().unwrap();
    manifest.check(genesis.suite(), &genesis.chain(), &genesis.initial_state()).unwrap();
    assert_eq!(codec::encode(&manifest), files.manifest_bytes().unwrap());
    pin("snapshot manifest", &whole(&*storage, "manifest"));
    pin("snapshot chunk", &whole(&*storage, "chunk-000000"));
    pin("snapshot name", manifest.digest().as_bytes());
}

/// Two promises that were synced together, in one frame.
#[test]
fn the_journal_holds_what_was_synced_in_one_frame() {
    let storage = Arc::new(MemoryStorage::default());
    let (mut journal, _) = Journal::open(Arc::clone(&storage) as Arc<dyn Storage>).unwrap();
    for promise in VectorFile::load("consensus").vectors.iter().filter(|it| it.form == "promise") {
        journal.append(&hex::decode(&promise.bytes).unwrap()).unwrap();
    }
    journal.sync().unwrap();
    pin("journal", &whole(&*storage, "journal"));
}

fn empty_ledger(genesis: &Genesis, storage: Arc<MemoryStorage>) -> Ledger {
    let setup = Setup {
        storage,
        store: Arc::new(MemoryStore::default()),
        suite: genesis.suite(),
        chain: genesis.chain(),
        initial: genesis.initial_state(),
    };
    Ledger::open(setup).unwrap()
}

/// The value of a vector.
fn vector<T: serde::de::DeserializeOwned>(file: &str, name: &str) -> T {
    let found = VectorFile::load(file).vectors.into_iter().find(|one| one.name == name);
    serde_json::from_value(found.unwrap().value).unwrap()
}

/// All bytes of the one file whose name begins so.
fn whole(storage: &dyn Storage, prefix: &str) -> Vec<u8> {
    let names = storage.list().unwrap();
    let name = names.iter().find(|name| name.starts_with(prefix)).unwrap();
    let length = storage.length(name).unwrap();
    storage.read(name, 0, usize::try_from(length).unwrap()).unwrap()
}
