//! Repayment 还款 (P12).

use crate::{Date, Fen, Timestamp, record::Commitment};
use serde::{Deserialize, Serialize};

/// Money came back, or failed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repayment {
    /// The number of the instalment, from 1. An instalment may be paid in parts.
    pub index: u32,
    /// The day on which it was due.
    pub due_date: Date,
    /// When it was paid, or tried.
    pub paid_at: Timestamp,
    /// How much; positive.
    pub amount: Fen,
    /// On what; adds up to the amount.
    pub allocation: Allocation,
    /// Costs that are due and still not paid after this payment, by the lender's books.
    pub unpaid_cost: Fen,
    /// Interest that is due and still not paid after this payment, by the lender's books.
    pub unpaid_interest: Fen,
    /// Where the money came from.
    pub source: RepaymentSource,
    /// Commitment to the number of the bank transaction. A reversal repeats that of what it
    /// reverses.
    pub bank_txn: Commitment,
    /// Principal outstanding after this record.
    pub remaining_principal: Fen,
    /// Instalments outstanding after this record.
    pub remaining_terms: u16,
    /// How it went.
    pub result: RepaymentResult,
}

impl Repayment {
    pub(super) fn commitments(&self) -> Vec<(String, Commitment)> {
        vec![("bank_txn".to_owned(), self.bank_txn)]
    }
}

/// What a payment is counted on.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// Costs of enforcing the claim.
    pub cost: Fen,
    /// Fees.
    pub fee: Fen,
    /// Interest.
    pub interest: Fen,
    /// Penalty and overdue interest.
    pub penalty: Fen,
    /// Interest on interest.
    pub compound: Fen,
    /// Principal.
    pub principal: Fen,
}

impl Allocation {
    /// The parts.
    pub const fn parts(&self) -> [Fen; 6] {
        [self.cost, self.fee, self.interest, self.penalty, self.compound, self.principal]
    }

    /// The sum, or `None` out of range.
    pub fn sum(&self) -> Option<Fen> {
        Fen::sum(self.parts())
    }
}

/// Where the money of a repayment came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepaymentSource {
    /// Direct debit (自动扣款).
    DirectDebit,
    /// Paid by the debtor (主动).
    Voluntary,
    /// Paid by a guarantor (代偿).
    Guarantor,
    /// From collateral (担保物).
    Collateral,
    /// Paid by somebody else (第三方).
    ThirdParty,
    /// Deducted by a court (法院扣划).
    Court,
}

/// How a repayment went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepaymentResult {
    /// Paid.
    Success,
    /// Tried in vain.
    Fail,
    /// Paid and taken back.
    Reversed,
}
