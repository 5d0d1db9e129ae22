//! The `way` command.
#![expect(clippy::print_stderr, reason = "a command talks to its terminal")]

use super::{
    callgrind::Profile,
    counted::{self, COMMIT, EDGE, EXECUTE, SEAL},
    nodes::{self, Nodes},
};
use crate::{
    bench::{
        scene::Scene,
        supply::{Maker, Shape},
    },
    consortium::BEGIN,
    document,
    trouble::{Trouble, ensure},
};
use clap::{Parser, Subcommand};
use comfy_table::{Table, presets};
use probata_types::{List, Submission, Timestamp, codec, receipt::Batch};
use serde::Serialize;
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command as Program, ExitCode, Stdio},
};

/// What `way --help` ends with.
const EXAMPLES: &str = "\
Examples:
  way                   a submission alone, 64 together, and of a hundred records
  way --json            the same as one line of JSON

It takes valgrind, about a minute, and no quiet machine. What is counted is what valgrind's processor does: it
has AVX2, whatever yours has.

Exit code 0: counted. 2: it cannot run here.";

/// What the table is called in a document.
const TABLE: &str = "instructions";
/// The loans, the same at every run.
const SEED: u64 = 1;
/// Milliseconds from the beginning of the chain until the submissions are made, and again until they are sealed.
const AGE: u64 = 3_600_000;
/// Batches that the nodes seal after they were opened, before anything is counted: memory is empty then.
const WARM_UP: usize = 2;

/// Count the instructions of a submission on its way through a node.
///
/// Four nodes in one process seal signed loans on real disks; edge, consensus, contracts and ledger are those that a
/// node runs, in the bytes that nodes send. Sockets, threads and the lender's own work are left out.
#[derive(Debug, Parser)]
#[command(name = "way", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
    /// Write the table into this document, too.
    #[arg(long)]
    document: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What valgrind is given: seal the batches that lie in a folder.
    #[command(hide = true)]
    Walk {
        /// The folder that was prepared.
        folder: PathBuf,
    },
}

/// What is sent.
#[derive(Debug, Clone, Copy)]
struct Load {
    /// Records of a submission.
    records: usize,
    /// Submissions of a batch, which becomes a block.
    together: usize,
    /// Batches that are counted.
    batches: usize,
    /// Batches that are sealed before.
    before: usize,
}

const LOADS: [Load; 3] = [
    Load { records: 1, together: 1, batches: 16, before: 512 },
    Load { records: 1, together: 64, batches: 4, before: 64 },
    Load { records: 100, together: 4, batches: 4, before: 20 },
];

/// Instructions of a submission at one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Counted {
    records_per_submission: usize,
    submissions_per_block: usize,
    edge: u64,
    order: u64,
    execute: u64,
    commit: u64,
}

/// Reads the arguments of the process and does what they say.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        Some(Command::Walk { folder }) => walk(folder),
        None => count(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("error: {trouble}");
            ExitCode::from(2)
        }
    }
}

fn count(arguments: &Arguments) -> Result<(), Trouble> {
    let counted = LOADS.iter().map(count_one).collect::<Result<Vec<_>, _>>()?;
    if let Some(path) = &arguments.document {
        document::write(path, TABLE, &table(&counted).to_string())?;
    }
    let mut out = std::io::stdout();
    // A reader that has gone, as after `| head`, is no failure.
    let _ = match arguments.json {
        true => writeln!(out, "{}", serde_json::to_string(&counted)?),
        false => writeln!(out, "{}", table(&counted)),
    };
    Ok(())
}

fn count_one(load: &Load) -> Result<Counted, Trouble> {
    let folder = tempfile::Builder::new().prefix("probata-way-").tempdir()?;
    prepare(load, folder.path())?;
    let written = folder.path().join("callgrind.out");
    let mut valgrind = Program::new("valgrind");
    valgrind.args(["--tool=callgrind", "--quiet", "--collect-atstart=no"]);
    valgrind.args([EDGE, SEAL].map(|name| format!("--toggle-collect={name}*")));
    valgrind.arg(format!("--callgrind-out-file={}", written.display()));
    valgrind.arg(std::env::current_exe()?).arg("walk").arg(folder.path());
    let ended = valgrind.stdin(Stdio::null()).output();
    let ended = ended.map_err(|error| Trouble::new(format!("valgrind cannot be run: {error}")))?;
    ensure(ended.status.success(), || {
        format!("valgrind: {}: {}", ended.status, String::from_utf8_lossy(&ended.stderr))
    })?;
    let profile = Profile::parse(&fs::read_to_string(&written)?);
    folder.close()?;
    Counted::of(load, &profile)
}

impl Counted {
    fn of(load: &Load, profile: &Profile) -> Result<Self, Trouble> {
        let submissions = u64::try_from(load.together * load.batches)? * u64::from(nodes::COUNT);
        let spent = |names: &[&str]| {
            let missing = || Trouble::new(format!("valgrind has not seen all of {names:?}"));
            profile.of(names).ok_or_else(missing)
        };
        let (edge, seal) = (spent(&[EDGE])?, spent(&[SEAL])?);
        let (execute, commit) = (spent(&EXECUTE)?, spent(&COMMIT)?);
        Ok(Self {
            records_per_submission: load.records,
            submissions_per_block: load.together,
            edge: edge / submissions,
            order: (seal - execute - commit) / submissions,
            execute: execute / submissions,
            commit: commit / submissions,
        })
    }

    const fn all(&self) -> u64 {
        self.edge + self.order + self.execute + self.commit
    }
}

/// Makes the nodes' past, and the batches that are to be counted, at full speed.
fn prepare(load: &Load, folder: &Path) -> Result<(), Trouble> {
    let made = BEGIN.saturating_add(AGE);
    let mut nodes = Nodes::open(folder, made.saturating_add(1))?;
    let scene = Scene::of_consortium(nodes.genesis(), made)?;
    // No block holds two records of a loan.
    let between = u64::try_from(2 * load.together * load.records)?;
    let shape = Shape { seed: SEED, records: load.records, between };
    let mut maker = Maker::new(&scene, shape)?;
    for _ in 0..load.before {
        let checked = nodes.check(&batch(&mut maker, load, made)?, nodes::check)?;
        nodes.seal(checked)?;
    }
    let now = nodes.now();
    nodes.close()?;
    fs::write(folder.join("now"), codec::encode(&now))?;
    for number in 0..WARM_UP + load.batches {
        fs::write(folder.join(format!("batch-{number}")), batch(&mut maker, load, made)?)?;
    }
    Ok(())
}

fn batch(maker: &mut Maker, load: &Load, made: Timestamp) -> Result<Vec<u8>, Trouble> {
    let submission = |_| -> Result<Submission, Trouble> { Ok(maker.make(made)?.submission) };
    let submissions = (0..load.together).map(submission).collect::<Result<Vec<_>, _>>()?;
    Ok(codec::encode(&Batch { submissions: List::new(submissions)? }))
}

/// Seals the batches of a folder that was prepared, in the functions that are counted but for the first ones.
fn walk(folder: &Path) -> Result<(), Trouble> {
    let now: Timestamp = codec::decode(&fs::read(folder.join("now"))?, size_of::<u64>())?;
    let mut nodes = Nodes::open(folder, now.saturating_add(1))?;
    let mut number = 0;
    while let Ok(bytes) = fs::read(folder.join(format!("batch-{number}"))) {
        if number < WARM_UP {
            let checked = nodes.check(&bytes, nodes::check)?;
            nodes.seal(checked)?;
        } else {
            let checked = nodes.check(&bytes, counted::edge)?;
            counted::seal(&mut nodes, checked)?;
        }
        number += 1;
    }
    ensure(number > WARM_UP, || format!("no batches lie in {}", folder.display()))?;
    nodes.close()
}

fn table(all: &[Counted]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header([
        "records a submission",
        "submissions a block",
        "edge",
        "order",
        "execute",
        "commit",
        "a submission",
        "a record",
    ]);
    for one in all {
        let (records, together) = (one.records_per_submission, one.submissions_per_block);
        let of_record = one.all() / u64::try_from(records).unwrap_or(u64::MAX);
        let numbers = [one.edge, one.order, one.execute, one.commit, one.all(), of_record];
        let numbers = numbers.map(|number| format!("{} k", number.div_ceil(1_000)));
        table.add_row([records.to_string(), together.to_string()].into_iter().chain(numbers));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_prepared_is_sealed_by_nodes_that_are_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let load = Load { records: 2, together: 3, batches: 1, before: 4 };
        assert!(walk(folder.path()).is_err(), "nothing was prepared");
        prepare(&load, folder.path()).unwrap();
        walk(folder.path()).unwrap();
    }

    #[test]
    fn instructions_are_of_one_submission_at_one_node() {
        let load = Load { records: 1, together: 2, batches: 5, before: 0 };
        let line = |name: &str, cost| format!("fn=({name}) {name}\n1 {cost}\n");
        let costs = [(EDGE, 4_000), (SEAL, 40_000), (EXECUTE[0], 100), (EXECUTE[1], 300)];
        let mut text: String = costs.iter().map(|(name, cost)| line(name, *cost)).collect();
        assert!(Counted::of(&load, &Profile::parse(&text)).is_err(), "no commit");
        text.push_str(&line(COMMIT[0], 8_000));
        let counted = Counted::of(&load, &Profile::parse(&text)).unwrap();
        let Counted { edge, order, execute, commit, .. } = counted;
        assert_eq!([edge, order, execute, commit], [100, 790, 10, 200]);
        assert_eq!(counted.all(), 1_100);
    }
}
