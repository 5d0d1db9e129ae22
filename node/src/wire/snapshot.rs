//! What is said about snapshots.

use probata_ledger::limits::{MANIFEST_BYTES, SNAPSHOT_CHUNKS};
use probata_types::{Hash, Height, codec};
use serde::{Deserialize, Serialize};

/// Bytes of an offer: two hashes and three numbers.
const OFFER_BYTES: usize = 128;

/// A snapshot that a peer has. Nothing of it is believed; it says what to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The height whose state it is.
    pub height: Height,
    /// The hash of that block's header.
    pub header: Hash,
    /// Names the state and how it is cut: the same on all nodes.
    pub digest: Hash,
    /// How many chunks there are.
    pub chunks: u32,
    /// Bytes of the manifest; nodes may show other seals in it.
    pub manifest_bytes: u32,
}

impl Offer {
    /// The offer's bytes.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// An offer from its bytes.
    ///
    /// # Errors
    /// [`codec::CodecError`] for anything but canonical bytes, and for more than any snapshot has.
    pub fn decode(bytes: &[u8]) -> Result<Self, codec::CodecError> {
        let offer: Self = codec::decode(bytes, OFFER_BYTES)?;
        let fits = offer.chunks as usize <= SNAPSHOT_CHUNKS
            && offer.manifest_bytes as usize <= MANIFEST_BYTES;
        let error = "an offer of more than a snapshot may have";
        if fits { Ok(offer) } else { Err(codec::CodecError::Malformed(error.into())) }
    }
}

/// The response that gives what was asked for, or says that it is not here: `1` and the bytes, or `0`.
pub fn given(found: Option<&[u8]>) -> Vec<u8> {
    found.map_or_else(|| vec![0], |bytes| [&[1], bytes].concat())
}

/// Takes apart what [`given`] made.
///
/// # Errors
/// [`codec::CodecError`] for anything else.
pub fn take_given(mut response: Vec<u8>) -> Result<Option<Vec<u8>>, codec::CodecError> {
    match response.first() {
        Some(0) if response.len() == 1 => Ok(None),
        Some(1) => {
            response.remove(0);
            Ok(Some(response))
        }
        _ => Err(codec::CodecError::Malformed("the response is neither given nor absent".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_comes_back_and_nothing_else_is_taken() {
        for bytes in [&b""[..], b"0", b"a longer one"] {
            assert_eq!(take_given(given(Some(bytes))).unwrap().unwrap(), bytes);
        }
        assert_eq!(take_given(given(None)).unwrap(), None);
        for wrong in [&[][..], &[0, 0], &[2], &[2, 1]] {
            assert!(take_given(wrong.to_vec()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_offer_has_one_spelling_and_is_bounded() {
        let offer = Offer {
            height: Height::new(7),
            header: Hash([1; 32]),
            digest: Hash([2; 32]),
            chunks: 3,
            manifest_bytes: 4,
        };
        let bytes = offer.encode();
        assert!(bytes.len() <= OFFER_BYTES);
        assert_eq!(Offer::decode(&bytes).unwrap(), offer);
        for length in 0..bytes.len() {
            assert!(Offer::decode(&bytes[..length]).is_err());
        }
        assert!(Offer::decode(&[&bytes[..], &[0]].concat()).is_err());
        assert!(Offer::decode(&Offer { chunks: u32::MAX, ..offer }.encode()).is_err());
        assert!(Offer::decode(&Offer { manifest_bytes: u32::MAX, ..offer }.encode()).is_err());
    }
}
