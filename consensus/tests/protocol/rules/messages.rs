//! P1 and P2: sizes, and what a message must be before a replica sees it.

use crate::fixtures::{
    CHAIN, Locked, SUITE, certificate, commit, genesis, header_of, height, index, keypair,
    new_view, place_digest, pre_prepare, prepare, proposal, seal, set, sign, view, view_change,
};
use probata_consensus::{Message, MessageBody, MessageError};
use probata_types::{Domain, Hash, List, Proposal, Signature, ValidatorIndex, limits::VALIDATORS};

fn check(message: Message) -> Result<(), MessageError> {
    let decoded = Message::decode(&message.encode()).expect("its own bytes");
    decoded.verify(SUITE, &CHAIN, &set(4)).map(|_| ())
}

fn first_proposal() -> Proposal {
    proposal(&genesis(), 0, 5)
}

/// A proposal that three of four prepared in view 0.
fn locked() -> Locked {
    certificate(&first_proposal(), 0, &[0, 1, 2])
}

fn three_view_changes(prepared: Option<Locked>) -> Vec<Message> {
    vec![
        sign(1, view_change(1, 1, prepared)),
        sign(2, view_change(1, 1, None)),
        sign(3, view_change(1, 1, None)),
    ]
}

#[test]
fn p1_quorums_of_each_size_share_a_correct_validator() {
    for (n, f, q) in [(4, 1, 3), (5, 1, 4), (6, 1, 4), (7, 2, 5), (10, 3, 7), (87, 28, 58)] {
        let set = set(n);
        assert_eq!((set.faulty(), set.quorum()), (f, q), "n = {n}");
        assert!(2 * q > n + f && q <= n - f, "n = {n}");
    }
}

#[test]
fn p2_good_messages_of_every_kind_pass() {
    let proposal = first_proposal();
    let header = header_of(&proposal, &set(4));
    let of_quorum = seal(&header, 0, &[0, 2, 3]);
    let bodies = [
        pre_prepare(&proposal, 0),
        prepare(&proposal, 0),
        commit(&header, 0),
        view_change(1, 1, None),
        view_change(1, 1, Some(locked())),
        new_view(&three_view_changes(None), None),
        new_view(&three_view_changes(Some(locked())), Some(proposal)),
        MessageBody::Head { header, seal: of_quorum },
    ];
    for body in bodies {
        assert_eq!(check(sign(1, body.clone())), Ok(()), "{body:?}");
    }
}

#[test]
fn p2_strangers_and_forged_signatures_are_refused() {
    let body = prepare(&first_proposal(), 0);
    let mut message = sign(1, body.clone());
    message.from = index(4);
    assert_eq!(check(message), Err(MessageError::Stranger(index(4))));
    let mut message = sign(1, body.clone());
    message.from = index(2);
    assert_eq!(check(message), Err(MessageError::Signature));
    let mut message = sign(1, body);
    message.signature = Signature([1; 64]);
    assert_eq!(check(message), Err(MessageError::Signature));
}

#[test]
fn p2_a_signature_is_for_one_kind_height_and_view() {
    let signed = sign(1, prepare(&first_proposal(), 0));
    let MessageBody::Prepare { digest, .. } = signed.body else { panic!("a Prepare") };
    for (at, to) in [(1, 1), (2, 0)] {
        let mut moved = signed.clone();
        moved.body = MessageBody::Prepare { height: height(at), view: view(to), digest };
        assert_eq!(check(moved), Err(MessageError::Signature), "{at}/{to}");
    }
    let elsewhere = Hash([8; 32]);
    let other_chain = signed.verify(SUITE, &elsewhere, &set(4)).map(|_| ());
    assert_eq!(other_chain, Err(MessageError::Signature));
}

#[test]
fn p2_heights_and_views_that_cannot_be_are_refused() {
    let digest = Hash([1; 32]);
    let at_genesis = MessageBody::Prepare { height: height(0), view: view(0), digest };
    assert_eq!(check(sign(1, at_genesis)), Err(MessageError::Place));
    assert_eq!(check(sign(1, view_change(1, 0, None))), Err(MessageError::Place));
}

#[test]
fn p2_proposals_and_headers_of_another_chain_or_set_are_refused() {
    let mut foreign = first_proposal();
    foreign.chain = Hash([8; 32]);
    assert_eq!(check(sign(0, pre_prepare(&foreign, 0))), Err(MessageError::Proposal));
    let mut stranger = first_proposal();
    stranger.proposer = index(4);
    assert_eq!(check(sign(0, pre_prepare(&stranger, 0))), Err(MessageError::Proposal));
    let proposal = first_proposal();
    let elsewhere = MessageBody::PrePrepare { height: height(2), view: view(0), proposal };
    assert_eq!(check(sign(0, elsewhere)), Err(MessageError::Proposal));
    let other_set = header_of(&first_proposal(), &set(5));
    assert_eq!(check(sign(0, commit(&other_set, 0))), Err(MessageError::Header));
}

#[test]
fn p2_certificates_are_a_quorum_of_one_lower_view() {
    let refused = [
        certificate(&first_proposal(), 0, &[0, 1]),
        certificate(&first_proposal(), 0, &[1, 0, 2]),
        certificate(&first_proposal(), 0, &[1, 1, 2]),
        certificate(&first_proposal(), 1, &[0, 1, 2]),
    ];
    for prepared in refused {
        let said = sign(1, view_change(1, 1, Some(prepared.clone())));
        assert_eq!(check(said), Err(MessageError::Certificate), "{prepared:?}");
    }
    let (mut forged, body) = locked();
    forged.view = view(0);
    forged.digest = Hash([1; 32]);
    let said = sign(1, view_change(1, 2, Some((forged.clone(), body.clone()))));
    assert_eq!(check(said), Err(MessageError::Signature), "votes for another proposal");
    let mut stranger = locked().0.votes.into_vec();
    stranger[2].validator = index(9);
    forged.votes = List::new(stranger).expect("three");
    let said = sign(1, view_change(1, 2, Some((forged, body))));
    assert_eq!(check(said), Err(MessageError::Stranger(ValidatorIndex(9))));
}

#[test]
fn p2_a_body_without_or_unlike_its_certificate_is_refused() {
    let bare = MessageBody::ViewChange {
        height: height(1),
        view: view(1),
        prepared: None,
        proposal: Some(first_proposal()),
    };
    assert_eq!(check(sign(1, bare)), Err(MessageError::Choice));
    let unlike = (locked().0, proposal(&genesis(), 0, 6));
    assert_eq!(check(sign(1, view_change(1, 1, Some(unlike)))), Err(MessageError::Choice));
}

#[test]
fn p2_a_new_view_is_a_quorum_of_view_changes_and_the_choice_that_it_demands() {
    let locked_changes = three_view_changes(Some(locked()));
    let two = new_view(&locked_changes[..2], Some(first_proposal()));
    assert_eq!(check(sign(1, two)), Err(MessageError::NewView));
    let mut twice = three_view_changes(None);
    twice[1] = twice[0].clone();
    assert_eq!(check(sign(1, new_view(&twice, None))), Err(MessageError::NewView));
    let free = new_view(&locked_changes, None);
    assert_eq!(check(sign(1, free)), Err(MessageError::Choice), "what is locked is dropped");
    let other = new_view(&locked_changes, Some(proposal(&genesis(), 1, 9)));
    assert_eq!(check(sign(1, other)), Err(MessageError::Choice), "another is put in its place");
    let invented = new_view(&three_view_changes(None), Some(first_proposal()));
    assert_eq!(check(sign(1, invented)), Err(MessageError::Choice), "nothing is locked");
    let mut stripped = locked_changes;
    if let MessageBody::ViewChange { prepared, .. } = &mut stripped[0].body {
        *prepared = None;
    }
    let stripped = sign(1, new_view(&stripped, None));
    assert_eq!(check(stripped), Err(MessageError::Signature), "a certificate is cut away");
}

#[test]
fn p2_the_highest_certificate_of_a_new_view_must_hold() {
    let mut forged = locked();
    let mut votes = forged.0.votes.into_vec();
    votes[0].signature = Signature([3; 64]);
    forged.0.votes = List::new(votes).expect("three");
    let changes = three_view_changes(Some(forged));
    let said = sign(1, new_view(&changes, Some(first_proposal())));
    assert_eq!(check(said), Err(MessageError::Signature));
}

#[test]
fn p2_a_head_is_shown_by_a_seal_that_holds() {
    let header = header_of(&first_proposal(), &set(4));
    let thin = MessageBody::Head { header: header.clone(), seal: seal(&header, 0, &[0, 1]) };
    assert!(matches!(check(sign(1, thin)), Err(MessageError::Seal(_))));
    let mut moved = seal(&header, 0, &[0, 1, 2]);
    moved.view = view(1);
    let moved = MessageBody::Head { header, seal: moved };
    assert!(matches!(check(sign(1, moved)), Err(MessageError::Seal(_))), "votes of another view");
}

#[test]
fn p2_bytes_have_one_spelling_and_any_other_is_an_error_not_a_panic() {
    let bytes = sign(1, new_view(&three_view_changes(Some(locked())), Some(first_proposal())));
    let bytes = bytes.encode();
    for length in 0..bytes.len() {
        assert!(Message::decode(&bytes[..length]).is_err(), "cut at {length}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(Message::decode(&longer).is_err(), "one byte more");
    for place in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[place] ^= 0x40;
        let passed = Message::decode(&changed).is_ok_and(|message| check(message).is_ok());
        assert!(!passed, "a change at {place} goes unseen");
    }
}

#[test]
fn p2_a_message_of_the_largest_size_fits_the_frame() {
    let all: Vec<usize> = (0..VALIDATORS).collect();
    let of_all = set(VALIDATORS);
    let quorum = &all[..of_all.quorum()];
    let locked = certificate(&first_proposal(), 0, quorum);
    let changes: Vec<Message> = {
        let body = view_change(1, 1, Some(locked));
        all.iter().map(|place| Message { from: index(*place), ..sign(0, body.clone()) }).collect()
    };
    let bytes = sign(0, new_view(&changes, None)).encode().len();
    let frame = probata_consensus::limits::MESSAGE_BYTES;
    assert!(bytes + probata_types::limits::PROPOSAL_BYTES < frame, "{bytes} bytes of votes");
}

#[test]
fn p2_what_is_signed_is_domain_chain_height_view_and_content() {
    let proposal = first_proposal();
    let header = header_of(&proposal, &set(4));
    let signed = [
        (pre_prepare(&proposal, 3), Domain::PrePrepare, proposal.digest()),
        (prepare(&proposal, 3), Domain::Prepare, proposal.digest()),
        (commit(&header, 3), Domain::Commit, header.hash()),
    ];
    for (body, domain, content) in signed {
        let digest = place_digest(domain, 1, 3, &content);
        assert_eq!(body.digest(SUITE, &CHAIN), digest);
        assert_eq!(keypair(1).sign(&digest), sign(1, body).signature, "signing is deterministic");
    }
}
