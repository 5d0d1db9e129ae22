//! A facility: a loan with its whole life.

use super::GuaranteeState;
use crate::{
    Date, Fen, InstitutionId, List, Rate, Timestamp,
    body::{Currency, DayCount, LenderClass},
    limits,
    record::{RecordId, Subject},
};
use serde::{Deserialize, Serialize};

/// A facility as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facility {
    /// Where it stands in its life.
    pub status: FacilityStatus,
    /// The record of the loan contract.
    pub contract: RecordId,
    /// Who lends.
    pub lender: InstitutionId,
    /// What kind of lender it is.
    pub lender_class: LenderClass,
    /// The currency of all sums.
    pub currency: Currency,
    /// The day of signing.
    pub signed_on: Date,
    /// The first day.
    pub start: Date,
    /// The last day.
    pub end: Date,
    /// Whether repaid principal may be drawn again.
    pub revolving: bool,
    /// The sum lent, or the limit if revolving.
    pub principal: Fen,
    /// The agreed yearly rate.
    pub rate: Rate,
    /// The yearly rate after a due date is missed.
    pub overdue_rate: Rate,
    /// Days of a year for daily interest.
    pub day_count: DayCount,
    /// Interest over the whole schedule; none if repaid on demand.
    pub interest_scheduled: Option<Fen>,
    /// Instalments of the schedule; zero if repaid on demand.
    pub terms: u16,
    /// Sum of the agreed fees.
    pub fees_agreed: Fen,
    /// Sum of the fees paid, deductions included.
    pub fees_paid: Fen,
    /// Liquidated damages agreed.
    pub penalty: Fen,
    /// Whether another order than costs, interest, principal was agreed for payments.
    pub own_allocation_order: bool,
    /// Whether an address for service was agreed.
    pub service_address_agreed: bool,
    /// Principal paid out.
    pub disbursed: Fen,
    /// What the borrower received of it: the base of interest (Civil Code, 670).
    pub received: Fen,
    /// Principal paid back.
    pub repaid: Fen,
    /// Interest paid.
    pub interest_paid: Fen,
    /// The day from which interest runs, once paid out.
    pub interest_from: Option<Date>,
    /// The highest number of a drawdown.
    pub drawdowns: u32,
    /// Drawdowns that were ordered and not yet reported done or failed.
    pub pending: List<PendingDrawdown, { limits::PENDING_DRAWDOWNS }>,
    /// The highest number of an instalment paid.
    pub last_index: u32,
    /// The latest payment.
    pub last_paid_at: Option<Timestamp>,
    /// The earliest instalment known to be missed.
    pub overdue: Option<Overdue>,
    /// The day of the last effective demand, from which the limitation period runs anew.
    pub last_demand: Option<Date>,
    /// Records of collection.
    pub collections: u32,
    /// The guarantees, by number.
    pub guarantees: List<GuaranteeState, { limits::GUARANTEES_PER_FACILITY }>,
    /// Borrowers and guarantors, with the contacts made with each.
    pub debtors: List<Debtor, { limits::DEBTORS_PER_FACILITY }>,
}

impl Facility {
    /// Principal outstanding: what was paid out less what came back.
    pub fn remaining(&self) -> Fen {
        self.disbursed.minus(self.repaid).expect("repaid is never above disbursed")
    }

    /// Days since the earliest missed instalment was due, seen from a day; zero if none is missed.
    pub fn days_overdue(&self, on: Date) -> i32 {
        self.overdue.as_ref().map_or(0, |overdue| on.0.saturating_sub(overdue.since.0).max(0))
    }

    /// The day on which the claim can no longer be enforced: `years` after it fell due or was last
    /// demanded effectively.
    pub fn limitation_expires(&self, years: u16) -> Date {
        let due = self.overdue.as_ref().map_or(self.end, |overdue| overdue.since.max(self.end));
        let from = self.last_demand.map_or(due, |demand| demand.max(due));
        from.plus_months(i32::from(years) * 12)
    }
}

/// Where a facility stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacilityStatus {
    /// The contract is signed, nothing is paid out.
    Signed,
    /// Paid out, in whole or in part.
    Effective,
    /// Being repaid.
    Performing,
    /// An instalment was missed.
    Overdue,
    /// All is repaid.
    Settled,
}

impl FacilityStatus {
    /// The label of reports, in Chinese and in English.
    pub const fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Signed => ("已签署", "signed"),
            Self::Effective => ("已生效", "effective"),
            Self::Performing => ("履行中", "performing"),
            Self::Overdue => ("逾期", "overdue"),
            Self::Settled => ("已结清", "settled"),
        }
    }
}

/// A drawdown that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingDrawdown {
    /// Its number.
    pub number: u32,
    /// How much.
    pub amount: Fen,
}

/// An instalment known to be missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overdue {
    /// Its number.
    pub index: u32,
    /// The day on which it was due.
    pub since: Date,
}

/// A borrower or guarantor, with the contacts made in the last seven days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debtor {
    /// Who.
    pub subject: Subject,
    /// The guarantee by which; none for a borrower.
    pub guarantee: Option<u16>,
    /// The latest day of contact.
    pub latest: Date,
    /// Contacts on that day, the day before, and so on.
    pub contacts: [u16; 7],
}

impl Debtor {
    /// A debtor who was never contacted.
    pub const fn new(subject: Subject, guarantee: Option<u16>) -> Self {
        Self { subject, guarantee, latest: Date(0), contacts: [0; 7] }
    }

    /// Counts a contact on a day. Returns how many there are on that day, and in the seven days
    /// that end with the latest day known.
    pub fn count_contact(&mut self, day: Date) -> (u16, u16) {
        let ahead = i64::from(day.0) - i64::from(self.latest.0);
        if ahead > 0 {
            let shift = usize::try_from(ahead).unwrap_or(7).min(7);
            self.contacts.rotate_right(shift);
            self.contacts[..shift].fill(0);
            self.latest = day;
        }
        let at = usize::try_from(-ahead.min(0)).unwrap_or(7);
        if let Some(count) = self.contacts.get_mut(at) {
            *count = count.saturating_add(1);
        }
        let on_day = self.contacts.get(at).copied().unwrap_or(1);
        (on_day, self.contacts.iter().fold(0, |sum, count| sum.saturating_add(*count)))
    }
}
