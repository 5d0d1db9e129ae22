//! The two commands on real folders: what is restored is what was there, and goes on as it.

use super::*;
use crate::{
    chain::{Chain, ChainSetup},
    fixtures::{TestLedger, node_folder},
    metrics::Metrics,
};
use probata_types::{Height, Millis, Now};

fn restore_arguments(config: &Path, from: &Path, block: Option<Hash>) -> RestoreArguments {
    RestoreArguments { config: config.to_owned(), from: from.to_owned(), block, json: true }
}

#[test]
fn what_one_node_wrote_another_one_opens_and_goes_on_from() {
    let root = tempfile::tempdir().unwrap();
    let mut chain = TestLedger::new();
    let genesis = chain.genesis.to_json();
    let old = node_folder(root.path(), "old", &genesis, "sled");
    let mut blocks: Vec<_> = (0..40).map(|_| chain.seal(Vec::new())).collect();
    let mut ledger = Ledger::open(setup(&old).unwrap()).unwrap();
    for block in &blocks {
        let changes = probata_contracts::execute(&block.proposal, &ledger).unwrap().changes;
        ledger.commit(block, &Arc::new(changes)).unwrap();
    }
    // Killed, not closed: what is not derived yet is executed again.
    drop(ledger);
    let out = root.path().join("snapshot");
    let arguments = SnapshotArguments { config: old, out: out.clone(), json: true };
    let written = write(&arguments).unwrap();
    let header = &blocks[39].header;
    assert_eq!((written.height, written.hash), (Height::new(40), header.hash()));
    assert_eq!(written.state_root, header.state_root);
    assert!(matches!(write(&arguments), Err(CommandError::Snapshot(SnapshotError::Exists))));

    let new = node_folder(root.path(), "new", &genesis, "fjall");
    let wrong = fill(&restore_arguments(&new, &out, Some(Hash([1; 32]))));
    assert!(matches!(wrong, Err(CommandError::Snapshot(SnapshotError::OtherBlock { .. }))));
    let nowhere = fill(&restore_arguments(&new, &root.path().join("nowhere"), None));
    assert!(matches!(nowhere, Err(CommandError::Folder(..))));
    let manifest = fill(&restore_arguments(&new, &out, Some(header.hash()))).unwrap();
    assert_eq!(manifest.header(), header);
    let again = fill(&restore_arguments(&new, &out, None));
    assert!(matches!(again, Err(CommandError::Snapshot(SnapshotError::NotEmpty))));

    let mut ledger = Ledger::open(setup(&new).unwrap()).unwrap();
    blocks.push(chain.seal(Vec::new()));
    let changes = probata_contracts::execute(&blocks[40].proposal, &ledger).unwrap().changes;
    ledger.commit(&blocks[40], &Arc::new(changes)).unwrap();
    assert_eq!(ledger.head().hash, blocks[40].header.hash());
    ledger.close().unwrap();

    // A whole chain opens on it, as a member node.
    let Setup { storage, store, .. } = setup(&new).unwrap();
    let setup = ChainSetup {
        genesis: Arc::clone(&chain.genesis),
        keypairs: Vec::new(),
        storage,
        store,
        metrics: Arc::new(Metrics::new()),
    };
    let now = Now { monotonic: Millis::ZERO, wall: chain.time() };
    let (opened, _) = Chain::open(setup, now, &|_, _| ()).unwrap();
    let status = opened.status();
    assert_eq!((status.height, status.history_from), (Height::new(41), Height::new(40)));
}
