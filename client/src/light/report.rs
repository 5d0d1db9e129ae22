//! What an examination says: verdict, level, every check, and what the record is.

use super::{
    check::{AGREES_WITH_CHECKPOINT, Check, Status},
    documents::DocumentResult,
    explain::Line,
    findings::Finding,
    fork::Fork,
    summary::Summary,
    verdict::{LIMITS, Level, Missing, Verdict, Wording},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// The result of an examination. Its JSON form is stable: fields are added, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// The verdict in words, Chinese first.
    pub conclusion: Conclusion,
    /// The highest level reached.
    pub level: Option<Level>,
    /// Why the next level is not reached; empty at the highest.
    pub why_not_next: String,
    /// Every check, in order. None hides another.
    pub checks: Vec<Check>,
    /// What the reader must know: the chain's findings, then the examination's own.
    pub findings: Vec<Finding>,
    /// What the record is; none if the file could not be read.
    pub summary: Option<Summary>,
    /// The comparison of documents.
    pub documents: Vec<DocumentResult>,
    /// Both headers, if the chain has forked.
    pub fork: Option<Fork>,
    /// Every digest on the way, to be redone by hand.
    pub explain: Vec<Line>,
    /// What the examination does not show; always printed.
    pub limits: Wording,
}

/// The verdict in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conclusion {
    /// Chinese, which prevails.
    pub zh: String,
    /// English.
    pub en: String,
}

/// What the examination found, before it is judged.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) checks: Vec<Check>,
    pub(super) findings: Vec<Finding>,
    pub(super) summary: Option<Summary>,
    pub(super) documents: Vec<DocumentResult>,
    pub(super) fork: Option<Fork>,
    pub(super) explain: Vec<Line>,
}

impl Report {
    /// Judges what was found.
    pub(super) fn of(parts: Parts) -> Self {
        let verdict = verdict(&parts);
        let (level, why_not_next) = level(&parts.checks);
        Self {
            verdict,
            conclusion: conclusion(verdict, &parts.checks),
            level,
            why_not_next,
            checks: parts.checks,
            findings: parts.findings,
            summary: parts.summary,
            documents: parts.documents,
            fork: parts.fork,
            explain: parts.explain,
            limits: LIMITS,
        }
    }

    /// The check of that name, if the examination has one.
    pub fn check(&self, predicate: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.predicate == predicate)
    }
}

/// A fork before all; then one failed check; then one missing that is needed; then the findings.
fn verdict(parts: &Parts) -> Verdict {
    let any = |wanted: fn(&Check) -> bool| parts.checks.iter().any(wanted);
    if parts.fork.is_some() {
        Verdict::Forked
    } else if any(|check| check.status == Status::Failed) {
        Verdict::Inconsistent
    } else if any(|check| check.required && check.status != Status::Passed) {
        Verdict::Indeterminate
    } else if parts.findings.is_empty() {
        Verdict::Consistent
    } else {
        Verdict::ConsistentWithFindings
    }
}

/// The highest level all of whose checks, and those of the levels before it, passed; and the first
/// check that stands in the way of the next.
fn level(checks: &[Check]) -> (Option<Level>, String) {
    let mut reached = None;
    for level in Level::ALL {
        let blocking = checks
            .iter()
            .find(|check| check.level == Some(level) && check.status != Status::Passed);
        if let Some(check) = blocking {
            let status = check.status;
            let why = format!(
                "{level}: {} {} {}: {}",
                check.predicate,
                status.zh(),
                status.en(),
                check.compared
            );
            return (reached, why);
        }
        reached = Some(level);
    }
    (reached, String::new())
}

fn conclusion(verdict: Verdict, checks: &[Check]) -> Conclusion {
    match verdict {
        Verdict::Consistent => Conclusion {
            zh: "比对结果一致,上链后未被篡改。".into(),
            en: "Consistent: not rewritten since it was recorded.".into(),
        },
        Verdict::ConsistentWithFindings => Conclusion {
            zh: "比对结果一致,上链后未被篡改;但有提示,见下。".into(),
            en: "Consistent: not rewritten since it was recorded; but see the findings.".into(),
        },
        Verdict::Inconsistent => inconsistent(checks),
        Verdict::Indeterminate => indeterminate(checks),
        Verdict::Forked => Conclusion {
            zh: "发现同一高度两个有效签名区块头,停止核验,双方区块头见附件。".into(),
            en: "Two validly sealed headers of one height were found. The examination stops; both \
                 headers are attached."
                .into(),
        },
    }
}

fn inconsistent(checks: &[Check]) -> Conclusion {
    let failed = || checks.iter().filter(|check| check.status == Status::Failed);
    let other_files: Vec<&str> =
        failed().filter_map(|check| check.predicate.strip_prefix("document:")).collect();
    let (against_checkpoint, rest): (Vec<&str>, Vec<&str>) = failed()
        .map(|check| check.predicate.as_str())
        .filter(|predicate| !predicate.starts_with("document:"))
        .partition(|predicate| *predicate == AGREES_WITH_CHECKPOINT.name);
    let (mut zh, mut en) = (String::new(), String::new());
    if !against_checkpoint.is_empty() {
        zh.push_str(
            "证据文件所述历史与留存的检查点不符,可能系以已退出验证者的密钥另行制作,不予采认。",
        );
        en.push_str(
            "The history that the file tells is not that of the checkpoint that was kept: it may have \
             been made with keys of validators that have left. It is not accepted. ",
        );
    }
    if !other_files.is_empty() {
        let names = other_files.join(", ");
        zh.push_str("所提交文件与链上摘要不符。不能据此判断系文件被修改或提交了其他文件。");
        zh.push_str(&format!("({names})"));
        en.push_str(&format!(
            "The file given does not match the digests recorded on the chain ({names}). This does \
             not show whether the file was changed or another file was given. "
        ));
    }
    if !rest.is_empty() {
        let names = rest.join(", ");
        zh.push_str(&format!("证据文件有核验项未通过({names}),不能证明该记录已上链并被接受。"));
        en.push_str(&format!(
            "The evidence file fails these checks: {names}. It does not show that the record was \
             recorded and accepted."
        ));
    }
    Conclusion { zh, en: en.trim_end().to_owned() }
}

fn indeterminate(checks: &[Check]) -> Conclusion {
    let missing: BTreeSet<Missing> = checks
        .iter()
        .filter(|check| check.required && check.status != Status::Passed)
        .filter_map(|check| check.missing)
        .collect();
    let zh: Vec<&str> = missing.iter().map(|one| one.zh()).collect();
    let en: Vec<&str> = missing.iter().map(|one| one.en()).collect();
    Conclusion {
        zh: format!("缺少{},未作判断。", zh.join("、")),
        en: format!("Missing or unknown: {}. No judgement is made.", en.join(", ")),
    }
}
