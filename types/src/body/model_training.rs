//! Model training 模型训练 (P04), with the fields of JR/T 0221-2021, 6.4. A model is a flow; each
//! record is one step in the life of one version.

use super::{optional, under};
use crate::{
    Date, Domain, Hash, InstitutionId, List, PublicKey, Signature, Suite, Text, Timestamp,
    record::{Commitment, Digest256, FlowId},
};
use serde::{Deserialize, Serialize};

/// A step in the life of a model's version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelTraining {
    /// The institution's name of the model; the same in all of the flow.
    pub model_id: Text<64>,
    /// The version.
    pub version: Text<32>,
    /// What happened to it.
    pub step: ModelStep,
}

/// What happened to a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ModelStep {
    /// Training began.
    Started {
        /// The version that it starts from; none for a root.
        parent: Option<Text<32>>,
    },
    /// Training ended well.
    Finished(Box<TrainingRun>),
    /// Training was given up.
    Aborted {
        /// Why.
        reason: Text<128>,
    },
    /// Its results were reviewed; the report is a document of the record.
    Reviewed,
    /// It was approved for use.
    Approved {
        /// The number of the approval.
        approval_no: Text<64>,
    },
    /// It was put into use.
    Deployed(Deployment),
    /// It was taken back to an earlier version.
    RolledBack {
        /// Why.
        reason: Text<128>,
    },
    /// It is no longer used.
    Retired,
}

impl ModelTraining {
    pub(super) fn commitments(&self) -> Vec<(String, Commitment)> {
        match &self.step {
            ModelStep::Finished(run) => under("step.finished", run.commitments()).collect(),
            ModelStep::Deployed(deployment) => {
                vec![("step.deployed.operator".to_owned(), deployment.operator)]
            }
            _ => Vec::new(),
        }
    }
}

/// A finished training run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRun {
    /// The institution's name of the run.
    pub run_id: Text<32>,
    /// The version that it started from; none for a root.
    pub parent: Option<Text<32>>,
    /// What the model is for.
    pub purpose: ModelUse,
    /// The data.
    pub datasets: List<Dataset, 6>,
    /// The process.
    pub process: TrainingProcess,
    /// What was measured.
    pub metrics: List<Metric, 8>,
    /// SHA-256 of the report on bias, if there is one.
    pub bias_report: Option<Digest256>,
    /// The number of the algorithm's filing, if it is filed.
    pub filing_no: Option<Text<64>>,
    /// How it was trained.
    pub mode: TrainingMode,
    /// The sandbox, if any.
    pub sandbox: Option<Text<32>>,
    /// The parties of a joint training: each signs [`Self::digest`].
    pub cosignatures: List<Cosignature, 8>,
}

impl TrainingRun {
    /// What the parties of a joint training sign: `hash(TrainingRun, chain ‖ flow ‖ run)`, the run
    /// with an empty list of signatures.
    pub fn digest(&self, suite: Suite, chain: &Hash, flow: &FlowId) -> Hash {
        let mut run = self.clone();
        run.cosignatures = List::empty();
        let run = crate::codec::encode(&run);
        suite.hash(Domain::TrainingRun, &[chain.as_bytes(), flow.as_bytes(), &run])
    }

    fn commitments(&self) -> Vec<(String, Commitment)> {
        let mut fields = vec![("process.operator".to_owned(), self.process.operator)];
        for (at, dataset) in self.datasets.iter().enumerate() {
            let medium = optional("storage_medium", dataset.storage_medium);
            fields.extend(under(&format!("datasets.{at}"), medium.into_iter().collect()));
        }
        fields
    }
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelUse {
    /// Who gets a loan.
    Admission,
    /// At what price.
    Pricing,
    /// How much.
    Limit,
    /// Collection.
    Collection,
    /// Finding fraud.
    Fraud,
    /// Marketing.
    Marketing,
}

/// Data that a model was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Where it came from.
    pub source: Text<64>,
    /// When it was acquired.
    pub acquired_on: Date,
    /// Rows.
    pub rows: u32,
    /// Commitment to the name of the medium on which it is kept.
    pub storage_medium: Option<Commitment>,
    /// SHA-256 of the data.
    pub checksum: Option<Digest256>,
    /// How it was sampled.
    pub sampling: Text<32>,
    /// The flow of the consent, if it rests on one.
    pub consent: Option<FlowId>,
    /// How it was masked, if it was.
    pub masking: Option<Text<32>>,
    /// Thousandths of epsilon, if differential privacy was applied.
    pub dp_epsilon_thousandths: Option<u32>,
}

/// How a model was trained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingProcess {
    /// SHA-256 of the training script.
    pub script: Digest256,
    /// SHA-256 of the description of hardware and software.
    pub environment: Digest256,
    /// Commitment to the operator's staff number.
    pub operator: Commitment,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Iterations.
    pub iterations: u32,
    /// SHA-256 of the log of parameters by iteration.
    pub iteration_log: Digest256,
    /// The random seed.
    pub seed: u32,
}

/// Something measured about a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// What, such as `AUC` or `KS`.
    pub name: Text<16>,
    /// The value in millionths.
    pub millionths: i32,
}

/// How a training is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainingMode {
    /// In one place.
    Local,
    /// Federated among several.
    Federated,
    /// By secure multi-party computation.
    MultiParty,
    /// In a trusted execution environment.
    TrustedEnvironment,
}

/// The agreement of a party of a joint training.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosignature {
    /// Who.
    pub institution: InstitutionId,
    /// Its key.
    pub key: PublicKey,
    /// Over [`TrainingRun::digest`].
    pub signature: Signature,
}

/// How a version was put into use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// Commitment to the operator's staff number.
    pub operator: Commitment,
    /// When.
    pub at: Timestamp,
    /// How it went.
    pub result: DeploymentResult,
    /// SHA-256 of the deployment script.
    pub script: Digest256,
    /// SHA-256 of the description of the environment.
    pub environment: Digest256,
}

/// How a deployment went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentResult {
    /// Well.
    Success,
    /// Not; the version is not in use.
    Failure,
}
