//! Putting faults on the chain: a validator that has proven one records it, signed with its validator
//! key, which the contracts take for this and nothing else.
//!
//! The chain takes each fault once. So that not every validator sends its copy, the one in place `i`
//! waits `i` times [`limits::FAULT_REPORT_INTERVAL_MS`] and leaves it when the fault is recorded by then.
//! What waits here is lost with the process; the others have the same proof.

use super::{Chain, ChainError, recovery};
use crate::limits;
use probata_ledger::{LedgerError, LedgerReader, Query};
use probata_types::{
    Domain, FlowId, Hash, InstitutionId, Keypair, List, Millis, Now, Record, RecordId, Submission,
    SubmissionHead, Timestamp, Verified,
    body::{Body, RecordType},
    fault::Fault,
    record::{DataClass, Phase, Retention},
    state::{Changes, FaultPlace, StateError, StateKey, StateRead as _, StateValue},
    submission::{IdempotencyKey, records_root},
};
use std::sync::Arc;

/// A fault that this validator will record unless another one has.
#[derive(Debug)]
pub(super) struct Report {
    fault: Arc<Fault>,
    proven_at: Timestamp,
    /// When it is this validator's turn, on the monotonic clock.
    due: Millis,
    /// Made when it is due; sent again and again until the mempool takes it or it expires.
    submission: Option<Verified<Submission>>,
}

impl Chain {
    /// Takes note of a fault that is to be recorded. Of one key only a few wait: whoever contradicts
    /// itself all the time is not made worse by the rest.
    pub(super) fn intend_report(&mut self, now: Now, fault: &Arc<Fault>) {
        let Some(me) = self.me else { return };
        let place = FaultPlace::of(fault);
        let of_key = self.reports.iter().filter(|report| report.fault.key == fault.key);
        let known = self.reports.iter().any(|report| FaultPlace::of(&report.fault) == place);
        if known || of_key.count() >= limits::FAULT_REPORTS_PER_KEY {
            return;
        }
        let wait = u64::from(me.0) * limits::FAULT_REPORT_INTERVAL_MS;
        self.reports.push(Report {
            fault: Arc::clone(fault),
            proven_at: now.wall,
            due: now.monotonic.saturating_add(wait),
            submission: None,
        });
    }

    /// Sends the reports that are due.
    pub(super) fn report_faults(&mut self, now: Now) -> Result<(), ChainError> {
        if self.halted.is_some() {
            return Ok(());
        }
        for mut report in std::mem::take(&mut self.reports) {
            if now.monotonic < report.due || self.must_wait(now, &mut report)? {
                self.reports.push(report);
            }
        }
        Ok(())
    }

    /// Sends a report whose turn has come. Answers whether it must be tried again: not if the fault is
    /// recorded, the mempool has the report, or it can not be sent any more.
    fn must_wait(&mut self, now: Now, report: &mut Report) -> Result<bool, ChainError> {
        let place = FaultPlace::of(&report.fault);
        if self.ledger.get(&StateKey::Fault(place))?.is_some() {
            return Ok(false);
        }
        let submission = match &report.submission {
            Some(submission) => submission.clone(),
            None => {
                // Whoever has lost its seat meanwhile leaves it to those who have one.
                let Some(submission) = self.submission_of(now, report)? else { return Ok(false) };
                report.submission.insert(submission).clone()
            }
        };
        let (height, view) = (report.fault.height, report.fault.view);
        if submission.head.expires_at <= now.wall {
            tracing::warn!(%height, %view, "the report of a fault expired before it was taken");
            return Ok(false);
        }
        let screened = self.screen(now, std::slice::from_ref(&submission))?;
        let screened = screened.into_iter().next().unwrap_or(Ok(()));
        let admission = self.admit(now, submission, screened, true)?;
        self.hand_on();
        match admission {
            Ok(_) => {
                tracing::info!(%height, %view, key = %report.fault.key, "a fault is to be recorded");
                Ok(false)
            }
            Err(refusal) => {
                tracing::debug!(%height, %view, %refusal, "the report of a fault was not taken yet");
                Ok(true)
            }
        }
    }

    /// The submission that records a fault, if this node has a seat to speak from.
    fn submission_of(
        &self,
        now: Now,
        report: &Report,
    ) -> Result<Option<Verified<Submission>>, ChainError> {
        let (Some(me), Some(pair)) = recovery::seat(&self.membership, &self.keypairs) else {
            return Ok(None);
        };
        let seat = self.membership.set().get(me).expect("the seat is in its set");
        let (flow, idempotency_key) = names(&report.fault, &seat.institution);
        let record = self.record_of(report, flow)?;
        let (suite, chain) = (self.genesis.suite(), self.genesis.chain());
        let id = record.id(suite, &chain, &seat.institution);
        let lifetime = self.genesis.parameters().max_submission_lifetime.get();
        let head = SubmissionHead {
            version: SubmissionHead::VERSION,
            suite,
            chain,
            institution: seat.institution,
            key: pair.public(),
            idempotency_key,
            submitted_at: now.wall,
            expires_at: now.wall.saturating_add(lifetime),
            record_count: 1,
            records_root: records_root(suite, &[id]),
        };
        Ok(Some(signed(head, record, &pair)))
    }

    fn record_of(&self, report: &Report, flow: FlowId) -> Result<Record, ChainError> {
        let rule_pack = match self.ledger.get(&StateKey::RulePack)? {
            Some(StateValue::RulePack(pack)) => pack.version,
            _ => return Err(StateError("there is no rule pack; genesis sets one".into()).into()),
        };
        Ok(Record {
            version: Record::VERSION,
            flow,
            seq: 1,
            prev: RecordId::NONE,
            phase: Phase::P00,
            occurred_at: report.proven_at,
            rule_pack,
            data_class: DataClass::C1,
            level: limits::FAULT_REPORT_LEVEL,
            // The record holds all of its proof: nothing behind it needs keeping.
            retention: Retention::Log,
            documents: List::empty(),
            body: Body::Fault(Box::new((*report.fault).clone())),
        })
    }
}

/// The flow and the idempotency key of an institution's report of a fault: the same at every try, without
/// any randomness. Each is half of `hash(Fault, institution ‖ fault)`.
fn names(fault: &Fault, institution: &InstitutionId) -> (FlowId, IdempotencyKey) {
    let Hash(digest) = fault.suite.hash_value(Domain::Fault, &(institution, fault));
    let (mut flow, mut key) = ([0; 16], [0; 16]);
    flow.copy_from_slice(&digest[..16]);
    key.copy_from_slice(&digest[16..]);
    (FlowId(flow), IdempotencyKey(key))
}

fn signed(head: SubmissionHead, record: Record, pair: &Keypair) -> Verified<Submission> {
    let signature = pair.sign(&Hash(head.id().0));
    let records = List::new(vec![record]).expect("one record is not too many");
    let submission = Submission::new(head, signature, records);
    let content = submission.check_content(&submission.head.chain);
    assert!(content.is_ok(), "a report of a fault is well-formed: {content:?}");
    // Made and signed here.
    Verified::assume(submission)
}

/// How many faults a block records.
pub(super) fn recorded(changes: &Changes) -> u64 {
    changes.keys().filter(|key| matches!(key, StateKey::Fault(_))).count() as u64
}

/// How many faults the chain has recorded, in the blocks that are here.
pub(super) fn count(reader: &LedgerReader) -> Result<u64, LedgerError> {
    let (query, mut after, mut found) = (Query::Type(RecordType::Fault.number()), None, 0);
    loop {
        let page = match reader.search(&query, after.as_ref(), limits::EVENTS_PAGE) {
            Err(LedgerError::NotHere { .. }) => return Ok(found),
            page => page?,
        };
        found += page.entries.iter().filter(|(_, place)| place.accepted).count() as u64;
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}
