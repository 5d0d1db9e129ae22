//! Which states are the same for all that can follow: only one of each kind is looked at.
//!
//! Two reductions, both exact. **Names:** validators that lead no view are alike, and so are A and B. **The
//! past:** who voted in a view that every correct validator has left is of no use to anybody; what counts is
//! which certificates and seals there are, and what each can show of its own. Both rest on heights and views that
//! do not fall, and that is checked at every step ([`Flaws::fell`](super::state::Flaws)). The tests compare every state
//! of smaller bounds with its representative. A protocol that was broken on purpose keeps its past.

use super::{
    CORRECT, Protocol,
    board::Board,
    state::{Opening, Place, Replica, State},
    votes::{At, Kind},
};
use std::cmp::Ordering;

/// How a state was renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renaming {
    /// For each place, the place at which the validator stood before.
    pub order: [usize; CORRECT],
    /// Whether A and B of the last height are in each other's place.
    pub swapped: bool,
}

impl Protocol {
    /// The state that stands for this one, and by which renaming.
    pub fn representative(&self, state: &State) -> (State, Renaming) {
        let mut state = *state;
        if self.forgets && self.mutation.is_none() {
            self.forget(&mut state);
        }
        let (plain, order) = self.sorted(state);
        let (turned, other) = self.sorted(self.swapped(state));
        if turned < plain {
            (turned, Renaming { order: other, swapped: true })
        } else {
            (plain, Renaming { order, swapped: false })
        }
    }

    /// Validators that lead no view, in order. Those that lead stand before them.
    fn sorted(&self, mut state: State) -> (State, [usize; CORRECT]) {
        let mut order = [0, 1, 2];
        let first = (0..self.bounds.views).filter(|view| self.leader(*view).is_some()).count();
        for end in (first..CORRECT).rev() {
            for at in first..end {
                if state.replicas[at] > state.replicas[at + 1] {
                    state.replicas.swap(at, at + 1);
                    order.swap(at, at + 1);
                }
            }
        }
        (state, order)
    }

    fn swapped(&self, mut state: State) -> State {
        let height = self.bounds.heights - 1;
        for replica in &mut state.replicas {
            replica.votes = replica.votes.swapped(height);
            replica.wishes = replica.wishes.swapped(height);
        }
        for opening in &mut state.opened[height as usize] {
            if let Opening::Demands(value) = opening {
                *value = 1 - *value;
            }
        }
        state.past.quorums = state.past.quorums.swapped(height);
        state
    }

    /// Keeps of views that are over what can still matter.
    fn forget(&self, state: &mut State) {
        let whole = *state;
        let board = Board::new(self, &whole);
        for replica in &mut state.replicas {
            self.remember_least(replica);
        }
        for at in self.bounds.everywhere() {
            if whole.replicas.iter().all(|replica| votes_no_more(replica, at)) {
                state.past.quorums.set(Kind::Prepare, at, board.certificates(at));
                state.past.quorums.set(Kind::Commit, at, board.seals(at));
                for replica in &mut state.replicas {
                    forget_votes(replica, at);
                }
            }
            if at.view > 0 && whole.replicas.iter().all(|replica| enters_no_more(replica, at)) {
                if board.may_open(at) {
                    state.past.opened.say(at, None);
                }
                *state.opening(at) = Opening::Unopened;
                for replica in &mut state.replicas {
                    replica.wishes.clear(at);
                }
            }
        }
    }

    /// Of heights now sealed, and of the views that it voted in or entered below the present one, what counts is
    /// where it may come back at the least.
    fn remember_least(&self, replica: &mut Replica) {
        replica.floor = replica.least_at(replica.height);
        for height in 0..usize::from(replica.height) {
            (replica.sealed[height], replica.entered[height]) = (0, 0);
        }
        let voted_in = replica.votes.highest_view(replica.height).unwrap_or_default();
        let present = replica.place.view();
        let entered = replica.entered_here();
        let below = [voted_in, *entered].into_iter().filter(|view| *view < present).max();
        if *entered < present {
            *entered = 0;
        }
        if let (Some(view), false) = (below, self.is_last(replica.height)) {
            replica.floor = replica.floor.max(view);
        }
    }
}

/// Its votes are counted already; of its certificates it shows the highest of its height only.
fn forget_votes(replica: &mut Replica, at: At) {
    let highest = replica.highest_prepared(super::VIEWS);
    let shown = at.height == replica.height && highest.is_some_and(|(view, _)| view == at.view);
    let prepared = if shown { replica.votes.values(Kind::Prepared, at) } else { 0 };
    replica.votes.set(Kind::Prepare, at, 0);
    replica.votes.set(Kind::Prepared, at, prepared);
    replica.votes.set(Kind::Commit, at, 0);
}

/// Heights never fall; views do not, but what is asked for may, at the next height.
fn votes_no_more(replica: &Replica, at: At) -> bool {
    match replica.height.cmp(&at.height) {
        Ordering::Less => replica.least_at(replica.height + 1) > at.view,
        Ordering::Equal => replica.place.view() > at.view,
        Ordering::Greater => true,
    }
}

/// It is above that view of that height, or in it and would be so after a restart.
fn enters_no_more(replica: &Replica, at: At) -> bool {
    if replica.height != at.height {
        return votes_no_more(replica, at);
    }
    match replica.place {
        Place::In(view) if view == at.view => {
            replica.entered[replica.height as usize] < view || replica.voted_in(view)
        }
        Place::In(view) | Place::For(view) => view > at.view,
    }
}
