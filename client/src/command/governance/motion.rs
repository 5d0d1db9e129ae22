//! `probata governance move`: a motion, checked here as far as that is possible before it is sent.

use super::Speaker;
use crate::{
    command::{Common, context, failure::Failure, output::Output},
    sdk::{Client, clock},
};
use clap::Args;
use probata_genesis::Genesis;
use probata_types::{
    Height, InstitutionId, Text,
    body::{Body, Change, Motion, ProvenKey, SeatChange},
};
use std::path::{Path, PathBuf};

/// Bytes of a file with a change; the largest fits a record of 4 KiB.
const CHANGE_BYTES: u64 = 64 * 1_024;

const EXAMPLE: &str = r#"Example:
  probata governance move CHANGE.json --from 12000 --closes 7d --reason "A fifth validator" \
      --key bank.key.json --genesis genesis.json --node http://127.0.0.1:7101

CHANGE.json is one of these; PROVEN is what `probata governance prove-key` prints for the key:
  Seats:    {"validators":{"seats":[{"institution":CODE,"key":PROVEN,"node":NODE_KEY}],"leave":[CODE]}}
            A seat for an institution that has one gives that seat the new key and node.
  Admit:    {"admit":{"institution":CODE,"profile":{"zh":"…","en":"…","group":"…"},"roles":["bank"],
             "keys":[PROVEN],"nodes":[{"node":PROVEN,"address":"/ip4/…/tcp/…"}]}}
  Suspend:  {"suspend":CODE}
  Keys:     {"keys":{"institution":CODE,"add":PROVEN,"revoke":{"key":OLD_KEY,"overlap":1000}}}
            Either may be null. The old key stays good for so many heights after the change.

A change of seats comes into force when a quorum of the validators' institutions has approved it and a
quorum of the new set is seen running. Exit code 1 if the chain rejects the motion."#;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(in crate::command) struct MoveArguments {
    /// The file that says what is to change.
    change: PathBuf,
    /// From which height on; if the approval comes later, from the height after it.
    #[arg(long, value_name = "HEIGHT", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(1..=Height::MAX.get()))]
    from: u64,
    /// How long ballots count, such as 12h or 7d.
    #[arg(long, value_name = "DURATION")]
    closes: String,
    /// Why, for those who vote.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    speaker: Speaker,
}

pub(super) async fn run(
    arguments: &MoveArguments,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let genesis = context::genesis(common)?;
    let change = read(&arguments.change)?;
    check_proofs(&genesis, &change)?;
    let reason = Text::new(arguments.reason.clone())
        .map_err(|error| Failure::usage(format!("--reason: {error}"), "shorten or correct it"))?;
    let client = arguments.speaker.client(common)?;
    if let Change::Validators(seats) = &change {
        foresee(&client, seats, output).await?;
    }
    let (now, closes) = (clock::now(), format!("now+{}", arguments.closes));
    let motion = Motion {
        change,
        from: Height::new(arguments.from),
        closes_at: clock::parse_time(&closes, now, 0)?,
        reason,
    };
    let body = ("motion", Body::Motion(Box::new(motion)));
    let (flow, code) = arguments.speaker.say(body, (&client, common), output).await?;
    if code == 0 {
        output.line(&format!("Vote with: probata governance vote {flow} --approve (or --refuse)"));
    }
    Ok(code)
}

fn read(path: &Path) -> Result<Change, Failure> {
    serde_json::from_slice(&context::read(path, CHANGE_BYTES)?).map_err(|error| {
        let message = format!("{}: {error}", path.display());
        Failure::usage(message, "write it as `probata governance move --help` shows")
    })
}

/// Every key with its proof, and the institution that it must have been made for.
fn proofs(change: &Change) -> Vec<(&InstitutionId, &ProvenKey)> {
    match change {
        Change::Validators(seats) => {
            seats.seats.iter().map(|seat| (&seat.institution, &seat.key)).collect()
        }
        Change::Admit(admission) => {
            let nodes = admission.nodes.iter().map(|node| &node.node);
            let keys = admission.keys.iter().chain(nodes);
            keys.map(|key| (&admission.institution, key)).collect()
        }
        Change::Suspend(_) => Vec::new(),
        Change::Keys(keys) => keys.add.iter().map(|key| (&keys.institution, key)).collect(),
    }
}

fn check_proofs(genesis: &Genesis, change: &Change) -> Result<(), Failure> {
    for (institution, proven) in proofs(change) {
        if proven.check(genesis.suite(), &genesis.chain(), institution).is_err() {
            return Err(Failure::usage(
                format!(
                    "the proof of key {} is not one for {institution} on this chain",
                    proven.key
                ),
                "have the key's holder make it anew with `probata governance prove-key`",
            ));
        }
    }
    Ok(())
}

/// Says what set the change makes of the newest one.
async fn foresee(client: &Client, seats: &SeatChange, output: &mut Output) -> Result<(), Failure> {
    let epochs = client.epochs().await?;
    let Some(newest) = epochs.last() else { return Ok(()) };
    let set = seats.apply(&newest.set).map_err(|error| {
        let action = "compare CHANGE.json with /v1/validators of a node; nothing was sent";
        Failure::usage(error.to_string(), action)
    })?;
    output.line(&format!(
        "The set after epoch {} would have {} validators: {} may lie or fail, {} must agree.",
        newest.number,
        set.size(),
        set.faulty(),
        set.quorum()
    ));
    Ok(())
}
