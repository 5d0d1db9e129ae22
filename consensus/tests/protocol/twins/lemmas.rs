//! Every vote that was signed, whoever heard it: what docs/PROTOCOL.md proves of certificates,
//! seals and views is checked on all that anybody could put together of them, twins included.

use crate::fixtures::{header_of, set};
use probata_consensus::{Message, MessageBody};
use probata_types::{Hash, Height, Proposal, ValidatorIndex, ValidatorSet, View};
use std::collections::{BTreeMap, BTreeSet};

/// Who voted, for each content of a height and view.
type Votes = BTreeMap<(Height, View, Hash), BTreeSet<ValidatorIndex>>;

/// A proof of docs/PROTOCOL.md that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lemma {
    /// Two certificates or two seals in one view of one height.
    OneCertificateAView,
    /// A seal of a lower view at a higher height.
    ViewsBySeals,
    /// A certificate for something else than what is sealed, of no lower view than the seal.
    Locking,
    /// Two seals of one height for two headers.
    Agreement,
}

#[derive(Debug)]
pub(crate) struct Lemmas {
    set: ValidatorSet,
    prepares: Votes,
    commits: Votes,
    /// What each proposal that was shown comes to.
    headers: BTreeMap<Hash, Hash>,
    /// The proposals that a quorum voted Prepare for.
    certificates: BTreeMap<(Height, View), Hash>,
    /// The headers that a quorum voted Commit for.
    seals: BTreeMap<(Height, View), Hash>,
    /// Where NewViews with a proposal that had to be taken up opened a view.
    opened: BTreeSet<(Height, View)>,
    /// How many they are.
    pub(crate) demanded: u64,
}

impl Lemmas {
    pub(crate) fn new(n: usize) -> Self {
        Self {
            set: set(n),
            prepares: Votes::new(),
            commits: Votes::new(),
            headers: BTreeMap::new(),
            certificates: BTreeMap::new(),
            seals: BTreeMap::new(),
            opened: BTreeSet::new(),
            demanded: 0,
        }
    }

    /// How many heights could be sealed by what was said.
    pub(crate) fn sealed_heights(&self) -> usize {
        self.seals.keys().map(|(height, _)| height).collect::<BTreeSet<_>>().len()
    }

    /// Notes a message that a machine sent, and says what it refutes.
    pub(crate) fn note(&mut self, message: &Message) -> Result<(), Lemma> {
        let place = (message.height(), message.view());
        match &message.body {
            MessageBody::PrePrepare { proposal, .. } => self.show(proposal),
            MessageBody::Prepare { digest, .. } => {
                if self.is_quorum(place, *digest, message.from, |all| &mut all.prepares) {
                    return self.certified(place, *digest);
                }
            }
            MessageBody::Commit { header, .. } => {
                let hash = header.hash();
                if self.is_quorum(place, hash, message.from, |all| &mut all.commits) {
                    return self.sealed(place, hash);
                }
            }
            MessageBody::NewView { proposal, .. } => {
                if let Some(proposal) = proposal {
                    self.show(proposal);
                    self.demanded += u64::from(self.opened.insert(place));
                }
            }
            MessageBody::ViewChange { .. } | MessageBody::Head { .. } => {}
        }
        Ok(())
    }

    fn show(&mut self, proposal: &Proposal) {
        let digest = proposal.digest();
        let set = &self.set;
        self.headers.entry(digest).or_insert_with(|| header_of(proposal, set).hash());
    }

    /// Whether this vote completes a quorum.
    fn is_quorum(
        &mut self,
        (height, view): (Height, View),
        content: Hash,
        from: ValidatorIndex,
        votes: impl Fn(&mut Self) -> &mut Votes,
    ) -> bool {
        let quorum = self.set.quorum();
        let voters = votes(self).entry((height, view, content)).or_default();
        voters.insert(from) && voters.len() == quorum
    }

    /// S1, S2.
    fn certified(&mut self, place: (Height, View), digest: Hash) -> Result<(), Lemma> {
        let first = *self.certificates.entry(place).or_insert(digest);
        let (height, view) = place;
        let sealed = self.seals.range((height, View::ZERO)..=(height, view)).map(|(_, it)| *it);
        if first != digest {
            return Err(Lemma::OneCertificateAView);
        }
        let mut unlike = sealed.filter(|sealed| self.headers.get(&digest) != Some(sealed));
        if unlike.next().is_some() { Err(Lemma::Locking) } else { Ok(()) }
    }

    /// S1 to S4.
    fn sealed(&mut self, place: (Height, View), header: Hash) -> Result<(), Lemma> {
        let (height, _) = place;
        if *self.seals.entry(place).or_insert(header) != header {
            return Err(Lemma::OneCertificateAView);
        }
        let mut others = self.seals.iter().filter(|((other, _), _)| *other == height);
        if others.any(|(_, other)| *other != header) {
            return Err(Lemma::Agreement);
        }
        let mut of_view = self.certificates.range(place..=(height, View::MAX));
        if of_view.any(|(_, digest)| self.headers.get(digest) != Some(&header)) {
            return Err(Lemma::Locking);
        }
        let falls = |(low, in_view): &(Height, View), (high, later): &(Height, View)| {
            low < high && in_view > later
        };
        if self.seals.keys().any(|other| falls(other, &place) || falls(&place, other)) {
            return Err(Lemma::ViewsBySeals);
        }
        Ok(())
    }
}

/// What signed votes that must not be come to.
#[test]
fn votes_that_must_not_be_are_seen() {
    use crate::fixtures::{
        commit, genesis, head_of, new_view, pre_prepare, prepare, proposal, sign, view, view_change,
    };
    let one = proposal(&genesis(), 0, 5);
    let other = proposal(&genesis(), 0, 6);
    let next = proposal(&head_of(&header_of(&one, &set(4)), view(0)), 0, 7);
    let votes = |proposal: &Proposal, in_view: u64| {
        [0, 1, 2].map(|from| sign(from, prepare(proposal, in_view)))
    };
    let seal = |proposal: &Proposal, in_view: u64| {
        let header = header_of(proposal, &set(4));
        [0, 1, 3].map(|from| sign(from, commit(&header, in_view)))
    };
    let opened = |in_view: u64| {
        let wishes = [0, 1, 2].map(|from| sign(from, view_change(1, in_view, None)));
        [sign(1, new_view(&wishes, None))]
    };
    let first_broken = |all: &[&[Message]]| {
        let shown = [&one, &other, &next].map(|it| sign(0, pre_prepare(it, 0)));
        let mut lemmas = Lemmas::new(4);
        let mut messages = shown.iter().chain(all.iter().copied().flatten());
        messages.find_map(|message| lemmas.note(message).err())
    };
    let cases: [(&[&[Message]], Option<Lemma>); 10] = [
        (&[&votes(&one, 0), &seal(&one, 0), &votes(&one, 1), &seal(&next, 1)], None),
        (&[&votes(&one, 0), &votes(&other, 1), &seal(&other, 1), &opened(2)], None),
        (&[&votes(&one, 0)[..2], &votes(&one, 0)[..2], &votes(&other, 0)], None),
        (&[&votes(&one, 0), &votes(&other, 0)], Some(Lemma::OneCertificateAView)),
        (&[&seal(&one, 0), &seal(&other, 0)], Some(Lemma::OneCertificateAView)),
        (&[&seal(&one, 0), &seal(&other, 1)], Some(Lemma::Agreement)),
        (&[&seal(&one, 0), &votes(&other, 1)], Some(Lemma::Locking)),
        (&[&votes(&other, 1), &seal(&one, 0)], Some(Lemma::Locking)),
        (&[&seal(&one, 2), &seal(&next, 1)], Some(Lemma::ViewsBySeals)),
        (&[&opened(2), &seal(&next, 1)], None),
    ];
    for (place, (messages, expected)) in cases.into_iter().enumerate() {
        assert_eq!(first_broken(messages), expected, "case {place}");
    }
}
