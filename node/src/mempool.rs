//! Hold the submissions that wait for a block: bounded, each once, no institution ahead of another.
//!
//! No clock, no task; the chain thread owns it, and others see its submissions as [`Bodies`]. A submission leaves it when it is
//! sealed, when it expires or when its key is no longer good, never because another one came.
//!
//! **Fairness.** A block always goes on with the institution that it has given the fewest bytes so
//! far, and among equals with the one that has waited longest. So a flood of one institution costs
//! the others at most one submission of it, and costs itself the rest.
//!
//! **Order.** Submissions of one institution keep the order in which they came, because the records
//! of the later ones may follow those of the earlier ones. One that does not fit ends its
//! institution's part of the block.

use crate::{bodies::Bodies, handle::Refusal, limits};
use probata_types::{
    InstitutionId, Millis, PublicKey, Submission, SubmissionHead, Timestamp, Verified,
    submission::{IdempotencyKey, SubmissionId},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    iter::Peekable,
    sync::Arc,
};
use tokio::sync::oneshot;

/// How much a mempool may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MempoolLimits {
    /// Submissions of one institution.
    pub pending_per_institution: usize,
    /// Canonical bytes of all submissions.
    pub total_bytes: usize,
    /// Submissions of all institutions.
    pub total_submissions: usize,
}

/// How much the submissions of a block may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockLimits {
    /// Submissions.
    pub submissions: usize,
    /// Records of all of them.
    pub records: usize,
    /// Canonical bytes of all of them.
    pub bytes: usize,
}

/// What became of a submission that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// It is new and now waits.
    New,
    /// The very same one already waits.
    Joined,
}

/// The submissions that wait for a block. Who waits for one gets a `T` once it is sealed.
#[derive(Debug)]
pub struct Mempool<T> {
    limits: MempoolLimits,
    /// The same submissions, for other threads.
    bodies: Arc<Bodies>,
    pending: BTreeMap<SubmissionId, Pending<T>>,
    /// By arrival number, oldest first.
    arrivals: BTreeMap<u64, SubmissionId>,
    /// The arrivals of each institution that has any.
    queues: BTreeMap<InstitutionId, BTreeSet<u64>>,
    keys: BTreeMap<(InstitutionId, IdempotencyKey), SubmissionId>,
    expiries: BTreeSet<(Timestamp, SubmissionId)>,
    /// What each key has signed, of the institutions that have any.
    signers: BTreeMap<(InstitutionId, PublicKey), BTreeSet<SubmissionId>>,
    records: usize,
    bytes: usize,
    next_arrival: u64,
}

/// One submission that waits.
#[derive(Debug)]
struct Pending<T> {
    submission: Verified<Submission>,
    bytes: usize,
    arrival: u64,
    admitted_at: Millis,
    waiters: Vec<oneshot::Sender<T>>,
}

impl<T: Clone> Mempool<T> {
    /// An empty mempool.
    pub fn new(limits: MempoolLimits) -> Self {
        Self {
            limits,
            bodies: Arc::default(),
            pending: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            queues: BTreeMap::new(),
            keys: BTreeMap::new(),
            expiries: BTreeSet::new(),
            signers: BTreeMap::new(),
            records: 0,
            bytes: 0,
            next_arrival: 0,
        }
    }

    /// Takes a submission, or joins it to the same one that already waits. `now` is the monotonic
    /// time.
    ///
    /// # Errors
    /// [`Refusal::IdempotencyConflict`] if another submission of the institution waits under the
    /// same key, [`Refusal::Quota`] and [`Refusal::PoolFull`] if there is no room. Nothing has
    /// changed then.
    pub fn admit(
        &mut self,
        submission: Verified<Submission>,
        now: Millis,
    ) -> Result<Admitted, Refusal> {
        let id = submission.id();
        if self.pending.contains_key(&id) {
            return Ok(Admitted::Joined);
        }
        let institution = submission.head.institution;
        let key = (institution, submission.head.idempotency_key);
        if let Some(first) = self.keys.get(&key) {
            return Err(Refusal::IdempotencyConflict { first: *first });
        }
        let pending = self.queues.get(&institution).map_or(0, BTreeSet::len);
        let quota = self.limits.pending_per_institution;
        if pending >= quota {
            return Err(Refusal::Quota { pending, quota });
        }
        let bytes = submission.size();
        if self.pending.len() >= self.limits.total_submissions
            || self.bytes.saturating_add(bytes) > self.limits.total_bytes
        {
            return Err(Refusal::PoolFull);
        }
        let arrival = self.next_arrival;
        self.next_arrival += 1;
        self.records += submission.records.len();
        self.bytes += bytes;
        self.keys.insert(key, id);
        self.arrivals.insert(arrival, id);
        self.queues.entry(institution).or_default().insert(arrival);
        self.expiries.insert((submission.head.expires_at, id));
        self.signers.entry((institution, submission.head.key)).or_default().insert(id);
        self.bodies.add([(*submission).clone()]);
        let waiters = Vec::new();
        let entry = Pending { submission, bytes, arrival, admitted_at: now, waiters };
        let before = self.pending.insert(id, entry);
        assert!(before.is_none(), "a submission waits once");
        Ok(Admitted::New)
    }

    /// Lets `waiter` know once the submission is sealed; it is dropped if the submission
    /// expires, is not here, or too many others wait for it.
    pub fn wait(&mut self, id: &SubmissionId, waiter: oneshot::Sender<T>) {
        let Some(entry) = self.pending.get_mut(id) else { return };
        if entry.waiters.len() >= limits::WAITERS_PER_SUBMISSION {
            entry.waiters.retain(|waiter| !waiter.is_closed());
        }
        if entry.waiters.len() < limits::WAITERS_PER_SUBMISSION {
            entry.waiters.push(waiter);
        }
    }

    /// The submissions for the next block, without those that a block at `block_time` would refuse
    /// as expired. They stay here until they are sealed. One that alone exceeds a limit is passed
    /// over.
    pub fn next_block(&self, limits: BlockLimits, block_time: Timestamp) -> Vec<Submission> {
        let mut lines = self.lines(|entry| {
            entry.submission.head.expires_at >= block_time
                && entry.submission.records.len() <= limits.records
                && entry.bytes <= limits.bytes
        });
        // Bytes given so far, then the arrival of the next one: the first of the set goes on.
        let mut turns: BTreeSet<(usize, u64, InstitutionId)> = BTreeSet::new();
        for (institution, line) in &mut lines {
            if let Some(next) = line.peek() {
                turns.insert((0, next.arrival, *institution));
            }
        }
        let mut chosen = Vec::new();
        let (mut records, mut bytes) = (0, 0);
        while let Some((given, _, institution)) = turns.pop_first() {
            if chosen.len() == limits.submissions {
                break;
            }
            let line = lines.get_mut(&institution).expect("a turn stands for a line");
            let entry = line.next().expect("a turn stands for a submission");
            let more_records = entry.submission.records.len();
            if records + more_records > limits.records || bytes + entry.bytes > limits.bytes {
                continue;
            }
            records += more_records;
            bytes += entry.bytes;
            chosen.push((*entry.submission).clone());
            if let Some(next) = line.peek() {
                turns.insert((given + entry.bytes, next.arrival, institution));
            }
        }
        chosen
    }

    /// Takes out what was sealed, and tells those who wait. Answers how many bytes it took.
    pub fn remove_sealed(&mut self, ids: &[SubmissionId], sealed: &T) -> usize {
        let before = self.bytes;
        for id in ids {
            let Some(entry) = self.remove(id) else { continue };
            for waiter in entry.waiters {
                // Who no longer waits need not be told.
                let _ = waiter.send(sealed.clone());
            }
        }
        before - self.bytes
    }

    /// Takes out the submission of an institution that waits under a key, and drops those who wait for
    /// it: another one under the same key was sealed, so it never can be.
    pub fn remove_key(&mut self, institution: InstitutionId, key: IdempotencyKey) {
        if let Some(id) = self.keys.get(&(institution, key)).copied() {
            let removed = self.remove(&id);
            assert!(removed.is_some(), "a key stands for a submission that waits");
        }
    }

    /// For each key that has signed something here the head of one such submission.
    pub fn signers(&self) -> impl Iterator<Item = &SubmissionHead> {
        let first = self.signers.values().filter_map(|ids| self.get(ids.first()?));
        first.map(|submission| &submission.head)
    }

    /// Takes out what a key has signed, and drops those who wait for it: the key is no longer good, so it
    /// never can be sealed.
    pub fn remove_signer(&mut self, institution: InstitutionId, key: PublicKey) {
        for id in self.signers.get(&(institution, key)).cloned().unwrap_or_default() {
            let removed = self.remove(&id);
            assert!(removed.is_some(), "a signer stands for submissions that wait");
        }
    }

    /// Takes out what no block later than `now` may hold, and drops those who wait for it. Answers
    /// how many.
    pub fn expire(&mut self, now: Timestamp) -> usize {
        let mut expired = 0;
        while let Some((expires_at, id)) = self.expiries.first().copied() {
            if expires_at >= now {
                break;
            }
            let removed = self.remove(&id);
            assert!(removed.is_some(), "an expiry stands for a submission that waits");
            expired += 1;
        }
        expired
    }

    /// The submission that has waited longest, and when it was admitted; `None` if none waits.
    pub fn oldest(&self) -> Option<(SubmissionId, Millis)> {
        let (_, id) = self.arrivals.first_key_value()?;
        let entry = self.pending.get(id).expect("an arrival stands for a submission");
        Some((*id, entry.admitted_at))
    }

    /// The same submissions, for other threads to look at.
    pub fn bodies(&self) -> &Arc<Bodies> {
        &self.bodies
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Submissions that wait.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Records of the submissions that wait.
    pub const fn records(&self) -> usize {
        self.records
    }

    /// Canonical bytes of the submissions that wait.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether this submission waits.
    pub fn contains(&self, id: &SubmissionId) -> bool {
        self.pending.contains_key(id)
    }

    /// The submission, if it waits.
    pub fn get(&self, id: &SubmissionId) -> Option<&Submission> {
        self.pending.get(id).map(|entry| &*entry.submission)
    }

    /// For each institution what may go into a block, in order.
    fn lines(
        &self,
        may_go: impl Fn(&Pending<T>) -> bool + Copy,
    ) -> BTreeMap<InstitutionId, Peekable<impl Iterator<Item = &Pending<T>>>> {
        let mut lines = BTreeMap::new();
        for (institution, queue) in &self.queues {
            let entries = queue.iter().map(|arrival| {
                let id = self.arrivals.get(arrival).expect("a queue holds arrivals");
                self.pending.get(id).expect("an arrival stands for a submission")
            });
            lines.insert(*institution, entries.filter(move |one| may_go(one)).peekable());
        }
        lines
    }

    fn remove(&mut self, id: &SubmissionId) -> Option<Pending<T>> {
        let entry = self.pending.remove(id)?;
        self.bodies.remove([entry.submission.leaf()]);
        let head = &entry.submission.head;
        self.records -= entry.submission.records.len();
        self.bytes -= entry.bytes;
        self.keys.remove(&(head.institution, head.idempotency_key));
        self.arrivals.remove(&entry.arrival);
        self.expiries.remove(&(head.expires_at, *id));
        let signer = (head.institution, head.key);
        let signed = self.signers.get_mut(&signer).expect("somebody signed it");
        signed.remove(id);
        if signed.is_empty() {
            self.signers.remove(&signer);
        }
        let queue = self.queues.get_mut(&head.institution).expect("it stood in a queue");
        queue.remove(&entry.arrival);
        if queue.is_empty() {
            self.queues.remove(&head.institution);
        }
        assert_eq!(self.pending.len(), self.arrivals.len(), "every submission has its arrival");
        Some(entry)
    }
}

#[cfg(test)]
mod tests;
