//! Model training: the life of a model's versions.
//!
//! ```text
//! STARTED ──▶ FINISHED ──▶ REVIEWED ──▶ APPROVED ──▶ DEPLOYED ──▶ ROLLED_BACK ──▶ DEPLOYED
//!    └─▶ ABORTED  └────────────┴────────────┘ (deployed without approval: a finding)
//! FINISHED … ROLLED_BACK ──▶ RETIRED
//! ```
//! Hard: one institution, one model to a flow; steps in this order; training ends after it begins;
//! the version that it starts from exists; federated training bears the valid signatures of two
//! members, and no training an invalid one. Soft: `NO_CHECKSUM`, `DEPLOY_UNAPPROVED`,
//! `FILING_MISSING`, `DATA_AFTER_REVOKE`.

use crate::case::{Case, Judged, require};
use probata_types::{
    List, Text,
    body::{
        Dataset, Deployment, DeploymentResult, ModelStep, ModelTraining, ModelUse, TrainingMode,
        TrainingRun,
    },
    catalogue::{failure, finding},
    institution::Role,
    key,
    object::{ConsentStatus, Model, ModelVersion, Object, VersionStatus},
};

pub(crate) fn judge(
    case: &mut Case<'_, '_>,
    body: &ModelTraining,
    flow: Option<Object>,
) -> Judged<Object> {
    case.require_role(|role| {
        role.lends() || matches!(role, Role::Guarantor | Role::DataProvider | Role::Platform)
    })?;
    case.require_owner()?;
    let mut model = open(body, flow)?;
    match &body.step {
        ModelStep::Started { parent } => {
            check_parent(&model, parent.as_ref())?;
            add(&mut model, &body.version)?;
        }
        ModelStep::Finished(run) => finish(case, &mut model, &body.version, run)?,
        ModelStep::Aborted { .. } => {
            advance(&mut model, body, &[VersionStatus::Started], VersionStatus::Aborted)?;
        }
        ModelStep::Reviewed => {
            advance(&mut model, body, &[VersionStatus::Finished], VersionStatus::Reviewed)?;
        }
        ModelStep::Approved { .. } => {
            let from = [VersionStatus::Finished, VersionStatus::Reviewed];
            advance(&mut model, body, &from, VersionStatus::Approved)?.approved = true;
        }
        ModelStep::Deployed(deployment) => deploy(case, &mut model, body, deployment)?,
        ModelStep::RolledBack { .. } => {
            advance(&mut model, body, &[VersionStatus::Deployed], VersionStatus::RolledBack)?;
            take_out_of_use(&mut model, &body.version);
        }
        ModelStep::Retired => {
            advance(&mut model, body, &TRAINED, VersionStatus::Retired)?;
            take_out_of_use(&mut model, &body.version);
        }
    }
    Ok(Object::Model(model))
}

/// A version that was trained and is not retired.
const TRAINED: [VersionStatus; 5] = [
    VersionStatus::Finished,
    VersionStatus::Reviewed,
    VersionStatus::Approved,
    VersionStatus::Deployed,
    VersionStatus::RolledBack,
];

fn open(body: &ModelTraining, flow: Option<Object>) -> Judged<Box<Model>> {
    match flow {
        Some(Object::Model(model)) => {
            require(model.model_id == body.model_id, failure::MODEL_CHANGED)?;
            Ok(model)
        }
        Some(_) => Err(failure::FLOW_KIND.into()),
        None => Ok(Box::new(Model {
            model_id: body.model_id.clone(),
            versions: List::empty(),
            deployed: None,
            runs: 0,
        })),
    }
}

/// Hard: the version that training starts from was itself trained, unless this one is a root.
fn check_parent(model: &Model, parent: Option<&Text<32>>) -> Judged {
    let trained =
        |name: &Text<32>| model.version(name).is_some_and(|version| version.run.is_some());
    require(parent.is_none_or(trained), failure::PARENT_UNKNOWN)
}

/// A version of a new name, in training.
fn add<'m>(model: &'m mut Model, name: &Text<32>) -> Judged<&'m mut ModelVersion> {
    require(model.version(name).is_none(), failure::VERSION_STATE)?;
    let version = ModelVersion {
        name: name.clone(),
        status: VersionStatus::Started,
        run: None,
        purpose: None,
        filed: false,
        approved: false,
    };
    model.versions.push(version).map_err(|_| failure::MODEL_FULL)?;
    Ok(model.versions.as_mut_slice().last_mut().expect("just added"))
}

/// Moves a version on, if it is in one of the statuses `from`.
fn advance<'m>(
    model: &'m mut Model,
    body: &ModelTraining,
    from: &[VersionStatus],
    to: VersionStatus,
) -> Judged<&'m mut ModelVersion> {
    let versions = model.versions.as_mut_slice();
    let version = versions.iter_mut().find(|version| version.name == body.version);
    let version = version.ok_or(failure::VERSION_STATE)?;
    require(from.contains(&version.status), failure::VERSION_STATE)?;
    version.status = to;
    Ok(version)
}

fn take_out_of_use(model: &mut Model, version: &Text<32>) {
    model.deployed.take_if(|deployed| deployed == version);
}

fn finish(
    case: &mut Case<'_, '_>,
    model: &mut Model,
    name: &Text<32>,
    run: &TrainingRun,
) -> Judged {
    let process = &run.process;
    require(process.ended_at >= process.started_at, failure::TRAINING_INTERVAL)?;
    case.require_past(process.ended_at)?;
    require(!run.datasets.is_empty(), failure::VALUE)?;
    check_parent(model, run.parent.as_ref())?;
    check_cosignatures(case, run)?;

    let versions = model.versions.as_mut_slice();
    let version = match versions.iter_mut().position(|version| version.name == *name) {
        Some(at) => &mut model.versions.as_mut_slice()[at],
        None => add(model, name)?,
    };
    require(version.status == VersionStatus::Started, failure::VERSION_STATE)?;
    version.status = VersionStatus::Finished;
    version.run = Some(case.id);
    version.purpose = Some(run.purpose);
    version.filed = run.filing_no.is_some();
    model.runs = model.runs.saturating_add(1);

    let unchecked = run.datasets.iter().any(|dataset| dataset.checksum.is_none());
    case.note(unchecked, finding::NO_CHECKSUM);
    for dataset in &run.datasets {
        let withdrawn = rests_on_nothing(case, dataset)?;
        case.note(withdrawn, finding::DATA_AFTER_REVOKE);
    }
    Ok(())
}

/// Whether a dataset names a consent that was withdrawn or does not exist.
fn rests_on_nothing(case: &Case<'_, '_>, dataset: &Dataset) -> Judged<bool> {
    let Some(consent) = &dataset.consent else {
        return Ok(false);
    };
    let consent = case.consent(consent)?;
    Ok(consent.is_none_or(|consent| consent.status == ConsentStatus::Revoked))
}

fn check_cosignatures(case: &Case<'_, '_>, run: &TrainingRun) -> Judged {
    let signers = &run.cosignatures;
    let enough = run.mode != TrainingMode::Federated || signers.len() >= 2;
    require(enough, failure::COSIGNATURES)?;
    if signers.is_empty() {
        return Ok(());
    }
    let block = case.block;
    let digest = run.digest(block.suite, &block.chain, &case.record.flow);
    for (at, one) in signers.iter().enumerate() {
        let twice = signers[..at].iter().any(|other| other.institution == one.institution);
        require(!twice, failure::COSIGNATURES)?;
        let member = case.state.institution(&one.institution)?;
        let entitled = member.is_some_and(|member| {
            member.is_active(block.height) && member.key_is_valid(&one.key, block.height)
        });
        require(entitled, failure::COSIGNATURES)?;
        let valid = key::verify(&one.key, &digest, &one.signature).is_ok();
        require(valid, failure::COSIGNATURES)?;
    }
    Ok(())
}

fn deploy(
    case: &mut Case<'_, '_>,
    model: &mut Model,
    body: &ModelTraining,
    deployment: &Deployment,
) -> Judged {
    case.require_past(deployment.at)?;
    let known = model.version(&body.version).ok_or(failure::VERSION_STATE)?;
    require(TRAINED.contains(&known.status), failure::VERSION_STATE)?;
    let (approved, filed, purpose) = (known.approved, known.filed, known.purpose);
    if deployment.result == DeploymentResult::Failure {
        return Ok(());
    }
    advance(model, body, &TRAINED, VersionStatus::Deployed)?;
    model.deployed = Some(body.version.clone());
    case.note(!approved, finding::DEPLOY_UNAPPROVED);
    let wants_filing = matches!(purpose, Some(ModelUse::Admission | ModelUse::Pricing));
    case.note(wants_filing && !filed, finding::FILING_MISSING);
    Ok(())
}

#[cfg(test)]
mod tests;
