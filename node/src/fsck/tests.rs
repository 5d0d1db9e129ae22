//! The command on a real folder: what it leaves there, and what it says.

use super::*;
use crate::fixtures::{TestLedger, node_folder};
use probata_ledger::Ledger;
use std::{fs, path::Path};

/// A node's folder with a chain of some blocks, which was killed.
fn killed(root: &Path) -> PathBuf {
    let mut chain = TestLedger::new();
    let path = node_folder(root, "node", &chain.genesis.to_json(), "fjall");
    let config = Config::load(&path).unwrap();
    let (storage, store) = open_stores(&config).unwrap();
    let genesis = &chain.genesis;
    let (suite, id, initial) = (genesis.suite(), genesis.chain(), genesis.initial_state());
    let setup = Setup { storage, store, suite, chain: id, initial };
    let mut ledger = Ledger::open(setup).unwrap();
    for _ in 0..30 {
        let block = chain.seal(Vec::new());
        let changes = probata_contracts::execute(&block.proposal, &ledger).unwrap().changes;
        ledger.commit(&block, &Arc::new(changes)).unwrap();
    }
    path
}

fn arguments(config: &Path, scratch: Option<PathBuf>) -> FsckArguments {
    FsckArguments { config: config.to_owned(), scratch, workers: None, json: true }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_scratch_store_is_gone_when_the_check_has_ended() {
    let root = tempfile::tempdir().unwrap();
    let config = killed(root.path());
    let data = config.parent().unwrap().join("data");
    // What a check that was killed has left.
    fs::create_dir_all(data.join("fsck-left/deep")).unwrap();
    let report = check(&arguments(&config, None)).unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.blocks, report.checked.get()), (30, 30));
    assert_eq!(names(&data), ["derived", "log"]);
    // In another place nothing else is touched.
    let elsewhere = root.path().join("elsewhere");
    fs::create_dir_all(elsewhere.join("fsck-of-somebody")).unwrap();
    assert!(check(&arguments(&config, Some(elsewhere.clone()))).unwrap().is_clean());
    assert_eq!(names(&elsewhere), ["fsck-of-somebody"]);
    let nowhere = check(&arguments(&config, Some(root.path().join("nowhere")))).unwrap_err();
    assert!(nowhere.to_string().contains("--scratch names another place"), "{nowhere}");
}

#[test]
fn the_rate_is_of_the_time_that_it_took() {
    assert_eq!(per_second(3_000, Duration::from_secs(2)), 1_500);
    assert_eq!(per_second(3_000, Duration::ZERO), 3_000_000);
    assert_eq!(meter::megabytes(1_234_567), "1.2 MB");
}
