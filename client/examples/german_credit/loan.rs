//! The life of a loan as records: contract, guarantee, disbursement, instalments, and for one that
//! went bad a failed debit and a call.

use crate::table::Row;
use probata_client::sdk::{DraftError, OpeningBook, OpeningError, Statement, draft::bind_bytes};
use probata_types::{
    Bp, Date, Fen, InstitutionId, List, Rate, Suite, Text, Timestamp,
    body::{
        Allocation, AprMethod, Body, Collection, CollectionAgent, CollectionChannel,
        CollectionOutcome, ContactRole, DayCount, Disbursement, DisbursementChannel,
        DisbursementStatus, Guarantee, GuaranteeAction, GuaranteeKind, GuaranteeScope,
        GuaranteeTerms, Guarantor, Instalment, InterestRate, Jurisdiction, LenderClass,
        LoanContract, OverdueRate, Party, PartyKind, PartyRole, RateKind, Reached, RepayMethod,
        Repayment, RepaymentResult, RepaymentSource, RiskRole, RiskShare, Schedule, SignMethod,
        Signatory, Signer,
    },
    record::{Commitment, DataClass, Document, DocumentRole, Phase, Retention, Subject},
};

/// 6 % a year, so that a month costs 0.5 %.
const RATE: Rate = Rate(60_000);
const DAY_MS: u64 = 86_400_000;
/// Ten in the morning in China, in milliseconds after midnight UTC: when people sign, pay and call.
const MORNING_MS: u64 = 2 * 3_600_000;

/// What all loans share.
pub(crate) struct Book<'a> {
    pub(crate) suite: Suite,
    pub(crate) bank: InstitutionId,
    pub(crate) subject_key: &'a [u8; 32],
    pub(crate) rule_pack: u32,
    pub(crate) today: Date,
}

/// A statement with the openings of its commitments.
pub(crate) struct Told {
    pub(crate) statement: Statement,
    pub(crate) book: OpeningBook,
}

/// The name of the document behind a loan.
pub(crate) fn document_name(row: &Row) -> String {
    format!("loan-{:04}.csv", row.number)
}

/// All records of a loan, in order.
pub(crate) fn tell(shared: &Book<'_>, row: &Row) -> Result<Vec<Told>, DraftError> {
    let loan = Loan::new(shared, row);
    let mut told = vec![loan.contract()?];
    if row.guaranteed {
        told.push(loan.guarantee()?);
    }
    told.push(loan.disbursement()?);
    // A bad loan pays two thirds of its instalments.
    let paid = if row.good { row.months } else { row.months * 2 / 3 };
    for index in 1..=paid {
        told.push(loan.repayment(index, RepaymentResult::Success)?);
    }
    if !row.good {
        told.push(loan.repayment(paid + 1, RepaymentResult::Fail)?);
        told.push(loan.collection(paid + 1)?);
    }
    Ok(told)
}

struct Loan<'a> {
    shared: &'a Book<'a>,
    row: &'a Row,
    name: String,
    start: Date,
    rows: Vec<Instalment>,
}

impl<'a> Loan<'a> {
    fn new(shared: &'a Book<'a>, row: &'a Row) -> Self {
        let name = format!("german-credit/{:04}", row.number);
        // The last instalment was due a month ago.
        let start = shared.today.plus_months(-i32::from(row.months) - 1);
        let mut loan = Self { shared, row, name, start, rows: Vec::new() };
        let principal = loan.principal().get();
        let part = principal / i64::from(row.months);
        for index in 1..=row.months {
            let before = principal - part * i64::from(index - 1);
            let principal = if index == row.months { before } else { part };
            let interest = before * i64::from(RATE.0) / 12_000_000;
            let due = start.plus_months(i32::from(index));
            loan.rows.push(Instalment { due, principal: fen(principal), interest: fen(interest) });
        }
        loan
    }

    fn principal(&self) -> Fen {
        fen(i64::from(self.row.amount) * 100)
    }

    /// What is outstanding after so many instalments.
    fn remaining(&self, paid: u16) -> Fen {
        let left = self.rows.iter().skip(usize::from(paid)).map(|row| row.principal);
        Fen::sum(left).expect("less than the principal")
    }

    fn subject(&self, who: &str) -> Subject {
        let name = format!("{}/{who}", self.name);
        Subject::handle(self.shared.suite, self.shared.subject_key, &name)
    }

    fn told(
        &self,
        phase: Phase,
        day: Date,
        document: bool,
        body: impl FnOnce(&mut OpeningBook) -> Result<Body, OpeningError>,
    ) -> Result<Told, DraftError> {
        let mut book = OpeningBook::new(self.shared.suite);
        let body = body(&mut book)?;
        let documents = if document { vec![self.document(&mut book)?] } else { Vec::new() };
        let statement = Statement {
            phase,
            occurred_at: morning(day),
            rule_pack: self.shared.rule_pack,
            data_class: DataClass::C2,
            level: 3,
            retention: Retention::LoanFile,
            documents: List::new(documents).expect("at most one"),
            body,
        };
        Ok(Told { statement, book })
    }

    fn document(&self, book: &mut OpeningBook) -> Result<Document, DraftError> {
        let kind = (DocumentRole::Other, "text/csv");
        bind_bytes(self.row.line.as_bytes(), &document_name(self.row), kind, 0, book)
    }

    fn contract(&self) -> Result<Told, DraftError> {
        let end = self.rows.last().expect("a loan has a month").due;
        self.told(Phase::P08, self.start, true, |book| {
            let borrower = self.party(book, "borrowers.0", "borrower", PartyRole::Borrower)?;
            Ok(Body::LoanContract(Box::new(LoanContract {
                contract_no: book.commit("contract_no", &self.name)?,
                product: text("consumer loan"),
                lender: self.shared.bank,
                lender_class: LenderClass::Bank,
                borrowers: one(borrower),
                joint: false,
                principal: self.principal(),
                revolving: false,
                currency: "DEM".parse().expect("three capital letters"),
                signed_on: self.start,
                start: self.start,
                end,
                rate: InterestRate {
                    nominal: RATE,
                    kind: RateKind::Fixed,
                    day_count: DayCount::Days360,
                },
                apr_disclosed: RATE,
                apr_method: AprMethod::Simple,
                fees: List::empty(),
                overdue_rate: OverdueRate::Multiple { percent: 150 },
                compound: false,
                penalty: Fen::ZERO,
                repay_method: RepayMethod::EqualPrincipal,
                schedule: Schedule::Rows(List::new(self.rows.clone()).expect("120 months at most")),
                purpose: text(&self.row.purpose.chars().take(16).collect::<String>()),
                signers: List::new(vec![
                    self.signer(Signatory::Lender),
                    self.signer(Signatory::Party(self.subject("borrower"))),
                ])
                .expect("two of eight"),
                consent: None,
                decision_model: None,
                service_address_agreed: true,
                electronic_service_agreed: false,
                own_allocation_order: false,
                jurisdiction: Jurisdiction::Court(text("Hamburg")),
                small_claims_agreed: false,
                notarised: false,
                sandbox: None,
                esg_tag: None,
            })))
        })
    }

    fn guarantee(&self) -> Result<Told, DraftError> {
        self.told(Phase::P09, self.start, true, |book| {
            let prefix = "action.sign.guarantors.0.party";
            let party = self.party(book, prefix, "guarantor", PartyRole::Guarantor)?;
            let signatory = Signatory::Party(party.subject);
            let terms = GuaranteeTerms {
                kind: GuaranteeKind::Joint,
                contract_no: book.commit("action.sign.contract_no", &format!("{}/g", self.name))?,
                signed_on: self.start,
                max_amount: None,
                scope: GuaranteeScope {
                    principal: true,
                    interest: true,
                    penalty: true,
                    costs: true,
                },
                period_months: None,
                guarantors: one(Guarantor { party, share: None, group: 0, registration_no: None }),
                recourse_agreed: false,
                risk_shares: one(RiskShare {
                    role: RiskRole::Guarantor,
                    institution: None,
                    share: Bp::WHOLE,
                }),
                scheme: None,
                exposure: self.principal(),
                fee: Bp::default(),
                counter_guarantee: false,
                signers: one(self.signer(signatory)),
            };
            let action = GuaranteeAction::Sign(Box::new(terms));
            Ok(Body::Guarantee(Box::new(Guarantee { number: 1, action })))
        })
    }

    fn disbursement(&self) -> Result<Told, DraftError> {
        self.told(Phase::P11, self.start, false, |book| {
            Ok(Body::Disbursement(Box::new(Disbursement {
                drawdown_no: 1,
                amount: self.principal(),
                value_date: self.start,
                channel: DisbursementChannel::Core,
                payer_account: book.commit("payer_account", "bank/loans")?,
                payee_account: book.commit("payee_account", &format!("{}/account", self.name))?,
                payee_is_borrower: true,
                bank_txn: book.commit("bank_txn", &format!("{}/out", self.name))?,
                deductions: List::empty(),
                status: DisbursementStatus::Paid,
            })))
        })
    }

    fn repayment(&self, index: u16, result: RepaymentResult) -> Result<Told, DraftError> {
        let row = &self.rows[usize::from(index) - 1];
        let paid = if result == RepaymentResult::Success { index } else { index - 1 };
        self.told(Phase::P12, row.due, false, |book| {
            let (interest, principal) = (row.interest, row.principal);
            Ok(Body::Repayment(Box::new(Repayment {
                index: u32::from(index),
                due_date: row.due,
                paid_at: morning(row.due),
                amount: interest.plus(principal).expect("an instalment is a small sum"),
                allocation: Allocation { interest, principal, ..Allocation::default() },
                unpaid_cost: Fen::ZERO,
                unpaid_interest: Fen::ZERO,
                source: RepaymentSource::DirectDebit,
                bank_txn: book.commit("bank_txn", &format!("{}/in/{index}", self.name))?,
                remaining_principal: self.remaining(paid),
                remaining_terms: self.row.months - paid,
                result,
            })))
        })
    }

    /// A call a week after the instalment that failed.
    fn collection(&self, failed: u16) -> Result<Told, DraftError> {
        let day = Date(self.rows[usize::from(failed) - 1].due.0 + 7);
        self.told(Phase::P15, day, false, |book| {
            let start = morning(day);
            Ok(Body::Collection(Box::new(Collection {
                debtor: self.subject("borrower"),
                channel: CollectionChannel::Phone,
                agent: CollectionAgent::Own,
                agent_id: book.commit("agent_id", "staff/1")?,
                contact: book.commit("contact", &format!("{}/telephone", self.name))?,
                contact_role: ContactRole::Debtor,
                to_agreed_address: false,
                start,
                end: start.saturating_add(180_000),
                reached: Reached::Yes,
                demand_amount: self.remaining(failed - 1),
                as_of: day,
                outcome: CollectionOutcome::None,
                script: None,
                mandate_no: None,
                complaint: None,
            })))
        })
    }

    fn party(
        &self,
        book: &mut OpeningBook,
        prefix: &str,
        who: &str,
        role: PartyRole,
    ) -> Result<Party, OpeningError> {
        let value = format!("{}/{who}", self.name);
        Ok(Party {
            kind: PartyKind::Person,
            org: None,
            subject: self.subject(who),
            role,
            name: book.commit(&format!("{prefix}.name"), &value)?,
            identifier: book.commit(&format!("{prefix}.identifier"), &value)?,
            identified_at: Some(morning(self.start)),
        })
    }

    fn signer(&self, party: Signatory) -> Signer {
        let none: Option<Commitment> = None;
        Signer {
            party,
            methods: one(SignMethod::Handwritten),
            certificate: None,
            signature: None,
            at: morning(self.start),
            ip: none,
            device: none,
        }
    }
}

fn fen(amount: i64) -> Fen {
    Fen::new(amount).expect("sums of the table are below 2^53")
}

fn text<const MAX: usize>(value: &str) -> Text<MAX> {
    Text::new(value).expect("short ASCII without control characters")
}

fn one<T, const MAX: usize>(item: T) -> List<T, MAX> {
    List::new(vec![item]).expect("one item fits every list")
}

fn morning(day: Date) -> Timestamp {
    let days = u64::try_from(day.0).expect("loans of this century, or late in the last");
    Timestamp::new(days * DAY_MS + MORNING_MS)
}
