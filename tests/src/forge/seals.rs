//! Seals of too few, of strangers, of two views, of sets that are not in force; changes of the set.

use super::{Base, Row};
use crate::trouble::Trouble;
use probata_types::{
    Domain, EvidenceFile, Height, List, Seal, ValidatorIndex, View,
    evidence::SetChange,
    seal::{SealVote, vote_digest},
};

pub(super) fn rows(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = spoiled(base)?;
    rows.extend(by_others(base)?);
    rows.extend(sets(base)?);
    Ok(rows)
}

/// The record's block, or the anchor: its name, its check, what is left.
const SEALED: [(&str, &str, &str); 2] =
    [("block", "block_seal", "E1"), ("anchor", "anchor_seal", "E2")];

fn with_seal(
    base: &Base,
    which: &str,
    change: impl FnOnce(&mut Seal),
) -> Result<EvidenceFile, Trouble> {
    let mut file = base.file();
    match (which, file.anchor.as_mut()) {
        ("anchor", Some(anchor)) => change(&mut anchor.seal),
        _ => change(&mut file.seal),
    }
    Ok(file)
}

fn votes(votes: Vec<SealVote>) -> List<SealVote, 128> {
    List::new(votes).unwrap_or_default()
}

fn spoiled(base: &Base) -> Result<Vec<Row>, Trouble> {
    let changes: [(&str, &str, &'static str, fn(&mut Seal)); 10] = [
        ("of two", "T10", "one vote less than a quorum", |seal| {
            seal.votes = votes(seal.votes.clone().into_vec()[..2].to_vec());
        }),
        ("of nobody", "T10", "there are no votes", |seal| seal.votes = List::empty()),
        ("of one three times", "T9", "one validator's vote makes a quorum", |seal| {
            let first = seal.votes[0].clone();
            seal.votes = votes(vec![first.clone(), first.clone(), first]);
        }),
        ("of one at three places", "T9", "one validator's signature stands for three", |seal| {
            let signature = seal.votes[0].signature;
            for vote in seal.votes.as_mut_slice() {
                vote.signature = signature;
            }
        }),
        ("of a stranger", "T10", "a validator that the set does not have", |seal| {
            if let Some(last) = seal.votes.as_mut_slice().last_mut() {
                last.validator = ValidatorIndex(9);
            }
        }),
        ("with two votes exchanged", "T9", "each of two stands at the other's place", |seal| {
            let list = seal.votes.as_mut_slice();
            let first = list[0].signature;
            list[0].signature = list[1].signature;
            list[1].signature = first;
        }),
        ("out of order", "T14", "the same votes in another order", |seal| {
            seal.votes.as_mut_slice().swap(0, 1)
        }),
        ("of another view", "T9", "the votes were for another view", |seal| {
            seal.view = seal.view.next()
        }),
        ("of the last view", "T22", "the view is the largest number", |seal| seal.view = View::MAX),
        ("with a bit turned", "T8", "one signature is another", |seal| {
            seal.votes.as_mut_slice()[1].signature.0[33] ^= 1;
        }),
    ];
    let mut rows = Vec::new();
    for (which, check, level) in SEALED {
        for (name, threat, attack, change) in &changes {
            let file = with_seal(base, which, change)?;
            let name = format!("seal of the {which} {name}");
            rows.push(Row::new(base, (&name, threat, attack), &file)?.fails(level, &[check]));
        }
    }
    let mut file = base.file();
    if let Some(anchor) = &file.anchor {
        file.seal = anchor.seal.clone();
    }
    let about = ("seal of another block", "T13", "the anchor's seal stands at the record's block");
    rows.push(Row::new(base, about, &file)?.fails("E1", &["block_seal"]));
    // Votes of two views, each of them genuine, together a quorum.
    let mut file = base.file();
    let sets = &base.contract.sets;
    let one = sets.seal_by(&file.header, 1, (&[0, 1], 3))?;
    let two = sets.seal_by(&file.header, 1, (&[2], 4))?;
    let mixed = one.votes.into_vec().into_iter().chain(two.votes.into_vec()).collect();
    file.seal = Seal { view: View::new(3), votes: votes(mixed) };
    let about = ("seal of two views", "T9", "two votes of one view and one of the next");
    rows.push(Row::new(base, about, &file)?.fails("E1", &["block_seal"]));
    // Prepare votes are no seal.
    let mut file = base.file();
    let hash = file.header.hash();
    let place = (file.header.height, View::new(3));
    let digest = vote_digest(file.suite, Domain::Prepare, &file.chain, place, &hash);
    let prepared = (0..3u16).map(|at| SealVote {
        validator: ValidatorIndex(at),
        signature: crate::consortium::pair(at + 1, crate::consortium::Purpose::Validator)
            .sign(&digest),
    });
    file.seal = Seal { view: View::new(3), votes: votes(prepared.collect()) };
    let about =
        ("seal of prepare votes", "T8", "a quorum has prepared the block, and not committed");
    rows.push(Row::new(base, about, &file)?.fails("E1", &["block_seal"]));
    let about = (
        "genuine sealed in a later view",
        "",
        "nothing: another quorum of another view has sealed the same block",
    );
    let mut file = base.file();
    file.seal = sets.seal_by(&file.header, 1, (&[1, 2, 3], 8))?;
    rows.push(Row::new(base, about, &file)?);
    let about = ("genuine sealed by all", "", "nothing: all four have sealed it");
    let mut file = base.file();
    file.seal = sets.seal_by(&file.header, 1, (&[0, 1, 2, 3], 8))?;
    rows.push(Row::new(base, about, &file)?);
    Ok(rows)
}

fn by_others(base: &Base) -> Result<Vec<Row>, Trouble> {
    let sets = &base.contract.sets;
    let quorum: &[u16] = &[0, 1, 2];
    let mut rows = Vec::new();
    for (name, epoch, attack) in [
        ("that has left", 0, "the set before seals the block"),
        ("that is not admitted yet", 2, "the set after seals the block"),
    ] {
        let mut file = base.file();
        file.seal = sets.seal_by(&file.header, epoch, (quorum, 3))?;
        let name = format!("seal by a set {name}");
        rows.push(Row::new(base, (&name, "T11", attack), &file)?.fails("E1", &["block_seal"]));
        file.header.validators = sets.set(epoch).hash(file.suite);
        file.seal = sets.seal_by(&file.header, epoch, (quorum, 3))?;
        let name = format!("{name}, which the block names");
        let all = ["block_seal", "history_path", "validators_follow_from_genesis"];
        rows.push(Row::new(base, (&name, "T11", attack), &file)?.fails("E1", &all));
    }
    // The set before the last seals an anchor of today, and keeps silent about the last change.
    let mut file = base.file();
    let old = sets.set(1).hash(file.suite);
    let anchor = file.anchor.as_mut().ok_or_else(|| Trouble::new("no anchor"))?;
    (anchor.header.validators, anchor.header.next_validators) = (old, old);
    anchor.seal = sets.seal_by(&anchor.header, 1, (quorum, 3))?;
    let about = (
        "anchor by a set that has left",
        "T11",
        "the change of the set is shown, and the set before it seals the anchor",
    );
    let all = ["anchor_seal", "validators_follow_from_genesis"];
    rows.push(Row::new(base, about, &file)?.fails("E2", &all));
    let first = file.sets.clone().into_vec()[..1].to_vec();
    file.sets = List::new(first)?;
    let about = (
        "anchor by a set that has left, its change hidden",
        "T11",
        "by itself this cannot be told: only a checkpoint shows it",
    );
    rows.push(Row::new(base, about, &file)?);
    let about = (
        "anchor by a set that has left, against a checkpoint",
        "T11",
        "the same, and the court has kept a header from after the change",
    );
    let mut row = Row::new(base, about, &file)?;
    row.checkpoint = Some(base.contract.checkpoint(80_000_000)?);
    rows.push(row.fails("E3", &["agrees_with_checkpoint"]));
    Ok(rows)
}

fn sets(base: &Base) -> Result<Vec<Row>, Trouble> {
    const WALK: &[&str] = &["validators_follow_from_genesis"];
    let genuine = base.file().sets.into_vec();
    let with = |sets: Vec<SetChange>| {
        Ok::<_, Trouble>(EvidenceFile { sets: List::new(sets)?, ..base.file() })
    };
    let (first, last) = (genuine[0].clone(), genuine[1].clone());
    let mut rows = Vec::new();
    let push = |name: &str, attack: &str, sets: Vec<SetChange>| -> Result<Row, Trouble> {
        Row::new(base, (name, "T11", attack), &with(sets)?)
    };
    let unproven: &[&str] = &["block_seal", "anchor_seal"];
    let row = push(
        "first change left out",
        "the file does not show how the first set handed over",
        vec![last.clone()],
    )?;
    rows.push(row.fails("E1", &["block_seal"]).fails("E1", WALK).not_run(&["anchor_seal"]));
    let row = push(
        "last change left out",
        "the file does not show the last change",
        vec![first.clone()],
    )?;
    rows.push(row.fails("E2", &["anchor_seal"]).fails("E2", WALK));
    let row = push("all changes left out", "the file shows no change", Vec::new())?;
    rows.push(row.fails("E1", &["block_seal", "anchor_seal"]).fails("E1", WALK));
    let row = push(
        "changes in the wrong order",
        "the later change stands first",
        vec![last.clone(), first.clone()],
    )?;
    rows.push(row.fails("E1", &["block_seal"]).fails("E1", WALK).not_run(&["anchor_seal"]));
    let row = push(
        "a change twice",
        "the first change stands twice",
        vec![first.clone(), first.clone(), last.clone()],
    )?;
    rows.push(row.fails("E1", WALK).not_run(unproven));
    let mut forged = first.clone();
    forged.set = base.contract.sets.set(2).clone();
    let row = push(
        "a change to another set",
        "the set shown is not the one that the header names",
        vec![forged, last.clone()],
    )?;
    rows.push(row.fails("E1", WALK).not_run(unproven));
    let mut named = first.clone();
    named.set = base.contract.sets.set(2).clone();
    named.header.next_validators = named.set.hash(named.header.suite);
    let row = push(
        "a change to a set of strangers",
        "the header is rewritten to name the set shown",
        vec![named, last.clone()],
    )?;
    rows.push(row.fails("E1", WALK).not_run(unproven));
    let mut few = first.clone();
    few.seal.votes = votes(few.seal.votes.into_vec()[..2].to_vec());
    let row = push(
        "a change sealed by too few",
        "two of the first set named the next",
        vec![few, last.clone()],
    )?;
    rows.push(row.fails("E1", WALK).not_run(unproven));
    let mut own = last.clone();
    own.seal = base.contract.sets.seal_by(&own.header, 2, (&[0, 1, 2], 3))?;
    let row = push(
        "a change sealed by the next set",
        "the newcomers have admitted themselves",
        vec![first.clone(), own],
    )?;
    rows.push(row.fails("E2", WALK).not_run(&["anchor_seal"]));
    let mut idle = first.clone();
    idle.header.height = Height::new(50_000_000);
    idle.header.validators = base.contract.sets.set(1).hash(idle.header.suite);
    idle.header.next_validators = idle.header.validators;
    idle.set = base.contract.sets.set(1).clone();
    idle.seal = base.contract.sets.seal(&idle.header)?;
    let row = push(
        "a change that changes nothing",
        "a header that hands over to its own set",
        vec![first.clone(), idle, last.clone()],
    )?;
    rows.push(row.fails("E2", WALK).not_run(&["anchor_seal"]));
    let mut late = last.clone();
    late.header.height = Height::new(crate::aged::HEIGHT + 1);
    late.header.validators = base.contract.sets.set(2).hash(late.header.suite);
    late.header.next_validators = base.contract.sets.set(0).hash(late.header.suite);
    late.set = base.contract.sets.set(0).clone();
    late.seal = base.contract.sets.seal_by(&late.header, 2, (&[0, 1, 2], 3))?;
    let row = push(
        "a change after the anchor",
        "a change that the anchor does not reach",
        vec![first.clone(), last.clone(), late],
    )?;
    rows.push(row.fails("E3", WALK));
    let mut moved = first;
    moved.header.height = Height::new(1);
    let row = push(
        "a change at another height",
        "the first change is said to have been at once",
        vec![moved, last],
    )?;
    rows.push(row.fails("", WALK).not_run(unproven).fails("E1", &[]));
    Ok(rows)
}
