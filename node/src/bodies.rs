//! The submissions that wait at this node, for every thread to look at: what was checked once is not checked
//! again, and a proposal that only names its submissions is made whole from here.
//!
//! This holds what the mempool holds, which the chain thread changes, and is bounded by its limits; and what another node
//! handed on from when it was checked until the chain thread has judged it, which is bounded by the room for that. A
//! proposal may come before then.

use probata_types::{Hash, Submission};
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// Submissions by the digest of head and signature ([`Submission::leaf`]).
#[derive(Debug, Default)]
pub struct Bodies {
    waiting: RwLock<HashMap<Hash, Submission>>,
    added: Notify,
}

impl Bodies {
    /// Adds submissions that were checked. Whoever adds them sees to it that they are removed.
    pub fn add(&self, submissions: impl IntoIterator<Item = Submission>) {
        let mut waiting = self.waiting.write().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(submissions.into_iter().map(|one| (one.leaf(), one)));
        drop(waiting);
        self.added.notify_waiters();
    }

    /// Removes what no longer waits.
    pub fn remove(&self, leaves: impl IntoIterator<Item = Hash>) {
        let mut waiting = self.waiting.write().unwrap_or_else(PoisonError::into_inner);
        for leaf in leaves {
            waiting.remove(&leaf);
        }
    }

    /// Whether each of these waits, so that its signature is known to hold.
    pub fn hold<'a>(&self, submissions: impl IntoIterator<Item = &'a Submission>) -> Vec<bool> {
        // Before the lock is taken: they may still have to be computed.
        let leaves: Vec<Hash> = submissions.into_iter().map(Submission::leaf).collect();
        let waiting = self.waiting.read().unwrap_or_else(PoisonError::into_inner);
        leaves.iter().map(|leaf| waiting.contains_key(leaf)).collect()
    }

    /// Those of the submissions that are here.
    pub fn find(&self, leaves: &[Hash]) -> Vec<Option<Submission>> {
        let waiting = self.waiting.read().unwrap_or_else(PoisonError::into_inner);
        leaves.iter().map(|leaf| waiting.get(leaf).cloned()).collect()
    }

    /// Looks again for those that were not here.
    fn find_missing(
        &self,
        leaves: &[Hash],
        missing: &mut Vec<usize>,
        found: &mut [Option<Submission>],
    ) {
        let waiting = self.waiting.read().unwrap_or_else(PoisonError::into_inner);
        missing.retain(|at| {
            found[*at] = waiting.get(&leaves[*at]).cloned();
            found[*at].is_none()
        });
    }

    /// The same, once all of them are here or the time is over.
    pub async fn find_within(&self, leaves: &[Hash], time: Duration) -> Vec<Option<Submission>> {
        let end = Instant::now() + time;
        let mut found: Vec<Option<Submission>> = vec![None; leaves.len()];
        let mut missing: Vec<usize> = (0..leaves.len()).collect();
        loop {
            let mut added = std::pin::pin!(self.added.notified());
            // From here on nothing is missed that comes after the look.
            added.as_mut().enable();
            self.find_missing(leaves, &mut missing, &mut found);
            if missing.is_empty() || timeout_at(end, added).await.is_err() {
                return found;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{consent, flow, submission};
    use probata_types::{RecordId, Timestamp};
    use std::sync::Arc;

    fn one(key: u64) -> Submission {
        let at = Timestamp::new(1_790_000_000_000);
        submission(Hash([3; 32]), 1, key, at, vec![consent(1, flow(1), 1, RecordId::NONE, at)])
    }

    #[test]
    fn what_was_added_is_found_until_it_is_removed() {
        let bodies = Bodies::default();
        let (first, second) = (one(1), one(2));
        bodies.add([first.clone()]);
        assert_eq!(bodies.hold([&first, &second]), [true, false]);
        assert_eq!(bodies.find(&[second.leaf(), first.leaf()]), [None, Some(first.clone())]);
        let mut other = first.clone();
        other.signature.0[0] ^= 1;
        assert_eq!(bodies.hold([&other]), [false], "the same head under another signature");
        bodies.remove([first.leaf()]);
        assert_eq!(bodies.find(&[first.leaf()]), [None]);
    }

    #[tokio::test]
    async fn what_comes_while_it_is_waited_for_is_found() {
        let bodies = Arc::new(Bodies::default());
        let (first, second) = (one(1), one(2));
        let leaves = [first.leaf(), second.leaf()];
        let waiting = tokio::spawn({
            let bodies = Arc::clone(&bodies);
            async move { bodies.find_within(&leaves, Duration::from_secs(60)).await }
        });
        tokio::task::yield_now().await;
        bodies.add([first.clone()]);
        tokio::task::yield_now().await;
        bodies.add([second.clone()]);
        assert_eq!(waiting.await.unwrap(), [Some(first), Some(second)]);
        let missing = bodies.find_within(&[Hash::ZERO], Duration::from_millis(5)).await;
        assert_eq!(missing, [None], "what does not come is not waited for longer");
    }
}
