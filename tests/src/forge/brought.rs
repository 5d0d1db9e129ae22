//! What the caller brings: a genesis, a day, a record, a second source, a checkpoint.

use super::{Base, Row, Trusted, base::PINNED, places::missing_documents};
use crate::{aged::HEIGHT, trouble::Trouble};
use probata_types::{Checkpoint, EvidenceFile, Hash, Header, List, Timestamp};

pub(super) fn rows(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = asked(base)?;
    rows.extend(second_sources(base)?);
    rows.extend(checkpoints(base)?);
    rows.extend(long_range(base)?);
    Ok(rows)
}

fn asked(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = Vec::new();
    let file = base.file();
    let genuine = |about: (&str, &'static str, &str)| Row::new(base, about, &base.file());
    let rooted =
        ["block_seal", "anchor_seal", "chain_is_the_genesis", "validators_follow_from_genesis"];
    let mut row = genuine(("genuine without a genesis", "", "nothing: nobody knows who sealed"))?;
    row.genesis = Trusted::None;
    rows.push(row.indeterminate("E1", &rooted, "not_run"));
    let mut row = genuine((
        "consortium of one's own",
        "T10",
        "everything is genuine, of a chain that the court does not trust",
    ))?;
    row.genesis = Trusted::Other;
    // The other consortium has the same members: only the chain is another.
    rows.push(row.fails("E3", &["chain_is_the_genesis"]));
    let mut row = genuine(("genuine record that is asked for", "", "nothing"))?;
    row.record = Some(file.record_id().to_string());
    rows.push(row);
    let mut row = genuine((
        "another record than is asked for",
        "T2",
        "the file of another record is handed over",
    ))?;
    row.record = Some("ab".repeat(32));
    rows.push(row.fails("E5", &["record_is_the_one_asked_for"]));
    let sealed = file.header.time;
    let mut row =
        genuine(("asked for a day before the record", "", "nothing: it was not there yet"))?;
    row.as_of = Some(Timestamp::new(sealed.get() - 1));
    rows.push(row.indeterminate("E5", &["recorded_by_as_of"], "not_present").finding(&[60_002]));
    let mut row =
        genuine(("asked for the moment of the record", "", "nothing: the status shown is later"))?;
    row.as_of = Some(sealed);
    rows.push(row.with_findings(&[60_002]));
    let mut row = genuine(("asked for the day of the anchor", "", "nothing"))?;
    row.as_of = Some(file.anchor_header().time);
    rows.push(row);
    Ok(rows)
}

/// The anchor as another node shows it, or another header of its height.
fn of_anchor(base: &Base, change: impl FnOnce(&mut Header)) -> Result<Checkpoint, Trouble> {
    let mut checkpoint = Checkpoint::of_anchor(&base.file());
    change(&mut checkpoint.header);
    checkpoint.seal = base.contract.sets.seal(&checkpoint.header)?;
    Ok(checkpoint)
}

fn second_sources(base: &Base) -> Result<Vec<Row>, Trouble> {
    const SECOND: &[&str] = &["second_source"];
    let mut rows = Vec::new();
    let genuine = |about: (&str, &'static str, &str)| Row::new(base, about, &base.file());
    let mut row = genuine(("second source that agrees", "", "nothing"))?;
    row.second = Some(of_anchor(base, |_| ())?);
    rows.push(row);
    let mut row = genuine((
        "fork at the anchor",
        "T10",
        "another node shows another sealed header of the anchor's height",
    ))?;
    row.second = Some(of_anchor(base, |header| header.state_root = Hash([9; 32]))?);
    rows.push(row.fails("E5", SECOND).forked());
    let mut row = genuine((
        "fork at the record's block",
        "T10",
        "another node shows another sealed header of the block's height",
    ))?;
    let mut rival = Checkpoint::of_anchor(&EvidenceFile { anchor: None, ..base.file() });
    rival.header.time = rival.header.time.saturating_add(1);
    rival.seal = base.contract.sets.seal(&rival.header)?;
    row.second = Some(rival);
    rows.push(row.fails("E5", SECOND).forked());
    let mut row = genuine(("second source that is not sealed", "T12", "a node makes up a header"))?;
    let mut made_up = of_anchor(base, |header| header.state_root = Hash([9; 32]))?;
    made_up.seal = Checkpoint::of_anchor(&base.file()).seal;
    row.second = Some(made_up);
    rows.push(row.indeterminate("E5", SECOND, "not_run"));
    let mut row = genuine((
        "second source of another height",
        "T12",
        "a genuine header that the file does not show",
    ))?;
    row.second = Some(base.contract.checkpoint(PINNED[2])?);
    rows.push(row.indeterminate("E5", SECOND, "not_run"));
    // Two sealed headers of one height in the file itself.
    let mut file = base.file();
    let mut rival = file.header.clone();
    rival.state_root = Hash([9; 32]);
    let seal = base.contract.sets.seal(&rival)?;
    if let Some(anchor) = &mut file.anchor {
        (anchor.header, anchor.seal) = (rival, seal);
    }
    file.sets = List::new(file.sets.into_vec()[..1].to_vec())?;
    let about = (
        "fork inside the file",
        "T10",
        "the anchor is another sealed header of the block's height",
    );
    let row = Row::new(base, about, &file)?;
    rows.push(row.fails("E2", &["history_path", "flow_state", "institution_state"]).forked());
    Ok(rows)
}

fn linked(base: &Base, links: &[(u64, u64)]) -> Result<EvidenceFile, Trouble> {
    let mut file = base.file();
    for (of, size) in links {
        file.links.push(base.contract.link(*of, *size)?)?;
    }
    Ok(file)
}

fn checkpoints(base: &Base) -> Result<Vec<Row>, Trouble> {
    const CHECK: &[&str] = &["agrees_with_checkpoint"];
    let recorded = crate::aged::RECORDED;
    let mut rows = Vec::new();
    for pinned in PINNED {
        let mut links = vec![(pinned, HEIGHT)];
        if recorded < pinned {
            links.push((recorded, pinned));
        }
        let file = linked(base, &links)?;
        let name = format!("checkpoint of height {pinned}");
        let mut row =
            Row::new(base, (&name, "", "nothing: the file tells the same history"), &file)?;
        row.checkpoint = Some(base.contract.checkpoint(pinned)?);
        rows.push(row);
        let name = format!("{name} without links");
        let mut row = Row::new(
            base,
            (&name, "", "nothing: the file was made without the checkpoint"),
            &base.file(),
        )?;
        row.checkpoint = Some(base.contract.checkpoint(pinned)?);
        rows.push(row.indeterminate("E3", CHECK, "not_present"));
    }
    for (name, height) in [("anchor", HEIGHT), ("block", recorded)] {
        let links: &[(u64, u64)] = if name == "block" { &[(recorded, HEIGHT)] } else { &[] };
        let mut row = Row::new(
            base,
            (&format!("checkpoint that is the {name}"), "", "nothing"),
            &linked(base, links)?,
        )?;
        row.checkpoint = Some(base.contract.checkpoint(height)?);
        rows.push(row);
    }
    let mut file = linked(base, &[(PINNED[2], HEIGHT), (recorded, PINNED[2])])?;
    let links = file.links.as_mut_slice();
    let first = links[0].path.clone();
    links[0].path = links[1].path.clone();
    links[1].path = first;
    let mut row =
        Row::new(base, ("links exchanged", "T13", "each link has the path of the other"), &file)?;
    row.checkpoint = Some(base.contract.checkpoint(PINNED[2])?);
    rows.push(row.fails("E3", CHECK));
    let file = linked(base, &[(PINNED[2], HEIGHT), (recorded, PINNED[2])])?;
    let mut row = Row::new(
        base,
        (
            "checkpoint of a fork",
            "T10",
            "the court has kept another header of that height, sealed by the same set",
        ),
        &file,
    )?;
    let mut rival = base.contract.checkpoint(PINNED[2])?;
    rival.header.time = rival.header.time.saturating_add(1);
    rival.seal = base.contract.sets.seal(&rival.header)?;
    row.checkpoint = Some(rival);
    rows.push(row.fails("E3", CHECK));
    let mut row = Row::new(
        base,
        ("checkpoint of another chain", "T8", "the court has kept a header of another chain"),
        &file,
    )?;
    let mut other = base.contract.checkpoint(PINNED[2])?;
    other.chain = base.other_genesis.chain();
    row.checkpoint = Some(other);
    rows.push(row.fails("E3", CHECK));
    Ok(rows)
}

/// All keys of the first set leak after it has handed over.
fn long_range(base: &Base) -> Result<Vec<Row>, Trouble> {
    const CHECK: &[&str] = &["agrees_with_checkpoint"];
    let forged = &base.forged_history;
    let mut rows = Vec::new();
    let about = (
        "forged history by itself",
        "T11",
        "the first set's keys seal ten years of their own: by itself this cannot be told",
    );
    let row = Row::new(base, about, &forged.file)?.alone();
    rows.push(missing_documents(row, &forged.file));
    for pinned in PINNED {
        let mut file = forged.file.clone();
        file.links.push(forged.link(pinned, HEIGHT)?)?;
        if crate::aged::RECORDED < pinned {
            file.links.push(forged.link(crate::aged::RECORDED, pinned)?)?;
        }
        let name = format!("forged history against a checkpoint of height {pinned}");
        let attack = "the same, and the court has kept a header of the genuine history";
        let mut row = Row::new(base, (&name, "T11", attack), &file)?.alone();
        row.checkpoint = Some(base.contract.checkpoint(pinned)?);
        let row = row.fails("E3", CHECK);
        rows.push(missing_documents(row, &file));
    }
    Ok(rows)
}
