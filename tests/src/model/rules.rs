//! What correct validators may do next, by the rules of docs/PROTOCOL.md.

use super::{
    CORRECT, Mutation, Protocol,
    board::Board,
    state::{Place, Replica, State},
    votes::{At, Kind, Value, Values, each},
};

/// What a correct validator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// P4, P6: as the leader, proposes and votes for it.
    Propose(Value),
    /// P5, P6: accepts what the leader proposed, and votes for it.
    Accept(Value),
    /// P7: has a prepared certificate.
    Prepared(Value),
    /// P8: sends Commit.
    Commit(Value),
    /// P9, P10, P18: goes on to the next height by a seal of this view, own or fetched.
    Seal(u8),
    /// P11: asks for the next view.
    Leave,
    /// P12: joins those that ask for this view.
    Join(u8),
    /// P15: asks for one more view, since a quorum asks for this one.
    LeaveAgain,
    /// P13: as the leader, opens the view that it asked for.
    Open(Option<Value>),
    /// P14: enters this view, and votes for what its NewView demands.
    Enter(u8, Option<Value>),
    /// P14, P20: enters this view and crashes before its vote is on disk.
    EnterAndCrash(u8),
    /// P20: crashes, and comes back with its journal.
    Restart,
    /// P20: crashes, and comes back without its last block, which others still have.
    LoseBlock,
}

/// A step of one correct validator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Who.
    pub who: usize,
    /// By which rule.
    pub rule: Rule,
}

/// A look at one validator and at what it may do.
pub(super) struct Options<'a> {
    pub(super) protocol: &'a Protocol,
    pub(super) state: &'a State,
    pub(super) board: &'a Board<'a>,
    pub(super) who: usize,
    pub(super) found: &'a mut Vec<Move>,
}

impl Options<'_> {
    fn may(&mut self, rule: Rule) {
        self.found.push(Move { who: self.who, rule });
    }

    const fn replica(&self) -> &Replica {
        &self.state.replicas[self.who]
    }

    /// All that it may do.
    pub(super) fn find(&mut self) {
        match self.replica().place {
            Place::In(view) => {
                self.vote(view);
                if view + 1 < self.protocol.bounds.views {
                    self.may(Rule::Leave);
                }
            }
            Place::For(view) => {
                if self.protocol.breaks(Mutation::VoteWhileLeaving) {
                    self.vote(view - 1);
                }
                if view + 1 < self.protocol.bounds.views && self.is_gathered(view) {
                    self.may(Rule::LeaveAgain);
                }
                self.open(view);
            }
        }
        self.join();
        self.enter();
        self.seal();
        self.may(Rule::Restart);
        if self.protocol.loses_blocks && !self.state.lost && self.replica().height > 0 {
            self.may(Rule::LoseBlock);
        }
    }

    /// P4 to P8. That a proposal was accepted and executed is in memory only, and forbids only: it is left
    /// out, so a replica that voted may go on at any time, as it may after it was shown the proposal again.
    fn vote(&mut self, view: u8) {
        let at = self.replica().at(view);
        let votes = self.replica().votes;
        if self.protocol.is_coarse(at.height) {
            for value in each(self.protocol.proposals(at.height) & !votes.values(Kind::Commit, at))
            {
                self.may(Rule::Commit(value));
            }
            return;
        }
        let own = votes.values(Kind::Prepare, at);
        if own == 0 || self.protocol.breaks(Mutation::SecondPrepare) {
            let leads = self.protocol.leader(view) == Some(self.who);
            for value in each(self.offered(at) & !own) {
                self.may(if leads { Rule::Propose(value) } else { Rule::Accept(value) });
            }
        }
        for value in each(own) {
            let prepared = votes.has(Kind::Prepared, at, value);
            if !prepared && self.board.certificates(at) & (1 << value) != 0 {
                self.may(Rule::Prepared(value));
            }
            let ready = prepared || self.protocol.breaks(Mutation::CommitUnprepared);
            if ready && !votes.has(Kind::Commit, at, value) {
                self.may(Rule::Commit(value));
            }
        }
    }

    /// P4, P5: what may be voted for first. A lying leader offers everything; a correct one what it votes for
    /// itself, whether it proposed that or its NewView demands it.
    fn offered(&self, at: At) -> Values {
        match self.protocol.leader(at.view) {
            Some(leader) if leader != self.who => {
                self.state.replicas[leader].votes.values(Kind::Prepare, at)
            }
            _ => self.protocol.proposals(at.height),
        }
    }

    /// P15: a quorum asks for this view of this height or a higher one, the liar among them.
    fn is_gathered(&self, view: u8) -> bool {
        let height = self.replica().height;
        let asks = |replica: &&Replica| replica.wishes.highest(height) >= view;
        self.state.replicas.iter().filter(asks).count() + 1 >= self.protocol.quorum()
    }

    /// P12: of more than f validators that ask for higher views one is correct. The liar names any view up to
    /// that one's, so each up to the highest wish of another correct validator may be the (f+1)-th highest.
    fn join(&mut self) {
        let lowest = match self.replica().place {
            // To join for the next view is what P11 allows at any time.
            Place::In(view) => view + 2,
            Place::For(view) => view + 1,
        };
        let others = (0..CORRECT).filter(|other| *other != self.who);
        let height = self.replica().height;
        let asked = others.map(|other| self.state.replicas[other].wishes.highest(height));
        let highest = asked.max();
        for view in lowest..=highest.unwrap_or_default() {
            self.may(Rule::Join(view));
        }
    }

    /// P13, of correct leaders. What lying ones open is on the board.
    fn open(&mut self, view: u8) {
        if self.protocol.leader(view) == Some(self.who) {
            for demand in self.board.demands(self.replica().at(view), Some(self.who)).iter() {
                self.may(Rule::Open(demand));
            }
        }
    }

    /// P14: for its own height, above its view, and not below the one that it asks for. In a view that it is
    /// in already a NewView adds nothing to what the leader offers.
    fn enter(&mut self) {
        let lowest = match self.replica().place {
            Place::In(view) => view + 1,
            Place::For(_) if self.protocol.breaks(Mutation::EnterLower) => 1,
            Place::For(view) => view,
        };
        for view in lowest..self.protocol.bounds.views {
            let new_views = self.board.new_views(self.replica().at(view));
            for demand in new_views.iter() {
                self.may(Rule::Enter(view, demand));
            }
            if new_views.values() != 0 {
                self.may(Rule::EnterAndCrash(view));
            }
        }
    }

    /// P9, P18: any seal that is out will do. At the last height nothing follows that others could see, so
    /// there a replica may as well go on voting.
    fn seal(&mut self) {
        if self.protocol.is_last(self.replica().height) {
            return;
        }
        for view in 0..self.protocol.bounds.views {
            if self.board.seals(self.replica().at(view)) != 0 {
                self.may(Rule::Seal(view));
            }
        }
    }
}
