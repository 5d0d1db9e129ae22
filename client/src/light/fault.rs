//! Did this validator contradict itself? Decided from a fault file, the genesis document, and, for a
//! height above 1, an evidence file that shows which validators had their seats by then; no network.
//!
//! The verdict is `NotProven` if a check failed; else `Indeterminate` if it cannot be known who had the
//! seat at that height; else `Proven`. Without proof of who had the seat nobody is blamed: the key of a
//! seat that was given up is not guarded for ever, and signs whatever its finder likes.

use super::{
    check::{Answer, Check, Status},
    recorded,
    sets::Sets,
    verdict::{Missing, Wording},
};
use probata_genesis::Genesis;
use probata_types::{
    EvidenceFile, Height, ValidatorSet,
    evidence::Parsed,
    fault::{Fault, FaultFile, FaultFileError, SignedContent},
    key,
    seal::vote_digest,
};
use serde::Serialize;
use std::fmt::{self, Display};

/// What is to be examined.
#[derive(Debug, Clone, Copy, Default)]
pub struct FaultRequest<'a> {
    /// The bytes of the fault file.
    pub fault: &'a [u8],
    /// The genesis that the caller trusts, which never comes with the fault.
    pub genesis: Option<&'a Genesis>,
    /// The bytes of an evidence file of the same chain, of any record, anchored at the height before the
    /// fault's or later: it shows every change of the validator set until then.
    pub evidence: Option<&'a [u8]>,
}

/// What came out of the examination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultVerdict {
    /// The validator signed both votes.
    Proven,
    /// At least one check failed: nobody is blamed.
    NotProven,
    /// It cannot be known whether the key had the seat at that height.
    Indeterminate,
}

impl FaultVerdict {
    /// The exit code of a command that ends with this verdict.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Proven => 0,
            Self::NotProven => 1,
            Self::Indeterminate => 2,
        }
    }

    /// The Chinese name, which prevails.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Proven => "已证实",
            Self::NotProven => "未证实",
            Self::Indeterminate => "无法判定",
        }
    }

    /// The English name.
    pub const fn en(self) -> &'static str {
        match self {
            Self::Proven => "PROVEN",
            Self::NotProven => "NOT PROVEN",
            Self::Indeterminate => "INDETERMINATE",
        }
    }

    const fn words(self) -> Wording {
        match self {
            Self::Proven => Wording {
                zh: "该验证节点在同一高度、同一视图签署了两份互相矛盾的投票。",
                en: "The validator signed two votes of one height and view that contradict each \
                     other.",
            },
            Self::NotProven => Wording {
                zh: "有核验项未通过,不能据此认定该验证节点有过错。",
                en: "A check failed: the file does not show that the validator did wrong.",
            },
            Self::Indeterminate => Wording {
                zh: "不能确定该密钥在此高度是否为验证节点的密钥,未作判断;所需文件见未执行的核验项。",
                en: "Whether the key was a validator's at that height is not known. No judgement is \
                     made; the check that did not run says which file is needed.",
            },
        }
    }
}

/// The result. Its JSON form is stable: fields are added, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultReport {
    /// The verdict.
    pub verdict: FaultVerdict,
    /// The verdict in words, Chinese first.
    pub conclusion: Wording,
    /// Every check, in order. None hides another.
    pub checks: Vec<Check>,
    /// What the file says; none if it could not be read.
    pub fault: Option<FaultFile>,
    /// What the examination does not show; always printed.
    pub limits: Wording,
}

/// What is printed under every verdict.
const LIMITS: Wording = Wording {
    zh: "已证实仅指该密钥签署了两份互相矛盾的投票;不说明原因(故意、软件错误或密钥被盗),也不表示链已\
         分叉。结论在所用算法未被攻破期间有效。",
    en: "Proven means that the key signed both votes. It does not say why (intent, a software error, a \
         stolen key), and not that the chain has forked. The result is valid while the algorithms used \
         are unbroken.",
};

impl FaultReport {
    /// The check of that name.
    pub fn check(&self, predicate: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.predicate == predicate)
    }

    fn of(answers: Vec<(&'static str, &'static str, Answer)>, fault: Option<FaultFile>) -> Self {
        let checks: Vec<Check> = answers
            .into_iter()
            .map(|(name, rule, answer)| Check::extra(name.to_owned(), rule, answer))
            .collect();
        let verdict = if checks.iter().any(|check| check.status == Status::Failed) {
            FaultVerdict::NotProven
        } else if checks.iter().any(|check| check.status != Status::Passed) {
            FaultVerdict::Indeterminate
        } else {
            FaultVerdict::Proven
        };
        Self { verdict, conclusion: verdict.words(), checks, fault, limits: LIMITS }
    }
}

/// Examines a fault file. Never fails: whatever is wrong is in the report.
pub fn verify_fault(request: &FaultRequest<'_>) -> FaultReport {
    const WELL_FORMED: &str = "file_is_well_formed";
    match FaultFile::parse(request.fault) {
        Ok(file) => {
            let version = format!("fault file of version {}", file.version);
            let mut answers = vec![(WELL_FORMED, "R03", Answer::Passed(version))];
            answers.extend(examine(&file, request));
            FaultReport::of(answers, Some(file))
        }
        Err(error @ FaultFileError::Unsupported(_)) => {
            let unknown = Answer::NotRun(Missing::Algorithm, error.to_string());
            FaultReport::of(vec![(WELL_FORMED, "R03", unknown)], None)
        }
        Err(error) => {
            FaultReport::of(vec![(WELL_FORMED, "R03", Answer::Failed(error.to_string()))], None)
        }
    }
}

fn examine(
    file: &FaultFile,
    request: &FaultRequest<'_>,
) -> Vec<(&'static str, &'static str, Answer)> {
    let fault = file.fault();
    let differ = Answer::that(
        fault.first.content != fault.second.content,
        format!("the contents {} and {}", fault.first.content, fault.second.content),
    );
    vec![
        ("votes_differ", "R13", differ),
        ("first_signature", "R13", signature(&fault, &fault.first)),
        ("second_signature", "R13", signature(&fault, &fault.second)),
        ("chain_is_the_genesis", "R03", chain(&fault, request.genesis)),
        ("key_had_the_seat", "R13", seat(file, request)),
    ]
}

/// The key signed this vote.
fn signature(fault: &Fault, signed: &SignedContent) -> Answer {
    let place = (fault.height, fault.view);
    let digest =
        vote_digest(fault.suite, fault.kind.domain(), &fault.chain, place, &signed.content);
    let compared = format!("key {} over the vote {digest} for {}", fault.key, signed.content);
    Answer::of(compared, key::verify(&fault.key, &digest, &signed.signature))
}

/// The votes are for the chain whose genesis the caller trusts.
fn chain(fault: &Fault, genesis: Option<&Genesis>) -> Answer {
    let Some(genesis) = genesis else {
        let why = format!("the file names chain {}; no genesis was given", fault.chain);
        return Answer::NotRun(Missing::Genesis, why);
    };
    let same = genesis.chain() == fault.chain && genesis.suite() == fault.suite;
    Answer::that(same, format!("genesis {}, the file names {}", genesis.chain(), fault.chain))
}

/// The key voted, in the place and for the institution named, in the set that sealed the height.
fn seat(file: &FaultFile, request: &FaultRequest<'_>) -> Answer {
    let evidence = match request.evidence.map(EvidenceFile::parse) {
        None => None,
        Some(Ok(Parsed::Evidence(file))) => Some(file),
        Some(Ok(Parsed::Unsupported(unsupported))) => return not_covered(file, &unsupported),
        Some(Err(error)) => return not_covered(file, &error),
    };
    let Some(genesis) = request.genesis else {
        let why = "needs the genesis document, which was not given".to_owned();
        return Answer::NotRun(Missing::Genesis, why);
    };
    match evidence {
        None if file.height <= Height::new(1) => sits(file, genesis.validator_set()),
        None => not_covered(file, &"no evidence file was given"),
        Some(evidence) => {
            let sets = Sets::of_file(&evidence, Some(genesis), None);
            match set_of(file.height, &evidence, &sets) {
                Ok(set) => sits(file, set),
                Err(why) => not_covered(file, &why),
            }
        }
    }
}

fn not_covered(file: &FaultFile, why: &dyn Display) -> Answer {
    let least = file.height.previous().unwrap_or_default();
    Answer::NotRun(
        Missing::Proof,
        format!(
            "who had the seats at height {} is not shown ({why}): give an evidence file of this chain, \
             of any record, anchored at height {least} or later",
            file.height
        ),
    )
}

/// The set that seals a height, if the evidence file proves it: its walk leads to its anchor, whose seal
/// holds, and the anchor is not before the header that names the set.
fn set_of<'a>(
    height: Height,
    evidence: &EvidenceFile,
    sets: &Sets<'a>,
) -> Result<&'a ValidatorSet, String> {
    let failed = |answer: Answer| match answer {
        Answer::Passed(_) => None,
        Answer::Failed(why) | Answer::NotPresent(_, why) | Answer::NotRun(_, why) => Some(why),
    };
    let anchor = evidence.anchor_header();
    let seal = evidence.anchor.as_ref().map_or(&evidence.seal, |anchor| &anchor.seal);
    let last = sets.last(evidence).map_or_else(|answer| answer, Answer::Passed);
    for answer in [last, recorded::seal_holds(sets, anchor, seal)] {
        if let Some(why) = failed(answer) {
            return Err(format!("the evidence file does not hold: {why}"));
        }
    }
    if height > anchor.height.saturating_add(1) {
        return Err(format!("the evidence file is anchored at height {}", anchor.height));
    }
    let set = sets.in_force(height).map_err(|answer| failed(answer).unwrap_or_default())?;
    if height > anchor.height && set.hash(anchor.suite) != anchor.next_validators {
        return Err("the evidence file leaves out the change at its anchor".to_owned());
    }
    Ok(set)
}

fn sits(file: &FaultFile, set: &ValidatorSet) -> Answer {
    let compared = format!("place {} at height {}", file.validator, file.height);
    match set.get(file.validator) {
        None => Answer::Failed(format!("{compared}: the set has {} places", set.size())),
        Some(seat) => Answer::that(
            (seat.key, seat.institution) == (file.key, file.institution),
            format!(
                "{compared}: key {} of {}; the file names key {} of {}",
                seat.key, seat.institution, file.key, file.institution
            ),
        ),
    }
}

impl fmt::Display for FaultReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "结论 Verdict  {} {}", self.verdict.zh(), self.verdict.en())?;
        writeln!(f, "  {}\n  {}", self.conclusion.zh, self.conclusion.en)?;
        if let Some(file) = &self.fault {
            writeln!(f, "\n过错 Fault")?;
            writeln!(f, "  链 Chain          {}", file.chain)?;
            writeln!(f, "  机构 Institution  {}", file.institution)?;
            writeln!(f, "  密钥 Key          {} (席位 place {})", file.key, file.validator)?;
            writeln!(f, "  高度 Height       {} (视图 view {})", file.height, file.view)?;
            writeln!(f, "  投票 Vote         {}", file.kind.domain().tag())?;
            writeln!(f, "  内容 Contents     {}", file.first.content)?;
            writeln!(f, "                    {}", file.second.content)?;
        }
        writeln!(f, "\n核验项 Checks")?;
        for check in &self.checks {
            check.write(f)?;
        }
        writeln!(f, "\n局限 Limits\n  {}\n  {}", self.limits.zh, self.limits.en)
    }
}
