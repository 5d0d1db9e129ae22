//! What nodes say to each other besides consensus messages.

use probata_types::{Height, SealedBlock, Submission, codec};
use serde::{Deserialize, Serialize};

use crate::limits;

/// A frame of the bulk lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bulk {
    /// A submission, handed on so that every leader has it.
    Submission(Box<Submission>),
    /// "I have sealed blocks up to here."
    Head(Height),
}

/// A request that expects a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Sealed blocks from a height on, at most so many.
    Blocks {
        /// First height wanted.
        first: Height,
        /// How many at most; above [`limits::FETCH_BLOCKS`] is the same as that.
        count: u32,
    },
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
    use crate::fixtures::TestLedger;

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
