use crate::{fixtures::*, limits::HEIGHTS_AHEAD};
use probata_types::{
    Height, InstitutionId, Timestamp,
    body::{Admission, AdmittedNode, Body, Change, Motion, Seat, SeatChange},
    codec,
    directory::NodeEntry,
    institution::Role,
    limits,
    object::{MotionStatus, Object},
    record::{DocumentRole, Record},
    state::{StateKey, StateValue},
};

/// What the chain says of a changed motion.
fn motion(change: impl FnOnce(&World, &mut Motion)) -> String {
    let world = World::new();
    let mut body = world.motion_body(admit_body(newcomers()[0]));
    change(&world, &mut body);
    world.would(bank(), flow(200), Body::Motion(Box::new(body)))
}

/// What the chain says of a motion for a changed admission.
fn admit(change: impl FnOnce(&mut Admission)) -> String {
    let mut body = admission(newcomers()[0]);
    change(&mut body);
    World::new().would_move(Change::Admit(Box::new(body)))
}

fn node_at(who: InstitutionId, purpose: u8, port: u16) -> AdmittedNode {
    AdmittedNode {
        node: proven(&who, &derived(&who, purpose)),
        address: format!("/ip4/10.0.0.3/tcp/{port}").parse().unwrap(),
    }
}

#[test]
fn any_member_opens_the_voting() {
    let mut world = World::new();
    let body = world.motion_body(seats(&[], &[]));
    let body = Motion { change: admit_body(newcomers()[0]), ..body };
    world.put_motion(flow(200), body.clone());
    let motion = world.motion(flow(200));
    assert_eq!((&motion.change, motion.closes_at), (&body.change, body.closes_at));
    assert_eq!((motion.epoch, &*motion.ballots), (0, &[None; 4][..]));
    assert!(motion.seen.is_empty());
    assert_eq!(motion.status, MotionStatus::Open);
    assert_eq!(world.flow_state(flow(200)).unwrap().owner, court());
    // A change of the set has a count for each member of the new one.
    let mut world = World::with_newcomers();
    let body = world.motion_body(seats(&newcomers(), &[]));
    world.put_motion(flow(200), body);
    assert_eq!(*world.motion(flow(200)).seen, [0; 7]);
}

#[test]
fn a_motion_opens_its_flow() {
    let mut world = World::new();
    let body = world.motion_body(admit_body(newcomers()[0]));
    let body = || Body::Motion(Box::new(body.clone()));
    assert_eq!(world.say(bank(), flow(200), body()), "accepted");
    assert_eq!(world.would(bank(), flow(200), body()), "rejected: FLOW_OPENED");
    assert_eq!(world.would(court(), flow(200), body()), "rejected: FLOW_OPENED");
}

#[test]
fn it_closes_in_the_future_and_does_not_look_too_far_ahead() {
    let closes =
        |offset| motion(|world, body| body.closes_at = Timestamp::new(world.time.get() + offset));
    assert_eq!(closes(0), "rejected: VALUE");
    assert_eq!(closes(1), "accepted");
    let from = |ahead: u64| motion(|world, body| body.from = world.height.saturating_add(ahead));
    assert_eq!(from(HEIGHTS_AHEAD), "accepted");
    assert_eq!(from(HEIGHTS_AHEAD + 1), "rejected: VALUE");
    assert_eq!(motion(|_, body| body.from = Height::MAX), "rejected: VALUE");
}

#[test]
fn a_reason_names_no_person() {
    let named = |body: &mut Motion| body.reason = text("电话 13800138000");
    assert_eq!(motion(|_, body| named(body)), "rejected: CLEAR_PERSONAL_DATA");
}

#[test]
fn an_admission_is_complete() {
    assert_eq!(admit(|_| ()), "accepted");
    assert_eq!(admit(|a| a.nodes = list(Vec::new())), "accepted");
    assert_eq!(admit(|a| a.profile.zh = text("")), "rejected: VALUE");
    assert_eq!(admit(|a| a.profile.en = text(" New")), "rejected: VALUE");
    assert_eq!(admit(|a| a.profile.group = text("group ")), "rejected: VALUE");
    assert_eq!(admit(|a| a.roles = list(Vec::new())), "rejected: VALUE");
    assert_eq!(admit(|a| a.roles = list(vec![Role::Bank; 2])), "rejected: VALUE");
    assert_eq!(admit(|a| a.keys = list(Vec::new())), "rejected: VALUE");
    let known = World::new().would_move(admit_body(court()));
    assert_eq!(known, "rejected: INSTITUTION_KNOWN");
}

#[test]
fn whoever_is_admitted_holds_the_keys() {
    let other = newcomers()[1];
    let foreign = proven(&other, &keypair(&newcomers()[0]));
    assert_eq!(admit(|a| a.keys = list(vec![foreign])), "rejected: KEY_PROOF");
    let foreign = proven(&other, &node(&newcomers()[0]));
    assert_eq!(admit(|a| a.nodes.as_mut_slice()[0].node = foreign), "rejected: KEY_PROOF");
    let unsigned = |a: &mut Admission| a.keys.as_mut_slice()[0].proof = unsigned();
    assert_eq!(admit(unsigned), "rejected: KEY_PROOF");
}

#[test]
fn no_key_of_a_new_member_was_ever_used() {
    let who = newcomers()[0];
    // Keys of all purposes of another institution, by its consent, as keys and as nodes.
    for pair in [keypair(&court()), voter(&bank()), node(&court())] {
        let known = proven(&who, &pair);
        assert_eq!(admit(|a| a.keys = list(vec![known])), "rejected: KEY_KNOWN");
        assert_eq!(admit(|a| a.nodes.as_mut_slice()[0].node = known), "rejected: KEY_KNOWN");
    }
    let own = proven(&who, &keypair(&who));
    assert_eq!(admit(|a| a.keys = list(vec![own, own])), "rejected: KEY_KNOWN");
    assert_eq!(admit(|a| a.nodes.as_mut_slice()[0].node = own), "rejected: KEY_KNOWN");
}

#[test]
fn no_two_nodes_have_an_address_and_there_is_room_for_so_many() {
    let who = newcomers()[0];
    let taken = "/ip4/10.0.0.1/tcp/7001".parse().unwrap();
    assert_eq!(admit(|a| a.nodes.as_mut_slice()[0].address = taken), "rejected: DIRECTORY");
    let twice = vec![node_at(who, 10, 1), node_at(who, 11, 1)];
    assert_eq!(admit(|a| a.nodes = list(twice)), "rejected: DIRECTORY");
    let mut world = World::new();
    let mut entries = world.directory().to_vec();
    for port in 1..u16::try_from(limits::NODES - entries.len()).unwrap() {
        let node = derived(&court(), 10).public();
        let address = format!("/ip4/10.0.0.4/tcp/{port}").parse().unwrap();
        entries.push(NodeEntry { institution: court(), node, address, votes: false });
    }
    world.state.insert(StateKey::Directory, StateValue::Directory(Box::new(list(entries))));
    let with = |count: u8| {
        let mut body = admission(who);
        body.nodes = list((1..=count).map(|it| node_at(who, 9 + it, u16::from(it))).collect());
        world.would_move(Change::Admit(Box::new(body)))
    };
    assert_eq!(with(1), "accepted");
    assert_eq!(with(2), "rejected: DIRECTORY");
}

#[test]
fn a_new_member_submits_from_its_height_on() {
    let mut world = World::new();
    let who = newcomers()[0];
    let body = Motion { from: Height::new(20), ..world.motion_body(admit_body(who)) };
    world.put_motion(flow(200), body);
    world.approve(flow(200));
    let state = world.institution_state(who);
    assert_eq!((state.admitted_at, state.suspended_at), (Height::new(20), None));
    assert_eq!((&*state.roles, state.keys.len()), (&[Role::Bank][..], 1));
    let profile = StateValue::Profile(Box::new(admission(who).profile));
    assert_eq!(world.state[&StateKey::Profile(who)], profile);
    let directory = world.directory();
    assert!(directory.is_sorted_by_key(|entry| entry.institution));
    let own: Vec<_> = directory.iter().filter(|entry| entry.institution == who).collect();
    assert_eq!((own.len(), own[0].node, own[0].votes), (1, node(&who).public(), false));
    let move_another = |world: &World| {
        let body = world.motion_body(admit_body(newcomers()[1]));
        world.would(who, flow(201), Body::Motion(Box::new(body)))
    };
    world.wait_for(Height::new(19));
    assert_eq!(move_another(&world), "rejected: INSTITUTION_INACTIVE");
    world.wait_for(Height::new(20));
    assert_eq!(move_another(&world), "accepted");
}

#[test]
fn a_suspended_institution_submits_until_its_height() {
    let mut world = World::new();
    let change = Change::Suspend(court());
    let body = Motion { from: Height::new(20), ..world.motion_body(change.clone()) };
    world.put_motion(flow(200), body);
    world.approve(flow(200));
    assert_eq!(world.institution_state(court()).suspended_at, Some(Height::new(20)));
    let speak = |world: &World| world.would(court(), flow(1), grant(consent()));
    // A suspension can be brought forward, not put off.
    let at = |world: &World, height| {
        let change = Change::Suspend(court());
        let body = Motion { from: Height::new(height), ..world.motion_body(change) };
        world.would(bank(), flow(201), Body::Motion(Box::new(body)))
    };
    assert_eq!(at(&world, 19), "accepted");
    assert_eq!(at(&world, 20), "rejected: INSTITUTION_INACTIVE");
    world.wait_for(Height::new(19));
    assert_ne!(speak(&world), "rejected: INSTITUTION_INACTIVE");
    world.wait_for(Height::new(20));
    assert_eq!(speak(&world), "rejected: INSTITUTION_INACTIVE");
    assert_eq!(world.would_move(change), "rejected: INSTITUTION_INACTIVE");
    let stranger = world.would_move(Change::Suspend(newcomers()[0]));
    assert_eq!(stranger, "rejected: INSTITUTION_INACTIVE");
}

#[test]
fn who_has_a_seat_or_will_have_one_is_not_suspended() {
    let mut world = World::with_newcomers();
    let [comes, ..] = newcomers();
    let suspend = |world: &World, who| world.would_move(Change::Suspend(who));
    assert_eq!(suspend(&world, bank()), "rejected: INSTITUTION_SEATED");
    assert_eq!(suspend(&world, comes), "accepted");
    let first = world.height.saturating_add(10);
    let body = world.motion_body(seats(&[comes], &[bank()]));
    world.put_motion(flow(200), Motion { from: first, ..body });
    world.approve(flow(200));
    assert_eq!(suspend(&world, comes), "rejected: INSTITUTION_SEATED");
    assert_eq!(suspend(&world, bank()), "rejected: INSTITUTION_SEATED");
    world.wait_for(first);
    assert_eq!(suspend(&world, comes), "rejected: INSTITUTION_SEATED");
    assert_eq!(suspend(&world, bank()), "accepted");
}

/// The largest change of each kind.
fn largest() -> [Change; 3] {
    let who = newcomers()[0];
    let address = "/ip6/1111:1111:1111:1111:1111:1111:1111:1111/tcp/65535";
    let ids = (100..116).map(institution);
    let seat_changes = SeatChange {
        seats: list(ids.clone().map(seat).collect::<Vec<Seat>>()),
        leave: list(ids.collect()),
    };
    let mut large = admission(who);
    large.profile.zh = text(&"中".repeat(limits::NAME_BYTES / 3));
    large.profile.en = text(&"e".repeat(limits::NAME_BYTES));
    large.profile.group = text(&"g".repeat(limits::GROUP_BYTES));
    large.roles = list(vec![Role::Bank; limits::ROLES]);
    large.keys = list(vec![proven(&who, &keypair(&who)); limits::SUBMISSION_KEYS]);
    let node = AdmittedNode { node: large.keys[0], address: address.parse().unwrap() };
    large.nodes = list(vec![node; limits::NODES_PER_INSTITUTION]);
    let key = large.keys[0];
    let keys = probata_types::body::KeyChange {
        institution: who,
        add: Some(key),
        revoke: Some(probata_types::body::Revocation { key: key.key, overlap: HEIGHTS_AHEAD }),
    };
    [Change::Validators(Box::new(seat_changes)), Change::Admit(Box::new(large)), key_change(keys)]
}

#[test]
fn the_largest_motion_fits_its_object_and_its_record() {
    let mut world = World::new();
    let body = world.motion_body(admit_body(newcomers()[0]));
    world.put_motion(flow(200), body);
    for change in largest() {
        let mut state = world.flow_state(flow(200)).unwrap();
        let mut full = world.motion(flow(200));
        full.change = change.clone();
        full.ballots = list(vec![Some(true); limits::VALIDATORS]);
        full.seen = list(vec![0; limits::VALIDATORS]);
        full.status = MotionStatus::Approved {
            from: Height::MAX,
            by: Record::id(
                &world.record(bank(), flow(1), grant(consent())),
                SUITE,
                &CHAIN,
                &bank(),
            ),
        };
        state.object = Object::Motion(Box::new(full));
        let size = codec::encode(&StateValue::Flow(Box::new(state))).len();
        assert!(size <= limits::OBJECT_BYTES, "the object takes {size} bytes");
        let mut body = world.motion_body(change);
        body.reason = text(&"r".repeat(limits::REASON_BYTES));
        let mut record = world.record(bank(), flow(201), Body::Motion(Box::new(body)));
        // The minutes of the meeting that decided on it.
        record.documents = list(vec![document(DocumentRole::Resolution, b"minutes")]);
        let size = codec::encode(&record).len();
        assert!(size <= limits::RECORD_BYTES, "the record takes {size} bytes");
    }
}
