//! Showing the value behind one commitment without showing the others.

use crate::{
    Suite, Text, limits,
    record::{Commitment, Salt},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The salt and the value behind one commitment of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// The commitment's field, as [`crate::body::Body::commitments`] names it, or
    /// [`document_name_field`](crate::record::document_name_field).
    pub field: Text<128>,
    /// The salt that was drawn for the field.
    pub salt: Salt,
    /// The value that was committed to.
    pub value: DisclosedValue,
}

impl Disclosure {
    /// The commitment that this salt and value open.
    pub fn commitment(&self, suite: Suite) -> Commitment {
        Commitment::new(suite, &self.field, &self.salt, self.value.as_bytes())
    }
}

/// A committed value: text as its UTF-8 bytes, anything else as hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisclosedValue {
    /// Text.
    Text(Text<{ limits::VALUE_BYTES }>),
    /// Other bytes.
    Hex(HexBytes),
}

impl DisclosedValue {
    /// The bytes that were committed to.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Hex(bytes) => &bytes.0,
        }
    }
}

/// At most 1,024 bytes, in JSON as lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HexBytes(Vec<u8>);

impl HexBytes {
    /// Wraps bytes; `None` if there are more than 1,024.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        if bytes.len() > limits::VALUE_BYTES { None } else { Some(Self(bytes)) }
    }
}

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(D::Error::custom("expected lower-case hex digits"));
        }
        let bytes = hex::decode(&text).map_err(D::Error::custom)?;
        Self::new(bytes).ok_or_else(|| D::Error::custom("more than 1024 bytes"))
    }
}
