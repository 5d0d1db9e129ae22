//! Sets of votes and of view changes, in one word each: a state is small, so that many fit.

use super::{HEIGHTS, VALUES, VIEWS};

/// A height and a view, both counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct At {
    /// The height; 0 is the first that is decided.
    pub height: u8,
    /// The view.
    pub view: u8,
}

/// One of the two proposals of a height: 0 is called A, 1 is called B.
pub type Value = u8;

/// Some of the two proposals: bit 0 is A, bit 1 is B.
pub type Values = u8;

/// Both proposals.
pub const BOTH: Values = 0b11;

/// The proposals of a set.
pub fn each(values: Values) -> impl Iterator<Item = Value> {
    (0..VALUES).filter(move |value| values & (1 << value) != 0)
}

/// What is voted, or held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// P6: a Prepare vote. Of a quorum: a prepared certificate.
    Prepare,
    /// P7: the prepared certificate is held.
    Prepared,
    /// P8: a Commit vote. Of a quorum: a seal.
    Commit,
}

const KINDS: u8 = 3;
const VIEW_BITS: u8 = KINDS * VALUES;
const HEIGHT_BITS: u8 = VIEWS * VIEW_BITS;
const _: () = assert!(HEIGHTS * HEIGHT_BITS <= 128, "the votes of one validator fit a word");

/// A set of (kind, height, view, value).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Votes(u128);

impl Votes {
    const fn shift(kind: Kind, at: At) -> u8 {
        at.height * HEIGHT_BITS + at.view * VIEW_BITS + kind as u8 * VALUES
    }

    /// Adds one.
    pub const fn give(&mut self, kind: Kind, at: At, value: Value) {
        self.0 |= 1 << (Self::shift(kind, at) + value);
    }

    /// Makes these the values of a kind.
    pub const fn set(&mut self, kind: Kind, at: At, values: Values) {
        let shift = Self::shift(kind, at);
        self.0 = (self.0 & !((BOTH as u128) << shift)) | ((values as u128) << shift);
    }

    /// The values of a kind.
    pub const fn values(self, kind: Kind, at: At) -> Values {
        ((self.0 >> Self::shift(kind, at)) & 0b11) as Values
    }

    /// Whether this one is in.
    pub const fn has(self, kind: Kind, at: At, value: Value) -> bool {
        self.values(kind, at) & (1 << value) != 0
    }

    /// Whether any of this height is in.
    pub const fn any_of_height(self, height: u8) -> bool {
        (self.0 >> (height * HEIGHT_BITS)) & ((1 << HEIGHT_BITS) - 1) != 0
    }

    /// The highest view of a height of which any is in.
    pub fn highest_view(self, height: u8) -> Option<u8> {
        let of_view = |view| self.0 >> Self::shift(Kind::Prepare, At { height, view });
        (0..VIEWS).rev().find(|view| of_view(*view) & ((1 << VIEW_BITS) - 1) != 0)
    }

    /// Those of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those of either set.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The same with A and B of one height in each other's place.
    #[must_use]
    pub const fn swapped(self, height: u8) -> Self {
        let mask = ((1 << HEIGHT_BITS) - 1) << (height * HEIGHT_BITS);
        Self((self.0 & !mask) | swapped_pairs(self.0 & mask))
    }
}

/// Neighbouring bits, of which the lower ones stand at even places, change places.
const fn swapped_pairs(bits: u128) -> u128 {
    const LOWER: u128 = u128::MAX / 3;
    ((bits & LOWER) << 1) | ((bits >> 1) & LOWER)
}

/// What a ViewChange shows: no certificate, or the one of this view and value.
pub type Shown = Option<(u8, Value)>;

/// Bits of one ViewChange: one for "none", one for each certificate of a lower view.
const WISH_BITS: u8 = 1 + (VIEWS - 1) * VALUES;
/// Views that can be asked for: all but the first.
const WISHES: u8 = VIEWS - 1;
const _: () =
    assert!(HEIGHTS * WISHES * WISH_BITS <= 128, "the wishes of one validator fit a word");

/// A set of ViewChanges: (height, view asked for, certificate shown).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wishes(u128);

impl Wishes {
    const fn shift(at: At) -> u8 {
        (at.height * WISHES + at.view - 1) * WISH_BITS
    }

    const fn bit(shown: Shown) -> u8 {
        match shown {
            None => 0,
            Some((view, value)) => 1 + view * VALUES + value,
        }
    }

    const fn of(self, at: At) -> u128 {
        (self.0 >> Self::shift(at)) & ((1 << WISH_BITS) - 1)
    }

    /// Adds one.
    pub const fn say(&mut self, at: At, shown: Shown) {
        self.0 |= 1 << (Self::shift(at) + Self::bit(shown));
    }

    /// Removes those for a height and view.
    pub const fn clear(&mut self, at: At) {
        self.0 &= !(((1 << WISH_BITS) - 1) << Self::shift(at));
    }

    /// Whether there is one for this height and view.
    pub const fn any(self, at: At) -> bool {
        self.of(at) != 0
    }

    /// What those for this height and view show.
    pub fn shown(self, at: At) -> impl Iterator<Item = Shown> {
        let certificates = (0..at.view).flat_map(|view| each(BOTH).map(move |value| (view, value)));
        let all = std::iter::once(None).chain(certificates.map(Some));
        all.filter(move |shown| self.of(at) & (1 << Self::bit(*shown)) != 0)
    }

    /// The highest view that is asked for at a height; 0 if none is.
    pub fn highest(self, height: u8) -> u8 {
        let asked = |view: &u8| self.any(At { height, view: *view });
        (1..VIEWS).rev().find(asked).unwrap_or_default()
    }

    /// The same with A and B of one height in each other's place.
    #[must_use]
    pub fn swapped(self, height: u8) -> Self {
        let mut all = self.0;
        for view in 1..VIEWS {
            let from = Self::shift(At { height, view }) + 1;
            let mask = ((1 << (WISH_BITS - 1)) - 1) << from;
            all = (all & !mask) | (swapped_pairs((all & mask) >> from) << from);
        }
        Self(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everywhere() -> impl Iterator<Item = At> {
        (0..HEIGHTS).flat_map(|height| (0..VIEWS).map(move |view| At { height, view }))
    }

    #[test]
    fn each_vote_has_a_bit_of_its_own() {
        let mut all = Votes::default();
        for at in everywhere() {
            for kind in [Kind::Prepare, Kind::Prepared, Kind::Commit] {
                for value in each(BOTH) {
                    assert!(!all.has(kind, at, value));
                    all.give(kind, at, value);
                    assert!(all.has(kind, at, value));
                }
                assert_eq!(all.values(kind, at), BOTH);
            }
            assert_eq!(all.highest_view(at.height), Some(at.view));
        }
        assert_eq!(all.0.count_ones(), u32::from(HEIGHTS * HEIGHT_BITS));
    }

    #[test]
    fn each_view_change_has_a_bit_of_its_own() {
        let mut all = Wishes::default();
        for at in everywhere().filter(|at| at.view > 0) {
            let mut count = 0;
            let certificates = (0..at.view).flat_map(|view| [Some((view, 0)), Some((view, 1))]);
            for shown in std::iter::once(None).chain(certificates) {
                assert_eq!(all.shown(at).count(), count);
                all.say(at, shown);
                count += 1;
                assert!(all.shown(at).any(|it| it == shown));
            }
            assert_eq!(all.shown(at).count(), count);
        }
        assert!((0..HEIGHTS).all(|height| all.highest(height) == VIEWS - 1));
        for at in everywhere().filter(|at| at.view > 0) {
            all.clear(at);
            assert!(!all.any(at));
        }
        assert_eq!(all, Wishes::default());
    }

    #[test]
    fn swapping_turns_one_height_and_nothing_else() {
        let at = At { height: HEIGHTS - 1, view: VIEWS - 1 };
        let below = At { height: HEIGHTS - 2, ..at };
        let (mut votes, mut wishes) = (Votes::default(), Wishes::default());
        for place in [at, below] {
            votes.give(Kind::Commit, place, 0);
            wishes.say(place, None);
            wishes.say(place, Some((1, 1)));
        }
        let (turned, asked) = (votes.swapped(at.height), wishes.swapped(at.height));
        assert!(turned.has(Kind::Commit, at, 1) && !turned.has(Kind::Commit, at, 0));
        assert_eq!(asked.shown(at).collect::<Vec<_>>(), [None, Some((1, 0))]);
        assert_eq!(turned.values(Kind::Commit, below), votes.values(Kind::Commit, below));
        assert_eq!(asked.shown(below).collect::<Vec<_>>(), [None, Some((1, 1))]);
        assert_eq!((turned.swapped(at.height), asked.swapped(at.height)), (votes, wishes));
    }
}
