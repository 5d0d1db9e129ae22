//! One record in front of the rules.

use crate::{BlockContext, limits, overlay::Overlay};
use probata_types::{
    Date, Fen, InstitutionId, SubmissionHead, Timestamp,
    catalogue::failure,
    institution::Role,
    object::{Consent, Facility, Model, Object},
    outcome::Code,
    record::{Commitment, DocumentRole, FlowId, Record, RecordId},
    rule_pack::RulePack,
    state::{
        InstitutionState, StateError, StateKey, StateValue, TransactionKind, TransactionState,
    },
};
use std::collections::BTreeSet;

/// Why judging a record stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It breaks a hard rule.
    Rejected(Code),
    /// The state cannot be read.
    State(StateError),
}

impl From<Code> for Stop {
    fn from(code: Code) -> Self {
        Self::Rejected(code)
    }
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

/// The result of a rule.
pub(crate) type Judged<T = ()> = Result<T, Stop>;

/// A hard rule: without `holds`, the record is rejected with `code`.
pub(crate) fn require(holds: bool, code: Code) -> Judged {
    if holds { Ok(()) } else { Err(code.into()) }
}

/// A sum that must not be negative (H8).
pub(crate) fn not_negative(amounts: impl IntoIterator<Item = Fen>) -> Judged {
    require(amounts.into_iter().all(|amount| amount >= Fen::ZERO), failure::VALUE)
}

/// A sum that must be positive (H8).
pub(crate) fn positive(amount: Fen) -> Judged {
    require(amount > Fen::ZERO, failure::VALUE)
}

/// A sum that must be in range (H8).
pub(crate) fn in_range(sum: Option<Fen>) -> Judged<Fen> {
    sum.ok_or(Stop::Rejected(failure::VALUE))
}

/// One record in front of the rules, with all that they may know.
pub(crate) struct Case<'a, 's> {
    /// The block.
    pub(crate) block: &'a BlockContext,
    /// The numbers of the law.
    pub(crate) pack: &'a RulePack,
    /// The head of the record's submission.
    pub(crate) head: &'a SubmissionHead,
    /// The submitter.
    pub(crate) institution: &'a InstitutionState,
    /// The record.
    pub(crate) record: &'a Record,
    /// Its identifier.
    pub(crate) id: RecordId,
    /// The state.
    pub(crate) state: &'a mut Overlay<'s>,
    /// What was found so far.
    pub(crate) findings: BTreeSet<Code>,
}

impl Case<'_, '_> {
    /// A soft rule: if `broken`, the finding is stamped.
    pub(crate) fn note(&mut self, broken: bool, finding: Code) {
        if broken {
            self.findings.insert(finding);
        }
    }

    /// The submitter.
    pub(crate) const fn submitter(&self) -> InstitutionId {
        self.head.institution
    }

    /// H2: the submitter has a role that may submit this type.
    pub(crate) fn require_role(&self, may: impl Fn(Role) -> bool) -> Judged {
        require(self.institution.has_role(may), failure::ROLE)
    }

    /// H2: the submitter is the one that opened the flow, or opens it.
    pub(crate) fn require_owner(&self) -> Judged {
        let flow = self.state.flow(&self.record.flow)?;
        let owner = flow.is_none_or(|flow| flow.owner == self.submitter());
        require(owner, failure::NOT_PARTY)
    }

    /// H5: something that the body says has happened is not in the future.
    pub(crate) fn require_past(&self, time: Timestamp) -> Judged {
        let latest = self.head.submitted_at.after(limits::CLOCK_TOLERANCE);
        require(time <= latest, failure::OCCURRED_IN_FUTURE)
    }

    /// The calendar day of a time where the rule pack applies.
    pub(crate) fn local_day(&self, time: Timestamp) -> Date {
        time.date(self.pack.utc_offset_minutes)
    }

    /// The minute of the local day of a time.
    pub(crate) fn local_minute(&self, time: Timestamp) -> u16 {
        let minutes = i64::try_from(time.get() / 60_000).expect("below 2^53");
        let local = (minutes + i64::from(self.pack.utc_offset_minutes)).rem_euclid(1_440);
        u16::try_from(local).expect("below 1440")
    }

    /// Whether the record binds a document of a role.
    pub(crate) fn has_document(&self, role: DocumentRole) -> bool {
        self.record.documents.iter().any(|document| document.role == role)
    }

    /// The object of another flow, if there is one.
    fn object(&self, flow: &FlowId) -> Judged<Option<Object>> {
        Ok(self.state.flow(flow)?.map(|flow| flow.object))
    }

    /// The consent of another flow; `None` if there is no such flow, or it is another kind of
    /// thing.
    pub(crate) fn consent(&self, flow: &FlowId) -> Judged<Option<Box<Consent>>> {
        match self.object(flow)? {
            Some(Object::Consent(consent)) => Ok(Some(consent)),
            _ => Ok(None),
        }
    }

    /// H6: the model of another flow.
    pub(crate) fn model(&self, flow: &FlowId) -> Judged<Box<Model>> {
        match self.object(flow)? {
            Some(Object::Model(model)) => Ok(model),
            _ => Err(failure::REFERENCE.into()),
        }
    }

    /// The facility of another flow, `None` if the flow does not exist (H6: a consent may come
    /// before the loan). A flow of another kind is no reference.
    pub(crate) fn facility(&self, flow: &FlowId) -> Judged<Option<Box<Facility>>> {
        match self.object(flow)? {
            Some(Object::Facility(facility)) => Ok(Some(facility)),
            Some(_) => Err(failure::REFERENCE.into()),
            None => Ok(None),
        }
    }

    /// Changes the consent of another flow. Its events stay as they are: the change is a
    /// consequence of this record.
    pub(crate) fn change_consent(
        &mut self,
        id: &FlowId,
        change: impl FnOnce(&mut Consent),
    ) -> Judged {
        let mut flow = self.state.flow(id)?.ok_or(failure::REFERENCE)?;
        let Object::Consent(consent) = &mut flow.object else {
            return Err(failure::REFERENCE.into());
        };
        change(consent);
        self.state.put(StateKey::Flow(*id), StateValue::Flow(flow));
        Ok(())
    }

    /// Records a bank transaction of the submitter, which must be new.
    pub(crate) fn record_transaction(
        &mut self,
        transaction: Commitment,
        amount: Fen,
        kind: TransactionKind,
    ) -> Judged {
        let key = StateKey::Transaction { institution: self.submitter(), transaction };
        require(self.state.get(&key)?.is_none(), failure::TRANSACTION_KNOWN)?;
        let flow = self.record.flow;
        let state = TransactionState { record: self.id, flow, amount, kind, reversed: None };
        self.state.put(key, StateValue::Transaction(state));
        Ok(())
    }

    /// Marks a bank transaction of the submitter in this flow as taken back, once, and says what it
    /// was.
    pub(crate) fn reverse_transaction(
        &mut self,
        transaction: Commitment,
        amount: Fen,
    ) -> Judged<TransactionKind> {
        let key = StateKey::Transaction { institution: self.submitter(), transaction };
        let Some(StateValue::Transaction(mut state)) = self.state.get(&key)? else {
            return Err(failure::REVERSAL.into());
        };
        let same = state.flow == self.record.flow && state.amount == amount;
        require(same && state.reversed.is_none(), failure::REVERSAL)?;
        state.reversed = Some(self.id);
        let kind = state.kind.clone();
        self.state.put(key, StateValue::Transaction(state));
        Ok(kind)
    }
}
