//! Submissions on their way to nodes, and what nodes answer.

use super::{Happening, Held, World, diverged};
use crate::sim::clock::BEGIN;
use probata_node::handle::{Admission, Command, Refusal};
use probata_types::{SubmissionId, Timestamp, catalogue::failure};
use tokio::sync::oneshot;

/// Between two attempts of a client, in milliseconds.
const PAUSE: (u64, u64) = (500, 1_500);

impl World<'_> {
    /// The true time.
    pub(super) fn wall(&self) -> Timestamp {
        BEGIN.saturating_add(1 + self.now.get())
    }

    pub(super) fn submit(&mut self, client: u16, to: usize, count: u64) -> Held {
        for _ in 0..count {
            let id = self.clients.make(client, self.wall());
            self.counts.one("submissions made");
            self.offer_until_heard(id, to)?;
        }
        Ok(())
    }

    /// Offers a submission to a node, and to others until somebody answers.
    pub(super) fn offer_until_heard(&mut self, id: SubmissionId, to: usize) -> Held {
        self.offer(id, to)?;
        let pause = self.random.between(PAUSE.0, PAUSE.1);
        self.later(pause, Happening::Retry(id));
        Ok(())
    }

    /// Nobody answered: somebody else is asked.
    pub(super) fn retry(&mut self, id: SubmissionId) -> Held {
        let Some(open) = self.clients.get(&id) else { return Ok(()) };
        if open.is_unheard() {
            if open.submission.head.expires_at < self.wall() {
                self.clients.give_up(&id);
                return Ok(());
            }
            let to = self.random.place(self.nodes.len());
            self.offer(id, to)?;
        }
        let pause = self.random.between(PAUSE.0, PAUSE.1);
        self.later(pause, Happening::Retry(id));
        Ok(())
    }

    /// Hands a submission to a node, as its API does.
    pub(super) fn offer(&mut self, id: SubmissionId, to: usize) -> Held {
        let Some(open) = self.clients.get(&id) else { return Ok(()) };
        if self.nodes[to].frozen_until > self.now || !self.is_up(to) {
            return Ok(());
        }
        let submission = match self.gate.submission(open.submission.clone()) {
            Ok(submission) => submission,
            Err(error) => return diverged(format!("an honest submission is refused: {error}")),
        };
        if self.nodes[to].liar.as_mut().is_some_and(|liar| !liar.takes(&submission)) {
            return Ok(());
        }
        let (answer, mut admission) = oneshot::channel();
        self.call(to, |chain, now| {
            let submissions = vec![submission];
            chain.handle(now, Command::Submit { submissions, answer: Some(answer) })
        })?;
        match admission.try_recv().ok().and_then(|mut admissions| admissions.pop()) {
            // The node stopped meanwhile.
            None => Ok(()),
            Some(Admission::Pending(waiter)) => {
                self.clients.wait(&id, to, waiter);
                self.note_answers(to)
            }
            Some(Admission::Sealed(height)) if self.is_correct(to) => {
                self.clients.acknowledge(id, height);
                self.check_acknowledgement(&id, height)
            }
            Some(Admission::Sealed(_)) => Ok(()),
            Some(Admission::Refused(refusal)) => self.refused(id, to, &refusal),
        }
    }

    fn refused(&mut self, id: SubmissionId, by: usize, refusal: &Refusal) -> Held {
        self.counts.one("submissions refused for now");
        match refusal {
            Refusal::Quota { .. } | Refusal::PoolFull | Refusal::Expiry { .. } => Ok(()),
            // Clocks that are off.
            Refusal::Rejected { code }
                if [failure::SUBMITTED_IN_FUTURE, failure::EXPIRED].contains(code) =>
            {
                Ok(())
            }
            _ if !self.is_correct(by) => Ok(()),
            Refusal::Rejected { code } if *code == failure::KEY_NOT_VALID => self.other_key(id, by),
            // The same, signed with another key, is still on its way here and there.
            Refusal::IdempotencyConflict { first } if self.clients.is_replaced(first) => Ok(()),
            _ => diverged(format!("node {by} refuses submission {id}: {refusal}")),
        }
    }

    /// A key is refused where it is not good yet, or no longer: right if its institution has another one.
    fn other_key(&mut self, id: SubmissionId, by: usize) -> Held {
        self.look_at_motions(by)?;
        if !self.clients.may_be_refused(&id) {
            return diverged(format!("node {by} refuses the key of submission {id}"));
        }
        let Some(anew) = self.clients.sign_anew(&id) else { return Ok(()) };
        self.counts.one("submissions signed anew");
        let to = self.random.place(self.nodes.len());
        self.offer_until_heard(anew, to)
    }

    /// Takes what a node has answered to those who wait.
    pub(super) fn note_answers(&mut self, at: usize) -> Held {
        for (id, height) in self.clients.told_by(at) {
            // The word of a liar is worth nothing.
            if self.is_correct(at) {
                self.clients.acknowledge(id, height);
                self.check_acknowledgement(&id, height)?;
            }
        }
        Ok(())
    }
}
