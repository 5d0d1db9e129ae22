//! The command that a newcomer tries first.

use crate::NODE;
use probata_client::case::Case;
use probata_tests::{Trouble, ensure, limits, network::turn, ports::Ports, writer::case_folder};
use std::{path::Path, process::Stdio};
use tokio::{process::Command, time::Instant};

fn devnet(folder: &Path, base_port: u16) -> Command {
    let mut command = Command::new(NODE);
    command.args(["devnet", "--no-case", "--base-port", &base_port.to_string(), "--dir"]);
    command.arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

/// Whether no node of a devnet on these ports runs.
fn ports_are_free(ports: &Ports) -> bool {
    let all = (0..=4).flat_map(|node| [ports.base() + node, ports.base() + 100 + node]);
    all.into_iter().all(|port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok())
}

async fn until(what: &str, holds: impl Fn() -> bool) -> Result<(), Trouble> {
    let end = Instant::now() + limits::PATIENCE;
    while !holds() {
        ensure(Instant::now() < end, || format!("not in time: {what}"))?;
        tokio::time::sleep(limits::LOOK_INTERVAL).await;
    }
    Ok(())
}

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
    // Nothing that it started is left.
    ensure(ports_are_free(&ports), || "a port is still in use".to_owned())?;
    println!("{} records proved", steps.len());
    Ok(())
}

/// A devnet that runs is not disturbed by another; and however it ends, even without a chance to stop its
/// nodes, none of them stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_devnet_is_alone_in_its_folder_and_leaves_nobody_behind() -> Result<(), Trouble> {
    let _turn = turn().await;
    let (ports, folder) = (Ports::find()?, tempfile::tempdir()?);
    let up = || {
        let api = ports.base() + 100 + 4;
        std::net::TcpStream::connect(("127.0.0.1", api)).is_ok()
    };
    for ends_by_itself in [true, false] {
        let mut running = devnet(folder.path(), ports.base()).spawn()?;
        until("the devnet is up", up).await?;
        let genesis = std::fs::read(folder.path().join("genesis.json"))?;

        let other = tempfile::tempdir()?;
        for (folder, why) in [(folder.path(), "a devnet runs in"), (other.path(), "is in use")] {
            let second = devnet(folder, ports.base()).output().await?;
            let said = String::from_utf8_lossy(&second.stderr);
            ensure(!second.status.success() && said.contains(why), || format!("{why}: {said}"))?;
        }
        let after = std::fs::read(folder.path().join("genesis.json"))?;
        ensure(genesis == after, || "the second devnet touched the first".to_owned())?;

        if ends_by_itself {
            let id = i32::try_from(running.id().ok_or_else(|| Trouble::new("it ended"))?)?;
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::SIGINT)?;
            ensure(running.wait().await?.success(), || "it did not end well".to_owned())?;
            ensure(ports_are_free(&ports), || "a node outlived its devnet".to_owned())?;
        } else {
            running.kill().await?;
            until("no node is left", || ports_are_free(&ports)).await?;
        }
    }
    Ok(())
}
