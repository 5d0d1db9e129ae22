//! Filling up from peers of every kind: it ends whole, whoever lies is named, and whoever has nothing is not.

use super::*;
use crate::{
    chain::{Chain, ChainSetup},
    fixtures::{SUITE, TestLedger, consent, flow, submission},
    join::tests::rig::{self, Answers, Server},
};
use probata_ledger::{
    Fsck, Ledger, MemoryStorage, MemoryStore, Restore, Setup, SnapshotFiles, restore,
};
use probata_types::{List, Millis, Now, RecordId};
use tokio::sync::watch;

/// What a peer makes of the blocks that it should hand over, so many of them.
type Bend = fn(u64, Vec<SealedBlock>) -> Vec<SealedBlock>;

const BASE: u64 = 50;
const HEAD: u64 = 60;

/// A chain with a record now and then.
fn chain() -> TestLedger {
    let mut chain = TestLedger::new();
    for height in 1..=HEAD {
        let at = chain.time();
        let record = consent(1, flow(u8::try_from(height).unwrap()), 1, RecordId::NONE, at);
        let some = submission(chain.genesis.chain(), 1, height, at, vec![record]);
        let block = chain.seal(if height % 3 == 0 { vec![some] } else { Vec::new() });
        assert!(block.outcomes.iter().all(|outcome| outcome.is_accepted()));
    }
    chain
}

/// Storage and store of a ledger that was restored from the snapshot of the base, and followed to the head.
struct Restored {
    storage: Arc<MemoryStorage>,
    store: Arc<MemoryStore>,
}

impl Restored {
    fn from(chain: &TestLedger) -> Self {
        let (storage, store) = (Arc::<MemoryStorage>::default(), Arc::<MemoryStore>::default());
        let mut before = Ledger::open(setup(chain, &Arc::default(), &Arc::default())).unwrap();
        commit(&mut before, chain, BASE);
        let files = SnapshotFiles::new(Arc::<MemoryStorage>::default());
        before.freeze().unwrap().write(&files, &|_| ()).unwrap();
        let setup_of = setup(chain, &storage, &store);
        let restoring =
            Restore { setup: &setup_of, from: &files, expected: None, progress: &|_, _| () };
        restore(&restoring).unwrap();
        let mut ledger = Ledger::open(setup_of).unwrap();
        commit(&mut ledger, chain, HEAD);
        ledger.close().unwrap();
        Self { storage, store }
    }
}

fn setup(chain: &TestLedger, storage: &Arc<MemoryStorage>, store: &Arc<MemoryStore>) -> Setup {
    let (id, initial) = (chain.genesis.chain(), chain.genesis.initial_state());
    let (storage, store) = (Arc::clone(storage), Arc::clone(store));
    Setup { storage, store, suite: SUITE, chain: id, initial }
}

fn commit(ledger: &mut Ledger, chain: &TestLedger, to: u64) {
    while ledger.head().height.get() < to {
        let block = chain.ledger.reader().block(ledger.head().height.next()).unwrap().unwrap();
        let changes = probata_contracts::execute(&block.proposal, &*ledger).unwrap().changes;
        ledger.commit(&block, &Arc::new(changes)).unwrap();
    }
}

/// Blocks as an honest peer hands them over, bent before they are.
fn serving(
    chain: &TestLedger,
    bend: impl Fn(u64, Vec<SealedBlock>) -> Vec<SealedBlock> + Send + 'static,
) -> Answers {
    let reader = chain.ledger.reader();
    Box::new(move |ask| {
        let Ask::Blocks { first, count } = *ask else { return None };
        let heights = (first.get()..).take(count as usize).map(Height::new);
        let blocks = heights.map_while(|height| reader.block(height).unwrap()).collect();
        let blocks = bend(count.into(), blocks);
        let bytes: Vec<Vec<u8>> = blocks.iter().map(probata_types::codec::encode).collect();
        Some(wire::join_blocks(&bytes))
    })
}

/// Fills up from servers; gives who was named, after the whole ledger was derived again and compared.
async fn fill(chain: &TestLedger, servers: &[&Server]) -> Vec<String> {
    let restored = Restored::from(chain);
    let metrics = Arc::new(Metrics::new());
    let setup_of_chain = ChainSetup {
        genesis: Arc::clone(&chain.genesis),
        keypairs: Vec::new(),
        storage: restored.storage.clone(),
        store: restored.store.clone(),
        metrics: Arc::clone(&metrics),
    };
    let now = Now { monotonic: Millis::ZERO, wall: chain.time() };
    let (mut opened, _) = Chain::open(setup_of_chain, now, &|_, _| ()).unwrap();
    let (_status, status) = watch::channel(opened.status());
    let (handle, mut queue) = ChainHandle::new(status);
    let mesh = rig::connected(chain.genesis.chain(), servers).await;
    let backfill = Backfill {
        reader: opened.reader(),
        chain: handle.clone(),
        mesh: mesh.handle.clone(),
        metrics: Arc::clone(&metrics),
    };
    let reader = opened.reader();
    assert_eq!(reader.history_from(), Height::new(BASE));
    let obeying = tokio::spawn(async move {
        loop {
            match queue.next().await {
                Some(Command::Stop) | None => return opened,
                Some(command) => drop(opened.handle(now, command).unwrap()),
            }
        }
    });
    backfill.run().await;
    assert_eq!(reader.history_from(), Height::new(1));
    drop(handle);
    obeying.await.unwrap().close().unwrap();
    let Restored { storage, store } = restored;
    let execute = |proposal: &probata_types::Proposal,
                   state: &dyn probata_types::state::StateRead| {
        let executed = probata_contracts::execute(proposal, state)?;
        Ok((executed.outcomes, executed.changes))
    };
    let fsck = Fsck {
        setup: setup(chain, &storage, &store),
        scratch: Arc::new(MemoryStore::default()),
        execute: &execute,
        workers: std::num::NonZeroUsize::MIN,
        stop: &std::sync::atomic::AtomicBool::new(false),
        progress: &|_| (),
    };
    let report = fsck.run().unwrap();
    assert!(report.is_clean() && report.checked == Height::new(HEAD), "{report:?}");
    rig::named(&metrics)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_whole_whoever_lies_and_names_those_and_nobody_else() {
    let chain = chain();
    let id = chain.genesis.chain();
    let garbage: Answers = Box::new(|_| Some(vec![7; 4_000]));
    let silent: Answers = Box::new(|_| None);
    let answers: [Answers; 8] = [
        serving(&chain, |_, mut blocks| {
            if let Some(last) = blocks.last_mut() {
                last.header.time = last.header.time.saturating_add(1);
            }
            blocks
        }),
        serving(&chain, |_, mut blocks| {
            blocks.iter_mut().for_each(|block| block.seal.votes = List::empty());
            blocks
        }),
        serving(&chain, |_, blocks| blocks.into_iter().rev().collect()),
        garbage,
        // From here on nothing is wrong, but for that it does not help.
        silent,
        serving(&chain, |_, _| Vec::new()),
        serving(&chain, |_, mut blocks| {
            blocks.truncate(1);
            blocks
        }),
        serving(&chain, |_, blocks| blocks),
    ];
    let mut servers = Vec::new();
    for (number, answers) in (1..).zip(answers) {
        servers.push(rig::serve(id, number, answers).await);
    }
    let servers: Vec<&Server> = servers.iter().collect();
    let named = fill(&chain, &servers).await;
    // Whoever was not asked before all was there could not lie.
    let asked = |server: &&&Server| !server.asked.lock().unwrap().is_empty();
    let liars: Vec<&Server> = servers[..4].iter().filter(asked).copied().collect();
    assert!(!liars.is_empty());
    assert_eq!(named, rig::names(&liars));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_lie_alone_beside_one_that_is_honest_is_named() {
    let chain = chain();
    let id = chain.genesis.chain();
    let lies: [Bend; 2] = [
        |_, mut blocks| {
            blocks.iter_mut().for_each(|block| block.outcomes = List::empty());
            blocks.iter_mut().for_each(|block| block.proposal.submissions = List::empty());
            blocks
        },
        |count, blocks| if count > 1 { blocks.into_iter().rev().collect() } else { Vec::new() },
    ];
    for lie in lies {
        // The liar is asked again and again until it has lied; the honest one is slow to grow.
        let liar = rig::serve(id, 1, serving(&chain, lie)).await;
        let honest = rig::serve(id, 2, serving(&chain, |_, blocks| blocks)).await;
        let named = fill(&chain, &[&liar, &honest]).await;
        assert_eq!(named, rig::names(&[&liar]));
    }
}
