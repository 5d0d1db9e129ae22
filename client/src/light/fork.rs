//! Two valid seals at one height: the chain has forked, and no verdict on content is given.

use super::{check::Answer, sets::Sets, verdict::Missing};
use probata_types::{EvidenceFile, Header, Seal, ValidatorSet};
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

/// Looks for a fork among the headers of the file and the one of a second source.
pub(super) fn find(
    file: &EvidenceFile,
    other: Option<&SealedHeader>,
    sets: &Sets<'_>,
) -> Option<Fork> {
    let shown =
        |header: &Header, seal: &Seal| SealedHeader { header: header.clone(), seal: seal.clone() };
    let mut headers = vec![shown(&file.header, &file.seal)];
    headers.extend(file.anchor.iter().map(|anchor| shown(&anchor.header, &anchor.seal)));
    headers.extend(file.sets.iter().map(|change| shown(&change.header, &change.seal)));
    headers.extend(other.cloned());
    let mut valid: Vec<SealedHeader> = headers
        .into_iter()
        .filter(|one| {
            let set = sets.in_force(one.header.height);
            one.header.chain == file.chain
                && set.is_ok_and(|set| one.seal.verify(&one.header, set).is_ok())
        })
        .collect();
    // Stable: of one height, what the file shows stays first.
    valid.sort_by_key(|one| one.header.height);
    valid
        .windows(2)
        .find(|pair| rivals(&pair[0].header, &pair[1].header))
        .map(|pair| Fork { first: pair[0].clone(), second: pair[1].clone() })
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
    let set = match sets.in_force(header.height) {
        Ok(set) => set,
        Err(unknown) => return unknown,
    };
    if header.chain != file.chain {
        return Answer::NotRun(Missing::Proof, format!("{compared}: it is of another chain"));
    }
    if let Err(error) = other.seal.verify(header, set) {
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
