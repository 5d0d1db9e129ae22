//! Strict reading of JSON: what another reader might take differently is refused.

use super::EvidenceError;
use crate::limits;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, ser::Formatter};
use std::{fmt, io};

/// Characters of an error message that are kept; it may quote the file.
const MESSAGE_CHARACTERS: usize = 300;

/// Whether a file of so many bytes may be.
pub(super) fn bounded(got: usize) -> Result<(), EvidenceError> {
    let max = limits::EVIDENCE_BYTES;
    if got > max { Err(EvidenceError::TooLarge { got, max }) } else { Ok(()) }
}

/// Reads JSON that every reader takes alike: no deep nesting, no number that another would round, no field twice,
/// nothing after the end.
pub(crate) fn strict(bytes: &[u8]) -> Result<Value, EvidenceError> {
    scan(bytes)?;
    let Single(value) = serde_json::from_slice(bytes).map_err(|cause| error(&cause))?;
    Ok(value)
}

/// Whether a file names its format at the top.
pub(crate) fn named(file: &Value, format: &str) -> Result<(), EvidenceError> {
    if file["format"] == format {
        return Ok(());
    }
    Err(EvidenceError::Json("its format is another one".into()))
}

/// What the JSON says, if it says it the one way in which it would be written: serde alone would take a list for a
/// struct, and an absent field for a null one.
pub(crate) fn spelled<T: Serialize + DeserializeOwned>(value: &Value) -> Result<T, EvidenceError> {
    let read = T::deserialize(value).map_err(|cause| error(&cause))?;
    let written = serde_json::to_value(&read).map_err(|cause| error(&cause))?;
    if written == *value { Ok(read) } else { Err(EvidenceError::Spelling) }
}

/// JSON with a line for each field of the outermost two objects.
///
/// # Errors
/// [`EvidenceError::TooLarge`] if no reader would take it.
pub(super) fn text<T: Serialize>(value: &T) -> Result<String, EvidenceError> {
    let mut bytes = Vec::new();
    value
        .serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, TwoLevels { depth: 0 }))
        .map_err(|cause| error(&cause))?;
    let mut text = String::from_utf8(bytes).expect("JSON is UTF-8");
    text.push('\n');
    bounded(text.len())?;
    Ok(text)
}

/// Refuses deep nesting, and every number that is not a plain integer which all readers keep exact.
/// Whether the bytes are JSON at all is decided by the parser afterwards.
fn scan(bytes: &[u8]) -> Result<(), EvidenceError> {
    let (mut at, mut depth) = (0, 0usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at),
            b'[' | b'{' => {
                depth += 1;
                if depth > limits::EVIDENCE_DEPTH {
                    return Err(EvidenceError::TooDeep { max: limits::EVIDENCE_DEPTH });
                }
                at += 1;
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let length = bytes[at..].iter().take_while(|byte| in_number(**byte)).count();
                if !is_plain_integer(&bytes[at..at + length]) {
                    return Err(EvidenceError::Number { offset: at });
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

/// Where the string that opens at `start` has ended.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

const fn in_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

fn is_plain_integer(token: &[u8]) -> bool {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    let value = std::str::from_utf8(digits).ok().and_then(|text| text.parse::<u64>().ok());
    digits.iter().all(u8::is_ascii_digit)
        && value.is_some_and(|value| value <= limits::MAX_SAFE_INTEGER)
        && token != b"-0"
}

/// The parser's complaint, short and without characters that would act on a terminal.
pub(super) fn error(cause: &serde_json::Error) -> EvidenceError {
    let message: String =
        cause.to_string().chars().take(MESSAGE_CHARACTERS).flat_map(char::escape_debug).collect();
    EvidenceError::Json(message)
}

/// A value in which no field stands twice.
struct Single(Value);

impl<'de> Deserialize<'de> for Single {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SingleVisitor).map(Single)
    }
}

struct SingleVisitor;

impl<'de> Visitor<'de> for SingleVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Single(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Single(value))) = fields.next_entry::<String, Single>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom("a field stands twice"));
            }
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// Lines down to the second level: one for each field of a header, none for each number of a list.
struct TwoLevels {
    depth: usize,
}

impl Formatter for TwoLevels {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(b"]")
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(if self.depth < 2 { b"\n}" } else { b"}" })
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        if self.depth <= 2 { writer.write_all(b"\n") } else { Ok(()) }
    }
}
