//! What is kept is whole, what is asked for is bounded, and what is gone is not here.

use super::*;
use crate::{
    chain::{Chain, ChainSetup},
    fixtures::TestLedger,
};
use probata_ledger::{FjallStore, MemoryStorage};
use probata_types::{Millis, Now, codec};
use std::num::NonZeroU64;

/// States at each third height of a chain of empty blocks.
fn states(chain: &mut TestLedger, folder: &Path, count: usize) -> Vec<FrozenState> {
    let setup = ChainSetup {
        genesis: Arc::clone(&chain.genesis),
        keypairs: Vec::new(),
        storage: Arc::new(MemoryStorage::default()),
        store: Arc::new(FjallStore::open(folder, 1 << 20).unwrap()),
        metrics: Arc::new(Metrics::new()),
    };
    let now = Now { monotonic: Millis::ZERO, wall: chain.time().saturating_add(1_000_000) };
    let (mut opened, _) = Chain::open(setup, now, &|_, _| ()).unwrap();
    opened.freeze_every(NonZeroU64::new(3).unwrap());
    let mut states = Vec::new();
    let from = crate::network::NodeId::from_secret([1; 32]);
    while states.len() < count {
        let blocks = vec![chain.seal(Vec::new())];
        let effects = opened.handle(now, crate::handle::Command::Blocks { from, blocks }).unwrap();
        states.extend(effects.into_iter().filter_map(|effect| match effect {
            crate::chain::Effect::Frozen(state) => Some(state),
            _ => None,
        }));
    }
    states
}

fn take(snapshots: &Snapshots, ask: &Ask) -> Option<Vec<u8>> {
    wire::take_given(snapshots.answer(ask)).unwrap()
}

#[test]
fn the_newest_are_kept_and_served_and_found_again() {
    let (store, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut chain = TestLedger::new();
    let folder = root.path().join("snapshots");
    let id = chain.genesis.chain();
    let snapshots = Snapshots::open(&folder, id).unwrap();
    assert_eq!((snapshots.newest(), take(&snapshots, &Ask::SnapshotOffer)), (None, None));
    let mut names = Vec::new();
    for state in states(&mut chain, store.path(), 4) {
        let written = snapshots.write(&state, 2).unwrap();
        let offer = snapshots.newest().unwrap();
        assert_eq!((offer.height, offer.header), (state.height(), written.hash));
        names.push(offer);
    }
    let heights: Vec<u64> = names.iter().map(|offer| offer.height.get()).collect();
    assert_eq!(heights, [3, 6, 9, 12]);
    drop(snapshots);
    let again = Snapshots::open(&folder, id).unwrap();
    let offered = take(&again, &Ask::SnapshotOffer).unwrap();
    assert_eq!(Offer::decode(&offered).unwrap(), names[3]);
    for (offer, kept) in names.iter().zip([false, false, true, true]) {
        let Offer { digest, chunks, manifest_bytes, .. } = *offer;
        let part = |part| take(&again, &Ask::SnapshotManifest { digest, part });
        let chunk = |index| take(&again, &Ask::SnapshotChunk { digest, index });
        let block = take(&again, &Ask::SnapshotBlock(digest));
        assert_eq!(part(0).is_some() && block.is_some() && chunk(0).is_some(), kept);
        assert_eq!(path(&folder, offer.height).exists(), kept);
        if kept {
            let manifest = part(0).unwrap();
            assert_eq!(manifest.len(), manifest_bytes as usize);
            let manifest = Manifest::decode(&manifest).unwrap();
            manifest.check(chain.genesis.suite(), &id, &chain.genesis.initial_state()).unwrap();
            assert_eq!((manifest.digest(), manifest.chunks()), (digest, chunks as usize));
            assert!(part(1).unwrap().is_empty() && part(u32::MAX).unwrap().is_empty());
            assert!(chunk(chunks).is_none() && chunk(u32::MAX).is_none());
            let block: probata_types::SealedBlock =
                codec::decode(&block.unwrap(), usize::MAX).unwrap();
            assert_eq!(block.header, *manifest.header());
        }
    }
    let other = Snapshots::open(&folder, Hash([1; 32]));
    assert!(other.is_err(), "one at a time");
    drop(again);
    let other = Snapshots::open(&folder, Hash([1; 32])).unwrap();
    assert_eq!(other.newest(), None, "of another chain");
}

#[test]
fn what_cannot_be_written_to_its_end_leaves_nothing() {
    let (store, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut chain = TestLedger::new();
    let folder = root.path();
    let snapshots = Snapshots::open(folder, chain.genesis.chain()).unwrap();
    let states = states(&mut chain, store.path(), 2);
    // In the place of a chunk lies what cannot be replaced.
    fs::create_dir_all(path(folder, Height::new(3)).join("chunk-000000/more")).unwrap();
    let error = snapshots.write(&states[0], 2).unwrap_err();
    assert!(matches!(error, KeepError::Snapshot(SnapshotError::File(_))), "{error}");
    assert!(!path(folder, Height::new(3)).exists() && snapshots.newest().is_none());
    snapshots.write(&states[1], 2).unwrap();
    assert_eq!(snapshots.newest().unwrap().height, Height::new(6));
}

#[test]
fn what_was_not_written_to_its_end_is_removed_and_what_is_damaged_is_not_served() {
    let (store, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut chain = TestLedger::new();
    let (folder, id) = (root.path(), chain.genesis.chain());
    let snapshots = Snapshots::open(folder, id).unwrap();
    let states = states(&mut chain, store.path(), 3);
    for state in &states {
        snapshots.write(state, 9).unwrap();
    }
    drop(snapshots);
    let at = |number: u64, file: &str| path(folder, Height::new(number)).join(file);
    fs::remove_file(at(9, "manifest")).unwrap();
    let mut bytes = fs::read(at(6, "manifest")).unwrap();
    bytes[100] ^= 1;
    fs::write(at(6, "manifest"), bytes).unwrap();
    fs::create_dir(folder.join("something else")).unwrap();
    let snapshots = Snapshots::open(folder, id).unwrap();
    assert_eq!(snapshots.newest().unwrap().height, Height::new(3));
    assert!(!path(folder, Height::new(9)).exists() && path(folder, Height::new(6)).exists());
    // What goes away or breaks while it is served is not here; nothing else suffers.
    let digest = snapshots.newest().unwrap().digest;
    let chunk = || take(&snapshots, &Ask::SnapshotChunk { digest, index: 0 });
    let whole = fs::read(at(3, "chunk-000000")).unwrap();
    assert!(chunk().is_some());
    fs::write(at(3, "chunk-000000"), &whole[..whole.len() - 1]).unwrap();
    assert!(chunk().is_none());
    assert!(take(&snapshots, &Ask::SnapshotBlock(digest)).is_some());
    // The one that a crash took is written again when its height is.
    snapshots.write(&states[2], 1).unwrap();
    assert_eq!(snapshots.newest().unwrap().height, Height::new(9));
    let left = [3, 6].map(|height| path(folder, Height::new(height)).exists());
    assert_eq!(left, [false, false], "the damaged one went, too");
}
