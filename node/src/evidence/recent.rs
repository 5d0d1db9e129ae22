//! The proofs of the newest blocks. Who sends a submission again after it was sealed is answered with its receipt: to read
//! and hash a large block for each of them would take the time that sealing needs.

use super::BlockProofs;
use crate::limits;
use probata_types::{Height, Submission, SubmissionId};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, PoisonError, RwLock},
};

/// The proofs of the blocks that were appended last, in order; bounded by the memory that they take. The chain thread alone
/// writes.
#[derive(Debug, Default)]
pub struct RecentBlocks(RwLock<Kept>);

#[derive(Debug, Default)]
struct Kept {
    blocks: VecDeque<Arc<BlockProofs>>,
    /// What they hold, and where in its block.
    submissions: HashMap<SubmissionId, (Arc<BlockProofs>, usize)>,
    /// Of all of them.
    memory: usize,
}

impl RecentBlocks {
    /// The block at a height, if it is one of them.
    pub fn get(&self, height: Height) -> Option<Arc<BlockProofs>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let at = kept.blocks.binary_search_by_key(&height, |block| block.height()).ok()?;
        Some(Arc::clone(&kept.blocks[at]))
    }

    /// The one of them that holds a submission.
    pub fn with(&self, submission: &SubmissionId) -> Option<Arc<BlockProofs>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.submissions.get(submission).map(|(block, _)| Arc::clone(block))
    }

    /// The one of them that holds exactly this: the head, its signature and the records. An id alone is of the head, and
    /// says nothing of what else somebody sends.
    pub fn holding(&self, submission: &Submission) -> Option<Arc<BlockProofs>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (block, at) = kept.submissions.get(&submission.id())?;
        block.is_at(*at, submission).then(|| Arc::clone(block))
    }

    /// Adds the block that follows; the oldest give way. One that is too large alone is not kept.
    pub fn push(&self, block: &Arc<BlockProofs>) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        kept.memory += block.memory();
        let places = block.submissions().enumerate();
        kept.submissions.extend(places.map(|(at, id)| (id, (Arc::clone(block), at))));
        kept.blocks.push_back(Arc::clone(block));
        while kept.memory > limits::RECENT_BYTES {
            let oldest = kept.blocks.pop_front().expect("no block takes no memory");
            kept.memory -= oldest.memory();
            for id in oldest.submissions() {
                kept.submissions.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{TestLedger, consent, flow, submission};
    use probata_types::{List, RecordId};

    #[test]
    fn the_newest_blocks_are_here_and_the_oldest_give_way() {
        let (mut ledger, recent) = (TestLedger::new(), RecentBlocks::default());
        let mut block = ledger.seal(Vec::new());
        let most = (limits::RECENT_BYTES / BlockProofs::of(&block).memory()) as u64;
        let newest = most + 2;
        for height in 1..=newest {
            block.header.height = Height::new(height);
            recent.push(&Arc::new(BlockProofs::of(&block)));
        }
        for (height, here) in
            [(1, false), (2, false), (3, true), (newest, true), (newest + 1, false)]
        {
            let found = recent.get(Height::new(height));
            assert_eq!(found.map(|block| block.height()), here.then(|| Height::new(height)));
        }
    }

    #[test]
    fn a_submission_is_found_while_its_block_is_here() {
        let (mut ledger, recent) = (TestLedger::new(), RecentBlocks::default());
        let (chain, at) = (ledger.genesis.chain(), ledger.time());
        let sent = submission(chain, 1, 1, at, vec![consent(1, flow(1), 1, RecordId::NONE, at)]);
        let mut block = ledger.seal(vec![sent.clone()]);
        recent.push(&Arc::new(BlockProofs::of(&block)));
        assert_eq!(recent.with(&sent.id()).unwrap().height(), Height::new(1));
        assert!(recent.with(&SubmissionId([1; 32])).is_none());
        assert_eq!(recent.holding(&sent).unwrap().height(), Height::new(1));
        let mut other_signature = sent.clone();
        other_signature.signature.0[0] ^= 1;
        let other = vec![consent(1, flow(2), 1, RecordId::NONE, at)];
        let other = submission(chain, 1, 1, at, other);
        let mut other_records = Submission::clone(&other);
        other_records.head = sent.head.clone();
        other_records.signature = sent.signature;
        for not_it in [other_signature, other_records, other] {
            assert!(recent.holding(&not_it).is_none());
        }
        block.proposal.submissions = List::empty();
        for height in 2.. {
            block.header.height = Height::new(height);
            recent.push(&Arc::new(BlockProofs::of(&block)));
            if recent.get(Height::new(1)).is_none() {
                break;
            }
        }
        assert!(recent.with(&sent.id()).is_none());
    }
}
