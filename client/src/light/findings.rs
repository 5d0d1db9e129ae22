//! What the reader must know though no check failed: the chain's findings on the record, and what
//! the examination itself found.

use probata_types::{
    EvidenceFile, Outcome, RecordId, Timestamp, catalogue,
    object::{ConsentStatus, FlowState, GuaranteeStatus, Object},
    outcome::Code,
};
use serde::Serialize;

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its stable number: the chain's below 60,000, the examination's own above.
    pub code: u16,
    /// Its stable name.
    pub name: String,
    /// In Chinese, which prevails.
    pub zh: String,
    /// In English.
    pub en: String,
    /// The article behind it; empty for the examination's own.
    pub article: String,
}

impl Finding {
    /// What the catalogue says about a code of the chain.
    pub(super) fn of(code: Code) -> Self {
        match catalogue::entry(code) {
            Some(entry) => Self {
                code: code.0,
                name: entry.name.to_owned(),
                zh: entry.zh.to_owned(),
                en: entry.en.to_owned(),
                article: entry.article.to_owned(),
            },
            None => Self {
                code: code.0,
                name: "UNKNOWN".to_owned(),
                zh: format!("代码{code}不在本软件的目录中"),
                en: format!("the code {code} is not in the catalogue of this software"),
                article: String::new(),
            },
        }
    }

    fn own((code, name): (u16, &str), zh: String, en: String) -> Self {
        Self { code, name: name.to_owned(), zh, en, article: String::new() }
    }
}

/// The file shows no state, so the status at the anchor is not known.
const STATUS_NOT_SHOWN: (u16, &str) = (60_001, "STATUS_NOT_SHOWN");
/// The status shown is later than the day asked for.
const STATUS_AFTER_AS_OF: (u16, &str) = (60_002, "STATUS_AFTER_AS_OF");
/// What the record made was no longer in force at the anchor.
const NOT_IN_FORCE: (u16, &str) = (60_003, "NOT_IN_FORCE");

/// All findings on a file.
pub(super) fn all(file: &EvidenceFile, as_of: Option<Timestamp>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Outcome::Accepted { findings: codes } = &file.outcome {
        findings.extend(codes.iter().map(|code| Finding::of(*code)));
    }
    match &file.state {
        Some(state) => findings.extend(not_in_force(file, &state.flow.value)),
        None => findings.push(Finding::own(
            STATUS_NOT_SHOWN,
            "证据文件未附锚定时的状态:记录此后是否被撤回、取代或解除,不得而知。".into(),
            "The file shows no state at the anchor: whether the record was later withdrawn, \
             superseded or released is not known."
                .into(),
        )),
    }
    let anchor = file.anchor_header();
    if let Some(as_of) = as_of.filter(|as_of| anchor.time > *as_of) {
        findings.push(Finding::own(
            STATUS_AFTER_AS_OF,
            format!("所示状态为{}的状态,晚于所询时间{as_of}。", anchor.time),
            format!("The status shown is that of {}, later than {as_of} asked for.", anchor.time),
        ));
    }
    findings
}

fn not_in_force(file: &EvidenceFile, flow: &FlowState) -> Option<Finding> {
    let anchor = file.anchor_header();
    let (zh, en) = match &flow.object {
        Object::Consent(consent) => {
            let status = consent.status_at(anchor.time);
            let ended = !matches!(status, ConsentStatus::Granted | ConsentStatus::Active);
            ended.then(|| status.label())
        }
        Object::Facility(facility) => ended_guarantee(&file.record_id(), facility),
        Object::AccessLog(_)
        | Object::Model(_)
        | Object::Motion(_)
        | Object::Ballot(_)
        | Object::Fault(_) => None,
    }?;
    Some(Finding::own(
        NOT_IN_FORCE,
        format!("至锚定高度{}时,其状态为:{zh}。", anchor.height),
        format!("At the anchor, height {}, its status is: {en}.", anchor.height),
    ))
}

fn ended_guarantee(
    record: &RecordId,
    facility: &probata_types::object::Facility,
) -> Option<(&'static str, &'static str)> {
    let guarantee = facility.guarantees.iter().find(|one| one.record == *record)?;
    let ended = matches!(
        guarantee.status,
        GuaranteeStatus::Closed | GuaranteeStatus::Released | GuaranteeStatus::Expired
    );
    ended.then(|| guarantee.status.label())
}
