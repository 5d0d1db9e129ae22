//! The archive in a folder, and the commands where there is nothing to do.

use super::{command::*, *};
use crate::fixtures::{TestLedger, node_folder};
use probata_ledger::Storage as _;
use std::{fs, future};

fn archive_in(folder: &std::path::Path) -> ObjectArchive {
    ObjectArchive::open(&format!("file://{}", folder.display())).unwrap()
}

#[test]
fn what_was_put_is_read_in_parts_and_replaced_by_what_comes_later() {
    let root = tempfile::tempdir().unwrap();
    // A name that a URL writes in another way.
    let folder = root.path().join("old blocks");
    fs::create_dir(&folder).unwrap();
    let url = Url::from_directory_path(&folder).unwrap();
    let archive = ObjectArchive::open(url.as_str()).unwrap();
    archive.put("chain/one", b"nothing".to_vec()).unwrap();
    archive.put("chain/one", b"0123456789".to_vec()).unwrap();
    assert_eq!(archive.read("chain/one", 3, 4).unwrap(), b"3456");
    assert_eq!(fs::read(folder.join("chain/one")).unwrap(), b"0123456789");
    archive.read("chain/two", 0, 1).unwrap_err();
    let past = archive.read("chain/one", 10, 1).map(|bytes| bytes.len());
    assert!(past.is_err() || past.unwrap() < 1, "there is nothing more");
}

#[test]
fn a_folder_that_is_not_there_is_not_made() {
    let root = tempfile::tempdir().unwrap();
    let away = root.path().join("not-mounted");
    let archive = archive_in(&away);
    let error = archive.put("chain/one", vec![1]).unwrap_err();
    assert!(error.to_string().contains("mount its disk"), "{error}");
    archive.read("chain/one", 0, 1).unwrap_err();
    assert!(!away.exists());
}

#[test]
fn whoever_waits_for_an_archive_that_hangs_is_let_go_and_few_may_wait() {
    let root = tempfile::tempdir().unwrap();
    let archive = archive_in(root.path());
    let never = || future::pending::<object_store::Result<()>>();
    let error = archive.wait(Duration::ZERO, never()).unwrap_err();
    assert!(error.to_string().contains("did not answer within"), "{error}");
    let error = archive.read("chain/one", 0, 1).unwrap_err();
    assert!(error.to_string().contains("not asked for a while"), "{error}");
    // What hangs keeps its place.
    for _ in 1..limits::ARCHIVE_READS {
        *archive.rests_until.lock().unwrap() = None;
        archive.wait(Duration::ZERO, never()).unwrap_err();
    }
    *archive.rests_until.lock().unwrap() = None;
    let error = archive.read("chain/one", 0, 1).unwrap_err();
    assert!(error.to_string().contains("too many wait"), "{error}");
}

#[tokio::test]
async fn it_is_used_and_let_go_within_a_runtime() {
    let root = tempfile::tempdir().unwrap();
    let archive = archive_in(root.path());
    archive.put("one", vec![7]).unwrap();
    assert_eq!(archive.read("one", 0, 1).unwrap(), [7]);
    drop(archive);
}

fn arguments(config: &std::path::Path) -> ArchiveArguments {
    ArchiveArguments {
        command: None,
        config: config.to_owned(),
        before: Some(1_000),
        older_than: None,
        dry_run: false,
        json: true,
    }
}

#[test]
fn a_young_ledger_has_nothing_to_archive_and_an_archive_must_be_named() {
    let root = tempfile::tempdir().unwrap();
    let chain = TestLedger::new();
    let path = node_folder(root.path(), "node", &chain.genesis.to_json(), "fjall");
    let error = put_away(&arguments(&path)).map(drop).unwrap_err();
    assert!(matches!(error, CommandError::NoArchive), "{error}");
    let config = fs::read_to_string(&path).unwrap();
    let archive = format!("[archive]\nurl = \"file://{}\"\n", root.path().display());
    fs::write(&path, format!("{config}{archive}")).unwrap();
    let outcome = put_away(&arguments(&path)).unwrap();
    assert!(outcome.segments.is_empty() && outcome.archived_to.is_none());
    let undo = UndoArguments { config: path.clone(), json: true };
    assert!(bring_back(&undo).unwrap().segments.is_empty());
    let too_high = ArchiveArguments { before: Some(u64::MAX), ..arguments(&path) };
    assert!(matches!(put_away(&too_high), Err(CommandError::Height(_))));
    let config = crate::config::Config::load(&path).unwrap();
    let storage = crate::run::open_storage(&config).unwrap();
    assert!(storage.list().unwrap().iter().all(|name| !storage.is_away(name)));
}
