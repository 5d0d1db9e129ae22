//! Loan contract 贷款合同 (P08).

use super::{Currency, Party, Signer, under};
use crate::{
    Date, Fen, Hash, InstitutionId, List, Rate, Text,
    record::{Commitment, FlowId, Subject},
};
use serde::{Deserialize, Serialize};

/// A loan contract was signed: the first record of a facility's flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoanContract {
    /// Commitment to the contract's number.
    pub contract_no: Commitment,
    /// The lender's product.
    pub product: Text<64>,
    /// Who lends; the submitter.
    pub lender: InstitutionId,
    /// What kind of lender it is: decides the cap on the rate.
    pub lender_class: LenderClass,
    /// Who borrows; at least one.
    pub borrowers: List<Party, 8>,
    /// Whether the borrowers owe jointly and severally.
    pub joint: bool,
    /// The sum lent, or the limit if `revolving`.
    pub principal: Fen,
    /// Whether repaid principal may be drawn again.
    pub revolving: bool,
    /// The currency of all sums of the facility.
    pub currency: Currency,
    /// The day of signing.
    pub signed_on: Date,
    /// The first day.
    pub start: Date,
    /// The last day; later than the first.
    pub end: Date,
    /// The agreed interest.
    pub rate: InterestRate,
    /// The yearly cost, with all fees, that the borrower was shown.
    pub apr_disclosed: Rate,
    /// How the shown cost was annualised.
    pub apr_method: AprMethod,
    /// All fees.
    pub fees: List<Fee, 8>,
    /// The rate after a due date is missed.
    pub overdue_rate: OverdueRate,
    /// Whether overdue interest bears interest.
    pub compound: bool,
    /// Liquidated damages on default; zero for none.
    pub penalty: Fen,
    /// How it is repaid.
    pub repay_method: RepayMethod,
    /// When how much is due.
    pub schedule: Schedule,
    /// What the money is for: the lender's code.
    pub purpose: Text<32>,
    /// Who signed; the lender and at least one borrower.
    pub signers: List<Signer, 8>,
    /// The flow of the consent under which the borrower's data was used.
    pub consent: Option<FlowId>,
    /// The model that decided, if one did.
    pub decision_model: Option<ModelVersionRef>,
    /// Whether an address for service was agreed.
    pub service_address_agreed: bool,
    /// Whether electronic service was agreed.
    pub electronic_service_agreed: bool,
    /// Whether another order than costs, interest, principal was agreed for payments.
    pub own_allocation_order: bool,
    /// Who decides disputes.
    pub jurisdiction: Jurisdiction,
    /// Whether the small-claims procedure was agreed.
    pub small_claims_agreed: bool,
    /// Whether the contract was notarised as enforceable.
    pub notarised: bool,
    /// The regulatory sandbox, if any.
    pub sandbox: Option<Text<32>>,
    /// A mark of sustainability, if any.
    pub esg_tag: Option<Text<32>>,
}

impl LoanContract {
    pub(super) fn subjects(&self) -> Vec<Subject> {
        self.borrowers.iter().map(|party| party.subject).collect()
    }

    pub(super) fn commitments(&self) -> Vec<(String, Commitment)> {
        let mut fields = vec![("contract_no".to_owned(), self.contract_no)];
        for (at, party) in self.borrowers.iter().enumerate() {
            fields.extend(under(&format!("borrowers.{at}"), party.commitments()));
        }
        for (at, signer) in self.signers.iter().enumerate() {
            fields.extend(under(&format!("signers.{at}"), signer.commitments()));
        }
        fields
    }
}

/// The kinds of lenders that the law tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LenderClass {
    /// A bank.
    Bank,
    /// A bank without branches.
    InternetBank,
    /// A small-loan company.
    SmallLoan,
    /// A consumer-finance company.
    ConsumerFinance,
    /// Another licensed financial institution.
    OtherFinancial,
    /// Not licensed: private lending.
    NonFinancial,
}

/// The agreed interest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterestRate {
    /// The yearly rate at signing.
    pub nominal: Rate,
    /// Whether it moves.
    pub kind: RateKind,
    /// Days of a year for daily interest.
    pub day_count: DayCount,
}

/// Whether a rate moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RateKind {
    /// It stays.
    Fixed,
    /// It follows the loan prime rate.
    LprPlus {
        /// Of which tenor.
        tenor: LprTenor,
        /// Added to it, in basis points.
        spread_bp: i16,
    },
}

/// The tenors of the loan prime rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LprTenor {
    /// One year.
    OneYear,
    /// Five years and more.
    FiveYears,
}

/// Days of a year for daily interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayCount {
    /// 360.
    Days360,
    /// 365.
    Days365,
}

impl DayCount {
    /// The number of days.
    pub const fn days(self) -> i64 {
        match self {
            Self::Days360 => 360,
            Self::Days365 => 365,
        }
    }
}

/// How a yearly cost is made from the cost of a month (PBoC announcement 2021 No. 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AprMethod {
    /// Internal rate of return, compounded: `(1 + month)^12 - 1`.
    Compound,
    /// Not compounded: `12 · month`.
    Simple,
}

/// A fee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// For what.
    pub kind: FeeKind,
    /// To whom.
    pub payee: FeePayee,
    /// How much.
    pub amount: Fen,
    /// When it is due; up to the first day it lowers what the borrower receives.
    pub due: Date,
}

/// What a fee is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeKind {
    /// Handling.
    Handling,
    /// A guarantee.
    Guarantee,
    /// Insurance.
    Insurance,
    /// A service.
    Service,
    /// Valuation or appraisal.
    Appraisal,
    /// Notarisation, registration.
    Registration,
    /// Anything else.
    Other,
}

/// Who gets a fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeePayee {
    /// The lender.
    Lender,
    /// A guarantor.
    Guarantor,
    /// A platform.
    Platform,
    /// Somebody else.
    ThirdParty,
}

/// The rate after a due date is missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OverdueRate {
    /// This yearly rate.
    Fixed(Rate),
    /// The agreed rate times this many hundredths: 150 is one and a half times.
    Multiple {
        /// Hundredths.
        percent: u16,
    },
}

impl OverdueRate {
    /// The yearly rate over a nominal one.
    pub fn over(&self, nominal: Rate) -> Rate {
        match self {
            Self::Fixed(rate) => *rate,
            Self::Multiple { percent } => {
                let rate = u64::from(nominal.0) * u64::from(*percent) / 100;
                Rate(u32::try_from(rate).unwrap_or(u32::MAX))
            }
        }
    }
}

/// How a loan is repaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepayMethod {
    /// Equal instalments (等额本息).
    EqualInstalments,
    /// Equal principal (等额本金).
    EqualPrincipal,
    /// Interest first, principal at the end (先息后本).
    InterestFirst,
    /// All at the end (一次还本付息).
    Bullet,
    /// At the borrower's choice (随借随还).
    OnDemand,
}

/// When how much is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// No plan: at the borrower's choice up to the last day.
    OnDemand,
    /// Every instalment, by ascending due date.
    Rows(List<Instalment, 120>),
    /// A plan with more instalments than a record holds, in equal steps.
    Outline {
        /// Number of instalments.
        terms: u16,
        /// The day of the first.
        first_due: Date,
        /// Months from one to the next.
        every_months: u8,
        /// Sum of all principal.
        principal: Fen,
        /// Sum of all interest.
        interest: Fen,
        /// Merkle root over the rows, which the lender keeps.
        root: Hash,
    },
}

/// What is due on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instalment {
    /// The day.
    pub due: Date,
    /// Of principal.
    pub principal: Fen,
    /// Of interest.
    pub interest: Fen,
}

/// A version of a model that the chain knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelVersionRef {
    /// The model's flow.
    pub model: FlowId,
    /// Its version.
    pub version: Text<32>,
}

/// Who decides disputes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Jurisdiction {
    /// A court, by its code.
    Court(Text<32>),
    /// An arbitration commission, by its code.
    Arbitration(Text<32>),
}
