//! Canonical bytes: the only module that names bincode.
//!
//! Integers are big-endian and of fixed width, enum variants are a `u32`, lengths a `u64`, options one
//! byte, structs their fields in order. A value has exactly one encoding: decoding refuses trailing
//! bytes and anything that would not encode back to the same bytes.

use serde::{Serialize, de::DeserializeOwned};

/// Why bytes were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Longer than the kind of value may be.
    #[error("{got} bytes are more than the {max} allowed")]
    TooLong {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not the encoding of such a value: cut short, an unknown variant, a number out of range.
    #[error("malformed bytes: {0}")]
    Malformed(String),
    /// Bytes after the end of the value.
    #[error("{0} bytes after the end of the value")]
    Trailing(usize),
    /// A value, but not in its one canonical spelling.
    #[error("the bytes are not the canonical encoding of their value")]
    NotCanonical,
}

/// What decoding may take in all, whatever lengths the bytes claim.
const DECODE_LIMIT: usize = 64 * 1_024 * 1_024;

fn config() -> impl bincode::config::Config {
    bincode::config::standard()
        .with_big_endian()
        .with_fixed_int_encoding()
        .with_limit::<DECODE_LIMIT>()
}

/// The canonical bytes of a value.
///
/// # Panics
/// If the value's `Serialize` fails or needs a self-describing format; no type of ours does.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, config()).expect("our types serialize without failing")
}

/// The value that `bytes` encode canonically, where at most `max` bytes are allowed.
///
/// # Errors
/// [`CodecError`], saying what is wrong with the bytes. Memory stays proportional to their length.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8], max: usize) -> Result<T, CodecError> {
    if bytes.len() > max {
        return Err(CodecError::TooLong { got: bytes.len(), max });
    }
    let (value, used): (T, usize) = bincode::serde::decode_from_slice(bytes, config())
        .map_err(|error| CodecError::Malformed(error.to_string()))?;
    if used != bytes.len() {
        return Err(CodecError::Trailing(bytes.len() - used));
    }
    if encode(&value) != bytes {
        return Err(CodecError::NotCanonical);
    }
    Ok(value)
}
