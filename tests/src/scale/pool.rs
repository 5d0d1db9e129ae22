//! The submissions that wait at one validator, in the order in which they were admitted.

use probata_types::{Hash, Submission};
use std::collections::BTreeMap;

/// See the module's page.
#[derive(Debug, Default)]
pub(super) struct Pool {
    waiting: BTreeMap<u64, Submission>,
    places: BTreeMap<Hash, u64>,
    admitted: u64,
}

impl Pool {
    pub(super) fn admit(&mut self, submission: Submission) {
        self.places.insert(submission.leaf(), self.admitted);
        self.waiting.insert(self.admitted, submission);
        self.admitted += 1;
    }

    pub(super) fn holds(&self, submission: &Submission) -> bool {
        self.places.contains_key(&submission.leaf())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The oldest, as many as fit.
    pub(super) fn next_block(&self, submissions: usize, bytes: u64) -> Vec<Submission> {
        let mut left = bytes;
        let fits = |submission: &&Submission| {
            let size = submission.size() as u64;
            let fits = size <= left;
            left = left.saturating_sub(size);
            fits
        };
        self.waiting.values().take(submissions).take_while(fits).cloned().collect()
    }

    pub(super) fn remove(&mut self, submissions: &[Submission]) {
        for submission in submissions {
            if let Some(place) = self.places.remove(&submission.leaf()) {
                self.waiting.remove(&place);
            }
        }
    }
}
