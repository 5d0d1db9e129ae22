//! A whole network on one machine: holds the ceremony, starts the node processes, notarises a loan case,
//! shows the verdicts, and watches.

/// Prints a line. A reader that has gone, as after `| head`, is no reason to stop a network.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

mod case;
pub mod ceremony;
pub mod process;
mod table;

use crate::stop;
use ceremony::DevnetNode;
use clap::Args;
use probata_client::sdk::{Client, ClientConfig, ClientError};
use probata_genesis::Genesis;
use process::NodeProcess;
use std::{
    fs::{self, File, TryLockError},
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The file that marks a folder as a devnet's, and names its nodes.
const DEVNET_FILE: &str = "devnet.json";
/// How long all nodes together may take to answer.
const START_TIME: Duration = Duration::from_secs(30);
/// Pause between two looks at a node that does not answer yet.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// What `probata-node devnet --help` ends with.
const EXAMPLES: &str = "\
Examples:
  probata-node devnet --once              notarise, show the verdicts, end
  probata-node devnet                     the same, and stay up with a live table until Ctrl-C
  probata-node devnet --validators 7      two of seven validators may lie or fail
  probata-node devnet --dir /tmp/other --base-port 7800
                                          a second network beside the first

What it leaves, and leaves again at every start, in the folder:
  genesis.json            what everybody agreed on; its hash is the chain id
  case/                   documents and their evidence files: probata verify FILE --genesis GENESIS
  bank/ guarantor/ ...    a node each: node.toml, keys, data, node.log
To see a validator fail, kill one of the processes: the others go on.";

/// What `probata-node devnet` is told.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct DevnetArguments {
    /// Folder for genesis, keys, data and evidence. An earlier devnet in it is deleted.
    #[arg(long, value_name = "FOLDER", default_value = "devnet")]
    pub dir: PathBuf,
    /// Number of validators; the first four are a bank, a guarantor, a data provider and a court.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(4..=32))]
    pub validators: u16,
    /// First port of the mesh; the HTTP APIs start 100 above.
    #[arg(long, value_name = "PORT", default_value_t = 7400, value_parser = clap::value_parser!(u16).range(1024..=65_000))]
    pub base_port: u16,
    /// End after the verdicts. Exit code 0 if every record is proved.
    #[arg(long)]
    pub once: bool,
    /// Start the network only, without the loan case: for benchmarks and tests.
    #[arg(long, conflicts_with = "once")]
    pub no_case: bool,
}

/// Why a devnet did not come about.
#[derive(Debug, thiserror::Error)]
pub enum DevnetError {
    /// A file or folder.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The folder holds something else.
    #[error("{0} is not empty and not a devnet's: choose another folder with --dir")]
    NotOurs(PathBuf),
    /// A devnet runs in the folder.
    #[error(
        "a devnet runs in {0}: stop it first (Ctrl-C there), or choose another folder with --dir"
    )]
    Running(PathBuf),
    /// The ceremony failed.
    #[error("the ceremony failed: {0}")]
    Ceremony(String),
    /// A port is taken.
    #[error("port {port} is in use: choose others with --base-port")]
    Port {
        /// Which.
        port: u16,
    },
    /// A node ended.
    #[error("node {name} ended ({status}); the end of its log {log} says why")]
    Ended {
        /// Which.
        name: String,
        /// How.
        status: String,
        /// Its log.
        log: PathBuf,
    },
    /// A node does not answer.
    #[error("node {name} did not answer within {START_TIME:?}; its log is {log}")]
    Silent {
        /// Which.
        name: String,
        /// Its log.
        log: PathBuf,
    },
    /// The case could not be notarised.
    #[error("the case could not be notarised: {0}")]
    Client(#[from] ClientError),
    /// A record is not proved.
    #[error("{0} of the evidence files are not consistent")]
    Verdict(usize),
}

impl DevnetError {
    fn at(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::File { path, source }
    }
}

/// Runs a devnet until Ctrl-C, or with `--once` until the verdicts.
///
/// # Errors
/// [`DevnetError`]; whatever was started is stopped.
pub async fn devnet(arguments: DevnetArguments) -> Result<(), DevnetError> {
    let started = Instant::now();
    let dir = &arguments.dir;
    let claim = Claim::take(dir)?;
    // Nothing is deleted before it is known that the network can start.
    check_ports(&arguments)?;
    claim.empty()?;
    let (genesis, nodes) = ceremony::hold(dir, arguments.validators, arguments.base_port)?;
    claim.write(&nodes)?;
    introduce(&genesis, dir);
    let mut network = Network::start(nodes)?;
    let result = tokio::select! {
        result = go_on(&arguments, &genesis, &mut network, started) => result,
        () = stop::requested() => Ok(()),
    };
    tokio::select! {
        () = network.stop() => {}
        // Asked twice: what is left is killed.
        () = stop::requested() => {}
    }
    result
}

async fn go_on(
    arguments: &DevnetArguments,
    genesis: &Genesis,
    network: &mut Network,
    started: Instant,
) -> Result<(), DevnetError> {
    let clients = network.wait_until_up(genesis).await?;
    let (count, taken) = (arguments.validators, started.elapsed());
    say!("{count} validators and 1 member node are up after {taken:.1?}.\n");
    if !arguments.no_case {
        case::notarise(&arguments.dir, genesis, &network.nodes).await?;
    }
    if arguments.once {
        return Ok(());
    }
    case::what_to_try_next(&arguments.dir, &network.nodes);
    table::watch(network, &clients).await
}

fn introduce(genesis: &Genesis, dir: &Path) {
    let set = genesis.validator_set();
    say!("Probata devnet in {}", dir.display());
    say!("chain id {}", genesis.chain());
    for entry in genesis.entries() {
        let votes = if entry.validator.is_some() { "validator" } else { "member node" };
        say!("  {}  {}  {}  ({votes})", entry.id, entry.name.zh, entry.name.en);
    }
    let (n, f, q) = (set.size(), set.faulty(), set.quorum());
    say!("{n} validators: {q} must agree, {f} may lie or fail\n");
}

/// The folder of a devnet, held for as long as it runs.
struct Claim {
    /// [`DEVNET_FILE`], locked.
    file: File,
    dir: PathBuf,
}

impl Claim {
    /// A folder that is empty, or an earlier devnet's that has ended.
    fn take(dir: &Path) -> Result<Self, DevnetError> {
        fs::create_dir_all(dir).map_err(DevnetError::at(dir))?;
        let empty = fs::read_dir(dir).map_err(DevnetError::at(dir))?.next().is_none();
        let path = dir.join(DEVNET_FILE);
        if !empty && !path.is_file() {
            return Err(DevnetError::NotOurs(dir.to_owned()));
        }
        let mut options = File::options();
        let file = options.create(true).append(true).open(&path).map_err(DevnetError::at(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, dir: dir.to_owned() }),
            Err(TryLockError::WouldBlock) => Err(DevnetError::Running(dir.to_owned())),
            Err(TryLockError::Error(source)) => Err(DevnetError::at(path)(source)),
        }
    }

    /// Deletes the earlier devnet.
    fn empty(&self) -> Result<(), DevnetError> {
        for entry in fs::read_dir(&self.dir).map_err(DevnetError::at(&self.dir))? {
            let path = entry.map_err(DevnetError::at(&self.dir))?.path();
            let removed = match path.is_dir() && !path.is_symlink() {
                true => fs::remove_dir_all(&path),
                false if path.ends_with(DEVNET_FILE) => self.file.set_len(0),
                false => fs::remove_file(&path),
            };
            removed.map_err(DevnetError::at(&path))?;
        }
        Ok(())
    }

    /// Writes down which nodes there are.
    fn write(&self, nodes: &[DevnetNode]) -> Result<(), DevnetError> {
        let nodes: Vec<serde_json::Value> = nodes
            .iter()
            .map(|node| {
                serde_json::json!({
                    "name": node.name,
                    "institution": node.institution,
                    "api": node.api,
                    "validator": node.validator,
                })
            })
            .collect();
        let text = serde_json::to_string_pretty(&serde_json::json!({ "nodes": nodes }))
            .expect("JSON values can be written");
        (&self.file).write_all(text.as_bytes()).map_err(DevnetError::at(&self.dir))
    }
}

fn check_ports(arguments: &DevnetArguments) -> Result<(), DevnetError> {
    for number in 0..=arguments.validators {
        for port in [arguments.base_port, arguments.base_port + ceremony::API_PORT_OFFSET] {
            let port = port + number;
            std::net::TcpListener::bind(("127.0.0.1", port))
                .map_err(|_| DevnetError::Port { port })?;
        }
    }
    Ok(())
}

/// The running processes and who they are.
struct Network {
    nodes: Vec<DevnetNode>,
    processes: Vec<NodeProcess>,
}

impl Network {
    fn start(nodes: Vec<DevnetNode>) -> Result<Self, DevnetError> {
        let program = std::env::current_exe().map_err(DevnetError::at("this program"))?;
        let start = |node: &DevnetNode| NodeProcess::start(&program, node);
        let processes = nodes.iter().map(start).collect::<Result<_, _>>()?;
        Ok(Self { nodes, processes })
    }

    /// How each node ended; `None` for one that runs.
    fn ended(&mut self) -> Vec<Option<String>> {
        self.processes.iter_mut().map(NodeProcess::ended).collect()
    }

    /// An error if a node has ended.
    fn check(&mut self) -> Result<(), DevnetError> {
        self.processes.iter_mut().try_for_each(NodeProcess::check)
    }

    /// A client for each node, once every node answers.
    async fn wait_until_up(&mut self, genesis: &Genesis) -> Result<Vec<Client>, DevnetError> {
        let until = Instant::now() + START_TIME;
        let mut clients = Vec::new();
        for node in self.nodes.clone() {
            let client = client(genesis, vec![node.api.clone()])?;
            while client.status().await.is_err() {
                self.check()?;
                if Instant::now() > until {
                    let log = node.folder.join("node.log");
                    return Err(DevnetError::Silent { name: node.name, log });
                }
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
            clients.push(client);
        }
        Ok(clients)
    }

    async fn stop(self) {
        for process in &self.processes {
            process.ask_to_stop();
        }
        for process in self.processes {
            // It was asked to end, and how it did matters no more.
            let _ = process.end().await;
        }
    }
}

fn client(genesis: &Genesis, nodes: Vec<String>) -> Result<Client, ClientError> {
    Client::new(ClientConfig {
        nodes,
        genesis: genesis.clone(),
        deadline: probata_client::sdk::limits::DEADLINE,
        spool: None,
    })
}
