//! The network of a world: how long things travel, what is lost, said twice or changed, who is cut off.

use crate::seed::Seeded;
use probata_types::Millis;
use std::fmt;

/// How long things travel. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Latency {
    /// Always the same.
    Constant(u64),
    /// Any time between two.
    Uniform(u64, u64),
    /// Usually short; in so many cases of a thousand up to the second time.
    LongTail(u64, u64, u64),
    /// Short, but for one node, to and from which it takes the second time longer.
    SlowNode(u64, u64, usize),
    /// Nodes are in places, by their numbers; within one it takes the first time, else the second for each
    /// place between.
    Geographic(u64, u64, Vec<u64>),
}

impl Latency {
    pub(super) fn drawn(random: &mut Seeded, nodes: usize) -> Self {
        match random.place(5) {
            // With the longest, three phases take more than a first timeout: only longer ones help (P15).
            0 => Self::Constant(random.pick(&[1, 5, 20, 60, 100, 200, 300])),
            1 => Self::Uniform(1, random.between(5, 250)),
            2 => Self::LongTail(random.between(2, 40), random.between(10, 150), 800),
            3 => {
                let slow = random.place(nodes);
                Self::SlowNode(random.between(2, 30), random.between(100, 400), slow)
            }
            _ => {
                let places = random.between(2, 4);
                let of_nodes = (0..nodes).map(|_| random.between(1, places)).collect();
                Self::Geographic(random.between(1, 5), random.between(15, 90), of_nodes)
            }
        }
    }

    fn draw(&self, random: &mut Seeded, from: usize, to: usize) -> u64 {
        match self {
            Self::Constant(time) => *time,
            Self::Uniform(least, most) => random.between(*least, *most),
            Self::LongTail(usual, of_thousand, longest) => {
                let most = if random.chance(*of_thousand) { *longest } else { *usual };
                random.between(1, most)
            }
            Self::SlowNode(usual, more, slow) => {
                let slow = if from == *slow || to == *slow { *more } else { 0 };
                slow + random.between(1, *usual)
            }
            Self::Geographic(within, between, places) => {
                let distance = places[from].abs_diff(places[to]);
                within + between * distance + random.between(0, 1 + between * distance / 10)
            }
        }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(time) => write!(f, "{time} ms always"),
            Self::Uniform(least, most) => write!(f, "{least} to {most} ms"),
            Self::LongTail(usual, share, longest) => {
                write!(f, "up to {usual} ms, but {share} of 1000 up to {longest} ms")
            }
            Self::SlowNode(usual, more, slow) => {
                write!(f, "up to {usual} ms, {more} ms more to and from node {slow}")
            }
            Self::Geographic(within, between, places) => {
                write!(f, "{within} ms within a place, {between} ms from place to place {places:?}")
            }
        }
    }
}

/// What the network does to what travels. Chances are of a thousand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weather {
    /// How long it travels.
    pub latency: Latency,
    /// It is lost.
    pub loss: u64,
    /// It arrives twice.
    pub repeat: u64,
    /// It arrives changed in one bit.
    pub change: u64,
    /// What one node sends to another arrives in the order in which it was sent.
    pub ordered: bool,
}

/// Who does not hear whom. Sets of nodes are bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Those in the set and those outside do not hear each other.
    Split(u32),
    /// Only what comes from this one or goes to it arrives.
    Star(usize),
    /// Those in the set are heard by nobody outside, but hear everybody.
    OneWay(u32),
    /// A split that comes and goes every so many milliseconds.
    Flapping(u32, u64),
    /// One is cut off: the leader of that moment.
    Leader,
}

impl Shape {
    pub(super) fn drawn(random: &mut Seeded, nodes: usize) -> Self {
        let mut order: Vec<usize> = (0..nodes).collect();
        random.shuffle(&mut order);
        let half = set(&order[..nodes / 2]);
        let some = set(&order[..1 + random.place(nodes - 1)]);
        match random.place(7) {
            0 => Self::Split(half),
            1 => Self::Split(some),
            2 => Self::Star(order[0]),
            3 => Self::OneWay(some),
            4 => Self::Flapping(half, random.between(50, 700)),
            _ => Self::Leader,
        }
    }

    /// Whether nothing comes from the one to the other, so long after the cut was made.
    fn cuts(self, since: u64, from: usize, to: usize) -> bool {
        let is_in = |set: u32, node: usize| (set >> node) & 1 == 1;
        match self {
            Self::Split(set) => is_in(set, from) != is_in(set, to),
            Self::Star(hub) => from != hub && to != hub,
            Self::OneWay(set) => is_in(set, from) && !is_in(set, to),
            Self::Flapping(set, period) => {
                is_in(set, from) != is_in(set, to) && (since / period).is_multiple_of(2)
            }
            // The world names the leader when its time comes.
            Self::Leader => false,
        }
    }
}

/// Nodes as bits.
pub(super) fn set(nodes: &[usize]) -> u32 {
    nodes.iter().fold(0, |set, node| set | (1 << node))
}

fn members(set: u32) -> Vec<usize> {
    (0..32).filter(|node| (set >> node) & 1 == 1).collect()
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Split(set) => {
                write!(f, "nodes {:?} and the others do not hear each other", members(*set))
            }
            Self::Star(hub) => write!(f, "all hear and are heard by node {hub} only"),
            Self::OneWay(set) => write!(f, "nodes {:?} are not heard by the others", members(*set)),
            Self::Flapping(set, period) => {
                write!(f, "nodes {:?} come and go every {period} ms", members(*set))
            }
            Self::Leader => write!(f, "the leader is cut off"),
        }
    }
}

/// All links between the nodes of a world.
#[derive(Debug)]
pub(super) struct Links {
    pub(super) weather: Weather,
    nodes: usize,
    /// For each pair its own chance, so that what one draws does not change what another does.
    random: Vec<Seeded>,
    /// When the last thing of each pair arrives.
    last: Vec<Millis>,
    cuts: Vec<(Shape, Millis, Millis)>,
}

/// How something arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) at: Millis,
    /// One bit of it is changed: that of this number, modulo their count.
    pub(super) changed: Option<u64>,
}

impl Links {
    pub(super) fn new(weather: Weather, nodes: usize, random: &mut Seeded) -> Self {
        let pairs = nodes * nodes;
        Self {
            weather,
            nodes,
            random: (0..pairs).map(|_| random.fork()).collect(),
            last: vec![Millis::ZERO; pairs],
            cuts: Vec::new(),
        }
    }

    /// When and how something sent now arrives: never, once or twice.
    pub(super) fn send(&mut self, now: Millis, from: usize, to: usize) -> Vec<Arrival> {
        let pair = from * self.nodes + to;
        let random = &mut self.random[pair];
        // Drawn in any case, so that a cut changes nothing that comes after it.
        let (lost, twice) = (random.chance(self.weather.loss), random.chance(self.weather.repeat));
        let copies = if lost || self.are_cut(now, from, to) { 0 } else { 1 + usize::from(twice) };
        let mut arrivals = Vec::with_capacity(copies);
        for _ in 0..copies {
            let random = &mut self.random[pair];
            let mut at = now.saturating_add(self.weather.latency.draw(random, from, to));
            if self.weather.ordered {
                at = at.max(self.last[pair]);
                self.last[pair] = at;
            }
            let changed = random.chance(self.weather.change).then(|| random.number());
            arrivals.push(Arrival { at, changed });
        }
        arrivals
    }

    pub(super) fn are_cut(&self, now: Millis, from: usize, to: usize) -> bool {
        self.cuts
            .iter()
            .any(|(shape, since, until)| *until > now && shape.cuts(now.since(*since), from, to))
    }

    pub(super) fn cut(&mut self, shape: Shape, now: Millis, length: Millis) {
        self.cuts.retain(|(_, _, until)| *until > now);
        self.cuts.push((shape, now, now.saturating_add(length.get())));
    }

    /// From here on everything arrives, once and unchanged, as late as before.
    pub(super) fn heal(&mut self) {
        self.cuts.clear();
        (self.weather.loss, self.weather.repeat, self.weather.change) = (0, 0, 0);
    }
}

#[cfg(test)]
mod tests;
