//! What correct validators may never do, seen from outside, crashes included.

use crate::trouble::{Trouble, ensure};
use probata_consensus::{Message, MessageBody};
use probata_types::{Domain, Hash, Header, Height, Proposal, ValidatorIndex, View};
use std::collections::BTreeMap;

/// What correct validators have said since the beginning.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    said: BTreeMap<(ValidatorIndex, Height, View, Kind), Hash>,
    commits: BTreeMap<ValidatorIndex, Header>,
    floors: BTreeMap<usize, Floor>,
    /// The first height of the newest epoch, and the highest view there that a correct validator was in or
    /// asked for.
    highest: (Height, View),
}

/// The kinds of message of which a correct validator says one in a view of a height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    PrePrepare,
    Prepare,
    Commit,
    ViewChange,
    NewView,
}

/// What a validator may not fall below (S0 of the protocol).
#[derive(Debug, Default, Clone, Copy)]
struct Floor {
    /// The highest height that it spoke of.
    height: Height,
    /// The highest view that it voted in.
    voted: View,
    /// The highest view that it asked for.
    asked: View,
    /// Where it last voted Commit.
    committed: Option<(Height, View)>,
}

impl Floor {
    /// P11: whoever voted Commit has a certificate of that view, and shows it or a higher one of the same
    /// height when it leaves. That later views cannot contradict a seal rests on it (S5).
    fn shows_what_it_has(&self, message: &Message) -> Result<(), Trouble> {
        let MessageBody::ViewChange { height, prepared, .. } = &message.body else { return Ok(()) };
        let has = self.committed.filter(|(at, _)| at == height).map(|(_, view)| view);
        let shown = prepared.as_ref().map(|it| it.view);
        ensure(has.is_none() || shown >= has, || {
            format!(
                "validator {} committed at height {height} in view {has:?} and shows {shown:?}",
                message.from
            )
        })
    }
}

impl Watch {
    /// Takes note of what a node sends, by its seat in the epoch that begins at `first`, to which the
    /// message belongs. What it hands on of others (a NewView) is not its own.
    ///
    /// # Errors
    /// [`Trouble`] if the sender contradicts what it said before: it says two things of one kind in a
    /// view, the heights and views that it speaks of fall, it hides what it has prepared, or it asks for a
    /// view that is far from every correct one.
    pub(crate) fn heard(
        &mut self,
        sender: usize,
        seat: Option<ValidatorIndex>,
        first: Height,
        message: &Message,
    ) -> Result<(), Trouble> {
        let Some((kind, content)) = content(message) else { return Ok(()) };
        if Some(message.from) != seat {
            return Ok(());
        }
        if let MessageBody::Commit { header, .. } = &message.body {
            self.commits.insert(message.from, header.clone());
        }
        let (from, height, view) = (message.from, message.height(), message.view());
        let place = (from, height, view, kind);
        let again = self.said.contains_key(&place);
        let before = *self.said.entry(place).or_insert(content);
        ensure(before == content, || {
            format!("validator {from} says two things: {kind:?} of height {height} in view {view}")
        })?;
        // What a view was opened with may be shown later, too: it is no vote.
        if again && kind == Kind::NewView {
            return Ok(());
        }
        let floor = self.floors.entry(sender).or_default();
        if floor.height < first && height >= first {
            // P24: views begin again with the epoch.
            *floor = Floor::default();
        }
        let least = floor.asked.max(floor.voted);
        let rises = kind != Kind::ViewChange || view > floor.voted;
        ensure(height >= floor.height && view >= least && rises, || {
            format!(
                "validator {from} goes back: {kind:?} of height {height} in view {view} after \
                 height {}, votes in view {} and a wish for view {}",
                floor.height, floor.voted, floor.asked
            )
        })?;
        floor.height = height;
        if kind == Kind::ViewChange {
            floor.asked = view;
        } else {
            floor.voted = view;
        }
        if kind == Kind::Commit {
            floor.committed = Some((height, view));
        }
        floor.shows_what_it_has(message)?;
        self.near_the_others(first, message)
    }

    /// P12, P15: whoever leaves a view asks for the next one, or for one that a correct validator asked for:
    /// so no liar drags them away.
    fn near_the_others(&mut self, first: Height, message: &Message) -> Result<(), Trouble> {
        if self.highest.0 < first {
            self.highest = (first, View::ZERO);
        }
        let (from, view, (epoch, highest)) = (message.from, message.view(), self.highest);
        ensure(epoch > first || view <= highest.next(), || {
            format!("validator {from} is dragged to view {view}: no correct one is above {highest}")
        })?;
        if epoch == first {
            self.highest.1 = highest.max(view);
        }
        Ok(())
    }

    /// Whether a validator said anything of its own at some height from `first` on.
    pub(crate) fn spoke(&self, validator: ValidatorIndex, first: Height) -> bool {
        let least = (validator, first, View::ZERO, Kind::PrePrepare);
        self.said.range(least..).next().is_some_and(|((from, ..), _)| *from == validator)
    }

    pub(crate) fn voted(&self, validator: ValidatorIndex, height: Height) -> bool {
        let mut votes = self.said.keys();
        votes.any(|(from, at, _, kind)| (*from, *at, *kind) == (validator, height, Kind::Prepare))
    }

    pub(crate) fn committed(&self, validator: ValidatorIndex) -> Option<&Header> {
        self.commits.get(&validator)
    }
}

/// What a message says, where a correct validator says it once; `None` for a shown seal.
pub(crate) fn content(message: &Message) -> Option<(Kind, Hash)> {
    Some(match &message.body {
        MessageBody::PrePrepare { proposal, .. } => (Kind::PrePrepare, proposal.digest()),
        MessageBody::Prepare { digest, .. } => (Kind::Prepare, *digest),
        MessageBody::Commit { header, .. } => (Kind::Commit, header.hash()),
        MessageBody::ViewChange { prepared, .. } => {
            let what = prepared.as_ref().map(|it| (it.view, it.digest));
            (Kind::ViewChange, crate::consortium::SUITE.hash_value(Domain::ViewChange, &what))
        }
        MessageBody::NewView { view_changes, proposal, .. } => {
            let what = (view_changes, proposal.as_ref().map(Proposal::digest));
            (Kind::NewView, crate::consortium::SUITE.hash_value(Domain::NewView, &what))
        }
        MessageBody::Head { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use probata_consensus::PreparedCertificate;
    use probata_types::{List, Signature};

    fn message(from: u16, body: MessageBody) -> Message {
        Message { from: ValidatorIndex(from), signature: Signature([0; 64]), body }
    }

    fn prepare(height: u64, view: u64, content: u8) -> Message {
        let (height, view) = (Height::new(height), View::new(view));
        message(1, MessageBody::Prepare { height, view, digest: Hash([content; 32]) })
    }

    fn wish(height: u64, view: u64) -> Message {
        let (height, view) = (Height::new(height), View::new(view));
        message(1, MessageBody::ViewChange { height, view, prepared: None, proposal: None })
    }

    fn opens(height: u64, view: u64) -> Message {
        let (height, view) = (Height::new(height), View::new(view));
        let view_changes = List::empty();
        message(1, MessageBody::NewView { height, view, view_changes, proposal: None })
    }

    /// What node 1, in place 1 of the epoch that begins at `first`, sends.
    fn hear(watch: &mut Watch, first: u64, message: &Message) -> Result<(), Trouble> {
        watch.heard(1, Some(ValidatorIndex(1)), Height::new(first), message)
    }

    /// The others have been in many views of the first epoch.
    fn among_others() -> Watch {
        Watch { highest: (Height::new(1), View::new(9)), ..Watch::default() }
    }

    /// Whether all but the last of some messages are right, and the last is not.
    fn caught(messages: &[Message]) -> bool {
        let mut watch = among_others();
        let (last, before) = messages.split_last().unwrap();
        before.iter().for_each(|message| hear(&mut watch, 1, message).unwrap());
        hear(&mut watch, 1, last).is_err()
    }

    #[test]
    fn two_votes_of_a_kind_in_a_view_are_caught() {
        assert!(caught(&[prepare(1, 0, 1), prepare(1, 0, 2)]));
        assert!(!caught(&[prepare(1, 0, 1), prepare(1, 0, 1)]));
        assert!(!caught(&[prepare(1, 0, 1), prepare(1, 1, 2)]));
        assert!(!caught(&[prepare(1, 0, 1), prepare(2, 0, 2)]));
    }

    #[test]
    fn heights_and_views_that_fall_are_caught() {
        assert!(caught(&[prepare(2, 0, 1), prepare(1, 0, 1)]));
        assert!(caught(&[prepare(1, 2, 1), prepare(1, 1, 1)]));
        assert!(caught(&[wish(1, 2), prepare(1, 1, 1)]));
        assert!(caught(&[wish(1, 2), prepare(2, 1, 1)]), "not at another height either");
        assert!(caught(&[wish(2, 2), wish(1, 2)]));
        assert!(caught(&[wish(1, 3), wish(1, 2)]));
        assert!(caught(&[prepare(1, 2, 1), wish(1, 2)]), "a wish is for more");
        assert!(!caught(&[wish(1, 2), wish(2, 2), prepare(2, 2, 1), wish(2, 3)]));
    }

    #[test]
    fn p11_what_was_committed_and_is_not_shown_is_caught() {
        let committed = Some((Height::new(1), View::new(1)));
        let floor = Floor { committed, ..Floor::default() };
        let shows = |view| {
            let mut wish = wish(1, 3);
            let MessageBody::ViewChange { prepared, .. } = &mut wish.body else { unreachable!() };
            let (view, votes) = (View::new(view), List::empty());
            *prepared = Some(PreparedCertificate { view, digest: Hash::ZERO, votes });
            wish
        };
        assert!(floor.shows_what_it_has(&wish(1, 3)).is_err());
        assert!(floor.shows_what_it_has(&shows(0)).is_err());
        assert!(floor.shows_what_it_has(&shows(1)).is_ok());
        assert!(floor.shows_what_it_has(&shows(2)).is_ok());
        assert!(floor.shows_what_it_has(&wish(2, 3)).is_ok(), "of another height");
    }

    #[test]
    fn p12_who_is_dragged_away_by_liars_is_caught() {
        let mut watch = Watch::default();
        hear(&mut watch, 1, &wish(1, 1)).unwrap();
        hear(&mut watch, 1, &wish(1, 2)).unwrap();
        assert!(hear(&mut watch, 1, &wish(1, 4)).is_err());
        hear(&mut watch, 5, &prepare(5, 0, 1)).unwrap();
        assert!(hear(&mut watch, 5, &wish(5, 2)).is_err(), "views begin again with an epoch");
    }

    #[test]
    fn a_view_that_is_shown_again_is_no_vote_but_one_opened_late_is() {
        assert!(!caught(&[opens(1, 1), wish(1, 2), opens(1, 1)]));
        assert!(caught(&[wish(1, 2), opens(1, 1)]));
    }

    #[test]
    fn what_is_handed_on_is_not_held_against_whoever_does() {
        let mut watch = among_others();
        hear(&mut watch, 1, &wish(1, 5)).unwrap();
        let of_another = Message { from: ValidatorIndex(2), ..opens(1, 1) };
        hear(&mut watch, 1, &of_another).unwrap();
    }

    #[test]
    fn p24_views_begin_again_with_an_epoch_and_heights_do_not() {
        let mut watch = among_others();
        hear(&mut watch, 1, &prepare(4, 7, 1)).unwrap();
        hear(&mut watch, 5, &prepare(5, 0, 1)).unwrap();
        assert!(hear(&mut watch, 1, &prepare(4, 8, 1)).is_err(), "its epoch is over");
        assert!(hear(&mut watch, 5, &prepare(5, 0, 2)).is_err());
    }
}
