//! Proof material in JSON: digests, signatures and paths as base64 with padding (RFC 4648, section 4), which stock
//! tools read. Two thirds of what hex takes, and nobody compares them by eye.

use crate::{Hash, List, Signature, merkle::MerklePath};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::borrow::Cow;

/// A value whose bytes stand in one text: those of its items one after another, if it is a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base64<T>(pub(super) T);

/// What [`Base64`] can hold.
pub(super) trait Bytes: Sized {
    fn bytes(&self) -> Vec<u8>;
    /// `None` if no value has these bytes.
    fn of(bytes: &[u8]) -> Option<Self>;
}

impl<T: Bytes> Serialize for Base64<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.0.bytes()))
    }
}

impl<'de, T: Bytes> Deserialize<'de> for Base64<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        // It takes the one spelling only: padded, and no bits left over.
        let bytes = STANDARD.decode(text.as_bytes()).map_err(D::Error::custom)?;
        let value = T::of(&bytes).ok_or_else(|| {
            D::Error::custom(format!("{} bytes in base64 are too many or too few", bytes.len()))
        })?;
        Ok(Self(value))
    }
}

impl Bytes for Hash {
    fn bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl Bytes for Signature {
    fn bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl<const MAX: usize> Bytes for List<Hash, MAX> {
    fn bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|hash| hash.0).collect()
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let (items, []) = bytes.as_chunks() else { return None };
        Self::new(items.iter().map(|item| Hash(*item)).collect()).ok()
    }
}

impl<const MAX: usize> Bytes for List<Signature, MAX> {
    fn bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|signature| signature.0).collect()
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let (items, []) = bytes.as_chunks() else { return None };
        Self::new(items.iter().map(|item| Signature(*item)).collect()).ok()
    }
}

impl Bytes for MerklePath {
    fn bytes(&self) -> Vec<u8> {
        self.0.bytes()
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        List::of(bytes).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<List<Hash, 2>, serde_json::Error> {
        serde_json::from_str::<Base64<List<Hash, 2>>>(text).map(|read| read.0)
    }

    #[test]
    fn a_list_is_one_text_of_bounded_length() {
        let hashes = |count| List::<Hash, 4>::new(vec![Hash([0xff; 32]); count]).unwrap();
        let text = |count| serde_json::to_string(&Base64(hashes(count))).unwrap();
        assert_eq!(text(0), "\"\"");
        assert_eq!(text(1), format!("\"{}8=\"", "/".repeat(42)));
        for count in 0..=2 {
            assert_eq!(read(&text(count)).unwrap().len(), count);
        }
        assert!(read(&text(3)).is_err(), "a list is longer than its bound");
    }

    #[test]
    fn there_is_one_spelling() {
        let right = format!("\"{}8=\"", "/".repeat(42));
        assert!(read(&right).is_ok());
        let url = right.replace('/', "_");
        let unpadded = right.replace('=', "");
        let left_over = right.replace('8', "9");
        let blank = right.replacen("//", "/ /", 1);
        let short = format!("\"{}\"", "/".repeat(40));
        for wrong in [url, unpadded, left_over, blank, short, "[]".to_owned()] {
            assert!(read(&wrong).is_err(), "{wrong} was taken");
        }
    }
}
