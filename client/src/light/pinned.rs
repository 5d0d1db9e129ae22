//! E4, where the caller keeps a checkpoint: the file tells the same history as the header that the caller pinned.
//!
//! Whoever holds the keys of a quorum of a *retired* set can seal another history, and another anchor over it, which
//! reads well from the genesis on if the change of the set is left out. He cannot change what a court has kept. So
//! the record's block and the anchor must each stand in the history of the checkpoint, if they are not later; and if
//! the anchor is later, the changes of the set must pass through the sets that the checkpoint names. That the
//! anchor's history holds the checkpoint is shown too, but proves nothing about the retired: he who seals an anchor
//! chooses what its history holds.

use super::{check::Answer, sets::Sets, verdict::Missing};
use probata_types::{
    AbsenceFile, Checkpoint, EvidenceFile, Hash, Header, Height, evidence::HistoryLink,
};

/// What a file tells of the history.
pub(super) struct Told<'a> {
    chain: Hash,
    /// Every header that it shows.
    headers: Vec<&'a Header>,
    /// Those that must stand in the history of a later checkpoint.
    blocks: Vec<&'a Header>,
    anchor: &'a Header,
    links: &'a [HistoryLink],
}

impl<'a> From<&'a EvidenceFile> for Told<'a> {
    fn from(file: &'a EvidenceFile) -> Self {
        let (header, anchor) = (&file.header, file.anchor_header());
        let changes = file.sets.iter().map(|change| &change.header);
        let headers = [header, anchor].into_iter().chain(changes).collect();
        Self { chain: file.chain, headers, blocks: vec![header], anchor, links: &file.links }
    }
}

impl<'a> From<&'a AbsenceFile> for Told<'a> {
    fn from(file: &'a AbsenceFile) -> Self {
        let changes = file.sets.iter().map(|change| &change.header);
        let headers = std::iter::once(&file.header).chain(changes).collect();
        let (chain, anchor) = (file.chain, &file.header);
        Self { chain, headers, blocks: Vec::new(), anchor, links: &file.links }
    }
}

/// The file tells the history that the checkpoint does.
pub(super) fn agrees_with_checkpoint(
    told: &Told<'_>,
    checkpoint: &Checkpoint,
    sets: &Sets<'_>,
) -> Answer {
    let pinned = &checkpoint.header;
    let name = format!("checkpoint {} of height {}", pinned.hash(), pinned.height);
    match agreement(told, checkpoint, sets) {
        Ok(how) => Answer::Passed(format!("{name}: {how}")),
        Err(Answer::Failed(why)) => Answer::Failed(format!("{name}: {why}")),
        Err(Answer::NotPresent(missing, why)) => {
            Answer::NotPresent(missing, format!("{name}: {why}"))
        }
        Err(other) => other,
    }
}

fn agreement(told: &Told<'_>, checkpoint: &Checkpoint, sets: &Sets<'_>) -> Result<String, Answer> {
    let (pinned, anchor) = (&checkpoint.header, told.anchor);
    if checkpoint.chain != told.chain {
        return Err(Answer::Failed(format!("it is of chain {}", checkpoint.chain)));
    }
    for shown in &told.headers {
        if shown.height == pinned.height && shown.hash() != pinned.hash() {
            let why = format!("the file shows {} at that height", shown.hash());
            return Err(Answer::Failed(why));
        }
    }
    if anchor.height <= pinned.height {
        holds(told, pinned, anchor)?;
        return Ok(format!("its history holds the anchor of height {}", anchor.height));
    }
    for (height, named) in [
        (pinned.height, pinned.validators),
        (pinned.height.saturating_add(1), pinned.next_validators),
    ] {
        let walked = sets.in_force(height)?.hash(pinned.suite);
        if walked != named {
            return Err(Answer::Failed(format!(
                "it names the set {named} for height {height}, the file leads to {walked}"
            )));
        }
    }
    holds(told, anchor, pinned)?;
    for block in told.blocks.iter().filter(|block| block.height <= pinned.height) {
        holds(told, pinned, block)?;
    }
    Ok(format!("the anchor of height {} goes on from it", anchor.height))
}

/// The history of `later` holds `earlier`, by a link of the file if they are not the same.
fn holds(told: &Told<'_>, later: &Header, earlier: &Header) -> Result<(), Answer> {
    if later.height == earlier.height {
        return Ok(()); // They were compared.
    }
    let (of, size): (Height, Height) = (earlier.height, later.height);
    let link = told.links.iter().find(|link| link.of == of && link.size == size);
    let link = link.ok_or_else(|| {
        Answer::NotPresent(
            Missing::Checkpoint,
            format!(
                "the file does not show height {of} in the history of height {size}; have it refreshed \
                 against this checkpoint"
            ),
        )
    })?;
    link.check(&earlier.hash(), later).map_err(|error| {
        let hash = earlier.hash();
        Answer::Failed(format!("height {size} does not hold {hash} at height {of}: {error}"))
    })
}
