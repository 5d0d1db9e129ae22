//! Files that were changed, cut, swapped or filled with noise: what a node says that is started on
//! them.

use super::table::Table;
use crate::NODE;
use probata_tests::{Trouble, limits, network::Network};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};
use tempfile::TempDir;
use tokio::process::Command;

const AREA: &str = "file";
/// What a node logs once it runs.
const UP: &str = "the node is up";

/// Starts nodes on copies of what the member node and the last validator left. Both must have been
/// stopped.
pub(super) async fn send(network: &Network, table: &mut Table) -> Result<(), Trouble> {
    let bench = Bench { network, folder: tempfile::tempdir()? };
    fs::copy(network.folder().join("genesis.json"), bench.folder.path().join("genesis.json"))?;
    for (name, expected, said, change) in configurations() {
        bench.judge(table, (name, expected, said), Of::Member, &change).await?;
    }
    for (name, expected, said, change) in documents() {
        bench.judge(table, (name, expected, said), Of::Member, &change).await?;
    }
    for (name, expected, said, change) in keys() {
        bench.judge(table, (name, expected, said), Of::Validator, &change).await?;
    }
    for (name, expected, said, change) in stores() {
        bench.judge(table, (name, expected, said), Of::Member, &change).await?;
    }
    for (name, expected, said, change) in journals() {
        bench.judge(table, (name, expected, said), Of::Validator, &change).await?;
    }
    let config = network.path(0, "node.toml");
    let got = bench.run(&config, "cannot be used").await?;
    table.note(AREA, "a second node on one folder", "exit 1: cannot be used", got);
    Ok(())
}

type Change = Box<dyn Fn(&Copied) -> Result<(), Trouble>>;
/// Name, how the node ends, what it says, and what is done to its copy before.
type Case = (&'static str, &'static str, &'static str, Change);

fn case(
    name: &'static str,
    ends: &'static str,
    says: &'static str,
    change: impl Fn(&Copied) -> Result<(), Trouble> + 'static,
) -> Case {
    (name, ends, says, Box::new(change))
}

fn configurations() -> Vec<Case> {
    vec![
        case("node.toml with an unknown key", "exit 78", "unknown field", |it| {
            it.edit("node.toml", |text| format!("admin = true\n{text}"))
        }),
        case("node.toml with a key twice", "exit 78", "duplicate key", |it| {
            it.edit("node.toml", |text| format!("data = \"data\"\n{text}"))
        }),
        case("node.toml that is not TOML", "exit 78", "not a valid node configuration", |it| {
            it.edit("node.toml", |text| text.replace('=', ":"))
        }),
        case("node.toml that is not text", "exit 78", "cannot read", |it| {
            it.write("node.toml", &[0xff; 100])
        }),
        case("no node.toml", "exit 78", "cannot read", |it| {
            Ok(fs::remove_file(it.folder.join("node.toml"))?)
        }),
        case("an address that is none", "exit 1", "is not", |it| {
            it.edit("node.toml", |text| text.replace("/ip4/127.0.0.1/tcp/0", "everywhere"))
        }),
        case("another chain than was told by telephone", "exit 1", "one is wrong", |it| {
            it.edit("node.toml", |text| format!("chain = \"{}\"\n{text}", "ab".repeat(32)))
        }),
    ]
}

fn documents() -> Vec<Case> {
    let refused = "the genesis document";
    vec![
        case("genesis with one letter of a name changed", "exit 1", refused, |it| {
            it.genesis(|text| text.replacen("Example City Bank", "Example City Bunk", 1))
        }),
        case("genesis with one digit of a key changed", "exit 1", refused, |it| {
            it.genesis(|text| {
                let at = text.find("\"keys\": [").unwrap_or_default();
                let (head, tail) = text.split_at(at);
                let digit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or_default();
                let other = if tail[digit..].starts_with('1') { "2" } else { "1" };
                format!("{head}{}{other}{}", &tail[..digit], &tail[digit + 1..])
            })
        }),
        case("genesis with an unknown field", "exit 1", refused, |it| {
            it.genesis(|text| text.replacen('{', "{ \"backdoor\": true,", 1))
        }),
        case("genesis cut short", "exit 1", refused, |it| {
            it.genesis(|text| text[..text.len() / 2].to_owned())
        }),
        case("genesis with a leader who may never fail", "exit 1", refused, |it| {
            it.genesis(|text| text.replacen("\"view_timeout\": 1000", "\"view_timeout\": 0", 1))
        }),
        case("another valid genesis over the old data", "exit 1", "holds the chain", |it| {
            it.genesis(|text| text.replacen("\"rotation\": 64", "\"rotation\": 63", 1))
        }),
    ]
}

fn keys() -> Vec<Case> {
    vec![
        case(
            "a submission key in the place of the node's",
            "exit 1",
            "is for submission use",
            |it| it.swap("node.key.json", "submission.key.json"),
        ),
        case("a node key in the place of the validator's", "exit 1", "is for node use", |it| {
            it.swap("validator.key.json", "node.key.json")
        }),
        case("a key file whose secret was changed", "exit 1", "is not that of the secret", |it| {
            it.edit("validator.key.json", |text| {
                let at = text.find("\"secret\": \"").unwrap_or_default() + 11;
                let other = if text[at..].starts_with('a') { "b" } else { "a" };
                format!("{}{other}{}", &text[..at], &text[at + 1..])
            })
        }),
        case("a key file cut short", "exit 1", "is not a probata-key file", |it| {
            it.edit("node.key.json", |text| text[..40].to_owned())
        }),
    ]
}

fn stores() -> Vec<Case> {
    vec![
        case("noise behind the last block", "runs", "cut a block torn by a crash", |it| {
            it.change_log(|bytes| bytes.extend([0x5a; 1_000]))
        }),
        case("the first block again behind the last", "exit 1", "is damaged at byte", |it| {
            it.change_log(|bytes| bytes.extend_from_within(..))
        }),
        case("a log that has lost its last block", "exit 1", "lost sealed blocks", |it| {
            it.change_log(|bytes| bytes.truncate(bytes.len() - 10))
        }),
        case("one byte changed in the first block", "exit 1", "is damaged at byte", |it| {
            it.change_log(|bytes| bytes[40] ^= 1)
        }),
        case("a log of noise", "exit 1", "lost sealed blocks", |it| {
            it.change_log(|bytes| *bytes = vec![0x5a; 10_000])
        }),
        case("a checkpoint of noise", "runs", "the checkpoint is damaged", |it| {
            it.write("data/log/checkpoint", &[0x5a; 5_000])
        }),
        case("a checkpoint cut to nothing", "runs", "the checkpoint is damaged", |it| {
            it.write("data/log/checkpoint", &[])
        }),
        case("noise for the derived state", "exit 1", "cannot be used", |it| {
            fs::remove_dir_all(it.folder.join("data/derived"))?;
            it.write("data/derived", &[0x5a; 1_000])
        }),
    ]
}

fn journals() -> Vec<Case> {
    let lost = "the consensus journal is gone";
    vec![
        case("no journal", "exit 1", lost, |it| {
            Ok(fs::remove_file(it.folder.join("data/log/journal"))?)
        }),
        case("an empty journal", "exit 1", lost, |it| it.write("data/log/journal", &[])),
        case("a journal of noise", "exit 1", lost, |it| {
            it.write("data/log/journal", &[0x5a; 3_000])
        }),
        case("a journal that is too long", "exit 1", "more than any journal has", |it| {
            let file =
                fs::OpenOptions::new().write(true).open(it.folder.join("data/log/journal"))?;
            Ok(file.set_len(probata_ledger::limits::JOURNAL_BYTES + 1)?)
        }),
        case("promises of something else", "exit 1", "cannot be read", |it| {
            let storage = probata_ledger::DiskStorage::open(&it.folder.join("data/log"))?;
            let (mut journal, _) = probata_ledger::Journal::open(std::sync::Arc::new(storage))?;
            journal.rewrite(vec![b"I promise nothing".to_vec()])?;
            Ok(())
        }),
    ]
}

/// Whose folder is copied.
#[derive(Debug, Clone, Copy)]
enum Of {
    Member,
    Validator,
}

/// Where copies are made and started.
struct Bench<'a> {
    network: &'a Network,
    folder: TempDir,
}

/// A copy of a node's folder.
struct Copied {
    folder: PathBuf,
}

impl Bench<'_> {
    async fn judge(
        &self,
        table: &mut Table,
        (name, ends, says): (&'static str, &'static str, &'static str),
        of: Of,
        change: &Change,
    ) -> Result<(), Trouble> {
        let node = match of {
            Of::Member => self.network.member(),
            Of::Validator => self.network.member() - 1,
        };
        let folder = self.folder.path().join("node");
        let genesis = self.folder.path().join("genesis.json");
        fs::copy(self.network.folder().join("genesis.json"), &genesis)?;
        copy(&self.network.nodes()[node].folder, &folder)?;
        let copied = Copied { folder: folder.clone() };
        copied.edit("node.toml", without_ports)?;
        change(&copied)?;
        let got = self.run(&folder.join("node.toml"), says).await?;
        fs::remove_dir_all(&folder)?;
        table.note(AREA, name, format!("{ends}: {says}"), got);
        Ok(())
    }

    /// Starts a node, and says how it ended or that it runs, and whether it said what it should.
    async fn run(&self, config: &Path, says: &str) -> Result<String, Trouble> {
        let log = self.folder.path().join("stderr");
        let mut process = Command::new(NODE)
            .args(["run", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .kill_on_drop(true)
            .spawn()?;
        let start = Instant::now();
        let ended = loop {
            if let Some(status) = process.try_wait()? {
                break format!("exit {}", status.code().unwrap_or(-1));
            }
            if String::from_utf8_lossy(&fs::read(&log)?).contains(UP) {
                process.kill().await?;
                break "runs".to_owned();
            }
            if start.elapsed() > limits::ANSWER {
                process.kill().await?;
                break "hangs".to_owned();
            }
            tokio::time::sleep(limits::LOOK_INTERVAL).await;
        };
        let said = fs::read(&log)?;
        let said = String::from_utf8_lossy(&said);
        if said.contains("panicked") {
            return Ok(format!("{ended}: panicked"));
        }
        let words =
            if said.contains(says) { says } else { said.lines().last().unwrap_or("nothing") };
        Ok(format!("{ended}: {words}"))
    }
}

impl Copied {
    fn edit(&self, file: &str, change: impl Fn(&str) -> String) -> Result<(), Trouble> {
        let path = self.folder.join(file);
        let before = fs::read_to_string(&path)?;
        let after = change(&before);
        assert_ne!(before, after, "{file} is changed");
        Ok(fs::write(path, after)?)
    }

    fn genesis(&self, change: impl Fn(&str) -> String) -> Result<(), Trouble> {
        self.edit("../genesis.json", change)
    }

    fn write(&self, file: &str, bytes: &[u8]) -> Result<(), Trouble> {
        Ok(fs::write(self.folder.join(file), bytes)?)
    }

    fn swap(&self, to: &str, from: &str) -> Result<(), Trouble> {
        fs::copy(self.folder.join(from), self.folder.join(to))?;
        Ok(())
    }

    /// Changes the one segment of the block log.
    fn change_log(&self, change: impl Fn(&mut Vec<u8>)) -> Result<(), Trouble> {
        for entry in fs::read_dir(self.folder.join("data/log"))? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("blocks-")) {
                let mut bytes = fs::read(&path)?;
                change(&mut bytes);
                return Ok(fs::write(path, bytes)?);
            }
        }
        Err(Trouble::new("the node has no block log"))
    }
}

/// A configuration that takes any free ports.
fn without_ports(text: &str) -> String {
    let lines = text.lines().map(|line| {
        if line.starts_with("listen = [") {
            "listen = [\"/ip4/127.0.0.1/tcp/0\"]"
        } else if line.starts_with("listen = ") {
            "listen = \"127.0.0.1:0\""
        } else {
            line
        }
    });
    lines.fold(String::new(), |text, line| text + line + "\n")
}

fn copy(from: &Path, to: &Path) -> Result<(), Trouble> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
