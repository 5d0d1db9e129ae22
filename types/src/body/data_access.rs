//! Data access and credit query 数据访问·征信查询 (P03), the single form.

use crate::{
    InstitutionId, Text, Timestamp,
    body::{LegalBasis, optional},
    record::{Commitment, FlowId, Subject},
};
use serde::{Deserialize, Serialize};

/// Data about a person was accessed, or the access was denied. The flow is the log of one system of
/// the submitter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataAccess {
    /// The system; the same in all of the flow.
    pub system: Text<64>,
    /// Who accessed.
    pub actor: AccessActor,
    /// In which function.
    pub role: Text<32>,
    /// Which institution received the data.
    pub recipient: InstitutionId,
    /// What was done.
    pub operation: AccessOperation,
    /// Whose data.
    pub target: AccessTarget,
    /// The set of fields, as a code.
    pub field_set: Text<64>,
    /// The class of data, as a code.
    pub data_class: Text<32>,
    /// Rows touched.
    pub rows: u32,
    /// The purpose, as a code.
    pub purpose: Text<32>,
    /// Why it was lawful.
    pub basis: AccessBasis,
    /// The flow of the loan applied for, for a credit query.
    pub application: Option<FlowId>,
    /// Commitment to the number of the ticket, if there was one.
    pub ticket: Option<Commitment>,
    /// Whether it was allowed.
    pub outcome: AccessOutcome,
    /// The masking policy, if masked.
    pub masking_policy: Option<Text<32>>,
    /// The province that the data left (first two digits of GB/T 2260), if it left one.
    pub from_province: Option<u8>,
    /// The province that it went to.
    pub to_province: Option<u8>,
    /// When.
    pub at: Timestamp,
}

impl DataAccess {
    pub(super) fn subjects(&self) -> Vec<Subject> {
        match self.target {
            AccessTarget::Subject(subject) => vec![subject],
            AccessTarget::Query(_) => Vec::new(),
        }
    }

    pub(super) fn commitments(&self) -> Vec<(String, Commitment)> {
        let mut fields = Vec::new();
        if let AccessActor::Human(staff) = self.actor {
            fields.push(("actor.human".to_owned(), staff));
        }
        if let AccessTarget::Query(query) = self.target {
            fields.push(("target.query".to_owned(), query));
        }
        fields.extend(optional("ticket", self.ticket));
        fields
    }
}

/// Who accessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AccessActor {
    /// A person: commitment to the staff number.
    Human(Commitment),
    /// A service, by name.
    Service(Text<64>),
    /// A model, by its flow.
    Model(FlowId),
}

/// What was done with the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessOperation {
    /// Read.
    Read,
    /// Taken out of the system.
    Export,
    /// Asked from another.
    Query,
    /// A credit report was asked for.
    CreditQuery,
    /// Joined with other data.
    Join,
    /// Printed.
    Print,
    /// Deleted.
    Delete,
}

/// Whose data was accessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AccessTarget {
    /// That of one person.
    Subject(Subject),
    /// That of whom a query found: commitment to the query's text.
    Query(Commitment),
}

/// Why an access was lawful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AccessBasis {
    /// The consent of this flow.
    Consent(FlowId),
    /// Another basis of the law. [`LegalBasis::Consent`] needs the consent's flow.
    Law(LegalBasis),
    /// None is stated.
    None,
}

/// Whether an access was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessOutcome {
    /// Yes.
    Allowed,
    /// Yes, with parts masked.
    Masked,
    /// No.
    Denied,
}
