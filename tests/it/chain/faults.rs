//! A validator that contradicts itself: its fault is on the chain once, and anybody can check it.

use super::{MINUTE, SECOND, height, pending, sealed};
use probata_client::light::{
    FaultRequest, FaultVerdict, Level, Request, Verdict, verify_fault, verify_file,
};
use probata_consensus::MessageBody;
use probata_ledger::Query;
use probata_node::{
    evidence::{self, Options},
    limits::FAULT_REPORT_INTERVAL_MS,
};
use probata_tests::{
    Trouble,
    cluster::{Client, Cluster},
    consortium::{self, SUITE},
};
use probata_types::{
    EvidenceFile, Hash, Height, InstitutionId, Millis, Outcome, RecordId, Timestamp,
    ValidatorIndex, View,
    body::{Body, RecordType},
    catalogue::failure,
    fault::{Fault, FaultFile, VoteKind},
    limits::FAULT_FILE_BYTES,
    state::{FaultPlace, StateKey},
};
use serde_json::Value;

/// Validator 3 prepares two proposals at the height being decided.
fn contradict(cluster: &mut Cluster) -> Result<Fault, Trouble> {
    let at = cluster.status(0).height.next();
    let view = cluster.status(0).view;
    let before = cluster.faults.len();
    for byte in [1, 2] {
        let body = MessageBody::Prepare { height: at, view, digest: Hash([byte; 32]) };
        let message = cluster.sign(3, body);
        (0..3).for_each(|to| cluster.inject(to, &message));
    }
    cluster.deliver_all()?;
    let found: Vec<_> = cluster.faults[before..].iter().map(|(_, it)| (**it).clone()).collect();
    assert_eq!(found.len(), 3, "each of the three others has the proof");
    assert_eq!((found[0].validator, found[0].kind), (ValidatorIndex(3), VoteKind::Prepare));
    assert_eq!((found[0].height, found[0].view), (at, view));
    Ok(found[0].clone())
}

/// A record of a fault, who submitted it, and what was decided.
type Recorded = (RecordId, InstitutionId, Outcome);

/// The records of faults at a node.
fn records(cluster: &Cluster, at: usize) -> Result<Vec<Recorded>, Trouble> {
    let reader = cluster.reader(at);
    let page = reader.search(&Query::Type(RecordType::Fault.number()), None, 100)?;
    let mut found = Vec::new();
    for (id, place) in page.entries {
        let block = reader.block(place.height)?.ok_or_else(|| Trouble::new("no such block"))?;
        let by = block.proposal.submissions[place.submission as usize].head.institution;
        found.push((id, by, block.outcomes[place.leaf as usize].clone()));
    }
    Ok(found)
}

fn recorded(cluster: &Cluster, fault: &Fault) -> bool {
    let key = StateKey::Fault(FaultPlace::of(fault));
    cluster
        .running()
        .all(|at| cluster.reader(at).state(&key).is_ok_and(|(value, _)| value.is_some()))
}

/// A cluster in which the fault of validator 3 is recorded, and the record's evidence file.
pub(crate) fn recorded_case() -> Result<(Cluster, Fault, EvidenceFile), Trouble> {
    let mut cluster = Cluster::new(4)?;
    for _ in 0..2 {
        let submission = Client::of(1)?.submission(&cluster)?;
        pending(cluster.submit(1, &submission)?);
        sealed(&mut cluster, &submission)?;
    }
    let fault = contradict(&mut cluster)?;
    cluster.until("the fault is recorded everywhere", MINUTE, |it| recorded(it, &fault))?;
    // Every validator's turn comes and goes.
    cluster.pass(Millis::new(5 * FAULT_REPORT_INTERVAL_MS))?;
    let accepted = records(&cluster, 0)?.into_iter().find(|(.., outcome)| outcome.is_accepted());
    let (record, ..) = accepted.ok_or_else(|| Trouble::new("no record of the fault"))?;
    let options = Options { events: true, checkpoints: [None; 2], made_at: Timestamp::ZERO };
    let file = evidence::assemble(&cluster.reader(4), cluster.genesis(), &record, options)?;
    let file = file.ok_or_else(|| Trouble::new("no evidence of the fault"))?;
    Ok((cluster, fault, file))
}

#[test]
fn a_fault_is_on_every_nodes_chain_once() -> Result<(), Trouble> {
    let (mut cluster, fault, file) = recorded_case()?;
    for at in cluster.running().collect::<Vec<_>>() {
        let records = records(&cluster, at)?;
        let accepted = records.iter().filter(|(.., outcome)| outcome.is_accepted()).count();
        assert_eq!(accepted, 1, "node {at}: {records:?}");
        for (.., outcome) in &records {
            let known = Outcome::Rejected { code: failure::FAULT_KNOWN };
            assert!(outcome.is_accepted() || *outcome == known, "node {at}: {outcome:?}");
        }
        assert_eq!(cluster.status(at).faults_on_chain, 1, "node {at}");
    }
    // The first in line alone has sent it: the others saw it in time.
    assert_eq!(records(&cluster, 0)?.len(), 1);
    assert_eq!(file.submission.head.institution, consortium::institution(0));
    assert_eq!(file.record.body, Body::Fault(Box::new(fault)));
    // What is counted is read from the chain again after a restart.
    cluster.restart(1)?;
    assert_eq!(cluster.status(1).faults_on_chain, 1);
    // Another fault of the same validator is another record.
    let again = contradict(&mut cluster)?;
    cluster.until("it is recorded too", MINUTE, |it| recorded(it, &again))?;
    assert!(cluster.running().all(|at| cluster.status(at).faults_on_chain == 2));
    Ok(())
}

#[test]
fn the_next_in_line_records_it_when_the_first_is_gone() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    // Not at a moment when reports are sent.
    cluster.pass(SECOND)?;
    let fault = contradict(&mut cluster)?;
    cluster.crash(0);
    cluster.until("the fault is recorded everywhere", MINUTE, |it| recorded(it, &fault))?;
    cluster.pass(Millis::new(5 * FAULT_REPORT_INTERVAL_MS))?;
    let records = records(&cluster, 1)?;
    let accepted: Vec<_> = records.iter().filter(|(.., it)| it.is_accepted()).collect();
    assert_eq!(accepted.len(), 1);
    assert_eq!(accepted[0].1, consortium::institution(1), "place 1 comes after place 0");
    cluster.start(0)?;
    cluster.reach(cluster.status(1).height, MINUTE)?;
    assert_eq!(cluster.status(0).faults_on_chain, 1);
    Ok(())
}

#[test]
fn a_validators_key_is_good_for_the_record_of_a_fault_and_for_nothing_else() -> Result<(), Trouble>
{
    let (cluster, _, file) = recorded_case()?;
    let genesis = Some(cluster.genesis());
    let report = verify_file(&file, &Request { genesis, ..Request::default() });
    assert_eq!((report.verdict, report.level), (Verdict::Consistent, Some(Level::E5)), "{report}");
    let seat = cluster.genesis().validator_set().get(ValidatorIndex(0));
    assert_eq!(Some(file.submission.head.key), seat.map(|seat| seat.key));

    // Without genesis nobody knows whose key it is.
    let report = verify_file(&file, &Request::default());
    assert_eq!(report.verdict, Verdict::Indeterminate);

    // Of another institution's validator, or no fault: not valid.
    let passes = |file: &EvidenceFile| {
        let report = verify_file(file, &Request { genesis, ..Request::default() });
        report.check("key_valid_at_height").map(|check| check.status.en()) == Some("passed")
    };
    assert!(passes(&file));
    let mut other = file.clone();
    other.submission.head.key = consortium::pair(1, consortium::Purpose::Validator).public();
    assert!(!passes(&other), "the key of another institution");
    let mut other = file.clone();
    other.submission.head.key = consortium::pair(0, consortium::Purpose::Node).public();
    assert!(!passes(&other), "no validator's key");
    let consent = Client::of(0)?.submission(&cluster)?;
    let mut other = file;
    other.record = consent.records[0].clone();
    assert!(!passes(&other), "another type of record");
    Ok(())
}

/// The fault's file, as a node would make it.
pub(crate) fn file_of(fault: &Fault) -> FaultFile {
    FaultFile::new(fault, consortium::institution(fault.validator.0))
}

#[test]
fn a_fault_file_is_small_and_verified_offline() -> Result<(), Trouble> {
    let (cluster, fault, evidence) = recorded_case()?;
    assert!(fault.height > Height::new(1));
    let text = file_of(&fault).to_json();
    assert!(text.len() < FAULT_FILE_BYTES, "{} bytes", text.len());
    let (genesis, evidence) = (Some(cluster.genesis()), evidence.to_json()?);
    let request =
        FaultRequest { fault: text.as_bytes(), genesis, evidence: Some(evidence.as_bytes()) };
    let report = verify_fault(&request);
    assert_eq!(report.verdict, FaultVerdict::Proven, "{report}");
    assert_eq!(report.verdict.exit_code(), 0);

    // Whoever lacks a file is told which.
    let report = verify_fault(&FaultRequest { genesis: None, ..request });
    assert_eq!(report.verdict, FaultVerdict::Indeterminate, "{report}");
    let report = verify_fault(&FaultRequest { evidence: None, ..request });
    assert_eq!(report.verdict, FaultVerdict::Indeterminate, "{report}");
    let needed = &report.check("key_had_the_seat").expect("it is listed").compared;
    let least = fault.height.get() - 1;
    assert!(needed.contains(&format!("anchored at height {least} or later")), "{needed}");
    Ok(())
}

#[test]
fn the_first_height_is_judged_by_genesis_alone() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    let fault = contradict(&mut cluster)?;
    assert_eq!((fault.height, fault.view), (height(1), View::ZERO));
    let text = file_of(&fault).to_json();
    let genesis = Some(cluster.genesis());
    let report = verify_fault(&FaultRequest { fault: text.as_bytes(), genesis, evidence: None });
    assert_eq!(report.verdict, FaultVerdict::Proven, "{report}");
    // Another consortium's genesis says nothing about it.
    let other = consortium::genesis(5, consortium::BEGIN);
    let genesis = Some(&other);
    let report = verify_fault(&FaultRequest { fault: text.as_bytes(), genesis, evidence: None });
    assert_eq!(report.verdict, FaultVerdict::NotProven, "{report}");
    Ok(())
}

#[test]
fn no_field_of_a_fault_file_can_be_changed() -> Result<(), Trouble> {
    let (cluster, fault, evidence) = recorded_case()?;
    let evidence = evidence.to_json()?;
    let verdict = |value: &Value| {
        let (genesis, text) = (Some(cluster.genesis()), value.to_string());
        let evidence = Some(evidence.as_bytes());
        verify_fault(&FaultRequest { fault: text.as_bytes(), genesis, evidence }).verdict
    };
    let good = serde_json::to_value(file_of(&fault))?;
    assert_eq!(verdict(&good), FaultVerdict::Proven);
    let next = fault.height.next().get();
    let stranger = consortium::pair(9, consortium::Purpose::Validator).public();
    let another = consortium::institution(0);
    let changes: [(&str, Value); 14] = [
        ("/format", "probata-evidence".into()),
        ("/chain", Hash([1; 32]).to_string().into()),
        ("/height", next.into()),
        ("/view", (fault.view.get() + 1).into()),
        ("/kind", "commit".into()),
        ("/validator", 2.into()),
        ("/validator", 9.into()),
        ("/institution", another.to_string().into()),
        ("/key", stranger.to_string().into()),
        ("/first/content", Hash([3; 32]).to_string().into()),
        ("/first/signature", fault.second.signature.to_string().into()),
        ("/second/content", Hash([3; 32]).to_string().into()),
        ("/second/signature", fault.first.signature.to_string().into()),
        ("/second", good["first"].clone()),
    ];
    for (path, value) in changes {
        let mut changed = good.clone();
        *changed.pointer_mut(path).expect("a field of the file") = value;
        assert_ne!(changed, good, "{path}");
        assert_eq!(verdict(&changed), FaultVerdict::NotProven, "{path}");
    }
    // What this software does not know it does not judge.
    for (path, value) in [("/version", 2.into()), ("/suite", Value::from("sm3-sm2"))] {
        let mut changed = good.clone();
        *changed.pointer_mut(path).expect("a field of the file") = value;
        assert_eq!(verdict(&changed), FaultVerdict::Indeterminate, "{path}");
    }
    // Two votes of somebody who never had a seat.
    let pair = consortium::pair(9, consortium::Purpose::Validator);
    let mut framed = fault.clone();
    framed.key = pair.public();
    for signed in [&mut framed.first, &mut framed.second] {
        let (domain, place) = (framed.kind.domain(), (framed.height, framed.view));
        let digest =
            probata_consensus::vote_digest(SUITE, domain, &framed.chain, place, &signed.content);
        signed.signature = pair.sign(&digest);
    }
    assert_eq!(framed.check_signatures(), Ok(()));
    assert_eq!(verdict(&serde_json::to_value(file_of(&framed))?), FaultVerdict::NotProven);
    Ok(())
}
