//! What only the inside shows. How chains behave together is tried in crate `tests`, in `it/chain`.

use super::{Chain, ChainSetup, Effect};
use crate::{fixtures, handle::Command, limits, metrics::Metrics};
use probata_consensus::{Message, MessageBody};
use probata_ledger::{Journal, MemoryStorage, MemoryStore};
use probata_types::{Millis, Now, RecordId, Submission, Timestamp, ValidatorIndex, Verified};
use std::sync::Arc;

struct Leader {
    storage: Arc<MemoryStorage>,
    now: Now,
    chain: Chain,
}

impl Leader {
    fn open(storage: Arc<MemoryStorage>, now: Now) -> (Self, Vec<Effect>) {
        let genesis = Arc::new(fixtures::genesis());
        let leads = genesis.validator_set().get(ValidatorIndex(0)).unwrap().key;
        let keypairs =
            (1..5).map(|number| fixtures::pair(number, 3)).filter(|it| it.public() == leads);
        let setup = ChainSetup {
            genesis,
            keypairs: keypairs.collect(),
            storage: Arc::clone(&storage) as _,
            store: Arc::new(MemoryStore::default()),
            metrics: Arc::new(Metrics::new()),
        };
        let (chain, effects) = Chain::open(setup, now, &|_, _| ()).unwrap();
        (Self { storage, now, chain }, effects)
    }

    /// Lets time pass; what is said meanwhile.
    fn pass(&mut self, time: u64) -> Vec<Message> {
        let until = self.now.monotonic.saturating_add(time);
        let mut said = Vec::new();
        while self.chain.deadline() <= until {
            let wait = self.chain.deadline().since(self.now.monotonic);
            self.now.monotonic = self.now.monotonic.saturating_add(wait);
            self.now.wall = self.now.wall.saturating_add(wait);
            said.extend(self.chain.tick(self.now).unwrap().into_iter().filter_map(|it| match it {
                Effect::Broadcast(message) => Some(message),
                _ => None,
            }));
        }
        said
    }
}

fn proposals(said: &[Message]) -> Vec<&Message> {
    said.iter().filter(|it| matches!(it.body, MessageBody::PrePrepare { .. })).collect()
}

#[test]
fn a_rewritten_journal_binds_as_the_whole_one_did() {
    let start = Now { monotonic: Millis::ZERO, wall: fixtures::begin() };
    let (mut leader, _) = Leader::open(Arc::new(MemoryStorage::default()), start);
    let heartbeat = leader.chain.genesis.parameters().heartbeat.get();
    let said = leader.pass(heartbeat + 300);
    assert!(!proposals(&said).is_empty(), "the heartbeat is due");
    let before = leader.chain.replica.promises();

    leader.chain.journal_bytes = leader.chain.journal_kept + limits::JOURNAL_BYTES + 1;
    leader.pass(limits::HOUSEKEEPING_INTERVAL_MS);
    assert_eq!(leader.chain.journal_bytes, leader.chain.journal_kept, "it was rewritten");
    let files = MemoryStorage::with_files(leader.storage.files());
    let (_, records) = Journal::open(Arc::new(files)).unwrap();
    assert_eq!(records.len(), before.len());

    // After a crash it does not propose another block in the view in which it has.
    let Leader { storage, now, chain } = leader;
    drop(chain);
    let (mut again, _) = Leader::open(storage, now);
    assert_eq!(again.chain.replica.promises(), before);
    assert_eq!(proposals(&again.pass(2 * heartbeat)), Vec::<&Message>::new());
}

#[test]
fn views_that_end_without_a_seal_do_not_fill_the_journal() {
    let start = Now { monotonic: Millis::ZERO, wall: fixtures::begin() };
    let (mut leader, _) = Leader::open(Arc::new(MemoryStorage::default()), start);
    let heartbeat = leader.chain.genesis.parameters().heartbeat.get();
    leader.pass(heartbeat + 300);
    // Nobody answers, nothing is ever committed; what no longer binds goes all the same.
    for _ in 0..3 {
        leader.chain.journal_bytes = leader.chain.journal_kept + limits::JOURNAL_BYTES + 1;
        leader.pass(limits::HOUSEKEEPING_INTERVAL_MS);
        assert!(leader.chain.journal_bytes < limits::JOURNAL_BYTES);
    }
}

#[test]
fn what_was_handed_on_is_among_the_bodies_while_it_waits_and_no_longer() {
    let start = Now { monotonic: Millis::ZERO, wall: fixtures::begin() };
    let (mut leader, _) = Leader::open(Arc::new(MemoryStorage::default()), start);
    let chain = leader.chain.genesis.chain();
    let one = |at| {
        let record = fixtures::consent(1, fixtures::flow(1), 1, RecordId::NONE, at);
        fixtures::submission(chain, 1, 1, at, vec![record])
    };
    let waits = one(start.wall);
    let mut same_head = waits.clone();
    same_head.signature.0[0] ^= 1;
    let expired = one(Timestamp::new(1));
    let bodies = Arc::clone(leader.chain.bodies());
    let mut hand_on = |submission: &Submission| {
        // As the way in does, once it is checked.
        bodies.add([submission.clone()]);
        let submissions = vec![Verified::assume(submission.clone())];
        leader.chain.handle(start, Command::Submit { submissions, answer: None }).unwrap();
        bodies.find(&[submission.leaf()]).remove(0)
    };
    assert_eq!(hand_on(&waits).as_ref(), Some(&waits));
    assert_eq!(hand_on(&waits).as_ref(), Some(&waits), "it waits once");
    assert_eq!(hand_on(&same_head), None, "another signature than that of what waits");
    assert_eq!(hand_on(&expired), None);
    assert_eq!(bodies.find(&[waits.leaf()]), [Some(waits)]);
}
