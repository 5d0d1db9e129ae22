//! What nodes say to each other.

mod snapshot;

pub use snapshot::{Offer, given, take_given};

use probata_consensus::{Message, MessageBody};
use probata_types::{
    Hash, Height, List, Proposal, ProposalParts, SealedBlock, Submission, codec,
    limits::{BATCH_SUBMISSIONS, SUBMISSIONS_PER_PROPOSAL},
};
use serde::{Deserialize, Serialize};

use crate::limits;

/// A frame of the bulk lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bulk {
    /// Submissions, handed on so that every leader has them.
    Submissions(List<Submission, BATCH_SUBMISSIONS>),
    /// "I have sealed blocks up to here."
    Head(Height),
}

/// A request that expects a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Sealed blocks from a height on, at most so many.
    Blocks {
        /// First height wanted.
        first: Height,
        /// How many at most; above [`limits::FETCH_BLOCKS`] is the same as that.
        count: u32,
    },
    /// Submissions that wait there, by the digests of their leaves.
    Submissions(Leaves),
    /// The newest snapshot there: answered with an [`Offer`], as [`given`].
    SnapshotOffer,
    /// A part of the manifest of a snapshot: bytes, as [`given`].
    SnapshotManifest {
        /// Names the snapshot.
        digest: Hash,
        /// Which part, from 0, of [`limits::MANIFEST_PART_BYTES`] each.
        part: u32,
    },
    /// The block of the snapshot of this name: bytes, as [`given`].
    SnapshotBlock(Hash),
    /// A chunk of a snapshot: bytes, as [`given`].
    SnapshotChunk {
        /// Names the snapshot.
        digest: Hash,
        /// The chunk's place.
        index: u32,
    },
}

/// Submissions, named by [`Submission::leaf`].
pub type Leaves = List<Hash, SUBMISSIONS_PER_PROPOSAL>;

/// A frame of the consensus lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consensus {
    /// A message, whole.
    Whole(Message),
    /// A leader's proposal whose submissions were handed on before: the message without them, and their
    /// names. Who lacks one asks the sender for it. The signature is that of the whole message.
    Named {
        /// The message; its proposal holds no submissions here.
        message: Message,
        /// Those it holds, in order.
        leaves: Leaves,
    },
}

impl Consensus {
    /// The frame of a message: by name, where that saves something.
    pub fn of(message: &Message) -> Self {
        let large = |proposal: &Proposal| {
            let bytes: usize = proposal.submissions.iter().map(Submission::size).sum();
            bytes >= limits::NAMED_FROM_BYTES
        };
        match &message.body {
            MessageBody::PrePrepare { proposal, .. } if large(proposal) => Self::by_name(message),
            _ => Self::Whole(message.clone()),
        }
    }

    /// The frame that names the submissions of a proposal, however small; any other message whole.
    pub fn by_name(message: &Message) -> Self {
        let MessageBody::PrePrepare { height, view, proposal } = &message.body else {
            return Self::Whole(message.clone());
        };
        let leaves = proposal.submissions.iter().map(Submission::leaf).collect();
        let leaves = List::new(leaves).expect("as many as the proposal has");
        let bare = ProposalParts { submissions: List::empty(), ..(**proposal).clone() };
        let body = MessageBody::PrePrepare { height: *height, view: *view, proposal: bare.into() };
        Self::Named { message: Message { body, ..message.clone() }, leaves }
    }

    /// The message with these submissions in its proposal; as it is, if it is no proposal.
    pub fn fill(
        mut message: Message,
        submissions: List<Submission, SUBMISSIONS_PER_PROPOSAL>,
    ) -> Message {
        if let MessageBody::PrePrepare { proposal, .. } = &mut message.body {
            proposal.submissions = submissions;
        }
        message
    }

    /// The frame's bytes.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// A frame from its bytes.
    ///
    /// # Errors
    /// [`codec::CodecError`] for anything but the canonical bytes of a frame.
    pub fn decode(bytes: &[u8]) -> Result<Self, codec::CodecError> {
        codec::decode(bytes, limits::CONSENSUS_FRAME_BYTES)
    }
}

impl Bulk {
    /// The frame's bytes.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// A frame from its bytes.
    ///
    /// # Errors
    /// [`codec::CodecError`] for anything but the canonical bytes of a frame.
    pub fn decode(bytes: &[u8]) -> Result<Self, codec::CodecError> {
        codec::decode(bytes, limits::mesh::MAX_BULK_FRAME)
    }
}

/// The frames that hand submissions on, each of at most [`limits::HANDED_ON_BYTES`] or of one submission.
pub fn handed_on(submissions: Vec<Submission>) -> Vec<Bulk> {
    let mut frames = Vec::new();
    let (mut frame, mut bytes) = (Vec::new(), 0);
    for submission in submissions {
        let size = submission.size();
        let full = bytes + size > limits::HANDED_ON_BYTES || frame.len() == BATCH_SUBMISSIONS;
        if full && !frame.is_empty() {
            frames.push(std::mem::take(&mut frame));
            bytes = 0;
        }
        frame.push(submission);
        bytes += size;
    }
    if !frame.is_empty() {
        frames.push(frame);
    }
    let of = |frame| Bulk::Submissions(List::new(frame).expect("a frame was bounded above"));
    frames.into_iter().map(of).collect()
}

impl Ask {
    /// The request's bytes.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// A request from its bytes.
    ///
    /// # Errors
    /// [`codec::CodecError`] for anything but the canonical bytes of a request.
    pub fn decode(bytes: &[u8]) -> Result<Self, codec::CodecError> {
        codec::decode(bytes, limits::mesh::MAX_REQUEST)
    }
}

/// The response to [`Ask::Submissions`]: those that wait there, in the order of the names.
pub type Found = List<Submission, SUBMISSIONS_PER_PROPOSAL>;

/// The response to [`Ask::Blocks`]: blocks one after the other, each as `u32` big-endian length and canonical bytes, so
/// that the one who serves need not decode what it has on disk.
pub fn join_blocks(blocks: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(blocks.iter().map(|block| block.len() + 4).sum());
    for block in blocks {
        let length = u32::try_from(block.len()).expect("a block is at most 16 MiB");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(block);
    }
    bytes
}

/// Takes apart what [`join_blocks`] made.
///
/// # Errors
/// [`codec::CodecError`] for anything else, and for more than [`limits::FETCH_BLOCKS`] blocks.
pub fn split_blocks(mut bytes: &[u8]) -> Result<Vec<SealedBlock>, codec::CodecError> {
    let mut blocks = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        if blocks.len() == limits::FETCH_BLOCKS || length > rest.len() {
            return Err(codec::CodecError::Malformed("blocks are too many or cut short".into()));
        }
        let (block, rest) = rest.split_at(length);
        blocks.push(codec::decode(block, probata_types::limits::BLOCK_BYTES)?);
        bytes = rest;
    }
    if bytes.is_empty() { Ok(blocks) } else { Err(codec::CodecError::Trailing(bytes.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{SUITE, TestLedger, unsigned};
    use probata_types::{Signature, Timestamp, ValidatorIndex, View};

    const FAR: Timestamp = Timestamp::new(1_000_000);

    fn two_blocks() -> Vec<Vec<u8>> {
        let mut ledger = TestLedger::new();
        (0..2).map(|_| codec::encode(&ledger.seal(Vec::new()))).collect()
    }

    #[test]
    fn blocks_come_apart_as_they_were_joined() {
        let blocks = two_blocks();
        let split = split_blocks(&join_blocks(&blocks)).unwrap();
        assert_eq!(split.iter().map(codec::encode).collect::<Vec<_>>(), blocks);
        assert_eq!(split_blocks(&[]).unwrap(), []);
    }

    #[test]
    fn anything_else_is_refused_wherever_it_is_cut_or_changed() {
        let joined = join_blocks(&two_blocks());
        let first = 4 + u32::from_be_bytes(joined[..4].try_into().unwrap()) as usize;
        for length in (1..joined.len()).filter(|length| *length != first) {
            assert!(split_blocks(&joined[..length]).is_err(), "cut to {length} bytes");
        }
        for lie in [[0, 0, 0, 0], [0xff; 4], [0, 0, 0, 1]] {
            let mut changed = joined.clone();
            changed[..4].copy_from_slice(&lie);
            assert!(split_blocks(&changed).is_err(), "a length of {lie:?}");
        }
        let many = vec![two_blocks().remove(0); limits::FETCH_BLOCKS + 1];
        assert!(split_blocks(&join_blocks(&many)).is_err(), "more blocks than are asked for");
    }

    fn submissions(count: u32, records: usize) -> Vec<Submission> {
        (0..count).map(|number| (*unsigned(1, number.into(), FAR, records)).clone()).collect()
    }

    fn pre_prepare(submissions: Vec<Submission>) -> Message {
        let proposal = ProposalParts {
            suite: SUITE,
            chain: Hash([3; 32]),
            height: Height::new(1),
            parent: Hash([3; 32]),
            time: FAR,
            proposer: ValidatorIndex(0),
            submissions: List::new(submissions).unwrap(),
        };
        let body = MessageBody::PrePrepare {
            height: Height::new(1),
            view: View::ZERO,
            proposal: proposal.into(),
        };
        Message { from: ValidatorIndex(0), signature: Signature([9; 64]), body }
    }

    #[test]
    fn a_large_proposal_names_its_submissions_and_is_made_whole_again() {
        let held = submissions(200, 1);
        let whole = pre_prepare(held.clone());
        let frame = Consensus::of(&whole);
        let bytes = frame.encode();
        assert!(bytes.len() < codec::encode(&whole).len() / 4, "{} bytes", bytes.len());
        let Consensus::Named { message, leaves } = Consensus::decode(&bytes).unwrap() else {
            panic!("it is large");
        };
        let named: Vec<Hash> = held.iter().map(Submission::leaf).collect();
        assert_eq!(*leaves, *named);
        assert_eq!(Consensus::fill(message, List::new(held).unwrap()), whole);
        let small = pre_prepare(submissions(2, 1));
        assert_eq!(Consensus::of(&small), Consensus::Whole(small));
    }

    #[test]
    fn what_is_handed_on_keeps_its_order_in_frames_of_a_moderate_size() {
        let mut held = submissions(3_000, 1);
        held.insert(1_500, submissions(1, 1_024).remove(0));
        let frames = handed_on(held.clone());
        assert!(frames.len() >= 4, "{} frames", frames.len());
        let mut again = Vec::new();
        for frame in frames {
            assert!(frame.encode().len() <= limits::mesh::MAX_BULK_FRAME);
            let Bulk::Submissions(some) = frame else { panic!("submissions were handed on") };
            assert!(!some.is_empty());
            again.extend(some.into_vec());
        }
        assert_eq!(again, held);
        assert_eq!(handed_on(Vec::new()), []);
    }

    #[test]
    fn frames_have_one_spelling() {
        let head = Bulk::Head(Height::new(7));
        assert_eq!(Bulk::decode(&head.encode()).unwrap(), head);
        let mut longer = head.encode();
        longer.push(0);
        assert!(Bulk::decode(&longer).is_err());
        let ask = Ask::Blocks { first: Height::new(1), count: u32::MAX };
        assert_eq!(Ask::decode(&ask.encode()).unwrap(), ask);
        assert!(Ask::decode(&[]).is_err());
    }
}
