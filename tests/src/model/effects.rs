//! What becomes of a validator by each rule.

use super::{
    Mutation, Protocol,
    rules::{Move, Rule},
    state::{Opening, Place, Replica, State},
    votes::{At, Kind, Value},
};

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
                give(&mut next, &mut replica, Kind::Prepare, at, value);
            }
            Rule::Prepared(value) => replica.votes.give(Kind::Prepared, at, value),
            Rule::Commit(value) => give(&mut next, &mut replica, Kind::Commit, at, value),
            Rule::Seal(view) => {
                self.advance(&mut replica, view);
                if let Some(view) = self.kept_above(&replica) {
                    self.ask(&mut next, &mut replica, view);
                }
            }
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
                enter(&mut next, &mut replica, at.view, demand);
            }
            Rule::Enter(view, demand) => enter(&mut next, &mut replica, view, demand),
            Rule::EnterAndCrash(view) => {
                enter(&mut next, &mut replica, view, None);
                self.restart(&mut next, &mut replica, who)?;
            }
            Rule::Restart => self.restart(&mut next, &mut replica, who)?,
            Rule::LoseBlock(_, view, value) => {
                // What was kept for this height is looked at first: it may bind now.
                self.restart(&mut next, &mut replica, who)?;
                let height = replica.height + 1;
                replica.kept = Some((At { height, view }, value));
                self.restart(&mut next, &mut replica, who)?;
            }
        }
        // S0: the view itself never falls, nor what is asked for while the height is open.
        let before = state.replicas[who];
        let open = replica.height == before.height;
        let least = if open { before.place.view() } else { before.least_next() };
        next.flaws.fell |= replica.place.view() < least;
        next.replicas[who] = replica;
        Some(next)
    }

    /// P11: from here on no vote of this height below this view.
    fn ask(&self, state: &mut State, replica: &mut Replica, view: u8) {
        replica.place = Place::For(view);
        let at = replica.at(view);
        state.flaws.fell |= falls(replica, at);
        let shown = replica.highest_prepared(view);
        let hidden = self.breaks(Mutation::HideCertificate);
        replica.wishes.say(at, if hidden { None } else { shown });
    }

    /// P10: the view is the highest of the seal's, the own one, and those entered. A wish ends.
    pub(super) fn advance(&self, replica: &mut Replica, sealed_in: u8) {
        replica.floor = replica.least_next().max(sealed_in);
        replica.entered = 0;
        replica.height += 1;
        let falls = self.breaks(Mutation::FallToSeal);
        replica.place = Place::In(if falls { sealed_in } else { replica.floor });
        bind_kept(replica);
    }

    /// P20: the view of a vote that was kept for the height that begins, if it is above the own one: nothing
    /// may be voted for below it.
    fn kept_above(&self, replica: &Replica) -> Option<u8> {
        let (at, _) = replica.kept.filter(|_| !self.breaks(Mutation::KeptVoteLate))?;
        let above = at.height == replica.height && at.view > replica.place.view();
        above.then_some(at.view)
    }

    /// P20: what the journal and the head give back. `None` if it then asks for a view beyond the bounds.
    fn restart(&self, state: &mut State, replica: &mut Replica, who: usize) -> Option<()> {
        if self.breaks(Mutation::ForgetCertificate) {
            for view in 0..self.bounds.views {
                replica.votes.set(Kind::Prepared, replica.at(view), 0);
            }
        }
        // (i)
        let voted_in = replica.votes.highest_view(replica.height).unwrap_or_default();
        let mut view = replica.floor.max(voted_in);
        if self.breaks(Mutation::ForgetView) {
            (view, replica.entered) = (0, 0);
        }
        // (iii)
        let mut asked = replica.wishes.highest(replica.height);
        if self.breaks(Mutation::ForgetWish) {
            asked = 0;
        }
        if let Some((at, _)) = replica.kept.filter(|(at, _)| at.height == replica.height) {
            view = view.max(at.view);
        }
        // (ii)
        if replica.entered > view {
            let led = self.leader(replica.entered) == Some(who);
            if self.breaks(Mutation::StayEntered) {
                view = replica.entered;
            } else if led && !self.breaks(Mutation::ReopenView) {
                asked = asked.max(replica.entered + 1);
            } else {
                asked = asked.max(replica.entered);
            }
        }
        if asked >= self.bounds.views {
            return None;
        }
        if asked > view {
            self.ask(state, replica, asked);
        } else {
            replica.place = Place::In(view);
        }
        bind_kept(replica);
        Some(())
    }
}

fn give(state: &mut State, replica: &mut Replica, kind: Kind, at: At, value: Value) {
    state.flaws.fell |= falls(replica, at);
    replica.votes.give(kind, at, value);
}

/// P14: it persists that it entered; a vote that was given stays.
fn enter(state: &mut State, replica: &mut Replica, view: u8, demand: Option<Value>) {
    replica.place = Place::In(view);
    replica.entered = view;
    bind_kept(replica);
    let at = replica.at(view);
    if let (0, Some(value)) = (replica.votes.values(Kind::Prepare, at), demand) {
        give(state, replica, Kind::Prepare, at, value);
    }
}

/// P20: what was kept binds when its height and view come, and is nothing once they are past.
fn bind_kept(replica: &mut Replica) {
    let Some((at, value)) = replica.kept else { return };
    let here = replica.at(replica.place.view());
    if at == here && replica.place == Place::In(at.view) {
        replica.votes.give(Kind::Prepare, at, value);
        replica.kept = None;
    } else if at < here {
        replica.kept = None;
    }
}

/// S0: whether to say something of this height and view would be to fall below what was said before.
fn falls(replica: &Replica, at: At) -> bool {
    let heights = at.height + 1..super::HEIGHTS;
    let spoke_above = heights.clone().any(|height| {
        let mut views = 1..super::VIEWS;
        replica.votes.any_of_height(height)
            || views.any(|view| replica.wishes.any(At { height, view }))
    });
    let voted_above = (0..=at.height)
        .any(|height| replica.votes.highest_view(height).is_some_and(|view| view > at.view));
    spoke_above || voted_above || replica.wishes.highest(at.height) > at.view
}
