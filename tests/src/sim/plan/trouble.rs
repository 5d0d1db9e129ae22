//! What goes wrong, and when.

use super::{Plan, governance::Motion};
use crate::{
    disk::{Break, Fate, Survives},
    seed::Seeded,
    sim::{clock, network::Shape},
};
use probata_types::Millis;
use std::fmt;

/// How far ahead of the truth, or behind, the clock of a faulty node may be, in milliseconds.
pub(super) const FAR: u64 = 60_000;
/// How far all clocks of a world may be where they are wild, in milliseconds.
pub(super) const WILD: u64 = 6_000;

/// Something that goes wrong at its time. It has the number that it was drawn with, so that it can be
/// named when others are taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its number.
    pub number: usize,
    /// When.
    pub at: Millis,
    /// What.
    pub trouble: Trouble,
}

/// One misfortune, or some work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// An institution hands so many submissions to a node.
    Submit {
        /// Its number.
        client: u16,
        /// The node.
        to: usize,
        /// How many.
        count: u64,
    },
    /// A node is gone at once, and comes back.
    Crash {
        /// The node.
        node: usize,
        /// What its disk is left with.
        left: Left,
        /// How long it is gone.
        down: Millis,
    },
    /// A node's disk fails at some operation to come; the node stops, and comes back.
    Break {
        /// The node.
        node: usize,
        /// How the disk fails.
        planned: Break,
        /// What it is left with.
        left: Left,
        /// How long the node is gone.
        down: Millis,
    },
    /// A node is stopped in an orderly way, and comes back.
    Stop {
        /// The node.
        node: usize,
        /// How long it is gone.
        down: Millis,
    },
    /// A node does nothing for a while, and then all that came meanwhile.
    Freeze {
        /// The node.
        node: usize,
        /// How long.
        length: Millis,
    },
    /// Some do not hear others.
    Cut {
        /// Who.
        shape: Shape,
        /// How long.
        length: Millis,
    },
    /// One node alone sees the next height sealed, and then hears nobody and is heard by nobody.
    Witness {
        /// The node.
        node: usize,
        /// How long it is alone.
        alone: Millis,
    },
    /// A node's wall clock jumps.
    Jump {
        /// The node.
        node: usize,
        /// How far ahead of the truth it is from then on, in milliseconds.
        ahead: i64,
    },
    /// The consortium is to change.
    Motion(Motion),
}

/// What a crash leaves of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Of what was not synced.
    pub survives: Survives,
    /// Of what is derived from the log: of each entry that was not flushed in so many cases of a thousand;
    /// `None` if all of it is lost.
    pub derived: Option<u64>,
}

/// Troubles of a kind for each hundred, in a world that has this kind at all.
#[derive(Debug)]
struct Weights {
    submit: u64,
    crash: u64,
    break_disk: u64,
    stop: u64,
    freeze: u64,
    cut: u64,
    witness: u64,
    jump: u64,
}

impl Weights {
    /// Each kind is in most worlds, none in all: what one hides another one shows.
    fn drawn(random: &mut Seeded) -> Self {
        let mut weight = |most: u64| if random.chance(650) { random.between(1, most) } else { 0 };
        Self {
            crash: weight(12),
            break_disk: weight(25),
            stop: weight(6),
            freeze: weight(8),
            cut: weight(15),
            witness: weight(6),
            jump: weight(6),
            submit: 25,
        }
    }
}

/// Everything that goes wrong in a world, and the motions that are made meanwhile.
pub(super) fn drawn(
    random: &mut Seeded,
    plan: &Plan,
    motions: &[(Millis, Motion)],
) -> Vec<Planned> {
    let mut troubles = misfortunes(random, plan);
    for (at, motion) in motions {
        let (number, trouble) = (troubles.len(), Trouble::Motion(*motion));
        troubles.push(Planned { number, at: *at, trouble });
    }
    troubles.sort_by_key(|planned| planned.at);
    troubles
}

fn misfortunes(random: &mut Seeded, plan: &Plan) -> Vec<Planned> {
    let weights = Weights::drawn(random);
    let pause = random.between(60, 500);
    let mut troubles = Vec::new();
    let mut at = Millis::new(random.between(1, pause));
    while at < plan.length {
        let trouble = one(random, plan, &weights);
        troubles.push(Planned { number: troubles.len(), at, trouble });
        at = at.saturating_add(random.between(1, 2 * pause));
    }
    troubles
}

fn one(random: &mut Seeded, plan: &Plan, weights: &Weights) -> Trouble {
    let Weights { submit, crash, break_disk, stop, freeze, cut, witness, jump } = *weights;
    let node = random.place(plan.nodes());
    // Most are back soon: into the view, or the very vote, in which they went.
    let longest = random.pick(&[30, 300, 300, 2_500]);
    let down = Millis::new(random.between(1, longest));
    let all = submit + crash + break_disk + stop + freeze + cut + witness + jump;
    let mut drawn = random.between(0, all - 1);
    let mut falls_on = |weight: u64| {
        let falls = drawn < weight;
        drawn = drawn.saturating_sub(weight);
        falls
    };
    if falls_on(submit) {
        let client = u16::try_from(random.place(plan.nodes())).expect("a few nodes");
        return Trouble::Submit { client, to: node, count: random.pick(&[1, 1, 1, 2, 6]) };
    }
    if falls_on(crash) {
        return Trouble::Crash { node, left: left(random), down };
    }
    if falls_on(break_disk) {
        let fate = match random.place(4) {
            0 => Fate::Lost,
            1 => Fate::Kept,
            _ => Fate::Torn(u16::try_from(random.between(0, 65_535)).expect("in range")),
        };
        let after = u32::try_from(random.between(0, 40)).expect("small");
        return Trouble::Break { node, planned: Break { after, fate }, left: left(random), down };
    }
    if falls_on(stop) {
        return Trouble::Stop { node, down };
    }
    if falls_on(freeze) {
        return Trouble::Freeze { node, length: Millis::new(random.between(20, 1_500)) };
    }
    if falls_on(cut) {
        let shape = Shape::drawn(random, plan.nodes());
        return Trouble::Cut { shape, length: Millis::new(random.between(50, 3_000)) };
    }
    if falls_on(witness) {
        let node = random.place(usize::from(plan.validators));
        return Trouble::Witness { node, alone: Millis::new(random.between(500, 6_000)) };
    }
    jumping(random, plan, node)
}

fn left(random: &mut Seeded) -> Left {
    let survives = random.pick(&[Survives::Nothing, Survives::Some, Survives::Everything]);
    Left { survives, derived: random.pick(&[Some(0), Some(500), Some(1_000), None]) }
}

/// How far a clock may be set wrong: as far as clocks usually differ, unless its node is one of those that
/// may be faulty besides the liars, or all clocks of the world are wild.
fn jumping(random: &mut Seeded, plan: &Plan, node: usize) -> Trouble {
    let most = if plan.wild_clocks {
        WILD
    } else if plan.jumping.contains(&node) {
        FAR
    } else {
        plan.parameters.precision.get() / 2
    };
    let ahead = clock::signed(random.between(0, most));
    Trouble::Jump { node, ahead: if random.chance(500) { ahead } else { -ahead } }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Submit { client, to, count } => {
                write!(f, "institution {client} hands {count} submissions to node {to}")
            }
            Self::Crash { node, left, down } => {
                write!(f, "node {node} loses power for {down} ms; {left}")
            }
            Self::Break { node, planned, left, down } => {
                let Break { after, fate } = planned;
                write!(
                    f,
                    "the disk of node {node} fails after {after} operations ({fate:?}), for {down} ms; {left}"
                )
            }
            Self::Stop { node, down } => write!(f, "node {node} is stopped for {down} ms"),
            Self::Freeze { node, length } => write!(f, "node {node} does nothing for {length} ms"),
            Self::Cut { shape, length } => write!(f, "{shape}, for {length} ms"),
            Self::Witness { node, alone } => write!(
                f,
                "Commit votes come to node {node} only, which is alone for {alone} ms when it seals"
            ),
            Self::Jump { node, ahead } => {
                write!(f, "the wall clock of node {node} jumps: {ahead} ms ahead of the truth")
            }
            Self::Motion(motion) => write!(f, "{motion}"),
        }
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.survives {
            Survives::Nothing => f.write_str("nothing that was not synced survives")?,
            Survives::Some => f.write_str("some of what was not synced survives")?,
            Survives::Everything => f.write_str("all that was written survives")?,
        }
        match self.derived {
            None => f.write_str(", what is derived is lost"),
            Some(0) => f.write_str(", of what is derived only what was flushed stays"),
            Some(_) => Ok(()),
        }
    }
}
