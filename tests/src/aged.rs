//! Evidence as it is after ten years, without sealing for ten years: a genuine file whose block and anchor stand among
//! a hundred million headers and whose state is one of some hundred million objects. Of all that is not in the file only
//! digests are needed, and any will do: the headers over them are sealed by the fixed keys of the consortium.

use crate::{
    consortium::{self, Purpose, SUITE},
    trouble::Trouble,
};
use probata_genesis::Genesis;
use probata_types::{
    Checkpoint, Domain, EvidenceFile, Hash, Header, Height, Index, List, Millis, Seal,
    ValidatorIndex, ValidatorSet, View, block,
    evidence::{Anchor, CheckpointFormat, HistoryLink, SetChange},
    merkle::{self, MerklePath, Place},
    outcome::OutcomeLeaf,
    seal::{SealVote, commit_digest},
    sparse,
    state::{StateKey, StateValue},
    submission::submission_leaf,
    validator::Validator,
};
use std::collections::{BTreeMap, BTreeSet};

/// The height of the anchor: ten years of a block each three seconds.
pub const HEIGHT: u64 = 100_000_000;
/// The height of the record's block.
pub const RECORDED: u64 = 37_654_321;
/// Depth of an object among a hundred million.
const STATE_DEPTH: usize = 28;
/// Submissions of a busy block; as many records.
const BLOCK: u32 = 64;
/// The record's place among them.
const AT: u32 = 37;
/// Milliseconds of ten years.
const TEN_YEARS: Millis = Millis::new(10 * 365 * 86_400_000);

/// The file after ten years and so many changes of the validator set, which lets one member go each time and takes
/// another in.
///
/// # Errors
/// [`Trouble`] if the file shows no state.
pub fn aged(file: &EvidenceFile, genesis: &Genesis, changes: u16) -> Result<EvidenceFile, Trouble> {
    let sets = Sets::new(u16::try_from(genesis.validator_set().size())?, changes)?;
    Ok(Aged::new(file, sets, &[])?.file)
}

/// A file after ten years, and what its chain is made of.
pub struct Aged {
    /// The file.
    pub file: EvidenceFile,
    /// Who sealed, and who else could.
    pub sets: Sets,
    headers: BTreeMap<u64, Header>,
    history: History,
    digests: Digests,
}

impl Aged {
    /// Ages a genuine file. At the heights given are headers that the file does not show.
    ///
    /// # Errors
    /// [`Trouble`] if the file shows no state.
    pub fn new(file: &EvidenceFile, sets: Sets, further: &[u64]) -> Result<Self, Trouble> {
        let history = History { known: BTreeMap::from([(0, file.chain)]), rest: BTreeMap::new() };
        let (headers, digests) = (BTreeMap::new(), Digests(0));
        let mut aged = Self { file: file.clone(), sets, headers, history, digests };
        let mut like = file.header.clone();
        busy(&mut aged.file, &mut like, &mut aged.digests)?;
        let epochs = aged.sets.epochs.len() - 1;
        let changes: Vec<u64> = (0..epochs).map(|epoch| aged.sets.last(epoch)).collect();
        let heights = changes.iter().chain(further).chain([&RECORDED]);
        for height in heights.copied().collect::<BTreeSet<u64>>() {
            aged.add(&like, height);
        }
        like.time = like.time.after(TEN_YEARS);
        like.state_root = deep_state(&mut aged.file, &mut aged.digests)?;
        aged.add(&like, HEIGHT);
        let history_path = aged.path(RECORDED, HEIGHT)?;
        let changes = changes.iter().enumerate().map(|(epoch, height)| {
            let header = aged.headers[height].clone();
            let set = aged.sets.set(epoch + 1).clone();
            Ok(SetChange { seal: aged.sets.seal(&header)?, header, set })
        });
        let changes = changes.collect::<Result<Vec<_>, Trouble>>()?;
        let (header, anchor) = (aged.headers[&RECORDED].clone(), aged.headers[&HEIGHT].clone());
        let file = &mut aged.file;
        file.seal = aged.sets.seal(&header)?;
        file.header = header;
        file.sets = List::new(changes)?;
        let seal = aged.sets.seal(&anchor)?;
        file.anchor = Some(Anchor { header: anchor, seal, history_path });
        file.links = List::empty();
        Ok(aged)
    }

    /// The header of a height that is known.
    ///
    /// # Errors
    /// [`Trouble`] if it is not.
    pub fn checkpoint(&self, height: u64) -> Result<Checkpoint, Trouble> {
        let header = self.headers.get(&height).ok_or_else(|| Trouble::new("an unknown height"))?;
        let sets = self.file.sets.iter().filter(|change| change.header.height <= header.height);
        Ok(Checkpoint {
            format: CheckpointFormat::Checkpoint,
            version: Checkpoint::VERSION,
            suite: SUITE,
            chain: header.chain,
            made_at: header.time,
            header: header.clone(),
            seal: self.sets.seal(header)?,
            sets: List::new(sets.cloned().collect())?,
        })
    }

    fn add(&mut self, like: &Header, height: u64) {
        let mut header = Header {
            height: Height::new(height),
            parent: self.digests.next(),
            history_root: self.history.root(height, &mut self.digests),
            ..like.clone()
        };
        self.sets.name(&mut header);
        self.history.known.insert(height, header.hash());
        self.headers.insert(height, header);
    }

    /// The place of one height in the history of another.
    ///
    /// # Errors
    /// [`Trouble`] if the path is too long for a file.
    pub fn path(&self, of: u64, size: u64) -> Result<MerklePath, Trouble> {
        let (mut history, mut digests) = (self.history.clone(), self.digests.clone());
        let mut siblings = Vec::new();
        history.climb((0, size), Some(of), (&mut digests, &mut siblings));
        Ok(MerklePath(List::new(siblings)?))
    }

    /// The same as a link of a file.
    ///
    /// # Errors
    /// As [`Self::path`].
    pub fn link(&self, of: u64, size: u64) -> Result<HistoryLink, Trouble> {
        let path = self.path(of, size)?;
        Ok(HistoryLink { of: Height::new(of), size: Height::new(size), path })
    }
}

/// The tree over all headers, of which few are known: any digest will do for a subtree without one of those.
#[derive(Clone)]
struct History {
    known: BTreeMap<u64, Hash>,
    rest: BTreeMap<(u64, u64), Hash>,
}

impl History {
    fn root(&mut self, size: u64, digests: &mut Digests) -> Hash {
        self.climb((0, size), None, (digests, &mut Vec::new()))
    }

    /// The root over the leaves from `from` to before `end`, and the siblings of a leaf among them, lowest first.
    fn climb(
        &mut self,
        (from, end): (u64, u64),
        leaf: Option<u64>,
        (digests, siblings): (&mut Digests, &mut Vec<Hash>),
    ) -> Hash {
        if self.known.range(from..end).next().is_none() {
            return *self.rest.entry((from, end)).or_insert_with(|| digests.next());
        }
        if end - from == 1 {
            return block::history_leaf(SUITE, &self.known[&from]);
        }
        let middle = from + (1 << (end - from - 1).ilog2());
        let side = |range: (u64, u64)| leaf.filter(|leaf| (range.0..range.1).contains(leaf));
        let (left, right) = ((from, middle), (middle, end));
        let first = self.climb(left, side(left), (&mut *digests, &mut *siblings));
        let second = self.climb(right, side(right), (&mut *digests, &mut *siblings));
        match (side(left), side(right)) {
            (Some(_), _) => siblings.push(second),
            (_, Some(_)) => siblings.push(first),
            _ => {}
        }
        merkle::node(SUITE, Domain::History, &first, &second)
    }
}

/// Puts the submission and the record's outcome into a busy block.
fn busy(
    file: &mut EvidenceFile,
    header: &mut Header,
    digests: &mut Digests,
) -> Result<(), Trouble> {
    let place = Place { index: u64::from(AT), size: u64::from(BLOCK) };
    let submission = &mut file.submission;
    let leaf = submission_leaf(SUITE, &submission.head.id(), &submission.signature);
    let (path, root) = digests.path(Domain::Submissions, place, &leaf)?;
    submission.place.index = Index::new(place.index);
    submission.place.path = path;
    (header.submission_count, header.submissions_root) = (BLOCK, root);
    let leaf: OutcomeLeaf = file.outcome_leaf();
    let (path, root) = digests.path(Domain::Outcomes, place, &leaf.digest(SUITE))?;
    file.outcome_place.index = Index::new(place.index);
    file.outcome_place.path = path;
    (header.record_count, header.outcomes_root) = (BLOCK, root);
    Ok(())
}

/// Puts flow and institution deep into one state, and says its root.
fn deep_state(file: &mut EvidenceFile, digests: &mut Digests) -> Result<Hash, Trouble> {
    let (flow, institution) = (file.record.flow, file.submission.head.institution);
    let state = file.state.as_mut().ok_or_else(|| Trouble::new("the file shows no state"))?;
    let keys = [StateKey::Flow(flow).hash(SUITE), StateKey::Institution(institution).hash(SUITE)];
    let values = [
        StateValue::Flow(Box::new(state.flow.value.clone())).hash(SUITE),
        StateValue::Institution(state.institution.value.clone()).hash(SUITE),
    ];
    let part = (0..STATE_DEPTH)
        .find(|depth| sparse::bit(&keys[0], *depth) != sparse::bit(&keys[1], *depth));
    let part = part.ok_or_else(|| Trouble::new("two keys that share their first bits"))?;
    // Each climbs to where they part, alone; from there up they share their siblings.
    let mut siblings = [Vec::new(), Vec::new()];
    let mut ends = [Hash::ZERO; 2];
    for (at, (key, value)) in keys.iter().zip(&values).enumerate() {
        siblings[at] = (part + 1..STATE_DEPTH).map(|_| digests.next()).collect();
        ends[at] = climb(key, sparse::leaf(SUITE, key, value), &siblings[at], STATE_DEPTH);
    }
    let above: Vec<Hash> = (0..part).map(|_| digests.next()).collect();
    let root = {
        let mut shared = vec![ends[1]];
        shared.extend(&above);
        climb(&keys[0], ends[0], &shared, part + 1)
    };
    for (at, path) in [&mut state.flow.path, &mut state.institution.path].into_iter().enumerate() {
        siblings[at].push(ends[1 - at]);
        siblings[at].extend(&above);
        path.siblings = List::new(std::mem::take(&mut siblings[at]))?;
        path.check_present(SUITE, &keys[at], &values[at], &root)?;
    }
    Ok(root)
}

/// From a node so deep up past its siblings.
fn climb(key: &Hash, node: Hash, siblings: &[Hash], depth: usize) -> Hash {
    siblings.iter().enumerate().fold(node, |below, (up, sibling)| {
        if sparse::bit(key, depth - 1 - up) {
            sparse::node(SUITE, sibling, &below)
        } else {
            sparse::node(SUITE, &below, sibling)
        }
    })
}

/// Digests of what is not in the file.
#[derive(Clone)]
struct Digests(u64);

impl Digests {
    fn next(&mut self) -> Hash {
        self.0 += 1;
        SUITE.hash(Domain::Record, &[&self.0.to_be_bytes()])
    }

    /// A path of digests from a leaf, and the root that it leads to.
    fn path(
        &mut self,
        domain: Domain,
        place: Place,
        leaf: &Hash,
    ) -> Result<(MerklePath, Hash), Trouble> {
        for length in 0..=64 {
            let path = MerklePath(List::new((0..length).map(|_| self.next()).collect())?);
            if let Ok(root) = path.root_from(SUITE, domain, place, leaf) {
                return Ok((path, root));
            }
        }
        Err(Trouble::new("a place has a path of some length"))
    }
}

/// The sets of the ten years, by the numbers of their members.
pub struct Sets {
    epochs: Vec<(Vec<u16>, ValidatorSet)>,
}

impl Sets {
    /// So many validators at first, of whom one goes and another comes with each change.
    ///
    /// # Errors
    /// [`Trouble`] for fewer than four validators.
    pub fn new(validators: u16, changes: u16) -> Result<Self, Trouble> {
        let mut numbers: Vec<u16> = (0..validators).collect();
        let mut epochs = vec![(numbers.clone(), set_of(&numbers)?)];
        for change in 0..changes {
            numbers.remove(0);
            numbers.push(validators + change);
            epochs.push((numbers.clone(), set_of(&numbers)?));
        }
        Ok(Self { epochs })
    }

    /// The height of the last header of an epoch, if another follows.
    fn last(&self, epoch: usize) -> u64 {
        HEIGHT / self.epochs.len() as u64 * (epoch as u64 + 1)
    }

    fn at(&self, height: u64) -> usize {
        (0..self.epochs.len() - 1)
            .find(|epoch| height <= self.last(*epoch))
            .unwrap_or(self.epochs.len() - 1)
    }

    /// The set of an epoch.
    pub fn set(&self, epoch: usize) -> &ValidatorSet {
        &self.epochs[epoch].1
    }

    /// Names the sets in force in a header.
    pub fn name(&self, header: &mut Header) {
        let height = header.height.get();
        header.validators = self.epochs[self.at(height)].1.hash(SUITE);
        header.next_validators = self.epochs[self.at(height + 1)].1.hash(SUITE);
    }

    /// By a quorum of the set in force.
    ///
    /// # Errors
    /// [`Trouble`] if it does not hold.
    pub fn seal(&self, header: &Header) -> Result<Seal, Trouble> {
        let epoch = self.at(header.height.get());
        let voters: Vec<u16> = (0..u16::try_from(self.set(epoch).quorum())?).collect();
        let seal = self.seal_by(header, epoch, (&voters, 3))?;
        seal.verify(header, self.set(epoch))?;
        Ok(seal)
    }

    /// By members of an epoch, at their places, in a view.
    ///
    /// # Errors
    /// [`Trouble`] for a place that the set does not have.
    pub fn seal_by(
        &self,
        header: &Header,
        epoch: usize,
        (voters, view): (&[u16], u64),
    ) -> Result<Seal, Trouble> {
        let (numbers, _) = &self.epochs[epoch];
        let view = View::new(view);
        let digest = commit_digest(SUITE, &header.chain, header.height, view, &header.hash());
        let votes = voters.iter().map(|at| {
            let number =
                numbers.get(usize::from(*at)).ok_or_else(|| Trouble::new("no such place"))?;
            let signature = consortium::pair(*number, Purpose::Validator).sign(&digest);
            Ok(SealVote { validator: ValidatorIndex(*at), signature })
        });
        Ok(Seal { view, votes: List::new(votes.collect::<Result<_, Trouble>>()?)? })
    }
}

fn set_of(numbers: &[u16]) -> Result<ValidatorSet, Trouble> {
    let validators = numbers.iter().map(|number| Validator {
        institution: consortium::institution(*number),
        key: consortium::pair(*number, Purpose::Validator).public(),
    });
    Ok(ValidatorSet::new(List::new(validators.collect())?)?)
}
