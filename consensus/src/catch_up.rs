//! Being ahead or behind: messages for later, missing blocks, laggards.

use crate::{Message, MessageBody, Output, Reason, Replica, VoteKind, limits};
use probata_types::{Header, Height, Millis, Now, Seal, ValidatorIndex, View, mutated};
use std::collections::{BTreeMap, BTreeSet};

/// What others said of heights and views to come, and what was said to them about the past.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    /// The newest message of each kind of each validator, for a height or view to come.
    kept: BTreeMap<(ValidatorIndex, Kind), Message>,
    /// The highest height that each validator spoke of.
    claims: BTreeMap<ValidatorIndex, Height>,
    /// When each laggard was last helped.
    helped: BTreeMap<ValidatorIndex, Millis>,
    /// Contradictions reported at this height, in this view.
    reported: BTreeSet<(Height, View, VoteKind, ValidatorIndex)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Proposal,
    Prepare,
    Commit,
}

impl Kind {
    const fn of(message: &Message) -> Self {
        match message.body {
            MessageBody::Prepare { .. } => Self::Prepare,
            MessageBody::Commit { .. } => Self::Commit,
            _ => Self::Proposal,
        }
    }
}

impl Ahead {
    /// Whether the contradiction was not reported before. Earlier heights and views are forgotten.
    pub(crate) fn report_once(&mut self, what: (Height, View, VoteKind, ValidatorIndex)) -> bool {
        self.reported.retain(|(height, view, ..)| (*height, *view) == (what.0, what.1));
        self.reported.insert(what)
    }

    /// Whether anybody spoke of a height above the one being decided.
    pub(crate) fn is_behind(&self, height: Height) -> bool {
        self.claims.values().any(|claim| *claim > height)
    }

    /// The height that f+1 validators are at or above, and one of them.
    fn reached_by(&self, more_than: usize, above: Height) -> Option<(Height, ValidatorIndex)> {
        let mut claims: Vec<(Height, ValidatorIndex)> = self
            .claims
            .iter()
            .filter(|(_, height)| **height > above)
            .map(|(validator, height)| (*height, *validator))
            .collect();
        claims.sort_by_key(|(height, _)| std::cmp::Reverse(*height));
        claims.get(more_than).copied()
    }
}

impl Replica {
    /// P17: a message for the next height, or for a view that this replica is not in yet, waits for its time.
    pub(crate) fn keep(&mut self, message: Message) -> Result<(), Reason> {
        let (height, view) = (message.height(), message.view());
        if height.since(self.height()) > limits::HEIGHTS_AHEAD {
            return Err(Reason::TooFarAhead);
        }
        let kind = Kind::of(&message);
        if kind == Kind::Proposal && message.from != self.leader_of(height, view) {
            return Err(Reason::NotTheLeader);
        }
        let key = (message.from, kind);
        let nearer_stays = self.ahead.kept.get(&key).is_some_and(|old| {
            let place = (old.height(), old.view());
            place >= (height, view) && place.0 >= self.height()
        });
        if nearer_stays {
            return Err(Reason::Duplicate);
        }
        self.ahead.kept.insert(key, message);
        self.drop_farthest_proposals();
        Err(Reason::KeptForLater)
    }

    fn drop_farthest_proposals(&mut self) {
        let mut proposals: Vec<(Height, View, ValidatorIndex)> = self
            .ahead
            .kept
            .iter()
            .filter(|((_, kind), _)| *kind == Kind::Proposal)
            .map(|((from, _), message)| (message.height(), message.view(), *from))
            .collect();
        proposals.sort_unstable();
        for (.., from) in proposals.into_iter().skip(limits::PROPOSALS_AHEAD) {
            self.ahead.kept.remove(&(from, Kind::Proposal));
        }
    }

    /// P17: messages whose height and view have come are taken now; those of the past are dropped.
    pub(crate) fn replay_kept(&mut self, now: Now) {
        let (height, view) = (self.height(), self.view);
        let past = |message: &Message| {
            message.height() < height || (message.height() == height && message.view() < view)
        };
        self.ahead.kept.retain(|_, message| !past(message));
        let due = |message: &Message| {
            let opens = matches!(message.body, MessageBody::NewView { .. });
            message.height() == height && (message.view() == view || opens)
        };
        // A proposal first, so that votes find what they are for.
        let mut keys: Vec<(ValidatorIndex, Kind)> =
            self.ahead.kept.iter().filter(|(_, it)| due(it)).map(|(key, _)| *key).collect();
        keys.sort_by_key(|(from, kind)| (*kind, *from));
        for key in keys {
            let Some(message) = self.ahead.kept.remove(&key) else { continue };
            // What it brings about may have ended the height; then it is looked at like any other.
            if let Err(reason) = self.on_message(now, message) {
                self.outputs.push(Output::Ignored(reason));
            }
        }
    }

    /// P18: somebody speaks of a height above the one being decided. Messages overtake each other, so blocks
    /// are asked for only if more than f do and it stays so, or if the distance is larger than one.
    pub(crate) fn note_claim(&mut self, now: Now, from: ValidatorIndex, height: Height) {
        let claim = self.ahead.claims.entry(from).or_default();
        *claim = (*claim).max(height);
        self.fetch_if_behind(now);
    }

    fn fetch_if_behind(&mut self, now: Now) {
        let faulty = self.settings.set.faulty();
        let Some((reached, from)) = self.ahead.reached_by(faulty, self.height()) else { return };
        let patient =
            now.monotonic.since(self.timers.sealed_at()) >= self.settings.retransmit.get();
        if patient || reached.since(self.height()) > limits::HEIGHTS_AHEAD {
            self.fetch(now, reached.previous().unwrap_or_default(), from);
        }
    }

    /// P18: one validator shows a seal: that is enough.
    pub(crate) fn on_head(
        &mut self,
        now: Now,
        from: ValidatorIndex,
        height: Height,
    ) -> Result<(), Reason> {
        if height <= self.head.height {
            return Err(Reason::Old);
        }
        self.fetch(now, height, from);
        Ok(())
    }

    /// P18: asks for blocks, at most once in a retransmission interval.
    pub(crate) fn fetch(&mut self, now: Now, to: Height, from: ValidatorIndex) {
        if self.timers.may_fetch(now.monotonic, self.settings.retransmit) {
            self.outputs.push(Output::Fetch { to, from });
        }
    }

    /// P19: whoever still speaks of a sealed height is shown the newest seal. Late votes for the height
    /// just sealed are usual and mean nothing.
    pub(crate) fn help_laggard(&mut self, now: Now, message: &Message) {
        let pause = self.settings.retransmit.get();
        let just_sealed = message.height() == self.head.height
            && now.monotonic.since(self.timers.sealed_at()) < pause;
        let Some((header, seal)) = self.last_seal.clone() else { return };
        if !just_sealed && self.may_help(now, message.from) {
            let head = self.signed(MessageBody::Head { header, seal });
            self.outputs.push(Output::Send(message.from, head));
        }
    }

    /// P19: whether a peer may be helped again: once in a retransmission interval, so that nobody can make
    /// this replica send without end. Notes that it is.
    pub(crate) fn may_help(&mut self, now: Now, peer: ValidatorIndex) -> bool {
        let pause = self.settings.retransmit.get();
        let helped = self.ahead.helped.get(&peer);
        if helped.is_some_and(|at| now.monotonic.since(*at) < pause) {
            return false;
        }
        self.ahead.helped.insert(peer, now.monotonic);
        true
    }

    /// P10: a block that peers handed over was committed by the driver. P19: after a restart it is the
    /// head's own, to be shown to laggards.
    pub(crate) fn on_sealed(&mut self, now: Now, header: Header, seal: Seal) -> Result<(), Reason> {
        if self.last_seal.is_none() && header.hash() == self.head.hash {
            self.last_seal = Some((header, seal));
            return Ok(());
        }
        if header.height <= self.head.height {
            return Err(Reason::Old);
        }
        self.advance(now, header, seal);
        let height = self.height();
        self.ahead.claims.retain(|_, claim| *claim > height);
        Ok(())
    }

    /// P16: says again what this replica has to say at this height, and asks again for what it lacks.
    pub(crate) fn repeat(&mut self, now: Now) {
        self.timers.said(now.monotonic);
        for message in self.round.sent.clone() {
            if mutated!(NeverRepeats) {
                break;
            }
            self.outputs.push(Output::Broadcast(message));
        }
        self.fetch_if_behind(now);
        if self.round.lacks_block {
            let asked_again = self.decide_if_sealed(now);
            assert!(asked_again.is_ok(), "to look at votes again refuses nothing");
        }
    }
}
