//! Disbursement 放款 (P11).

use crate::{Date, Fen, List, record::Commitment};
use serde::{Deserialize, Serialize};

/// Money of the loan was paid out, or was to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disbursement {
    /// The number of the drawdown in the facility, from 1.
    pub drawdown_no: u32,
    /// The principal drawn; what the borrower receives is this less the deductions.
    pub amount: Fen,
    /// The day on which interest begins.
    pub value_date: Date,
    /// By what way.
    pub channel: DisbursementChannel,
    /// Commitment to the account paid from.
    pub payer_account: Commitment,
    /// Commitment to the account paid to.
    pub payee_account: Commitment,
    /// Whether the account paid to is the borrower's own.
    pub payee_is_borrower: bool,
    /// Commitment to the number of the bank transaction. A reversal repeats that of what it
    /// reverses.
    pub bank_txn: Commitment,
    /// What was kept back.
    pub deductions: List<Deduction, 8>,
    /// How it went.
    pub status: DisbursementStatus,
}

impl Disbursement {
    pub(super) fn commitments(&self) -> Vec<(String, Commitment)> {
        vec![
            ("payer_account".to_owned(), self.payer_account),
            ("payee_account".to_owned(), self.payee_account),
            ("bank_txn".to_owned(), self.bank_txn),
        ]
    }
}

/// Ways of paying out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisbursementChannel {
    /// Within the bank's core system.
    Core,
    /// The central bank's large and small value systems (大小额).
    InterBank,
    /// The clearing house of payment institutions (网联).
    NetsUnion,
    /// Digital renminbi.
    DigitalCurrency,
    /// To the borrower's counterparty on the borrower's order (受托支付).
    Entrusted,
}

/// Something kept back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deduction {
    /// As what.
    pub kind: DeductionKind,
    /// How much.
    pub amount: Fen,
}

/// What something was kept back as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeductionKind {
    /// Interest in advance.
    Interest,
    /// A fee.
    Fee,
    /// A deposit.
    Deposit,
    /// Anything else.
    Other,
}

/// How a payment went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisbursementStatus {
    /// Ordered.
    Instructed,
    /// Done.
    Paid,
    /// Not done.
    Failed,
    /// Done and taken back.
    Reversed,
}
