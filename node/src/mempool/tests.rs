use super::*;
use crate::fixtures::{lei, unsigned};
use probata_types::Height;
use proptest::prelude::*;
use tokio::sync::oneshot::error::TryRecvError;

const FAR: Timestamp = Timestamp::new(1_000_000);
const ROOMY: MempoolLimits = MempoolLimits {
    pending_per_institution: 1_000,
    total_bytes: 100_000_000,
    total_submissions: 10_000,
};

fn pool() -> Mempool<Height> {
    Mempool::new(ROOMY)
}

/// Admits submission `key` of institution `number`, at the monotonic time `key`.
fn admit(pool: &mut Mempool<Height>, number: u32, key: u64) -> SubmissionId {
    let submission = unsigned(number, key, FAR, 1);
    let id = submission.id();
    assert_eq!(pool.admit(submission, Millis::new(key)), Ok(Admitted::New));
    id
}

/// The whole batch at time 0, as (institution, idempotency key).
fn batch(
    pool: &Mempool<Height>,
    submissions: usize,
    records: usize,
    bytes: usize,
) -> Vec<(u32, u64)> {
    let batch = pool.next_block(BlockLimits { submissions, records, bytes }, Timestamp::ZERO);
    batch.iter().map(name).collect()
}

fn name(submission: &Submission) -> (u32, u64) {
    let head = &submission.head;
    let number = (1..20).find(|number| lei(*number) == head.institution).unwrap();
    let mut key = [0; 8];
    key.copy_from_slice(&head.idempotency_key.0[..8]);
    (number, u64::from_be_bytes(key))
}

const ALL: usize = usize::MAX;
const NO_LIMIT: BlockLimits = BlockLimits { submissions: ALL, records: ALL, bytes: ALL };

#[test]
fn the_same_submission_joins_the_first() {
    let mut pool = pool();
    admit(&mut pool, 1, 1);
    assert_eq!(pool.admit(unsigned(1, 1, FAR, 1), Millis::new(9)), Ok(Admitted::Joined));
    assert_eq!(pool.len(), 1);
    assert_eq!(pool.oldest().map(|(_, at)| at), Some(Millis::new(1)));
}

#[test]
fn an_idempotency_key_names_one_waiting_submission_of_its_institution() {
    let mut pool = pool();
    let first = admit(&mut pool, 1, 1);
    let other = unsigned(1, 1, Timestamp::new(5), 1);
    let refusal = pool.admit(other.clone(), Millis::ZERO);
    assert_eq!(refusal, Err(Refusal::IdempotencyConflict { first }));
    admit(&mut pool, 2, 1);
    pool.remove_sealed(&[first], &Height::new(1));
    assert_eq!(pool.admit(other, Millis::ZERO), Ok(Admitted::New));
}

#[test]
fn each_bound_refuses_and_nothing_changes() {
    let bytes = unsigned(1, 1, FAR, 1).size();
    let limits =
        MempoolLimits { pending_per_institution: 2, total_bytes: 4 * bytes, total_submissions: 3 };
    let mut pool = Mempool::new(limits);
    admit(&mut pool, 1, 1);
    admit(&mut pool, 1, 2);
    let quota = Refusal::Quota { pending: 2, quota: 2 };
    assert_eq!(pool.admit(unsigned(1, 3, FAR, 1), Millis::ZERO), Err(quota));
    admit(&mut pool, 2, 1);
    assert_eq!(pool.admit(unsigned(3, 1, FAR, 1), Millis::ZERO), Err(Refusal::PoolFull));
    assert_eq!((pool.len(), pool.bytes()), (3, 3 * bytes));

    let mut pool = Mempool::new(MempoolLimits { total_bytes: 2 * bytes, ..limits });
    admit(&mut pool, 1, 1);
    assert_eq!(pool.admit(unsigned(2, 1, FAR, 2), Millis::ZERO), Err(Refusal::PoolFull));
    admit(&mut pool, 2, 1);
}

#[test]
fn a_batch_takes_turns_and_keeps_the_order_of_each_institution() {
    let mut pool = pool();
    for key in 1..=4 {
        admit(&mut pool, 2, key);
    }
    admit(&mut pool, 1, 5);
    admit(&mut pool, 3, 6);
    admit(&mut pool, 1, 7);
    let expected = [(2, 1), (1, 5), (3, 6), (2, 2), (1, 7), (2, 3), (2, 4)];
    assert_eq!(batch(&pool, ALL, ALL, ALL), expected);
    assert_eq!(batch(&pool, 4, ALL, ALL), expected[..4]);
    assert_eq!(batch(&pool, ALL, 3, ALL), expected[..3]);
    let bytes = unsigned(1, 1, FAR, 1).size();
    assert_eq!(batch(&pool, ALL, ALL, 2 * bytes + 1), expected[..2]);
}

#[test]
fn large_submissions_count_as_what_they_weigh() {
    let mut pool = pool();
    for key in 1..=3 {
        pool.admit(unsigned(1, key, FAR, 10), Millis::ZERO).unwrap();
    }
    for key in 1..=30 {
        admit(&mut pool, 2, key);
    }
    let taken = batch(&pool, ALL, 30, ALL);
    let small = taken.iter().filter(|(number, _)| *number == 2).count();
    assert!((10..=20).contains(&small), "{taken:?}");
}

#[test]
fn one_that_can_never_fit_is_passed_over_and_one_that_does_not_fit_now_ends_its_line() {
    let mut pool = pool();
    pool.admit(unsigned(1, 1, FAR, 9), Millis::ZERO).unwrap();
    admit(&mut pool, 1, 2);
    assert_eq!(batch(&pool, ALL, 8, ALL), [(1, 2)]);

    admit(&mut pool, 2, 1);
    pool.admit(unsigned(2, 2, FAR, 8), Millis::ZERO).unwrap();
    admit(&mut pool, 2, 3);
    // Number 3 may follow number 2, so it does not overtake it.
    assert_eq!(batch(&pool, ALL, 8, ALL), [(1, 2), (2, 1)]);
}

#[test]
fn what_a_block_would_refuse_as_expired_is_left_out_and_expires() {
    let mut pool = pool();
    let soon = unsigned(1, 1, Timestamp::new(100), 1);
    let id = soon.id();
    pool.admit(soon, Millis::ZERO).unwrap();
    let (waiter, mut sealed) = oneshot::channel();
    pool.wait(&id, waiter);
    assert_eq!(pool.next_block(NO_LIMIT, Timestamp::new(100)).len(), 1);
    assert_eq!(pool.next_block(NO_LIMIT, Timestamp::new(101)).len(), 0);
    assert_eq!(pool.expire(Timestamp::new(100)), 0);
    assert_eq!(sealed.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(pool.expire(Timestamp::new(101)), 1);
    assert_eq!(sealed.try_recv(), Err(TryRecvError::Closed));
    assert!(pool.is_empty() && pool.bytes() == 0 && pool.oldest().is_none());
}

#[test]
fn those_who_wait_learn_the_height() {
    let mut pool = pool();
    let id = admit(&mut pool, 1, 1);
    let mut waiters: Vec<_> = (0..3)
        .map(|_| {
            let (waiter, sealed) = oneshot::channel();
            pool.wait(&id, waiter);
            sealed
        })
        .collect();
    pool.remove_sealed(&[id, SubmissionId([9; 32])], &Height::new(7));
    assert!(!pool.contains(&id) && pool.get(&id).is_none());
    for sealed in &mut waiters {
        assert_eq!(sealed.try_recv(), Ok(Height::new(7)));
    }
}

#[test]
fn waiters_are_bounded_and_those_who_left_give_way() {
    let mut pool = pool();
    let id = admit(&mut pool, 1, 1);
    let mut waiting = Vec::new();
    for _ in 0..limits::WAITERS_PER_SUBMISSION {
        let (waiter, sealed) = oneshot::channel();
        pool.wait(&id, waiter);
        waiting.push(sealed);
    }
    let (waiter, mut one_more) = oneshot::channel();
    pool.wait(&id, waiter);
    assert_eq!(one_more.try_recv(), Err(TryRecvError::Closed));
    waiting.pop();
    let (waiter, mut one_more) = oneshot::channel();
    pool.wait(&id, waiter);
    assert_eq!(one_more.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn what_a_key_signed_goes_with_the_key_and_nothing_else_does() {
    let mut pool = pool();
    let (first, _) = (admit(&mut pool, 1, 1), admit(&mut pool, 1, 2));
    let other = admit(&mut pool, 2, 1);
    let signers: Vec<_> = pool.signers().map(|head| (head.institution, head.key)).collect();
    assert_eq!(signers.len(), 2, "each once, however much it signed");
    let (waiter, mut told) = oneshot::channel();
    pool.wait(&first, waiter);
    let key = pool.get(&first).unwrap().head.key;
    pool.remove_signer(lei(1), PublicKey([7; 32]));
    assert_eq!(pool.len(), 3, "another key's");
    pool.remove_signer(lei(1), key);
    assert_eq!(told.try_recv(), Err(TryRecvError::Closed));
    assert!(pool.contains(&other) && pool.len() == 1);
    assert_eq!(pool.signers().count(), 1);
}

#[test]
fn the_oldest_is_the_one_admitted_first() {
    let mut pool = pool();
    let first = admit(&mut pool, 1, 10);
    admit(&mut pool, 2, 20);
    assert_eq!(pool.oldest().map(|(_, at)| at), Some(Millis::new(10)));
    pool.remove_sealed(&[first], &Height::new(1));
    assert_eq!(pool.oldest().map(|(_, at)| at), Some(Millis::new(20)));
}

/// Ten institutions offer ten times what blocks take, one of them most of it: each gets its share.
#[test]
fn under_overload_every_institution_gets_its_share() {
    let mut pool = Mempool::new(MempoolLimits { pending_per_institution: 100, ..ROOMY });
    let mut sealed = [0u32; 11];
    let mut key = 0;
    for height in 0..50 {
        for number in 1..=10 {
            let offered = if number == 1 { 100 } else { 10 };
            for _ in 0..offered {
                key += 1;
                // The quota refuses what is too much.
                let _ = pool.admit(unsigned(number, key, FAR, 1), Millis::ZERO);
            }
        }
        let batch = pool.next_block(BlockLimits { submissions: 20, ..NO_LIMIT }, Timestamp::ZERO);
        assert_eq!(batch.len(), 20);
        for submission in &batch {
            sealed[name(submission).0 as usize] += 1;
        }
        let ids: Vec<_> = batch.iter().map(Submission::id).collect();
        pool.remove_sealed(&ids, &Height::new(height));
    }
    // Jain's index of fairness, (Σx)² / (n·Σx²), in thousandths.
    let sum: u32 = sealed.iter().sum();
    let squares: u32 = sealed.iter().map(|one| one * one).sum();
    assert!(sum * sum * 1_000 / (10 * squares) >= 900, "{sealed:?}");
}

#[derive(Debug, Clone)]
enum Step {
    Admit { number: u32, key: u64, expires: u64, records: usize },
    Seal { count: usize },
    Expire { now: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1u32..6, 0u64..40, 0u64..200, 1usize..4)
            .prop_map(|(number, key, expires, records)| {
                Step::Admit { number, key, expires, records }
            }),
        1 => (0usize..6).prop_map(|count| Step::Seal { count }),
        1 => (0u64..200).prop_map(|now| Step::Expire { now }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against a plain list: the bounds hold, nothing is lost, nothing is in a batch that is not
    /// here.
    #[test]
    fn it_holds_what_a_plain_list_holds(steps in prop::collection::vec(step(), 1..120)) {
        let limits = MempoolLimits {
            pending_per_institution: 5,
            total_bytes: 8_000,
            total_submissions: 12,
        };
        let mut pool = Mempool::new(limits);
        let mut list: Vec<Verified<Submission>> = Vec::new();
        for (at, step) in steps.into_iter().enumerate() {
            match step {
                Step::Admit { number, key, expires, records } => {
                    let one = unsigned(number, key, Timestamp::new(expires), records);
                    if pool.admit(one.clone(), Millis::new(at as u64)) == Ok(Admitted::New) {
                        list.push(one);
                    }
                }
                Step::Seal { count } => {
                    let limits = BlockLimits { submissions: count, records: 6, bytes: 4_000 };
                    let batch = pool.next_block(limits, Timestamp::ZERO);
                    let ids: Vec<_> = batch.iter().map(Submission::id).collect();
                    pool.remove_sealed(&ids, &Height::new(1));
                    list.retain(|one| !ids.contains(&one.id()));
                }
                Step::Expire { now } => {
                    pool.expire(Timestamp::new(now));
                    list.retain(|one| one.head.expires_at >= Timestamp::new(now));
                }
            }
            let bytes: usize = list.iter().map(|one| one.size()).sum();
            prop_assert_eq!((pool.len(), pool.bytes()), (list.len(), bytes));
            prop_assert!(bytes <= limits.total_bytes && list.len() <= limits.total_submissions);
            let batch = pool.next_block(NO_LIMIT, Timestamp::ZERO);
            prop_assert_eq!(batch.len(), list.len());
            for number in 1..6 {
                let of = |one: &&Submission| one.head.institution == lei(number);
                let waiting: Vec<_> = list.iter().map(|one| &**one).filter(of).collect();
                let taken: Vec<_> = batch.iter().filter(of).collect();
                prop_assert!(waiting.len() <= limits.pending_per_institution);
                prop_assert_eq!(waiting, taken, "each institution's are in order of arrival");
            }
        }
    }
}
