//! Which validators seal which height, as far as it is proven from genesis. A client keeps what it has
//! proven, and asks for more when an answer names a set that it does not know.

use super::{
    client::Client,
    error::ClientError,
    http::{Ask, Reply},
};
use probata_genesis::Genesis;
use probata_types::{
    Epoch, Hash, Height, List, ValidatorSet, evidence::SetChange, limits::EVIDENCE_SETS,
};
use serde::Deserialize;
use std::sync::Arc;
use tokio::time::Instant;

/// Where a node shows the changes.
const EPOCHS: &str = "/v1/epochs";

/// Why an answer is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It cannot be true.
    Lie(String),
    /// It may be true if the validator set has changed since the newest change that is known.
    UnknownSet(String),
}

impl Doubt {
    fn why(self) -> String {
        match self {
            Self::Lie(why) | Self::UnknownSet(why) => why,
        }
    }
}

/// How a node failed to be believed.
#[derive(Debug)]
pub(super) enum NotBelieved {
    /// Its answer does not verify.
    Lied(String),
    /// It did not show the set changes that its answer needs.
    NoSets(Result<Reply, String>),
}

#[derive(Deserialize)]
struct EpochsAnswer {
    changes: Changes,
}

/// The validator sets, each with its hash and the first height that it seals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProvenSets {
    steps: Vec<(Height, Hash, ValidatorSet)>,
    /// The proofs of all steps but the first.
    changes: Arc<Changes>,
}

/// The changes of the validator set, as an evidence file has them.
pub(super) type Changes = List<SetChange, EVIDENCE_SETS>;

impl ProvenSets {
    /// What genesis alone proves.
    pub(super) fn of_genesis(genesis: &Genesis) -> Self {
        let set = genesis.validator_set();
        let first = (Height::new(1), set.hash(genesis.suite()), set.clone());
        Self { steps: vec![first], changes: Arc::default() }
    }

    /// Walks the changes that a node shows, first to last, from genesis.
    pub(super) fn walk(genesis: &Genesis, bytes: &[u8]) -> Result<Self, String> {
        let answer: EpochsAnswer =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut sets = Self::of_genesis(genesis);
        for change in &answer.changes {
            let (from, _, current) = sets.steps.last().expect("a walk begins with genesis");
            let next = change.follow(&genesis.chain(), (*from, current))?;
            sets.steps.push((next, change.header.next_validators, change.set.clone()));
        }
        sets.changes = Arc::new(answer.changes);
        Ok(sets)
    }

    /// Whether this walk goes further than another one.
    pub(super) const fn is_longer_than(&self, other: &Self) -> bool {
        self.steps.len() > other.steps.len()
    }

    /// The set that seals a height, and its hash, by the newest change that is known.
    pub(super) fn in_force(&self, height: Height) -> (&Hash, &ValidatorSet) {
        let step = self.steps.iter().rev().find(|(from, ..)| *from <= height);
        let (_, hash, set) = step.unwrap_or(&self.steps[0]);
        (hash, set)
    }

    /// The set that seals a height, if it is the one that a header names.
    pub(super) fn known(&self, height: Height, named: &Hash) -> Result<&ValidatorSet, Doubt> {
        let (hash, set) = self.in_force(height);
        if hash == named {
            return Ok(set);
        }
        let why = format!("at height {height} the genesis leads to the set {hash}, not to {named}");
        Err(Doubt::UnknownSet(why))
    }

    /// The changes that prove the sets after that of genesis.
    pub(super) fn changes(&self) -> Arc<Changes> {
        Arc::clone(&self.changes)
    }

    /// Whether one of the two walks goes on where the other one ends. Two that both hold and differ are of
    /// a chain that has forked: the later one is not believed.
    pub(super) fn goes_on_from(&self, known: &Self) -> Result<(), String> {
        if self.steps.iter().zip(&known.steps).all(|(one, other)| one == other) {
            return Ok(());
        }
        Err("other changes of the validator set than those proven already: a fork".to_owned())
    }

    /// The sets by their numbers.
    pub(super) fn epochs(&self) -> Vec<Epoch> {
        let epochs = (0..).zip(&self.steps);
        epochs
            .map(|(number, (first, _, set))| Epoch { number, first: *first, set: set.clone() })
            .collect()
    }
}

impl Client {
    /// Judges a node's answer by the sets that are proven. If it names a set that is not known, the same
    /// node has to prove it.
    pub(super) async fn believe<T, B>(
        &self,
        (node, end): (&str, Instant),
        bytes: Vec<u8>,
        believe: &Arc<B>,
    ) -> Result<T, NotBelieved>
    where
        T: Send + 'static,
        B: Fn(&[u8], &ProvenSets) -> Result<T, Doubt> + Send + Sync + 'static,
    {
        let bytes = Arc::new(bytes);
        match self.judge(Arc::clone(&bytes), believe).await {
            Err(Doubt::UnknownSet(_)) => {
                self.refresh_sets(node, end).await?;
                let again = self.judge(bytes, believe).await;
                again.map_err(|doubt| NotBelieved::Lied(doubt.why()))
            }
            judged => judged.map_err(|doubt| NotBelieved::Lied(doubt.why())),
        }
    }

    async fn judge<T, B>(&self, bytes: Arc<Vec<u8>>, believe: &Arc<B>) -> Result<T, Doubt>
    where
        T: Send + 'static,
        B: Fn(&[u8], &ProvenSets) -> Result<T, Doubt> + Send + Sync + 'static,
    {
        let (sets, believe) = (self.sets(), Arc::clone(believe));
        super::client::blocking(move || believe(&bytes, &sets)).await
    }

    /// Asks nodes for all changes of the validator set until one shows some that hold.
    pub(super) async fn learn_sets(&self) -> Result<(), ClientError> {
        let genesis = self.genesis().clone();
        let believe = move |bytes: &[u8], sets: &ProvenSets| {
            let walked = ProvenSets::walk(&genesis, bytes).map_err(Doubt::Lie)?;
            walked.goes_on_from(sets).map_err(Doubt::Lie)?;
            Ok(walked)
        };
        let walked = self.ask_with_sets(Ask::Read(EPOCHS.to_owned()), believe).await?;
        self.keep_sets(walked);
        Ok(())
    }

    /// Asks a node for all changes of the validator set, and keeps them if they hold.
    async fn refresh_sets(&self, node: &str, end: Instant) -> Result<(), NotBelieved> {
        let reply = match self.ask_node(node, &Ask::Read(EPOCHS.to_owned()), end).await {
            Ok(Reply::Answer(bytes)) => bytes,
            other => return Err(NotBelieved::NoSets(other)),
        };
        let genesis = self.genesis().clone();
        let walked = super::client::blocking(move || ProvenSets::walk(&genesis, &reply)).await;
        let walked = walked.map_err(|why| NotBelieved::Lied(format!("{EPOCHS}: {why}")))?;
        walked.goes_on_from(&self.sets()).map_err(NotBelieved::Lied)?;
        self.keep_sets(walked);
        Ok(())
    }
}
