//! A small model of `docs/PROTOCOL.md`, of which every state is looked at.
//!
//! Four validators, one of them a liar. The search is that of `stateright`; what is here is the protocol.
//! `docs/PROTOCOL.md`, "What the model checks", has the bounds and the numbers.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`votes`], [`state`] | what correct validators have on disk and have sent |
//! | [`board`] | what can be put together of it: certificates, seals, NewViews |
//! | [`rules`], `effects` | what a correct validator may do, rule by rule, and what becomes of it |
//! | [`same`] | which states need not be told apart |
//! | [`properties`] | what holds in every state, and what happens in some |
//! | [`mutation`] | rules broken on purpose |
//! | [`check`], [`trace`] | the search, and a way to a state in words |
//!
//! # What is left out, and why nothing is missed
//!
//! - **The network.** What was sent stays on the board for ever. Each step may use any of it or not: loss, delay,
//!   repetition and reordering are all in that.
//! - **The liar.** It has no steps. Its vote for everything is always there, its ViewChange for every view shows
//!   any certificate that can be put together, or none; where it leads, every proposal is offered to everybody, and
//!   every NewView that can be put together is shown to anybody. This is more than one liar can do at a time.
//!   It cannot make up the votes of others.
//! - **Time.** Timers, clocks, work, heartbeats and censorship (P5, P11, P15, P23) are reasons to do something
//!   at some time: here it may be done at any time. That a second view is asked for only when a quorum asks for
//!   the first (P15), and joining (P12), are as in the text.
//! - **Memory.** That a proposal was accepted, executed, or came by a NewView only forbids; a replica that voted
//!   may go on as if it had been shown the proposal again. So a restart in a view that it voted in changes nothing.
//! - **The disk.** A promise is on disk when it is said. A crash between the two is a crash after a message that
//!   was lost. What a crash can leave undone within one step has rules of its own: entered and not voted
//!   ([`rules::Rule::EnterAndCrash`]). That promises are on disk and the block before them is not is a model of
//!   its own, in which a crash may once take somebody's last block ([`rules::Rule::LoseBlock`]) whatever was said
//!   after it: more than a crash can do, and what a log that lost its end does.
//! - **Values.** Two proposals for the last height: a protocol that compares proposals only for being equal and
//!   contradicts itself with many does so with two, all but one of them taken for one. One for the heights before:
//!   what is proposed there makes no difference later, and their agreement is that of a model of fewer heights.
//! - **Execution** is deterministic: a Commit is for the proposal itself. P22 is not in the model.
//! - **The last height** is not ended: a replica that committed it says nothing more there.
//! - **Bounds.** Views and heights beyond them are not there; a replica that would ask for one is silent.
//!
//! # Two models
//!
//! With a liar's seat, leaders are as in P3 without rotation, and correct ones propose once, open a view once
//! and say the same to everybody. Without one, **every leader lies** in what it proposes and opens, and only votes
//! are honest. That is a superset of every seat and every rotation, and smaller: all validators are alike. There
//! the heights before the last are coarse: a Commit needs no certificate, which allows more again.

pub mod board;
pub mod check;
mod effects;
pub mod mutation;
pub mod properties;
pub mod rules;
pub mod same;
pub mod state;
pub mod trace;
pub mod votes;

use mutation::Mutation;
use rules::Move;
use state::State;
use std::cmp::Ordering;
use votes::{BOTH, Values};

/// Correct validators; the liar is the fourth.
pub const CORRECT: usize = 3;
/// Heights at most, so that a state stays small.
pub const HEIGHTS: u8 = 3;
/// Views at most, so that a state stays small.
pub const VIEWS: u8 = 4;
/// Proposals for one height.
pub const VALUES: u8 = 2;

/// How far the model goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Heights, from 1 to [`HEIGHTS`].
    pub heights: u8,
    /// Views, from 1 to [`VIEWS`].
    pub views: u8,
}

/// The protocol within bounds.
#[derive(Debug, Clone, Copy)]
pub struct Protocol {
    /// How far.
    pub bounds: Bounds,
    /// The liar's place in the validator set, from 0 to 3; `None` if every leader lies.
    pub liar: Option<u8>,
    /// The rule that is broken.
    pub mutation: Option<Mutation>,
    /// Whether what cannot matter any more is forgotten. A protocol with a broken rule forgets nothing, nor one
    /// in which heights fall.
    pub forgets: bool,
    /// Whether a crash may take one validator's last block, once, and leave what was promised and said after it.
    pub loses_blocks: bool,
}

impl Protocol {
    /// The protocol as it is written.
    pub const fn new(bounds: Bounds, liar: Option<u8>) -> Self {
        Self { bounds, liar, mutation: None, forgets: true, loses_blocks: false }
    }

    /// The protocol with a broken rule, within bounds in which that shows.
    pub const fn broken(mutation: Mutation) -> Self {
        let (bounds, liar) = mutation.setting();
        let loses_blocks = matches!(mutation, Mutation::ForgetLater);
        Self { bounds, liar, mutation: Some(mutation), forgets: false, loses_blocks }
    }

    fn breaks(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// P1.
    fn quorum(&self) -> usize {
        if self.breaks(Mutation::SmallQuorum) { 2 } else { 3 }
    }

    /// P3: the correct validator that leads a view; `None` if a liar does.
    fn leader(&self, view: u8) -> Option<usize> {
        let (seat, liar) = (view % 4, self.liar?);
        match seat.cmp(&liar) {
            Ordering::Less => Some(seat.into()),
            Ordering::Equal => None,
            Ordering::Greater => Some(usize::from(seat) - 1),
        }
    }

    const fn is_last(&self, height: u8) -> bool {
        height + 1 == self.bounds.heights
    }

    const fn is_coarse(&self, height: u8) -> bool {
        self.liar.is_none() && !self.is_last(height)
    }

    const fn proposals(&self, height: u8) -> Values {
        if self.is_last(height) { BOTH } else { 1 }
    }
}

impl stateright::Model for Protocol {
    type State = State;
    type Action = Move;

    fn init_states(&self) -> Vec<State> {
        vec![State::first()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Move>) {
        actions.extend(self.moves(state));
    }

    fn next_state(&self, state: &State, action: Move) -> Option<State> {
        self.after(state, action).map(|next| self.representative(&next).0)
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        self.claims()
    }
}
