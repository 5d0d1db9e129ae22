//! How a state came about, rule by rule, with every validator and proposal under its first name.

use super::{
    CORRECT, Protocol,
    board::Board,
    rules::{Move, Options, Rule},
    state::{Replica, State},
    votes::Value,
};
use stateright::Path;

impl Protocol {
    /// The steps of a path, in words. They are taken again without any reduction, so that a path that only
    /// the reductions made would be found out.
    ///
    /// # Panics
    /// If the path is none of the protocol.
    pub fn trace(&self, path: Path<State, Move>) -> Vec<String> {
        let (mut names, mut swapped) = ([0, 1, 2], false);
        let (mut whole, mut lines) = (State::first(), Vec::new());
        for (reduced, step) in path.into_vec() {
            let Some(step) = step else { break };
            let renamed = self.after(&reduced, step).expect("the checker took this step");
            let replica = &reduced.replicas[step.who];
            let turned = swapped && self.is_last(replica.height);
            let rule = if turned { step.rule.swapped() } else { step.rule };
            let real = Move { who: names[step.who], rule };
            assert!(self.moves(&whole).contains(&real), "{real:?} is the reductions' own");
            lines.push(rule.text(real.who + 1, &whole.replicas[real.who]));
            whole = self.after(&whole, real).expect("the checker took this step");
            let (_, renaming) = self.representative(&renamed);
            names = renaming.order.map(|place| names[place]);
            swapped ^= renaming.swapped;
        }
        lines
    }

    /// All that may happen next.
    pub(super) fn moves(&self, state: &State) -> Vec<Move> {
        let (board, mut found) = (Board::new(self, state), Vec::new());
        for who in 0..CORRECT {
            Options { protocol: self, state, board: &board, who, found: &mut found }.find();
        }
        found
    }
}

impl Rule {
    /// With A and B in each other's place.
    fn swapped(self) -> Self {
        let turn = |value: Value| 1 - value;
        match self {
            Self::Propose(value) => Self::Propose(turn(value)),
            Self::Accept(value) => Self::Accept(turn(value)),
            Self::Prepared(value) => Self::Prepared(turn(value)),
            Self::Commit(value) => Self::Commit(turn(value)),
            Self::Open(demand) => Self::Open(demand.map(turn)),
            Self::Enter(view, demand) => Self::Enter(view, demand.map(turn)),
            other => other,
        }
    }

    fn text(self, who: usize, replica: &Replica) -> String {
        let (height, view) = (replica.height + 1, replica.place.view());
        let name = |value: Value| if value == 0 { "A" } else { "B" };
        let demanded = |demand: Option<Value>| match demand {
            None => "free".to_owned(),
            Some(value) => format!("demands {}", name(value)),
        };
        let what = match self {
            Self::Propose(value) => format!("P4 P6  proposes {} and sends Prepare", name(value)),
            Self::Accept(value) => format!("P5 P6  accepts {} and sends Prepare", name(value)),
            Self::Prepared(value) => format!("P7     has {} prepared", name(value)),
            Self::Commit(value) => format!("P8     sends Commit for {}", name(value)),
            Self::Seal(seal) => format!("P9 P10 goes on by a seal of view {seal}"),
            Self::Leave => "P11    asks for the next view".to_owned(),
            Self::Join(view) => format!("P12    joins those that ask for view {view}"),
            Self::LeaveAgain => "P15    asks for one more view".to_owned(),
            Self::Open(demand) => format!("P13    opens the view, {}", demanded(demand)),
            Self::Enter(to, demand) => format!("P14    enters view {to}, {}", demanded(demand)),
            Self::EnterAndCrash(to) => {
                format!("P20    enters view {to} and crashes before it votes")
            }
            Self::Restart => "P20    crashes and comes back".to_owned(),
            Self::LoseBlock => "P20    crashes and comes back without its last block".to_owned(),
        };
        format!("R{who} in ({height}, {view}): {what}")
    }
}
