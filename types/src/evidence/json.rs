//! Strict reading of JSON: what another reader might take differently is refused.

use super::EvidenceError;
use crate::limits;
use serde::{Serialize, de::DeserializeOwned};

/// Characters of an error message that are kept; it may quote the file.
const MESSAGE_CHARACTERS: usize = 300;

/// Refuses deep nesting, and every number that is not a plain integer which all readers keep exact.
/// Whether the bytes are JSON at all is decided by the parser afterwards.
pub(super) fn scan(bytes: &[u8]) -> Result<(), EvidenceError> {
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

/// Reads a value, with nothing after it.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, EvidenceError> {
    serde_json::from_slice(bytes).map_err(|cause| error(&cause))
}

/// The JSON value that stands for `value`.
pub(crate) fn value<T: Serialize>(value: &T) -> Result<serde_json::Value, EvidenceError> {
    serde_json::to_value(value).map_err(|cause| error(&cause))
}

/// The parser's complaint, short and without characters that would act on a terminal.
pub(super) fn error(cause: &serde_json::Error) -> EvidenceError {
    let message: String =
        cause.to_string().chars().take(MESSAGE_CHARACTERS).flat_map(char::escape_debug).collect();
    EvidenceError::Json(message)
}
