//! Parties, and how they signed.

use super::optional;
use crate::{
    InstitutionId, List, Text, Timestamp,
    record::{Commitment, Digest256, Subject},
};
use serde::{Deserialize, Serialize};

/// A borrower or guarantor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// What it is.
    pub kind: PartyKind,
    /// Its public code, if it is an organisation that shows it.
    pub org: Option<InstitutionId>,
    /// Its handle.
    pub subject: Subject,
    /// Its part in the contract.
    pub role: PartyRole,
    /// Commitment to its name.
    pub name: Commitment,
    /// Commitment to its identifier (resident identity number, unified social credit code, …).
    pub identifier: Commitment,
    /// When its identity was verified, if it was.
    pub identified_at: Option<Timestamp>,
}

impl Party {
    pub(super) fn commitments(&self) -> Vec<(String, Commitment)> {
        vec![("name".to_owned(), self.name), ("identifier".to_owned(), self.identifier)]
    }
}

/// What a party is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyKind {
    /// A natural person.
    Person,
    /// A legal person or other organisation.
    Org,
    /// An individual business (个体工商户).
    SoleTrader,
}

/// The part of a party in a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyRole {
    /// Owes the loan.
    Borrower,
    /// Owes the loan together with the borrower.
    CoBorrower,
    /// Answers for the loan.
    Guarantor,
    /// Gives a thing or right as security.
    SecurityProvider,
}

/// One signature on a paper, by the party whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// Who signed.
    pub party: Signatory,
    /// The factors that were used.
    pub methods: List<SignMethod, 4>,
    /// The certificate of the signature, if there was one.
    pub certificate: Option<Certificate>,
    /// SHA-256 of the signature value or of the signed page, if there is one.
    pub signature: Option<Digest256>,
    /// When.
    pub at: Timestamp,
    /// Commitment to the network address, if known.
    pub ip: Option<Commitment>,
    /// Commitment to the device, if known.
    pub device: Option<Commitment>,
}

impl Signer {
    pub(super) fn commitments(&self) -> Vec<(String, Commitment)> {
        optional("ip", self.ip).into_iter().chain(optional("device", self.device)).collect()
    }
}

/// Whose signature it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Signatory {
    /// The lender.
    Lender,
    /// The party with this handle.
    Party(Subject),
}

/// A factor of signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignMethod {
    /// By hand.
    Handwritten,
    /// A code by short message.
    Sms,
    /// Comparison of the face.
    Face,
    /// A key in hardware.
    HardwareKey,
    /// A password.
    Password,
    /// A seal of the organisation.
    Seal,
}

/// The certificate of an electronic signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// SHA-256 of the certificate (DER).
    pub sha256: Digest256,
    /// Who issued it.
    pub issuer: Text<64>,
    /// Whether it was issued for this one signing.
    pub single_use: bool,
}
