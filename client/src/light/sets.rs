//! Which validator set is in force at a height, walked from the genesis change by change, and which of the seals shown
//! hold. The signatures of all seals are checked together: that is several times faster than one seal after another.

use super::{check::Answer, verdict::Missing};
use probata_genesis::Genesis;
use probata_types::{
    EvidenceFile, Hash, Header, Height, Seal, ValidatorSet,
    evidence::{SetChange, SetChanges},
    key::{self, Signed},
    seal::SealError,
};

/// A header with its seal, as somebody shows them.
pub(super) type Shown<'a> = (&'a Header, &'a Seal);

/// The sets that the walk has proven, each from its first height, and where the walk broke.
pub(super) struct Sets<'a> {
    steps: Vec<(Height, &'a ValidatorSet)>,
    broken: Option<Break>,
    /// Of what was shown: whether the seal holds for the set in force.
    judged: Vec<(Shown<'a>, Result<(), SealError>)>,
}

struct Break {
    height: Height,
    why: String,
}

/// What the walk is over.
pub(super) struct Way<'a> {
    pub(super) chain: Hash,
    pub(super) sets: &'a SetChanges,
    /// No change may be later.
    pub(super) end: Height,
}

impl<'a> Sets<'a> {
    /// Walks the changes that a file shows, and judges its seals and one that comes from elsewhere. Without a genesis
    /// nothing is known.
    pub(super) fn of_file(
        file: &'a EvidenceFile,
        genesis: Option<&'a Genesis>,
        elsewhere: Option<Shown<'a>>,
    ) -> Self {
        let mut shown = vec![(&file.header, &file.seal)];
        shown.extend(file.anchor.iter().map(|anchor| (&anchor.header, &anchor.seal)));
        shown.extend(file.sets.iter().map(|change| (&change.header, &change.seal)));
        shown.extend(elsewhere);
        let end = file.anchor_header().height;
        Self::walk(&Way { chain: file.chain, sets: &file.sets, end }, genesis, &shown)
    }

    /// Walks the changes from the genesis, and judges the seals of `shown`: theirs, and others.
    pub(super) fn walk(way: &Way<'a>, genesis: Option<&'a Genesis>, shown: &[Shown<'a>]) -> Self {
        let mut sets = Self { steps: Vec::new(), broken: None, judged: Vec::new() };
        let Some(genesis) = genesis else { return sets };
        sets.steps.push((Height::new(1), genesis.validator_set()));
        for change in way.sets {
            let (from, _) = *sets.steps.last().expect("a walk begins with the genesis set");
            match change.names_next(&way.chain, from) {
                Ok(_) if change.header.height > way.end => {
                    sets.break_at(change, change.because(&"it is later than the anchor"));
                    break;
                }
                Ok(next) => sets.steps.push((next, &change.set)),
                Err(why) => {
                    sets.break_at(change, why);
                    break;
                }
            }
        }
        sets.judge(shown);
        // Whoever did not seal a change did not name the next set.
        for (at, change) in way.sets.iter().enumerate().take(sets.steps.len() - 1) {
            if let Some(Err(error)) = sets.judged((&change.header, &change.seal)) {
                let why = change.because(error);
                sets.steps.truncate(at + 1);
                sets.break_at(change, why);
                break;
            }
        }
        sets
    }

    /// Why the walk went no further, if it did not reach the end.
    pub(super) fn broken(&self) -> Option<&str> {
        self.broken.as_ref().map(|broken| &*broken.why)
    }

    fn break_at(&mut self, change: &SetChange, why: String) {
        self.broken = Some(Break { height: change.header.height, why });
    }

    /// Judges seals by the sets that the changes lead to, proven or not: whoever asks looks first whether the set is.
    fn judge(&mut self, shown: &[Shown<'a>]) {
        let mut signed = Vec::with_capacity(shown.len());
        for (header, seal) in shown {
            if let Some(set) = self.named_at(header.height) {
                signed.push(((*header, *seal), seal.signed(header, set)));
            }
        }
        let all = signed.iter().filter_map(|(_, signed)| signed.as_ref().ok());
        let all: Vec<Signed> = all.flatten().copied().collect();
        let all_hold = key::verify_batch(&all).is_ok();
        self.judged.extend(signed.into_iter().map(|(shown, signed)| {
            let (_, seal) = shown;
            let judged = match signed {
                Ok(signed) if !all_hold => seal.blame(&signed),
                signed => signed.map(|_| ()),
            };
            (shown, judged)
        }));
    }

    fn judged(&self, (header, seal): Shown<'_>) -> Option<&Result<(), SealError>> {
        let same =
            |other: &Header, by: &Seal| std::ptr::eq(other, header) && std::ptr::eq(by, seal);
        let found = self.judged.iter().find(|((other, by), _)| same(other, by));
        found.map(|(_, judged)| judged)
    }

    /// Whether the set in force at its height sealed a header that was shown, and that set; or why it is not known.
    pub(super) fn sealed(
        &self,
        shown: Shown<'_>,
    ) -> Result<(&'a ValidatorSet, Result<(), SealError>), Answer> {
        let (header, seal) = shown;
        let set = self.in_force(header.height)?;
        Ok((set, self.judged(shown).cloned().unwrap_or_else(|| seal.verify(header, set))))
    }

    /// Everything shown that the set in force at its height sealed, in the order in which it was shown.
    pub(super) fn all_sealed(&self) -> impl Iterator<Item = Shown<'a>> {
        let holds = self.judged.iter().filter(|(_, judged)| judged.is_ok());
        holds.map(|(shown, _)| *shown).filter(|(header, _)| self.in_force(header.height).is_ok())
    }

    fn named_at(&self, height: Height) -> Option<&'a ValidatorSet> {
        self.steps.iter().rev().find(|(from, _)| *from <= height).map(|(_, set)| *set)
    }

    /// The set that seals the header of `height`, or why that is not known.
    pub(super) fn in_force(&self, height: Height) -> Result<&'a ValidatorSet, Answer> {
        if self.steps.is_empty() {
            let why = "needs the genesis document, which was not given".to_owned();
            return Err(Answer::NotRun(Missing::Genesis, why));
        }
        if let Some(broken) = self.broken.as_ref().filter(|broken| height > broken.height) {
            let why = format!("the set of height {height} is not proven: {}", broken.why);
            return Err(Answer::NotRun(Missing::Proof, why));
        }
        let none = || Answer::Failed(format!("no set seals height {height}"));
        self.named_at(height).ok_or_else(none)
    }

    /// Whether block and anchor name the sets that the walk leads to; says where it ended.
    pub(super) fn last(&self, file: &EvidenceFile) -> Result<String, Answer> {
        if let Some(broken) = &self.broken {
            return Err(Answer::Failed(broken.why.clone()));
        }
        for header in [&file.header, file.anchor_header()] {
            self.named_by(file, header)?;
        }
        let (from, set) = self.steps.last().expect("named_by needs a set, so there is one");
        let changes = self.steps.len() - 1;
        let hash = set.hash(file.suite);
        Ok(format!("{changes} changes since the genesis; the set {hash} from height {from}"))
    }

    /// The header names the set in force at its height and, before the anchor, at the next.
    fn named_by(&self, file: &EvidenceFile, header: &Header) -> Result<(), Answer> {
        let mut named = vec![(header.height, header.validators)];
        if header.height < file.anchor_header().height {
            named.push((header.height.next(), header.next_validators));
        }
        for (height, got) in named {
            let expected = self.in_force(height)?.hash(file.suite);
            if got != expected {
                return Err(Answer::Failed(format!(
                    "at height {height} the genesis leads to the set {expected}, the header of \
                     height {} names {got}",
                    header.height
                )));
            }
        }
        Ok(())
    }
}
