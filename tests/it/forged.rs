//! The forged corpus, judged by the light client: of every file the verdict, the level, each check that did not pass, and
//! the findings are those that the corpus says. The second verifier judges the same files (`npm test` in `verifier`).

use probata_client::light::{self, Given, Report, Request, SealedHeader, Status};
use probata_genesis::Genesis;
use probata_tests::{
    forge::{Expected, Judged, folder, read_index},
    tamper,
    trouble::{Trouble, ensure},
};
use probata_types::{Checkpoint, RecordId, Timestamp};
use std::{collections::BTreeMap, fs};

/// Files of the corpus that are forged: the promise, and a few more.
const FORGERIES: usize = 120;

fn report(row: &Judged) -> Result<Report, Trouble> {
    let folder = folder();
    let read = |name: &String| Ok::<_, Trouble>(fs::read(folder.join(name))?);
    let checkpoint = |name: &Option<String>| match name {
        Some(name) => Ok::<_, Trouble>(Some(Checkpoint::parse(&read(name)?)?)),
        None => Ok(None),
    };
    let evidence = read(&row.evidence)?;
    let genesis = row.genesis.as_ref().map(|name| Ok::<_, Trouble>(Genesis::parse(&read(name)?)?));
    let genesis = genesis.transpose()?;
    let mut documents = Vec::new();
    for (name, file) in &row.documents {
        documents.push((name, read(file)?));
    }
    let given: Vec<Given<'_>> =
        documents.iter().map(|(name, bytes)| Given { name, bytes }).collect();
    let second = checkpoint(&row.second)?;
    let second = second.map(|Checkpoint { header, seal, .. }| SealedHeader { header, seal });
    let record: Option<RecordId> = row.record.as_ref().map(|id| id.parse()).transpose()?;
    Ok(light::verify(&Request {
        evidence: &evidence,
        documents: &given,
        genesis: genesis.as_ref(),
        record,
        as_of: row.as_of.map(Timestamp::new),
        second_source: second.as_ref(),
        checkpoint: checkpoint(&row.checkpoint)?.as_ref(),
        explain: false,
    }))
}

/// What a report says, in the form of the corpus.
fn said(report: &Report) -> Result<Expected, Trouble> {
    let text = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let stopped = report.checks.iter().filter(|check| check.status != Status::Passed);
    let checks = stopped
        .map(|check| Ok((check.predicate.clone(), text(serde_json::to_value(check.status)?))));
    Ok(sorted(Expected {
        verdict: text(serde_json::to_value(report.verdict)?),
        level: report.level.map(|level| level.to_string()),
        checks: checks.collect::<Result<_, Trouble>>()?,
        findings: report.findings.iter().map(|finding| finding.code).collect(),
    }))
}

fn sorted(mut expected: Expected) -> Expected {
    expected.checks.sort();
    expected
}

/// The rows that stand for a threat, or all.
fn judge(threat: Option<&str>) -> Result<usize, Trouble> {
    let mut rows = read_index(&folder())?;
    rows.retain(|row| threat.is_none_or(|threat| row.threat == threat));
    let mut wrong = Vec::new();
    for row in &rows {
        let (got, expected) = (said(&report(row)?)?, sorted(row.expected.clone()));
        if got != expected {
            wrong.push(format!(
                "{} ({}):\n  said     {got:?}\n  expected {expected:?}",
                row.evidence, row.attack
            ));
        }
    }
    ensure(wrong.is_empty(), || {
        format!("{} of {} differ:\n{}", wrong.len(), rows.len(), wrong.join("\n"))
    })?;
    Ok(rows.len())
}

#[test]
fn every_file_of_the_corpus_is_judged_as_it_says() -> Result<(), Trouble> {
    let rows = read_index(&folder())?;
    let mut threats: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        *threats.entry(&row.threat).or_default() += 1;
    }
    let genuine = threats.remove("").unwrap_or_default();
    println!("{} files, {genuine} genuine; forged by threat: {threats:?}", rows.len());
    ensure(rows.len() - genuine >= FORGERIES, || "too few forgeries".to_owned())?;
    ensure(judge(None)? == rows.len(), || "not all were judged".to_owned())
}

macro_rules! threats {
    ($($(#[$doc:meta])* $test:ident = $threat:literal;)*) => {
        $($(#[$doc])*
        #[test]
        fn $test() -> Result<(), Trouble> {
            ensure(judge(Some($threat))? > 0, || "no file stands for it".to_owned())
        })*
    };
}

threats! {
    t01_a_false_value_behind_a_commitment = "T1";
    t02_another_file_than_the_one_recorded = "T2";
    t03_a_record_made_earlier = "T3";
    t04_what_does_not_suit_is_left_out = "T4";
    t05_salts_and_values_exchanged = "T5";
    t07_a_key_that_was_stolen_or_revoked = "T7";
    t08_a_signature_in_another_way_or_of_another_chain = "T8";
    t09_validators_that_lie = "T9";
    t10_a_fork = "T10";
    t11_old_keys_make_an_old_history = "T11";
    t12_a_node_that_lies = "T12";
    t13_tricks_with_trees = "T13";
    t14_what_two_readers_read_differently = "T14";
    t15_a_document_that_was_lost = "T15";
    t16_algorithms_to_come = "T16";
    t18_a_database_rewritten = "T18";
    t22_numbers_at_their_ends = "T22";
    t23_a_withdrawn_consent = "T23";
}

/// A few thousand of the million that `tamper` judges.
#[test]
fn what_is_changed_at_random_is_never_found_consistent() -> Result<(), Trouble> {
    let plan = tamper::Plan { seed: 1, count: 4_000, jobs: 2 };
    let tally = tamper::run(plan, &|_| ())?;
    ensure(tally.false_consistent.is_empty(), || format!("{tally:?}"))?;
    ensure(tally.caught_by.len() > 12, || format!("only these checks caught any: {tally:?}"))
}
