//! Several writers at once. What was acknowledged to them is remembered: it must never be lost.

use crate::{
    limits,
    network::Network,
    trouble::{Trouble, ensure},
    writer::Writer,
};
use probata_client::sdk::{Client, ClientConfig, ClientError, Failing, Receipt, Trial};
use probata_types::{Height, Keypair, RecordId, Submission, SubmissionId};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// A receipt that took longer than this may have come from another node than the writer's own.
const SETTLED: Duration = Duration::from_millis(250);

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

impl Acknowledged {
    /// The records of a receipt.
    pub fn all_of(receipt: &Receipt) -> impl Iterator<Item = Self> {
        let (submission, height) = (receipt.submission(), receipt.height());
        receipt.decisions().map(move |(record, _)| Self { record, submission, height })
    }
}

/// What a load came to.
#[derive(Debug)]
pub struct Loaded {
    /// Everything that was acknowledged.
    pub acknowledged: Vec<Acknowledged>,
    /// What was sent and had no receipt when the load ended: it may be sealed or not.
    pub open: Vec<Submission>,
}

/// How a load is made.
#[derive(Debug, Clone)]
pub struct Style {
    /// Writers at once.
    pub writers: usize,
    /// How long each waits between a receipt and its next submission.
    pub pause: Duration,
    /// Whom they ask: each one first a node of its own, and the others when it fails.
    pub nodes: Vec<usize>,
    /// Whether a node whose clock is off may refuse what is in time.
    pub clocks_are_off: bool,
}

/// When a receipt came, and for which height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// When its writer had verified it.
    pub at: Instant,
    /// Where it is sealed.
    pub height: Height,
    /// How long its writer waited, from before it was sent.
    pub waited: Duration,
}

/// Writers at work, each sending one submission after the other until it is acknowledged.
pub struct Load {
    writer: Writer,
    shared: Arc<Shared>,
    tasks: JoinSet<Result<Option<Submission>, Trouble>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    acknowledged: Mutex<Vec<Acknowledged>>,
    moments: Mutex<Vec<Moment>>,
}

impl Load {
    /// Starts `writers` tasks. Each asks a validator of its own first, and the others when it fails.
    ///
    /// # Errors
    /// [`Trouble`] if keys or drafts cannot be read.
    pub fn start(network: &Network, writers: usize) -> Result<Self, Trouble> {
        let nodes = network.validators().collect();
        let style = Style { writers, pause: Duration::ZERO, nodes, clocks_are_off: false };
        Self::in_style(network, &style)
    }

    /// Starts writers that work in another style.
    ///
    /// # Errors
    /// [`Trouble`] if keys or drafts cannot be read.
    pub fn in_style(network: &Network, style: &Style) -> Result<Self, Trouble> {
        let (writer, shared) = (Writer::of(network)?, Arc::new(Shared::default()));
        let mut tasks = JoinSet::new();
        for number in 0..style.writers {
            let mut nodes = style.nodes.clone();
            nodes.rotate_left(number % style.nodes.len());
            let config = network.client_config(&nodes, limits::ATTEMPT);
            tasks.spawn(write(writer.clone(), config, style.clone(), Arc::clone(&shared)));
        }
        Ok(Self { writer, shared, tasks })
    }

    /// The writers sign with another key from their next submissions on.
    pub fn sign_with(&self, key: Keypair) {
        self.writer.sign_with(key);
    }

    /// When receipts came, from a moment on.
    pub fn moments_since(&self, since: Instant) -> Vec<Moment> {
        let moments = lock(&self.shared.moments);
        let from = moments.partition_point(|moment| moment.at < since);
        moments[from..].to_vec()
    }

    /// An error if a writer met what no network that is away explains.
    ///
    /// # Errors
    /// [`Trouble`] of the writer.
    pub fn check(&mut self) -> Result<(), Trouble> {
        // A writer ends only for a failure while it is not told to.
        match self.tasks.try_join_next() {
            Some(ended) => Err(ended?.err().unwrap_or_else(|| Trouble::new("a writer ended"))),
            None => Ok(()),
        }
    }

    /// How many records were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        lock(&self.shared.acknowledged).len()
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
                self.check()?;
                Ok(self.acknowledged() >= wanted)
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
        self.end().await
    }

    /// The same, where its owner lives on. Nothing is written any more.
    ///
    /// # Errors
    /// As [`Load::stop`].
    pub async fn end(&mut self) -> Result<Loaded, Trouble> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut open = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            open.extend(ended??);
        }
        let acknowledged = lock(&self.shared.acknowledged).clone();
        Ok(Loaded { acknowledged, open })
    }
}

fn lock<T>(list: &Mutex<Vec<T>>) -> MutexGuard<'_, Vec<T>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn write(
    writer: Writer,
    config: ClientConfig,
    style: Style,
    shared: Arc<Shared>,
) -> Result<Option<Submission>, Trouble> {
    let mut client = Client::new(config.clone())?;
    while !shared.stop.load(Ordering::Relaxed) {
        let (submission, sent) = (writer.submission()?, Instant::now());
        loop {
            match client.submit(&submission).await {
                Ok(receipt) => {
                    note(&receipt, sent.elapsed(), &shared)?;
                    break;
                }
                Err(error) => only_away(&error, style.clocks_are_off)?,
            }
            if shared.stop.load(Ordering::Relaxed) {
                return Ok(Some(submission));
            }
        }
        if sent.elapsed() > SETTLED {
            // The client has turned to another node and would stay there: in the end all writers would ask
            // the same one, and one sick node would look like a sick chain.
            client = Client::new(config.clone())?;
        }
        tokio::time::sleep(style.pause).await;
    }
    Ok(None)
}

fn note(receipt: &Receipt, waited: Duration, shared: &Shared) -> Result<(), Trouble> {
    ensure(receipt.is_accepted(), || {
        format!("a submission of the load was not accepted: {receipt:?}")
    })?;
    lock(&shared.acknowledged).extend(Acknowledged::all_of(receipt));
    // The time is taken under the lock, so that the moments stay in order.
    let mut moments = lock(&shared.moments);
    moments.push(Moment { at: Instant::now(), height: receipt.height(), waited });
    Ok(())
}

/// An error unless a network that is down or slow explains it.
fn only_away(error: &ClientError, clocks_are_off: bool) -> Result<(), Trouble> {
    let honest = |tried: &[Trial]| {
        tried.iter().all(|trial| match &trial.what {
            Failing::Lying(_) => false,
            Failing::Refused(why) => clocks_are_off && of_the_clock(why),
            _ => true,
        })
    };
    match error {
        ClientError::Unreachable(tried) | ClientError::Pending { tried, .. } if honest(tried) => {
            Ok(())
        }
        other => Err(Trouble::new(format!("a writer of the load got: {other}"))),
    }
}

/// Whether a refusal is one that a node whose clock is off may give.
fn of_the_clock(why: &str) -> bool {
    ["dated later", "expired"].iter().any(|reason| why.contains(reason))
}
