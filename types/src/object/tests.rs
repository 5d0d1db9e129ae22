use super::*;
use crate::{
    Bp, Date, Fen, Rate, Text, Timestamp,
    body::{
        ConsentKind, ConsentValidity, Currency, DayCount, GuaranteeKind, GuaranteeScope,
        LegalBasis, LenderClass, RiskRole, RiskShare,
    },
    codec,
    record::{FlowId, Subject},
};

fn bank() -> InstitutionId {
    "5493001KJTIIGC8Y1R12".parse().unwrap()
}

fn guarantee(number: u16) -> GuaranteeState {
    let share = RiskShare {
        role: RiskRole::Guarantor,
        institution: Some(bank()),
        share: Bp::new(1_250).unwrap(),
    };
    GuaranteeState {
        number,
        status: GuaranteeStatus::InForce,
        record: RecordId([1; 32]),
        kind: GuaranteeKind::Joint,
        max_amount: Some(Fen::ZERO),
        scope: GuaranteeScope { principal: true, interest: true, penalty: true, costs: true },
        expires: Date(0),
        guarantors: List::new(vec![bank(); 8]).unwrap(),
        guarantor_count: 8,
        recourse_agreed: true,
        risk_shares: List::new(vec![share; 8]).unwrap(),
        claimed: Fen::ZERO,
        accepted: Fen::ZERO,
        settled: Fen::ZERO,
        paid: Fen::ZERO,
        recovered: Fen::ZERO,
    }
}

fn full_facility() -> Facility {
    Facility {
        status: FacilityStatus::Effective,
        contract: RecordId([1; 32]),
        lender: bank(),
        lender_class: LenderClass::Bank,
        currency: Currency::CNY,
        signed_on: Date(0),
        start: Date(0),
        end: Date(365),
        revolving: false,
        principal: Fen::ZERO,
        rate: Rate(0),
        overdue_rate: Rate(0),
        day_count: DayCount::Days365,
        interest_scheduled: Some(Fen::ZERO),
        terms: 12,
        fees_agreed: Fen::ZERO,
        fees_paid: Fen::ZERO,
        penalty: Fen::ZERO,
        own_allocation_order: false,
        service_address_agreed: false,
        disbursed: Fen::ZERO,
        received: Fen::ZERO,
        repaid: Fen::ZERO,
        interest_paid: Fen::ZERO,
        interest_from: Some(Date(0)),
        drawdowns: 8,
        pending: List::new(vec![PendingDrawdown { number: 1, amount: Fen::ZERO }; 8]).unwrap(),
        last_index: 0,
        last_paid_at: Some(Timestamp::ZERO),
        overdue: Some(Overdue { index: 3, since: Date(90) }),
        last_demand: Some(Date(100)),
        collections: 0,
        guarantees: List::new((1..=4).map(guarantee).collect()).unwrap(),
        debtors: List::new(vec![Debtor::new(Subject([1; 32]), Some(1)); 16]).unwrap(),
    }
}

#[test]
fn the_fullest_objects_stay_within_their_bound() {
    let facility = Object::Facility(Box::new(full_facility()));
    let version = ModelVersion {
        name: Text::new("v".repeat(32)).unwrap(),
        status: VersionStatus::Deployed,
        run: Some(RecordId([1; 32])),
        purpose: Some(crate::body::ModelUse::Pricing),
        filed: true,
        approved: true,
    };
    let model = Object::Model(Box::new(Model {
        model_id: Text::new("m".repeat(64)).unwrap(),
        versions: List::new(vec![version; limits::VERSIONS_PER_MODEL]).unwrap(),
        deployed: Some(Text::new("v".repeat(32)).unwrap()),
        runs: 1,
    }));
    let consent = Object::Consent(Box::new(consent(ConsentValidity::LoanLife(FlowId([1; 16])))));
    for object in [facility, model, consent] {
        let size = codec::encode(&object).len();
        assert!(size <= limits::OBJECT_BYTES, "{:?} takes {size}", object.label());
    }
}

fn consent(validity: ConsentValidity) -> Consent {
    Consent {
        status: ConsentStatus::Active,
        grant: RecordId([1; 32]),
        subject: Subject([1; 32]),
        controller: bank(),
        recipients: List::new(vec![bank(); 8]).unwrap(),
        basis: LegalBasis::Consent,
        kind: ConsentKind::General,
        purposes: List::new(vec![Text::new("p".repeat(32)).unwrap(); 8]).unwrap(),
        data_classes: List::new(vec![Text::new("d".repeat(32)).unwrap(); 8]).unwrap(),
        valid_from: Timestamp::new(1_000),
        validity,
        uses: 0,
        revoked_at: None,
        superseded_by: None,
    }
}

#[test]
fn a_consent_holds_from_its_first_moment_to_before_its_last() {
    let consent = consent(ConsentValidity::Until(Timestamp::new(2_000)));
    let at = |time| consent.status_at(Timestamp::new(time));
    assert_eq!(at(999), ConsentStatus::Granted);
    assert_eq!(at(1_000), ConsentStatus::Active);
    assert_eq!(at(1_999), ConsentStatus::Active);
    assert_eq!(at(2_000), ConsentStatus::Expired);
}

#[test]
fn contacts_are_counted_by_day_and_week() {
    let mut debtor = Debtor::new(Subject([1; 32]), None);
    assert_eq!(debtor.count_contact(Date(100)), (1, 1));
    assert_eq!(debtor.count_contact(Date(100)), (2, 2));
    assert_eq!(debtor.count_contact(Date(103)), (1, 3));
    // One that is reported late counts on its own day.
    assert_eq!(debtor.count_contact(Date(100)), (3, 4));
    assert_eq!(debtor.count_contact(Date(106)), (1, 5));
    assert_eq!(debtor.count_contact(Date(107)), (1, 3));
    // Too old to be counted, or far ahead: no overflow, nothing lost.
    assert_eq!(debtor.count_contact(Date(i32::MIN)), (1, 3));
    assert_eq!(debtor.count_contact(Date(i32::MAX)), (1, 1));
}

#[test]
fn the_limitation_period_runs_from_the_latest_of_due_date_and_demand() {
    let mut facility = full_facility();
    facility.end = Date::from_civil(2025, 6, 30).unwrap();
    facility.overdue = None;
    facility.last_demand = None;
    assert_eq!(facility.limitation_expires(3).to_string(), "2028-06-30");
    facility.last_demand = Date::from_civil(2026, 2, 28);
    assert_eq!(facility.limitation_expires(3).to_string(), "2029-02-28");
}

#[test]
fn days_overdue_count_from_the_first_missed_instalment() {
    let mut facility = full_facility();
    assert_eq!(facility.days_overdue(Date(120)), 30);
    assert_eq!(facility.days_overdue(Date(0)), 0);
    assert_eq!(facility.days_overdue(Date(i32::MAX)), i32::MAX - 90);
    facility.overdue = None;
    assert_eq!(facility.days_overdue(Date(120)), 0);
}
