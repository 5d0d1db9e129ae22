use crate::fixtures::*;
use probata_types::{
    Height, InstitutionId, List,
    body::{
        Body, Cosignature, Deployment, DeploymentResult, ModelStep, ModelUse, TrainingMode,
        TrainingRun,
    },
    object::{Model, Object, VersionStatus},
    state::{StateKey, StateValue},
};

fn judge(change: impl FnOnce(&mut TrainingRun)) -> String {
    let mut run = run();
    change(&mut run);
    World::new().would(bank(), flow(60), finished("v1", run))
}

fn state(world: &World) -> Model {
    match world.flow_state(flow(60)).unwrap().object {
        Object::Model(model) => *model,
        other => panic!("{other:?} is not a model"),
    }
}

fn started(version: &str, parent: Option<&str>) -> Body {
    model(version, ModelStep::Started { parent: parent.map(text) })
}

#[test]
fn a_version_goes_from_training_to_retirement() {
    let mut world = World::new();
    let steps = [
        (started("v1", None), VersionStatus::Started),
        (finished("v1", run()), VersionStatus::Finished),
        (model("v1", ModelStep::Reviewed), VersionStatus::Reviewed),
        (approved("v1"), VersionStatus::Approved),
        (deployed("v1"), VersionStatus::Deployed),
        (model("v1", ModelStep::RolledBack { reason: text("drift") }), VersionStatus::RolledBack),
        (deployed("v1"), VersionStatus::Deployed),
        (model("v1", ModelStep::Retired), VersionStatus::Retired),
    ];
    for (body, status) in steps {
        assert_eq!(world.say(bank(), flow(60), body), "accepted");
        let model = state(&world);
        assert_eq!(model.versions[0].status, status);
        assert_eq!(model.deployed.is_some(), status == VersionStatus::Deployed);
    }
    assert_eq!(state(&world).runs, 1);
    assert_eq!(world.say(bank(), flow(60), deployed("v1")), "rejected: VERSION_STATE");
}

#[test]
fn a_model_is_of_one_institution_and_one_name() {
    let mut world = World::new();
    assert_eq!(world.would(court(), flow(60), finished("v1", run())), "rejected: ROLE");
    world.say(bank(), flow(60), finished("v1", run()));
    assert_eq!(world.would(other_bank(), flow(60), approved("v1")), "rejected: NOT_PARTY");
    let mut other = approved("v1");
    let Body::ModelTraining(training) = &mut other else {
        panic!("a training");
    };
    training.model_id = text("another");
    assert_eq!(world.would(bank(), flow(60), other), "rejected: MODEL_CHANGED");
    world.say(bank(), flow(50), grant(consent()));
    assert_eq!(world.would(bank(), flow(50), started("v1", None)), "rejected: FLOW_KIND");
}

#[test]
fn steps_go_in_their_order() {
    let mut world = World::new();
    world.say(bank(), flow(60), started("v1", None));
    let would = |world: &World, body| world.would(bank(), flow(60), body);
    let wrong = "rejected: VERSION_STATE";
    assert_eq!(would(&world, started("v1", None)), wrong);
    assert_eq!(would(&world, approved("v1")), wrong);
    assert_eq!(would(&world, deployed("v1")), wrong);
    assert_eq!(would(&world, deployed("v2")), wrong);
    assert_eq!(would(&world, model("v1", ModelStep::Retired)), wrong);
    assert_eq!(world.say(bank(), flow(60), finished("v1", run())), "accepted");
    assert_eq!(would(&world, finished("v1", run())), wrong);
    assert_eq!(would(&world, model("v1", ModelStep::Aborted { reason: text("x") })), wrong);
    world.say(bank(), flow(60), started("v2", Some("v1")));
    let abort = model("v2", ModelStep::Aborted { reason: text("no gain") });
    assert_eq!(world.say(bank(), flow(60), abort), "accepted");
    assert_eq!(would(&world, finished("v2", run())), wrong);
}

#[test]
fn training_has_a_length_data_and_a_parent_that_was_trained() {
    let backwards = |r: &mut TrainingRun| r.process.ended_at = at(day(2025, 6, 15), 8, 0);
    assert_eq!(judge(backwards), "rejected: TRAINING_INTERVAL");
    let future = |r: &mut TrainingRun| r.process.ended_at = at(day(2025, 6, 17), 8, 0);
    assert_eq!(judge(future), "rejected: OCCURRED_IN_FUTURE");
    assert_eq!(judge(|r| r.datasets = List::empty()), "rejected: VALUE");
    assert_eq!(judge(|r| r.parent = Some(text("v0"))), "rejected: PARENT_UNKNOWN");
    let mut world = World::new();
    world.say(bank(), flow(60), started("v0", None));
    let child = TrainingRun { parent: Some(text("v0")), ..run() };
    let child = finished("v1", child);
    assert_eq!(world.would(bank(), flow(60), child.clone()), "rejected: PARENT_UNKNOWN");
    assert_eq!(
        world.would(bank(), flow(60), started("v1", Some("v0"))),
        "rejected: PARENT_UNKNOWN"
    );
    world.say(bank(), flow(60), finished("v0", run()));
    assert_eq!(world.say(bank(), flow(60), child), "accepted");
}

#[test]
fn versions_are_bounded() {
    let mut world = World::new();
    for number in 0..probata_types::limits::VERSIONS_PER_MODEL {
        assert_eq!(world.say(bank(), flow(60), started(&format!("v{number}"), None)), "accepted");
    }
    assert_eq!(world.say(bank(), flow(60), started("more", None)), "rejected: MODEL_FULL");
}

fn cosigned(run: &TrainingRun, by: &[InstitutionId]) -> TrainingRun {
    let digest = run.digest(SUITE, &CHAIN, &flow(60));
    let sign = |id: &InstitutionId| Cosignature {
        institution: *id,
        key: keypair(id).public(),
        signature: keypair(id).sign(&digest),
    };
    TrainingRun { cosignatures: list(by.iter().map(sign).collect()), ..run.clone() }
}

#[test]
fn federated_training_wants_two_members_signatures() {
    let run = TrainingRun { mode: TrainingMode::Federated, ..run() };
    let world = World::new();
    let judge = |run| world.would(bank(), flow(60), finished("v1", run));
    let wrong = "rejected: COSIGNATURES";
    assert_eq!(judge(cosigned(&run, &[bank(), provider()])), "accepted");
    assert_eq!(judge(cosigned(&run, &[bank()])), wrong);
    assert_eq!(judge(cosigned(&run, &[bank(), bank()])), wrong);
    assert_eq!(judge(cosigned(&run, &[bank(), institution(99)])), wrong);
    let mut forged = cosigned(&run, &[bank(), provider()]);
    forged.cosignatures.as_mut_slice()[1].signature = unsigned();
    assert_eq!(judge(forged), wrong);
    let mut changed = cosigned(&run, &[bank(), provider()]);
    changed.process.iterations += 1;
    assert_eq!(judge(changed), wrong);
    let elsewhere = cosigned(&run, &[bank(), provider()]);
    assert_eq!(world.would(bank(), flow(61), finished("v1", elsewhere)), wrong);
    // A revoked key signs nothing.
    let mut revoked = world.clone();
    let key = StateKey::Institution(provider());
    let Some(StateValue::Institution(institution)) = revoked.state.get_mut(&key) else {
        panic!("a member");
    };
    institution.keys.as_mut_slice()[0].revoked_at = Some(Height::new(1));
    let both = cosigned(&run, &[bank(), provider()]);
    assert_eq!(revoked.would(bank(), flow(60), finished("v1", both)), wrong);
}

#[test]
fn data_wants_checksums_and_a_consent_that_still_holds() {
    assert_eq!(judge(|r| r.datasets.as_mut_slice()[0].checksum = None), "accepted: NO_CHECKSUM");
    let on_consent = |r: &mut TrainingRun| r.datasets.push(dataset(Some(flow(50)))).unwrap();
    assert_eq!(judge(on_consent), "accepted: DATA_AFTER_REVOKE");
    let mut world = World::new();
    world.say(bank(), flow(50), grant(consent()));
    let mut trained = run();
    on_consent(&mut trained);
    let body = finished("v1", trained);
    assert_eq!(world.would(bank(), flow(60), body.clone()), "accepted");
    world.say(bank(), flow(50), revoke(revocation()));
    assert_eq!(world.would(bank(), flow(60), body), "accepted: DATA_AFTER_REVOKE");
}

#[test]
fn deployment_wants_approval_and_a_filing() {
    let deploy = |purpose, filed: bool, approve: bool| {
        let mut world = World::new();
        let filing_no = filed.then(|| text("ZJ-2025-17"));
        let run = TrainingRun { purpose, filing_no, ..run() };
        assert_eq!(world.say(bank(), flow(60), finished("v1", run)), "accepted");
        if approve {
            assert_eq!(world.say(bank(), flow(60), approved("v1")), "accepted");
        }
        world.say(bank(), flow(60), deployed("v1"))
    };
    assert_eq!(deploy(ModelUse::Admission, true, true), "accepted");
    assert_eq!(deploy(ModelUse::Admission, true, false), "accepted: DEPLOY_UNAPPROVED");
    assert_eq!(deploy(ModelUse::Pricing, false, true), "accepted: FILING_MISSING");
    assert_eq!(deploy(ModelUse::Marketing, false, true), "accepted");
}

#[test]
fn a_failed_deployment_changes_nothing() {
    let mut world = World::new();
    world.say(bank(), flow(60), finished("v1", run()));
    let Body::ModelTraining(mut body) = deployed("v1") else {
        panic!("a training");
    };
    if let ModelStep::Deployed(deployment) = &mut body.step {
        *deployment = Deployment { result: DeploymentResult::Failure, ..deployment.clone() };
    }
    assert_eq!(world.say(bank(), flow(60), Body::ModelTraining(body)), "accepted");
    assert_eq!(state(&world).deployed, None);
    assert_eq!(state(&world).versions[0].status, VersionStatus::Finished);
}
