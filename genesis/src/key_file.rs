//! The files that hold secrets: an institution's keys, and the consortium's subject key.
//!
//! Bytes in, bytes out: whoever writes such a file makes it readable for its owner only. No error,
//! no `Debug` and no `Display` of this module shows a secret, not even of a file that is broken.

use crate::limits;
use probata_types::{Domain, Hash, Keypair, PublicKey, Suite};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use zeroize::Zeroizing;

const KEY_FORMAT: &str = "probata-key";
const SUBJECT_KEY_FORMAT: &str = "probata-subject-key";
const VERSION: u16 = 1;

/// What a key is for. A key has one use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyUse {
    /// Signs submissions.
    Submission,
    /// Signs votes.
    Validator,
    /// Is a node's identity on the mesh.
    Node,
}

impl fmt::Display for KeyUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Submission => "submission",
            Self::Validator => "validator",
            Self::Node => "node",
        })
    }
}

/// Why a key file was refused. Never with any text of the file: it might be the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// Longer than such a file can be.
    #[error("{got} bytes are more than the {max} of a key file")]
    TooLong {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not JSON of the right form.
    #[error("line {line}, column {column}: this is not a {format} file; its fields are {fields}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The format expected.
        format: &'static str,
        /// The fields of such a file.
        fields: &'static str,
    },
    /// Another kind of file, or another version.
    #[error("this is not a {format} file of version 1")]
    Format {
        /// The format expected.
        format: &'static str,
    },
    /// Public and secret half do not belong together.
    #[error("the public key is not that of the secret: the file was changed; use its backup")]
    Mismatch,
    /// A key for something else.
    #[error("this key is for {got} use, and one for {wanted} use is needed here")]
    WrongUse {
        /// The use that the file states.
        got: KeyUse,
        /// The use needed.
        wanted: KeyUse,
    },
}

/// A key and what it is for, as its file holds them.
#[derive(Debug, Clone)]
pub struct KeyFile {
    /// What the key is for.
    pub purpose: KeyUse,
    /// The key. Its `Debug` shows the public half only.
    pub pair: Keypair,
}

impl KeyFile {
    /// Reads a key file.
    ///
    /// # Errors
    /// [`KeyFileError`], without any text of the file.
    pub fn parse(json: &[u8]) -> Result<Self, KeyFileError> {
        let file: KeyText = read(json, KEY_FORMAT, "format, version, use, public, secret")?;
        if file.format != KEY_FORMAT || file.version != VERSION {
            return Err(KeyFileError::Format { format: KEY_FORMAT });
        }
        let pair = Keypair::from_secret(&file.secret.0);
        if pair.public() != file.public {
            return Err(KeyFileError::Mismatch);
        }
        Ok(Self { purpose: file.purpose, pair })
    }

    /// Reads a key file that must be for a certain use.
    ///
    /// # Errors
    /// [`KeyFileError`], without any text of the file.
    pub fn parse_for(wanted: KeyUse, json: &[u8]) -> Result<Keypair, KeyFileError> {
        let file = Self::parse(json)?;
        let got = file.purpose;
        if got == wanted { Ok(file.pair) } else { Err(KeyFileError::WrongUse { got, wanted }) }
    }

    /// The text of the key file. It holds the secret: it is wiped when dropped.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        write(&KeyText {
            format: KEY_FORMAT.to_owned(),
            version: VERSION,
            purpose: self.purpose,
            public: self.pair.public(),
            secret: Secret(self.pair.secret()),
        })
    }
}

/// The consortium key, under which members know subjects by handles. All member nodes hold it;
/// whoever else does can guess who is behind a handle.
#[derive(Clone)]
pub struct SubjectKey(Zeroizing<[u8; 32]>);

impl SubjectKey {
    /// Wraps 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digest that names it in the genesis document.
    pub fn hash(&self, suite: Suite) -> Hash {
        subject_key_hash(suite, &self.0)
    }

    /// Reads a subject key file.
    ///
    /// # Errors
    /// [`KeyFileError`], without any text of the file.
    pub fn parse(json: &[u8]) -> Result<Self, KeyFileError> {
        let file: SubjectKeyText = read(json, SUBJECT_KEY_FORMAT, "format, version, secret")?;
        if file.format != SUBJECT_KEY_FORMAT || file.version != VERSION {
            return Err(KeyFileError::Format { format: SUBJECT_KEY_FORMAT });
        }
        Ok(Self(file.secret.0))
    }

    /// The text of the file. It holds the secret: it is wiped when dropped.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        write(&SubjectKeyText {
            format: SUBJECT_KEY_FORMAT.to_owned(),
            version: VERSION,
            secret: Secret(self.0.clone()),
        })
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(secret)")
    }
}

/// The digest that names a consortium key.
pub(crate) fn subject_key_hash(suite: Suite, key: &[u8; 32]) -> Hash {
    suite.hash(Domain::SubjectKey, &[key])
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText {
    format: String,
    version: u16,
    #[serde(rename = "use")]
    purpose: KeyUse,
    public: PublicKey,
    secret: Secret,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectKeyText {
    format: String,
    version: u16,
    secret: Secret,
}

/// 32 bytes as 64 lower-case hex digits. Without `Debug`, and its errors do not repeat the input.
struct Secret(Zeroizing<[u8; 32]>);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(hex::encode(*self.0)))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl de::Visitor<'_> for Digits {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 lower-case hex digits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
                let mut bytes = Zeroizing::new([0u8; 32]);
                let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
                match hex::decode_to_slice(text, bytes.as_mut_slice()) {
                    Ok(()) if lower => Ok(Secret(bytes)),
                    _ => Err(E::custom("expected 64 lower-case hex digits")),
                }
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

/// Reads a secret file. What serde_json would say may quote the input: only the place is told.
fn read<'a, T: Deserialize<'a>>(
    json: &'a [u8],
    format: &'static str,
    fields: &'static str,
) -> Result<T, KeyFileError> {
    let (got, max) = (json.len(), limits::KEY_FILE_BYTES);
    if got > max {
        return Err(KeyFileError::TooLong { got, max });
    }
    serde_json::from_slice(json).map_err(|error| KeyFileError::Malformed {
        line: error.line(),
        column: error.column(),
        format,
        fields,
    })
}

/// Writes a secret file into a buffer that does not move while it grows, so that no copy is left
/// behind.
fn write<T: Serialize>(file: &T) -> Zeroizing<Vec<u8>> {
    let mut json = Zeroizing::new(vec![0u8; limits::KEY_FILE_BYTES]);
    let mut rest: &mut [u8] = json.as_mut_slice();
    serde_json::to_writer_pretty(&mut rest, file).expect("five short fields fit the buffer");
    let used = limits::KEY_FILE_BYTES - rest.len();
    json.truncate(used);
    json.push(b'\n');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 32] = [0xa7; 32];

    fn file() -> KeyFile {
        KeyFile { purpose: KeyUse::Validator, pair: Keypair::from_secret(&SECRET) }
    }

    fn text() -> String {
        String::from_utf8(file().to_json().to_vec()).unwrap()
    }

    /// The secret in every spelling that a log could have.
    fn spellings() -> Vec<String> {
        let hex = hex::encode(SECRET);
        vec![hex.to_uppercase(), hex[..16].to_owned(), "167, 167".to_owned(), "a7, a7".to_owned()]
    }

    fn shows_no_secret(text: &str) {
        for spelling in spellings() {
            assert!(!text.contains(&spelling), "{text}");
        }
    }

    #[test]
    fn a_key_file_reads_back() {
        let read = KeyFile::parse(text().as_bytes()).unwrap();
        assert_eq!(read.purpose, KeyUse::Validator);
        assert_eq!(read.pair.secret(), file().pair.secret());
        assert!(text().ends_with("}\n"));
        assert!(KeyFile::parse_for(KeyUse::Validator, text().as_bytes()).is_ok());
        let key = SubjectKey::new(SECRET);
        let read = SubjectKey::parse(&key.to_json()).unwrap();
        assert_eq!(read.as_bytes(), &SECRET);
    }

    #[test]
    fn a_key_serves_its_own_use_only() {
        for wanted in [KeyUse::Submission, KeyUse::Node] {
            let error = KeyFile::parse_for(wanted, text().as_bytes()).unwrap_err();
            assert_eq!(error, KeyFileError::WrongUse { got: KeyUse::Validator, wanted });
        }
    }

    #[test]
    fn neither_debug_nor_errors_show_the_secret() {
        shows_no_secret(&format!("{:?} {:#?}", file(), file()));
        shows_no_secret(&format!("{:?}", SubjectKey::new(SECRET)));
        let secret = hex::encode(SECRET);
        let public = file().pair.public().to_string();
        // Files broken in every way that leaves the secret somewhere in them.
        let broken = [
            text().replace("\"version\": 1", &format!("\"version\": \"{secret}\"")),
            text().replace("\"validator\"", &format!("\"{secret}\"")),
            text().replace(KEY_FORMAT, &secret),
            text().replace("\"use\"", &format!("\"{secret}\"")),
            text().replace(&public, &secret),
            text().replace(&secret, &secret[..63]),
            text().replace(&secret, &secret.to_uppercase()),
            text().replace('}', &format!(", \"{secret}\": 1}}")),
            text().replace("\"version\": 1", "\"version\": 2"),
            text()[..text().len() - 3].to_owned(),
            format!("{}{secret}", text()),
            format!("\"{secret}\""),
            secret.clone(),
            format!("{}{}", text(), " ".repeat(limits::KEY_FILE_BYTES)),
        ];
        for broken in broken {
            let error = KeyFile::parse(broken.as_bytes()).expect_err(&broken);
            shows_no_secret(&format!("{error} {error:?}"));
            let error = SubjectKey::parse(broken.as_bytes()).expect_err(&broken);
            shows_no_secret(&format!("{error} {error:?}"));
        }
    }
}
