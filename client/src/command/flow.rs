//! `probata flow`: the records of a flow, and the proof that none is left out.

use super::{
    Common, context,
    failure::Failure,
    output::{Output, field, table},
};
use crate::sdk::{Client, ClientError, clock};
use clap::Args;
use probata_types::{FlowId, Height, RecordId, Timestamp};
use serde_json::{Value, json};

#[derive(Debug, Args)]
#[command(after_help = "Example: probata flow 3f1c…e2 --node http://127.0.0.1:7101 …")]
pub(super) struct FlowArguments {
    /// The flow's id: 32 hex digits.
    flow: FlowId,
}

pub(super) async fn run(
    arguments: &FlowArguments,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let client = context::client(common, None)?;
    let records = client.flow(&arguments.flow).await?;
    let proven = proven(&client, &records).await?;
    let offset = client.genesis().rule_pack().utc_offset_minutes;
    let rows = records.iter().map(|record| row(record, offset)).collect();
    output.line(&table(&["TYPE", "BY", "SEQ", "SEALED", "HEIGHT", "OUTCOME", "RECORD"], rows));
    output.line(&match proven {
        Some(height) => format!("Proven: these are all accepted records up to height {height}."),
        None => {
            "Not proven to be complete: the node's list and the sealed count differ.".to_owned()
        }
    });
    output.value(&json!({
        "flow": arguments.flow,
        "records": records,
        "proven_complete_to": proven,
    }));
    Ok(0)
}

/// The height up to which the list is proven to hold every accepted record of the flow.
async fn proven(client: &Client, records: &[Value]) -> Result<Option<Height>, ClientError> {
    let accepted: Vec<RecordId> = records
        .iter()
        .filter(|record| field(record, "/outcome/status") == "accepted")
        .filter_map(|record| field(record, "/id").parse().ok())
        .collect();
    let Some(last) = accepted.last() else { return Ok(None) };
    // The light client has checked the events against the sealed count and hash chain.
    let file = client.evidence(last, true).await?;
    let height = file.anchor_header().height;
    let same = file.events.is_some_and(|events| *events == *accepted);
    Ok(same.then_some(height))
}

fn row(record: &Value, offset_minutes: i32) -> Vec<String> {
    let millis = record.pointer("/time").and_then(Value::as_u64).unwrap_or_default();
    let time = clock::show(Timestamp::ZERO.saturating_add(millis), offset_minutes);
    let text = |path| field(record, path);
    let mut outcome = text("/outcome/status");
    let findings = record.pointer("/outcome/findings").and_then(Value::as_array);
    for finding in findings.into_iter().flatten() {
        outcome.push(' ');
        outcome.push_str(&field(finding, "/name"));
    }
    let failure = text("/outcome/failure/name");
    if !failure.is_empty() {
        outcome = format!("{outcome} {failure}");
    }
    vec![
        text("/record_type"),
        text("/institution"),
        text("/seq"),
        time,
        text("/place/height"),
        outcome,
        text("/id"),
    ]
}
