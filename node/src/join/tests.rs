//! Joining over real connections: from honest peers, from liars, and from those who lose what they offered.

pub(crate) mod rig;

use super::*;
use crate::{
    fixtures::{SUITE, TestLedger, consent, submission},
    snapshots::Snapshots,
    wire::{self, Ask, Offer},
};
use probata_ledger::{
    DiskStorage, Ledger, MemoryStorage, MemoryStore, Restore, Setup, Storage, limits::CHUNK_BYTES,
    restore,
};
use probata_types::{FlowId, RecordId, Submission};
use rig::Server;
use std::{
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tempfile::TempDir;

/// Records of a submission; a state of so many of them is parted into sixteen and more.
const RECORDS: u64 = 1_000;

/// Two snapshots of one chain, a block apart, each in a folder of its own. Made once, for it takes seconds.
struct Made {
    genesis: Arc<Genesis>,
    folders: [TempDir; 2],
}

fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut chain = TestLedger::new();
        let mut bytes = 0;
        let mut number = 0;
        while bytes < CHUNK_BYTES as u64 + 1 {
            let submission = many(&chain, number);
            let block = chain.seal(vec![submission]);
            let accepted = block.outcomes.iter().filter(|outcome| outcome.is_accepted());
            assert_eq!(accepted.count() as u64, RECORDS, "{:?}", block.outcomes[0]);
            number += 1;
            // What an object of a consent's flow takes at least.
            bytes += RECORDS * 150;
        }
        let genesis = Arc::clone(&chain.genesis);
        let blocks: Vec<_> = {
            let (reader, head) = (chain.ledger.reader(), chain.ledger.head().height.get());
            (1..=head)
                .map(|at| reader.block(probata_types::Height::new(at)).unwrap().unwrap())
                .collect()
        };
        let folders = [blocks.len() - 1, blocks.len()].map(|count| {
            let folder = tempfile::tempdir().unwrap();
            let mut ledger = Ledger::open(setup(&genesis, Arc::default(), Arc::default())).unwrap();
            for block in &blocks[..count] {
                let changes = probata_contracts::execute(&block.proposal, &ledger).unwrap().changes;
                ledger.commit(block, &Arc::new(changes)).unwrap();
            }
            let snapshots = Snapshots::open(folder.path(), genesis.chain()).unwrap();
            snapshots.write(&ledger.freeze().unwrap(), 1).unwrap();
            folder
        });
        Made { genesis, folders }
    })
}

/// Consents, each in a flow of its own.
fn many(chain: &TestLedger, number: u64) -> Submission {
    let at = chain.time();
    let records = (0..RECORDS).map(|record| {
        let mut flow = [0; 16];
        flow[..8].copy_from_slice(&(number * RECORDS + record + 1).to_be_bytes());
        consent(1, FlowId(flow), 1, RecordId::NONE, at)
    });
    submission(chain.genesis.chain(), 1, number, at, records.collect())
}

fn setup(genesis: &Genesis, storage: Arc<MemoryStorage>, store: Arc<MemoryStore>) -> Setup {
    let (chain, initial) = (genesis.chain(), genesis.initial_state());
    Setup { storage, store, suite: SUITE, chain, initial }
}

/// Snapshots of a folder that others may have open as well.
fn copy_of(folder: &Path) -> (Snapshots, TempDir) {
    let copy = tempfile::tempdir().unwrap();
    for height in std::fs::read_dir(folder).unwrap() {
        let height = height.unwrap();
        std::fs::create_dir(copy.path().join(height.file_name())).unwrap();
        for file in std::fs::read_dir(height.path()).unwrap() {
            let file = file.unwrap();
            let to = copy.path().join(height.file_name()).join(file.file_name());
            std::fs::copy(file.path(), to).unwrap();
        }
    }
    (Snapshots::open(copy.path(), made().genesis.chain()).unwrap(), copy)
}

/// What a peer answers to a request, with the snapshots that it has; `None` lets it go.
type Answers = Box<dyn FnMut(&Ask, &Snapshots) -> Option<Vec<u8>> + Send>;

async fn serve(number: u8, snapshot: usize, mut answers: Answers) -> Server {
    let (snapshots, folder) = copy_of(made().folders[snapshot].path());
    let answers = move |ask: &Ask| {
        assert!(folder.path().exists(), "it lasts as long as its server");
        answers(ask, &snapshots)
    };
    rig::serve(made().genesis.chain(), number, Box::new(answers)).await
}

fn honest() -> Answers {
    Box::new(|ask, snapshots| Some(snapshots.answer(ask)))
}

/// Joins from servers; gives whether a snapshot was gathered, and where.
async fn join(servers: &[&Server], change: impl FnOnce(&mut Joining)) -> (bool, Joining) {
    let mesh = rig::connected(made().genesis.chain(), servers).await;
    let mut joining = Joining {
        mesh: mesh.handle.clone(),
        genesis: Arc::clone(&made().genesis),
        files: SnapshotFiles::new(Arc::new(MemoryStorage::default())),
        expected: None,
        metrics: Arc::new(Metrics::new()),
        patience: Duration::from_millis(300),
    };
    change(&mut joining);
    let gathered = joining.gather().await.unwrap();
    (gathered, joining)
}

/// Restores what was gathered; gives the height.
fn restored(joining: &Joining) -> u64 {
    let setup = setup(&joining.genesis, Arc::default(), Arc::default());
    let restoring =
        Restore { setup: &setup, from: &joining.files, expected: None, progress: &|_, _| () };
    restore(&restoring).unwrap().height().get()
}

/// Who is named in the metrics.
fn named(joining: &Joining) -> Vec<String> {
    rig::named(&joining.metrics)
}

fn chunks_asked(server: &Server) -> usize {
    let asked = server.asked.lock().unwrap();
    asked.iter().filter(|ask| matches!(ask, Ask::SnapshotChunk { .. })).count()
}

fn is_chunk(ask: &Ask) -> bool {
    matches!(ask, Ask::SnapshotChunk { .. })
}

fn chunks(snapshot: usize) -> usize {
    let (snapshots, _folder) = copy_of(made().folders[snapshot].path());
    snapshots.newest().unwrap().chunks as usize
}

fn with_flipped(mut answer: Vec<u8>) -> Vec<u8> {
    *answer.last_mut().unwrap() ^= 1;
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_come_from_all_peers_and_whoever_poisons_one_is_named_and_left_alone() {
    let liar: Answers = Box::new(|ask, snapshots| {
        let answer = snapshots.answer(ask);
        Some(if is_chunk(ask) { with_flipped(answer) } else { answer })
    });
    let servers =
        [serve(1, 1, honest()).await, serve(2, 1, liar).await, serve(3, 1, honest()).await];
    let (gathered, joining) = join(&servers.iter().collect::<Vec<_>>(), |_| ()).await;
    assert!(gathered && chunks(1) >= 16);
    assert_eq!(named(&joining), [servers[1].node.to_string()]);
    let lies = chunks_asked(&servers[1]);
    assert!(
        (1..=limits::JOIN_WINDOW).contains(&lies),
        "asked {lies} times, in its first window only"
    );
    assert!(chunks_asked(&servers[0]) > 0 && chunks_asked(&servers[2]) > 0);
    assert_eq!(restored(&joining), joining.files.manifest().unwrap().height().get());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_and_holds_is_not_fetched_again() {
    let first = serve(1, 1, honest()).await;
    let storage = Arc::new(MemoryStorage::default());
    let files = SnapshotFiles::new(Arc::clone(&storage) as Arc<dyn Storage>);
    let (gathered, joining) = join(&[&first], |it| it.files = files.clone()).await;
    assert!(gathered);
    drop(joining);
    // Three are lost or changed by a crash and by somebody who knows how to make checksums.
    storage.remove("chunk-000003").unwrap();
    storage.truncate("chunk-000005", 40).unwrap();
    let mut bytes = files.chunk(7).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    files.put_chunk(7, &bytes).unwrap();
    let second = serve(2, 1, honest()).await;
    let (gathered, joining) = join(&[&second], |it| it.files = files.clone()).await;
    assert!(gathered && named(&joining).is_empty());
    assert_eq!(chunks_asked(&second), 3);
    assert!(second.asked.lock().unwrap().iter().all(is_chunk), "nothing else is asked again");
    restored(&joining);
    // What an operator does not want any more is not gone on with.
    let other = probata_types::Hash([9; 32]);
    let error = check(&made().genesis, Some(other), &files.manifest().unwrap()).unwrap_err();
    assert!(matches!(error, SnapshotError::OtherBlock { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_goes_away_meanwhile_is_given_up_for_another() {
    let given = Arc::new(AtomicUsize::new(0));
    let (newest, _folder) = copy_of(made().folders[1].path());
    let gone = newest.newest().unwrap();
    // It offers the newer one until it has handed over some of it; then it has the older one only. One that never says a word
    // changes nothing about that.
    let changing: Answers = Box::new(move |ask, older| {
        let there = given.load(SeqCst) < 5;
        if is_chunk(ask) {
            given.fetch_add(1, SeqCst);
        }
        Some(if there { newest.answer(ask) } else { older.answer(ask) })
    });
    let server = serve(1, 0, changing).await;
    let silent = serve(2, 0, Box::new(|_, _| None)).await;
    let (gathered, joining) =
        join(&[&server, &silent], |it| it.patience = limits::JOIN_PATIENCE).await;
    assert!(gathered);
    assert!(named(&joining).is_empty(), "to lose a snapshot is no lie");
    assert_eq!(restored(&joining), gone.height.get() - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_to_lie_is_named_and_none_keeps_the_node_from_joining() {
    let lie = |what: fn(&Ask, Vec<u8>) -> Vec<u8>| -> Answers {
        Box::new(move |ask, snapshots| Some(what(ask, snapshots.answer(ask))))
    };
    let higher = |answer: Vec<u8>| {
        let bytes = wire::take_given(answer).unwrap().unwrap();
        let mut offer = Offer::decode(&bytes).unwrap();
        offer.height = offer.height.next();
        offer
    };
    let liars: [Answers; 6] = [
        lie(|ask, answer| if *ask == Ask::SnapshotOffer { vec![9; 40] } else { answer }),
        lie(
            |ask, answer| {
                if *ask == Ask::SnapshotOffer { wire::given(Some(&[1; 9])) } else { answer }
            },
        ),
        lie(|ask, answer| if *ask == Ask::SnapshotOffer { vec![1; 1 << 20] } else { answer }),
        // A newer one that does not exist, under the name of another.
        Box::new(move |ask, snapshots| {
            let answer = snapshots.answer(ask);
            let bent = matches!(ask, Ask::SnapshotManifest { .. });
            Some(match ask {
                Ask::SnapshotOffer => wire::given(Some(&higher(answer).encode())),
                _ if bent => with_flipped(answer),
                _ => answer,
            })
        }),
        Box::new(move |ask, snapshots| {
            let answer = snapshots.answer(ask);
            Some(match ask {
                Ask::SnapshotOffer => wire::given(Some(&higher(answer).encode())),
                Ask::SnapshotManifest { .. } => wire::given(Some(&[])),
                _ => answer,
            })
        }),
        Box::new(move |ask, snapshots| {
            let answer = snapshots.answer(ask);
            Some(match ask {
                Ask::SnapshotOffer => wire::given(Some(&higher(answer).encode())),
                Ask::SnapshotBlock(_) => with_flipped(answer),
                _ => answer,
            })
        }),
    ];
    let mut servers = Vec::new();
    for (number, liar) in (1..).zip(liars) {
        servers.push(serve(number, 1, liar).await);
    }
    servers.push(serve(50, 1, honest()).await);
    let (gathered, joining) = join(&servers.iter().collect::<Vec<_>>(), |_| ()).await;
    assert!(gathered);
    assert_eq!(named(&joining), rig::names(&servers[..6].iter().collect::<Vec<_>>()));
    restored(&joining);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_snapshot_anywhere_blocks_are_all_there_is_unless_one_is_asked_for_by_name() {
    let none: Answers = Box::new(|_, _| Some(wire::given(None)));
    let silent: Answers = Box::new(|_, _| None);
    let servers = [serve(1, 1, none).await, serve(2, 1, silent).await];
    let (gathered, joining) = join(&servers.iter().collect::<Vec<_>>(), |_| ()).await;
    assert!(!gathered && named(&joining).is_empty());
    // The older one is taken where the operator was told of it, though a newer one is offered.
    let (older, _folder) = copy_of(made().folders[0].path());
    let wanted = older.newest().unwrap();
    let servers = [serve(3, 1, honest()).await, serve(4, 0, honest()).await];
    let (gathered, joining) =
        join(&servers.iter().collect::<Vec<_>>(), |it| it.expected = Some(wanted.header)).await;
    assert!(gathered);
    assert_eq!(restored(&joining), wanted.height.get());
}

#[test]
fn what_lies_in_the_folder_and_is_of_no_use_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let files = SnapshotFiles::new(Arc::new(DiskStorage::open(folder.path()).unwrap()));
    files.put_chunk(0, b"of something").unwrap();
    std::fs::write(folder.path().join("manifest"), b"no manifest").unwrap();
    let error = files.manifest().map(drop).unwrap_err();
    assert!(begin_anew(&files, &error).unwrap().is_none());
    assert!(!files.has_chunk(0).unwrap());
    assert!(matches!(files.manifest(), Err(SnapshotError::Missing(_))));
}
