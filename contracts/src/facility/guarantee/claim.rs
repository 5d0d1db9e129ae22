//! Claims on a guarantee: notice, decision, payment, recovery.
//!
//! A claim is a loss; what of it each bearer of risk bears is its share, rounded down, and the fen
//! that rounding leaves go to the lender. Guarantors, re-guarantors and funds pay their parts; the
//! part of the lender stays with it, and that of the borrower stays owed. What comes back is split
//! the same way.

use crate::case::{Case, Judged, in_range, not_negative, positive, require};
use probata_types::{
    Fen, InstitutionId,
    body::{
        ClaimDecision, ClaimNotice, ClaimPayment, GuaranteeKind, Recovery, RecoverySource,
        RiskRole, RiskShare,
    },
    catalogue::{failure, finding},
    object::{Facility, GuaranteeState, GuaranteeStatus},
    state::TransactionKind,
};

/// Whether an institution is a guarantor, or bears a part of the risk other than as the borrower.
pub(super) fn bears(guarantee: &GuaranteeState, institution: &InstitutionId) -> bool {
    let shares = guarantee.risk_shares.iter();
    guarantee.guarantors.contains(institution)
        || shares
            .filter(|one| one.role != RiskRole::BorrowerSelf)
            .any(|one| one.institution.as_ref() == Some(institution))
}

const fn pays(role: RiskRole) -> bool {
    matches!(role, RiskRole::Guarantor | RiskRole::ReGuarantor | RiskRole::GovernmentFund)
}

/// Hard: the lender claims what is in scope, no more than is outstanding and guaranteed.
pub(super) fn notice(
    case: &mut Case<'_, '_>,
    facility: &Facility,
    guarantee: &mut GuaranteeState,
    notice: &ClaimNotice,
) -> Judged {
    require(case.submitter() == facility.lender, failure::NOT_PARTY)?;
    let open = matches!(guarantee.status, GuaranteeStatus::InForce | GuaranteeStatus::ClaimRefused);
    require(open, failure::GUARANTEE_STATE)?;
    let (parts, scope) = (&notice.parts, &guarantee.scope);
    not_negative([parts.principal, parts.interest, parts.penalty, parts.costs])?;
    let claimed = in_range(parts.sum())?;
    positive(claimed)?;
    let in_scope = [
        (parts.principal, scope.principal),
        (parts.interest, scope.interest),
        (parts.penalty, scope.penalty),
        (parts.costs, scope.costs),
    ];
    let in_scope = in_scope.iter().all(|(part, covered)| *covered || *part == Fen::ZERO);
    require(in_scope, failure::CLAIM_SCOPE)?;
    require(parts.principal <= facility.remaining(), failure::CLAIM_LIMIT)?;
    let most = guarantee.max_amount;
    require(most.is_none_or(|most| claimed <= most), failure::CLAIM_LIMIT)?;

    guarantee.claimed = claimed;
    guarantee.status = GuaranteeStatus::ClaimNoticed;
    let general = guarantee.kind == GuaranteeKind::General;
    // Mortgage and pledge end with the debt, not with a period.
    let lapsed = match guarantee.kind {
        GuaranteeKind::General => notice.sued_on.is_none_or(|day| day > guarantee.expires),
        GuaranteeKind::Mortgage | GuaranteeKind::Pledge => false,
        _ => notice.demanded_on > guarantee.expires,
    };
    case.note(lapsed, finding::PERIOD_LAPSED);
    case.note(general && !notice.enforcement_exhausted, finding::GENERAL_NO_EXHAUST);
    Ok(())
}

/// Hard: a bearer of risk decides; no more than was claimed, and what is refused with a reason.
pub(super) fn decide(
    case: &Case<'_, '_>,
    facility: &Facility,
    guarantee: &mut GuaranteeState,
    decision: &ClaimDecision,
) -> Judged {
    let submitter = case.submitter();
    let decides = submitter != facility.lender && bears(guarantee, &submitter);
    require(decides, failure::GUARANTOR)?;
    require(guarantee.status == GuaranteeStatus::ClaimNoticed, failure::GUARANTEE_STATE)?;
    not_negative([decision.accepted])?;
    let reasoned = decision.accepted == guarantee.claimed || decision.reason.is_some();
    require(decision.accepted <= guarantee.claimed && reasoned, failure::CLAIM_ACCEPTED)?;
    guarantee.accepted = decision.accepted;
    guarantee.status = match decision.accepted {
        Fen::ZERO => GuaranteeStatus::ClaimRefused,
        _ => GuaranteeStatus::ClaimAccepted,
    };
    Ok(())
}

/// Hard: no more than was accepted, split by the shares, from one who pays to the lender.
pub(super) fn pay(
    case: &mut Case<'_, '_>,
    facility: &Facility,
    guarantee: &mut GuaranteeState,
    payment: &ClaimPayment,
) -> Judged {
    let payable = matches!(
        guarantee.status,
        GuaranteeStatus::ClaimAccepted | GuaranteeStatus::ClaimPaid | GuaranteeStatus::Recourse
    );
    require(payable, failure::GUARANTEE_STATE)?;
    positive(payment.loss)?;
    let payer = |one: &RiskShare| pays(one.role) && one.institution == Some(payment.payer);
    let right = guarantee.risk_shares.iter().any(payer) && payment.payee == facility.lender;
    require(right, failure::CLAIM_PARTY)?;
    let submitter = case.submitter();
    let part = submitter == facility.lender || submitter == payment.payer;
    require(part, failure::GUARANTOR)?;
    let settled = in_range(guarantee.settled.plus(payment.loss))?;
    require(settled <= guarantee.accepted, failure::CLAIM_PAID)?;
    let split = allocate(payment.loss, &guarantee.risk_shares);
    require(payment.allocation.to_vec() == split, failure::CLAIM_ALLOCATION)?;

    let paying = split.iter().zip(&guarantee.risk_shares).filter(|(_, one)| pays(one.role));
    let paid = in_range(Fen::sum(paying.map(|(part, _)| *part)))?;
    case.record_transaction(payment.bank_txn, payment.loss, TransactionKind::Claim)?;
    guarantee.settled = settled;
    guarantee.paid = in_range(guarantee.paid.plus(paid))?;
    if guarantee.status == GuaranteeStatus::ClaimAccepted {
        guarantee.status = GuaranteeStatus::ClaimPaid;
    }
    Ok(())
}

/// Hard: no more than was settled, split as the loss was.
pub(super) fn recover(
    case: &mut Case<'_, '_>,
    facility: &Facility,
    guarantee: &mut GuaranteeState,
    recovery: &Recovery,
) -> Judged {
    super::require_part(case, facility, guarantee)?;
    let paid = matches!(guarantee.status, GuaranteeStatus::ClaimPaid | GuaranteeStatus::Recourse);
    require(paid, failure::GUARANTEE_STATE)?;
    positive(recovery.amount)?;
    let recovered = in_range(guarantee.recovered.plus(recovery.amount))?;
    require(recovered <= guarantee.settled, failure::RECOVERY)?;
    let split = allocate(recovery.amount, &guarantee.risk_shares);
    require(recovery.allocation.to_vec() == split, failure::CLAIM_ALLOCATION)?;
    case.record_transaction(recovery.bank_txn, recovery.amount, TransactionKind::Recovery)?;
    guarantee.recovered = recovered;
    let all = recovered == guarantee.settled && guarantee.settled == guarantee.accepted;
    guarantee.status = if all { GuaranteeStatus::Closed } else { GuaranteeStatus::Recourse };

    // Guarantors who signed one document answer to each other by law (Civil Code, 699 and 700).
    let together = guarantee.recourse_agreed || guarantee.guarantor_count > 1;
    let from_other = recovery.from == RecoverySource::CoGuarantor;
    case.note(from_other && !together, finding::RECOURSE_NOT_AGREED);
    Ok(())
}

/// What of a sum falls on each share.
fn allocate(sum: Fen, shares: &[RiskShare]) -> Vec<Fen> {
    let part = |share: &RiskShare| {
        let part = i128::from(sum.get()) * i128::from(share.share.get()) / 10_000;
        let part = i64::try_from(part).ok().and_then(Fen::new);
        part.expect("a part of a sum in range")
    };
    let mut parts: Vec<Fen> = shares.iter().map(part).collect();
    let given = Fen::sum(parts.iter().copied()).expect("shares add up to the whole");
    let left = sum.minus(given).expect("rounding down leaves something or nothing");
    let lender = shares.iter().position(|share| share.role == RiskRole::Lender).unwrap_or(0);
    if let Some(part) = parts.get_mut(lender) {
        *part = part.plus(left).expect("at most the sum");
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use probata_types::Bp;
    use proptest::prelude::*;

    fn share(role: RiskRole, bp: u16) -> RiskShare {
        RiskShare { role, institution: None, share: Bp::new(bp).unwrap() }
    }

    #[test]
    fn what_rounding_leaves_goes_to_the_lender() {
        let shares = [
            share(RiskRole::Guarantor, 4_000),
            share(RiskRole::ReGuarantor, 4_000),
            share(RiskRole::Lender, 2_000),
        ];
        let parts = |sum| -> Vec<i64> {
            allocate(Fen::new(sum).unwrap(), &shares).iter().map(|p| p.get()).collect()
        };
        assert_eq!(parts(10_001), vec![4_000, 4_000, 2_001]);
        assert_eq!(parts(7), vec![2, 2, 3]);
        let alone = [share(RiskRole::Guarantor, 3_333), share(RiskRole::GovernmentFund, 6_667)];
        let parts: Vec<i64> =
            allocate(Fen::new(10).unwrap(), &alone).iter().map(|p| p.get()).collect();
        assert_eq!(parts, vec![4, 6]);
    }

    proptest! {
        #[test]
        fn a_split_adds_up_to_the_fen(sum in 1i64..1 << 53, first in 0u16..=10_000) {
            let shares =
                [share(RiskRole::Guarantor, first), share(RiskRole::Lender, 10_000 - first)];
            let parts = allocate(Fen::new(sum).unwrap(), &shares);
            prop_assert_eq!(Fen::sum(parts), Fen::new(sum));
        }
    }
}
