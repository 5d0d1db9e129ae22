//! A block as it lies in its frame: its length, and its bytes compressed (Zstandard, RFC 8878).
//!
//! Commitments are random and stay as long as they are; all that stands around them is alike from record to record. Nothing that
//! is hashed, signed or sent depends on this.

use probata_types::limits::BLOCK_BYTES;
use std::io;
use zstd::bulk;

/// The fastest of the usual levels: slower ones win less than a hundredth.
const LEVEL: i32 = 1;
/// Bytes of the length.
const LENGTH: usize = 4;

/// Compresses blocks, one after the other.
pub(super) struct Packer(bulk::Compressor<'static>);

impl Packer {
    pub(super) fn new() -> io::Result<Self> {
        bulk::Compressor::new(LEVEL).map(Self)
    }

    pub(super) fn pack(&mut self, block: &[u8]) -> io::Result<Vec<u8>> {
        let length = u32::try_from(block.len()).map_err(io::Error::other)?;
        let mut packed = vec![0; LENGTH + zstd::zstd_safe::compress_bound(block.len())];
        packed[..LENGTH].copy_from_slice(&length.to_be_bytes());
        let written = self.0.compress_to_buffer(block, &mut packed[LENGTH..])?;
        packed.truncate(LENGTH + written);
        Ok(packed)
    }
}

/// The block; says what is wrong if there is none. Takes no more memory than a block may have.
pub(super) fn unpack(packed: &[u8]) -> Result<Vec<u8>, String> {
    let (length, compressed) = packed.split_first_chunk().ok_or("it has no length")?;
    let length = u32::from_be_bytes(*length) as usize;
    if length > BLOCK_BYTES {
        return Err(format!("a block of {length} bytes where at most {BLOCK_BYTES} are kept"));
    }
    let mut block = vec![0; length];
    let written = bulk::decompress_to_buffer(compressed, &mut block);
    match written.map_err(|error| error.to_string())? {
        whole if whole == length => Ok(block),
        other => Err(format!("it holds {other} bytes and says {length}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pack(block: &[u8]) -> Vec<u8> {
        Packer::new().unwrap().pack(block).unwrap()
    }

    #[test]
    fn what_is_alike_takes_little() {
        let block: Vec<u8> = (0..100_000u32).flat_map(|n| (n / 1_000).to_be_bytes()).collect();
        assert!(pack(&block).len() < block.len() / 50);
    }

    #[test]
    fn a_length_that_is_none_costs_no_memory() {
        let mut packed = pack(&[7; 100]);
        packed[..LENGTH].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(unpack(&packed).is_err());
        packed[..LENGTH].copy_from_slice(&101u32.to_be_bytes());
        assert!(unpack(&packed).is_err());
        packed[..LENGTH].copy_from_slice(&99u32.to_be_bytes());
        assert!(unpack(&packed).is_err());
    }

    proptest! {
        #[test]
        fn every_block_comes_back(block in proptest::collection::vec(any::<u8>(), 0..5_000)) {
            prop_assert_eq!(unpack(&pack(&block)).unwrap(), block);
        }

        #[test]
        fn noise_is_refused_or_is_a_block(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = unpack(&noise);
        }
    }
}
