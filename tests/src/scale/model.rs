//! The closed form: what a block costs and how long it takes, on paper.
//!
//! One height at a time: a leader proposes (P4), a quorum prepares (P6, P7), executes (P8) and seals (P9); the
//! next proposal is made when the last block is committed and the batching delay is over. So a block takes
//!
//! ```text
//!  round = propose + reach a quorum + check + judge          the proposal
//!        + max(execute, one way + a quorum of votes)         Prepare, while it is executed
//!        + one way + a quorum of votes                       Commit
//!        + max(batching delay, commit)                       until the next one
//! ```
//!
//! or what its slowest queue needs for it, if that is more. Times are nanoseconds.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "figures for people: nothing is decided by them"
)]

use super::{
    costs::Costs,
    setting::{Load, Setting},
};
use probata_node::limits::NAMED_FROM_BYTES;
use probata_types::validator::quorum;
use serde::Serialize;

/// Bytes of the length before a frame, and of the frame's kind.
const FRAME: f64 = 8.0;
/// Bytes of a Prepare: sender, signature, kind, height, view, digest.
const PREPARE: f64 = FRAME + 2.0 + 64.0 + 4.0 + 8.0 + 8.0 + 32.0;
/// Bytes of a Commit: sender, signature, kind, view, header.
const COMMIT: f64 = FRAME + 2.0 + 64.0 + 4.0 + 8.0 + HEADER;
/// Bytes of a header.
pub(super) const HEADER: f64 = 288.0;
/// Bytes of a PrePrepare without submissions: the same, height and view, and the proposal's head.
const PRE_PREPARE: f64 = FRAME + 2.0 + 64.0 + 4.0 + 8.0 + 8.0 + PROPOSAL_HEAD;
/// Bytes of a proposal without its submissions.
pub(super) const PROPOSAL_HEAD: f64 = 94.0;
/// Bytes of a name of a submission, and of the number of names.
const NAME: (f64, f64) = (32.0, 8.0);
/// Bytes of a seal without its votes, and of a vote.
const SEAL: (f64, f64) = (16.0, 66.0);
/// Nanoseconds that a timer in whole milliseconds ends before its time, on average.
const ROUNDED: f64 = 500_000.0;
/// Steps towards the number of records at which a block takes as long as they need to come: each brings it
/// closer by the share of the processor that they need.
const STEPS: usize = 200;

/// What the closed form says, of one block if nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Model {
    /// Records.
    pub records: f64,
    /// Messages of consensus on the wire, all validators together.
    pub messages: f64,
    /// Their bytes, and those of submissions handed on.
    pub bytes: f64,
    /// Signatures of votes that one validator checks.
    pub vote_checks: f64,
    /// Signatures of submissions that one validator checks.
    pub submission_checks: f64,
    /// Bytes of the seal.
    pub seal_bytes: f64,
    /// Milliseconds from when a submission is due until its own node has it sealed, on average.
    pub finality_ms: f64,
    /// Records a second.
    pub records_per_second: f64,
    /// What a block waits for.
    pub bound_by: Bound,
}

/// What a block waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// One phase after the other.
    Round,
    /// The chain thread has something to do all the time.
    ChainThread,
    /// Checking votes.
    Votes,
    /// Checking submissions.
    Submissions,
    /// The leader's link, or everybody's.
    Link,
}

/// A setting in numbers.
struct Paper<'a> {
    costs: &'a Costs,
    n: f64,
    quorum: f64,
    one_way: f64,
    batch_delay: f64,
    per_submission: f64,
    /// Bytes of one submission.
    submission: f64,
}

/// Bytes of a seal of so many validators.
pub(super) fn seal_bytes(validators: usize) -> f64 {
    SEAL.0 + quorum(validators) as f64 * SEAL.1
}

/// Computes a setting whose submissions are of so many bytes.
pub(super) fn model(setting: &Setting, submission_bytes: u64) -> Model {
    let batch_delay = setting.parameters().batch_delay.get() as f64 * 1e6;
    let paper = Paper {
        costs: &setting.costs,
        n: setting.validators as f64,
        quorum: quorum(setting.validators) as f64,
        one_way: setting.one_way() as f64,
        batch_delay: batch_delay - ROUNDED,
        per_submission: setting.records_per_submission as f64,
        submission: submission_bytes as f64,
    };
    let submissions = match setting.load {
        Load::Full => setting.most_submissions(submission_bytes) as f64,
        Load::Offered(records) => paper.settle(records as f64 / paper.per_submission / 1e9),
    };
    let (cycle, bound_by) = paper.cycle(submissions);
    let most = setting.most_submissions(submission_bytes) as f64;
    let ceiling = most * paper.per_submission / paper.cycle(most).0 * 1e9;
    let (interval, records_per_second) = match setting.load {
        Load::Full => (cycle, ceiling),
        Load::Offered(records) => {
            let interval = submissions * paper.per_submission * 1e9 / records as f64;
            (interval.max(cycle), ceiling.min(records as f64))
        }
    };
    let records = submissions * paper.per_submission;
    let handed_on = (paper.n - 1.0) * (submissions * paper.submission);
    Model {
        records,
        messages: (paper.n - 1.0) * (2.0 * paper.n + 1.0),
        bytes: paper.consensus_bytes(submissions) + handed_on,
        vote_checks: (paper.n - 1.0) * (2.0 * paper.n + 1.0) / paper.n,
        submission_checks: submissions,
        seal_bytes: seal_bytes(setting.validators),
        finality_ms: (paper.way_to_leader()
            + interval / 2.0
            + paper.proposed_to_sealed(submissions))
            / 1e6,
        records_per_second,
        bound_by,
    }
}

impl Paper<'_> {
    /// Submissions of a block if so many come each nanosecond: as many as come while one is sealed.
    fn settle(&self, rate: f64) -> f64 {
        let mut submissions = 1.0;
        for _ in 0..STEPS {
            // Half the way: where proposals begin to be named, a block takes less time by a step.
            submissions = f64::midpoint(submissions, (rate * self.cycle(submissions).0).max(1.0));
        }
        submissions
    }

    /// How long from one proposal to the next, and because of what.
    fn cycle(&self, submissions: f64) -> (f64, Bound) {
        let costs = self.costs;
        let records = submissions * self.per_submission;
        let wait = self.batch_delay.max(self.commit(records));
        let round = self.proposed_to_sealed(submissions) - self.commit(records) + wait;
        let steps = self.frames() * costs.step as f64 + 3.0 * costs.sync as f64;
        let chain = submissions * (costs.screen + costs.admit_submission) as f64
            + records * costs.admit_record as f64
            + steps
            + self.execute(records)
            + self.commit(records);
        let lane = self.frames() * (costs.frame + costs.signature) as f64;
        let checks = self.edge(submissions);
        let handed_on = submissions * self.submission * (self.n - 1.0) / self.n;
        let votes = (self.n - 1.0) * (PREPARE + COMMIT);
        let of_leader = (self.n - 1.0) * self.pre_prepare(submissions) + votes + handed_on;
        let each = [
            (round, Bound::Round),
            (chain, Bound::ChainThread),
            (lane, Bound::Votes),
            (checks / costs.check_threads as f64, Bound::Submissions),
            (self.transmission(of_leader), Bound::Link),
        ];
        each.into_iter()
            .fold((0.0, Bound::Round), |most, one| if one.0 > most.0 { one } else { most })
    }

    /// From when a leader begins to make a proposal until its block is committed.
    fn proposed_to_sealed(&self, submissions: f64) -> f64 {
        let costs = self.costs;
        let (sync, step) = (costs.sync as f64, costs.step as f64);
        let vote = (costs.frame + costs.signature) as f64;
        let records = submissions * self.per_submission;
        let others = self.quorum - 1.0;
        let screened = submissions * costs.screen as f64;
        let copy = self.transmission(self.pre_prepare(submissions)).max(costs.frame as f64);
        let reached = screened + sync + others * copy + self.one_way + costs.frame as f64;
        let checked = reached + costs.signature as f64 + submissions * costs.named as f64;
        let judged = checked + step + screened + sync;
        let executed = judged + self.execute(records) + others * step;
        let first_prepare = judged + self.one_way;
        let prepared = executed.max(first_prepare + others * vote + step);
        let all_prepares = first_prepare + (self.n - 1.0) * vote;
        let first_commit = (prepared + sync + step + self.one_way).max(all_prepares);
        first_commit + others * vote + step + self.commit(records)
    }

    /// From when a submission is due until it waits at the leader.
    fn way_to_leader(&self) -> f64 {
        let costs = self.costs;
        let here = costs.frame as f64 + self.edge(1.0) + self.admit(1.0);
        let there = costs.frame as f64 + self.transmission(self.submission) + self.one_way + here;
        here + there * (self.n - 1.0) / self.n
    }

    /// Messages that one validator gets for a block.
    fn frames(&self) -> f64 {
        2.0 * (self.n - 1.0)
    }

    fn edge(&self, submissions: f64) -> f64 {
        let costs = self.costs;
        let one = (costs.signature_of_many + costs.edge_submission) as f64;
        submissions * (one + self.per_submission * costs.edge_record as f64)
    }

    fn admit(&self, submissions: f64) -> f64 {
        let costs = self.costs;
        submissions
            * (costs.admit_submission as f64 + self.per_submission * costs.admit_record as f64)
    }

    fn execute(&self, records: f64) -> f64 {
        self.costs.execute_block as f64 + records * self.costs.execute_record as f64
    }

    fn commit(&self, records: f64) -> f64 {
        let costs = self.costs;
        (costs.commit_block + costs.sync) as f64 + records * costs.commit_record as f64
    }

    /// Bytes of a proposal on the wire: by name, if it is large.
    fn pre_prepare(&self, submissions: f64) -> f64 {
        let whole = submissions * self.submission;
        let named = NAME.1 + submissions * NAME.0;
        PRE_PREPARE + if whole >= NAMED_FROM_BYTES as f64 { named } else { whole }
    }

    fn consensus_bytes(&self, submissions: f64) -> f64 {
        (self.n - 1.0) * (self.pre_prepare(submissions) + self.n * (PREPARE + COMMIT))
    }

    fn transmission(&self, bytes: f64) -> f64 {
        bytes * 8e9 / self.costs.link as f64
    }
}
