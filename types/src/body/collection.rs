//! Collection 催收 (P15): proof of demand, and of lawful conduct.

use super::optional;
use crate::{
    Date, Fen, InstitutionId, Text, Timestamp,
    record::{Commitment, FlowId, Subject},
};
use serde::{Deserialize, Serialize};

/// The debtor was asked to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// Whose debt: a borrower or guarantor of the facility.
    pub debtor: Subject,
    /// By what way.
    pub channel: CollectionChannel,
    /// By whom.
    pub agent: CollectionAgent,
    /// Commitment to the collector's staff number.
    pub agent_id: Commitment,
    /// Commitment to the number or address that was contacted.
    pub contact: Commitment,
    /// Who was contacted.
    pub contact_role: ContactRole,
    /// Whether it went to the address for service agreed in the contract.
    pub to_agreed_address: bool,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Whether somebody was reached.
    pub reached: Reached,
    /// The sum demanded.
    pub demand_amount: Fen,
    /// The day for which the sum was reckoned.
    pub as_of: Date,
    /// What came of it.
    pub outcome: CollectionOutcome,
    /// The script and its version, if one was used.
    pub script: Option<Text<64>>,
    /// Commitment to the number of the mandate of an outside agency.
    pub mandate_no: Option<Commitment>,
    /// The complaint that it belongs to, if any.
    pub complaint: Option<Complaint>,
}

impl Collection {
    pub(super) fn commitments(&self) -> Vec<(String, Commitment)> {
        let mut fields =
            vec![("agent_id".to_owned(), self.agent_id), ("contact".to_owned(), self.contact)];
        fields.extend(optional("mandate_no", self.mandate_no));
        fields.extend(optional("complaint.number", self.complaint.as_ref().map(|c| c.number)));
        fields
    }
}

/// Ways of contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollectionChannel {
    /// A call by a person.
    Phone,
    /// A short message.
    Sms,
    /// A message in an application.
    App,
    /// Electronic mail.
    Email,
    /// A letter.
    Letter,
    /// A visit.
    Visit,
    /// A call by a machine.
    AiCall,
    /// A letter of a lawyer.
    LawyerLetter,
    /// A notice through a court.
    CourtNotice,
}

/// Who collects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CollectionAgent {
    /// The lender's own staff.
    Own,
    /// An outside agency.
    Outsourced(InstitutionId),
    /// A model, by its flow.
    Model(FlowId),
}

/// Who was contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactRole {
    /// The debtor.
    Debtor,
    /// A guarantor.
    Guarantor,
    /// Somebody that the debtor named for contact.
    AgreedContact,
    /// A third person.
    ThirdParty,
    /// Not known.
    Unknown,
}

/// Whether somebody was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// Spoken to, handed over.
    Yes,
    /// Not reached.
    No,
    /// A message was left.
    Voicemail,
    /// Shown as read.
    Read,
    /// Acceptance was refused.
    Refused,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CollectionOutcome {
    /// Nothing.
    None,
    /// The debtor promised to pay.
    Promise {
        /// When.
        on: Date,
        /// How much.
        amount: Fen,
    },
    /// The debtor disputes the debt.
    Dispute,
    /// The debtor complains.
    Complaint,
    /// The debtor states hardship.
    Hardship,
    /// The debtor paid.
    Paid,
}

/// A complaint about collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complaint {
    /// Commitment to its number.
    pub number: Commitment,
    /// When it was made.
    pub opened_at: Timestamp,
    /// When it was closed, if it was.
    pub closed_at: Option<Timestamp>,
}
