//! `probata draft`: a draft of a record type, from the sample case.

use super::{failure::Failure, output::Output};
use clap::{Args, builder::PossibleValuesParser};
use probata_types::body::RecordType;
use serde_json::Value;

/// The sample case, whose drafts are known to be accepted.
const CASE: &str = include_str!("../../../examples/case/case.json");

#[derive(Debug, Args)]
#[command(after_help = "Example: probata draft collection > collection.draft.json")]
pub(super) struct DraftArguments {
    /// The record type.
    #[arg(value_parser = PossibleValuesParser::new(RecordType::ALL.map(RecordType::name)))]
    record_type: String,
}

pub(super) fn run(arguments: &DraftArguments, output: &mut Output) -> Result<u8, Failure> {
    let case: Value = serde_json::from_str(CASE).expect("the sample case is JSON; a test reads it");
    let steps = case.pointer("/steps").and_then(Value::as_array).into_iter().flatten();
    let mut drafts = steps.filter_map(|step| step.get("draft"));
    let draft = drafts.find(|draft| {
        let body = draft.get("body").and_then(Value::as_object);
        body.is_some_and(|body| body.contains_key(&arguments.record_type))
    });
    let Some(draft) = draft else {
        let message = format!("the sample case has no {}", arguments.record_type);
        return Err(Failure::usage(message, "see docs/SDK.md for the form of drafts"));
    };
    output.answer(&format!("{draft:#}"), draft);
    Ok(0)
}
