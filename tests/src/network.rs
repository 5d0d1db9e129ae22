//! A network of real processes on loopback, and the verbs that tests do to it.

mod node;

pub use node::Status;

use crate::{
    limits,
    ports::Ports,
    trouble::{Trouble, ensure},
};
use nix::sys::signal::Signal;
use probata_client::sdk::{Client, ClientConfig};
use probata_genesis::Genesis;
use probata_node::devnet::{
    ceremony::{self, DevnetNode, Terms},
    process::NodeProcess,
};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

static TURNS: Semaphore = Semaphore::const_new(limits::NETWORKS_AT_ONCE);

/// Waits until this test may run a network. Every test that starts processes takes a turn.
///
/// # Panics
/// Never: the turns are not closed.
pub async fn turn() -> SemaphorePermit<'static> {
    TURNS.acquire().await.expect("nobody closes it")
}

/// Validators, candidates for their seats, and one member node after them. Dropping it kills every process; a folder whose network
/// was not brought to its [`Network::finish`] is kept to look at.
pub struct Network {
    folder: PathBuf,
    own: Option<TempDir>,
    genesis: Genesis,
    nodes: Vec<DevnetNode>,
    processes: Vec<Option<NodeProcess>>,
    programs: Vec<PathBuf>,
    http: reqwest::Client,
    _ports: Option<Ports>,
    _turn: SemaphorePermit<'static>,
}

/// What a network is made from, where the ceremony was held already.
pub struct Parts {
    /// The folder of genesis, keys and nodes. Whoever hands it over clears it up.
    pub folder: PathBuf,
    /// The genesis document.
    pub genesis: Genesis,
    /// Every node; the last is the member node.
    pub nodes: Vec<DevnetNode>,
    /// What is run as each node: a `probata-node`, or what becomes one.
    pub programs: Vec<PathBuf>,
}

impl Network {
    /// Holds the ceremony, starts every node of the program `probata-node` and waits until all are up.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn start(program: &str, validators: u16) -> Result<Self, Trouble> {
        let mut network = Self::prepare(program, validators, Terms::devnet()).await?;
        network.start_all().await?;
        Ok(network)
    }

    /// Holds the ceremony on any terms. Nothing runs yet.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn prepare(program: &str, validators: u16, terms: Terms) -> Result<Self, Trouble> {
        let turn = turn().await;
        let ports = Ports::find()?;
        let folder = tempfile::Builder::new().prefix("probata-test-").tempdir()?;
        let (genesis, nodes) = ceremony::hold_on(folder.path(), validators, ports.base(), terms)?;
        let programs = vec![PathBuf::from(program); nodes.len()];
        let parts = Parts { folder: folder.path().to_owned(), genesis, nodes, programs };
        let mut network = Self::of(parts, turn)?;
        (network.own, network._ports) = (Some(folder), Some(ports));
        Ok(network)
    }

    /// A network of which nothing runs yet.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn assemble(parts: Parts) -> Result<Self, Trouble> {
        Self::of(parts, turn().await)
    }

    fn of(parts: Parts, turn: SemaphorePermit<'static>) -> Result<Self, Trouble> {
        let Parts { folder, genesis, nodes, programs } = parts;
        Ok(Self {
            folder,
            own: None,
            genesis,
            processes: nodes.iter().map(|_| None).collect(),
            nodes,
            programs,
            http: reqwest::Client::builder().timeout(limits::ANSWER).build()?,
            _ports: None,
            _turn: turn,
        })
    }

    /// Starts every node that does not run, and waits until all are up.
    ///
    /// # Errors
    /// [`Trouble`] as [`Network::start_node`] and [`Network::wait_until_up`].
    pub async fn start_all(&mut self) -> Result<(), Trouble> {
        for node in 0..self.nodes.len() {
            if self.processes[node].is_none() {
                self.start_node(node)?;
            }
        }
        self.wait_until_up().await
    }

    /// The genesis document.
    pub const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The folder of genesis, keys and nodes.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every node; the last is the member node.
    pub fn nodes(&self) -> &[DevnetNode] {
        &self.nodes
    }

    /// The places of the validators of genesis.
    pub fn validators(&self) -> std::ops::Range<usize> {
        0..self.nodes.iter().filter(|node| node.validator).count()
    }

    /// The places of those that have a key for a seat to come.
    pub fn candidates(&self) -> std::ops::Range<usize> {
        self.validators().end..self.member()
    }

    /// The place of the member node.
    pub fn member(&self) -> usize {
        self.nodes.len() - 1
    }

    /// The nodes whose processes run.
    pub fn running(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|node| self.processes[*node].is_some()).collect()
    }

    /// The path of a file in a node's folder.
    pub fn path(&self, node: usize, file: &str) -> PathBuf {
        self.nodes[node].folder.join(file)
    }

    /// Starts a node that does not run.
    ///
    /// # Errors
    /// [`Trouble`] if there is no such program.
    ///
    /// # Panics
    /// If the node runs: the test is wrong.
    pub fn start_node(&mut self, node: usize) -> Result<(), Trouble> {
        assert!(self.processes[node].is_none(), "node {node} runs already");
        self.processes[node] = Some(NodeProcess::start(&self.programs[node], &self.nodes[node])?);
        Ok(())
    }

    /// Kills nodes as a power cut would, at once: they get no moment to finish anything.
    ///
    /// # Errors
    /// [`Trouble`] if the system cannot tell that they ended.
    pub async fn kill(&mut self, nodes: &[usize]) -> Result<(), Trouble> {
        for node in nodes {
            self.signal(*node, Signal::SIGKILL);
        }
        for node in nodes {
            self.wait_for_end(*node).await?;
        }
        Ok(())
    }

    /// Asks a node to stop by SIGTERM, and waits for its end.
    ///
    /// # Errors
    /// [`Trouble`] unless it ends by itself, with exit code 0.
    pub async fn stop(&mut self, node: usize) -> Result<(), Trouble> {
        self.signal(node, Signal::SIGTERM);
        let status = self.wait_for_end(node).await?;
        ensure(status.success(), || {
            format!("asked to stop, node {node} ended with {status}\n{}", self.log_tail(node))
        })
    }

    /// Waits for a node to end.
    ///
    /// # Errors
    /// [`Trouble`] if the system cannot tell.
    ///
    /// # Panics
    /// If the node does not run: the test is wrong.
    pub async fn wait_for_end(&mut self, node: usize) -> Result<ExitStatus, Trouble> {
        let process = self.processes[node].take().expect("the test says that the node runs");
        Ok(process.end().await?)
    }

    /// The process of a node, if it runs.
    pub fn process(&self, node: usize) -> Option<u32> {
        self.processes[node].as_ref().and_then(NodeProcess::id)
    }

    /// How a node ended by itself, if it did; it counts as stopped from then on.
    pub fn ended(&mut self, node: usize) -> Option<String> {
        let how = self.processes[node].as_mut()?.ended()?;
        self.processes[node] = None;
        Some(how)
    }

    /// Sends a node's process a signal.
    ///
    /// # Panics
    /// If the node does not run: the test is wrong.
    pub fn signal(&self, node: usize, signal: Signal) {
        self.processes[node].as_ref().expect("the test says that the node runs").signal(signal);
    }

    /// A client of these nodes, which believes nothing that it has not verified.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn client(&self, nodes: &[usize], deadline: Duration) -> Result<Client, Trouble> {
        Ok(Client::new(self.client_config(nodes, deadline))?)
    }

    /// What such a client needs to know.
    pub fn client_config(&self, nodes: &[usize], deadline: Duration) -> ClientConfig {
        ClientConfig {
            nodes: nodes.iter().map(|node| self.nodes[*node].api.clone()).collect(),
            genesis: self.genesis.clone(),
            deadline,
            spool: None,
        }
    }

    /// Waits until all nodes that were started answer.
    ///
    /// # Errors
    /// [`Trouble`] if one ends, or does not answer in time.
    pub async fn wait_until_up(&mut self) -> Result<(), Trouble> {
        for node in self.running() {
            let what = format!("node {node} to answer");
            self.wait_for(&what, async |network| Ok(network.status(node).await.is_ok())).await?;
        }
        Ok(())
    }

    /// Looks again and again until something holds, and how long it took.
    ///
    /// # Errors
    /// [`Trouble`] of `holds`, if a running node ends meanwhile, or after [`limits::PATIENCE`]; then with what
    /// every node says.
    pub async fn wait_for(
        &mut self,
        what: &str,
        mut holds: impl AsyncFnMut(&Self) -> Result<bool, Trouble>,
    ) -> Result<Duration, Trouble> {
        let start = Instant::now();
        while !holds(self).await? {
            for node in 0..self.nodes.len() {
                let Some(process) = &mut self.processes[node] else { continue };
                if let Err(error) = process.check() {
                    let log = self.log_tail(node);
                    return Err(Trouble::new(format!("waiting for {what}: {error}\n{log}")));
                }
            }
            if start.elapsed() > limits::PATIENCE {
                let state = self.describe().await;
                let patience = limits::PATIENCE;
                return Err(Trouble::new(format!("{what} did not come in {patience:?}\n{state}")));
            }
            tokio::time::sleep(limits::LOOK_INTERVAL).await;
        }
        Ok(start.elapsed())
    }

    /// Waits until all running nodes are at `height` or above.
    ///
    /// # Errors
    /// As [`Network::wait_for`].
    pub async fn wait_for_height(&mut self, height: u64) -> Result<Duration, Trouble> {
        let what = format!("height {height} at every running node");
        self.wait_for(&what, async |network| {
            for node in network.running() {
                match network.status(node).await {
                    Ok(status) if status.height >= height => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        })
        .await
    }

    /// Stops what runs, checks the data of every node, and clears up. The last line of every test.
    ///
    /// # Errors
    /// [`Trouble`] if a node does not stop well, or its data is not clean.
    pub async fn finish(mut self) -> Result<(), Trouble> {
        self.stop_and_check().await?;
        if let Some(folder) = self.own.take() {
            folder.close()?;
        }
        Ok(())
    }

    /// Stops what runs and clears up, without a look at the data: where there is much of it, that takes long.
    ///
    /// # Errors
    /// [`Trouble`] if a node does not stop well.
    pub async fn finish_unchecked(mut self) -> Result<(), Trouble> {
        for node in self.running() {
            self.stop(node).await?;
        }
        if let Some(folder) = self.own.take() {
            folder.close()?;
        }
        Ok(())
    }

    /// Stops what runs and checks the data of every node.
    ///
    /// # Errors
    /// As [`Network::finish`].
    pub async fn stop_and_check(&mut self) -> Result<(), Trouble> {
        for node in self.running() {
            self.stop(node).await?;
        }
        for node in 0..self.nodes.len() {
            let report = self.fsck(node).await?;
            let clean = report["clean"] == Value::Bool(true);
            ensure(clean, || format!("fsck of node {node} found damage: {report}"))?;
        }
        Ok(())
    }

    /// The status of every node and the end of its log.
    async fn describe(&self) -> String {
        let mut text = String::new();
        for node in 0..self.nodes.len() {
            let status = match (&self.processes[node], self.status(node).await) {
                (None, _) => "stopped".to_owned(),
                (_, Ok(status)) => format!("{status:?}"),
                (_, Err(error)) => error.to_string(),
            };
            text.push_str(&format!("node {node}: {status}\n{}\n", self.log_tail(node)));
        }
        text
    }
}

impl Drop for Network {
    #[expect(clippy::print_stderr, reason = "whoever reads the failure must find the folder")]
    fn drop(&mut self) {
        if let Some(folder) = self.own.take() {
            eprintln!("the network did not finish; its folder is {}", folder.keep().display());
        }
    }
}
