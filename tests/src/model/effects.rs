//! What becomes of a validator by each rule.

use super::{
    Mutation, Protocol,
    rules::{Move, Rule},
    state::{Opening, Place, Replica, State},
    votes::{At, Kind, Value},
};
use std::cmp::Ordering;

impl Protocol {
    /// Takes the step. `None` if the validator says nothing more within the bounds.
    pub(super) fn after(&self, state: &State, Move { who, rule }: Move) -> Option<State> {
        let mut next = *state;
        let mut replica = next.replicas[who];
        let view = match replica.place {
            Place::In(view) => view,
            // Nothing is voted for while leaving, unless P11 is broken.
            Place::For(view) => view - 1,
        };
        let at = replica.at(view);
        match rule {
            Rule::Propose(value) | Rule::Accept(value) => {
                self.give(&mut next, &mut replica, Kind::Prepare, at, value);
            }
            Rule::Prepared(value) => replica.votes.give(Kind::Prepared, at, value),
            Rule::Commit(value) => self.give(&mut next, &mut replica, Kind::Commit, at, value),
            Rule::Seal(view) => self.advance(&mut next, &mut replica, view, who)?,
            Rule::Leave => self.ask(&mut next, &mut replica, view + 1),
            Rule::Join(view) => self.ask(&mut next, &mut replica, view),
            Rule::LeaveAgain => {
                let view = replica.place.view() + 1;
                self.ask(&mut next, &mut replica, view);
            }
            Rule::Open(demand) => {
                let at = replica.at(replica.place.view());
                next.flaws.reopened |= *next.opening(at) != Opening::Unopened;
                *next.opening(at) = demand.map_or(Opening::Free, Opening::Demands);
                self.enter(&mut next, &mut replica, at.view, demand);
            }
            Rule::Enter(view, demand) => self.enter(&mut next, &mut replica, view, demand),
            Rule::EnterAndCrash(view) => {
                self.enter(&mut next, &mut replica, view, None);
                self.restart(&mut next, &mut replica, who)?;
            }
            Rule::Restart => self.restart(&mut next, &mut replica, who)?,
            Rule::LoseBlock => {
                next.lost = true;
                replica.height -= 1;
                replica.sealed[replica.height as usize] = 0;
                self.restart(&mut next, &mut replica, who)?;
            }
        }
        // S0: the view itself never falls, nor what is asked for while the height is open.
        let before = state.replicas[who];
        let least = match replica.height.cmp(&before.height) {
            Ordering::Less => 0,
            Ordering::Equal => before.place.view(),
            Ordering::Greater => before.least_at(replica.height),
        };
        next.flaws.fell |= replica.place.view() < least;
        next.replicas[who] = replica;
        Some(next)
    }

    /// P11: from here on no vote of this height below this view.
    fn ask(&self, state: &mut State, replica: &mut Replica, view: u8) {
        replica.place = Place::For(view);
        let at = replica.at(view);
        state.flaws.fell |= self.falls(replica, at);
        let shown = replica.highest_prepared(view);
        let hidden = self.breaks(Mutation::HideCertificate);
        replica.wishes.say(at, if hidden { None } else { shown });
    }

    /// P10: the view is the highest of the seal's, the own one, and those entered. A wish ends. P20: what was
    /// promised of the height that begins binds. `None` as of [`Self::restart`].
    fn advance(
        &self,
        state: &mut State,
        replica: &mut Replica,
        sealed_in: u8,
        who: usize,
    ) -> Option<()> {
        replica.sealed[replica.height as usize] = sealed_in;
        replica.height += 1;
        let here = self.loses_blocks && !self.breaks(Mutation::ForgetLater);
        if here {
            return self.take_up(state, replica, who);
        }
        let falls = self.breaks(Mutation::FallToSeal);
        let least = replica.least_at(replica.height);
        replica.place = Place::In(if falls { sealed_in } else { least });
        Some(())
    }

    /// P20: what the journal and the head give back. `None` if it then asks for a view beyond the bounds.
    fn restart(&self, state: &mut State, replica: &mut Replica, who: usize) -> Option<()> {
        if self.breaks(Mutation::ForgetCertificate) {
            for view in 0..self.bounds.views {
                replica.votes.set(Kind::Prepared, replica.at(view), 0);
            }
        }
        if self.breaks(Mutation::ForgetView) {
            *replica.entered_here() = 0;
            replica.place = Place::In(0);
            return Some(());
        }
        self.take_up(state, replica, who)
    }

    /// P20: how a height begins, or begins again, by what was promised of it.
    fn take_up(&self, state: &mut State, replica: &mut Replica, who: usize) -> Option<()> {
        // (i)
        let begun = replica.least_at(replica.height);
        let view = replica.votes.highest_view(replica.height).unwrap_or(begun);
        // (iii)
        let mut asked = replica.wishes.highest(replica.height);
        if self.breaks(Mutation::ForgetWish) {
            asked = 0;
        }
        // (ii)
        let entered = *replica.entered_here();
        if entered > view {
            let led = self.leader(entered) == Some(who);
            if self.breaks(Mutation::StayEntered) {
                replica.place = Place::In(entered);
                return Some(());
            }
            let again =
                if led && !self.breaks(Mutation::ReopenView) { entered + 1 } else { entered };
            asked = asked.max(again);
        }
        if begun > view {
            asked = asked.max(begun);
        }
        if asked >= self.bounds.views {
            return None;
        }
        if asked > view {
            self.ask(state, replica, asked);
        } else {
            replica.place = Place::In(view);
        }
        Some(())
    }

    fn give(&self, state: &mut State, replica: &mut Replica, kind: Kind, at: At, value: Value) {
        state.flaws.fell |= self.falls(replica, at);
        replica.votes.give(kind, at, value);
    }

    /// P14: it persists that it entered; a vote that was given stays.
    fn enter(&self, state: &mut State, replica: &mut Replica, view: u8, demand: Option<Value>) {
        replica.place = Place::In(view);
        *replica.entered_here() = view;
        let at = replica.at(view);
        if let (0, Some(value)) = (replica.votes.values(Kind::Prepare, at), demand) {
            self.give(state, replica, Kind::Prepare, at, value);
        }
    }

    /// S0: whether to say something of this height and view would be to fall below what was said before. Who
    /// may lose blocks can fall to lower heights, and to lower views with them.
    fn falls(&self, replica: &Replica, at: At) -> bool {
        let spoke = |height: u8| {
            let mut views = 1..super::VIEWS;
            replica.votes.any_of_height(height)
                || views.any(|view| replica.wishes.any(At { height, view }))
        };
        let voted_above =
            |height: u8| replica.votes.highest_view(height).is_some_and(|view| view > at.view);
        let elsewhere =
            (at.height + 1..super::HEIGHTS).any(spoke) || (0..at.height).any(voted_above);
        (elsewhere && !self.loses_blocks)
            || voted_above(at.height)
            || replica.wishes.highest(at.height) > at.view
    }
}
