//! Records moved to other places; headers rewritten; histories that hold other blocks.

use super::{Base, Row};
use crate::trouble::Trouble;
use probata_types::{
    EvidenceFile, Hash, Header, Height, Index, List, Timestamp, ValidatorIndex,
    evidence::{Anchor, ShownPlace},
    limits::MAX_SAFE_INTEGER,
    merkle::MerklePath,
};

pub(super) fn rows(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = paths(base)?;
    rows.extend(headers(base)?);
    rows.extend(anchors(base)?);
    rows.extend(histories(base)?);
    Ok(rows)
}

type Place = fn(&mut EvidenceFile) -> &mut ShownPlace;

/// The three trees with the check of each and the level that is left if it fails.
const TREES: [(&str, &str, &str, Place); 3] = [
    ("record", "record_in_submission", "", |file| &mut file.record_place),
    ("submission", "submission_in_block", "E1", |file| &mut file.submission.place),
    ("outcome", "outcome_in_block", "E1", |file| &mut file.outcome_place),
];

fn paths(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = Vec::new();
    for (tree, check, level, place) in TREES {
        let changes: [(&str, &str, fn(&mut ShownPlace)); 6] = [
            ("at the next place", "it stands one further", |it| it.index = it.index.next()),
            ("beyond the tree", "its place is the largest number", |it| {
                it.index = Index::new(MAX_SAFE_INTEGER);
            }),
            ("with a longer path", "a digest more leads to the root", |it| {
                let mut path = it.path.0.clone().into_vec();
                path.push(Hash([1; 32]));
                it.path = MerklePath(List::new(path).unwrap_or_default());
            }),
            ("with 64 digests", "the longest path that the format has", |it| {
                it.path = MerklePath(List::new(vec![Hash([1; 32]); 64]).unwrap_or_default());
            }),
            (
                "with a shorter path",
                "it begins at an inner node: a node is shown as a leaf",
                |it| {
                    let mut path = it.path.0.clone().into_vec();
                    if path.pop().is_none() {
                        it.index = it.index.next();
                    }
                    it.path = MerklePath(List::new(path).unwrap_or_default());
                },
            ),
            ("with a bit of the path turned", "a sibling is another", |it| {
                let mut path = it.path.0.clone().into_vec();
                match path.first_mut() {
                    Some(first) => first.0[0] ^= 1,
                    None => path.push(Hash::ZERO),
                }
                it.path = MerklePath(List::new(path).unwrap_or_default());
            }),
        ];
        for (name, attack, change) in changes {
            let name = format!("{tree} {name}");
            let mut file = base.file();
            change(place(&mut file));
            rows.push(Row::new(base, (&name, "T13", attack), &file)?.fails(level, &[check]));
        }
    }
    let mut file = base.file();
    let (submission, outcome) = (file.submission.place.clone(), file.outcome_place.clone());
    (file.submission.place, file.outcome_place) = (outcome, submission);
    let about = (
        "places of two trees swapped",
        "T13",
        "the submission's path leads to the outcomes, and the other way round",
    );
    rows.push(
        Row::new(base, about, &file)?.fails("E1", &["submission_in_block", "outcome_in_block"]),
    );
    Ok(rows)
}

type Rewrite = fn(&mut Header);

/// What a header says, with what else fails if it says another thing.
const FIELDS: [(&str, &[&str], Rewrite); 12] = [
    ("time", &[], |it| it.time = Timestamp::new(it.time.get() - 1)),
    ("parent", &[], |it| it.parent = Hash([1; 32])),
    ("count of submissions", &[], |it| it.submission_count -= 1),
    ("root of submissions", &["submission_in_block"], |it| it.submissions_root = Hash([1; 32])),
    ("count of records", &[], |it| it.record_count -= 1),
    ("root of outcomes", &["outcome_in_block"], |it| it.outcomes_root = Hash([1; 32])),
    ("state", &[], |it| it.state_root = Hash([1; 32])),
    ("history", &[], |it| it.history_root = Hash([1; 32])),
    ("height", &[], |it| it.height = it.height.next()),
    ("proposer", &[], |it| it.proposer = ValidatorIndex(it.proposer.0 + 1)),
    ("set", &["validators_follow_from_genesis"], |it| it.validators = Hash([1; 32])),
    ("next set", &["validators_follow_from_genesis"], |it| it.next_validators = Hash([1; 32])),
];

fn headers(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = Vec::new();
    for (field, further, rewrite) in FIELDS {
        let mut file = base.file();
        rewrite(&mut file.header);
        let name = format!("block with another {field}");
        let row =
            Row::new(base, (&name, "T18", "the header of the record's block is rewritten"), &file)?;
        rows.push(row.fails("E1", &["block_seal", "history_path"]).fails("E1", further));
        // The keys of the block's time have leaked: it is sealed anew, and caught by the anchor.
        if !matches!(field, "set" | "height") {
            file.seal = base.contract.sets.seal(&file.header)?;
            let name = format!("block sealed anew with another {field}");
            let attack = "whoever has a quorum's old keys rewrites the record's block";
            let row = Row::new(base, (&name, "T11", attack), &file)?;
            let level = if field.starts_with("root of") { "E1" } else { "E2" };
            rows.push(row.fails(level, &["history_path"]).fails(level, further));
        }
    }
    let mut file = base.file();
    file.header.time = file.submission.head.expires_at.saturating_add(1);
    file.seal = base.contract.sets.seal(&file.header)?;
    let about = ("block later than the submission allows", "T3", "a block that may not hold it");
    rows.push(Row::new(base, about, &file)?.fails("E1", &["sealed_before_expiry", "history_path"]));
    Ok(rows)
}

fn anchor(file: &mut EvidenceFile) -> Result<&mut Anchor, Trouble> {
    file.anchor.as_mut().ok_or_else(|| Trouble::new("the contract has an anchor"))
}

fn anchors(base: &Base) -> Result<Vec<Row>, Trouble> {
    const STATE: &[&str] = &["flow_state", "institution_state"];
    let mut rows = Vec::new();
    for (field, further, rewrite) in FIELDS {
        let mut file = base.file();
        rewrite(&mut anchor(&mut file)?.header);
        let further = match field {
            "root of submissions" | "root of outcomes" | "next set" => &[],
            "state" => STATE,
            "history" => &["history_path"],
            _ => further,
        };
        let name = format!("anchor with another {field}");
        let row = Row::new(base, (&name, "T18", "the header of the anchor is rewritten"), &file)?;
        rows.push(row.fails("E2", &["anchor_seal"]).fails("E2", further));
    }
    let mut file = base.file();
    file.anchor = None;
    let about =
        ("anchor left out", "T18", "what the anchor's state shows is said to be that of the block");
    let row = Row::new(base, about, &file)?;
    // Both changes of the set are then later than the anchor, or one of them.
    rows.push(row.fails("E3", STATE).fails("E3", &["validators_follow_from_genesis"]));
    Ok(rows)
}

fn histories(base: &Base) -> Result<Vec<Row>, Trouble> {
    const HISTORY: &[&str] = &["history_path"];
    let mut rows = Vec::new();
    let changes: [(&str, &str, fn(&mut Vec<Hash>)); 3] = [
        ("with a bit turned", "a sibling is another", |path| path[3].0[5] ^= 1),
        ("cut", "it begins at an inner node", |path| path.truncate(path.len() - 1)),
        ("longer", "a digest more", |path| path.push(Hash([1; 32]))),
    ];
    for (name, attack, change) in changes {
        let mut file = base.file();
        let anchor = anchor(&mut file)?;
        let mut path = anchor.history_path.0.clone().into_vec();
        change(&mut path);
        anchor.history_path = MerklePath(List::new(path)?);
        let name = format!("history path {name}");
        rows.push(Row::new(base, (&name, "T13", attack), &file)?.fails("E2", HISTORY));
    }
    // A genuine header from before the record, as its anchor.
    let mut file = base.file();
    let early = base.contract.checkpoint(35_000_000)?;
    let shown = anchor(&mut file)?;
    (shown.header, shown.seal) = (early.header, early.seal);
    file.sets = List::new(file.sets.clone().into_vec()[..1].to_vec())?;
    (file.state, file.events) = (None, None);
    let about = ("anchor before the record", "T3", "a genuine header of an earlier day");
    let row = Row::new(base, about, &file)?.fails("E2", HISTORY);
    let state = [
        "flow_state",
        "institution_state",
        "institution_active_at_height",
        "key_valid_at_height",
        "event_history_complete",
    ];
    rows.push(row.indeterminate("E2", &state, "not_present").fails("E2", &[]).finding(&[60_001]));
    // All of another history but the anchor.
    let forged = &base.forged_history.file;
    let file = EvidenceFile {
        anchor: base.file().anchor,
        sets: base.file().sets,
        state: None,
        events: None,
        header: Header {
            validators: base.file().header.validators,
            next_validators: base.file().header.next_validators,
            ..forged.header.clone()
        },
        ..forged.clone()
    };
    let seal = base.contract.sets.seal(&file.header)?;
    let file = EvidenceFile { seal, ..file };
    let about = (
        "block of a forged history under the genuine anchor",
        "T11",
        "old keys seal another contract; the anchor of today is genuine",
    );
    let row = Row::new(base, about, &file)?.alone().fails("E2", HISTORY);
    let row = row.indeterminate("E2", &state, "not_present").fails("E2", &[]).finding(&[60_001]);
    rows.push(missing_documents(row, &file));
    let mut file = base.file();
    let height = file.header.height;
    let shown = anchor(&mut file)?;
    shown.header.height = height;
    let about = (
        "anchor of the block's own height",
        "T18",
        "the anchor is said to be of the height of the block",
    );
    let row = Row::new(base, about, &file)?;
    rows.push(row.fails("E2", &["anchor_seal", "history_path", "validators_follow_from_genesis"]));
    let mut file = base.file();
    anchor(&mut file)?.header.height = Height::MAX;
    let about = ("anchor of the last height there is", "T22", "after it there is no height");
    rows.push(Row::new(base, about, &file)?.fails("E2", &["anchor_seal", "history_path"]));
    Ok(rows)
}

/// The documents of a file that none are brought for.
pub(super) fn missing_documents(mut row: Row, file: &EvidenceFile) -> Row {
    let verdict = row.expected.verdict.clone();
    for (index, _) in file.record.documents.iter().enumerate() {
        let field = format!("documents.{index}.name");
        let shown = file.disclosures.iter().find(|one| *one.field == *field);
        let name = shown.map(|one| String::from_utf8_lossy(one.value.as_bytes()).into_owned());
        let check = format!("document:{}", name.unwrap_or_else(|| format!("#{index}")));
        row.expected.checks.push((check, "not_present".to_owned()));
    }
    row.expected.verdict =
        if verdict.starts_with("consistent") { "indeterminate".to_owned() } else { verdict };
    row
}
