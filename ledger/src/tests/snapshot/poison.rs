//! Every field of a snapshot, poisoned: each is refused with its own error, and leaves no ledger.

use super::{files, restore_to, snapshot_at};
use crate::{
    Ledger, Manifest, MemoryStorage, MemoryStore, OpenError, SnapshotError, SnapshotFiles,
    fixtures::*, limits::CHUNK_MAX_BYTES, tree::Node,
};
use probata_types::{Hash, Height, List, SealedBlock, codec, evidence::SetChange, seal::SealError};
use std::sync::Arc;

/// A snapshot with another manifest.
fn with_manifest(change: &dyn Fn(&mut Manifest)) -> SnapshotFiles {
    let from = snapshot_at(90);
    let mut manifest = from.manifest().unwrap();
    change(&mut manifest);
    from.put_manifest(&manifest).unwrap();
    from
}

fn with_block(change: &dyn Fn(&mut SealedBlock)) -> SnapshotFiles {
    let from = snapshot_at(90);
    let mut block = from.block().unwrap();
    change(&mut block);
    from.put_block(&block).unwrap();
    from
}

/// Restores what must be refused; whatever it leaves is no ledger at that height.
fn refuse(from: &SnapshotFiles) -> SnapshotError {
    let (storage, store) = (Arc::new(MemoryStorage::default()), Arc::new(MemoryStore::default()));
    let error = restore_to(&storage, &store, from).unwrap_err();
    match Ledger::open(setup(storage, store)) {
        Ok(ledger) => assert_eq!(ledger.head().height, Height::ZERO, "{error}"),
        Err(OpenError::RestoreUnfinished(height)) => assert_eq!(height, Height::new(90)),
        Err(other) => panic!("{error}: {other}"),
    }
    error
}

type Wanted = fn(&SnapshotError) -> bool;

type Change = Box<dyn Fn(&mut Manifest)>;

fn change(change: fn(&mut Manifest)) -> Change {
    Box::new(change)
}

fn refuse_each(cases: Vec<(&str, Change, Wanted)>) {
    for (what, change, wanted) in cases {
        let error = refuse(&with_manifest(&*change));
        assert!(wanted(&error), "{what}: {error}");
    }
}

#[test]
fn every_poisoned_part_of_the_proof_is_refused_by_what_is_wrong_with_it() {
    let set = |header: &probata_types::Header| SetChange {
        header: header.clone(),
        seal: seal(header),
        set: validators(),
    };
    let cases: Vec<(&str, Change, Wanted)> = vec![
        ("version", change(|it| it.version = 2), |it| matches!(it, SnapshotError::Version(2))),
        ("chain", change(|it| it.header.chain.0[0] ^= 1), |it| {
            matches!(it, SnapshotError::OtherChain { .. })
        }),
        ("time", change(|it| it.header.time = time(1)), |it| {
            matches!(it, SnapshotError::Seal { error: SealError::Signature(_), .. })
        }),
        ("height", change(|it| it.header.height = Height::new(91)), |it| {
            matches!(it, SnapshotError::Seal { error: SealError::Signature(_), .. })
        }),
        ("height zero", change(|it| it.header.height = Height::ZERO), |it| {
            matches!(it, SnapshotError::Sets { .. })
        }),
        ("state root", change(|it| it.header.state_root.0[0] ^= 1), |it| {
            matches!(it, SnapshotError::Seal { error: SealError::Signature(_), .. })
        }),
        ("validators", change(|it| it.header.validators.0[0] ^= 1), |it| {
            matches!(it, SnapshotError::Seal { error: SealError::WrongSet { .. }, .. })
        }),
        ("view", change(|it| it.seal.view = it.seal.view.next()), |it| {
            matches!(it, SnapshotError::Seal { error: SealError::Signature(_), .. })
        }),
        (
            "votes",
            change(|it| it.seal.votes = List::new(it.seal.votes[..2].to_vec()).unwrap()),
            |it| matches!(it, SnapshotError::Seal { error: SealError::TooFew { .. }, .. }),
        ),
        (
            "a set that nothing named",
            Box::new(move |it| {
                let mut header = it.header.clone();
                header.height = Height::new(40);
                it.sets = List::new(vec![set(&header)]).unwrap();
            }),
            |it| matches!(it, SnapshotError::Sets { what, .. } if what.contains("changes nothing")),
        ),
    ];
    refuse_each(cases);
}

#[test]
fn every_poisoned_part_of_the_content_is_refused_by_what_is_wrong_with_it() {
    let cases: Vec<(&str, Change, Wanted)> = vec![
        ("a peak", change(|it| it.history.as_mut_slice()[1].0[3] ^= 1), |it| {
            matches!(it, SnapshotError::History { .. })
        }),
        ("a peak more", change(|it| it.history.push(Hash([1; 32])).unwrap()), |it| {
            matches!(it, SnapshotError::History { .. })
        }),
        ("no peaks", change(|it| it.history = List::empty()), |it| {
            matches!(it, SnapshotError::History { .. })
        }),
        ("a chunk less", change(|it| it.chunks = fewer(it, 1)), |it| {
            matches!(it, SnapshotError::Tiling)
        }),
        ("no chunks", change(|it| it.chunks = List::empty()), |it| {
            matches!(it, SnapshotError::Tiling)
        }),
        ("a chunk more", change(|it| it.chunks.push(it.chunks[0]).unwrap()), |it| {
            matches!(it, SnapshotError::Tiling)
        }),
        ("a depth", change(|it| it.chunks.as_mut_slice()[2].nibbles += 1), |it| {
            matches!(it, SnapshotError::Tiling)
        }),
        ("a depth without end", change(|it| it.chunks.as_mut_slice()[2].nibbles = 255), |it| {
            matches!(it, SnapshotError::Tiling)
        }),
        (
            "a size without bound",
            change(|it| {
                it.chunks.as_mut_slice()[0].bytes = u32::try_from(CHUNK_MAX_BYTES).unwrap() + 1
            }),
            |it| matches!(it, SnapshotError::Tiling),
        ),
        (
            "a node",
            change(|it| it.chunks.as_mut_slice()[3].node = Node::Inner(Hash([7; 32]))),
            |it| matches!(it, SnapshotError::StateRoot { .. }),
        ),
        ("an empty node", change(|it| it.chunks.as_mut_slice()[3].node = Node::Empty), |it| {
            matches!(it, SnapshotError::StateRoot { .. })
        }),
        ("two chunks swapped", change(|it| it.chunks.as_mut_slice().swap(4, 5)), |it| {
            matches!(it, SnapshotError::StateRoot { .. } | SnapshotError::Tiling)
        }),
        ("a size", change(|it| it.chunks.as_mut_slice()[0].bytes += 1), |it| {
            matches!(it, SnapshotError::Chunk { index: 0, .. })
        }),
    ];
    refuse_each(cases);
}

fn fewer(
    it: &Manifest,
    by: usize,
) -> List<crate::snapshot::ChunkHead, { crate::limits::SNAPSHOT_CHUNKS }> {
    List::new(it.chunks[..it.chunks.len() - by].to_vec()).unwrap()
}

#[test]
fn every_poisoned_field_of_the_block_is_refused() {
    type Change = fn(&mut SealedBlock);
    let cases: [(&str, Change); 6] = [
        ("its header is not that", |it| it.header.time = time(1)),
        ("submissions", |it| it.proposal.submissions = List::empty()),
        ("submissions", |it| it.proposal.submissions.as_mut_slice()[0].signature.0[0] ^= 1),
        ("submissions", |it| it.proposal.parent.0[0] ^= 1),
        ("outcomes", |it| it.outcomes = List::empty()),
        ("outcomes", |it| it.outcomes.as_mut_slice().reverse()),
    ];
    for (what, change) in cases {
        let error = refuse(&with_block(&change));
        assert!(
            matches!(&error, SnapshotError::Block(text) if text.contains(what)),
            "{what}: {error}"
        );
    }
    let records = with_block(&|it| {
        let mut submissions = it.proposal.submissions.to_vec();
        submissions[0].records = submissions[1].records.clone();
        it.proposal.submissions = List::new(submissions).unwrap();
    });
    let error = refuse(&records);
    assert!(matches!(&error, SnapshotError::Block(text) if text.contains("submission")), "{error}");
}

#[test]
fn every_flipped_byte_of_every_chunk_is_refused_and_the_chunk_named() {
    let from = snapshot_at(90);
    for index in (0..from.manifest().unwrap().chunks()).step_by(5) {
        let good = from.chunk(index).unwrap();
        if good.is_empty() {
            continue;
        }
        let mut poisoned: Vec<Vec<u8>> = (0..good.len())
            .step_by(17)
            .map(|at| {
                let mut bytes = good.clone();
                bytes[at] ^= 1;
                bytes
            })
            .collect();
        poisoned.push(Vec::new());
        poisoned.push(good[..good.len() - 1].to_vec());
        poisoned.push([good.as_slice(), b"\0"].concat());
        for bytes in poisoned {
            from.put_chunk(index, &bytes).unwrap();
            let error = refuse(&from);
            let named = matches!(&error, SnapshotError::Chunk { index: at, .. } if *at == index);
            assert!(named, "chunk {index}: {error}");
        }
        from.put_chunk(index, &good).unwrap();
    }
    // One chunk in the place of another.
    from.put_chunk(0, &from.chunk(1).unwrap()).unwrap();
    assert!(matches!(refuse(&from), SnapshotError::Chunk { index: 0, .. }));
}

#[test]
fn torn_missing_and_misnamed_files_are_told_by_name() {
    let storage = Arc::new(MemoryStorage::default());
    let write = |to: &SnapshotFiles| {
        grown(90).2.freeze().unwrap().write_in_chunks(to, super::MOST, &|_| ())
    };
    write(&SnapshotFiles::new(storage.clone())).unwrap();
    let whole = storage.files();
    for name in ["manifest", "block", "chunk-000003"] {
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut files = whole.clone();
            change(files.get_mut(name).unwrap());
            refuse(&SnapshotFiles::new(Arc::new(MemoryStorage::with_files(files))))
        };
        for keep in [0, 10, 23, whole[name].len() / 2, whole[name].len() - 1] {
            let error = with(&|bytes| bytes.truncate(keep));
            assert!(
                error.to_string().contains(name) && error.to_string().contains("damaged"),
                "{error}"
            );
        }
        let error = with(&|bytes| *bytes.last_mut().unwrap() ^= 1);
        assert!(error.to_string().contains("checksum"), "{error}");
        let mut files = whole.clone();
        files.remove(name);
        let error = refuse(&SnapshotFiles::new(Arc::new(MemoryStorage::with_files(files))));
        assert!(matches!(&error, SnapshotError::Missing(file) if file == name), "{error}");
    }
    // A chunk under another's name is not that chunk.
    let mut files = whole.clone();
    let other = files["chunk-000004"].clone();
    files.insert("chunk-000003".into(), other);
    let error = refuse(&SnapshotFiles::new(Arc::new(MemoryStorage::with_files(files))));
    assert!(error.to_string().contains("chunk-000003"), "{error}");
}

#[test]
fn a_manifest_has_one_spelling() {
    let manifest = snapshot_at(20).manifest().unwrap();
    let bytes = codec::encode(&manifest);
    assert_eq!(Manifest::decode(&bytes).unwrap(), manifest);
    for end in 0..bytes.len() {
        assert!(Manifest::decode(&bytes[..end]).is_err(), "{end}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(matches!(Manifest::decode(&longer), Err(SnapshotError::Malformed(_))));
    assert!(matches!(files().manifest(), Err(SnapshotError::Missing(_))));
}
