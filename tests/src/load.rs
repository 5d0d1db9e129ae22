//! Several writers at once. What was acknowledged to them is remembered: it must never be lost.

use crate::{
    limits,
    network::Network,
    trouble::{Trouble, ensure},
    writer::Writer,
};
use probata_client::sdk::{Client, ClientError, Failing, Receipt, Trial};
use probata_types::{Height, RecordId, Submission, SubmissionId};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tokio::task::JoinSet;

/// A record whose receipt the SDK verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    /// The record.
    pub record: RecordId,
    /// The submission.
    pub submission: SubmissionId,
    /// Where it is sealed.
    pub height: Height,
}

/// What a load came to.
#[derive(Debug)]
pub struct Loaded {
    /// Everything that was acknowledged.
    pub acknowledged: Vec<Acknowledged>,
    /// What was sent and had no receipt when the load ended: it may be sealed or not.
    pub open: Vec<Submission>,
}

/// Writers at work, each sending one submission after the other until it is acknowledged.
pub struct Load {
    shared: Arc<Shared>,
    tasks: JoinSet<Result<Option<Submission>, Trouble>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    acknowledged: Mutex<Vec<Acknowledged>>,
}

impl Load {
    /// Starts `writers` tasks. Each asks a validator of its own first, and the others when it fails.
    ///
    /// # Errors
    /// [`Trouble`] if keys or drafts cannot be read.
    pub fn start(network: &Network, writers: usize) -> Result<Self, Trouble> {
        let (writer, shared) = (Writer::of(network)?, Arc::new(Shared::default()));
        let validators: Vec<usize> = network.validators().collect();
        let mut tasks = JoinSet::new();
        for number in 0..writers {
            let mut nodes = validators.clone();
            nodes.rotate_left(number % validators.len());
            let client = network.client(&nodes, limits::ATTEMPT)?;
            tasks.spawn(write(writer.clone(), client, Arc::clone(&shared)));
        }
        Ok(Self { shared, tasks })
    }

    /// How many records were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.shared.list().len()
    }

    /// Waits until `more` further records were acknowledged.
    ///
    /// # Errors
    /// [`Trouble`] as [`Network::wait_for`], or of a writer.
    pub async fn wait_for_more(
        &mut self,
        network: &mut Network,
        more: usize,
    ) -> Result<(), Trouble> {
        let wanted = self.acknowledged() + more;
        let what = format!("{wanted} acknowledged records");
        let waited = network
            .wait_for(&what, async |_| {
                // A writer ends only for a failure while it is not told to.
                match self.tasks.try_join_next() {
                    Some(ended) => Err(ended?.err().unwrap_or_else(|| Trouble::new("it ended"))),
                    None => Ok(self.shared.list().len() >= wanted),
                }
            })
            .await;
        waited.map(drop)
    }

    /// Ends the load: each writer finishes the attempt that it is at.
    ///
    /// # Errors
    /// [`Trouble`] if a writer met anything but a network that is away for a while: a refusal, a
    /// rejected record, an answer that does not verify.
    pub async fn stop(mut self) -> Result<Loaded, Trouble> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut open = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            open.extend(ended??);
        }
        let acknowledged = self.shared.list().clone();
        Ok(Loaded { acknowledged, open })
    }
}

impl Shared {
    fn list(&self) -> std::sync::MutexGuard<'_, Vec<Acknowledged>> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write(
    writer: Writer,
    client: Client,
    shared: Arc<Shared>,
) -> Result<Option<Submission>, Trouble> {
    while !shared.stop.load(Ordering::Relaxed) {
        let submission = writer.submission()?;
        loop {
            match client.submit(&submission).await {
                Ok(receipt) => {
                    note(&receipt, &shared)?;
                    break;
                }
                Err(error) => only_away(&error)?,
            }
            if shared.stop.load(Ordering::Relaxed) {
                return Ok(Some(submission));
            }
        }
    }
    Ok(None)
}

fn note(receipt: &Receipt, shared: &Shared) -> Result<(), Trouble> {
    for decided in &receipt.records {
        let outcome = decided.outcome();
        ensure(outcome.is_accepted(), || {
            format!("record {} of the load was not accepted: {outcome:?}", decided.record)
        })?;
        shared.list().push(Acknowledged {
            record: decided.record,
            submission: receipt.submission,
            height: receipt.height,
        });
    }
    Ok(())
}

/// An error unless a network that is down or slow explains it.
fn only_away(error: &ClientError) -> Result<(), Trouble> {
    let honest = |tried: &[Trial]| {
        tried.iter().all(|trial| !matches!(trial.what, Failing::Lying(_) | Failing::Refused(_)))
    };
    match error {
        ClientError::Unreachable(tried) | ClientError::Pending { tried, .. } if honest(tried) => {
            Ok(())
        }
        other => Err(Trouble::new(format!("a writer of the load got: {other}"))),
    }
}
