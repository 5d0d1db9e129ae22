//! Admitting submissions.

use super::{Chain, ChainError, Effect};
use crate::{
    handle::{Admission, Refusal},
    limits,
    mempool::Admitted,
};
use probata_consensus::Input;
use probata_contracts::{Rejection, Screening};
use probata_types::{Now, Submission, Timestamp, Verified};
use tokio::sync::oneshot;

impl Chain {
    /// Admits submissions, or says why not. Those from another node are judged just the same, but nobody
    /// is told and they are not handed on again.
    pub(super) fn submit(
        &mut self,
        now: Now,
        submissions: Vec<Verified<Submission>>,
        answer: Option<oneshot::Sender<Vec<Admission>>>,
    ) -> Result<(), ChainError> {
        let mut admissions = Vec::with_capacity(submissions.len());
        let screened = self.screen(now, &submissions)?;
        for (submission, screened) in submissions.into_iter().zip(screened) {
            let (id, leaf) = (submission.id(), submission.leaf());
            let admission = self.admit(now, submission, screened, answer.is_some())?;
            admissions.push(admission.unwrap_or_else(Admission::Refused));
            // What was handed on is among the bodies since it was checked.
            if answer.is_none() && self.mempool.get(&id).is_none_or(|held| held.leaf() != leaf) {
                self.mempool.bodies().remove([leaf]);
            }
        }
        self.hand_on();
        if let Some(answer) = answer {
            // The one who asked may have gone; the submissions are admitted all the same.
            let _ = answer.send(admissions);
        }
        self.step(now, Input::Work(!self.mempool.is_empty()))
    }

    /// Hands on to all validators what was admitted here since the last time.
    pub(super) fn hand_on(&mut self) {
        let new = std::mem::take(&mut self.to_hand_on);
        if !new.is_empty() {
            self.effects.push(Effect::Forward(new));
        }
    }

    /// Admits a submission; its own ones are to be handed on to all validators, now and while they wait.
    pub(super) fn admit(
        &mut self,
        now: Now,
        submission: Verified<Submission>,
        screened: Result<(), Rejection>,
        own: bool,
    ) -> Result<Result<Admission, Refusal>, ChainError> {
        if self.halted.is_some() {
            return Ok(Err(Refusal::Halted));
        }
        let id = submission.id();
        let head = &submission.head;
        if let Some(block) = self.recent.with(&id) {
            return Ok(Ok(Admission::Sealed(block.height())));
        }
        let reader = self.ledger.reader();
        if let Some(first) = reader.by_idempotency(&head.institution, &head.idempotency_key)? {
            if !own {
                return Ok(Err(Refusal::IdempotencyConflict { first }));
            }
            // One whose key was used is sealed itself, or never will be.
            let sealed = reader.submission_here(&id)?.map(|place| Admission::Sealed(place.height));
            return Ok(sealed.ok_or(Refusal::IdempotencyConflict { first }));
        }
        if let Err(refusal) = self.check_lifetime(now, &submission) {
            return Ok(Err(refusal));
        }
        if !self.remembers(now.wall)? {
            return Ok(Err(Refusal::History { from: reader.history_from() }));
        }
        if let Err(rejection) = screened {
            return Ok(Err(Refusal::Rejected { code: rejection.code }));
        }
        let forward = own.then(|| (*submission).clone());
        match self.mempool.admit(submission, now.monotonic) {
            Err(refusal) => return Ok(Err(refusal)),
            // Whoever handed it on may be gone, and no other node may have it: from here on it is handed on
            // again with the own ones, while somebody waits for it here.
            Ok(Admitted::Joined) if own => drop(self.own.insert(id)),
            Ok(Admitted::Joined) => {}
            Ok(Admitted::New) => {
                if let Some(submission) = forward {
                    self.own.insert(id);
                    self.to_hand_on.push(submission);
                }
            }
        }
        let (waiter, sealed) = oneshot::channel();
        if own {
            self.mempool.wait(&id, waiter);
        }
        Ok(Ok(Admission::Pending(sealed)))
    }

    /// Whether the contracts would judge each of them in the next block.
    pub(super) fn screen(
        &self,
        now: Now,
        submissions: &[Verified<Submission>],
    ) -> Result<Vec<Result<(), Rejection>>, ChainError> {
        let height = self.ledger.head().height.next();
        let mut screening = Screening::new(&self.ledger, height, now.wall);
        let screened = submissions.iter().map(|submission| screening.of(submission));
        Ok(screened.collect::<Result<_, _>>()?)
    }

    /// Whether a submission that may be sealed at this time is found, if a block holds it: a node that began
    /// from a snapshot has the blocks of as long as a submission lives only after a while.
    pub(super) fn remembers(&self, time: Timestamp) -> Result<bool, ChainError> {
        let lifetime = self.genesis.parameters().max_submission_lifetime.get();
        let oldest = time.get().saturating_sub(lifetime.saturating_add(limits::SUBMITTED_EARLY_MS));
        Ok(self.ledger.reader().remembers(Timestamp::new(oldest))?)
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
