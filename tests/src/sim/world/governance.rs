//! Motions, the ballots on them, and the epochs that come of them.

use super::{Happening, Held, Told, World, diverged};
use crate::{
    consortium::{self, Purpose},
    governance::{Chamber, later},
    sim::{
        plan::{Motion, Step},
        report::Verdict,
    },
};
use probata_node::membership::{Member, Membership};
use probata_types::{
    Epoch, FlowId, Height, List, Submission, ValidatorIndex, ValidatorSet, View,
    body::{Ballot, Change},
    object::{self, MotionStatus, Object},
    state::{StateKey, StateValue},
};

/// How long an institution takes to make up its mind, in milliseconds.
const THOUGHT: (u64, u64) = (20, 700);

/// A motion that was made.
pub(super) struct Moved {
    /// Its number among the troubles.
    number: usize,
    motion: Motion,
    id: FlowId,
    /// Whether all know what became of it.
    decided: bool,
}

/// Whom a node talks to.
#[derive(Default)]
pub(super) struct Peers {
    /// Those that vote.
    pub(super) voters: Vec<usize>,
    /// Those that do not, as far as it knows them.
    pub(super) members: Vec<usize>,
}

/// What an institution does about a motion.
enum Vote {
    /// Its node does not run, or does not know the motion yet.
    Later,
    /// It is no elector, or the motion is decided.
    Never,
    Now(Ballot),
}

impl World<'_> {
    /// An institution makes a motion, and the others will vote on it.
    pub(super) fn moves(&mut self, number: usize, motion: Motion) -> Held {
        let highest = self.correct().map(|at| self.history.height_of(at)).max();
        let from = highest.unwrap_or_default().saturating_add(motion.ahead);
        let chamber = self.chamber(motion.mover);
        let change = change(&chamber, motion.step);
        let (id, submission) = chamber.motion(motion.mover, change, from);
        self.counts.one("motions made");
        let place = self.moved.len();
        self.moved.push(Moved { number, motion, id, decided: false });
        for voter in 0..self.nodes.len() {
            if (motion.silent >> voter) & 1 == 0 {
                let thought = self.random.between(THOUGHT.0, THOUGHT.1);
                self.later(thought, Happening::Vote { motion: place, voter });
            }
        }
        self.hand(motion.mover, submission, motion.to)
    }

    /// Where an institution speaks now, with the key that it has by now.
    fn chamber(&mut self, client: u16) -> Chamber {
        let mut chamber = Chamber::fixed(self.gate.genesis(), self.wall());
        chamber.set_key(client, self.clients.pair(client));
        chamber
    }

    /// A submission that is no everyday one goes the way of all.
    fn hand(&mut self, client: u16, submission: Submission, to: usize) -> Held {
        let id = self.clients.put(client, submission);
        self.counts.one("submissions made");
        self.offer_until_heard(id, to)
    }

    /// An institution looks at its own node and votes on a motion, or looks again later.
    pub(super) fn vote(&mut self, place: usize, voter: usize) -> Held {
        match self.makes_up_its_mind(place, voter)? {
            Vote::Never => Ok(()),
            Vote::Later => {
                let thought = self.random.between(THOUGHT.0, THOUGHT.1);
                self.later(thought, Happening::Vote { motion: place, voter });
                Ok(())
            }
            Vote::Now(ballot) => self.votes(place, voter, ballot),
        }
    }

    fn votes(&mut self, place: usize, voter: usize, ballot: Ballot) -> Held {
        let number = self.moved[place].number;
        let (word, seen) = (if ballot.approve { "for" } else { "against" }, ballot.seen.len());
        self.trace.say(
            self.now,
            format_args!("institution {voter} votes {word} motion [{number}]; it sees {seen} run"),
        );
        self.counts.one("ballots cast");
        let client = u16::try_from(voter).expect("a few nodes");
        let chamber = self.chamber(client);
        let submission = chamber.ballot_by(client, &chamber.member(client).key, ballot);
        let to = self.random.place(self.nodes.len());
        self.hand(client, submission, to)
    }

    fn makes_up_its_mind(&self, place: usize, voter: usize) -> Held<Vote> {
        let Moved { motion, id, .. } = &self.moved[place];
        let node = &self.nodes[voter];
        let Some(chain) = node.machine.chain.as_ref().filter(|_| node.frozen_until <= self.now)
        else {
            return Ok(Vote::Later);
        };
        let Some(stands) = self.motion_at(voter, *id)? else { return Ok(Vote::Later) };
        let membership = chain.membership();
        let epoch = membership.next.as_ref().unwrap_or(&membership.epoch);
        let institution = consortium::institution(u16::try_from(voter).expect("a few nodes"));
        let is_elector = epoch.set.iter().any(|(_, it)| it.institution == institution);
        let open = stands.status == MotionStatus::Open && stands.epoch == epoch.number;
        if !open || !is_elector {
            return Ok(Vote::Never);
        }
        let set = match &stands.change {
            Change::Validators(change) => change.apply(&epoch.set).ok(),
            _ => None,
        };
        Ok(Vote::Now(Ballot {
            motion: *id,
            approve: (motion.against >> voter) & 1 == 0,
            seen: List::new(set.map_or_else(Vec::new, |set| self.running(&set)))
                .expect("no more than have a seat"),
        }))
    }

    /// The places of a set whose nodes run.
    fn running(&self, set: &ValidatorSet) -> Vec<ValidatorIndex> {
        let nodes = self.roster.nodes(set).into_iter();
        let places = (0..).map(ValidatorIndex).zip(nodes);
        places.filter(|(_, node)| self.is_up(*node)).map(|(place, _)| place).collect()
    }

    /// A motion as a node that runs has it.
    fn motion_at(&self, at: usize, id: FlowId) -> Held<Option<object::Motion>> {
        let Some(chain) = &self.nodes[at].machine.chain else { return Ok(None) };
        let read = chain.reader().state(&StateKey::Flow(id));
        let (value, _) = read.map_err(|error| {
            Verdict::Diverged(format!("node {at} cannot read its state: {error}"))
        })?;
        Ok(match value {
            Some(StateValue::Flow(flow)) => match flow.object {
                Object::Motion(motion) => Some(*motion),
                _ => None,
            },
            _ => None,
        })
    }

    /// What a correct node has sealed may have decided motions.
    pub(super) fn look_at_motions(&mut self, at: usize) -> Held {
        for place in 0..self.moved.len() {
            let Moved { number, motion, id, decided } = self.moved[place];
            if decided {
                continue;
            }
            let Some(stands) = self.motion_at(at, id)? else { continue };
            match stands.status {
                MotionStatus::Open => continue,
                MotionStatus::Approved { from, .. } => {
                    self.counts.one("motions approved");
                    let words =
                        format_args!("motion [{number}] is approved, from height {from} on");
                    self.trace.say(self.now, words);
                    if let Step::Rotate { client, .. } = motion.step {
                        self.clients.rotated(client);
                    }
                }
                MotionStatus::Refused { code } => {
                    self.counts.one("motions refused");
                    self.trace.say(self.now, format_args!("motion [{number}] is refused: {code}"));
                }
            }
            self.moved[place].decided = true;
        }
        Ok(())
    }

    /// A node says who takes part, as it sees it.
    pub(super) fn membership(&mut self, at: usize, membership: &Membership) -> Held {
        let epoch = &membership.epoch;
        if self.roster.begins(epoch) {
            self.counts.one("epochs begun");
            let nodes = self.roster.nodes(&epoch.set);
            let words = format_args!(
                "the set of epoch {} begins at height {}: nodes {nodes:?}, of which {} may be faulty",
                epoch.number,
                epoch.first,
                epoch.set.faulty()
            );
            self.trace.say(self.now, words);
        }
        self.nodes[at].peers = self.peers(at, membership);
        if self.is_correct(at) {
            self.gate.learn(membership)?;
            self.check_first_view(at, epoch)?;
        }
        Ok(())
    }

    /// P24: views begin again with the epoch, whatever view the last height of the one before was sealed in.
    fn check_first_view(&mut self, at: usize, epoch: &Epoch) -> Held {
        let node = &mut self.nodes[at];
        let Some(chain) = node.machine.chain.as_ref().filter(|_| epoch.number > node.told.epoch)
        else {
            return Ok(());
        };
        node.told = Told { epoch: epoch.number, ..Told::default() };
        let status = chain.status();
        if status.height.next() == epoch.first && status.view > View::ZERO {
            let (number, view) = (epoch.number, status.view);
            return diverged(format!("node {at} begins epoch {number} in view {view}"));
        }
        Ok(())
    }

    /// A validator talks to all nodes, a member node to the validators; those of the epoch to come count as
    /// validators here.
    fn peers(&self, at: usize, membership: &Membership) -> Peers {
        let votes = |member: &Member| member.seat.is_some() || member.to_be_seated;
        let own = self.nodes[at].machine.id;
        let all = membership.nodes().any(|member| member.node == own && votes(&member));
        let mut peers = Peers::default();
        for member in membership.nodes().filter(|it| it.node != own && (all || votes(it))) {
            let list = if member.seat.is_some() { &mut peers.voters } else { &mut peers.members };
            list.extend(self.places.get(&member.node).copied());
        }
        peers.voters.sort_unstable();
        peers.members.sort_unstable();
        peers
    }

    /// Whether a node has said something in the newest epoch, if it has a seat there.
    pub(super) fn takes_part(&self, at: usize) -> bool {
        let machine = &self.nodes[at].machine;
        self.roster.of(Height::MAX, |epoch| {
            machine.seat(&epoch.set).is_none_or(|seat| self.watch.spoke(seat, epoch.first))
        })
    }
}

/// What a step asks for.
fn change(chamber: &Chamber, step: Step) -> Change {
    let number = |node: usize| u16::try_from(node).expect("a few nodes");
    let seat = |node| (number(node), consortium::pair(number(node), Purpose::Validator));
    match step {
        Step::Join(node) => chamber.seats([seat(node)], []),
        Step::Leave(node) => chamber.seats([], [number(node)]),
        Step::Swap { joins, leaves } => chamber.seats([seat(joins)], [number(leaves)]),
        Step::Rekey { node, generation } => {
            let node = number(node);
            chamber.seats([(node, later(node, Purpose::Validator, generation))], [])
        }
        Step::Rotate { client, overlap } => {
            let old = consortium::pair(client, Purpose::Submission).public();
            chamber.rotation(client, &later(client, Purpose::Submission, 1), old, overlap)
        }
    }
}
