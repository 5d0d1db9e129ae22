//! E4, where the caller keeps a checkpoint: the file tells the same history as the header that the caller pinned.
//!
//! Whoever holds the keys of a quorum of a *retired* set can seal another history, and another anchor over it, which
//! reads well from the genesis on if the change of the set is left out. He cannot change what a court has kept. So
//! the record's block and the anchor must each stand in the history of the checkpoint, if they are not later; and if
//! the anchor is later, the changes of the set must pass through the sets that the checkpoint names. That the
//! anchor's history holds the checkpoint is shown too, but proves nothing about the retired: he who seals an anchor
//! chooses what its history holds.

use super::{check::Answer, sets::Sets, verdict::Missing};
use probata_types::{Checkpoint, EvidenceFile, Header, Height};

/// The file tells the history that the checkpoint does.
pub(super) fn agrees_with_checkpoint(
    file: &EvidenceFile,
    checkpoint: &Checkpoint,
    sets: &Sets<'_>,
) -> Answer {
    let pinned = &checkpoint.header;
    let told = format!("checkpoint {} of height {}", pinned.hash(), pinned.height);
    match agreement(file, checkpoint, sets) {
        Ok(how) => Answer::Passed(format!("{told}: {how}")),
        Err(Answer::Failed(why)) => Answer::Failed(format!("{told}: {why}")),
        Err(Answer::NotPresent(missing, why)) => {
            Answer::NotPresent(missing, format!("{told}: {why}"))
        }
        Err(other) => other,
    }
}

fn agreement(
    file: &EvidenceFile,
    checkpoint: &Checkpoint,
    sets: &Sets<'_>,
) -> Result<String, Answer> {
    let pinned = &checkpoint.header;
    if checkpoint.chain != file.chain {
        return Err(Answer::Failed(format!("it is of chain {}", checkpoint.chain)));
    }
    let (header, anchor) = (&file.header, file.anchor_header());
    let changes = file.sets.iter().map(|change| &change.header);
    for shown in [header, anchor].into_iter().chain(changes) {
        if shown.height == pinned.height && shown.hash() != pinned.hash() {
            let why = format!("the file shows {} at that height", shown.hash());
            return Err(Answer::Failed(why));
        }
    }
    if anchor.height <= pinned.height {
        holds(file, pinned, anchor)?;
        return Ok(format!("its history holds the anchor of height {}", anchor.height));
    }
    for (height, named) in
        [(pinned.height, pinned.validators), (pinned.height.next(), pinned.next_validators)]
    {
        let walked = sets.in_force(height)?.hash(file.suite);
        if walked != named {
            return Err(Answer::Failed(format!(
                "it names the set {named} for height {height}, the file leads to {walked}"
            )));
        }
    }
    holds(file, anchor, pinned)?;
    if header.height <= pinned.height {
        holds(file, pinned, header)?;
        return Ok(format!("its history holds the block of height {}", header.height));
    }
    Ok(format!("the anchor of height {} goes on from it", anchor.height))
}

/// The history of `later` holds `earlier`, by a link of the file if they are not the same.
fn holds(file: &EvidenceFile, later: &Header, earlier: &Header) -> Result<(), Answer> {
    if later.height == earlier.height {
        return Ok(()); // They were compared.
    }
    let (of, size): (Height, Height) = (earlier.height, later.height);
    let link = file.links.iter().find(|link| link.of == of && link.size == size);
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
