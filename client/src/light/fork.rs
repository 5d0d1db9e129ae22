//! Two valid seals at one height: the chain has forked, and no verdict on content is given.

use super::{
    check::Answer,
    sets::{Sets, Shown},
    verdict::Missing,
};
use probata_types::{EvidenceFile, Hash, Header, Seal, ValidatorSet};
use serde::Serialize;

/// A header with its seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SealedHeader {
    /// The header.
    pub header: Header,
    /// Its seal.
    pub seal: Seal,
}

/// Two different headers of one chain and height, both validly sealed: proof that more than f
/// validators lied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fork {
    /// One.
    pub first: SealedHeader,
    /// The other.
    pub second: SealedHeader,
}

/// Compares two sealed headers: a fork if they differ, are of one chain and height, and `set`
/// sealed both.
pub fn compare(first: &SealedHeader, second: &SealedHeader, set: &ValidatorSet) -> Option<Fork> {
    let (a, b) = (&first.header, &second.header);
    let both_sealed = || first.seal.verify(a, set).is_ok() && second.seal.verify(b, set).is_ok();
    (rivals(a, b) && both_sealed()).then(|| Fork { first: first.clone(), second: second.clone() })
}

/// Looks for a fork among the headers of the file and the one that comes from elsewhere.
pub(super) fn find(chain: &Hash, sets: &Sets<'_>) -> Option<Fork> {
    let mut valid: Vec<Shown<'_>> =
        sets.all_sealed().filter(|(header, _)| header.chain == *chain).collect();
    // Stable: of one height, what the file shows stays first.
    valid.sort_by_key(|(header, _)| header.height);
    let rivals = valid.windows(2).find(|pair| rivals(pair[0].0, pair[1].0))?;
    let of =
        |(header, seal): Shown<'_>| SealedHeader { header: header.clone(), seal: seal.clone() };
    Some(Fork { first: of(rivals[0]), second: of(rivals[1]) })
}

fn rivals(a: &Header, b: &Header) -> bool {
    a.chain == b.chain && a.height == b.height && a.hash() != b.hash()
}

/// What the second source says of a height that the file shows.
pub(super) fn second_source(file: &EvidenceFile, other: &SealedHeader, sets: &Sets<'_>) -> Answer {
    let header = &other.header;
    let shown = [&file.header, file.anchor_header()];
    let compared =
        format!("the second source's header {} of height {}", header.hash(), header.height);
    let sealed = match sets.sealed((header, &other.seal)) {
        Ok((_, sealed)) => sealed,
        Err(Answer::Failed(why)) => {
            return Answer::NotRun(Missing::Proof, format!("{compared}: {why}"));
        }
        Err(unknown) => return unknown,
    };
    if header.chain != file.chain {
        return Answer::NotRun(Missing::Proof, format!("{compared}: it is of another chain"));
    }
    if let Err(error) = sealed {
        return Answer::NotRun(Missing::Proof, format!("{compared}: {error}"));
    }
    match shown.into_iter().find(|ours| ours.height == header.height) {
        None => {
            let why = format!("{compared}: the file shows no header of that height");
            Answer::NotRun(Missing::Proof, why)
        }
        Some(ours) => Answer::that(
            ours.hash() == header.hash(),
            format!("{compared}, the file's is {}", ours.hash()),
        ),
    }
}
