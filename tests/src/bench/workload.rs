//! What lenders send: loans as the sample case tells them, each made new, in about the mix of a year's records.
//!
//! A loan is a consent and an access log of its own, a contract, for one in six a guarantee, a disbursement,
//! instalments, and a call. Between two records of one loan there are many of others, so that a record never
//! overtakes the one before it though thousands are on their way at once: no lender would let it.

use super::scene::Scene;
use crate::{seed::Seeded, trouble::Trouble, writer::case_folder};
use probata_client::{
    case::Case,
    sdk::{DraftContext, FlowWriter, Names, Statement},
};
use probata_types::{
    Fen, List, Record,
    body::{AccessBasis, AccessTarget, Body, GuaranteeAction, Signatory},
    record::{Commitment, Digest256, Document, DocumentRole, FlowId, Subject},
};
use std::collections::{BTreeMap, VecDeque};

/// One in so many loans is guaranteed.
const GUARANTEED: u64 = 6;
/// Instalments that are told of each loan.
const INSTALMENTS: u32 = 4;
/// What each pays of the principal, which the sample contract puts at 200,000.00.
const INSTALMENT: i64 = 4_000_000;
/// Looks at the borrower's data for each loan.
const ACCESSES: u32 = 3;
/// Records of a loan, but for the guarantee: consent, contract, disbursement and call, and those above.
const RECORDS: u32 = 4 + INSTALMENTS + ACCESSES;

const BANK: usize = 0;
const GUARANTOR: usize = 1;
const PROVIDER: usize = 2;

/// A record, and who submits it.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// Its place in [`Scene::submitters`].
    pub(crate) by: usize,
    /// The record.
    pub(crate) record: Record,
}

/// Tells one record after the other, without end.
pub(crate) struct Workload {
    scene: Scene,
    templates: Templates,
    random: Seeded,
    /// Records told so far.
    told: u64,
    /// Records of others between two of one loan, at least.
    between: u64,
    /// Loans that are not at their end, those that have waited longest first, with when they were last told.
    open: VecDeque<(u64, Loan)>,
}

/// What the sample case says of one loan.
struct Templates {
    consent: Statement,
    access: Statement,
    contract: Statement,
    guarantee: Statement,
    disbursement: Statement,
    repayment: Statement,
    collection: Statement,
}

/// A loan on its way.
struct Loan {
    borrower: Subject,
    guaranteed: bool,
    consent: FlowId,
    /// Steps told.
    step: u32,
    by_bank: FlowWriter,
    by_provider: FlowWriter,
}

impl Templates {
    fn read(scene: &Scene) -> Result<Self, Trouble> {
        let (genesis, folder) = (&scene.genesis, case_folder());
        let context = DraftContext {
            suite: genesis.suite(),
            rule_pack: genesis.rule_pack().version,
            utc_offset_minutes: genesis.rule_pack().utc_offset_minutes,
            now: scene.now,
            folder: &folder,
            subject_key: Some(&scene.subject_key),
        };
        let institutions = scene.institutions.clone();
        let mut names = Names { institutions, flows: BTreeMap::new() };
        let mut statements = BTreeMap::new();
        for step in Case::read(&folder)?.steps {
            let prepared = step.draft.prepare(&context, &mut names)?;
            statements.insert(prepared.name.clone(), prepared.statement);
        }
        let mut take = |name: &str| {
            let missing = || Trouble::new(format!("the sample case has no {name}"));
            statements.remove(name).ok_or_else(missing)
        };
        Ok(Self {
            consent: take("consent")?,
            access: take("access")?,
            contract: take("contract")?,
            guarantee: take("guarantee")?,
            disbursement: take("disbursement")?,
            repayment: take("repayment")?,
            collection: take("collection")?,
        })
    }
}

impl Workload {
    /// The loans of one seed. `between` is how many records are on their way at once, at most.
    ///
    /// # Errors
    /// [`Trouble`] if the sample case cannot be read.
    pub(crate) fn new(scene: &Scene, seed: u64, between: u64) -> Result<Self, Trouble> {
        Ok(Self {
            scene: scene.clone(),
            templates: Templates::read(scene)?,
            random: Seeded::new(seed),
            told: 0,
            between,
            open: VecDeque::new(),
        })
    }

    /// Who submits, and where.
    pub(crate) const fn scene(&self) -> &Scene {
        &self.scene
    }

    /// The next record.
    pub(crate) fn tell(&mut self) -> Told {
        let mut loan = self.next_loan();
        let told = self.step(&mut loan);
        self.told += 1;
        if loan.step < RECORDS {
            self.open.push_back((self.told, loan));
        }
        told
    }

    /// One of those that have waited long enough, drawn so that loans do not go in step; or a new one.
    fn next_loan(&mut self) -> Loan {
        let due = self.told.saturating_sub(self.between);
        let waiting = self.open.partition_point(|(at, _)| *at <= due);
        if waiting == 0 || self.random.number().is_multiple_of(u64::from(RECORDS)) {
            return self.begin();
        }
        let place = self.random.place(waiting);
        // The first takes its place, though it has waited longer: to close the gap would move thousands.
        self.open.swap(0, place);
        let (_, loan) = self.open.pop_front().expect("some wait");
        loan
    }

    fn begin(&mut self) -> Loan {
        let flow = |random: &mut Seeded| FlowId(random.bytes());
        let consent = flow(&mut self.random);
        let authors = [BANK, PROVIDER].map(|by| self.scene.submitters[by].author);
        Loan {
            borrower: Subject(self.random.bytes()),
            guaranteed: self.random.number().is_multiple_of(GUARANTEED),
            consent,
            step: 0,
            by_bank: FlowWriter::new(authors[0], flow(&mut self.random)),
            by_provider: FlowWriter::new(authors[1], flow(&mut self.random)),
        }
    }

    /// The next record of a loan.
    fn step(&mut self, loan: &mut Loan) -> Told {
        const LAST_ACCESS: u32 = 2 + ACCESSES;
        const LAST_INSTALMENT: u32 = LAST_ACCESS + INSTALMENTS;
        let told = match loan.step {
            0 => self.consent(loan),
            1 => self.contract(loan),
            // By another institution: it takes no step of its own.
            2 if std::mem::take(&mut loan.guaranteed) => return self.guarantee(loan),
            2 => self.disbursement(loan),
            step if step <= LAST_ACCESS => self.access(loan),
            step if step <= LAST_INSTALMENT => self.instalment(loan, step - LAST_ACCESS),
            _ => self.call(loan),
        };
        loan.step += 1;
        told
    }

    fn consent(&mut self, loan: &Loan) -> Told {
        let mut statement = self.templates.consent.clone();
        if let Body::ConsentGrant(body) = &mut statement.body {
            body.subject = loan.borrower;
        }
        let author = self.scene.submitters[BANK].author;
        let (_, record) = FlowWriter::new(author, loan.consent).append(statement);
        Told { by: BANK, record }
    }

    fn contract(&mut self, loan: &mut Loan) -> Told {
        let mut statement = self.templates.contract.clone();
        self.renew(&mut statement.documents);
        if let Body::LoanContract(body) = &mut statement.body {
            body.contract_no = self.commitment();
            body.consent = Some(loan.consent);
            rename(&mut body.borrowers, |party| party.subject = loan.borrower);
            rename(&mut body.signers, |signer| {
                if let Signatory::Party(subject) = &mut signer.party {
                    *subject = loan.borrower;
                }
            });
        }
        self.by_bank(loan, statement)
    }

    fn guarantee(&mut self, loan: &Loan) -> Told {
        let mut statement = self.templates.guarantee.clone();
        self.renew(&mut statement.documents);
        if let Body::Guarantee(body) = &mut statement.body
            && let GuaranteeAction::Sign(terms) = &mut body.action
        {
            terms.contract_no = self.commitment();
        }
        let author = self.scene.submitters[GUARANTOR].author;
        let (_, record) = FlowWriter::new(author, loan.by_bank.flow()).append(statement);
        Told { by: GUARANTOR, record }
    }

    fn disbursement(&mut self, loan: &mut Loan) -> Told {
        let mut statement = self.templates.disbursement.clone();
        self.renew(&mut statement.documents);
        if let Body::Disbursement(body) = &mut statement.body {
            (body.bank_txn, body.payee_account) = (self.commitment(), self.commitment());
        }
        self.by_bank(loan, statement)
    }

    fn access(&mut self, loan: &mut Loan) -> Told {
        let mut statement = self.templates.access.clone();
        self.renew(&mut statement.documents);
        if let Body::DataAccess(body) = &mut statement.body {
            body.target = AccessTarget::Subject(loan.borrower);
            body.basis = AccessBasis::Consent(loan.consent);
        }
        let (_, record) = loan.by_provider.append(statement);
        Told { by: PROVIDER, record }
    }

    /// One of [`INSTALMENTS`], counted from 1: a part of the principal, before it is due.
    fn instalment(&mut self, loan: &mut Loan, number: u32) -> Told {
        let mut statement = self.templates.repayment.clone();
        self.renew(&mut statement.documents);
        let principal = self.principal();
        if let Body::Repayment(body) = &mut statement.body {
            let fen = |amount| Fen::new(amount).expect("less than the principal");
            body.index = number;
            body.amount = fen(INSTALMENT);
            body.allocation.principal = fen(INSTALMENT);
            body.remaining_principal = fen(principal - i64::from(number) * INSTALMENT);
            body.bank_txn = self.commitment();
        }
        self.by_bank(loan, statement)
    }

    fn call(&mut self, loan: &mut Loan) -> Told {
        let mut statement = self.templates.collection.clone();
        self.renew(&mut statement.documents);
        if let Body::Collection(body) = &mut statement.body {
            body.debtor = loan.borrower;
        }
        self.by_bank(loan, statement)
    }

    fn by_bank(&self, loan: &mut Loan, statement: Statement) -> Told {
        let (_, record) = loan.by_bank.append(statement);
        Told { by: BANK, record }
    }

    fn principal(&self) -> i64 {
        match &self.templates.contract.body {
            Body::LoanContract(body) => body.principal.get(),
            _ => unreachable!("the sample contract is one"),
        }
    }

    fn commitment(&mut self) -> Commitment {
        Commitment(self.random.bytes())
    }

    /// Other documents in the places of these, but for what all loans share.
    fn renew<const MAX: usize>(&mut self, documents: &mut List<Document, MAX>) {
        rename(documents, |document| {
            if document.role != DocumentRole::ClausePrompt
                && document.role != DocumentRole::Disclosure
            {
                document.sha256 = Digest256(self.random.bytes());
                document.sm3 = Digest256(self.random.bytes());
            }
            document.name = Commitment(self.random.bytes());
        });
    }
}

/// Changes each item of a list.
fn rename<T: Clone, const MAX: usize>(list: &mut List<T, MAX>, mut change: impl FnMut(&mut T)) {
    let mut items: Vec<T> = list.iter().cloned().collect();
    items.iter_mut().for_each(&mut change);
    *list = List::new(items).map_err(|_| "more").expect("as many as before");
}
