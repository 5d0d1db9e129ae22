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
    /// The highest view of that height that it asked for.
    asked: View,
    /// Where it last voted Commit.
    committed: Option<(Height, View)>,
}

impl Floor {
    /// P11: whoever voted Commit has a certificate of that view, and shows it or a higher one of the same
    /// height when it leaves. That later views cannot contradict a seal rests on it (S2).
    fn shows_what_it_has(&self, message: &Message) -> Result<(), Trouble> {
        let MessageBody::ViewChange { height, prepared, .. } = &message.body else { return Ok(()) };
        let Some((_, has)) = self.committed.filter(|(at, _)| at == height) else { return Ok(()) };
        let shown = prepared.as_ref().map(|it| it.view);
        ensure(shown >= Some(has), || {
            let from = message.from;
            let shown =
                shown.map_or("nothing".to_owned(), |view| format!("what is of view {view}"));
            format!(
                "validator {from} committed at height {height} in view {has}, and shows {shown}"
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
        if height > floor.height {
            // P10: a wish ends with its height.
            floor.asked = View::ZERO;
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
mod tests;
