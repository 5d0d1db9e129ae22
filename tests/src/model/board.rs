//! What anybody can put together of the messages that are out, with the liar's signature on anything.

use super::{
    CORRECT, Mutation, Protocol,
    state::{Opening, State},
    votes::{At, BOTH, Kind, Shown, Value, Values, Votes, each},
};

/// What NewViews say of the proposal: "free" in bit 0, "A" in bit 1, "B" in bit 2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demands(Values);

impl Demands {
    const fn bit(demand: Option<Value>) -> Values {
        match demand {
            None => 1,
            Some(value) => 2 << value,
        }
    }

    const fn add(&mut self, demand: Option<Value>) {
        self.0 |= Self::bit(demand);
    }

    /// The values that are demanded.
    pub const fn values(self) -> Values {
        self.0 >> 1
    }

    /// Each once.
    pub fn iter(self) -> impl Iterator<Item = Option<Value>> {
        let all = [None, Some(0), Some(1)].into_iter();
        all.filter(move |demand| self.0 & Self::bit(*demand) != 0)
    }

    /// Whether this is the only one.
    pub const fn only(self, demand: Option<Value>) -> bool {
        self.0 == Self::bit(demand)
    }
}

/// The messages that are out, for somebody who holds them all. A message that was sent once may arrive at
/// any time, at anybody, again, or never: so nothing is ever taken off the board.
#[derive(Debug)]
pub struct Board<'a> {
    protocol: &'a Protocol,
    state: &'a State,
    quorums: Votes,
}

impl<'a> Board<'a> {
    /// Looks at a state.
    pub fn new(protocol: &'a Protocol, state: &'a State) -> Self {
        let [a, b, c] = state.replicas.map(|replica| replica.votes);
        // The liar votes for everything, so one vote of correct validators less is needed.
        let quorums = match protocol.quorum() {
            3 => a.and(b).or(a.and(c)).or(b.and(c)),
            _ => a.or(b).or(c),
        };
        Self { protocol, state, quorums: quorums.or(state.past.quorums) }
    }

    /// P7: the proposals with a quorum of Prepares.
    pub const fn certificates(&self, at: At) -> Values {
        self.quorums.values(Kind::Prepare, at)
    }

    /// P9: the proposals with a quorum of Commits.
    pub const fn seals(&self, at: At) -> Values {
        self.quorums.values(Kind::Commit, at)
    }

    /// Whether a quorum of ViewChanges for exactly this height and view is out.
    pub fn may_open(&self, at: At) -> bool {
        let asked = self.state.replicas.iter().filter(|replica| replica.wishes.any(at)).count();
        self.state.past.opened.any(at) || asked + 1 >= self.protocol.quorum()
    }

    /// P2, P13: what a NewView can say, by the view changes of which it is made. A correct leader has its
    /// own among them. The liar's shows nothing, or any certificate that is out. Those of just as many
    /// correct validators as are needed besides stand for all: one more only takes the liar's place.
    pub fn demands(&self, at: At, own: Option<usize>) -> Demands {
        let mut demands = Demands::default();
        let wishes = |who: usize| self.state.replicas[who].wishes.shown(at);
        for one in 0..CORRECT {
            // A quorum of three: two different ones and the liar. If two were enough: one and the liar.
            for other in one + self.protocol.quorum() - 2..CORRECT {
                if own.is_some_and(|own| own != one && own != other) {
                    continue;
                }
                for first in wishes(one) {
                    for second in wishes(other) {
                        for liars in self.shown_by_liar(at) {
                            self.add_deciding([first, second, liars], &mut demands);
                        }
                    }
                }
            }
        }
        if self.protocol.breaks(Mutation::IgnoreCertificates) && demands != Demands::default() {
            demands.add(None);
        }
        demands
    }

    /// Nothing, or any certificate that can be put together.
    fn shown_by_liar(&self, at: At) -> impl Iterator<Item = Shown> {
        let made_up = self.protocol.breaks(Mutation::TrustCertificates);
        let out = move |view| {
            let values = if made_up { BOTH } else { self.certificates(At { view, ..at }) };
            each(values).map(move |value| Some((view, value)))
        };
        std::iter::once(None).chain((0..at.view).flat_map(out))
    }

    /// P13: the certificate of the highest view decides.
    fn add_deciding(&self, shown: [Shown; 3], demands: &mut Demands) {
        let views = shown.iter().flatten().map(|(view, _)| *view);
        let lowest = self.protocol.breaks(Mutation::LowestCertificate);
        let Some(deciding) = (if lowest { views.min() } else { views.max() }) else {
            demands.add(None);
            return;
        };
        for (_, value) in shown.iter().flatten().filter(|(view, _)| *view == deciding) {
            demands.add(Some(*value));
        }
    }

    /// P14: what the NewViews say that a replica may be shown: all that a lying leader can put together, and
    /// the one that a correct leader sent.
    pub fn new_views(&self, at: At) -> Demands {
        if self.protocol.leader(at.view).is_none() {
            return self.demands(at, None);
        }
        let mut demands = Demands::default();
        match self.state.opened[at.height as usize][at.view as usize] {
            Opening::Unopened => {}
            Opening::Free => demands.add(None),
            Opening::Demands(value) => demands.add(Some(value)),
        }
        demands
    }
}
