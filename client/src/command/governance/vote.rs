//! `probata governance vote`: a ballot. For a change of the validator set it says which validators of the
//! new set the own node sees running and up to date, because a set of which too few run would stop the
//! chain.

use super::Speaker;
use crate::{
    command::{Common, failure::Failure, output::Output, output::field},
    sdk::{Client, FoundMotion},
};
use clap::Args;
use probata_types::{
    Epoch, FlowId, Height, InstitutionId, List, PublicKey, ValidatorIndex, ValidatorSet,
    body::{Ballot, Body, Change, SeatChange},
    object::MotionStatus,
};
use serde_json::Value;

/// Heights that a node may be behind and still count as up to date. Nodes say how high they are once a
/// second, and a busy chain seals several blocks meanwhile.
const BEHIND: u64 = 32;

const EXAMPLE: &str = "\
Example: probata governance vote 3f1c…e2 --approve --key bank.key.json --genesis genesis.json \\
             --node http://127.0.0.1:7101

Ask your own validator's node: it alone knows what it sees. Of several --node only the first is asked.
Only institutions of the validators in force may vote, once. Exit code 1 if the chain rejects the ballot.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(in crate::command) struct VoteArguments {
    /// The motion's flow id: 32 hex digits.
    motion: FlowId,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    speaker: Speaker,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Choice {
    /// It is to pass.
    #[arg(long)]
    approve: bool,
    /// It is not to pass.
    #[arg(long)]
    refuse: bool,
}

pub(super) async fn run(
    arguments: &VoteArguments,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let common = own_node(common);
    let client = arguments.speaker.client(&common)?;
    let found = client.motion(&arguments.motion).await?;
    let epoch = open_in(&client, &found).await?;
    let seen = match &found.motion.change {
        Change::Validators(seats) => look(&client, &epoch, seats, output).await?,
        _ => Vec::new(),
    };
    let ballot = Ballot {
        motion: arguments.motion,
        approve: arguments.choice.approve && !arguments.choice.refuse,
        seen: List::new(seen)
            .map_err(|error| Failure::usage(error.to_string(), "shrink the set"))?,
    };
    let body = ("ballot", Body::Ballot(Box::new(ballot)));
    let (_, code) = arguments.speaker.say(body, (&client, &common), output).await?;
    if code == 0 {
        output.line(&format!("See how it stands: probata governance show {}", arguments.motion));
    }
    Ok(code)
}

/// What was given, with the first node only: what another one sees is not what this one sees.
fn own_node(common: &Common) -> Common {
    let nodes = common.nodes.first().cloned().into_iter().collect();
    Common { nodes, ..common.clone() }
}

/// The epoch whose validators' institutions vote on the motion, if it is still open.
async fn open_in(client: &Client, found: &FoundMotion) -> Result<Epoch, Failure> {
    let motion = &found.motion;
    let closed = |why: String| {
        let action = "make a new motion if the change is still wanted; nothing was sent";
        Err(Failure::usage(format!("the motion takes no more ballots: {why}"), action))
    };
    if motion.status != MotionStatus::Open {
        return closed(format!("it is {}", motion.status.label().1));
    }
    if motion.closes_at < found.time {
        return closed("its time is over".to_owned());
    }
    let newest = client.epochs().await?.pop();
    match newest {
        Some(epoch) if epoch.number == motion.epoch => Ok(epoch),
        _ => closed(format!("the validators of epoch {} no longer seal", motion.epoch)),
    }
}

/// The places in the new set whose nodes the own node sees running and up to date.
async fn look(
    client: &Client,
    epoch: &Epoch,
    seats: &SeatChange,
    output: &mut Output,
) -> Result<Vec<ValidatorIndex>, Failure> {
    let new = seats.apply(&epoch.set).map_err(|error| {
        Failure::usage(format!("the motion is impossible by now: {error}"), "let it lapse")
    })?;
    let sight = Sight::read(&client.status().await?, &client.peers().await?, &epoch.set)?;
    let seen = sight.seen(&new, seats);
    output.line(&format!(
        "Your node sees {} of the {} validators to come:",
        seen.len(),
        new.size()
    ));
    for (index, validator) in new.iter() {
        let how = if seen.contains(&index) { "running" } else { "NOT SEEN" };
        output.line(&format!("  {index:>3}  {}  {how}", validator.institution));
    }
    Ok(seen)
}

/// What a node sees.
#[derive(Debug)]
struct Sight {
    own: PublicKey,
    /// Whom the node itself votes for.
    votes_for: Option<InstitutionId>,
    head: Height,
    peers: Vec<Peer>,
}

#[derive(Debug)]
struct Peer {
    node: PublicKey,
    institution: Option<InstitutionId>,
    votes: bool,
    connected: bool,
    height: Option<Height>,
}

impl Sight {
    /// From a node's status and list of peers.
    fn read(status: &Value, peers: &Value, set: &ValidatorSet) -> Result<Self, Failure> {
        let wrong = || {
            let action = "ask a node of the same version as this command";
            Failure::usage("the node's status does not name the node or its height", action)
        };
        let place = number(status, "/me").and_then(|at| u16::try_from(at).ok());
        let seat = place.and_then(|at| set.get(ValidatorIndex(at)));
        let list = peers.pointer("/peers").and_then(Value::as_array);
        let peer = |peer: &Value| {
            Some(Peer {
                node: field(peer, "/node").parse().ok()?,
                institution: field(peer, "/institution").parse().ok(),
                votes: peer.pointer("/validator") == Some(&Value::Bool(true)),
                connected: number(peer, "/connected_ms").is_some(),
                height: height(peer, "/height"),
            })
        };
        Ok(Self {
            own: field(status, "/node").parse().map_err(|_| wrong())?,
            votes_for: seat.map(|seat| seat.institution),
            head: height(status, "/height").ok_or_else(wrong)?,
            peers: list.into_iter().flatten().filter_map(peer).collect(),
        })
    }

    fn seen(&self, new: &ValidatorSet, seats: &SeatChange) -> Vec<ValidatorIndex> {
        let runs = |institution: &InstitutionId| {
            self.node_of(institution, seats).is_some_and(|node| self.sees(&node))
        };
        let seen = new.iter().filter(|(_, validator)| runs(&validator.institution));
        seen.map(|(index, _)| index).collect()
    }

    /// The node that will vote for an institution: the one that the change names, or else the one that
    /// votes now.
    fn node_of(&self, institution: &InstitutionId, seats: &SeatChange) -> Option<PublicKey> {
        let named = seats.seats.iter().find(|seat| seat.institution == *institution);
        let own = (self.votes_for == Some(*institution)).then_some(self.own);
        let peer = || {
            let mut peers = self.peers.iter();
            peers.find(|peer| peer.votes && peer.institution == Some(*institution))
        };
        named.map(|seat| seat.node).or(own).or_else(|| peer().map(|peer| peer.node))
    }

    fn sees(&self, node: &PublicKey) -> bool {
        *node == self.own
            || self.peers.iter().any(|peer| {
                let near = |height: Height| height.saturating_add(BEHIND) >= self.head;
                peer.node == *node && peer.connected && peer.height.is_some_and(near)
            })
    }
}

/// A number of a node's JSON.
fn number(value: &Value, path: &str) -> Option<u64> {
    value.pointer(path).and_then(Value::as_u64)
}

fn height(value: &Value, path: &str) -> Option<Height> {
    number(value, path).map(|number| Height::ZERO.saturating_add(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::light::fixtures::{SUITE, VOTE, genesis, institution, pair};
    use probata_types::body::{ProvenKey, Seat};
    use serde_json::json;

    const NODE: u8 = 4;

    /// Institution 5 joins with its node, and 4 leaves.
    fn change() -> SeatChange {
        let chain = genesis("test").chain();
        let seat = Seat {
            institution: institution(5),
            key: ProvenKey::new(SUITE, &chain, &institution(5), &pair(5, VOTE)),
            node: pair(5, NODE).public(),
        };
        let leave = vec![institution(4)];
        SeatChange { seats: List::new(vec![seat]).unwrap(), leave: List::new(leave).unwrap() }
    }

    fn peer(number: u32, votes: bool, connected: Option<u64>, height: Option<u64>) -> Value {
        json!({
            "node": pair(number, NODE).public(),
            "institution": institution(number),
            "validator": votes,
            "connected_ms": connected,
            "height": height,
        })
    }

    /// The institutions that node 1 sees, of those in the new set.
    fn seen(peers: Vec<Value>) -> Vec<InstitutionId> {
        let genesis = genesis("test");
        let set = genesis.validator_set();
        let me = set.iter().find(|(_, it)| it.institution == institution(1)).unwrap().0;
        let status = json!({ "node": pair(1, NODE).public(), "me": me, "height": 1_000 });
        let sight = Sight::read(&status, &json!({ "peers": peers }), set).unwrap();
        let (change, new) = (change(), change().apply(set).unwrap());
        assert_eq!(new.size(), 4);
        let places = sight.seen(&new, &change);
        assert!(places.is_sorted());
        places.into_iter().map(|at| new.get(at).unwrap().institution).collect()
    }

    fn sorted(numbers: &[u32]) -> Vec<InstitutionId> {
        let mut all: Vec<_> = numbers.iter().map(|number| institution(*number)).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn a_node_sees_itself_and_who_is_connected_and_up_to_date() {
        let up = |number, votes| peer(number, votes, Some(5), Some(1_000 - BEHIND));
        let all = vec![up(2, true), up(3, true), up(4, true), up(5, false)];
        assert_eq!(seen(all), sorted(&[1, 2, 3, 5]), "whoever leaves is not counted");
        assert_eq!(seen(Vec::new()), sorted(&[1]));
        let behind = peer(5, false, Some(5), Some(999 - BEHIND));
        assert_eq!(seen(vec![up(2, true), behind]), sorted(&[1, 2]));
        let gone = peer(5, false, None, Some(1_000));
        assert_eq!(seen(vec![up(3, true), gone]), sorted(&[1, 3]));
        assert_eq!(seen(vec![peer(2, true, Some(5), None)]), sorted(&[1]), "it has said nothing");
        // Another node of an institution does not vote for it.
        assert_eq!(seen(vec![up(2, false)]), sorted(&[1]));
    }

    #[test]
    fn a_status_that_names_nothing_is_refused() {
        let genesis = genesis("test");
        for status in [json!({}), json!({ "node": "x", "height": 1 }), json!({ "height": 1 })] {
            Sight::read(&status, &json!({}), genesis.validator_set()).unwrap_err();
        }
    }
}
