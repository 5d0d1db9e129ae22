//! Consent grant and revoke 授权·撤回 (P02). A consent is a flow of its own; its flow id is its name.

use super::optional;
use crate::{
    InstitutionId, List, Millis, Text, Timestamp,
    record::{Commitment, FlowId, Subject},
};
use serde::{Deserialize, Serialize};

/// A person consented to the use of her data. The notice shown to her is a document of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentGrant {
    /// Whose data.
    pub subject: Subject,
    /// Who consented.
    pub grantor: Grantor,
    /// Who decides on purposes and means; the submitter.
    pub controller: InstitutionId,
    /// Who else receives the data.
    pub recipients: List<InstitutionId, 8>,
    /// The legal basis (Personal Information Protection Law, 13).
    pub basis: LegalBasis,
    /// The kind.
    pub kind: ConsentKind,
    /// The purposes, as codes; at least one.
    pub purposes: List<Text<32>, 8>,
    /// The means of processing.
    pub means: Text<64>,
    /// The classes of data, as codes; at least one.
    pub data_classes: List<Text<32>, 8>,
    /// Where the data comes from.
    pub sources: List<Text<32>, 8>,
    /// From when it holds.
    pub valid_from: Timestamp,
    /// How long it holds.
    pub validity: ConsentValidity,
    /// How it was shown.
    pub display: ConsentDisplay,
    /// How the will was expressed.
    pub will: WillProof,
    /// What was given in return, if anything.
    pub consideration: Option<Text<64>>,
    /// How it can be withdrawn.
    pub withdraw_channel: Text<64>,
    /// The consent that this one replaces; that one is superseded.
    pub replaces: Option<FlowId>,
}

impl ConsentGrant {
    pub(super) fn commitments(&self) -> Vec<(String, Commitment)> {
        optional("will.proof", self.will.proof).into_iter().collect()
    }
}

/// Who consented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grantor {
    /// The person herself.
    #[serde(rename = "self")]
    Oneself,
    /// Her legal representative.
    LegalRepresentative,
    /// A trustee.
    Trustee,
}

/// Legal bases (Personal Information Protection Law, 13 (1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalBasis {
    /// No. 1: consent.
    Consent,
    /// No. 2: needed for a contract.
    Contract,
    /// No. 3: a duty by law.
    Duty,
    /// No. 4: an emergency.
    Emergency,
    /// No. 5: news and supervision of public affairs.
    PublicInterest,
    /// No. 6: already public.
    AlreadyPublic,
    /// No. 7: another law.
    OtherLaw,
}

/// Kinds of consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    /// General.
    General,
    /// Separate, for handing to another (Personal Information Protection Law, 23).
    SeparateSharing,
    /// Separate, for sensitive data (29).
    SeparateSensitive,
    /// To query a credit report (Regulation on the Credit Reporting Industry, 18).
    CreditQuery,
    /// To collect credit data (13 of the same).
    CreditCollect,
    /// To move data across provinces.
    CrossProvince,
    /// To train models.
    ModelTraining,
}

impl ConsentKind {
    /// Whether the law wants it apart from any other.
    pub const fn is_separate(self) -> bool {
        matches!(self, Self::SeparateSharing | Self::SeparateSensitive)
    }
}

/// How long a consent holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ConsentValidity {
    /// Until this point in time.
    Until(Timestamp),
    /// For one access.
    OneTime,
    /// As long as the loan of this flow lives.
    LoanLife(FlowId),
    /// Without an end.
    Open,
}

/// How a consent was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentDisplay {
    /// The page.
    pub page: Text<64>,
    /// How long it was open.
    pub dwell: Millis,
    /// Whether the box was empty until she ticked it.
    pub default_unchecked: bool,
}

/// How the will was expressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WillProof {
    /// By what means.
    pub method: WillMethod,
    /// Commitment to what proves it (number of the signature or of the identity check), if anything
    /// does.
    pub proof: Option<Commitment>,
}

/// Means of expressing a will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WillMethod {
    /// On paper.
    Paper,
    /// A tick and a tap.
    Click,
    /// A code by short message.
    Sms,
    /// Comparison of the face.
    Face,
    /// An electronic signature.
    Signature,
    /// A recording.
    Recording,
}

/// A person withdrew her consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentRevoke {
    /// Whose data.
    pub subject: Subject,
    /// When she did. On the chain it takes effect with the block of this record.
    pub at: Timestamp,
    /// Who tells the chain.
    pub by: RevokedBy,
    /// By what way she did.
    pub channel: Text<64>,
}

/// Who tells the chain of a withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedBy {
    /// The controller.
    Controller,
    /// An agent of the person, whatever the controller says.
    Agent,
}
