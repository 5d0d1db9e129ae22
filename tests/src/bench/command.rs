//! The `probata-bench` command.
#![expect(clippy::print_stderr, reason = "a command talks to its terminal")]

use super::{
    drive::{self, Driven},
    plot,
    profile::{Pace, Plan, Profile},
    result::{Besides, Measured},
    scene::Scene,
    supply::{Shape, Supply},
    usage::Usage,
};
use crate::{network::Network, trouble::Trouble};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use probata_client::sdk::Client;
use probata_node::{devnet::ceremony::Terms, stop};
use std::{io::Write as _, path::PathBuf, process::ExitCode, time::Duration};

/// What `probata-bench --help` ends with.
const EXAMPLES: &str = "\
Examples:
  probata-bench                                 the ceiling for single records, for a minute
  probata-bench --profile hundred --seconds 30  the same with a hundred records in each submission
  probata-bench --rate 1000                     latency at 1,000 submissions a second
  probata-bench --profile quarter-end --plot quarter.svg --json

Exit code 0: measured. 1: a record was lost or rejected, or a submission had no answer. 2: wrong usage, or it
cannot run here.";

/// The words with which a node process is started: this program is the nodes, too.
const NODE_COMMANDS: [&str; 2] = ["run", "fsck"];
/// Records made ahead, at most: what the memory of a small machine holds.
const STOCK_RECORDS: usize = 1_500_000;
/// Submissions, and records, that a closed loop may take in a second.
const CEILING: (usize, usize) = (15_000, 60_000);
/// Submissions of one institution that a node holds: a few seconds at the rates that are measured.
const PENDING: u64 = 32_768;
/// Time for a submission to have its answer.
const DEADLINE: Duration = Duration::from_secs(60);

/// Measure how many records a network seals, and how long a lender waits for verified evidence.
///
/// Boots a network of real nodes on this machine, with real disks and an encrypted mesh, sends it signed
/// submissions of a bank, a guarantor and a data provider, and verifies every answer with the light client.
#[derive(Debug, Parser)]
#[command(name = "probata-bench", version, after_help = EXAMPLES)]
struct Arguments {
    /// The shape of load.
    #[arg(long, value_enum, default_value_t = Profile::Single)]
    profile: Profile,
    /// Seconds to measure, after a warm-up; the profile's own if left out.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// Offer so many submissions a second, whatever becomes of them (open loop).
    #[arg(long, conflicts_with = "in_flight", value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,
    /// Keep so many submissions on their way, for the ceiling (closed loop).
    #[arg(long)]
    in_flight: Option<usize>,
    /// Number of validators; there is one member node besides.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(4..=16))]
    validators: u16,
    /// Draws the loans.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Draw the run into this SVG file.
    #[arg(long)]
    plot: Option<PathBuf>,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
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
                result = run(&arguments) => result,
                () = stop::requested() => Err(Trouble::new("told to stop: nothing was measured")),
            }
        });
        // Whoever stops it does not wait for a stock that is being made.
        runtime.shutdown_background();
        result
    });
    match result {
        Ok(measured) if measured.holds() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(trouble) => {
            eprintln!("error: {trouble}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: &Arguments) -> Result<Measured, Trouble> {
    let mut plan = arguments.profile.plan();
    plan.length = arguments.seconds.map_or(plan.length, Duration::from_secs);
    plan.pace = match (arguments.rate, arguments.in_flight) {
        (Some(rate), _) => Pace::Open(rate),
        (None, Some(most)) => Pace::Closed(most.max(1)),
        (None, None) => plan.pace,
    };
    let program = std::env::current_exe()?;
    let mut terms = Terms::devnet();
    terms.parameters.pending_per_institution = PENDING;
    let program = program.to_string_lossy();
    let mut network = Network::prepare(&program, arguments.validators, terms).await?;
    network.start_all().await?;

    let scene = Scene::of_network(&network)?;
    let clients = clients(&network, &scene)?;
    let shape = Shape { seed: arguments.seed, records: plan.records, between: 2 * PENDING };
    let mut supply = made_ahead(scene, shape, stock(&plan)?).await?;
    let bar = bar(plan.length);

    let mut usage = None;
    let mut leader_left = plan.leader_killed;
    let driven = drive::drive(&plan, &mut supply, &clients, async |at, driven: &Driven| {
        // The first tick is at the end of the warm-up.
        match &mut usage {
            None => usage = Some(Usage::begin(&network).await?),
            Some(usage) => usage.look(&network),
        }
        bar.set_position(at.as_secs());
        let timeline = &driven.timeline;
        bar.set_message(format!(
            "{} records, p99 {:.1} ms",
            timeline.records(),
            timeline.latency_ms(990)
        ));
        if leader_left && at >= plan.length / 2 {
            leader_left = false;
            let leader = leader(&network).await?;
            network.kill(&[leader]).await?;
            network.start_node(leader)?;
        }
        Ok(())
    })
    .await?;
    bar.finish_and_clear();
    let mut usage = usage.ok_or_else(|| Trouble::new("nothing was measured"))?;
    usage.look(&network);
    let lost = lost(&network, &driven).await?;
    let besides = Besides {
        nodes: usage.of_nodes(&network).await?,
        load_cpu_ms: usage.own_cpu_ms()?,
        supply_waited: supply.waited,
        lost,
    };
    let validators = network.validators().len();
    network.finish().await?;
    let measured = Measured::of(arguments.profile.name(), validators, &plan, &driven, besides);
    show(&measured, arguments)?;
    Ok(measured)
}

/// Submissions to make ahead: all that the run will take, or what fits.
fn stock(plan: &Plan) -> Result<usize, Trouble> {
    let seconds = usize::try_from((drive::WARM_UP + plan.length).as_secs())?;
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

/// A client of each submitter, which asks the submitter's own node first.
fn clients(network: &Network, scene: &Scene) -> Result<Vec<Client>, Trouble> {
    let client = |first: usize| {
        let mut nodes: Vec<usize> = network.validators().collect();
        let place = nodes.iter().position(|node| *node == first).unwrap_or_default();
        nodes.rotate_left(place);
        network.client(&nodes, DEADLINE)
    };
    scene.submitters.iter().map(|submitter| client(submitter.node)).collect()
}

async fn leader(network: &Network) -> Result<usize, Trouble> {
    let status = network.status(network.member()).await?;
    let seat = status.leader.ok_or_else(|| Trouble::new("nobody leads"))?.index;
    Ok(usize::try_from(seat)?)
}

/// How many of the records that were noted the member node does not have, with evidence that holds.
async fn lost(network: &Network, driven: &Driven) -> Result<usize, Trouble> {
    let member = network.client(&[network.member()], DEADLINE)?;
    let mut lost = 0;
    for record in &driven.some {
        lost += usize::from(member.evidence(record, false).await.is_err());
    }
    Ok(lost)
}

fn bar(length: Duration) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} s  {msg}");
    ProgressBar::new(length.as_secs()).with_style(style.expect("the template is a fixed one"))
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
