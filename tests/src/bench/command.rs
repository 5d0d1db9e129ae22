//! The `probata-bench` command.
#![expect(clippy::print_stderr, reason = "a command talks to its terminal")]

use super::{
    ground::{self, PENDING},
    grow, plot,
    profile::{Pace, Plan, Profile},
    result::{Besides, Measured},
    run,
    scene::Scene,
    supply::{Shape, Supply},
    tables,
};
use crate::trouble::Trouble;
use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use probata_node::stop;
use std::{io::Write as _, path::PathBuf, process::ExitCode, time::Duration};

/// What `probata-bench --help` ends with.
const EXAMPLES: &str = "\
Examples:
  probata-bench                                 the ceiling for single records, for a minute
  probata-bench --profile hundred --seconds 30  the same with a hundred records in each submission
  probata-bench --rate 1000                     latency at 1,000 submissions a second
  probata-bench --profile quarter-end --plot quarter.svg --json
  probata-bench --rate 1000 --kill-leader-at 30 what lenders see of a leader that dies
  probata-bench --profile soak --plot soak.svg  45 minutes, with a restart every three
  probata-bench --profile grow --records 1000000 --keep grown
  probata-bench tables --document docs/BENCHMARKS.md
  probata-bench --rate 500 --keep grown         on the network that has grown

Exit code 0: measured. 1: a record was lost or rejected, or a submission had no answer. 2: wrong usage, or it
cannot run here.";

/// The words with which a node process is started: this program is the nodes, too.
const NODE_COMMANDS: [&str; 3] = ["run", "fsck", "snapshot"];
/// Records made ahead, at most: what the memory of a small machine holds.
const STOCK_RECORDS: usize = 1_500_000;
/// Submissions, and records, that a closed loop may take in a second.
const CEILING: (usize, usize) = (15_000, 60_000);
/// Records of a network that has grown.
const GROWN: u64 = 10_000_000;

/// Measure how many records a network seals, and how long a lender waits for verified evidence.
///
/// Boots a network of real nodes on this machine, with real disks and an encrypted mesh, sends it signed
/// submissions of a bank, a guarantor and a data provider, and verifies every answer with the light client.
#[derive(Debug, Parser)]
#[command(name = "probata-bench", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    load: Load,
    /// Draw the run into this SVG file.
    #[arg(long)]
    plot: Option<PathBuf>,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure the loads of the table in docs/BENCHMARKS.md, and this machine.
    ///
    /// As fast as it goes, at half of that, one at a time, and with a hundred records in each submission; each several
    /// times, of which the medians are told.
    Tables(tables::Arguments),
}

/// What is measured, and how.
#[derive(Debug, Clone, Args)]
pub(super) struct Load {
    /// The shape of load.
    #[arg(long, value_enum, default_value_t = Profile::Single)]
    pub(super) profile: Profile,
    /// Seconds to measure, after a warm-up; the profile's own if left out.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) seconds: Option<u64>,
    /// Offer so many submissions a second, whatever becomes of them (open loop).
    #[arg(long, conflicts_with = "in_flight", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) rate: Option<u64>,
    /// Keep so many submissions on their way, for the ceiling (closed loop).
    #[arg(long)]
    pub(super) in_flight: Option<usize>,
    /// Kill the leader after so many seconds, and start it again a little later; in the middle for quarter-end.
    #[arg(long)]
    pub(super) kill_leader_at: Option<u64>,
    /// Restart a node every so many seconds, each in its turn; 180 for soak.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) restart_every: Option<u64>,
    /// Send so many records and end: ten million for grow.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) records: Option<u64>,
    /// Keep the network in this folder, or go on with the one that is there. Its disks are not checked in the end.
    #[arg(long)]
    pub(super) keep: Option<PathBuf>,
    /// Number of validators. A network that is kept has those that it has.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(4..=16))]
    pub(super) validators: u16,
    /// A member node follows while it is measured, as it does for soak. Otherwise it joins when all is measured, and is
    /// asked for what was acknowledged.
    #[arg(long)]
    pub(super) member: bool,
    /// Draws the loans.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
}

/// Reads the arguments of the process and does what they say. Started as a node's process, it is one.
pub fn main() -> ExitCode {
    let first = std::env::args().nth(1).unwrap_or_default();
    if NODE_COMMANDS.contains(&first.as_str()) {
        return probata_node::command::main();
    }
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = runtime.map_err(Trouble::from).and_then(|runtime| {
        let result = runtime.block_on(async {
            tokio::select! {
                result = obey(&arguments) => result,
                () = stop::requested() => Err(Trouble::new("told to stop: nothing was measured")),
            }
        });
        // Whoever stops it does not wait for a stock that is being made.
        runtime.shutdown_background();
        result
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(trouble) => {
            eprintln!("error: {trouble}");
            ExitCode::from(2)
        }
    }
}

/// Measures what is asked for; whether nothing was lost, rejected or left without an answer.
async fn obey(arguments: &Arguments) -> Result<bool, Trouble> {
    if let Some(Command::Tables(wanted)) = &arguments.command {
        return tables::measure(wanted).await;
    }
    let measured = run(&arguments.load).await?;
    show(&measured, arguments)?;
    Ok(measured.holds())
}

/// What is to be done, by the profile and what the arguments say of it.
fn plan(arguments: &Load) -> Plan {
    let mut plan = arguments.profile.plan();
    plan.length = arguments.seconds.map_or(plan.length, Duration::from_secs);
    plan.pace = match (arguments.rate, arguments.in_flight) {
        (Some(rate), _) => Pace::Open(rate),
        (None, Some(most)) => Pace::Closed(most.max(1)),
        (None, None) => plan.pace,
    };
    let middle = (arguments.profile == Profile::QuarterEnd).then_some(plan.length / 2);
    plan.leader_killed_at = arguments.kill_leader_at.map(Duration::from_secs).or(middle);
    let every = arguments.restart_every.map(Duration::from_secs);
    plan.restart_every = every.or(plan.restart_every);
    let grown = (arguments.profile == Profile::Grow).then_some(GROWN);
    plan.most_records = arguments.records.or(grown);
    if plan.most_records.is_some() {
        // All of them count.
        plan.warm_up = Duration::ZERO;
    }
    plan
}

/// Measures a load on a network.
///
/// # Errors
/// [`Trouble`].
pub(super) async fn run(arguments: &Load) -> Result<Measured, Trouble> {
    let plan = plan(arguments);
    let mut network = ground::network(arguments.validators, arguments.keep.as_deref()).await?;
    let scene = Scene::of_network(&network)?;
    let clients = ground::clients(&network, &scene)?;
    // On a chain that is there already, other loans than those that it has.
    let seed = arguments.seed ^ network.highest().await?;
    let shape = Shape { seed, records: plan.records, between: 2 * PENDING };
    let mut supply = match plan.most_records {
        Some(_) => Supply::on_the_way(&scene, shape)?,
        None => made_ahead(scene, shape, stock(&plan)?).await?,
    };
    let (member, grows) = (network.member(), arguments.profile == Profile::Grow);
    let follows = arguments.member || arguments.profile == Profile::Soak;
    if !follows {
        network.stop(member).await?;
    }
    let (driven, kept) = run::run(&mut network, &plan, &mut supply, &clients).await?;
    let (nodes, load_cpu_ms) = (kept.usage.of_nodes(&network).await?, kept.usage.own_cpu_ms()?);
    let height = network.highest().await?;
    if !follows && !grows {
        network.start_node(member)?;
    }
    // What has grown large is joined later, and that is measured.
    let asked = if grows { network.validators().start } else { member };
    let mut besides = Besides {
        nodes,
        load_cpu_ms,
        supply_waited: supply.waited,
        lost: run::lost(&mut network, (asked, height), &driven).await?,
        samples: kept.samples,
        steps: kept.steps,
        killed: kept.killed,
        restarts: kept.restarts,
        grown: None,
    };
    if grows {
        let measured =
            grow::measure(&mut network, &besides.steps, &driven.some, &mut supply, &clients);
        besides.grown = Some(measured.await?);
    }
    let validators = network.validators().len();
    // Whoever lets a network grow does not wait until every block of it was executed again.
    match grows || arguments.keep.is_some() {
        true => network.finish_unchecked().await?,
        false => network.finish().await?,
    }
    Ok(Measured::of(arguments.profile.name(), validators, &plan, &driven, besides))
}

/// Submissions to make ahead: all that the run will take, or what fits.
fn stock(plan: &Plan) -> Result<usize, Trouble> {
    let seconds = usize::try_from((plan.warm_up + plan.length).as_secs())?;
    let (submissions, records) = CEILING;
    let rate = match plan.pace {
        Pace::Open(rate) => usize::try_from(rate)?,
        Pace::Closed(_) => submissions.min(records / plan.records),
    };
    Ok((rate * seconds).min(STOCK_RECORDS / plan.records).max(1))
}

/// Makes the stock: nothing is measured meanwhile.
async fn made_ahead(scene: Scene, shape: Shape, stock: usize) -> Result<Supply, Trouble> {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} submissions made ahead");
    let bar = ProgressBar::new(0).with_style(style.expect("the template is a fixed one"));
    let making = bar.clone();
    let made =
        tokio::task::spawn_blocking(move || Supply::stock(&scene, shape, stock, &making)).await?;
    bar.finish_and_clear();
    made
}

fn show(measured: &Measured, arguments: &Arguments) -> Result<(), Trouble> {
    if let Some(path) = &arguments.plot {
        plot::draw(measured, path)?;
    }
    let mut out = std::io::stdout();
    // A reader that has gone, as after `| head`, is no failure.
    let _ = if arguments.json {
        writeln!(out, "{}", serde_json::to_string(measured)?)
    } else {
        writeln!(out, "{}", measured.table())
    };
    Ok(())
}
