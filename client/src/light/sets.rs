//! Which validator set is in force at a height, walked from the genesis, change by change.

use super::{check::Answer, verdict::Missing};
use probata_genesis::Genesis;
use probata_types::{EvidenceFile, Hash, Header, Height, ValidatorSet, evidence::SetChange};

/// The sets that the walk has proven, each from its first height, and where the walk broke.
pub(super) struct Sets<'a> {
    steps: Vec<(Height, &'a ValidatorSet)>,
    broken: Option<Break>,
}

struct Break {
    height: Height,
    why: String,
}

impl<'a> Sets<'a> {
    /// Walks the changes shown. Without a genesis nothing is known.
    pub(super) fn walk(file: &'a EvidenceFile, genesis: Option<&'a Genesis>) -> Self {
        let Some(genesis) = genesis else {
            return Self { steps: Vec::new(), broken: None };
        };
        let mut sets =
            Self { steps: vec![(Height::new(1), genesis.validator_set())], broken: None };
        for change in &file.sets {
            if let Err(why) = sets.step(file, &genesis.chain(), change) {
                sets.broken = Some(Break { height: change.header.height, why });
                break;
            }
        }
        sets
    }

    fn step(
        &mut self,
        file: &EvidenceFile,
        chain: &Hash,
        change: &'a SetChange,
    ) -> Result<(), String> {
        let (from, current) = self.steps.last().expect("a walk begins with the genesis set");
        let next = change.follow(chain, (*from, current))?;
        if change.header.height > file.anchor_header().height {
            return Err(format!(
                "the change at height {} is later than the anchor",
                change.header.height
            ));
        }
        self.steps.push((next, &change.set));
        Ok(())
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
        let step = self.steps.iter().rev().find(|(from, _)| *from <= height);
        step.map(|(_, set)| *set)
            .ok_or_else(|| Answer::Failed(format!("no set seals height {height}")))
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
