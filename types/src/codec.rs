//! Canonical bytes: the only module that names bincode.
//!
//! Integers are big-endian and of fixed width, enum variants are a `u32`, lengths a `u64`, options
//! one byte, structs their fields in order. A value has exactly one encoding: decoding refuses
//! trailing bytes and anything that would not encode back to the same bytes.

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

/// Bytes that most values fit in.
const USUAL: usize = 512;
/// What any value may take; [`decode`] allows each input little more than its own length.
const LIMIT: usize = 64 * 1_024 * 1_024;

fn config<const MAX: usize>() -> impl bincode::config::Config {
    bincode::config::standard().with_big_endian().with_fixed_int_encoding().with_limit::<MAX>()
}

/// The canonical bytes of a value.
///
/// # Panics
/// If the value's `Serialize` fails or needs a self-describing format; no type of ours does.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL);
    encode_into(value, &mut bytes);
    bytes
}

/// What `use_them` makes of the canonical bytes of a value, which mostly take no memory of their own.
///
/// # Panics
/// As [`encode`].
pub fn with_bytes<T: Serialize, R>(value: &T, use_them: impl FnOnce(&[u8]) -> R) -> R {
    let mut buffer = [0; USUAL];
    let mut rest = &mut buffer[..];
    let written = bincode::serde::encode_into_std_write(value, &mut rest, config::<LIMIT>());
    let left = rest.len();
    match written {
        Ok(_) => use_them(&buffer[..USUAL - left]),
        Err(_) => use_them(&encode(value)),
    }
}

/// Puts the canonical bytes of a value after those that are there.
///
/// # Panics
/// As [`encode`].
pub fn encode_into<T: Serialize>(value: &T, bytes: &mut Vec<u8>) {
    bincode::serde::encode_into_std_write(value, bytes, config::<LIMIT>())
        .expect("our types serialize without failing");
}

/// The value of bytes that [`encode`] made here: whether they are canonical is not looked at.
///
/// # Errors
/// [`CodecError`] if they are not those of such a value. Memory stays proportional to their length.
pub fn decode_own<T: DeserializeOwned>(bytes: &[u8], max: usize) -> Result<T, CodecError> {
    let (value, used) = decode_some(bytes, max)?;
    if used != bytes.len() {
        return Err(CodecError::Trailing(bytes.len() - used));
    }
    Ok(value)
}

/// The value at the beginning of bytes that [`encode`] made here, whatever follows it.
///
/// # Errors
/// As [`decode_own`].
pub fn decode_first<T: DeserializeOwned>(bytes: &[u8], max: usize) -> Result<T, CodecError> {
    decode_some(bytes, max).map(|(value, _)| value)
}

fn decode_some<T: DeserializeOwned>(bytes: &[u8], max: usize) -> Result<(T, usize), CodecError> {
    if bytes.len() > max {
        return Err(CodecError::TooLong { got: bytes.len(), max });
    }
    // A text claims its length before its bytes are there: no claim may be far above what was given.
    let decoded = match bytes.len() {
        0..0x1000 => bincode::serde::decode_from_slice(bytes, config::<0x1000>()),
        0x1000..0x10_000 => bincode::serde::decode_from_slice(bytes, config::<0x10_000>()),
        0x10_000..0x100_000 => bincode::serde::decode_from_slice(bytes, config::<0x100_000>()),
        _ => bincode::serde::decode_from_slice(bytes, config::<LIMIT>()),
    };
    decoded.map_err(|error| CodecError::Malformed(error.to_string()))
}

/// The value that `bytes` encode canonically, where at most `max` bytes are allowed.
///
/// # Errors
/// [`CodecError`], saying what is wrong with the bytes. Memory stays proportional to their length.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8], max: usize) -> Result<T, CodecError> {
    let value: T = decode_own(bytes, max)?;
    if encode(&value) != bytes {
        return Err(CodecError::NotCanonical);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    /// One of each kind of thing that our types are made of.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    struct Sample {
        number: u16,
        signed: i64,
        choice: Choice,
        option: Option<u8>,
        flag: bool,
        text: crate::Text<64>,
        list: crate::List<u32, 8>,
        hash: crate::Hash,
    }

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    enum Choice {
        Empty,
        One(u8),
        Two { a: u8, b: u16 },
    }

    fn sample() -> Sample {
        Sample {
            number: 0x0102,
            signed: -2,
            choice: Choice::Two { a: 7, b: 8 },
            option: Some(9),
            flag: true,
            text: crate::Text::new("证").unwrap(),
            list: crate::List::new(vec![1, 2]).unwrap(),
            hash: crate::Hash([0xee; 32]),
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_description() {
        let expected = [
            "0102",             // u16, big-endian
            "fffffffffffffffe", // i64, two's complement
            "00000002",
            "07",
            "0008", // variant as u32, then its fields
            "01",
            "09", // an option that is there
            "01", // true
            "0000000000000003",
            "e8af81", // bytes of the text as u64, then UTF-8
            "0000000000000002",
            "00000001",
            "00000002",       // items as u64, then each
            &"ee".repeat(32), // fixed-size bytes bare
        ];
        assert_eq!(hex::encode(encode(&sample())), expected.concat());
    }

    #[test]
    fn bytes_cut_short_anywhere_are_refused() {
        let bytes = encode(&sample());
        assert_eq!(decode::<Sample>(&bytes, bytes.len()), Ok(sample()));
        for end in 0..bytes.len() {
            let refused = decode::<Sample>(&bytes[..end], bytes.len());
            assert!(matches!(refused, Err(CodecError::Malformed(_))), "{end}: {refused:?}");
        }
    }

    #[test]
    fn bytes_after_the_value_are_refused() {
        let mut bytes = encode(&sample());
        bytes.extend([0, 0]);
        assert_eq!(decode::<Sample>(&bytes, bytes.len()), Err(CodecError::Trailing(2)));
    }

    #[test]
    fn more_bytes_than_allowed_are_not_even_read() {
        let bytes = encode(&sample());
        let (got, max) = (bytes.len(), bytes.len() - 1);
        assert_eq!(decode::<Sample>(&bytes, max), Err(CodecError::TooLong { got, max }));
    }

    #[test]
    fn a_second_spelling_of_a_value_is_refused() {
        // Decoding sorts a map, so its bytes in another order mean the same, and are not canonical.
        let map = BTreeMap::from([(1u8, 0u8), (2, 0)]);
        assert_eq!(decode::<BTreeMap<u8, u8>>(&encode(&map), 64), Ok(map));
        let unsorted = encode(&vec![(2u8, 0u8), (1, 0)]);
        let twice = encode(&vec![(1u8, 0u8), (1, 0)]);
        for bytes in [unsorted, twice] {
            assert_eq!(decode::<BTreeMap<u8, u8>>(&bytes, 64), Err(CodecError::NotCanonical));
        }
    }

    #[test]
    fn tags_that_do_not_exist_are_refused() {
        for (bytes, what) in [(vec![2u8], "bool"), (vec![0xff], "bool")] {
            assert!(matches!(decode::<bool>(&bytes, 8), Err(CodecError::Malformed(_))), "{what}");
        }
        assert!(decode::<Option<u8>>(&[2, 0], 8).is_err());
        assert!(decode::<Choice>(&[0, 0, 0, 3], 8).is_err());
        assert!(decode::<crate::Height>(&[0xff; 8], 8).is_err(), "above 2^53 - 1");
    }

    #[test]
    fn a_claimed_length_reserves_nothing() {
        for claimed in [u64::MAX, 1 << 40, 9] {
            let mut bytes = claimed.to_be_bytes().to_vec();
            bytes.extend([0; 8]);
            assert!(decode::<crate::List<u32, { usize::MAX }>>(&bytes, 64).is_err());
            assert!(decode::<crate::Text<64>>(&bytes, 64).is_err());
        }
    }

    fn samples() -> impl Strategy<Value = Sample> {
        let choice = prop_oneof![
            Just(Choice::Empty),
            any::<u8>().prop_map(Choice::One),
            any::<(u8, u16)>().prop_map(|(a, b)| Choice::Two { a, b }),
        ];
        let text = "[a-z\u{4e00}-\u{4eff}]{0,16}";
        let list = prop::collection::vec(any::<u32>(), 0..=8);
        (any::<(u16, i64)>(), choice, any::<(Option<u8>, bool)>(), text, list, any::<[u8; 32]>())
            .prop_map(|((number, signed), choice, (option, flag), text, list, hash)| Sample {
                number,
                signed,
                choice,
                option,
                flag,
                text: crate::Text::new(text).unwrap(),
                list: crate::List::new(list).unwrap(),
                hash: crate::Hash(hash),
            })
    }

    proptest! {
        #[test]
        fn a_value_comes_back(sample in samples()) {
            let bytes = encode(&sample);
            prop_assert_eq!(decode::<Sample>(&bytes, bytes.len()), Ok(sample));
        }

        /// No two byte strings decode to the same value, whatever is changed.
        #[test]
        fn a_changed_byte_is_another_value_or_none(
            sample in samples(), at in any::<prop::sample::Index>(), bit in 0..8u8
        ) {
            let mut bytes = encode(&sample);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(other) = decode::<Sample>(&bytes, bytes.len()) {
                prop_assert_ne!(&other, &sample);
                prop_assert_eq!(encode(&other), bytes);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            if let Ok(value) = decode::<Sample>(&bytes, 256) {
                prop_assert_eq!(encode(&value), bytes);
            }
        }
    }
}
