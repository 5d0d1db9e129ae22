//! The clocks of a machine, none of which is quite right.

use crate::{consortium, seed::Seeded};
use probata_types::{Millis, Now, Timestamp};

/// A million: rates are in parts of it.
const MILLION: u64 = 1_000_000;
/// The true wall-clock time at the beginning of every world.
pub(super) const BEGIN: Timestamp = consortium::BEGIN;

/// How the clocks of one machine go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Milliseconds of the monotonic clock in a million true ones.
    pub rate: u64,
    /// Milliseconds by which the wall clock is ahead (or behind, if negative).
    pub ahead: i64,
    /// Milliseconds that it gains in a million true ones.
    pub drift: i64,
    /// When the wall clock was last set.
    pub set_at: Millis,
    /// When the process started: there the monotonic clock is at zero.
    pub started: Millis,
}

impl Clock {
    /// Clocks that are right.
    pub const RIGHT: Self =
        Self { rate: MILLION, ahead: 0, drift: 0, set_at: Millis::ZERO, started: Millis::ZERO };

    /// Clocks that are as wrong as the protocol expects: within `precision` of any other.
    pub(super) fn drawn(random: &mut Seeded, precision: Millis) -> Self {
        let half = precision.get() / 2;
        Self {
            rate: random.between(MILLION - 20_000, MILLION + 20_000),
            ahead: signed(random.between(0, half)) - signed(half / 2),
            drift: signed(random.between(0, 2_000)) - 1_000,
            ..Self::RIGHT
        }
    }

    /// What they show.
    pub(super) fn now(&self, now: Millis) -> Now {
        let monotonic = now.since(self.started).saturating_mul(self.rate) / MILLION;
        let gained = signed(now.since(self.set_at)) * self.drift / signed(MILLION);
        let wall = BEGIN.saturating_add(1 + now.get()).get();
        let wall = wall.saturating_add_signed(self.ahead + gained);
        Now { monotonic: Millis::new(monotonic), wall: Timestamp::ZERO.saturating_add(wall) }
    }

    /// The first true time at which the monotonic clock shows `deadline` or more.
    pub(super) fn reaches(&self, deadline: Millis) -> Millis {
        let wait = deadline.get().saturating_mul(MILLION).div_ceil(self.rate);
        self.started.saturating_add(wait)
    }

    /// The wall clock is set anew, so much ahead of the truth.
    pub(super) const fn set(&mut self, now: Millis, ahead: i64) {
        (self.set_at, self.ahead) = (now, ahead);
    }
}

/// A length of time that may be negative.
pub(super) const fn signed(millis: u64) -> i64 {
    assert!(millis <= Millis::MAX.get(), "times here are far below");
    millis.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_reaches_its_deadline_at_the_first_moment() {
        let mut random = Seeded::new(3);
        for _ in 0..1_000 {
            let mut clock = Clock::drawn(&mut random, Millis::new(500));
            clock.started = Millis::new(random.between(0, 50_000));
            let deadline = Millis::new(random.between(1, 50_000));
            let at = clock.reaches(deadline);
            assert!(clock.now(at).monotonic >= deadline);
            assert!(clock.now(at.previous().unwrap()).monotonic < deadline);
        }
    }

    #[test]
    fn a_wall_clock_drifts_from_where_it_was_set() {
        let mut clock = Clock { ahead: -200, drift: 1_000, ..Clock::RIGHT };
        let ahead = |clock: &Clock, at: u64| {
            signed(clock.now(Millis::new(at)).wall.get()) - signed(BEGIN.get() + 1 + at)
        };
        assert_eq!((ahead(&clock, 0), ahead(&clock, 10_000)), (-200, -190));
        clock.set(Millis::new(10_000), 5_000);
        assert_eq!((ahead(&clock, 10_000), ahead(&clock, 20_000)), (5_000, 5_010));
    }
}
