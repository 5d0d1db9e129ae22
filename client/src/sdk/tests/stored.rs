//! What is kept on disk: spool, openings, evidence and the documents beside it.

use super::*;
use crate::{
    light::{
        Verdict,
        fixtures::{NOTICE, NOTICE_NAME, WILL},
    },
    sdk::{
        FoundDocument, OnDisk, OpeningBook, OpeningError, OpeningsFile, Position, Spool,
        SpoolError, verify_on_disk, write_evidence,
    },
};
use probata_types::{
    Text,
    evidence::{DisclosedValue, Disclosure},
    record::{Salt, document_name_field},
};
use std::{fs, os::unix::fs::PermissionsExt as _};

#[test]
fn a_spool_survives_a_torn_write_and_keeps_the_order() {
    let sealed = Sealed::new();
    let chain = sealed.chain.genesis.chain();
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path()).unwrap();
    let later = {
        let key = pair(1, SUBMIT);
        let records = sealed.submission.records.to_vec();
        let now = NOW.saturating_add(5);
        sign(records, &author(&sealed.chain), &key, now, Duration::from_secs(9)).unwrap()
    };
    spool.keep(&later).unwrap();
    spool.keep(&sealed.submission).unwrap();
    spool.keep(&sealed.submission).unwrap();
    // A crash while writing leaves a part, which was never sent.
    fs::write(folder.path().join("00.submission.part"), b"torn").unwrap();
    let waiting = Spool::open(folder.path()).unwrap().waiting(&chain).unwrap();
    assert_eq!(waiting, vec![sealed.submission.clone(), later.clone()]);
    spool.forget(&later.id()).unwrap();
    spool.forget(&later.id()).unwrap();
    assert_eq!(spool.waiting(&chain).unwrap(), vec![sealed.submission.clone()]);

    let other = Chain::new("other").genesis.chain();
    assert!(matches!(spool.waiting(&other), Err(SpoolError::Foreign { .. })));
    let path = folder.path().join(format!("{}.submission", sealed.submission.id()));
    let mut bytes = fs::read(&path).unwrap();
    bytes.pop();
    fs::write(&path, bytes).unwrap();
    assert!(matches!(spool.waiting(&chain), Err(SpoolError::Foreign { .. })));
}

#[test]
fn openings_are_for_their_owner_and_are_not_overwritten() {
    let sealed = Sealed::new();
    let chain = sealed.chain.genesis.chain();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.openings.json");
    let mut book = OpeningBook::new(SUITE);
    let one = book.commit("contract_no", "JK-1").unwrap();
    let two = book.commit("contract_no", "JK-1").unwrap();
    assert_ne!(one, two, "a salt is drawn for each commitment");
    assert!(matches!(book.commit("x", "a\u{7}"), Err(OpeningError::Text { .. })));
    let first = OpeningsFile::new(chain, RecordId([1; 32]), book.openings());
    first.write(&path).unwrap();
    first.write(&path).unwrap();
    assert_eq!(OpeningsFile::read(&path).unwrap(), first);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let other = OpeningsFile::new(chain, RecordId([2; 32]), &[]);
    other.write(&path).unwrap_err();
    assert_eq!(OpeningsFile::read(&path).unwrap(), first);
}

/// The openings of the fixture's record.
fn openings(sealed: &Sealed, file: &EvidenceFile) -> OpeningsFile {
    let opening = |field: &str, salt, value: &str| Disclosure {
        field: Text::new(field).unwrap(),
        salt: Salt([salt; 32]),
        value: DisclosedValue::Text(Text::new(value).unwrap()),
    };
    let all = [opening(&document_name_field(0), 11, NOTICE_NAME), opening("will.proof", 12, WILL)];
    OpeningsFile::new(sealed.chain.genesis.chain(), file.record_id(), &all)
}

#[test]
fn only_known_fields_of_the_same_record_are_disclosed() {
    let sealed = Sealed::new();
    let mut files = sealed.evidence();
    let openings = openings(&sealed, &files[0]);
    let error = openings.disclose(&mut files[0], ["salary"]).unwrap_err();
    assert!(matches!(error, OpeningError::Unknown(..)));
    let error = openings.disclose(&mut files[1], ["will.proof"]).unwrap_err();
    assert!(matches!(error, OpeningError::OtherRecord { .. }));
    openings.disclose(&mut files[0], ["will.proof", "will.proof"]).unwrap();
    assert_eq!(files[0].disclosures.len(), 1);
}

#[test]
fn documents_are_found_beside_the_evidence_or_missed() {
    let sealed = Sealed::new();
    let mut file = sealed.evidence().remove(0);
    openings(&sealed, &file).disclose(&mut file, ["documents.0.name"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grant.evidence.json");
    write_evidence(&file, &path).unwrap();
    let evidence = fs::read(&path).unwrap();
    let verdict = |documents: &[FoundDocument]| {
        let genesis = Some(&sealed.chain.genesis);
        let request = OnDisk {
            path: &path,
            evidence: &evidence,
            documents,
            genesis,
            as_of: None,
            second_source: None,
            checkpoint: None,
            explain: false,
        };
        verify_on_disk(&request).verdict
    };
    assert_eq!(verdict(&[]), Verdict::Indeterminate, "no document");

    // Under another name, it is found by its digests.
    let copy = folder.path().join("copy.bin");
    fs::write(&copy, NOTICE).unwrap();
    assert_eq!(verdict(&[]), Verdict::Consistent, "by digests");
    fs::remove_file(&copy).unwrap();

    // Under its disclosed name, what lies there counts.
    let own = folder.path().join(NOTICE_NAME);
    fs::write(&own, NOTICE).unwrap();
    assert_eq!(verdict(&[]), Verdict::Consistent, "by name");
    let mut changed = NOTICE.to_vec();
    changed[0] ^= 1;
    fs::write(&own, &changed).unwrap();
    assert_eq!(verdict(&[]), Verdict::Inconsistent, "one bit");

    // A document that was named by hand is taken before one beside.
    let named = FoundDocument { name: "given".to_owned(), bytes: NOTICE.to_vec() };
    assert_eq!(verdict(&[named]), Verdict::Consistent, "named");
    let stranger = FoundDocument { name: "given".to_owned(), bytes: changed };
    fs::write(&own, NOTICE).unwrap();
    assert_eq!(verdict(&[stranger]), Verdict::Inconsistent, "another file");
}

#[test]
fn records_are_numbered_and_linked() {
    let sealed = Sealed::new();
    let author = author(&sealed.chain);
    let mut writer = FlowWriter::new(author, FlowId([7; 16]));
    assert_eq!(writer.position(), Position::START);
    let (first, one) = writer.append(statement());
    let after_first = writer.position();
    let (_, rejected) = writer.append(statement());
    assert_eq!((one.seq, one.prev, rejected.seq, rejected.prev), (1, RecordId::NONE, 2, first));
    writer.restore(after_first);
    let (_, again) = writer.append(statement());
    assert_eq!(again, rejected);

    // The chain knows where the submitter stands: two records of the fixture are sealed.
    let files = sealed.evidence();
    let state = &files[0].state.as_ref().unwrap().flow.value;
    let resumed = FlowWriter::resume(author, FlowId([7; 16]), state);
    assert_eq!(resumed.position(), Position { seq: 2, last: files[1].record_id() });
    let stranger = crate::sdk::Author { institution: institution(2), ..author };
    let resumed = FlowWriter::resume(stranger, FlowId([7; 16]), state);
    assert_eq!(resumed.position(), Position::START);
}
