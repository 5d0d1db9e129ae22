//! Changed records, heads, signatures, outcomes, documents and disclosures.

use super::{Base, Row, Trusted};
use crate::{
    aged::{Aged, Sets},
    consortium::{self, Purpose},
    trouble::Trouble,
};
use probata_types::{
    EvidenceFile, Fen, FlowId, Hash, List, Outcome, Rate, RecordId, Signature, Text, Timestamp,
    body::Body,
    evidence::{DisclosedValue, HexBytes},
    outcome::Code,
    record::{DataClass, Digest256, Phase, Retention, Salt},
    submission::IdempotencyKey,
};

/// What a change of anything in the record breaks.
const RECORD: &[&str] = &["record_in_submission", "outcome_in_block", "event_history_complete"];
/// What a change of anything in the head breaks.
const HEAD: &[&str] = &["submission_signature", "submission_in_block", "outcome_in_block"];
/// The order of the group, which added to `s` gives the same signature (RFC 8032, 5.1.7 refuses it).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

pub(super) fn rows(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = records(base)?;
    rows.extend(heads(base)?);
    rows.extend(signatures(base)?);
    rows.extend(outcomes(base)?);
    rows.extend(documents(base)?);
    rows.extend(disclosures(base)?);
    Ok(rows)
}

type Change = fn(&mut EvidenceFile);

fn forged(
    base: &Base,
    about: (&str, &'static str, &str),
    change: impl FnOnce(&mut EvidenceFile),
) -> Result<Row, Trouble> {
    let mut file = base.file();
    change(&mut file);
    Row::new(base, about, &file)
}

fn records(base: &Base) -> Result<Vec<Row>, Trouble> {
    let changes: [(&str, &str, Change); 12] = [
        ("principal", "the principal is ten times as much", |file| {
            if let Body::LoanContract(body) = &mut file.record.body {
                body.principal = Fen::new(body.principal.get() * 10).unwrap_or_default();
            }
        }),
        ("rate", "the rate is half a percent lower", |file| {
            if let Body::LoanContract(body) = &mut file.record.body {
                body.rate.nominal = Rate(body.rate.nominal.0 - 5_000);
            }
        }),
        ("joint", "one borrower is made two", |file| {
            if let Body::LoanContract(body) = &mut file.record.body {
                body.joint = !body.joint;
            }
        }),
        ("time of event", "the contract is a day older", |file| {
            file.record.occurred_at = Timestamp::new(file.record.occurred_at.get() - 86_400_000);
        }),
        ("number", "it is the second record of its submitter", |file| file.record.seq = 2),
        ("predecessor", "another record stands before it", |file| {
            file.record.prev = RecordId([7; 32]);
        }),
        ("phase", "it is of another phase", |file| file.record.phase = Phase::P05),
        ("rule pack", "older law was applied", |file| file.record.rule_pack = 0),
        ("class of data", "it is less sensitive", |file| file.record.data_class = DataClass::C1),
        ("level of data", "it has a lower level", |file| file.record.level = 1),
        ("retention", "it need not be kept", |file| file.record.retention = Retention::Log),
        ("version of a model", "a model has decided", |file| {
            if let Body::LoanContract(body) = &mut file.record.body {
                body.notarised = true;
            }
        }),
    ];
    let mut rows = Vec::new();
    for (name, attack, change) in changes {
        let name = format!("record with another {name}");
        rows.push(forged(base, (&name, "T14", attack), change)?.fails("", RECORD));
    }
    let elsewhere = |file: &mut EvidenceFile| file.record.flow = FlowId([9; 16]);
    let row =
        forged(base, ("record of another flow", "T4", "it belongs to another loan"), elsewhere)?;
    rows.push(row.fails("", RECORD).fails("", &["flow_state"]));
    let late = |file: &mut EvidenceFile| file.record.seq = 99;
    let row = forged(base, ("record with a number to come", "T4", "it is the 99th"), late)?;
    rows.push(row.fails("", RECORD).fails("", &["flow_state"]));
    let swapped = |file: &mut EvidenceFile| file.record.documents.as_mut_slice().swap(0, 1);
    let about =
        ("record with its documents swapped", "T2", "the terms stand where the contract did");
    let names = ["disclosure:documents.0.name", "disclosure:documents.1.name"];
    rows.push(forged(base, about, swapped)?.fails("", RECORD).fails("", &names));
    let other = &base.of("repayment")?.record.body;
    let about =
        ("record of another type", "T14", "a repayment stands in the place of the contract");
    let row = forged(base, about, |file| {
        file.record.body = other.clone();
        file.disclosures = List::empty();
    })?;
    rows.push(row.fails("", RECORD));
    // Two genuine files, the record of one in the proofs of the other.
    let repayment = &base.of("repayment")?.evidence;
    let about = (
        "record in another's proofs",
        "T13",
        "the repayment is shown as proved by the contract's paths",
    );
    let row = forged(base, about, |file| {
        file.record = repayment.record.clone();
        file.disclosures = List::empty();
    })?;
    let row = row.alone().fails("", &["record_in_submission", "outcome_in_block"]);
    rows.push(row.without(&["document:#0"]));
    Ok(rows)
}

fn heads(base: &Base) -> Result<Vec<Row>, Trouble> {
    let changes: [(&str, &str, Change); 3] = [
        ("time", "it was sent a day earlier", |file| {
            let head = &mut file.submission.head;
            head.submitted_at = Timestamp::new(head.submitted_at.get() - 86_400_000);
        }),
        ("expiry", "it is good for a day longer", |file| {
            let head = &mut file.submission.head;
            head.expires_at = head.expires_at.saturating_add(86_400_000);
        }),
        ("idempotency key", "it is another submission of the same records", |file| {
            file.submission.head.idempotency_key = IdempotencyKey([9; 16]);
        }),
    ];
    let mut rows = Vec::new();
    for (name, attack, change) in changes {
        let name = format!("head with another {name}");
        rows.push(forged(base, (&name, "T3", attack), change)?.fails("", HEAD));
    }
    let about = ("head of more records", "T13", "a second record is said to be beside it");
    let more = |file: &mut EvidenceFile| file.submission.head.record_count = 2;
    rows.push(forged(base, about, more)?.fails("", HEAD).fails("", &["record_in_submission"]));
    let about = ("head of a million records", "T13", "a tree of any depth hides in it");
    let many = |file: &mut EvidenceFile| file.submission.head.record_count = 1_000_000;
    rows.push(forged(base, about, many)?.fails("", HEAD).fails("", &["record_in_submission"]));
    let about = ("head with another root", "T14", "the signature is said to cover other records");
    let root = |file: &mut EvidenceFile| file.submission.head.records_root = Hash([1; 32]);
    rows.push(forged(base, about, root)?.fails("", HEAD).fails("", &["record_in_submission"]));
    let chain = [
        "submission_signature",
        "record_in_submission",
        "submission_in_block",
        "outcome_in_block",
        "history_path",
        "chain_is_the_genesis",
        "validators_follow_from_genesis",
        "event_history_complete",
    ];
    let other = base.other_genesis.chain();
    let about =
        ("file of another chain", "T8", "the record is moved to another chain, by its name");
    let row = forged(base, about, |file| rename(file, other))?;
    rows.push(row.fails("", &chain).not_run(&["block_seal", "anchor_seal"]));
    let about = (
        "file of another chain with its genesis",
        "T8",
        "the same, and the other genesis is trusted",
    );
    let mut row = forged(base, about, |file| rename(file, other))?;
    row.genesis = Trusted::Other;
    let chain: Vec<&str> = chain.into_iter().filter(|it| *it != "chain_is_the_genesis").collect();
    rows.push(row.fails("", &chain).not_run(&["block_seal", "anchor_seal"]));
    Ok(rows)
}

/// Names another chain wherever the written file does.
fn rename(file: &mut EvidenceFile, chain: Hash) {
    file.chain = chain;
    file.submission.head.chain = chain;
    file.header.chain = chain;
    if let Some(anchor) = &mut file.anchor {
        anchor.header.chain = chain;
    }
    for change in file.sets.as_mut_slice() {
        change.header.chain = chain;
    }
}

fn signatures(base: &Base) -> Result<Vec<Row>, Trouble> {
    const SIGNATURE: &[&str] = &["submission_signature", "submission_in_block"];
    let mut rows = Vec::new();
    let changes: [(&str, &str, Change); 5] = [
        ("with a bit of R turned", "one bit is another", |file| {
            file.submission.signature.0[0] ^= 1;
        }),
        ("with a bit of s turned", "one bit is another", |file| {
            file.submission.signature.0[40] ^= 1;
        }),
        ("with s above the order", "the same scalar, written in another way", |file| {
            let mut carry = 0u16;
            for (byte, more) in file.submission.signature.0[32..].iter_mut().zip(ORDER) {
                let sum = u16::from(*byte) + u16::from(more) + carry;
                *byte = sum.to_be_bytes()[1];
                carry = sum >> 8;
            }
        }),
        ("of zeros", "there is none", |file| file.submission.signature = Signature([0; 64])),
        ("with R not canonical", "R is the neutral element, written as p + 1", |file| {
            file.submission.signature.0[..32].fill(0xff);
            file.submission.signature.0[0] = 0xee;
            file.submission.signature.0[31] = 0x7f;
        }),
    ];
    for (name, attack, change) in changes {
        let name = format!("signature {name}");
        rows.push(forged(base, (&name, "T8", attack), change)?.fails("", SIGNATURE));
    }
    let about = (
        "signature by another key of the submitter",
        "T7",
        "whoever signed has another key, and says so",
    );
    let row = forged(base, about, |file| {
        let stranger = consortium::pair(77, Purpose::Submission);
        file.submission.head.key = stranger.public();
        let id = Hash(file.submission.head.id().0);
        file.submission.signature = stranger.sign(&id);
    })?;
    let own = ["submission_in_block", "outcome_in_block", "key_valid_at_height"];
    rows.push(row.fails("E1", &own));
    let about = (
        "signature over the record itself",
        "T8",
        "the right key has signed the record's id, not the submission's",
    );
    let row = forged(base, about, |file| {
        let id = Hash(file.record_id().0);
        file.submission.signature = consortium::pair(0, Purpose::Submission).sign(&id);
    })?;
    rows.push(row.fails("", SIGNATURE));
    let about = (
        "record taken over by another member",
        "T7",
        "the guarantor signs the lender's record as its own",
    );
    let row = forged(base, about, |file| {
        let thief = consortium::pair(1, Purpose::Submission);
        let head = &mut file.submission.head;
        (head.institution, head.key) = (consortium::institution(1), thief.public());
        let id = Hash(head.id().0);
        file.submission.signature = thief.sign(&id);
    })?;
    let all = [
        "record_in_submission",
        "submission_in_block",
        "outcome_in_block",
        "flow_state",
        "institution_state",
        "key_valid_at_height",
        "event_history_complete",
    ];
    rows.push(row.fails("", &all));
    let about =
        ("record said to be of another member", "T7", "only the name of the submitter is another");
    let named =
        |file: &mut EvidenceFile| file.submission.head.institution = consortium::institution(1);
    let all = [
        "submission_signature",
        "record_in_submission",
        "submission_in_block",
        "outcome_in_block",
        "flow_state",
        "institution_state",
        "event_history_complete",
    ];
    rows.push(forged(base, about, named)?.fails("", &all));
    Ok(rows)
}

fn outcomes(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = Vec::new();
    let late = || Ok::<_, Trouble>(Outcome::Accepted { findings: List::new(vec![Code(1_001)])? });
    let found = late()?;
    let about = ("outcome with a finding more", "T3", "the record is made to look late");
    rows.push(
        forged(base, about, |file| file.outcome = found)?
            .fails("E1", &["outcome_in_block"])
            .finding(&[1_001]),
    );
    let about = ("outcome made a rejection", "T4", "an accepted record is shown as rejected");
    let rejection = |file: &mut EvidenceFile| file.outcome = Outcome::Rejected { code: Code(12) };
    rows.push(
        forged(base, about, rejection)?.fails("E1", &["outcome_in_block", "outcome_is_accepted"]),
    );
    // Genuine blocks with other decisions.
    let contract = &base.of("contract")?.evidence;
    let rejected =
        EvidenceFile { outcome: Outcome::Rejected { code: Code(12) }, ..contract.clone() };
    let rejected = Aged::new(&rejected, Sets::new(4, 2)?, &[])?.file;
    let about = ("rejected record", "T4", "the chain rejected it; its file is genuine");
    rows.push(Row::new(base, about, &rejected)?.fails("E1", &["outcome_is_accepted"]));
    let about = (
        "rejected record shown as accepted",
        "T4",
        "the same, and the rejection is made an acceptance",
    );
    let shown = EvidenceFile { outcome: contract.outcome.clone(), ..rejected };
    rows.push(Row::new(base, about, &shown)?.fails("E1", &["outcome_in_block"]));
    let found = EvidenceFile { outcome: late()?, ..contract.clone() };
    let found = Aged::new(&found, Sets::new(4, 2)?, &[])?.file;
    let about =
        ("genuine with a finding", "", "nothing: the record came late, and the chain says so");
    rows.push(Row::new(base, about, &found)?.with_findings(&[1_001]));
    let about = ("finding left out", "T3", "a record that came late is shown without the finding");
    let clean = EvidenceFile { outcome: contract.outcome.clone(), ..found };
    rows.push(Row::new(base, about, &clean)?.fails("E1", &["outcome_in_block"]));
    Ok(rows)
}

fn documents(base: &Base) -> Result<Vec<Row>, Trouble> {
    let genuine = |about: (&str, &'static str, &str)| Row::new(base, about, &base.file());
    let first = base.documents[0].0.clone();
    let check = format!("document:{first}");
    let mut rows = Vec::new();
    for (name, attack, spoil) in [
        (
            "changed",
            "one byte of the contract is another",
            (|bytes: &mut Vec<u8>| bytes[9] ^= 1) as fn(&mut Vec<u8>),
        ),
        ("longer", "a line was added behind the signatures", |bytes| bytes.push(b'\n')),
        ("cut", "the last byte is gone", |bytes| bytes.truncate(bytes.len() - 1)),
        ("empty", "there is nothing in it", Vec::clear),
    ] {
        let mut row = genuine((&format!("document {name}"), "T2", attack))?;
        spoil(&mut row.documents[0].1);
        rows.push(
            row.fails("E5", &[&check])
                .indeterminate("E5", &[&check], "not_present")
                .fails("E5", &[]),
        );
    }
    let mut row = genuine(("document missing", "T15", "the contract was lost"))?;
    row.documents.remove(0);
    rows.push(row.indeterminate("E5", &[&check], "not_present"));
    let mut row =
        genuine(("document too many", "T2", "a paper that the record does not bind is brought"))?;
    row.documents.push(("side letter.txt".to_owned(), b"and nothing need be repaid".to_vec()));
    rows.push(row.fails("E5", &["document:side letter.txt"]));
    let mut row =
        genuine(("documents under each other's names", "", "nothing: names prove nothing"))?;
    let second = row.documents[1].0.clone();
    row.documents[0].0.clone_from(&second);
    row.documents[1].0 = first;
    rows.push(row);
    let mut row = genuine(("document brought twice", "", "nothing: the same bytes twice"))?;
    let again = row.documents[0].clone();
    row.documents.push(again);
    rows.push(row);
    let about = ("document's digest changed", "T2", "the record is made to bind another file");
    let row = forged(base, about, |file| {
        file.record.documents.as_mut_slice()[0].sha256 = Digest256([5; 32]);
    })?;
    let row = row.fails("", RECORD).fails("", &[&check]);
    rows.push(row.indeterminate("", &[&check], "not_present").fails("", &[]));
    let about =
        ("document's length changed", "T2", "only the length that the record binds is another");
    let row = forged(base, about, |file| {
        file.record.documents.as_mut_slice()[0].length += 1;
    })?;
    let row = row.fails("", RECORD).fails("", &[&check]);
    rows.push(row.indeterminate("", &[&check], "not_present").fails("", &[]));
    Ok(rows)
}

fn disclosures(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = Vec::new();
    let mut genuine = base.file().disclosures.into_vec();
    genuine.retain(|one| !one.field.starts_with("documents."));
    let shown = genuine.first().ok_or_else(|| Trouble::new("the contract discloses no field"))?;
    let check = format!("disclosure:{}", &*shown.field);
    let only = |file: &mut EvidenceFile| {
        let mut list = file.disclosures.clone().into_vec();
        list.retain(|one| !one.field.starts_with("documents."));
        file.disclosures = List::new(list).unwrap_or_default();
    };
    let about = ("disclosure of another value", "T1", "the field is said to hold something else");
    let row = forged(base, about, |file| {
        only(file);
        if let Some(first) = file.disclosures.as_mut_slice().first_mut() {
            first.value = DisclosedValue::Text(Text::new("贷字第9999号").unwrap_or_default());
        }
    })?;
    rows.push(row.fails("E5", &[&check]));
    let about = ("disclosure with another salt", "T5", "the salt is another");
    let row = forged(base, about, |file| {
        only(file);
        if let Some(first) = file.disclosures.as_mut_slice().first_mut() {
            first.salt = Salt([3; 32]);
        }
    })?;
    rows.push(row.fails("E5", &[&check]));
    let about =
        ("salts swapped between fields", "T5", "two document names have each other's salts");
    let row = forged(base, about, |file| {
        let list = file.disclosures.as_mut_slice();
        let mut names = list.iter_mut().filter(|one| one.field.starts_with("documents."));
        if let (Some(one), Some(other)) = (names.next(), names.next()) {
            std::mem::swap(&mut one.salt, &mut other.salt);
        }
    })?;
    rows.push(row.fails("E5", &["disclosure:documents.0.name", "disclosure:documents.1.name"]));
    let about = ("values swapped between fields", "T5", "two document names stand for each other");
    let row = forged(base, about, |file| {
        let list = file.disclosures.as_mut_slice();
        let mut names = list.iter_mut().filter(|one| one.field.starts_with("documents."));
        if let (Some(one), Some(other)) = (names.next(), names.next()) {
            std::mem::swap(&mut one.value, &mut other.value);
        }
    })?;
    rows.push(row.fails("E5", &["disclosure:documents.0.name", "disclosure:documents.1.name"]));
    for (name, field, attack) in [
        ("of no field", "no.such.field", "the record has no such field"),
        ("of a list's field beyond its end", "borrowers.7.name", "there is no eighth borrower"),
        ("of a plain field", "principal", "the field is no commitment"),
        ("of a document beyond the last", "documents.7.name", "there is no eighth document"),
    ] {
        let about = (&*format!("disclosure {name}"), "T5", attack);
        let row = forged(base, about, |file| {
            only(file);
            if let Some(first) = file.disclosures.as_mut_slice().first_mut() {
                first.field = Text::new(field).unwrap_or_default();
            }
        })?;
        rows.push(row.fails("E5", &[&format!("disclosure:{field}")]));
    }
    let about = ("disclosure twice", "", "nothing: the same opening stands in it twice");
    let row = forged(base, about, |file| {
        let first = file.disclosures[0].clone();
        let _full = file.disclosures.push(first);
    })?;
    rows.push(row);
    let about = ("disclosure as bytes", "", "nothing: the same value as hex");
    let row = forged(base, about, |file| {
        only(file);
        for one in file.disclosures.as_mut_slice() {
            if let Some(bytes) = HexBytes::new(one.value.as_bytes().to_vec()) {
                one.value = DisclosedValue::Hex(bytes);
            }
        }
    })?;
    rows.push(row);
    let about = ("nothing disclosed", "", "nothing: the holder shows no field");
    rows.push(forged(base, about, |file| file.disclosures = List::empty())?);
    Ok(rows)
}
