//! Guarantee: secures a facility.
//!
//! ```text
//! SIGNED ──loan paid out──▶ IN_FORCE ──notice──▶ CLAIM_NOTICED ──accepted──▶ CLAIM_ACCEPTED
//!    │                       │   ▲                     │ refused                   │ paid
//!    │                       │   └──notice again──── CLAIM_REFUSED          CLAIM_PAID (part*)
//!    │                       │                                                     │ recovered
//!    └── released, lapsed ───┴─▶ RELEASED | EXPIRED     CLOSED ◀──all back── RECOURSE (part*)
//! ```
//! Hard, at signing: shares of risk add up to 10,000, and those of a group of guarantors too; a
//! scheme has its shares and limit; the submitter is the lender, a guarantor or bearer of risk.
//! Those of claims are in `claim`. Soft: `KIND_UNCLEAR`, `NO_RESOLUTION`, `WEAK_SIGN`,
//! `SIGN_BEFORE_ID`, `PERIOD_LAPSED`, `GENERAL_NO_EXHAUST`, `RECOURSE_NOT_AGREED`.

mod claim;

use super::{open, signing};
use crate::case::{Case, Judged, not_negative, positive, require};
use probata_types::{
    Bp, Fen, List,
    body::{Guarantee, GuaranteeAction, GuaranteeKind, GuaranteeTerms, PartyKind, ReleaseReason},
    catalogue::{failure, finding},
    institution::Role,
    object::{Debtor, Facility, FacilityStatus, GuaranteeState, GuaranteeStatus, Object},
    outcome::Code,
    record::DocumentRole,
};

pub(crate) fn judge(
    case: &mut Case<'_, '_>,
    body: &Guarantee,
    flow: Option<Object>,
) -> Judged<Object> {
    case.require_role(|role| role.lends() || role == Role::Guarantor)?;
    let mut facility = open(flow)?;
    if let GuaranteeAction::Sign(terms) = &body.action {
        sign(case, &mut facility, body.number, terms)?;
        return Ok(Object::Facility(facility));
    }
    let numbered = |one: &GuaranteeState| one.number == body.number;
    let at = facility.guarantees.iter().position(numbered).ok_or(failure::GUARANTEE_NUMBER)?;
    let mut guarantee = facility.guarantees[at].clone();
    match &body.action {
        GuaranteeAction::Sign(_) => unreachable!("judged above"),
        GuaranteeAction::ClaimNotice(notice) => {
            claim::notice(case, &facility, &mut guarantee, notice)?;
        }
        GuaranteeAction::ClaimDecision(decision) => {
            claim::decide(case, &facility, &mut guarantee, decision)?;
        }
        GuaranteeAction::ClaimPaid(payment) => {
            claim::pay(case, &facility, &mut guarantee, payment)?;
        }
        GuaranteeAction::Recovery(recovery) => {
            claim::recover(case, &facility, &mut guarantee, recovery)?;
        }
        GuaranteeAction::Release(reason) => {
            release(case, &facility, &mut guarantee, *reason)?;
        }
    }
    facility.guarantees.as_mut_slice()[at] = guarantee;
    Ok(Object::Facility(facility))
}

fn sign(
    case: &mut Case<'_, '_>,
    facility: &mut Facility,
    number: u16,
    terms: &GuaranteeTerms,
) -> Judged {
    require(facility.status != FacilityStatus::Settled, failure::FACILITY_STATE)?;
    require(usize::from(number) == facility.guarantees.len() + 1, failure::GUARANTEE_NUMBER)?;
    require(!terms.guarantors.is_empty(), failure::VALUE)?;
    not_negative([terms.exposure])?;
    terms.max_amount.map_or(Ok(()), positive)?;
    check_shares(terms)?;
    check_scheme(case, terms)?;
    signing::require_side(&terms.signers, false)?;
    signing::judge(case, &terms.signers, terms.guarantors.iter().map(|one| &one.party))?;

    let guarantee = signed(case, facility, number, terms);
    require_part(case, facility, &guarantee)?;
    facility.guarantees.push(guarantee).map_err(|_| failure::GUARANTEE_LIMIT)?;
    for guarantor in &terms.guarantors {
        let subject = guarantor.party.subject;
        if facility.debtors.iter().all(|debtor| debtor.subject != subject) {
            let debtor = Debtor::new(subject, Some(number));
            facility.debtors.push(debtor).map_err(|_| failure::GUARANTEE_LIMIT)?;
        }
    }
    case.note(terms.kind == GuaranteeKind::Unclear, finding::KIND_UNCLEAR);
    let company = terms.guarantors.iter().any(|one| one.party.kind == PartyKind::Org);
    let resolved = case.has_document(DocumentRole::Resolution);
    case.note(company && !resolved, finding::NO_RESOLUTION);
    Ok(())
}

fn signed(
    case: &Case<'_, '_>,
    facility: &Facility,
    number: u16,
    terms: &GuaranteeTerms,
) -> GuaranteeState {
    let months = terms.period_months.unwrap_or(case.pack.guarantee_months);
    let institutions = terms.guarantors.iter().filter_map(|one| one.party.org).collect();
    GuaranteeState {
        number,
        status: match facility.status {
            FacilityStatus::Signed => GuaranteeStatus::Signed,
            _ => GuaranteeStatus::InForce,
        },
        record: case.id,
        kind: match terms.kind {
            GuaranteeKind::Unclear => GuaranteeKind::General,
            kind => kind,
        },
        max_amount: terms.max_amount,
        scope: terms.scope,
        expires: facility.end.plus_months(i32::from(months)),
        guarantors: List::new(institutions).expect("no more than guarantors"),
        guarantor_count: u8::try_from(terms.guarantors.len()).expect("eight at most"),
        recourse_agreed: terms.recourse_agreed,
        risk_shares: terms.risk_shares.clone(),
        claimed: Fen::ZERO,
        accepted: Fen::ZERO,
        settled: Fen::ZERO,
        paid: Fen::ZERO,
        recovered: Fen::ZERO,
    }
}

fn require_whole(shares: impl Iterator<Item = Bp>, code: Code) -> Judged {
    let sum: u32 = shares.map(|share| u32::from(share.get())).sum();
    require(sum == u32::from(Bp::WHOLE.get()), code)
}

fn check_shares(terms: &GuaranteeTerms) -> Judged {
    require_whole(terms.risk_shares.iter().map(|one| one.share), failure::RISK_SHARES)?;
    for guarantor in terms.guarantors.iter().filter(|one| one.share.is_some()) {
        let group = terms.guarantors.iter().filter(|one| one.group == guarantor.group);
        require_whole(group.filter_map(|one| one.share), failure::GROUP_SHARES)?;
    }
    Ok(())
}

fn check_scheme(case: &Case<'_, '_>, terms: &GuaranteeTerms) -> Judged {
    let Some(code) = &terms.scheme else {
        return Ok(());
    };
    let scheme = case.pack.scheme(code).ok_or(failure::SCHEME)?;
    let mut shares: Vec<Bp> = terms.risk_shares.iter().map(|one| one.share).collect();
    shares.sort_unstable_by(|a, b| b.cmp(a));
    require(shares == scheme.shares.to_vec(), failure::SCHEME)?;
    require(terms.exposure <= scheme.max_exposure, failure::SCHEME_EXPOSURE)
}

/// H2: the submitter is the lender, or bears a part.
fn require_part(case: &Case<'_, '_>, facility: &Facility, guarantee: &GuaranteeState) -> Judged {
    let submitter = case.submitter();
    let part = submitter == facility.lender || claim::bears(guarantee, &submitter);
    require(part, failure::GUARANTOR)
}

fn release(
    case: &Case<'_, '_>,
    facility: &Facility,
    guarantee: &mut GuaranteeState,
    reason: ReleaseReason,
) -> Judged {
    require_part(case, facility, guarantee)?;
    let open = matches!(
        guarantee.status,
        GuaranteeStatus::Signed | GuaranteeStatus::InForce | GuaranteeStatus::ClaimRefused
    );
    require(open, failure::GUARANTEE_STATE)?;
    guarantee.status = match reason {
        ReleaseReason::DebtSettled => {
            require(facility.status == FacilityStatus::Settled, failure::NOT_SETTLED)?;
            GuaranteeStatus::Released
        }
        ReleaseReason::Consent => {
            require(case.submitter() == facility.lender, failure::NOT_PARTY)?;
            GuaranteeStatus::Released
        }
        ReleaseReason::PeriodLapsed => {
            let today = case.local_day(case.block.time);
            require(guarantee.expires < today, failure::GUARANTEE_STATE)?;
            GuaranteeStatus::Expired
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests;
