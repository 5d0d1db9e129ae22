//! Noticing that the own clock is off: what a quorum sealed in time, this node had refused for its time.

use super::Chain;
use probata_types::{Header, Height, Now, Proposal, Timestamp};

/// What is known of the own clock. Only blocks of the moment tell: those that are fetched late are old for
/// everybody.
#[derive(Debug, Default)]
pub(super) struct OwnClock {
    /// The first proposal of a height that came out of time: its height, its time, and the own clock's
    /// milliseconds beyond it.
    refused: Option<(Height, Timestamp, i64)>,
    off: Option<i64>,
}

impl Chain {
    /// How far the own clock is ahead of a quorum's (behind, if negative), in milliseconds; `None` if it is
    /// within what genesis allows. A node whose peers' messages come late cannot tell that from a clock that
    /// is ahead.
    pub(super) const fn clock_off_ms(&self) -> Option<i64> {
        self.clock.off
    }

    /// Remembers a proposal for the next height that this clock holds against it (rule P5).
    pub(super) fn note_time(&mut self, now: Now, proposal: &Proposal) {
        let again = self.clock.refused.is_some_and(|(height, ..)| height == proposal.height);
        if !again && !self.is_in_time(now, proposal.time) {
            let off = beyond(now.wall, proposal.time);
            self.clock.refused = Some((proposal.height, proposal.time, off));
        }
    }

    /// A block is sealed: either this node voted in time, or a quorum took what it had refused.
    pub(super) fn compare_clock(&mut self, now: Now, header: &Header, voted: bool) {
        let refused = self.clock.refused.take_if(|(height, ..)| *height <= header.height);
        let sealed = (header.height, header.time);
        let off = refused.filter(|(height, time, _)| (*height, *time) == sealed);
        if let Some((.., off)) = off {
            self.clock_is_off(off);
        } else if voted && self.is_in_time(now, header.time) {
            self.clock_is_right();
        }
    }

    fn clock_is_off(&mut self, off: i64) {
        if self.clock.off.replace(off).is_none() {
            tracing::warn!(
                clock_off_ms = off,
                "the clock of this node is off (or, if ahead, its links are slow): a quorum sealed what it \
                 refused for its time; it follows and does not vote"
            );
        }
    }

    fn clock_is_right(&mut self) {
        if let Some(off) = self.clock.off.take() {
            tracing::info!(was_off_ms = off, "the clock of this node is right again");
        }
    }

    fn is_in_time(&self, now: Now, time: Timestamp) -> bool {
        let parameters = self.genesis.parameters();
        let allowed = parameters.precision.saturating_add(parameters.message_delay.get()).get();
        beyond(now.wall, time).unsigned_abs() <= allowed
    }
}

/// The milliseconds from the second to the first.
fn beyond(one: Timestamp, other: Timestamp) -> i64 {
    let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    signed(one.since(other)) - signed(other.since(one))
}
