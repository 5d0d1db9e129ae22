//! `probata governance show` and `list`: how motions stand.

use crate::{
    command::{
        Common, context,
        failure::Failure,
        output::{Output, table},
    },
    sdk::{FoundMotion, clock},
};
use clap::Args;
use probata_genesis::Genesis;
use probata_types::{
    Epoch, FlowId, InstitutionId, ValidatorSet,
    body::Change,
    catalogue,
    object::{Motion, MotionStatus},
    validator::quorum,
};
use serde_json::{Value, json};

#[derive(Debug, Args)]
#[command(after_help = "Example: probata governance show 3f1c…e2 --node http://127.0.0.1:7101 …")]
pub(in crate::command) struct ShowArguments {
    /// The motion's flow id: 32 hex digits.
    motion: FlowId,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: probata governance list --node http://127.0.0.1:7101 …")]
pub(in crate::command) struct ListArguments {
    /// At most so many.
    #[arg(long, value_name = "MOTIONS", default_value_t = 20,
          value_parser = clap::value_parser!(u16).range(1..=1_000))]
    most: u16,
}

pub(super) async fn show(
    arguments: &ShowArguments,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let client = context::client(common, None)?;
    let found = client.motion(&arguments.motion).await?;
    let epochs = client.epochs().await?;
    let standing = Standing::of(&found, &epochs)?;
    let offset = client.genesis().rule_pack().utc_offset_minutes;
    output.line(&standing.text(client.genesis(), offset));
    output.value(&standing.json());
    Ok(0)
}

pub(super) async fn list(
    arguments: &ListArguments,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let client = context::client(common, None)?;
    let motions = client.motions(usize::from(arguments.most)).await?;
    let epochs = client.epochs().await?;
    let offset = client.genesis().rule_pack().utc_offset_minutes;
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for found in &motions {
        let standing = Standing::of(found, &epochs)?;
        rows.push(vec![
            found.flow.to_string(),
            what(&found.motion.change),
            standing.status.1.to_owned(),
            standing.tally(),
            clock::show(found.motion.closes_at, offset),
        ]);
        values.push(standing.json());
    }
    output.line(&table(&["MOTION", "CHANGE", "STATUS", "BALLOTS", "CLOSES"], rows));
    output.value(&json!({ "motions": values }));
    Ok(0)
}

/// A motion with the set that votes on it.
struct Standing<'a> {
    found: &'a FoundMotion,
    electors: &'a ValidatorSet,
    /// Chinese and English.
    status: (&'static str, &'static str),
}

impl<'a> Standing<'a> {
    fn of(found: &'a FoundMotion, epochs: &'a [Epoch]) -> Result<Self, Failure> {
        let motion = &found.motion;
        let epoch = epochs.iter().find(|epoch| epoch.number == motion.epoch).ok_or_else(|| {
            let message = format!("the node shows no validators of epoch {}", motion.epoch);
            Failure::usage(message, "ask another node")
        })?;
        let newest = epochs.last().is_some_and(|newest| newest.number == motion.epoch);
        let lapsed = motion.closes_at < found.time || !newest;
        let status = match motion.status {
            MotionStatus::Open if lapsed => ("已失效", "lapsed"),
            status => status.label(),
        };
        Ok(Self { found, electors: &epoch.set, status })
    }

    const fn motion(&self) -> &Motion {
        &self.found.motion
    }

    fn tally(&self) -> String {
        let (approve, refuse) = (self.motion().count(true), self.motion().count(false));
        let (of, needed) = (self.electors.size(), self.electors.quorum());
        format!("{approve} for, {refuse} against, of {of}; {needed} needed")
    }

    /// How many validators of the new set are seen running by enough voters, and how many must be.
    fn live(&self) -> Option<(usize, usize)> {
        let places = self.motion().seen.len();
        (places > 0).then(|| (self.motion().live(self.electors), quorum(places)))
    }

    fn ballots(&self) -> impl Iterator<Item = (InstitutionId, Option<bool>)> {
        let ballots = self.motion().ballots.iter().copied();
        self.electors.iter().map(|(_, it)| it.institution).zip(ballots)
    }

    /// Why it was refused, or since when it is in force.
    fn outcome(&self) -> Option<String> {
        match self.motion().status {
            MotionStatus::Open => None,
            MotionStatus::Approved { from, .. } => Some(format!("in force from height {from} on")),
            MotionStatus::Refused { code } => Some(catalogue::entry(code).map_or_else(
                || format!("code {code}"),
                |entry| format!("{}: {} {}", entry.name, entry.zh, entry.en),
            )),
        }
    }

    fn text(&self, genesis: &Genesis, offset: i32) -> String {
        let (motion, (zh, en)) = (self.motion(), self.status);
        let mut lines = vec![
            format!("议案 Motion   {}", self.found.flow),
            format!("提出 By       {}", self.found.by),
            format!("内容 Change   {}", what(&motion.change)),
            format!("理由 Reason   {}", self.found.reason),
            format!("生效 From     height {}, or the one after the approval", motion.from),
            format!("截止 Closes   {}", clock::show(motion.closes_at, offset)),
            format!("状态 Status   {zh} {en}, as of height {}", self.found.height),
        ];
        lines.extend(self.outcome().map(|outcome| format!("结果 Outcome  {outcome}")));
        lines.push(format!("表决 Ballots  {}", self.tally()));
        if let Some((live, needed)) = self.live() {
            lines.push(format!(
                "在线 Live     {live} of the {} validators to come are seen running by more than {} \
                 voters; {needed} needed",
                motion.seen.len(),
                self.electors.faulty()
            ));
        }
        for (institution, ballot) in self.ballots() {
            let vote = match ballot {
                Some(true) => "赞成 for",
                Some(false) => "反对 against",
                None => "未表决 not yet",
            };
            let entry = genesis.institution(&institution);
            let name = entry.map_or_else(String::new, |entry| format!(" {}", entry.name.en));
            lines.push(format!("  {institution}{name}: {vote}"));
        }
        lines.join("\n")
    }

    fn json(&self) -> Value {
        let motion = self.motion();
        let live = self.live();
        let ballots = self.ballots().map(
            |(institution, approve)| json!({ "institution": institution, "approve": approve }),
        );
        json!({
            "motion": self.found.flow,
            "by": self.found.by,
            "reason": self.found.reason,
            "change": motion.change,
            "from": motion.from,
            "closes_at": motion.closes_at,
            "epoch": motion.epoch,
            "status": self.status.1,
            "outcome": motion.status,
            "for": motion.count(true),
            "against": motion.count(false),
            "electors": self.electors.size(),
            "quorum": self.electors.quorum(),
            "live": live.map(|(live, _)| live),
            "live_needed": live.map(|(_, needed)| needed),
            "ballots": ballots.collect::<Vec<_>>(),
            "as_of": self.found.height,
        })
    }
}

/// What a motion changes, in a few words.
fn what(change: &Change) -> String {
    let codes = |codes: &mut dyn Iterator<Item = &InstitutionId>| {
        codes.map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    match change {
        Change::Validators(change) => {
            let seats = codes(&mut change.seats.iter().map(|seat| &seat.institution));
            let leave = codes(&mut change.leave.iter());
            let seats = if seats.is_empty() { seats } else { format!("seats for {seats}") };
            let leave = if leave.is_empty() { leave } else { format!("leave: {leave}") };
            [seats, leave].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("; ")
        }
        Change::Admit(admission) => {
            format!("admit {} ({})", admission.institution, admission.profile.en)
        }
        Change::Suspend(institution) => format!("suspend {institution}"),
        Change::Keys(change) => {
            let add = change.add.map(|key| format!("add {}", key.key));
            let revoke = change
                .revoke
                .as_ref()
                .map(|it| format!("revoke {}, {} heights of overlap", it.key, it.overlap));
            let parts: Vec<String> = [add, revoke].into_iter().flatten().collect();
            format!("keys of {}: {}", change.institution, parts.join("; "))
        }
    }
}
