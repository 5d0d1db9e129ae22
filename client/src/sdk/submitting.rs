//! Submitting: to node after node, each submission until it has an answer that holds.

use super::{
    answer::Answered,
    client::{Client, Rounds},
    error::ClientError,
    receipt::Receipt,
};
use probata_types::{
    Submission, SubmissionId,
    limits::{BATCH_BYTES, BATCH_SUBMISSIONS},
};
use tokio::time::Instant;

/// A spooled submission and what became of it.
#[derive(Debug)]
pub struct Resumed {
    /// The submission.
    pub id: SubmissionId,
    /// Its receipt, or why there is none yet.
    pub result: Result<Receipt, ClientError>,
}

/// A submission on its way.
struct Trying {
    submission: Submission,
    rounds: Rounds,
    result: Option<Result<Receipt, ClientError>>,
}

impl Client {
    /// Sends a submission until a node gives an answer that verifies: to one node after the other,
    /// the same bytes each time, waiting longer for each node and after each round.
    ///
    /// The caller has stored the openings of the records before.
    ///
    /// # Errors
    /// [`ClientError::Pending`] or [`ClientError::Unreachable`] when the deadline passes: the
    /// submission stays in the spool for [`resume`](Self::resume). [`ClientError::Refused`] if
    /// every node refuses: it is set aside there. A rejected *record* is no error, but an outcome.
    pub async fn submit(&self, submission: &Submission) -> Result<Receipt, ClientError> {
        let mut results = self.submit_all(std::slice::from_ref(submission)).await?;
        results.pop().expect("one submission has one result")
    }

    /// Sends many submissions with few requests, each until it has an answer as [`submit`](Self::submit) has
    /// one. They are judged each for itself, in the order given if they are of one institution. Of more than
    /// a request holds, the later ones are sent when the earlier ones have their answers.
    ///
    /// # Errors
    /// [`ClientError::Spool`] if the spool fails: what was sealed before is answered again when it is sent
    /// again. Else what became of each submission is in the list, in order.
    pub async fn submit_all(
        &self,
        submissions: &[Submission],
    ) -> Result<Vec<Result<Receipt, ClientError>>, ClientError> {
        let mut results = Vec::with_capacity(submissions.len());
        for part in parts(submissions) {
            results.extend(self.send_spooled(part).await?);
        }
        Ok(results)
    }

    /// Sends what one request holds; it is in the spool until it has its receipts.
    async fn send_spooled(
        &self,
        submissions: &[Submission],
    ) -> Result<Vec<Result<Receipt, ClientError>>, ClientError> {
        let copies = submissions.to_vec();
        self.with_spool(move |spool| copies.iter().try_for_each(|copy| spool.keep(copy))).await?;
        let results = self.send(submissions).await;
        let (mut sealed, mut refused) = (Vec::new(), Vec::new());
        for (submission, result) in submissions.iter().zip(&results) {
            match result {
                Ok(_) => sealed.push(submission.id()),
                Err(ClientError::Refused(_)) => refused.push(submission.id()),
                Err(_) => {}
            }
        }
        self.with_spool(move |spool| {
            sealed.iter().try_for_each(|id| spool.forget(id))?;
            refused.iter().try_for_each(|id| spool.set_aside(id))
        })
        .await?;
        Ok(results)
    }

    /// Sends what a crash or a lost network left in the spool, oldest first. Call it at start,
    /// before numbering new records of the same flows.
    ///
    /// # Errors
    /// [`ClientError::Spool`] if the spool cannot be read; failures of single submissions are in
    /// the list.
    pub async fn resume(&self) -> Result<Vec<Resumed>, ClientError> {
        let chain = self.genesis().chain();
        let waiting = self.with_spool(move |spool| spool.waiting(&chain)).await?;
        let waiting = waiting.unwrap_or_default();
        let results = self.submit_all(&waiting).await?;
        let resumed = waiting.iter().zip(results);
        Ok(resumed.map(|(submission, result)| Resumed { id: submission.id(), result }).collect())
    }

    /// Sends what one request holds, and again to the next node what had no answer.
    async fn send(&self, submissions: &[Submission]) -> Vec<Result<Receipt, ClientError>> {
        let end = Instant::now() + self.deadline();
        let mut all: Vec<Trying> = submissions.iter().map(Trying::new).collect();
        loop {
            for (at, node) in self.nodes_in_turn() {
                if Instant::now() >= end {
                    break;
                }
                let open: Vec<&mut Trying> =
                    all.iter_mut().filter(|one| one.is_worth_asking(at)).collect();
                if !open.is_empty() {
                    self.try_at((at, node), open, end).await;
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            let mut pause = None;
            for one in all.iter_mut().filter(|one| one.result.is_none()) {
                if let Some(error) = one.rounds.verdict(self.nodes(), None) {
                    one.result = Some(Err(error));
                } else if left.is_zero() {
                    one.result = Some(Err(one.out_of_time(self.nodes())));
                } else {
                    pause = pause.max(Some(one.rounds.pause()));
                }
            }
            match pause {
                None => break,
                Some(pause) => tokio::time::sleep(pause.min(left)).await,
            }
        }
        all.into_iter().map(|one| one.result.expect("the loop ends when all have one")).collect()
    }

    /// Sends them to one node, and notes what it says of each.
    async fn try_at(&self, (at, node): (usize, &str), open: Vec<&mut Trying>, end: Instant) {
        let sent: Vec<Submission> = open.iter().map(|one| one.submission.clone()).collect();
        let patience = open.iter().map(|one| one.rounds.patience()).max().unwrap_or_default();
        let answers = self.send_together(at, sent, (patience, end)).await;
        if answers.iter().any(|it| matches!(it, Answered::Sealed(_))) {
            self.prefer(at);
        }
        for (one, answered) in open.into_iter().zip(answers) {
            match answered {
                Answered::Sealed(receipt) => one.result = Some(Ok(*receipt)),
                Answered::Not(reply) => one.rounds.note(at, reply),
                Answered::Lied(why) => one.rounds.lied(at, node, why),
            }
        }
    }
}

impl Trying {
    fn new(submission: &Submission) -> Self {
        Self { submission: submission.clone(), rounds: Rounds::default(), result: None }
    }

    fn is_worth_asking(&self, at: usize) -> bool {
        self.result.is_none() && !self.rounds.is_over_with(at)
    }

    /// The error when the deadline has passed.
    fn out_of_time(&self, nodes: &[String]) -> ClientError {
        let tried = self.rounds.trials(nodes);
        if self.rounds.is_pending() {
            ClientError::Pending { id: self.submission.id(), tried }
        } else {
            ClientError::Unreachable(tried)
        }
    }
}

/// The submissions in parts, each as many as one request holds.
fn parts(submissions: &[Submission]) -> Vec<&[Submission]> {
    let (mut parts, mut rest) = (Vec::new(), submissions);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |one: &&Submission| {
            bytes += one.size();
            bytes <= BATCH_BYTES
        };
        let count = rest.iter().take(BATCH_SUBMISSIONS).take_while(fits).count();
        // One that is larger than any request is for the nodes to refuse.
        let (part, after) = rest.split_at(count.max(1));
        parts.push(part);
        rest = after;
    }
    parts
}
