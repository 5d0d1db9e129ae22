//! Admitting submissions.

use super::{Chain, ChainError, Effect};
use crate::{
    handle::{Admission, Refusal},
    mempool::Admitted,
};
use probata_consensus::Input;
use probata_types::{Now, Submission, Verified};
use std::sync::Arc;
use tokio::sync::oneshot;

impl Chain {
    /// Admits a submission, or says why not. One from another node is judged just the same, but nobody
    /// is told and it is not handed on again.
    pub(super) fn submit(
        &mut self,
        now: Now,
        submission: Verified<Submission>,
        answer: Option<oneshot::Sender<Admission>>,
    ) -> Result<(), ChainError> {
        let admission = match self.admit(now, submission, answer.is_some())? {
            Ok(admission) => admission,
            Err(refusal) => Admission::Refused(refusal),
        };
        if let Some(answer) = answer {
            // The one who asked may have gone; the submission is admitted all the same.
            let _ = answer.send(admission);
        }
        self.step(now, Input::Work(!self.mempool.is_empty()))
    }

    /// Admits a submission; its own ones are handed on to all validators, now and while they wait.
    pub(super) fn admit(
        &mut self,
        now: Now,
        submission: Verified<Submission>,
        own: bool,
    ) -> Result<Result<Admission, Refusal>, ChainError> {
        if self.halted.is_some() {
            return Ok(Err(Refusal::Halted));
        }
        let id = submission.id();
        let reader = self.ledger.reader();
        if let Some(place) = reader.submission(&id)? {
            return Ok(Ok(Admission::Sealed(place.height)));
        }
        let head = &submission.head;
        if let Some(first) = reader.by_idempotency(&head.institution, &head.idempotency_key)? {
            return Ok(Err(Refusal::IdempotencyConflict { first }));
        }
        if let Err(refusal) = self.check_lifetime(now, &submission) {
            return Ok(Err(refusal));
        }
        let height = self.ledger.head().height.next();
        if let Err(rejection) =
            probata_contracts::admit(&submission, &self.ledger, height, now.wall)?
        {
            return Ok(Err(Refusal::Rejected { code: rejection.code }));
        }
        let forward = own.then(|| Arc::new((*submission).clone()));
        match self.mempool.admit(submission, now.monotonic) {
            Err(refusal) => return Ok(Err(refusal)),
            // Whoever handed it on may be gone, and no other node may have it: from here on it is handed on
            // again with the own ones, while somebody waits for it here.
            Ok(Admitted::Joined) if own => drop(self.own.insert(id)),
            Ok(Admitted::Joined) => {}
            Ok(Admitted::New) => {
                if let Some(submission) = forward {
                    self.own.insert(id);
                    self.effects.push(Effect::Forward(submission));
                }
            }
        }
        let (waiter, sealed) = oneshot::channel();
        if own {
            self.mempool.wait(&id, waiter);
        }
        Ok(Ok(Admission::Pending(sealed)))
    }

    fn check_lifetime(&self, now: Now, submission: &Submission) -> Result<(), Refusal> {
        let head = &submission.head;
        let max_lifetime = self.genesis.parameters().max_submission_lifetime;
        let lifetime = head.expires_at.since(head.submitted_at);
        if head.expires_at <= now.wall || lifetime > max_lifetime.get() {
            return Err(Refusal::Expiry { expires_at: head.expires_at, max_lifetime });
        }
        Ok(())
    }
}
