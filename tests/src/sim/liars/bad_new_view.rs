//! The one that opens views badly: with too few view changes, with certificates dropped or changed, with
//! another proposal than the one demanded; and that shows in its own view changes less than it has.

use super::{Liar, Voice, other_proposal};
use probata_consensus::{Message, MessageBody, ViewChangeVote};
use probata_types::{Height, List, Proposal};

pub(super) struct BadNewView {
    voice: Voice,
}

impl BadNewView {
    pub(super) const fn new(voice: Voice) -> Self {
        Self { voice }
    }

    /// View changes and a proposal that do not belong together, or are another choice than its chain made.
    fn spoil(
        &mut self,
        height: Height,
        mut votes: Vec<ViewChangeVote>,
        proposal: Option<Proposal>,
    ) -> (Vec<ViewChangeVote>, Option<Proposal>) {
        match self.voice.random.place(6) {
            // Too few.
            0 => votes.truncate(usize::from(self.voice.quorum(height)) - 1),
            // The highest certificate is left out with its view change: right if a quorum is left.
            1 => {
                let highest = votes.iter().filter_map(|it| it.prepared.as_ref()).map(|it| it.view);
                let highest = highest.max();
                votes.retain(|it| it.prepared.as_ref().map(|it| it.view) != highest);
                let left = votes.iter().filter_map(|it| it.prepared.as_ref());
                let same = left.max_by_key(|it| it.view).is_some_and(|it| {
                    proposal.as_ref().is_some_and(|proposal| proposal.digest() == it.digest)
                });
                return (votes, proposal.filter(|_| same));
            }
            // A certificate is taken out of a view change that was signed with it.
            2 => votes.iter_mut().for_each(|vote| vote.prepared = None),
            // One view change stands twice.
            3 => votes.extend(votes.last().cloned()),
            // Another proposal than the one demanded, or one where none is.
            4 => return (votes, proposal.map(|it| other_proposal(&it))),
            _ => return (votes, None),
        }
        (votes, proposal)
    }
}

impl Liar for BadNewView {
    fn bend(&mut self, to: usize, message: &Message) -> Vec<Message> {
        if !self.voice.is_own(message) {
            return vec![message.clone()];
        }
        match message.body.clone() {
            MessageBody::NewView { height, view, view_changes, proposal } => {
                let honest = !self.voice.in_camp(to) && self.voice.random.chance(500);
                if honest {
                    return vec![message.clone()];
                }
                let (votes, proposal) = self.spoil(height, view_changes.into_vec(), proposal);
                let Ok(view_changes) = List::new(votes) else { return Vec::new() };
                let body = MessageBody::NewView { height, view, view_changes, proposal };
                vec![self.voice.sign(body)]
            }
            MessageBody::ViewChange { height, view, prepared, proposal } => {
                let (prepared, proposal) = match self.voice.random.place(3) {
                    0 => (None, None),
                    1 => (prepared, None),
                    _ => (prepared, proposal),
                };
                let body = MessageBody::ViewChange { height, view, prepared, proposal };
                vec![self.voice.sign(body)]
            }
            _ => vec![message.clone()],
        }
    }
}
