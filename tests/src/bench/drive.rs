//! Sends submissions at a pace and takes the time until each has an answer that the light client verified.

use super::{
    profile::{Pace, Plan},
    supply::{Ready, Supply},
    timeline::Timeline,
};
use crate::trouble::Trouble;
use probata_client::sdk::{Client, ClientError, Receipt};
use probata_types::{RecordId, Submission};
use std::{
    cell::RefCell,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

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
    /// Submissions without an answer so far.
    pub(super) on_its_way: usize,
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

/// Sends from `start` on, by the client of each submitter, and waits for what is on its way at the end. What is due at
/// the same time goes in one request, as an institution's system would send it.
///
/// # Errors
/// [`Trouble`] of the supply.
pub(super) async fn drive(
    plan: &Plan,
    start: Instant,
    supply: &mut Supply,
    clients: &[Client],
    driven: &RefCell<Driven>,
) -> Result<(), Trouble> {
    let begin = start + plan.warm_up;
    let end = begin + plan.length;
    let most = plan.most_records.map_or(u64::MAX, |most| most.div_ceil(plan.records as u64));
    let mut requests = JoinSet::new();
    let mut issued = 0_u64;
    loop {
        let now = Instant::now();
        if now >= end || issued >= most {
            break;
        }
        let mut batches: Vec<(Vec<Sent>, Vec<Submission>)> = Vec::new();
        batches.resize_with(clients.len(), Default::default);
        while issued < most {
            let on_its_way = driven.borrow().on_its_way;
            let Some(due) = due(plan.pace, start, now, issued, on_its_way) else { break };
            issued += 1;
            let Ready { by, submission } = supply.next()?;
            driven.borrow_mut().send(due >= begin);
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
        let pause = wake(plan.pace, start, issued).max(now + GATHER).min(end);
        tokio::select! {
            Some(answered) = requests.join_next() => driven.borrow_mut().note(answered?),
            () = tokio::time::sleep_until(pause.into()) => {}
        }
        while let Some(answered) = requests.try_join_next() {
            driven.borrow_mut().note(answered?);
        }
    }
    while let Some(answered) = requests.join_next().await {
        driven.borrow_mut().note(answered?);
    }
    Ok(())
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
    /// Nothing was sent yet.
    pub(super) const fn new(timeline: Timeline) -> Self {
        Self {
            timeline,
            sent: 0,
            on_its_way: 0,
            rejected: 0,
            failed: 0,
            failure: None,
            some: Vec::new(),
        }
    }

    fn send(&mut self, counts: bool) {
        self.sent += u64::from(counts);
        self.on_its_way += 1;
    }

    /// Notes what came of a request.
    fn note(&mut self, answered: Answered) {
        let Answered { sent, at, results } = answered;
        self.on_its_way -= sent.len();
        match results {
            Err(error) => {
                self.failed += sent.len() as u64;
                self.failure = Some(error.to_string());
            }
            Ok(results) => {
                for (sent, result) in sent.iter().zip(results) {
                    self.note_one(sent, at, result);
                }
            }
        }
    }

    fn note_one(&mut self, sent: &Sent, at: Instant, result: Result<Receipt, ClientError>) {
        match result {
            Ok(receipt) => {
                let rejected = receipt.decisions().filter(|(_, outcome)| !outcome.is_accepted());
                self.rejected += rejected.count() as u64;
                let counts = self.timeline.note(sent.due, at, sent.records);
                if counts && (self.timeline.submissions() - 1).is_multiple_of(LOOKED_FOR) {
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
