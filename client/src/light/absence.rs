//! Did something not happen? Decided from an absence file and the genesis document alone; no network.
//!
//! The verdicts are those of evidence: `Consistent` is that the claim holds, `Inconsistent` that the file does not show
//! it, `Indeterminate` that something is missing. What the claim does not say is said with it: a guarantee that the chain
//! does not have may exist on paper, and a document may be known to many who never recorded it.

use super::{
    check::{Answer, Check, Status},
    pinned,
    recorded::seal_holds,
    report::Conclusion,
    sets::{Sets, Way},
    verdict::{Missing, Verdict, Wording},
};
use probata_genesis::Genesis;
use probata_types::{
    Checkpoint, Domain, Height, Timestamp,
    block::history_leaf,
    evidence::{AbsenceError, AbsenceFile, Claim, Found, ShownOutcome},
    merkle::Place,
    object::Object,
    record::Digest256,
    state::{StateKey, StateValue},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What is to be examined.
#[derive(Debug, Clone, Copy, Default)]
pub struct AbsenceRequest<'a> {
    /// The bytes of the absence file.
    pub absence: &'a [u8],
    /// The genesis that the caller trusts, which never comes with the file.
    pub genesis: Option<&'a Genesis>,
    /// A sealed header that the caller has kept and trusts.
    pub checkpoint: Option<&'a Checkpoint>,
}

/// The result. Its JSON form is stable: fields are added, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AbsenceReport {
    /// The verdict.
    pub verdict: Verdict,
    /// The verdict in words, Chinese first.
    pub conclusion: Conclusion,
    /// Every check, in order. None hides another.
    pub checks: Vec<Check>,
    /// What did not happen; none if the file could not be read.
    pub claim: Option<Claim>,
    /// Up to when it is known: the anchor's height and time.
    pub known_to: Option<(Height, Timestamp)>,
    /// What the examination does not show; always printed.
    pub limits: Wording,
}

/// What is printed under every verdict.
const LIMITS: Wording = Wording {
    zh: "本核验只说明至所述高度本链未有此项记录;不说明链外未发生,也不说明其后未发生。区块时间为共识时间。",
    en: "This examination says that the chain had no such record up to the height named. It does not say that it did \
         not happen elsewhere, or later. Block time is the consensus clock.",
};

impl AbsenceReport {
    /// The check of that name.
    pub fn check(&self, predicate: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.predicate == predicate)
    }

    fn of(checks: Vec<Check>, file: Option<&AbsenceFile>) -> Self {
        let any = |wanted: fn(&Check) -> bool| checks.iter().any(wanted);
        let verdict = if any(|check| check.status == Status::Failed) {
            Verdict::Inconsistent
        } else if any(|check| check.status != Status::Passed) {
            Verdict::Indeterminate
        } else {
            Verdict::Consistent
        };
        Self {
            verdict,
            conclusion: conclusion(verdict, file),
            claim: file.map(|file| file.claim),
            known_to: file.map(|file| (file.header.height, file.header.time)),
            checks,
            limits: LIMITS,
        }
    }
}

/// Examines an absence file. Never fails: whatever is wrong is in the report.
pub fn verify_absence(request: &AbsenceRequest<'_>) -> AbsenceReport {
    match AbsenceFile::parse(request.absence) {
        Ok(file) => AbsenceReport::of(examine(&file, request), Some(&file)),
        Err(error) => {
            let answer = match &error {
                AbsenceError::Malformed(why) => Answer::Failed(why.to_string()),
                AbsenceError::Unsupported(what) => {
                    Answer::NotRun(Missing::Algorithm, what.to_string())
                }
            };
            AbsenceReport::of(vec![check("file_is_well_formed", "R03", answer)], None)
        }
    }
}

fn check(name: &str, rule: &'static str, answer: Answer) -> Check {
    Check::extra(name.to_owned(), rule, answer)
}

fn examine(file: &AbsenceFile, request: &AbsenceRequest<'_>) -> Vec<Check> {
    let mut shown = vec![(&file.header, &file.seal)];
    shown.extend(file.sets.iter().map(|change| (&change.header, &change.seal)));
    let way = Way { chain: file.chain, sets: &file.sets, end: file.header.height };
    let sets = Sets::walk(&way, request.genesis, &shown);
    let version = Answer::Passed(format!("absence file of version {}", file.version));
    let mut checks = vec![
        check("file_is_well_formed", "R03", version),
        check("anchor_seal", "R13", seal_holds(&sets, &file.header, &file.seal)),
        check("chain_is_the_genesis", "R03", chain_is_the_genesis(file, request.genesis)),
        check("validators_follow_from_genesis", "R13", validators(&sets)),
        check("state_at_the_anchor", "R17", state_at_the_anchor(file)),
        check("claim_holds", "R11", claim_holds(file)),
    ];
    if let Some(checkpoint) = request.checkpoint {
        let answer = pinned::agrees_with_checkpoint(&file.into(), checkpoint, &sets);
        checks.push(check("agrees_with_checkpoint", "R16", answer));
    }
    checks
}

fn chain_is_the_genesis(file: &AbsenceFile, genesis: Option<&Genesis>) -> Answer {
    let Some(genesis) = genesis else {
        let why = format!("the file names chain {}; no genesis was given", file.chain);
        return Answer::NotRun(Missing::Genesis, why);
    };
    let same = genesis.chain() == file.chain && genesis.suite() == file.suite;
    Answer::that(same, format!("genesis {}, the file names {}", genesis.chain(), file.chain))
}

/// The walk went all the way; that the anchor names the set that it leads to is a part of its seal.
fn validators(sets: &Sets<'_>) -> Answer {
    match (sets.broken(), sets.in_force(Height::new(1))) {
        (Some(why), _) => Answer::Failed(why.to_owned()),
        (None, Ok(_)) => Answer::Passed("each change is sealed by the set before it".to_owned()),
        (None, Err(answer)) => answer,
    }
}

/// What is shown is what the anchor's state holds under the key of the claim.
fn state_at_the_anchor(file: &AbsenceFile) -> Answer {
    let (key, value) = match (file.claim, &file.found) {
        (Claim::NoGuarantee { flow, .. }, found) => (
            StateKey::Flow(flow),
            match found {
                Found::Nothing => None,
                Found::Flow(value) => Some(StateValue::Flow(value.clone())),
                Found::Document(_) => {
                    return Answer::Failed("a document stands for a flow".to_owned());
                }
            },
        ),
        (Claim::NotRecordedBefore { sha256, .. }, found) => (
            StateKey::Document(sha256),
            match found {
                Found::Nothing => None,
                Found::Document(value) => Some(StateValue::Document(value.clone())),
                Found::Flow(_) => return Answer::Failed("a flow stands for a document".to_owned()),
            },
        ),
    };
    let (key, root) = (key.hash(file.suite), &file.header.state_root);
    let compared =
        format!("key {key} under the state root {root} of height {}", file.header.height);
    let checked = match value {
        Some(value) => file.path.check_present(file.suite, &key, &value.hash(file.suite), root),
        None => file.path.check_absent(file.suite, &key, root),
    };
    Answer::of(compared, checked)
}

fn claim_holds(file: &AbsenceFile) -> Answer {
    match file.claim {
        Claim::NoGuarantee { at, .. } => no_guarantee(file, at),
        Claim::NotRecordedBefore { sha256, height } => not_recorded(file, &sha256, height),
    }
}

fn no_guarantee(file: &AbsenceFile, at: Height) -> Answer {
    if at > file.header.height {
        return Answer::Failed(format!(
            "asked for height {at}, the anchor is of height {}",
            file.header.height
        ));
    }
    let Found::Flow(flow) = &file.found else {
        return Answer::Passed("the flow was never opened".to_owned());
    };
    if flow.opened_at > at {
        return Answer::Passed(format!("the flow was opened at height {}", flow.opened_at));
    }
    let Object::Facility(facility) = &flow.object else {
        return Answer::Passed("the flow is no facility".to_owned());
    };
    for guarantee in &facility.guarantees {
        let shown = file.later.iter().find(|one| one.record == guarantee.record);
        let Some(shown) = shown else {
            let why = format!("when guarantee {} was recorded is not shown", guarantee.number);
            return Answer::NotPresent(Missing::Proof, why);
        };
        if let Err(why) = came_after(file, shown, at) {
            return Answer::Failed(format!("guarantee {}: {why}", guarantee.number));
        }
    }
    let count = facility.guarantees.len();
    Answer::Passed(format!("{count} guarantees, all recorded after height {at}"))
}

/// The record was accepted in a block of the anchor's history above a height.
fn came_after(file: &AbsenceFile, shown: &ShownOutcome, at: Height) -> Result<(), String> {
    let header = &shown.header;
    if !shown.outcome.is_accepted() {
        return Err("the outcome shown is no acceptance".to_owned());
    }
    if header.height <= at {
        return Err(format!("it was recorded at height {}", header.height));
    }
    let place = Place { index: shown.place.index.get(), size: u64::from(header.record_count) };
    let leaf = shown.leaf().digest(file.suite);
    let path = &shown.place.path;
    path.check(file.suite, Domain::Outcomes, place, &leaf, &header.outcomes_root)
        .map_err(|error| error.to_string())?;
    if header.hash() == file.header.hash() {
        return Ok(());
    }
    let place = Place { index: header.height.get(), size: file.header.height.get() };
    let leaf = history_leaf(file.suite, &header.hash());
    shown
        .history_path
        .check(file.suite, Domain::History, place, &leaf, &file.header.history_root)
        .map_err(|error| error.to_string())
}

fn not_recorded(file: &AbsenceFile, sha256: &Digest256, height: Height) -> Answer {
    if sha256.0 == *Sha256::digest([]) {
        let why = "the chain does not note where empty documents were recorded".to_owned();
        return Answer::NotPresent(Missing::Proof, why);
    }
    if height > file.header.height.saturating_add(1) {
        return Answer::Failed(format!(
            "asked up to height {height}, the anchor is of height {}",
            file.header.height
        ));
    }
    match &file.found {
        Found::Document(sighting) => Answer::that(
            sighting.height >= height,
            format!("first recorded at height {}, asked before {height}", sighting.height),
        ),
        _ => Answer::Passed(format!("not recorded up to height {}", file.header.height)),
    }
}

fn conclusion(verdict: Verdict, file: Option<&AbsenceFile>) -> Conclusion {
    let (zh, en) = match (verdict, file.map(|file| file.claim)) {
        (Verdict::Consistent, Some(Claim::NoGuarantee { flow, at })) => (
            format!("至高度{at},事项{flow}在本链上没有担保记录。"),
            format!("Up to height {at} the chain had no guarantee on the matter {flow}."),
        ),
        (Verdict::Consistent, Some(Claim::NotRecordedBefore { sha256, height })) => (
            format!("高度{height}之前,本链没有记录摘要为{sha256}的文件。"),
            format!("Before height {height} the chain had no record of the document {sha256}."),
        ),
        (Verdict::Indeterminate, _) => (
            "缺少证明或创世文件,未作判断。".to_owned(),
            "A proof or the genesis document is missing. No judgement is made.".to_owned(),
        ),
        _ => (
            "该文件不能证明其所述事项未发生。".to_owned(),
            "The file does not show that what it says did not happen.".to_owned(),
        ),
    };
    Conclusion { zh, en }
}
