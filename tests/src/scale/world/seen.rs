//! What is counted in a world, and what it comes to.

use serde::Serialize;

/// Counts since the beginning.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    at: u64,
    messages: u64,
    message_bytes: u64,
    handed_on_bytes: u64,
    vote_checks: u64,
    submission_checks: u64,
    records: u64,
}

/// Counts, of which those between two heights matter: both taken when the first validator seals them.
#[derive(Debug)]
pub(super) struct Tally {
    validators: u64,
    first: u64,
    last: u64,
    pub(super) messages: u64,
    pub(super) message_bytes: u64,
    pub(super) handed_on_bytes: u64,
    pub(super) vote_checks: u64,
    pub(super) submission_checks: u64,
    records: u64,
    seal_bytes: u64,
    /// Validators that have sealed the last height.
    there: u64,
    begin: Sum,
    end: Sum,
    /// Nanoseconds from when a submission was due until its own node sealed it.
    latencies: Vec<u64>,
}

/// What was seen: of one block, if nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Seen {
    /// Records.
    pub records: f64,
    /// Messages of consensus on the wire, all validators together.
    pub messages: f64,
    /// Their bytes, and those of submissions handed on.
    pub bytes: f64,
    /// Signatures of votes that one validator checked.
    pub vote_checks: f64,
    /// Signatures of submissions that one validator checked.
    pub submission_checks: f64,
    /// Bytes of the seal.
    pub seal_bytes: f64,
    /// Milliseconds from when a submission was due until its own node had it sealed, on average.
    pub finality_ms: f64,
    /// The same, 99 of 100 at most.
    pub p99_ms: f64,
    /// Records a second.
    pub records_per_second: f64,
}

impl Tally {
    pub(super) fn new(validators: usize, warm_up: u64, blocks: u64) -> Self {
        let zero = Sum::default();
        Self {
            validators: validators as u64,
            first: warm_up,
            last: warm_up + blocks,
            messages: 0,
            message_bytes: 0,
            handed_on_bytes: 0,
            vote_checks: 0,
            submission_checks: 0,
            records: 0,
            seal_bytes: 0,
            there: 0,
            begin: zero,
            end: zero,
            latencies: Vec::new(),
        }
    }

    pub(super) fn sealed(&mut self, place: usize, now: u64, height: u64, block: (u64, u64)) {
        if height == self.last {
            self.there += 1;
        }
        if place != 0 {
            return;
        }
        self.records += block.0;
        self.seal_bytes = block.1;
        let sum = Sum {
            at: now,
            messages: self.messages,
            message_bytes: self.message_bytes,
            handed_on_bytes: self.handed_on_bytes,
            vote_checks: self.vote_checks,
            submission_checks: self.submission_checks,
            records: self.records,
        };
        if height == self.first {
            self.begin = sum;
        } else if height == self.last {
            self.end = sum;
        }
    }

    pub(super) fn answered(&mut self, height: u64, latency: u64) {
        if height > self.first && height <= self.last {
            self.latencies.push(latency);
        }
    }

    /// Whether every validator has sealed all that is counted.
    pub(super) const fn is_complete(&self) -> bool {
        self.there == self.validators
    }

    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        reason = "figures for people: nothing is decided by them"
    )]
    pub(super) fn seen(mut self) -> Seen {
        let blocks = (self.last - self.first) as f64;
        let of_block =
            |count: fn(&Sum) -> u64| (count(&self.end) - count(&self.begin)) as f64 / blocks;
        let of_validator = |count: fn(&Sum) -> u64| of_block(count) / self.validators as f64;
        let seconds = (self.end.at - self.begin.at) as f64 / 1e9;
        let records = of_block(|it| it.records);
        let seen = Seen {
            records,
            messages: of_block(|it| it.messages),
            bytes: of_block(|it| it.message_bytes + it.handed_on_bytes),
            vote_checks: of_validator(|it| it.vote_checks),
            submission_checks: of_validator(|it| it.submission_checks),
            seal_bytes: self.seal_bytes as f64,
            finality_ms: 0.0,
            p99_ms: 0.0,
            records_per_second: records * blocks / seconds,
        };
        self.latencies.sort_unstable();
        let answers = self.latencies.len().max(1);
        let sum: u64 = self.latencies.iter().sum();
        let p99 = self.latencies.get(answers * 99 / 100).copied().unwrap_or_default();
        Seen { finality_ms: sum as f64 / answers as f64 / 1e6, p99_ms: p99 as f64 / 1e6, ..seen }
    }
}
