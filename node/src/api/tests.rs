use super::{
    rig::{Answer, Mode, Rig},
    *,
};
use crate::{
    fixtures::{flow, lei, pair, sign},
    handle::Refusal,
};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use futures::stream;
use probata_client::light;
use probata_types::{
    Height, Submission, SubmissionId, Timestamp, catalogue::failure, codec, evidence::EvidenceFile,
};
use serde_json::{Value, json};

mod batches;
mod documented;
mod errors;
mod faults;
mod reads;
mod serving;
mod submitting;
