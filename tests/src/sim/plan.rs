//! What is drawn from a seed: who is there, what the network is like, what goes wrong and when.

mod governance;
mod reduction;
mod trouble;

pub use governance::{Motion, Step};
pub use reduction::{Family, Reduction};
pub use trouble::{Left, Planned, Trouble};

use super::{
    clock::Clock,
    liars::Lie,
    network::{Latency, Weather},
};
use crate::seed::Seeded;
use governance::Agenda;
use probata_genesis::Parameters;
use probata_types::{Millis, validator};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// How long the bad time of a world lasts, in milliseconds.
const LENGTH: (u64, u64) = (5_000, 16_000);
/// Committees that are drawn: most are small, where one liar is a large share.
const SIZES: [u16; 16] = [4, 4, 4, 4, 4, 4, 4, 5, 5, 6, 7, 7, 7, 8, 9, 10];

/// A world to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What it is drawn from.
    pub seed: u64,
    /// Validators in the beginning; one member node comes after them.
    pub validators: u16,
    /// Nodes after the member node that have a key for voting, and may get a seat.
    pub candidates: u16,
    /// The most that may be faulty in any validator set that may come into force.
    pub most_faulty: usize,
    /// What genesis says.
    pub parameters: Parameters,
    /// What the network does.
    pub weather: Weather,
    /// The clocks of each node.
    pub clocks: Vec<Clock>,
    /// Validators whose wall clock stays far off to the end: they count as faulty.
    pub off: BTreeSet<usize>,
    /// Validators whose wall clock may jump far: they count as faulty while it is off.
    pub jumping: BTreeSet<usize>,
    /// Whether all wall clocks may jump some seconds.
    pub wild_clocks: bool,
    /// Who lies, and how.
    pub liars: BTreeMap<usize, Lie>,
    /// What goes wrong, in order.
    pub troubles: Vec<Planned>,
    /// How long the bad time lasts.
    pub length: Millis,
}

impl Plan {
    /// The world of a seed, without what is taken out of it.
    pub fn draw(seed: u64, reduction: &Reduction) -> Self {
        let mut random = Seeded::new(seed ^ 0x70726f62_61746121);
        let drawn = random.pick(&SIZES);
        let validators = reduction.nodes.unwrap_or(drawn);
        let (mut of_parameters, mut of_weather) = (random.fork(), random.fork());
        let (mut of_clocks, mut of_faulty) = (random.fork(), random.fork());
        let length = Millis::new(random.between(LENGTH.0, LENGTH.1));
        // From a number of its own: a world without motions is the same as it would be without this.
        let agenda = Agenda::drawn(&mut Seeded::new(seed ^ 0x6d6f_7469_6f6e), validators, length);
        let (candidates, sets) = (agenda.candidates, agenda.sets(validators));
        let nodes = usize::from(validators + 1 + candidates);
        let parameters = parameters(&mut of_parameters);
        let weather = weather(&mut of_weather, nodes);
        let clock = |_| Clock::drawn(&mut of_clocks, parameters.precision);
        let clocks = (0..nodes).map(clock).collect();
        let faulty = Faulty::drawn(&mut of_faulty, &sets);
        let most_faulty = sets.iter().map(|set| validator::faulty(set.len())).max();
        let mut plan = Self {
            seed,
            validators,
            candidates,
            most_faulty: most_faulty.unwrap_or_default(),
            parameters,
            weather,
            clocks,
            off: faulty.off,
            jumping: faulty.jumping,
            wild_clocks: random.chance(100),
            liars: faulty.liars,
            troubles: Vec::new(),
            length,
        };
        plan.troubles = trouble::drawn(&mut random.fork(), &plan, &agenda.motions);
        reduction.apply(&mut plan);
        plan
    }

    /// Nodes: validators, the member node after them, and those that may get a seat.
    pub fn nodes(&self) -> usize {
        usize::from(self.validators + 1 + self.candidates)
    }

    /// Whether a node has a key for voting, with or without a seat.
    pub fn may_vote(&self, node: usize) -> bool {
        node != usize::from(self.validators)
    }

    /// The motions that are made, each with its number among the troubles.
    pub fn motions(&self) -> impl Iterator<Item = (usize, &Motion)> {
        self.troubles.iter().filter_map(|planned| match &planned.trouble {
            Trouble::Motion(motion) => Some((planned.number, motion)),
            _ => None,
        })
    }

    /// How long a world may take, after everything is healed, to seal some blocks and all that waits. The
    /// longest timeout may pass twice for each faulty leader, for one that catches up, and for those on
    /// their way to the foremost's view; a censor is suspected after the inclusion deadline; the chain
    /// may be idle for a heartbeat before each block; a fetch that is never answered costs its deadline.
    pub fn patience(&self) -> Millis {
        let (faulty, parameters) = (self.most_faulty as u64, &self.parameters);
        let views = 2 * (faulty + 3) * parameters.view_timeout_cap.get();
        let censors = 2 * faulty * parameters.inclusion_deadline.get();
        let idle = 4 * parameters.heartbeat.get();
        let fetches = probata_node::limits::FETCH_DEADLINE_MS;
        // A block may have been sealed by clocks that were ahead; the next one is later than it.
        let ahead = if self.wild_clocks { trouble::WILD } else { 0 };
        Millis::new(views + censors + idle + fetches + ahead)
    }
}

fn parameters(random: &mut Seeded) -> Parameters {
    let view_timeout = Millis::new(random.between(300, 1_000));
    Parameters {
        rotation: random.pick(&[0, 1, 1, 3, 64]),
        view_timeout,
        view_timeout_cap: Millis::new(random.pick(&[2_500, 4_000, 4_000])),
        retransmit: Millis::new(random.between(80, 250)),
        heartbeat: Millis::new(random.pick(&[700, 1_500, 4_000])),
        batch_delay: Millis::new(random.pick(&[0, 5, 5, 50])),
        inclusion_deadline: Millis::new(view_timeout.get() + random.between(500, 2_500)),
        max_submission_lifetime: Millis::new(60 * 60 * 1_000),
        pending_per_institution: random.pick(&[4, 64, 1_024]),
        ..Parameters::recommended()
    }
}

fn weather(random: &mut Seeded, nodes: usize) -> Weather {
    Weather {
        latency: Latency::drawn(random, nodes),
        loss: random.pick(&[0, 0, 10, 50, 150, 300]),
        repeat: random.pick(&[0, 20, 100]),
        change: random.pick(&[0, 0, 10]),
        ordered: random.chance(400),
    }
}

/// Those who may be faulty, by what they do.
#[derive(Default)]
struct Faulty {
    liars: BTreeMap<usize, Lie>,
    off: BTreeSet<usize>,
    jumping: BTreeSet<usize>,
}

impl Faulty {
    /// As many as may be faulty in every set that may come into force; most often all of them lie.
    fn drawn(random: &mut Seeded, sets: &[BTreeSet<usize>]) -> Self {
        let all: BTreeSet<usize> = sets.iter().flatten().copied().collect();
        let mut order: Vec<usize> = all.into_iter().collect();
        random.shuffle(&mut order);
        let mut chosen = BTreeSet::new();
        order.retain(|node| {
            chosen.insert(*node);
            let sound = sets.iter().all(|set| governance::is_sound(set, &chosen));
            sound || !chosen.remove(node)
        });
        let most = order.len();
        let liars = if random.chance(700) { most } else { random.place(most + 1) };
        let mut faulty = Self::default();
        for (number, node) in order.into_iter().enumerate() {
            if number >= liars {
                faulty.jumping.insert(node);
            } else if random.chance(100) {
                faulty.off.insert(node);
            } else {
                faulty.liars.insert(node, random.pick(&Lie::ALL));
            }
        }
        faulty
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, validators, parameters, weather, .. } = self;
        writeln!(
            f,
            "seed {seed}: {validators} validators, {} of a set may be faulty; node {validators} has no vote",
            self.most_faulty
        )?;
        if self.candidates > 0 {
            let first = validators + 1;
            let nodes: Vec<u16> = (first..first + self.candidates).collect();
            writeln!(f, "  nodes {nodes:?} may get a vote")?;
        }
        for (node, lie) in &self.liars {
            writeln!(f, "  node {node} lies: {lie}")?;
        }
        for node in &self.off {
            writeln!(f, "  node {node} has a wall clock that is far off to the end")?;
        }
        let Weather { latency, loss, repeat, change, ordered } = weather;
        let order = if *ordered { "in order" } else { "in any order" };
        writeln!(
            f,
            "  network: {latency}, {order}; of 1000: {loss} lost, {repeat} twice, {change} changed"
        )?;
        let Parameters { rotation, view_timeout, view_timeout_cap, heartbeat, .. } = parameters;
        writeln!(
            f,
            "  rotation {rotation}, view timeout {view_timeout} to {view_timeout_cap} ms, \
             heartbeat {heartbeat} ms"
        )?;
        write!(f, "  {} troubles in {} ms", self.troubles.len(), self.length)
    }
}
