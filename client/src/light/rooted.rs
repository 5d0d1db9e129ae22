//! E4: those who sealed are the validators that the genesis leads to.

use super::{check::Answer, sets::Sets, verdict::Missing};
use probata_genesis::Genesis;
use probata_types::EvidenceFile;

/// The chain that the file names is the one whose genesis the caller trusts.
pub(super) fn chain_is_the_genesis(file: &EvidenceFile, genesis: Option<&Genesis>) -> Answer {
    let Some(genesis) = genesis else {
        let why = format!("the file names chain {}; no genesis was given", file.chain);
        return Answer::NotRun(Missing::Genesis, why);
    };
    let same = genesis.chain() == file.chain && genesis.suite() == file.suite;
    Answer::that(same, format!("genesis {}, the file names {}", genesis.chain(), file.chain))
}

/// Each change of the set shown is sealed by the set before it, and block and anchor name the sets
/// that are then in force.
pub(super) fn validators_follow_from_genesis(file: &EvidenceFile, sets: &Sets<'_>) -> Answer {
    match sets.last(file) {
        Ok(last) => Answer::Passed(last),
        Err(answer) => answer,
    }
}
