//! model
pub mod board;
mod effects;
pub mod mutation;
pub mod properties;
pub mod rules;
pub mod same;
pub mod state;
pub mod votes;
pub use mutation::Mutation;
use state::State;
use rules::{Move, Options};
use votes::{Values, BOTH};

pub const CORRECT: usize = 3;
pub const HEIGHTS: u8 = 3;
pub const VIEWS: u8 = 4;
pub const VALUES: u8 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds { pub heights: u8, pub views: u8 }

#[derive(Debug, Clone, Copy)]
pub struct Protocol { pub bounds: Bounds, pub liar: Option<u8>, pub mutation: Option<Mutation>, pub forgets: bool }

impl Protocol {
    pub fn breaks(&self, mutation: Mutation) -> bool { self.mutation == Some(mutation) }
    pub fn quorum(&self) -> usize { if self.breaks(Mutation::SmallQuorum) { 2 } else { 3 } }
    pub fn leader(&self, view: u8) -> Option<usize> {
        let liar = self.liar?;
        match (view % 4).cmp(&liar) {
            std::cmp::Ordering::Less => Some((view % 4) as usize),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some((view % 4) as usize - 1),
        }
    }
    fn is_last(&self, height: u8) -> bool { height + 1 == self.bounds.heights }
    fn is_coarse(&self, height: u8) -> bool { self.liar.is_none() && !self.is_last(height) }
    fn proposals(&self, height: u8) -> Values { if self.is_last(height) { BOTH } else { 1 } }
}

impl stateright::Model for Protocol {
    type State = State;
    type Action = Move;
    fn init_states(&self) -> Vec<State> { vec![State::first()] }
    fn actions(&self, state: &State, out: &mut Vec<Move>) {
        let board = board::Board::new(self, state);
        for who in 0..CORRECT { Options { protocol: self, state, board: &board, who, found: out }.find(); }
    }
    fn next_state(&self, state: &State, action: Move) -> Option<State> {
        self.after(state, action).map(|next| self.representative(&next).0)
    }
    fn properties(&self) -> Vec<stateright::Property<Self>> { self.claims() }
}
