//! The fault file: a validator's misdeed as JSON that travels by itself. Whoever has the genesis, and the
//! changes of the validator set up to the fault's height, checks it offline.

use super::{Fault, SignedContent, VoteKind};
use crate::{
    Hash, Height, InstitutionId, PublicKey, Suite, ValidatorIndex, View,
    evidence::{EvidenceError, json},
    limits,
};
use serde::{Deserialize, Serialize};

/// A fault with whose validator it was. At most [`limits::FAULT_FILE_BYTES`] of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultFile {
    /// What kind of file this is.
    pub format: FaultFormat,
    /// Version of this layout; 1.
    pub version: u16,
    /// The algorithms of the chain.
    pub suite: Suite,
    /// The chain: its genesis hash. A claim; the verifier compares it with the genesis it trusts.
    pub chain: Hash,
    /// The height that both votes are for.
    pub height: Height,
    /// The view that both votes are for.
    pub view: View,
    /// The kind of vote.
    pub kind: VoteKind,
    /// Who, by position in the set in force at that height.
    pub validator: ValidatorIndex,
    /// Who, by institution. A claim; the set says whose the position was.
    pub institution: InstitutionId,
    /// Who, by key.
    pub key: PublicKey,
    /// The first vote.
    pub first: SignedContent,
    /// The other one.
    pub second: SignedContent,
}

/// The name that opens every fault file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultFormat {
    /// A fault file.
    #[serde(rename = "probata-fault")]
    Fault,
}

/// Why a file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultFileError {
    /// Too many bytes.
    #[error("the file has more than the {max} bytes of a fault file")]
    TooLarge {
        /// Bytes allowed.
        max: usize,
    },
    /// A version or an algorithm that this software does not have: no judgement is possible.
    #[error("this software does not know {0}")]
    Unsupported(String),
    /// Not the JSON of a fault file.
    #[error("not a fault file: {0}")]
    Json(String),
    /// A value spelled in another way than the one that the format has.
    #[error("a field is not spelled the one way that the format has")]
    Spelling,
}

impl From<EvidenceError> for FaultFileError {
    fn from(error: EvidenceError) -> Self {
        match error {
            EvidenceError::Spelling => Self::Spelling,
            EvidenceError::Json(why) => Self::Json(why),
            other => Self::Json(other.to_string()),
        }
    }
}

impl FaultFile {
    /// The version written here.
    pub const VERSION: u16 = 1;

    /// The file of a fault of an institution's validator.
    pub const fn new(fault: &Fault, institution: InstitutionId) -> Self {
        Self {
            format: FaultFormat::Fault,
            version: Self::VERSION,
            suite: fault.suite,
            chain: fault.chain,
            height: fault.height,
            view: fault.view,
            kind: fault.kind,
            validator: fault.validator,
            institution,
            key: fault.key,
            first: fault.first,
            second: fault.second,
        }
    }

    /// The fault without the name of its institution.
    pub const fn fault(&self) -> Fault {
        Fault {
            suite: self.suite,
            chain: self.chain,
            height: self.height,
            view: self.view,
            kind: self.kind,
            validator: self.validator,
            key: self.key,
            first: self.first,
            second: self.second,
        }
    }

    /// Reads a file strictly: no unknown, missing or doubled field, no trailing data, no second way to
    /// spell a value.
    ///
    /// # Errors
    /// [`FaultFileError`], the first thing wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, FaultFileError> {
        if bytes.len() > limits::FAULT_FILE_BYTES {
            return Err(FaultFileError::TooLarge { max: limits::FAULT_FILE_BYTES });
        }
        let value = json::strict(bytes)?;
        json::named(&value, "probata-fault")?;
        let version = value["version"].as_u64();
        if let Some(version) = version.filter(|version| *version != u64::from(Self::VERSION)) {
            return Err(FaultFileError::Unsupported(format!("version {version} of fault files")));
        }
        if value["suite"].is_string() && Suite::deserialize(&value["suite"]).is_err() {
            return Err(FaultFileError::Unsupported("the suite that the file names".to_owned()));
        }
        Ok(json::spelled(&value)?)
    }

    /// The file's text, the same bytes for the same content.
    ///
    /// # Panics
    /// Never: every field has a text of bounded length, and together they fit.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("every field has a text");
        text.push('\n');
        assert!(text.len() <= limits::FAULT_FILE_BYTES, "a fault file fits its bound");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Keypair, seal::vote_digest};

    const SUITE: Suite = Suite::Blake3Ed25519;

    fn file() -> FaultFile {
        let pair = Keypair::from_secret(&[3; 32]);
        let (chain, place) = (Hash([9; 32]), (Height::MAX, View::new(u64::MAX >> 11)));
        let signed = |content: Hash| {
            let digest = vote_digest(SUITE, VoteKind::PrePrepare.domain(), &chain, place, &content);
            SignedContent { content, signature: pair.sign(&digest) }
        };
        let fault = Fault {
            suite: SUITE,
            chain,
            height: place.0,
            view: place.1,
            kind: VoteKind::PrePrepare,
            validator: ValidatorIndex(u16::MAX),
            key: pair.public(),
            first: signed(Hash([1; 32])),
            second: signed(Hash([2; 32])),
        };
        assert_eq!(fault.check_signatures(), Ok(()));
        FaultFile::new(&fault, "213800WAVVOPS85N2205".parse().unwrap())
    }

    #[test]
    fn the_largest_file_fits_its_bound_and_is_read_as_it_was_written() {
        let text = file().to_json();
        assert!(text.len() < limits::FAULT_FILE_BYTES, "{} bytes", text.len());
        assert_eq!(FaultFile::parse(text.as_bytes()), Ok(file()));
        assert_eq!(FaultFile::new(&file().fault(), file().institution), file());
    }

    #[test]
    fn what_is_not_known_is_not_judged() {
        let text = file().to_json();
        for (from, to) in [("\"version\": 1", "\"version\": 2"), ("blake3-ed25519", "sm3-sm2")] {
            let read = FaultFile::parse(text.replace(from, to).as_bytes());
            assert!(matches!(read, Err(FaultFileError::Unsupported(_))), "{read:?}");
        }
    }

    #[test]
    fn another_spelling_is_refused() {
        let text = file().to_json();
        let list = format!("[\"{}\", \"{}\"]", file().first.content, file().first.signature);
        let first = serde_json::to_string_pretty(&file().first).unwrap().replace('\n', "\n  ");
        for (from, to) in [
            ("\"version\": 1", "\"version\": 1, \"note\": 1"),
            ("\"version\": 1", "\"version\": 1, \"version\": 1"),
            ("\"version\": 1", "\"version\": 1.0"),
            ("\"kind\": \"pre_prepare\",", ""),
            ("pre_prepare", "pre_commit"),
            ("probata-fault", "probata-evidence"),
            ("9007199254740991", "9007199254740992"),
            (&*first, &*list),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            let read = FaultFile::parse(changed.as_bytes());
            assert!(
                matches!(read, Err(FaultFileError::Json(_) | FaultFileError::Spelling)),
                "{to}: {read:?}"
            );
        }
        assert!(FaultFile::parse(format!("{text}x").as_bytes()).is_err());
        let long = format!("{text}{}", " ".repeat(limits::FAULT_FILE_BYTES));
        let read = FaultFile::parse(long.as_bytes());
        assert_eq!(read, Err(FaultFileError::TooLarge { max: limits::FAULT_FILE_BYTES }));
    }
}
