//! What is done to whom, and for how long, drawn from a seed.

use crate::seed::Seeded;
use serde::Serialize;
use std::{fmt, time::Duration};

/// Of so many phases one impairs more than f validators at once.
const BEYOND: u64 = 5;
/// Of so many phases one strikes the member node as well.
const MEMBER: u64 = 4;
/// Quiet time before a phase strikes, least and most, in milliseconds.
const CALM_MS: (u64, u64) = (1_000, 3_000);
/// How long it then holds.
const HOLD_MS: (u64, u64) = (3_000, 9_000);

/// Whom a blow strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Whoever leads at that moment.
    Leader,
    /// That node; it gives way if it happens to be struck as the leader.
    Node(usize),
}

/// How a network is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Knife {
    /// The network interface goes down: packets vanish.
    Link,
    /// The proxies hold everything back: packets vanish, interfaces stay.
    Silence,
    /// The proxies break connections and refuse new ones.
    Refusal,
}

/// Which directions are cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sides {
    /// Both.
    Both,
    /// It hears nobody, and is heard.
    Deaf,
    /// Nobody hears it, and it hears.
    Mute,
}

/// What is done to one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Harm {
    /// SIGKILL.
    Kill,
    /// SIGTERM, which it must obey in order.
    Stop,
    /// SIGSTOP, later SIGCONT.
    Pause,
    /// Cut off from all others.
    Isolate(Knife, Sides),
    /// Its disk is full.
    Fill,
    /// Its wall clock is off by so many milliseconds.
    Clock(i64),
}

/// What the whole network does meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weather {
    pub(super) delay_ms: u64,
    pub(super) jitter_ms: u64,
    /// Chunks lost of a thousand.
    pub(super) loss: u16,
}

/// What is done at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phase {
    pub(super) calm: Duration,
    pub(super) harms: Vec<(Who, Harm)>,
    /// The validators below this place are cut off from those above.
    pub(super) split: Option<usize>,
    pub(super) weather: Option<Weather>,
    pub(super) hold: Duration,
    /// Whether more than f validators are impaired: then nothing need be sealed.
    pub(super) beyond: bool,
}

/// What the ground permits, and how large the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Means {
    pub(super) validators: usize,
    pub(super) links: bool,
    pub(super) disks: bool,
    pub(super) clocks: bool,
}

impl Means {
    /// The most that may fail at once, f.
    pub(super) const fn faulty(self) -> usize {
        (self.validators - 1) / 3
    }
}

/// The phases of a run, one after the other without end.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    means: Means,
    seeded: Seeded,
    /// Kinds of harm that are still to come before any comes again.
    deck: Vec<Harm>,
}

impl Plan {
    pub(super) const fn new(means: Means, seed: u64) -> Self {
        Self { means, seeded: Seeded::new(seed), deck: Vec::new() }
    }

    /// The next phase.
    pub(super) fn next(&mut self) -> Phase {
        let (calm, hold) = (self.millis(CALM_MS), self.millis(HOLD_MS));
        let beyond = self.one_in(BEYOND);
        let quiet = Phase { calm, harms: Vec::new(), split: None, weather: None, hold, beyond };
        let mut phase = if beyond { self.beyond(quiet) } else { self.within(quiet) };
        if self.one_in(MEMBER) {
            let harm = self.draw();
            phase.harms.push((Who::Node(self.means.validators), harm));
        }
        phase
    }

    /// At most f validators are struck; links may be bad, but not worse than a view can bear.
    fn within(&mut self, mut phase: Phase) -> Phase {
        let count = 1 + self.below(self.means.faulty());
        for who in self.choose(count) {
            let harm = self.draw();
            phase.harms.push((who, harm));
        }
        if self.one_in(3) {
            phase.weather = Some(Weather {
                delay_ms: 5 + self.seeded.number() % 40,
                jitter_ms: self.seeded.number() % 40,
                loss: u16::try_from(self.seeded.number() % 20).expect("below 20"),
            });
        }
        phase
    }

    /// More than f validators are struck, or the network is cut in two, or slower than a view lasts.
    fn beyond(&mut self, mut phase: Phase) -> Phase {
        let validators = self.means.validators;
        match self.below(4) {
            0 => phase.split = Some(validators / 2),
            1 => {
                phase.weather = Some(Weather {
                    delay_ms: 400 + self.seeded.number() % 800,
                    jitter_ms: 200,
                    loss: 50,
                });
            }
            2 => {
                let who = (0..validators).map(Who::Node);
                phase.harms = who.map(|who| (who, Harm::Kill)).collect();
            }
            _ => {
                let harm = self.draw();
                let who = self.choose(self.means.faulty() + 1);
                phase.harms = who.into_iter().map(|who| (who, harm)).collect();
            }
        }
        phase
    }

    /// So many different validators, every other time the leader among them.
    fn choose(&mut self, count: usize) -> Vec<Who> {
        let mut places: Vec<usize> = (0..self.means.validators).collect();
        self.seeded.shuffle(&mut places);
        let mut chosen: Vec<Who> = places.into_iter().take(count).map(Who::Node).collect();
        if self.one_in(2) {
            chosen[0] = Who::Leader;
        }
        chosen
    }

    /// The next kind of harm: each comes once before any comes again.
    fn draw(&mut self) -> Harm {
        if self.deck.is_empty() {
            self.deck = self.shuffled();
        }
        self.deck.pop().expect("a deck is never empty")
    }

    fn shuffled(&mut self) -> Vec<Harm> {
        let knives = [Knife::Link, Knife::Silence, Knife::Refusal];
        let knives = &knives[usize::from(!self.means.links)..];
        let mut deck = vec![Harm::Kill, Harm::Kill, Harm::Stop, Harm::Pause, Harm::Pause];
        deck.extend(knives.iter().map(|knife| Harm::Isolate(*knife, Sides::Both)));
        deck.extend([Sides::Deaf, Sides::Mute].map(|it| Harm::Isolate(Knife::Silence, it)));
        if self.means.disks {
            deck.extend([Harm::Fill, Harm::Fill]);
        }
        if self.means.clocks {
            let off = [-60_000, -3_500, 1_000, 3_500, 60_000];
            deck.push(Harm::Clock(off[self.below(off.len())]));
            deck.push(Harm::Clock(off[self.below(off.len())]));
        }
        self.seeded.shuffle(&mut deck);
        deck
    }

    fn millis(&mut self, (least, most): (u64, u64)) -> Duration {
        self.seeded.millis(least, most)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("lists here are short");
        usize::try_from(self.seeded.number() % bound).expect("below a length")
    }

    const fn one_in(&mut self, count: u64) -> bool {
        self.seeded.number().is_multiple_of(count)
    }
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill => f.write_str("killed"),
            Self::Stop => f.write_str("stopped"),
            Self::Pause => f.write_str("standing still"),
            Self::Isolate(_, Sides::Deaf) => f.write_str("deaf"),
            Self::Isolate(_, Sides::Mute) => f.write_str("mute"),
            Self::Isolate(Knife::Link, _) => f.write_str("cut off (link down)"),
            Self::Isolate(Knife::Silence, _) => f.write_str("cut off (silence)"),
            Self::Isolate(Knife::Refusal, _) => f.write_str("cut off (refusal)"),
            Self::Fill => f.write_str("disk full"),
            Self::Clock(off) => write!(f, "clock off by {off} ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEANS: Means = Means { validators: 7, links: true, disks: true, clocks: true };

    #[test]
    fn the_same_seed_makes_the_same_plan() {
        let draw = |seed| {
            let mut plan = Plan::new(MEANS, seed);
            (0..50).map(|_| plan.next()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn a_phase_says_when_it_strikes_more_than_f_and_all_kinds_come() {
        let mut plan = Plan::new(MEANS, 1);
        let phases: Vec<Phase> = (0..200).map(|_| plan.next()).collect();
        for phase in &phases {
            let voting = |who: &Who| *who != Who::Node(MEANS.validators);
            let struck = phase.harms.iter().filter(|(who, _)| voting(who)).count();
            let slow = phase.weather.is_some_and(|it| it.delay_ms >= 400);
            let much = struck > MEANS.faulty() || phase.split.is_some() || slow;
            assert_eq!(phase.beyond, much, "{phase:?}");
        }
        let kinds: std::collections::BTreeSet<String> =
            phases.iter().flat_map(|it| &it.harms).map(|(_, harm)| harm.to_string()).collect();
        assert!(kinds.len() >= 12, "{kinds:?}");
        assert!(phases.iter().any(|it| it.split.is_some()));
    }

    #[test]
    fn what_the_ground_does_not_permit_is_left_out() {
        let means = Means { links: false, disks: false, clocks: false, ..MEANS };
        let mut plan = Plan::new(means, 1);
        for (_, harm) in (0..200).flat_map(|_| plan.next().harms) {
            let out = matches!(harm, Harm::Fill | Harm::Clock(_) | Harm::Isolate(Knife::Link, _));
            assert!(!out, "{harm}");
        }
    }
}
