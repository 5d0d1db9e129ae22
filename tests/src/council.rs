//! A consortium of real processes decides: motions and ballots through the SDK, each institution by its own
//! node, which also says whom it sees.

use crate::{
    governance::{Chamber, successor},
    limits,
    load::Acknowledged,
    network::Network,
    trouble::{Trouble, ensure},
};
use futures::future::try_join_all;
use probata_client::sdk::{ClientError, clock};
use probata_genesis::{KeyFile, KeyUse};
use probata_types::{
    FlowId, Height, InstitutionId, Keypair, Submission,
    body::{Change, SeatChange},
    catalogue::{self, failure},
    object::{MotionStatus, Object},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    time::{Duration, Instant},
};

/// How long a voter waits for the nodes of a new set to be as high as its own: they say how high they are
/// once a second.
const SIGHT: Duration = Duration::from_secs(4);
/// The file of the key with which a candidate or validator votes first.
pub const FIRST_KEY: &str = "validator.key.json";
/// The file of the key that takes its place.
pub const NEXT_KEY: &str = "next-validator.key.json";

/// The validator set in force, as a node says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// The number of its epoch.
    pub epoch: u64,
    /// The first height that it seals.
    pub first: u64,
    /// Its institutions, by their places.
    pub seats: Vec<InstitutionId>,
}

/// Who decides, and what came of it so far.
pub struct Council {
    chamber: Chamber,
    /// Every motion and ballot that was acknowledged, and by which institution.
    pub acknowledged: Vec<(u16, Acknowledged)>,
}

impl Council {
    /// Of a network, with the keys in its nodes' folders.
    ///
    /// # Errors
    /// [`Trouble`] if one cannot be read.
    pub fn of(network: &Network) -> Result<Self, Trouble> {
        Ok(Self { chamber: Chamber::of_network(network)?, acknowledged: Vec::new() })
    }

    /// A change that gives seats to nodes, with the keys that they hold, and takes others'.
    ///
    /// # Errors
    /// [`Trouble`] if a key cannot be read.
    pub fn seats(
        &self,
        network: &Network,
        join: &[u16],
        leave: &[u16],
        key: &str,
    ) -> Result<Change, Trouble> {
        let pair = |number: &u16| -> Result<_, Trouble> {
            Ok((*number, read_key(network, *number, key)?))
        };
        let join = join.iter().map(pair).collect::<Result<Vec<_>, _>>()?;
        Ok(self.chamber.seats(join, leave.iter().copied()))
    }

    /// Moves a change for so many heights from now, and lets the validators' institutions vote for it, one
    /// after the other with what their nodes see, until it is decided.
    ///
    /// # Errors
    /// [`Trouble`] if one of these is not acknowledged or not accepted.
    pub async fn decide(
        &mut self,
        network: &Network,
        change: Change,
        lead: u64,
    ) -> Result<MotionStatus, Trouble> {
        let anybody = *network.running().first().ok_or_else(|| Trouble::new("nobody runs"))?;
        let old = in_force(network, anybody).await?.seats;
        let voters = network.running().into_iter();
        let voters: Vec<usize> =
            voters.filter(|node| old.contains(&network.nodes()[*node].institution)).collect();
        let new = match &change {
            Change::Validators(change) => changed(&old, change),
            _ => Vec::new(),
        };
        let seen = try_join_all(voters.iter().map(|voter| sees(network, *voter, &new))).await?;
        let mover = u16::try_from(*voters.first().ok_or_else(|| Trouble::new("nobody votes"))?)?;
        let from = network.status(usize::from(mover)).await?.height + lead;
        self.chamber.now = clock::now();
        let (motion, moved) = self.chamber.motion(mover, change, Height::new(from));
        self.submit(network, mover, &moved).await?;
        for (voter, seen) in voters.into_iter().zip(seen) {
            let number = u16::try_from(voter)?;
            self.chamber.now = clock::now();
            let ballot = self.chamber.ballot(number, motion, true, seen);
            self.submit(network, number, &ballot).await?;
            let status = status(network, voter, &motion).await?;
            if status != MotionStatus::Open {
                return Ok(status);
            }
        }
        Ok(MotionStatus::Open)
    }

    /// The same, where the change must be approved; the first height at which it is in force.
    ///
    /// # Errors
    /// [`Trouble`] as [`Council::decide`], or if it is not approved.
    pub async fn approve(
        &mut self,
        network: &Network,
        change: Change,
        lead: u64,
    ) -> Result<u64, Trouble> {
        match self.decide(network, change, lead).await? {
            MotionStatus::Approved { from, .. } => Ok(from.get()),
            other => Err(Trouble::new(format!("the motion is not approved: {}", said(other)))),
        }
    }

    /// Gives an institution another key for submissions, both good for `overlap` heights: the first height
    /// at which the new one is, and both. The institution's folder keeps the new one.
    ///
    /// # Errors
    /// [`Trouble`] as [`Council::approve`], or if the key cannot be written.
    pub async fn rotate_submission(
        &mut self,
        network: &mut Network,
        number: u16,
        overlap: u64,
    ) -> Result<Rotation, Trouble> {
        let old = self.chamber.member(number).key.clone();
        let new = successor(&old, 1);
        let change = self.chamber.rotation(number, &new, old.public(), overlap);
        let from = self.approve(network, change, 1).await?;
        // The block before it is sealed everywhere: what is submitted now is judged at that height or later.
        network.wait_for_height(from - 1).await?;
        self.chamber.set_key(number, new.clone());
        let file = KeyFile { purpose: KeyUse::Submission, pair: new.clone() };
        let path = network.path(usize::from(number), "submission.key.json");
        fs::write(path, &*file.to_json())?;
        Ok(Rotation { number, until: from + overlap, old, new })
    }

    /// The old key of a rotation signs no more: a submission under it is refused by every running node.
    ///
    /// # Errors
    /// [`Trouble`] if it is not, or for another reason.
    pub async fn must_refuse(
        &mut self,
        network: &mut Network,
        rotation: &Rotation,
    ) -> Result<(), Trouble> {
        network.wait_for_height(rotation.until).await?;
        let Rotation { number, old, .. } = rotation;
        self.chamber.now = clock::now();
        let ballot = probata_types::body::Ballot {
            motion: FlowId([0; 16]),
            approve: true,
            seen: probata_types::List::empty(),
        };
        let submission = self.chamber.ballot_by(*number, old, ballot);
        let client = network.client(&network.running(), limits::ANSWER)?;
        let entry =
            catalogue::entry(failure::KEY_NOT_VALID).expect("the catalogue has its own codes");
        match client.submit(&submission).await {
            Err(ClientError::Refused(refusal)) if refusal.message == entry.en => Ok(()),
            other => Err(Trouble::new(format!("an old key of institution {number}: {other:?}"))),
        }
    }

    /// Submits for an institution by its own node; every record must be accepted.
    async fn submit(
        &mut self,
        network: &Network,
        number: u16,
        submission: &Submission,
    ) -> Result<(), Trouble> {
        let client = network.client(&[usize::from(number)], limits::PATIENCE)?;
        let receipt = client.submit(submission).await?;
        ensure(receipt.is_accepted(), || {
            format!("a motion or ballot of institution {number} is not accepted: {receipt:?}")
        })?;
        let acknowledged = Acknowledged::all_of(&receipt);
        self.acknowledged.extend(acknowledged.map(|one| (number, one)));
        Ok(())
    }
}

/// An institution's change of keys for submissions.
#[derive(Debug)]
pub struct Rotation {
    /// Whose.
    pub number: u16,
    /// The first height at which the old key is no longer good.
    pub until: u64,
    /// The old key.
    pub old: Keypair,
    /// The new one, good already.
    pub new: Keypair,
}

/// Gives a node that does not run yet a key for its seat to come, beside the one that it has.
///
/// # Errors
/// [`Trouble`] if files cannot be written.
pub fn give_next_key(network: &Network, number: u16) -> Result<(), Trouble> {
    let pair = successor(&read_key(network, number, FIRST_KEY)?, 1);
    let file = KeyFile { purpose: KeyUse::Validator, pair };
    let mut options = fs::OpenOptions::new();
    let path = network.path(number.into(), NEXT_KEY);
    options.write(true).create_new(true).mode(0o600).open(path)?.write_all(&file.to_json())?;
    let path = network.path(number.into(), "node.toml");
    let text = fs::read_to_string(&path)?;
    let keys = format!("[keys]\nnext_validator = \"{NEXT_KEY}\"\n");
    Ok(fs::write(path, text.replace("[keys]\n", &keys))?)
}

/// The set in force, as a node says it.
///
/// # Errors
/// [`Trouble`] if it does not answer.
pub async fn in_force(network: &Network, node: usize) -> Result<InForce, Trouble> {
    let answer = network.get(node, "/v1/validators").await?;
    let seats = answer["validators"].as_array().into_iter().flatten();
    let seats = seats.map(|seat| institution(&seat["institution"]));
    Ok(InForce {
        epoch: answer["epoch"].as_u64().unwrap_or_default(),
        first: answer["first"].as_u64().unwrap_or_default(),
        seats: seats.collect::<Result<_, _>>()?,
    })
}

/// Waits until every running node has come to the epoch that begins at this height.
///
/// # Errors
/// As [`Network::wait_for`].
pub async fn wait_for_epoch(network: &mut Network, first: u64) -> Result<Duration, Trouble> {
    let what = format!("the epoch from height {first} on at every running node");
    network
        .wait_for(&what, async |network| {
            for node in network.running() {
                if in_force(network, node).await?.first != first {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await
}

/// A motion's state in words, with the text of its refusal.
pub fn said(status: MotionStatus) -> String {
    match status {
        MotionStatus::Open => "open".to_owned(),
        MotionStatus::Approved { from, .. } => format!("approved, in force from height {from} on"),
        MotionStatus::Refused { code } => match catalogue::entry(code) {
            Some(it) => format!("refused: {} {}: {} {}", it.code, it.name, it.zh, it.en),
            None => format!("refused: {code}"),
        },
    }
}

/// What became of a motion, proved to the SDK.
async fn status(network: &Network, node: usize, motion: &FlowId) -> Result<MotionStatus, Trouble> {
    let client = network.client(&[node], limits::ANSWER)?;
    match client.flow_state(motion).await?.map(|flow| flow.object) {
        Some(Object::Motion(motion)) => Ok(motion.status),
        other => Err(Trouble::new(format!("flow {motion} holds no motion: {other:?}"))),
    }
}

/// The institutions of a new set, by their places.
fn changed(old: &[InstitutionId], change: &SeatChange) -> Vec<InstitutionId> {
    let mut seats: BTreeSet<InstitutionId> = old.iter().copied().collect();
    seats.retain(|seat| !change.leave.contains(seat));
    seats.extend(change.seats.iter().map(|seat| seat.institution));
    seats.into_iter().collect()
}

/// The places in a set whose nodes the voter's node is connected to, and which are at least as high as it
/// was when it began to look.
async fn sees(network: &Network, voter: usize, set: &[InstitutionId]) -> Result<Vec<u16>, Trouble> {
    let (began, height) = (Instant::now(), network.status(voter).await?.height);
    loop {
        let mut seen = BTreeSet::from([network.nodes()[voter].institution]);
        let answer = network.get(voter, "/v1/peers").await?;
        for peer in answer["peers"].as_array().into_iter().flatten() {
            let level = peer["height"].as_u64().is_some_and(|it| it >= height);
            if level && peer["connected_ms"].is_u64() && peer["institution"].is_string() {
                seen.insert(institution(&peer["institution"])?);
            }
        }
        let places = set.iter().zip(0u16..).filter(|(seat, _)| seen.contains(seat));
        let places: Vec<u16> = places.map(|(_, place)| place).collect();
        if places.len() == set.len() || began.elapsed() > SIGHT {
            return Ok(places);
        }
        tokio::time::sleep(limits::LOOK_INTERVAL).await;
    }
}

fn institution(value: &Value) -> Result<InstitutionId, Trouble> {
    Ok(value.as_str().unwrap_or_default().parse()?)
}

fn read_key(network: &Network, number: u16, name: &str) -> Result<Keypair, Trouble> {
    let bytes = fs::read(network.path(number.into(), name))?;
    Ok(KeyFile::parse_for(KeyUse::Validator, &bytes)?)
}
