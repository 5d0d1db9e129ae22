//! Sends submissions at a pace and takes the time until each has an answer that the light client verified.

use super::{
    profile::{Pace, Plan},
    supply::{Ready, Supply},
    timeline::Timeline,
};
use crate::trouble::Trouble;
use probata_client::sdk::{Client, ClientError, Receipt};
use probata_types::{RecordId, Submission};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How long the network is loaded before anything counts: caches fill, and loans get out of step.
pub(super) const WARM_UP: Duration = Duration::from_secs(5);
/// What is due within this time goes out together, unless an answer comes before.
const GATHER: Duration = Duration::from_millis(2);
/// One of so many acknowledged submissions is looked for at the end.
const LOOKED_FOR: u64 = 100;

/// What came of it.
#[derive(Debug)]
pub(super) struct Driven {
    /// What was answered, second by second.
    pub(super) timeline: Timeline,
    /// Submissions sent, warm-up aside.
    pub(super) sent: u64,
    /// Records that were not accepted.
    pub(super) rejected: u64,
    /// Submissions without an answer, and why the last one has none.
    pub(super) failed: u64,
    /// Why the last of these failed.
    pub(super) failure: Option<String>,
    /// Some of the records acknowledged, to be looked for elsewhere.
    pub(super) some: Vec<RecordId>,
}

/// The way of submissions that one client sent together.
struct Answered {
    sent: Vec<Sent>,
    at: Instant,
    results: Result<Vec<Result<Receipt, ClientError>>, ClientError>,
}

/// A submission, as it was sent.
struct Sent {
    due: Instant,
    records: u64,
}

/// Sends, by the client of each submitter, and waits for what is on its way at the end. What is due at the same
/// time goes in one request, as an institution's system would send it. `tick` is called about every second with
/// how long it has gone on.
///
/// # Errors
/// [`Trouble`] of the supply, or of `tick`.
pub(super) async fn drive(
    plan: &Plan,
    supply: &mut Supply,
    clients: &[Client],
    mut tick: impl AsyncFnMut(Duration, &Driven) -> Result<(), Trouble>,
) -> Result<Driven, Trouble> {
    let start = Instant::now();
    let begin = start + WARM_UP;
    let end = begin + plan.length;
    let mut driven = Driven::new(begin);
    let mut requests = JoinSet::new();
    let (mut issued, mut on_its_way, mut next_tick) = (0_u64, 0, begin);
    loop {
        let now = Instant::now();
        if now >= next_tick {
            tick(now - begin, &driven).await?;
            next_tick += Duration::from_secs(1);
        }
        if now >= end {
            break;
        }
        let mut batches: Vec<(Vec<Sent>, Vec<Submission>)> = Vec::new();
        batches.resize_with(clients.len(), Default::default);
        while let Some(due) = due(plan.pace, start, now, issued, on_its_way) {
            issued += 1;
            on_its_way += 1;
            let Ready { by, submission } = supply.next()?;
            driven.sent += u64::from(due >= begin);
            let records = u64::from(submission.head.record_count);
            batches[by].0.push(Sent { due, records });
            batches[by].1.push(submission);
        }
        for (client, (sent, submissions)) in clients.iter().zip(batches) {
            if !sent.is_empty() {
                let client = client.clone();
                requests.spawn(async move {
                    let results = client.submit_all(&submissions).await;
                    Answered { sent, at: Instant::now(), results }
                });
            }
        }
        let pause = wake(plan.pace, start, issued).max(now + GATHER).min(next_tick).min(end);
        tokio::select! {
            Some(answered) = requests.join_next() => on_its_way -= driven.note(answered?),
            () = tokio::time::sleep_until(pause.into()) => {}
        }
        while let Some(answered) = requests.try_join_next() {
            on_its_way -= driven.note(answered?);
        }
    }
    while let Some(answered) = requests.join_next().await {
        driven.note(answered?);
    }
    Ok(driven)
}

/// When the next submission is, or was, due; `None` if it is not yet.
fn due(
    pace: Pace,
    start: Instant,
    now: Instant,
    issued: u64,
    on_its_way: usize,
) -> Option<Instant> {
    match pace {
        Pace::Open(rate) => Some(start + nth(issued, rate)).filter(|due| *due <= now),
        Pace::Closed(most) => (on_its_way < most).then_some(now),
    }
}

/// When to look again though nothing was answered.
fn wake(pace: Pace, start: Instant, issued: u64) -> Instant {
    match pace {
        Pace::Open(rate) => start + nth(issued, rate),
        Pace::Closed(_) => Instant::now() + Duration::from_secs(1),
    }
}

/// When, from the start on, a submission is due at so many a second.
fn nth(number: u64, rate: u64) -> Duration {
    Duration::from_nanos(number.saturating_mul(1_000_000_000) / rate.max(1))
}

impl Driven {
    fn new(begin: Instant) -> Self {
        Self {
            timeline: Timeline::new(begin),
            sent: 0,
            rejected: 0,
            failed: 0,
            failure: None,
            some: Vec::new(),
        }
    }

    /// Notes what came of a request; says of how many submissions it was.
    fn note(&mut self, answered: Answered) -> usize {
        let Answered { sent, at, results } = answered;
        let count = sent.len();
        match results {
            Err(error) => {
                self.failed += count as u64;
                self.failure = Some(error.to_string());
            }
            Ok(results) => {
                for (sent, result) in sent.iter().zip(results) {
                    self.note_one(sent, at, result);
                }
            }
        }
        count
    }

    fn note_one(&mut self, sent: &Sent, at: Instant, result: Result<Receipt, ClientError>) {
        match result {
            Ok(receipt) => {
                let rejected = receipt.decisions().filter(|(_, outcome)| !outcome.is_accepted());
                self.rejected += rejected.count() as u64;
                let counts = self.timeline.note(sent.due, at, sent.records);
                if counts && self.timeline.submissions().is_multiple_of(LOOKED_FOR) {
                    self.some.extend(receipt.decisions().next().map(|(record, _)| record));
                }
            }
            Err(error) => {
                self.failed += 1;
                self.failure = Some(error.to_string());
            }
        }
    }
}
