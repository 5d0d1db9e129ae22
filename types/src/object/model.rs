//! A model with its versions.

use crate::{List, Text, body::ModelUse, limits, record::RecordId};
use serde::{Deserialize, Serialize};

/// A model as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The institution's name of it.
    pub model_id: Text<64>,
    /// Its versions, in the order of their first record.
    pub versions: List<ModelVersion, { limits::VERSIONS_PER_MODEL }>,
    /// The version in use, if one is.
    pub deployed: Option<Text<32>>,
    /// Finished training runs.
    pub runs: u64,
}

impl Model {
    /// The version of a name.
    pub fn version(&self, name: &str) -> Option<&ModelVersion> {
        self.versions.iter().find(|version| &*version.name == name)
    }
}

/// A version of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelVersion {
    /// Its name.
    pub name: Text<32>,
    /// Where it stands in its life.
    pub status: VersionStatus,
    /// The record of its finished run, once there is one.
    pub run: Option<RecordId>,
    /// What it is for, once trained.
    pub purpose: Option<ModelUse>,
    /// Whether the algorithm was filed when it was trained.
    pub filed: bool,
    /// Whether it was approved for use.
    pub approved: bool,
}

/// Where a version stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionStatus {
    /// Training has begun.
    Started,
    /// Training has ended well.
    Finished,
    /// Training was given up.
    Aborted,
    /// Reviewed.
    Reviewed,
    /// Approved for use.
    Approved,
    /// In use.
    Deployed,
    /// Taken back.
    RolledBack,
    /// No longer used.
    Retired,
}

impl VersionStatus {
    /// The label of reports, in Chinese and in English.
    pub const fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Started => ("训练中", "in training"),
            Self::Finished => ("训练完成", "trained"),
            Self::Aborted => ("训练中止", "aborted"),
            Self::Reviewed => ("已评审", "reviewed"),
            Self::Approved => ("已批准", "approved"),
            Self::Deployed => ("已上线", "deployed"),
            Self::RolledBack => ("已回退", "rolled back"),
            Self::Retired => ("已下线", "retired"),
        }
    }
}
