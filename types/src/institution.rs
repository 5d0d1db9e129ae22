//! Who may speak: institution identifiers with their check digits, and roles.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// Why an institution identifier was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstitutionIdError {
    /// Neither 18 nor 20 characters.
    #[error(
        "an institution id has 18 characters (unified social credit code) or 20 (LEI), not {0}"
    )]
    Length(usize),
    /// A character that the code does not use.
    #[error("the character {0:?} does not occur in such a code")]
    Character(char),
    /// The check digits do not match.
    #[error("the check digit of the code is wrong: a character was mistyped")]
    CheckDigit,
}

/// A legal entity: its 18-character unified social credit code (GB 32100-2015) or its 20-character
/// LEI (ISO 17442), check digits verified.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstitutionId {
    bytes: [u8; 20],
    length: u8,
}

impl InstitutionId {
    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).expect("codes are ASCII")
    }
}

impl FromStr for InstitutionId {
    type Err = InstitutionIdError;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        match code.chars().count() {
            18 => check_social_credit_code(code)?,
            20 => check_lei(code)?,
            other => return Err(InstitutionIdError::Length(other)),
        }
        let mut bytes = [0u8; 20];
        bytes[..code.len()].copy_from_slice(code.as_bytes());
        Ok(Self { bytes, length: u8::try_from(code.len()).expect("18 or 20") })
    }
}

/// Characters of GB 32100-2015 in the order of their values 0 to 30 (no I, O, S, V, Z).
const CREDIT_CODE_CHARACTERS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// GB 32100-2015, 5: characters 1 to 17 weighted by 3^(i-1) mod 31, and the last one by 1, add up to 0 mod 31.
fn check_social_credit_code(code: &str) -> Result<(), InstitutionIdError> {
    let mut weight = 1u32;
    let mut sum = 0u32;
    for (at, c) in code.chars().enumerate() {
        let value = CREDIT_CODE_CHARACTERS.find(c).ok_or(InstitutionIdError::Character(c))?;
        let value = u32::try_from(value).expect("below 31");
        sum += if at < 17 { value * weight } else { value };
        weight = weight * 3 % 31;
    }
    if sum.is_multiple_of(31) { Ok(()) } else { Err(InstitutionIdError::CheckDigit) }
}

/// ISO 17442 by ISO 7064 MOD 97-10: letters as 10 to 35, the number must be 1 modulo 97.
fn check_lei(code: &str) -> Result<(), InstitutionIdError> {
    let mut remainder = 0u32;
    for c in code.chars() {
        remainder = match c {
            '0'..='9' => remainder * 10 + (c as u32 - '0' as u32),
            'A'..='Z' => remainder * 100 + (c as u32 - 'A' as u32 + 10),
            other => return Err(InstitutionIdError::Character(other)),
        } % 97;
    }
    if remainder == 1 { Ok(()) } else { Err(InstitutionIdError::CheckDigit) }
}

impl fmt::Display for InstitutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for InstitutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for InstitutionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for InstitutionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What an institution does in the consortium; it decides which records it may submit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Lends: a bank.
    Bank,
    /// Lends: a micro-lender or consumer-finance company.
    MicroLender,
    /// Guarantees loans of others.
    Guarantor,
    /// Provides data about subjects.
    DataProvider,
    /// Runs a platform on which others do business.
    Platform,
    /// Judges.
    Court,
    /// Supervises; publishes rule packs.
    Regulator,
    /// Notarises.
    Notary,
}

impl Role {
    /// Whether the institution grants loans.
    pub const fn lends(self) -> bool {
        matches!(self, Self::Bank | Self::MicroLender)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_codes_pass() {
        // Industrial and Commercial Bank of China; Alibaba (China); and two LEIs from the GLEIF register.
        for code in [
            "91100000100003962T",
            "91330100799655058B",
            "5493001KJTIIGC8Y1R12",
            "213800WAVVOPS85N2205",
        ] {
            assert_eq!(code.parse::<InstitutionId>().unwrap().as_str(), code);
        }
    }

    #[test]
    fn every_single_typo_is_caught() {
        for code in ["91100000100003962T", "5493001KJTIIGC8Y1R12"] {
            for at in 0..code.len() {
                for c in CREDIT_CODE_CHARACTERS.chars() {
                    let mut typo: Vec<char> = code.chars().collect();
                    // A digit for a letter changes the length of an LEI's number: MOD 97-10 promises nothing.
                    if typo[at] == c
                        || (code.len() == 20 && typo[at].is_numeric() != c.is_numeric())
                    {
                        continue;
                    }
                    typo[at] = c;
                    let typo: String = typo.into_iter().collect();
                    assert!(typo.parse::<InstitutionId>().is_err(), "{typo}");
                }
            }
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        assert_eq!("".parse::<InstitutionId>(), Err(InstitutionIdError::Length(0)));
        assert_eq!(
            "91100000100003962I".parse::<InstitutionId>(),
            Err(InstitutionIdError::Character('I'))
        );
        assert_eq!(
            "9110000010000396２T".parse::<InstitutionId>(),
            Err(InstitutionIdError::Character('２'))
        );
        assert_eq!(
            "5493001KJTIIGC8Y1R13".parse::<InstitutionId>(),
            Err(InstitutionIdError::CheckDigit)
        );
    }
}
