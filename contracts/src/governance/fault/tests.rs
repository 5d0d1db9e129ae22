use crate::fixtures::*;
use probata_types::{
    Hash, Height, InstitutionId, Keypair, PublicKey, ValidatorIndex, View,
    body::{Body, Seat},
    epoch,
    fault::{Fault, SignedContent, VoteKind},
    object::Object,
    seal::vote_digest,
    state::{FaultPlace, Sighting, StateKey, StateValue},
};

/// Two votes of one validator for one height.
fn fault_by(world: &World, who: InstitutionId, pair: &Keypair, height: Height) -> Fault {
    let set = epoch::at(&world.state, height).unwrap().set;
    let place = set.iter().find(|(_, it)| it.institution == who).map(|(index, _)| index);
    let mut fault = Fault {
        suite: SUITE,
        chain: CHAIN,
        height,
        view: View::new(2),
        kind: VoteKind::Prepare,
        validator: place.unwrap_or(ValidatorIndex(0)),
        key: pair.public(),
        first: SignedContent { content: Hash([1; 32]), signature: unsigned() },
        second: SignedContent { content: Hash([2; 32]), signature: unsigned() },
    };
    sign(&mut fault, pair);
    fault
}

/// Signs what the fault says.
fn sign(fault: &mut Fault, pair: &Keypair) {
    let (domain, place) = (fault.kind.domain(), (fault.height, fault.view));
    for signed in [&mut fault.first, &mut fault.second] {
        let digest = vote_digest(fault.suite, domain, &fault.chain, place, &signed.content);
        signed.signature = pair.sign(&digest);
    }
}

fn fault(world: &World) -> Fault {
    fault_by(world, provider(), &voter(&provider()), world.height)
}

fn body(fault: Fault) -> Body {
    Body::Fault(Box::new(fault))
}

/// What the chain says of a changed fault, signed again after the change or not.
fn judged(again: bool, change: impl FnOnce(&mut Fault)) -> String {
    let world = World::new();
    let mut fault = fault(&world);
    change(&mut fault);
    if again {
        sign(&mut fault, &voter(&provider()));
    }
    world.would(court(), flow(1), body(fault))
}

/// What the chain says of a record that is signed with a validator's key.
fn reports(world: &World, who: InstitutionId, pair: &Keypair, body: Body) -> String {
    let mut world = world.clone();
    let record = world.record(who, flow(90), body);
    let submission = world.submission_by(who, pair, vec![record]);
    verdict(&world.block(vec![submission])[0].outcome)
}

#[test]
fn any_member_reports_a_fault() {
    let mut world = World::new();
    let fault = fault(&world);
    let height = world.height;
    assert_eq!(world.say(court(), flow(1), body(fault.clone())), "accepted");
    let state = world.flow_state(flow(1)).unwrap();
    assert_eq!(state.object, Object::Fault(Box::new(fault.clone())));
    let sighting = Sighting { height, flow: flow(1), record: state.submitters[0].last };
    let key = StateKey::Fault(FaultPlace::of(&fault));
    assert_eq!(world.state[&key], StateValue::Fault(sighting));
}

#[test]
fn each_kind_of_vote_can_be_at_fault() {
    for kind in [VoteKind::PrePrepare, VoteKind::Prepare, VoteKind::Commit] {
        assert_eq!(judged(true, |fault| fault.kind = kind), "accepted");
    }
    // The signatures are those of one kind.
    assert_eq!(judged(false, |fault| fault.kind = VoteKind::Commit), "rejected: FAULT_PROOF");
}

#[test]
fn a_fault_is_recorded_once() {
    let mut world = World::new();
    let first = fault(&world);
    world.say(court(), flow(1), body(first.clone()));
    let would = |fault: &Fault| world.would(bank(), flow(2), body(fault.clone()));
    assert_eq!(would(&first), "rejected: FAULT_KNOWN");
    let swapped = Fault { first: first.second, second: first.first, ..first.clone() };
    assert_eq!(would(&swapped), "rejected: FAULT_KNOWN");
    let mut third = first.clone();
    third.second.content = Hash([3; 32]);
    sign(&mut third, &voter(&provider()));
    assert_eq!(would(&third), "rejected: FAULT_KNOWN");
    let mut elsewhere = first.clone();
    elsewhere.view = View::new(3);
    sign(&mut elsewhere, &voter(&provider()));
    assert_eq!(would(&elsewhere), "accepted");
    let of_another = fault_by(&world, bank(), &voter(&bank()), first.height);
    assert_eq!(would(&of_another), "accepted");
    assert_eq!(world.would(court(), flow(1), body(elsewhere)), "rejected: FLOW_OPENED");
}

#[test]
fn a_fault_proves_itself() {
    assert_eq!(judged(true, |_| ()), "accepted");
    let same = |fault: &mut Fault| fault.second = fault.first;
    assert_eq!(judged(false, same), "rejected: FAULT_PROOF");
    let elsewhere = |fault: &mut Fault| fault.chain = Hash([8; 32]);
    assert_eq!(judged(true, elsewhere), "rejected: FAULT_PROOF");
    let view = |fault: &mut Fault| fault.view = View::new(9);
    assert_eq!(judged(false, view), "rejected: FAULT_PROOF");
    let half = |fault: &mut Fault| fault.second.signature = unsigned();
    assert_eq!(judged(false, half), "rejected: FAULT_PROOF");
    let place = |fault: &mut Fault| fault.validator.0 ^= 1;
    assert_eq!(judged(true, place), "rejected: FAULT_PROOF");
    let beyond = |fault: &mut Fault| fault.validator = ValidatorIndex(4);
    assert_eq!(judged(true, beyond), "rejected: FAULT_PROOF");
    let key = |fault: &mut Fault| fault.key = PublicKey([9; 32]);
    assert_eq!(judged(false, key), "rejected: FAULT_PROOF");
    // Whoever has no seat contradicts itself as it likes.
    let world = World::new();
    let stranger = fault_by(&world, court(), &voter(&court()), world.height);
    assert_eq!(world.would(bank(), flow(1), body(stranger)), "rejected: FAULT_PROOF");
}

#[test]
fn a_fault_is_of_a_height_that_has_come() {
    let mut world = World::new();
    world.wait_for(Height::new(9));
    let at = |height| fault_by(&world, provider(), &voter(&provider()), Height::new(height));
    assert_eq!(world.would(bank(), flow(1), body(at(1))), "accepted");
    assert_eq!(world.would(bank(), flow(1), body(at(9))), "accepted");
    // Who has the seat by then is not known yet.
    assert_eq!(world.would(bank(), flow(1), body(at(10))), "rejected: FAULT_PROOF");
}

#[test]
fn a_fault_is_judged_by_the_set_of_its_height() {
    let [a, ..] = newcomers();
    let mut world = World::with_newcomers();
    world.must_enact(seats(&[a], &[provider()]));
    let first = world.height;
    let last = first.previous().unwrap();
    let says = |fault: Fault| world.would(bank(), flow(1), body(fault));
    let old = || fault_by(&world, provider(), &voter(&provider()), last);
    assert_eq!(says(old()), "accepted");
    let mut late = old();
    late.height = first;
    sign(&mut late, &voter(&provider()));
    assert_eq!(says(late), "rejected: FAULT_PROOF");
    let new = || fault_by(&world, a, &voter(&a), first);
    assert_eq!(says(new()), "accepted");
    let mut early = new();
    early.height = last;
    sign(&mut early, &voter(&a));
    assert_eq!(says(early), "rejected: FAULT_PROOF");
}

#[test]
fn a_node_reports_faults_with_its_voting_key_and_nothing_else() {
    let world = World::new();
    let report = || body(fault(&world));
    assert_eq!(reports(&world, bank(), &voter(&bank()), report()), "accepted");
    let others = [
        contract_body(contract()),
        Body::Motion(Box::new(world.motion_body(admit_body(newcomers()[0])))),
    ];
    for other in others {
        assert_eq!(reports(&world, bank(), &voter(&bank()), other), "rejected: KEY_PURPOSE");
    }
    // For its own institution, and not with the key of its mesh.
    assert_eq!(reports(&world, bank(), &voter(&guarantor()), report()), "rejected: KEY_NOT_VALID");
    assert_eq!(reports(&world, court(), &voter(&court()), report()), "rejected: KEY_NOT_VALID");
    assert_eq!(reports(&world, bank(), &node(&bank()), report()), "rejected: KEY_NOT_VALID");
}

#[test]
fn a_voting_key_does_not_cast_ballots() {
    let mut world = World::new();
    let motion = world.motion_body(admit_body(newcomers()[0]));
    world.put_motion(flow(200), motion);
    let ballot = Body::Ballot(Box::new(world.ballot(flow(200), true)));
    assert_eq!(reports(&world, bank(), &voter(&bank()), ballot), "rejected: KEY_PURPOSE");
    assert_eq!(world.motion(flow(200)).count(true), 0);
}

#[test]
fn a_voting_key_reports_as_long_as_it_votes() {
    let mut world = World::new();
    let newer = derived(&bank(), 10);
    let seat = Seat { key: proven(&bank(), &newer), ..seat(bank()) };
    let body_of = |world: &World| body(fault(world));
    assert_eq!(reports(&world, bank(), &newer, body_of(&world)), "rejected: KEY_NOT_VALID");
    world.must_enact(one_seat(seat));
    assert_eq!(reports(&world, bank(), &newer, body_of(&world)), "accepted");
    let old = voter(&bank());
    assert_eq!(reports(&world, bank(), &old, body_of(&world)), "rejected: KEY_NOT_VALID");
}
