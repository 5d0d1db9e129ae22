//! The check of a node's data, as an operator runs it.

use crate::NODE;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use probata_tests::{Trouble, ensure, limits, load::Load, network::Network};
use std::{fs, path::Path, process::Stdio, time::Duration};
use tokio::process::Command;

/// The scratch folders in a data folder.
fn scratch(data: &Path) -> Result<Vec<String>, Trouble> {
    let mut names = Vec::new();
    for entry in fs::read_dir(data)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with("fsck-") {
            names.push(name);
        }
    }
    Ok(names)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_what_it_did_and_tidies_up_when_it_is_interrupted() -> Result<(), Trouble> {
    let mut network = Network::start(NODE, 4).await?;
    let mut load = Load::start(&network, 2)?;
    load.wait_for_more(&mut network, 40).await?;
    let acknowledged = load.stop().await?.acknowledged.len() as u64;
    network.stop(0).await?;
    let report = network.fsck(0).await?;
    println!("{report}");
    let number = |key: &str| report[key].as_u64().unwrap_or_default();
    let whole = number("from") == 1 && report["state_from"] == 1 && report["state_at"].is_null();
    ensure(report["clean"] == true && whole, || format!("{report}"))?;
    let counted = number("records") >= acknowledged && number("blocks") == number("log");
    let timed = report["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0);
    ensure(counted && timed && number("bytes_per_second") > 0, || format!("{report}"))?;

    // Interrupted as soon as it has a folder of its own. It may be faster, and then it is done.
    let data = network.path(0, "data");
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut command = Command::new(NODE);
        command.args(["fsck", "--config"]).arg(network.path(0, "node.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.kill_on_drop(true).spawn()?;
        let id = process.id().ok_or_else(|| Trouble::new("the check ended at once"))?;
        while scratch(&data)?.is_empty() && process.try_wait()?.is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // An error says that it has ended.
        let _ = kill(Pid::from_raw(i32::try_from(id)?), signal);
        let output = tokio::time::timeout(limits::PATIENCE, process.wait_with_output()).await??;
        let said = String::from_utf8_lossy(&output.stderr);
        println!("{signal}: {}, {}", output.status, said.trim());
        let stopped = output.status.code() == Some(2) && said.contains("stopped before its end");
        ensure(stopped || output.status.success(), || format!("{}: {said}", output.status))?;
        let left = scratch(&data)?;
        ensure(left.is_empty(), || format!("{left:?} is left"))?;
    }
    network.start_node(0)?;
    network.wait_until_up().await?;
    network.finish().await
}
