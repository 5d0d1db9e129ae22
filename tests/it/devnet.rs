//! The command that a newcomer tries first.

use crate::NODE;
use probata_client::case::Case;
use probata_tests::{Trouble, ensure, limits, network::turn, ports::Ports, writer::case_folder};
use std::process::Stdio;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn one_command_notarises_a_loan_and_proves_it() -> Result<(), Trouble> {
    let _turn = turn().await;
    let (ports, folder) = (Ports::find()?, tempfile::tempdir()?);
    let mut command = Command::new(NODE);
    command.args(["devnet", "--once", "--base-port", &ports.base().to_string(), "--dir"]);
    command.arg(folder.path()).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(limits::PATIENCE, command.output()).await??;
    let printed = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    ensure(output.status.success(), || format!("{}\n{printed}\n{said}", output.status))?;
    let steps = Case::read(&case_folder())?.steps;
    for step in &steps {
        let name = &step.draft.name;
        let proved = |line: &str| {
            let mut words = line.split_whitespace();
            words.next() == Some(name)
                && words.next() == Some("E5")
                && words.any(|word| word == "CONSISTENT")
        };
        ensure(printed.lines().any(proved), || format!("no verdict for {name}:\n{printed}"))?;
        let evidence = folder.path().join(format!("case/{name}.evidence.json"));
        ensure(evidence.is_file(), || format!("there is no {}", evidence.display()))?;
    }
    // Nothing that it started is left: every port is free again.
    for port in (0..=4).flat_map(|node| [ports.base() + node, ports.base() + 100 + node]) {
        std::net::TcpListener::bind(("127.0.0.1", port))?;
    }
    println!("{} records proved", steps.len());
    Ok(())
}
