//! Counts the votes of one view of one height, and reports thresholds and contradictions. Decides nothing.

use probata_types::{
    Hash, Header, Signature, ValidatorIndex, fault::SignedContent, seal::SealVote,
};
use std::collections::BTreeMap;

/// The votes of one view of one height. At most one of each kind for each validator.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    #[cfg(mutants)]
    repeated: usize,
    prepares: BTreeMap<ValidatorIndex, SignedContent>,
    commits: BTreeMap<ValidatorIndex, (Header, SignedContent)>,
}

/// What became of a vote.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Counted.
    New,
    /// The same vote again.
    Again,
    /// Another vote of the same validator counts already: here is what it signed.
    Contradicts(SignedContent),
}

impl Tally {
    pub(crate) fn prepare(
        &mut self,
        from: ValidatorIndex,
        digest: Hash,
        signature: Signature,
    ) -> Counted {
        match self.prepares.get(&from) {
            None => {
                self.prepares.insert(from, SignedContent { content: digest, signature });
                Counted::New
            }
            Some(first) if first.content == digest => {
                #[cfg(mutants)]
                (self.repeated += 1);
                Counted::Again
            }
            Some(first) => Counted::Contradicts(*first),
        }
    }

    pub(crate) fn commit(
        &mut self,
        from: ValidatorIndex,
        header: Header,
        signature: Signature,
    ) -> Counted {
        let content = header.hash();
        match self.commits.get(&from) {
            None => {
                self.commits.insert(from, (header, SignedContent { content, signature }));
                Counted::New
            }
            Some((_, first)) if first.content == content => Counted::Again,
            Some((_, first)) => Counted::Contradicts(*first),
        }
    }

    /// What a quorum is, where the same vote may count each time it comes.
    #[cfg(mutants)]
    fn enough(&self, quorum: usize) -> usize {
        let counted = if probata_types::mutated!(DuplicatesCount) { self.repeated } else { 0 };
        quorum.saturating_sub(counted).max(1)
    }

    /// The Prepare votes for a proposal, if they are a quorum: exactly that many, by ascending validator.
    pub(crate) fn prepare_quorum(&self, digest: &Hash, quorum: usize) -> Option<Vec<SealVote>> {
        #[cfg(mutants)]
        let quorum = self.enough(quorum);
        let votes = self.prepares.iter().filter(|(_, signed)| signed.content == *digest);
        first(votes.map(|(validator, signed)| (*validator, signed.signature)), quorum)
    }

    /// A header for which the Commit votes are a quorum, with exactly that many of them.
    pub(crate) fn commit_quorum(&self, quorum: usize) -> Option<(&Header, Vec<SealVote>)> {
        self.commits.values().find_map(|(header, signed)| {
            let same = self.commits.iter().filter(|(_, (_, it))| it.content == signed.content);
            let votes = first(same.map(|(validator, (_, it))| (*validator, it.signature)), quorum)?;
            Some((header, votes))
        })
    }

    /// Whether the Commit votes are so divided that no header can get a quorum any more.
    pub(crate) fn is_divided(&self, validators: usize, quorum: usize) -> bool {
        let mut groups: BTreeMap<Hash, usize> = BTreeMap::new();
        for (_, signed) in self.commits.values() {
            *groups.entry(signed.content).or_default() += 1;
        }
        let largest = groups.values().copied().max().unwrap_or_default();
        let missing = validators - self.commits.len();
        largest + missing < quorum
    }

    /// Who voted Commit for another header than this one, and for which.
    pub(crate) fn commits_unlike(&self, header: &Hash) -> Vec<(ValidatorIndex, Header)> {
        let unlike = self.commits.iter().filter(|(_, (_, signed))| signed.content != *header);
        unlike.map(|(validator, (header, _))| (*validator, header.clone())).collect()
    }

    /// Somebody who voted Commit for this header.
    pub(crate) fn committer_of(
        &self,
        header: &Hash,
        except: ValidatorIndex,
    ) -> Option<ValidatorIndex> {
        self.commits
            .iter()
            .find(|(validator, (_, signed))| signed.content == *header && **validator != except)
            .map(|(validator, _)| *validator)
    }

    /// How many validators voted, in the phase in which most did.
    pub(crate) fn voters(&self) -> usize {
        self.prepares.len().max(self.commits.len())
    }

    /// Number of Prepare and Commit votes, for people.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.prepares.len(), self.commits.len())
    }
}

fn first(
    votes: impl Iterator<Item = (ValidatorIndex, Signature)>,
    quorum: usize,
) -> Option<Vec<SealVote>> {
    let votes: Vec<SealVote> = votes
        .take(quorum)
        .map(|(validator, signature)| SealVote { validator, signature })
        .collect();
    (votes.len() == quorum).then_some(votes)
}
