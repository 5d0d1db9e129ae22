//! The life of a loan: what the records of a facility's flow have in common.
//!
//! ```text
//! SIGNED ──paid out──▶ EFFECTIVE ──repaid──▶ PERFORMING ◀──made good── OVERDUE
//!   ▲                      │                     │  └──────missed──────▶  │
//!   └──────all reversed────┘                     └──all repaid─▶ SETTLED ◀┘
//! ```
//! The states that dispute, acceleration, write-off and voiding lead to come with their records.

pub(crate) mod collection;
pub(crate) mod disbursement;
pub(crate) mod guarantee;
pub(crate) mod loan_contract;
mod owed;
pub(crate) mod repayment;
mod schedule;
mod signing;
mod yearly_cost;

use crate::case::{Case, Judged, require};
use probata_types::{
    catalogue::failure,
    object::{Facility, Object},
};

/// H6: the flow is a facility.
fn open(flow: Option<Object>) -> Judged<Box<Facility>> {
    match flow {
        Some(Object::Facility(facility)) => Ok(facility),
        Some(_) => Err(failure::FLOW_KIND.into()),
        None => Err(failure::FLOW_NOT_OPEN.into()),
    }
}

/// H2: the submitter is a lender, and the facility's.
fn require_lender(case: &Case<'_, '_>, facility: &Facility) -> Judged {
    case.require_role(probata_types::institution::Role::lends)?;
    require(case.submitter() == facility.lender, failure::NOT_PARTY)
}
