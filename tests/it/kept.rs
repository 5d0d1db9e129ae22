//! What a court keeps and asks for, with the real command and real nodes: checkpoints, newer evidence that agrees with
//! them, comparison, and proof of absence.

use crate::{NODE, PROBATA, offline::notarise};
use probata_tests::{Trouble, ensure, limits, network::Network};
use serde_json::Value;
use std::path::Path;
use tokio::process::Command;

/// Runs `probata --json` in a folder; the exit code and what it printed.
async fn probata(folder: &Path, nodes: &str, arguments: &[&str]) -> Result<(i32, Value), Trouble> {
    let mut command = Command::new(PROBATA);
    command.current_dir(folder).args(arguments).args(["--json", "--genesis", "genesis.json"]);
    command.env("PROBATA_NODE", nodes).kill_on_drop(true);
    let output = tokio::time::timeout(limits::PATIENCE, command.output()).await??;
    let code = output.status.code().unwrap_or(-1);
    let said = if code < 64 { &output.stdout } else { &output.stderr };
    let said = serde_json::from_slice(said).map_err(|error| {
        let text = String::from_utf8_lossy(&output.stderr);
        Trouble::new(format!("{arguments:?} printed no JSON: {error}; {text}"))
    })?;
    Ok((code, said))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_court_keeps_a_checkpoint_and_asks_for_evidence_that_agrees() -> Result<(), Trouble> {
    let mut network = Network::start(NODE, 4).await?;
    let court = tempfile::tempdir()?;
    let folder = court.path();
    let records = notarise(&network, folder).await?;
    std::fs::write(folder.join("genesis.json"), network.genesis().to_json())?;
    let nodes = network.client_config(&[0, 1, 2, 3], limits::PATIENCE).nodes.join(",");
    let run = async |code: i32, arguments: &[&str]| -> Result<Value, Trouble> {
        let (got, said) = probata(folder, &nodes, arguments).await?;
        ensure(got == code, || format!("{arguments:?}: exit code {got}, not {code}: {said}"))?;
        Ok(said)
    };
    let contract = records.iter().find(|one| one.name == "contract");
    let contract = contract.ok_or_else(|| Trouble::new("the case has no contract"))?;
    let guarantee = records.iter().find(|one| one.name == "guarantee");
    let guarantee = guarantee.ok_or_else(|| Trouble::new("the case has no guarantee"))?;

    // The checkpoint is later than every anchor of the case.
    network.wait_for_height(anchored_at(folder)? + 1).await?;
    let kept = run(0, &["checkpoint", "new", "--out", "court.checkpoint.json"]).await?;
    let height = kept["nodes"][0]["height"].as_u64().unwrap_or_default();
    ensure(kept["agree"] == true && height > 0, || format!("kept {kept}"))?;
    run(0, &["checkpoint", "verify", "court.checkpoint.json"]).await?;
    run(0, &["compare"]).await?;
    network.wait_for_height(height + 1).await?;

    // The file of the case does not show its way to the checkpoint; a newer one does.
    let file = "contract.evidence.json";
    let verify = ["verify", file, "--checkpoint", "court.checkpoint.json"];
    run(2, &verify).await?;
    let refresh =
        ["evidence", "refresh", file, "--out", file, "--checkpoint", "court.checkpoint.json"];
    run(0, &refresh).await?;
    let report = run(0, &verify).await?;
    ensure(report["level"] == "E5", || format!("{report}"))?;

    // What did not happen, and what did.
    let recorded = |name: &str| -> Result<u64, Trouble> {
        let text = std::fs::read(folder.join(format!("{name}.evidence.json")))?;
        let file: Value = serde_json::from_slice(&text)?;
        file["header"]["height"].as_u64().ok_or_else(|| Trouble::new("no height"))
    };
    let (signed, flow) = (recorded("guarantee")?, guarantee.flow.to_string());
    let (before, at) = ((signed - 1).to_string(), signed.to_string());
    run(0, &["absence", "guarantee", &flow, "--at", &before, "--out", "none.absence.json"]).await?;
    run(0, &["absence", "verify", "none.absence.json"]).await?;
    run(64, &["absence", "guarantee", &flow, "--at", &at, "--out", "x.absence.json"]).await?;
    let bound = recorded("contract")?;
    let (before, after) = (bound.to_string(), (bound + 1).to_string());
    let document = contract.documents[0].file_name().and_then(|name| name.to_str());
    let document = document.ok_or_else(|| Trouble::new("the contract has no document"))?;
    run(0, &["absence", "document", document, "--before", &before, "--out", "doc.absence.json"])
        .await?;
    run(0, &["absence", "verify", "doc.absence.json", "--checkpoint", "court.checkpoint.json"])
        .await
        .map_or_else(|_| Ok(()), |said| Err(Trouble::new(format!("no link, and yet {said}"))))?;
    run(64, &["absence", "document", document, "--before", &after, "--out", "x.absence.json"])
        .await?;
    network.finish().await
}

/// The height that the contract's evidence is anchored at.
fn anchored_at(folder: &Path) -> Result<u64, Trouble> {
    let text = std::fs::read(folder.join("contract.evidence.json"))?;
    let file: Value = serde_json::from_slice(&text)?;
    let height = file["anchor"]["header"]["height"].as_u64();
    height.ok_or_else(|| Trouble::new("the contract has no anchor"))
}
