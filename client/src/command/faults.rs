//! `probata faults`: the proofs that validators contradicted themselves, fetched and checked.

use super::{
    Common, context,
    failure::Failure,
    output::{Output, table},
};
use crate::sdk::{Client, ClientError, FoundFault, write_evidence};
use clap::Args;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

#[derive(Debug, Args)]
#[command(after_help = "Example: probata faults --out faults/ --node http://127.0.0.1:7101 …\n\n\
    A fault that the chain has recorded comes with the evidence file of that record, which\n\
    `probata verify-fault` takes to know who had the seats. Exit code 0 with or without faults.")]
pub(super) struct FaultsArguments {
    /// Write each as HEIGHT-VIEW-VOTE-PLACE.fault.json into this folder, made if need be, and the
    /// evidence of its record beside it.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(super) async fn run(
    arguments: &FaultsArguments,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let client = context::client(common, None)?;
    let faults = client.faults().await?;
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder).map_err(|error| ClientError::file(folder, error))?;
        for fault in &faults {
            write(&client, fault, folder).await?;
        }
    }
    output.line(&table(
        &["HEIGHT", "VIEW", "VOTE", "PLACE", "INSTITUTION", "RECORD"],
        faults.iter().map(row).collect(),
    ));
    output.line(&format!("{} proven faults", faults.len()));
    let values: Vec<Value> = faults
        .iter()
        .map(|fault| json!({ "name": name(fault), "file": fault.file, "record": fault.record }))
        .collect();
    output.value(&json!({ "faults": values }));
    Ok(0)
}

async fn write(client: &Client, fault: &FoundFault, folder: &Path) -> Result<(), Failure> {
    let path = folder.join(format!("{}.fault.json", name(fault)));
    fs::write(&path, fault.file.to_json()).map_err(|error| ClientError::file(&path, error))?;
    if let Some(record) = &fault.record {
        let evidence = client.evidence(record, true).await?;
        write_evidence(&evidence, &folder.join(format!("{}.evidence.json", name(fault))))?;
    }
    Ok(())
}

/// What sets a fault apart from all others of its chain, as the name of a file.
fn name(FoundFault { file, .. }: &FoundFault) -> String {
    format!("{}-{}-{}-{}", file.height, file.view, vote(file.kind), file.validator)
}

/// The kind of vote, as JSON names it.
fn vote(kind: probata_types::fault::VoteKind) -> String {
    serde_json::to_value(kind)
        .ok()
        .and_then(|it| it.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn row(fault: &FoundFault) -> Vec<String> {
    let file = &fault.file;
    vec![
        file.height.to_string(),
        file.view.to_string(),
        vote(file.kind),
        file.validator.to_string(),
        file.institution.to_string(),
        fault.record.map_or_else(|| "not recorded yet".to_owned(), |record| record.to_string()),
    ]
}
