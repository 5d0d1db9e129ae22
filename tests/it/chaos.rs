//! The program `chaos`, for a short while: with namespaces where they are permitted, else on loopback.

use probata_tests::{Trouble, ensure, network};
use serde_json::Value;
use std::process::Stdio;
use tokio::process::Command;

/// The program.
const CHAOS: &str = env!("CARGO_BIN_EXE_chaos");

#[tokio::test]
async fn a_short_run_under_fire_loses_nothing() -> Result<(), Trouble> {
    let _turn = network::turn().await;
    // How many of the seed's phases fit into the time depends on the machine; one always does.
    let arguments = ["--minutes", "0.4", "--seed", "7", "--json"];
    let mut command = Command::new(CHAOS);
    // An input that ends would tell it to stop.
    command.args(arguments).stdin(Stdio::piped()).kill_on_drop(true);
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let output = output.wait_with_output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    ensure(output.status.success(), || format!("it ended with {}: {said}", output.status))?;
    let tally: Value = serde_json::from_slice(&output.stdout)?;
    for done in ["phases", "acknowledged", "height"] {
        ensure(tally[done].as_u64() > Some(0), || format!("{done}: {}", tally[done]))?;
    }
    for bad in ["lost", "forks"] {
        ensure(tally[bad] == 0, || format!("{bad}: {}", tally[bad]))?;
    }
    Ok(())
}

#[tokio::test]
async fn wrong_usage_is_told_from_violation() -> Result<(), Trouble> {
    let output = Command::new(CHAOS).args(["--validators", "3"]).output().await?;
    ensure(output.status.code() == Some(2), || format!("it ended with {}", output.status))
}
