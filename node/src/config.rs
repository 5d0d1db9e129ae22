//! `node.toml`: what each node may choose for itself. What all must share is in the genesis document.

use crate::{archive, limits};
use serde::Deserialize;
use std::{
    net::SocketAddr,
    num::NonZeroU64,
    path::{Path, PathBuf},
};

/// The checked content of a `node.toml`. Relative paths start at the folder of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The genesis document.
    pub genesis: PathBuf,
    /// The chain id that the operator was told by another way. The node refuses any other genesis.
    pub chain: Option<probata_types::Hash>,
    /// Folder of the block log, the journal and the derived state.
    pub data: PathBuf,
    /// Where the secret keys are.
    pub keys: Keys,
    /// The mesh of nodes.
    pub mesh: Mesh,
    /// The HTTP API.
    pub api: Api,
    /// The derived state.
    #[serde(default)]
    pub store: Store,
    /// Where old parts of the block log go, if anywhere.
    pub archive: Option<Archive>,
    /// Snapshots of the running node; none at all with the engine sled.
    pub snapshot: Option<SnapshotPlan>,
    /// How a node with an empty data folder begins.
    #[serde(default)]
    pub join: Join,
    /// Logs.
    #[serde(default)]
    pub log: Log,
}

/// Secret keys, each in a file that only the node's user may read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Identifies the node in the mesh; genesis names its public key.
    pub node: PathBuf,
    /// Signs votes; only for a validator.
    pub validator: Option<PathBuf>,
    /// Signs votes from the height on at which a motion puts it in place of the other: both are held
    /// meanwhile, and the one that has a seat is used.
    pub next_validator: Option<PathBuf>,
}

/// The mesh of nodes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mesh {
    /// Multiaddresses to listen on, such as `/ip4/0.0.0.0/tcp/7001`.
    pub listen: Vec<String>,
    /// Where to reach peers that have moved since genesis: node key and address.
    #[serde(default)]
    pub moved: Vec<Moved>,
}

/// A peer that is no longer where genesis says, or that genesis does not name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// Its node key.
    pub node: probata_types::PublicKey,
    /// Its multiaddress now.
    pub address: String,
}

/// The HTTP API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Address and port to listen on. Anybody who reaches it may read: put a proxy in front for TLS and
    /// access control.
    pub listen: SocketAddr,
}

/// The derived state.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// The engine that keeps what is derived from the log. Another one is filled from the log at the next start.
    pub engine: Engine,
    /// Megabytes that the engine's cache may take; resident memory of sled is a few times as much.
    pub cache_mb: u64,
}

/// An engine for what is derived from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// Log-structured merge trees: a record costs the same however many there are.
    Fjall,
    /// A B-tree of pages: for small ledgers.
    Sled,
}

impl Default for Store {
    fn default() -> Self {
        Self { engine: Engine::Fjall, cache_mb: 64 }
    }
}

/// The archive: where old parts of the block log go when `probata-node archive` is run, and are read from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// A folder (`file:///srv/probata`); with the feature `s3` of this program also a bucket and a prefix in it
    /// (`s3://bucket/probata`), whose credentials come from the environment.
    pub url: String,
    /// Days after which a block may go.
    #[serde(default = "horizon_days")]
    pub horizon_days: u32,
}

const fn horizon_days() -> u32 {
    365
}

/// The snapshots that a running node makes, from which others join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SnapshotPlan {
    /// Blocks between two snapshots: one is made of each height that this divides.
    pub every: NonZeroU64,
    /// How many are kept; 0 for a node that makes none.
    pub keep: usize,
}

impl Default for SnapshotPlan {
    fn default() -> Self {
        Self { every: limits::SNAPSHOT_BLOCKS, keep: limits::SNAPSHOTS_KEPT }
    }
}

/// How a node with an empty data folder begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Join {
    /// What it begins from.
    pub from: JoinFrom,
    /// The hash of the snapshot's block, as the operator was told it by another way; any other is refused.
    pub block: Option<probata_types::Hash>,
    /// Validators of today that may be asked beside those of genesis: the chain names them, and there is none yet.
    pub peers: Vec<Moved>,
}

/// What a node with an empty data folder begins from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinFrom {
    /// From the first block: all are executed.
    #[default]
    Blocks,
    /// From the newest snapshot that peers have; older blocks are fetched behind.
    Snapshot,
}

/// Logs, written to standard error.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// What to log, in the syntax of `tracing_subscriber::EnvFilter`; empty means `info`.
    pub filter: String,
}

/// For whom logs are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line an event.
    #[default]
    Human,
    /// One JSON object an event.
    Json,
}

/// Why a `node.toml` was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, a missing or wrong value.
    #[error("{path} is not a valid node configuration: {reason}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        reason: String,
    },
    /// A value out of its range.
    #[error("{key} must be {expected}, not {got}")]
    Range {
        /// The key.
        key: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
}

impl Config {
    /// Reads and checks a `node.toml`.
    ///
    /// # Errors
    /// [`ConfigError`], saying where and what is wrong.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder).map_err(|error| match error {
            ConfigError::Parse { reason, .. } => {
                ConfigError::Parse { path: path.to_owned(), reason }
            }
            other => other,
        })
    }

    fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text).map_err(|error| ConfigError::Parse {
            path: PathBuf::new(),
            reason: error.to_string(),
        })?;
        if config.mesh.listen.is_empty() {
            let (key, expected) = ("mesh.listen", "at least one multiaddress");
            return Err(ConfigError::Range { key, expected, got: "an empty list".into() });
        }
        if !(1..=65_536).contains(&config.store.cache_mb) {
            let (key, expected) = ("store.cache_mb", "between 1 and 65536");
            let got = config.store.cache_mb.to_string();
            return Err(ConfigError::Range { key, expected, got });
        }
        if let Some(Archive { url, horizon_days }) = &config.archive {
            archive::check_url(url).map_err(|expected| {
                let key = "archive.url";
                ConfigError::Range { key, expected, got: url.clone() }
            })?;
            if !(1..=36_500).contains(horizon_days) {
                let (key, expected) = ("archive.horizon_days", "between 1 and 36500");
                return Err(ConfigError::Range { key, expected, got: horizon_days.to_string() });
            }
        }
        config.check_snapshots()?;
        config.genesis = folder.join(&config.genesis);
        config.data = folder.join(&config.data);
        config.keys.node = folder.join(&config.keys.node);
        config.keys.validator = config.keys.validator.map(|path| folder.join(path));
        config.keys.next_validator = config.keys.next_validator.map(|path| folder.join(path));
        Ok(config)
    }

    /// The snapshots that this node is to make, if any.
    pub fn snapshots(&self) -> Option<SnapshotPlan> {
        let plan = self.snapshot.unwrap_or_default();
        (plan.keep > 0 && self.store.engine == Engine::Fjall).then_some(plan)
    }

    fn check_snapshots(&self) -> Result<(), ConfigError> {
        let keep = self.snapshot.map_or(0, |plan| plan.keep);
        let got = keep.to_string();
        if keep > limits::SNAPSHOTS_KEPT_MAX {
            let (key, expected) = ("snapshot.keep", "between 0 and 64");
            return Err(ConfigError::Range { key, expected, got });
        }
        // Whoever asks for them must not believe that they are made.
        if keep > 0 && self.store.engine == Engine::Sled {
            let expected =
                "0 with store.engine = \"sled\", which makes snapshots only of a stopped node";
            return Err(ConfigError::Range { key: "snapshot.keep", expected, got });
        }
        if self.join.block.is_some() && self.join.from != JoinFrom::Snapshot {
            let (key, expected) = ("join.from", "\"snapshot\" where join.block names its block");
            return Err(ConfigError::Range { key, expected, got: "\"blocks\"".into() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        genesis = "genesis.json"
        data = "/var/lib/probata"
        [keys]
        node = "node.key.json"
        validator = "validator.key.json"
        [mesh]
        listen = ["/ip4/0.0.0.0/tcp/7001"]
        [api]
        listen = "127.0.0.1:8001"
    "#;

    #[test]
    fn paths_start_at_the_folder_of_the_file() {
        let config = Config::parse(GOOD, Path::new("/etc/probata")).unwrap();
        assert_eq!(config.genesis, Path::new("/etc/probata/genesis.json"));
        assert_eq!(config.data, Path::new("/var/lib/probata"));
        assert_eq!(config.store.cache_mb, 64);
    }

    #[test]
    fn unknown_keys_and_wrong_values_are_refused_with_their_place() {
        let with = |more: &str| Config::parse(&format!("{GOOD}{more}"), Path::new("")).unwrap_err();
        assert!(with("port = 1").to_string().contains("port"));
        assert!(with("[log]\nformat = \"xml\"").to_string().contains("format"));
        assert!(with("[store]\ncache_mb = 0").to_string().contains("store.cache_mb"));
        for wrong in [
            "url = \"/srv\"",
            "url = \"file://srv\"",
            "url = \"memory:///\"",
            "url = \"ftp://a/b\"",
        ] {
            assert!(with(&format!("[archive]\n{wrong}")).to_string().contains("archive.url"));
        }
        let long = with("[archive]\nurl = \"file:///srv\"\nhorizon_days = 40000");
        assert!(long.to_string().contains("archive.horizon_days"));
        assert!(with("[snapshot]\nevery = 0").to_string().contains("every"));
        assert!(with("[snapshot]\nkeep = 65").to_string().contains("snapshot.keep"));
        let sled = with("[store]\nengine = \"sled\"\n[snapshot]\nevery = 9");
        assert!(sled.to_string().contains("only of a stopped node"), "{sled}");
        let block = format!("[join]\nblock = \"{}\"", "ab".repeat(32));
        assert!(with(&block).to_string().contains("join.from"));
        let empty = GOOD.replace("\"/ip4/0.0.0.0/tcp/7001\"", "");
        let error = Config::parse(&empty, Path::new("")).unwrap_err();
        assert!(error.to_string().contains("mesh.listen"));
    }

    #[test]
    fn snapshots_are_made_unless_the_engine_cannot_or_the_operator_says_so() {
        let of = |more: &str| Config::parse(&format!("{GOOD}{more}"), Path::new("")).unwrap();
        let plan = of("").snapshots().unwrap();
        assert_eq!((plan.every, plan.keep), (limits::SNAPSHOT_BLOCKS, 2));
        let plan = of("[snapshot]\nevery = 7").snapshots().unwrap();
        assert_eq!((plan.every.get(), plan.keep), (7, 2));
        assert_eq!(of("[snapshot]\nkeep = 0").snapshots(), None);
        assert_eq!(of("[store]\nengine = \"sled\"").snapshots(), None);
        assert_eq!(of("").join.from, JoinFrom::Blocks);
        let node = format!(
            "peers = [{{ node = \"{}\", address = \"/ip4/10.0.0.7/tcp/7001\" }}]",
            "ab".repeat(32)
        );
        let join = of(&format!("[join]\nfrom = \"snapshot\"\n{node}")).join;
        assert_eq!((join.from, join.peers.len()), (JoinFrom::Snapshot, 1));
    }

    #[test]
    fn the_commented_example_is_valid() {
        let text = include_str!("../node.toml");
        let archive = "\n[archive]\nurl = \"file:///srv/probata\"";
        let with = Config::parse(&format!("{text}{archive}"), Path::new("/etc/probata")).unwrap();
        assert_eq!(with.archive.unwrap().horizon_days, 365);
        Config::parse(text, Path::new("/etc/probata")).unwrap();
    }
}
