//! What holds in every state, and what happens in some.

use super::{
    Protocol,
    board::Board,
    state::{Place, State},
    votes::{At, BOTH, Kind, Values, each},
};
use stateright::Property;

/// A property and the least bounds within which it says something.
struct Claim {
    name: &'static str,
    heights: u8,
    views: u8,
    holds: fn(&Protocol, &State) -> bool,
}

const fn claim(
    name: &'static str,
    (heights, views): (u8, u8),
    holds: fn(&Protocol, &State) -> bool,
) -> Claim {
    Claim { name, heights, views, holds }
}

/// The names of docs/PROTOCOL.md.
const ALWAYS: [Claim; 7] = [
    claim(NOBODY_FALLS, (1, 1), |_, state| !state.flaws.fell),
    claim("S1 one certificate a view", (1, 1), one_certificate),
    claim("S2 locking", (1, 2), locking),
    claim(AGREEMENT, (1, 1), agreement),
    claim(VIEWS_BY_SEALS, (2, 2), views_by_seals),
    claim(OPENED_ONCE, (1, 2), |_, state| !state.flaws.reopened),
    claim("P21 nobody correct is at fault", (1, 1), no_fault),
];

/// Heights and views of what a correct validator votes for never fall, nor what it asks for at a height.
pub const NOBODY_FALLS: &str = "S0 nobody falls";

/// Agreement does not need it, and where heights fall it does not hold.
const VIEWS_BY_SEALS: &str = "S4 views by seals";

/// Only where a crash may take a block.
const LOST: &str = "who has lost a block voted after it";

/// A correct leader opens each view once at most.
pub const OPENED_ONCE: &str = "P20 a view is opened once";

/// No two seals of one height are for different proposals. A correct validator commits by a seal only, so no
/// two commit different blocks.
pub const AGREEMENT: &str = "S3 agreement";

/// What a model must show, or it shows nothing.
const SOMETIMES: [Claim; 12] = [
    claim("sealed in view 0", (1, 1), |p, s| Last::of(p, s).sealed(0) != 0),
    claim("sealed in view 1", (1, 2), |p, s| Last::of(p, s).sealed(1) != 0),
    claim("prepared in view 0, demanded and sealed in view 1", (1, 2), |p, s| {
        Last::of(p, s).demanded_and_sealed(0, 1)
    }),
    claim("prepared in view 1, demanded and sealed in view 2", (1, 3), |p, s| {
        Last::of(p, s).demanded_and_sealed(1, 2)
    }),
    claim(SPLIT, (1, 1), |p, s| {
        (0..p.bounds.views).any(|view| Last::of(p, s).prepares(view) == BOTH)
    }),
    claim("a certificate that was not shown gives way", (1, 2), |p, s| Last::of(p, s).gives_way()),
    claim("an entered view is asked for again after a crash", (1, 2), |_, s| {
        s.replicas.iter().any(|it| {
            let entered = it.entered[it.height as usize];
            entered > 0 && it.place == Place::For(entered)
        })
    }),
    claim("who asked for a view votes below it at the next height", (2, 2), |_, s| {
        s.replicas.iter().any(|it| {
            let asked = |height| it.wishes.any(At { height, view: 1 });
            it.height == 1 && asked(0) && it.votes.highest_view(1) == Some(0)
        })
    }),
    claim(
        "a view is opened whose height is sealed, and the next one, in the view before",
        (2, 2),
        |p, s| {
            let board = Board::new(p, s);
            board.may_open(At { height: 0, view: 1 }) && board.seals(At { height: 1, view: 0 }) != 0
        },
    ),
    claim("sealed in a view taken over from an earlier height", (2, 2), |p, s| {
        Last::of(p, s).sealed(1) != 0 && Last::of(p, s).is_taken_over(1)
    }),
    claim("prepared in a view taken over, demanded and sealed in the next", (2, 3), |p, s| {
        Last::of(p, s).is_taken_over(1) && Last::of(p, s).demanded_and_sealed(1, 2)
    }),
    claim(LOST, (2, 1), |_, s| s.replicas.iter().any(|it| it.votes.any_of_height(it.height + 1))),
];

/// Only where the liar leads a view can correct validators vote for different proposals of it.
const SPLIT: &str = "a lying leader splits the Prepares";

impl Protocol {
    /// All that is claimed within the bounds.
    pub(super) fn claims(&self) -> Vec<Property<Self>> {
        let liar_leads = (0..self.bounds.views).any(|view| self.leader(view).is_none());
        let applies = |it: &&Claim| {
            let fits = it.heights <= self.bounds.heights && it.views <= self.bounds.views;
            let by_name = match it.name {
                SPLIT => liar_leads,
                LOST => self.loses_blocks,
                VIEWS_BY_SEALS => !self.loses_blocks,
                _ => true,
            };
            fits && by_name
        };
        let always = ALWAYS.iter().filter(applies).map(|it| Property::always(it.name, it.holds));
        let sometimes = SOMETIMES.iter().filter(applies);
        always.chain(sometimes.map(|it| Property::sometimes(it.name, it.holds))).collect()
    }
}

fn one_certificate(protocol: &Protocol, state: &State) -> bool {
    let board = Board::new(protocol, state);
    protocol.bounds.everywhere().all(|at| board.certificates(at) != BOTH)
}

/// S4: where a seal (h′, v) is, none is at a later height in a lower view.
fn views_by_seals(protocol: &Protocol, state: &State) -> bool {
    let board = Board::new(protocol, state);
    protocol.bounds.everywhere().filter(|at| board.seals(*at) != 0).all(|at| {
        let mut later = at.height + 1..protocol.bounds.heights;
        later.all(|height| (0..at.view).all(|view| board.seals(At { height, view }) == 0))
    })
}

/// S2: where a seal is, the certificates of its view and of higher ones are for the same.
fn locking(protocol: &Protocol, state: &State) -> bool {
    let board = Board::new(protocol, state);
    protocol.bounds.everywhere().all(|at| {
        let sealed = board.seals(at);
        let mut views = at.view..protocol.bounds.views;
        sealed == 0 || views.all(|view| board.certificates(At { view, ..at }) & !sealed == 0)
    })
}

fn agreement(protocol: &Protocol, state: &State) -> bool {
    let board = Board::new(protocol, state);
    (0..protocol.bounds.heights).all(|height| {
        let seals = (0..protocol.bounds.views).map(|view| board.seals(At { height, view }));
        seals.fold(0, |all, it| all | it) != BOTH
    })
}

fn no_fault(protocol: &Protocol, state: &State) -> bool {
    let both = |votes: &super::votes::Votes, at| {
        votes.values(Kind::Prepare, at) == BOTH || votes.values(Kind::Commit, at) == BOTH
    };
    let mut places = protocol.bounds.everywhere();
    places.all(|at| state.replicas.iter().all(|replica| !both(&replica.votes, at)))
}

/// The last height within the bounds, where there are two proposals.
struct Last<'a> {
    height: u8,
    state: &'a State,
    board: Board<'a>,
}

impl<'a> Last<'a> {
    fn of(protocol: &'a Protocol, state: &'a State) -> Self {
        let board = Board::new(protocol, state);
        Self { height: protocol.bounds.heights - 1, state, board }
    }

    const fn at(&self, view: u8) -> At {
        At { height: self.height, view }
    }

    fn sealed(&self, view: u8) -> Values {
        self.board.seals(self.at(view))
    }

    fn prepares(&self, view: u8) -> Values {
        let votes =
            self.state.replicas.iter().map(|it| it.votes.values(Kind::Prepare, self.at(view)));
        votes.fold(0, |all, it| all | it)
    }

    /// Nothing but a proposal prepared in a view could be, and was, sealed in a later one.
    fn demanded_and_sealed(&self, prepared: u8, sealed: u8) -> bool {
        each(self.sealed(sealed) & self.board.certificates(self.at(prepared)))
            .any(|value| self.board.new_views(self.at(sealed)).only(Some(value)))
    }

    /// Somebody holds a certificate of view 0, and the other proposal is sealed in view 1: allowed, since the
    /// first can then never be sealed.
    fn gives_way(&self) -> bool {
        each(self.sealed(1)).any(|value| {
            let mut replicas = self.state.replicas.iter();
            replicas.any(|it| it.votes.has(Kind::Prepared, self.at(0), 1 - value))
        })
    }

    /// No NewView of this height and view can be: whoever is in it came by a seal or an earlier NewView.
    fn is_taken_over(&self, view: u8) -> bool {
        !self.board.may_open(self.at(view))
    }
}
