use super::*;
use crate::fixtures::*;
use probata_types::{
    body::{Body, ModelStep},
    record::DocumentRole,
};

/// The published example of GB 11643-1999, another with X, test numbers of card schemes.
const PERSONAL: [&str; 17] = [
    "11010519491231002X",
    "11010519491231002x",
    "440524188001010014",
    "身份证110105 19491231 002X号",
    "tel 13812345678",
    "8613812345678",
    "+86 138-1234-5678",
    "138 1234 5678",
    "１３８１２３４５６７８",
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "卡号4111111111111111。",
    "6222 0212 3456 7890 128",
    "378282246310005",
    "5555555555554444",
    "19912345678",
];

/// Near misses: wrong check digits, other lengths, dates, amounts, times.
const HARMLESS: [&str; 14] = [
    "",
    "110105194912310021",
    "11010519491331002X",
    "4111111111111112",
    "12345678901",
    "12812345678",
    "138123456789",
    "2025-01-01 2025-12-31",
    "1750039200000",
    "ZJ-2025-17",
    "0571-88888888",
    "v2.10.3",
    "330192",
    "4111 1111 1111 1112",
];

#[test]
fn personal_numbers_are_seen() {
    for text in PERSONAL {
        assert!(looks_personal(text), "{text}");
    }
}

#[test]
fn other_numbers_are_not() {
    for text in HARMLESS {
        assert!(!looks_personal(text), "{text}");
    }
}

#[test]
fn every_text_of_a_record_is_scanned_wherever_it_stands() {
    let mobile = "13812345678";
    let world = World::new();
    let mut deep = contract();
    deep.signers.as_mut_slice()[1].certificate.as_mut().unwrap().issuer = text(mobile);
    let mut optional = contract();
    optional.sandbox = Some(text(mobile));
    let mut listed = consent();
    listed.purposes = list(vec![text("loan_review"), text(mobile)]);
    let mut in_enum = contract();
    in_enum.jurisdiction = probata_types::body::Jurisdiction::Court(text(mobile));
    let bodies = [
        contract_body(deep),
        contract_body(optional),
        contract_body(in_enum),
        grant(listed),
        model("v1", ModelStep::Aborted { reason: text(mobile) }),
        Body::ModelTraining(Box::new(probata_types::body::ModelTraining {
            model_id: text("m"),
            version: text(mobile),
            step: ModelStep::Reviewed,
        })),
    ];
    for body in bodies {
        assert_eq!(world.would(bank(), flow(1), body), "rejected: CLEAR_PERSONAL_DATA");
    }
    let mut record = world.record(bank(), flow(1), contract_body(contract()));
    let mut paper = document(DocumentRole::Other, b"paper");
    paper.media_type = text(mobile);
    record.documents.push(paper).unwrap();
    assert_eq!(world.would_judge(bank(), record), "rejected: CLEAR_PERSONAL_DATA");
}

#[test]
fn digests_are_not_texts() {
    // A commitment whose bytes happen to be those of digits.
    let mut body = access();
    body.ticket = Some(probata_types::record::Commitment(*b"13812345678 13812345678 13812345"));
    let world = World::new();
    let verdict = world.would(provider(), flow(60), log_access(body));
    assert_eq!(verdict, "accepted: NO_CONSENT");
}
