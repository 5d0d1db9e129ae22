//! Sends submissions at a pace and takes the time until each has an answer that the light client verified.

use super::{
    profile::{Pace, Plan},
    supply::{Ready, Supply},
    timeline::Timeline,
};
use crate::trouble::Trouble;
use probata_client::sdk::{Client, ClientError, Receipt};
use probata_types::RecordId;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How long the network is loaded before anything counts: caches fill, and loans get out of step.
pub(super) const WARM_UP: Duration = Duration::from_secs(5);
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

/// One submission's way.
struct Answered {
    due: Instant,
    at: Instant,
    records: u64,
    result: Result<Receipt, ClientError>,
}

/// Sends, by the client of each submitter, and waits for what is on its way at the end. `tick` is called about
/// every second with how long it has gone on.
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
    let mut on_its_way = JoinSet::new();
    let (mut issued, mut next_tick) = (0_u64, begin);
    loop {
        let now = Instant::now();
        if now >= next_tick {
            tick(now - begin, &driven).await?;
            next_tick += Duration::from_secs(1);
        }
        if now >= end {
            break;
        }
        while let Some(due) = due(plan.pace, start, now, issued, on_its_way.len()) {
            issued += 1;
            let Ready { by, submission } = supply.next()?;
            driven.sent += u64::from(due >= begin);
            let client = clients[by].clone();
            on_its_way.spawn(async move {
                let result = client.submit(&submission).await;
                let records = u64::from(submission.head.record_count);
                Answered { due, at: Instant::now(), records, result }
            });
        }
        let pause = wake(plan.pace, start, issued).min(next_tick).min(end);
        tokio::select! {
            Some(answered) = on_its_way.join_next() => driven.note(answered?),
            () = tokio::time::sleep_until(pause.into()) => {}
        }
        while let Some(answered) = on_its_way.try_join_next() {
            driven.note(answered?);
        }
    }
    while let Some(answered) = on_its_way.join_next().await {
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

    fn note(&mut self, answered: Answered) {
        let Answered { due, at, records, result } = answered;
        match result {
            Ok(receipt) => {
                let accepted =
                    |it: &&probata_client::sdk::RecordReceipt| it.outcome().is_accepted();
                let accepted = receipt.records.iter().filter(accepted).count() as u64;
                self.rejected += records - accepted;
                let counts = self.timeline.note(due, at, records);
                if counts && self.timeline.submissions().is_multiple_of(LOOKED_FOR) {
                    self.some.extend(receipt.records.first().map(|it| it.record));
                }
            }
            Err(error) => {
                self.failed += 1;
                self.failure = Some(error.to_string());
            }
        }
    }
}
