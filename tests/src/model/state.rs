//! A state: what the correct validators have on disk, and what is out of it.

use super::{
    Bounds, CORRECT, HEIGHTS, VIEWS,
    votes::{At, Kind, Shown, Value, Votes, Wishes},
};

/// Where a replica is: in a view, or between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// In this view.
    In(u8),
    /// It asked for this view, and votes in none until it enters this one or a higher one.
    For(u8),
}

impl Place {
    /// The view that it is in or asks for. Never falls while the height is open.
    pub const fn view(self) -> u8 {
        let (Self::In(view) | Self::For(view)) = self;
        view
    }
}

/// One correct validator: its journal, which is also what it has said, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Replica {
    /// The height being decided.
    pub height: u8,
    /// The view.
    pub place: Place,
    /// P20 (i): the view below which it does not come back, for what is forgotten of heights now sealed.
    pub floor: u8,
    /// The views of the seals by which it went on, by height.
    pub sealed: [u8; HEIGHTS as usize],
    /// The highest view that it entered by a NewView, by height; 0 if it entered none.
    pub entered: [u8; HEIGHTS as usize],
    /// Its votes and certificates: on disk, and sent.
    pub votes: Votes,
    /// Its ViewChanges: on disk, and sent.
    pub wishes: Wishes,
}

impl Replica {
    /// Its height, with a view.
    pub const fn at(&self, view: u8) -> At {
        At { height: self.height, view }
    }

    /// P11: the highest certificate of its height, of a view below this one.
    pub fn highest_prepared(&self, below: u8) -> Shown {
        (0..below).rev().find_map(|view| {
            let values = self.votes.values(Kind::Prepared, self.at(view));
            super::votes::each(values).next().map(|value| (view, value))
        })
    }

    /// The least view in which it may begin a height: the highest of a seal, of a vote, and entered below it.
    pub fn least_at(&self, height: u8) -> u8 {
        let of = |height: u8| {
            let voted_in = self.votes.highest_view(height).unwrap_or_default();
            let (sealed, entered) = (self.sealed[height as usize], self.entered[height as usize]);
            voted_in.max(sealed).max(entered)
        };
        (0..height).map(of).fold(self.floor, u8::max)
    }

    /// The highest view that it entered at its height.
    pub const fn entered_here(&mut self) -> &mut u8 {
        &mut self.entered[self.height as usize]
    }

    /// Whether it voted in this view of its height.
    pub fn voted_in(&self, view: u8) -> bool {
        self.votes.highest_view(self.height) == Some(view)
    }
}

/// What a correct leader opened a view with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Opening {
    /// It did not open it.
    #[default]
    Unopened,
    /// The proposal is free.
    Free,
    /// This proposal is demanded.
    Demands(Value),
}

/// What must never happen, and cannot be seen from the messages that are out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flaws {
    /// S0: a correct validator fell.
    pub fell: bool,
    /// P20 (ii): a correct leader opened a view twice.
    pub reopened: bool,
}

/// The quorums of views that every correct validator has left. Who they were of does not matter any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Past {
    /// Certificates, as Prepares, and seals, as Commits.
    pub quorums: Votes,
    /// Views that could be opened, as ViewChanges without a certificate.
    pub opened: Wishes,
}

/// All that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct State {
    /// The correct validators.
    pub replicas: [Replica; CORRECT],
    /// The NewViews of correct leaders, by height and view.
    pub opened: [[Opening; VIEWS as usize]; HEIGHTS as usize],
    /// The quorums of the past.
    pub past: Past,
    /// Whether somebody has lost a block.
    pub lost: bool,
    /// What went wrong.
    pub flaws: Flaws,
}

impl State {
    /// Nothing was said yet.
    pub fn first() -> Self {
        let replica = Replica {
            height: 0,
            place: Place::In(0),
            floor: 0,
            sealed: Default::default(),
            entered: Default::default(),
            votes: Votes::default(),
            wishes: Wishes::default(),
        };
        Self {
            replicas: [replica; CORRECT],
            opened: Default::default(),
            past: Past::default(),
            lost: false,
            flaws: Flaws::default(),
        }
    }

    /// What a correct leader opened a view with.
    pub const fn opening(&mut self, at: At) -> &mut Opening {
        &mut self.opened[at.height as usize][at.view as usize]
    }
}

impl Bounds {
    /// Every height and view within.
    pub fn everywhere(self) -> impl Iterator<Item = At> {
        (0..self.heights)
            .flat_map(move |height| (0..self.views).map(move |view| At { height, view }))
    }
}
