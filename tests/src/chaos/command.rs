//! The `chaos` command.
#![expect(clippy::print_stderr, reason = "a command talks to its terminal")]

use super::{
    away,
    fire::{self, Fire},
    fleet::{self, Fleet, Wanted},
    ground::{self, Ground},
    leaders,
    leftovers::Folder,
    plan::Means,
    report::{print_json, say},
    reshape,
};
use crate::trouble::Trouble;
use clap::{Args, Parser, Subcommand, ValueEnum};
use probata_client::sdk::clock;
use probata_node::{devnet::ceremony::Terms, stop};
use probata_types::Millis;
use std::{io::Write as _, process::ExitCode, time::Duration};

/// What `chaos --help` ends with.
const EXAMPLES: &str = "\
Examples:
  chaos --minutes 1                        a minute of it, another one each time
  chaos --minutes 15 --seed 7 --json       the plan of seed 7; the result as one line of JSON
  chaos --minutes 1 --ground loopback      without namespaces, small disks and link failures
  chaos leader-kills --validators 7        how long users wait when a leader is killed
  chaos catch-up --blocks 100000           how fast a validator catches up that was long away
  chaos reshape                            seats given and taken and every key replaced, under load

Exit code 0: everything held. 1: something was violated; the folder that is named holds logs and data.
2: wrong usage, or it cannot run here.

Namespaces need root or unprivileged user namespaces, and iproute2; clocks that are off need Debian's
faketime. What is missing is said, and left out.";

/// Run a devnet of real node processes, do it all kinds of harm, and check that nothing was lost.
///
/// Phase after phase, drawn from a seed: validators and the member node are killed, stopped, paused, cut
/// off, slowed down, their disks filled, their clocks set off, while writers submit through the SDK. Mostly no
/// more than f validators suffer at once, and then records must go on being sealed; sometimes more, and then
/// nothing need be sealed, but nothing may be lost or contradicted either. At the end everything is healed, and
/// the light client checks from outside: every acknowledged record is on every node with evidence of the highest
/// level, all nodes have one chain, and `fsck` finds every disk clean.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    fire: FireArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Kill leaders under load, and measure how long nobody gets a receipt.
    ///
    /// Exit code 1 if a stall reached twice the base timeout.
    LeaderKills(LeaderArguments),
    /// Let a validator catch up that missed a long history, while the others go on.
    CatchUp(AwayArguments),
    /// Let seven institutions change while they work: 4 validators become 7, every key is replaced once,
    /// 7 become 4.
    ///
    /// Exit code 1 if nobody got a receipt for twice the base timeout.
    Reshape(ReshapeArguments),
}

/// What all ways of running share.
#[derive(Debug, Clone, Args)]
struct Common {
    /// Number of validators; there is one member node besides.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(4..=16))]
    validators: u16,
    /// Where the nodes stand.
    #[arg(long, value_enum, default_value_t = GroundArgument::Auto)]
    ground: GroundArgument,
    /// Writers at once, each asking another node first.
    #[arg(long, default_value_t = 6)]
    writers: usize,
    /// Milliseconds that a writer waits between a receipt and its next submission.
    #[arg(long, default_value_t = 100)]
    pause_ms: u64,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
    /// Keep the folder of logs and data though everything held.
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Clone, Args)]
struct FireArguments {
    #[command(flatten)]
    common: Common,
    /// Minutes under fire; the phase that has begun is finished. Fractions are allowed.
    #[arg(long, default_value_t = 15.0)]
    minutes: f64,
    /// Draws the plan. From the clock if left out; printed in any case.
    #[arg(long)]
    seed: Option<u64>,
    /// Phases of the plan that are left out at its beginning.
    #[arg(long, default_value_t = 0)]
    skip: usize,
    /// Megabytes of each node's disk, where it gets one of its own. It is memory while in use.
    #[arg(long, default_value_t = 512)]
    disk_mb: u64,
}

#[derive(Debug, Clone, Args)]
struct LeaderArguments {
    #[command(flatten)]
    common: Common,
    /// Leaders to kill.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    kills: u16,
    /// The base timeout of a view, in milliseconds; the recommended one if left out.
    #[arg(long)]
    view_timeout_ms: Option<u64>,
    /// Milliseconds that every message takes from one node to another, besides.
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
    /// Draws the moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Clone, Args)]
struct AwayArguments {
    #[command(flatten)]
    common: Common,
    /// Blocks that the validator missed.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    blocks: u64,
}

#[derive(Debug, Clone, Args)]
struct ReshapeArguments {
    #[command(flatten)]
    common: Common,
    /// Heights from a motion to the change that it asks for.
    #[arg(long, default_value_t = 40)]
    lead: u64,
    /// Heights at which an old key for submissions is good beside the new one.
    #[arg(long, default_value_t = 300)]
    overlap: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GroundArgument {
    /// Namespaces if they are permitted, else loopback.
    Auto,
    /// A network namespace for each node, or nothing.
    Namespaces,
    /// Loopback addresses; partitions and delays by the proxies only.
    Loopback,
}

/// Why a run ends without a result.
enum Stop {
    /// It cannot run here.
    Cannot(Trouble),
    /// Something happened that must not.
    Violated(Trouble),
    /// Told to stop.
    Interrupted,
}

/// Reads the arguments of the process and does what they say. Started as a node's process, it is one.
pub fn main() -> ExitCode {
    if std::env::var_os(fleet::NODE).is_some() {
        return probata_node::command::main();
    }
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let code = match runtime {
        Ok(runtime) => runtime.block_on(choose_ground(arguments)),
        Err(error) => Err(error.into()),
    };
    code.unwrap_or_else(|trouble| {
        eprintln!("error: {trouble}");
        ExitCode::from(2)
    })
}

impl Arguments {
    const fn common(&self) -> &Common {
        match &self.command {
            None => &self.fire.common,
            Some(Command::LeaderKills(it)) => &it.common,
            Some(Command::CatchUp(it)) => &it.common,
            Some(Command::Reshape(it)) => &it.common,
        }
    }
}

async fn choose_ground(arguments: Arguments) -> Result<ExitCode, Trouble> {
    let wanted = arguments.common().ground;
    if ground::is_inside() {
        return Ok(run(arguments, Ground::Namespaces).await);
    }
    if wanted == GroundArgument::Loopback {
        return Ok(run(arguments, Ground::Loopback).await);
    }
    match ground::permitted() {
        Ok(()) => ground::go_inside().await,
        Err(why) if wanted == GroundArgument::Namespaces => {
            Err(Trouble::new(format!("no network namespaces: {why}")))
        }
        Err(why) => {
            say(&format!("no network namespaces: {why}"));
            say("on loopback instead: no link goes down, no disk is filled");
            Ok(run(arguments, Ground::Loopback).await)
        }
    }
}

async fn run(arguments: Arguments, ground: Ground) -> ExitCode {
    let folder = match Folder::make() {
        Ok(folder) => folder,
        Err(trouble) => return end(Stop::Cannot(trouble), None),
    };
    let work = async {
        match &arguments.command {
            None => under_fire(&arguments.fire, ground, &folder).await,
            Some(Command::LeaderKills(it)) => kill_leaders(it, ground, &folder).await,
            Some(Command::CatchUp(it)) => catch_up(it, ground, &folder).await,
            Some(Command::Reshape(it)) => reshape(it, ground, &folder).await,
        }
    };
    let result = tokio::select! {
        result = work => result,
        () = stop::requested() => Err(Stop::Interrupted),
        // Inside, the end of the input is the sign to stop.
        () = stop::end_of_stdin(), if ground::is_inside() => Err(Stop::Interrupted),
    };
    match result {
        Ok(()) if arguments.common().keep => match folder.keep() {
            Ok(path) => {
                eprintln!("logs and data are in {}", path.display());
                ExitCode::SUCCESS
            }
            Err(trouble) => end(Stop::Cannot(trouble), None),
        },
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => end(stop, Some(folder)),
    }
}

fn end(stop: Stop, folder: Option<Folder>) -> ExitCode {
    match stop {
        Stop::Interrupted => {
            eprintln!("told to stop: nothing is said of what held");
            ExitCode::from(2)
        }
        Stop::Cannot(trouble) => {
            eprintln!("error: {trouble}");
            ExitCode::from(2)
        }
        Stop::Violated(trouble) => {
            eprintln!("VIOLATED: {trouble}");
            match folder.map(Folder::keep) {
                Some(Ok(path)) => eprintln!("logs and data are in {}", path.display()),
                Some(Err(error)) => eprintln!("its folder could not be kept: {error}"),
                None => {}
            }
            ExitCode::FAILURE
        }
    }
}

async fn under_fire(it: &FireArguments, ground: Ground, folder: &Folder) -> Result<(), Stop> {
    let duration = Duration::try_from_secs_f64(it.minutes).map(|minute| minute * 60);
    let duration = duration.map_err(|error| Stop::Cannot(error.into()))?;
    let clocks = fleet::clocks_permitted();
    if let Err(why) = &clocks {
        say(&format!("clocks stay right: {why}"));
    }
    let spaces = ground == Ground::Namespaces;
    let wanted = Wanted {
        validators: it.common.validators,
        ground,
        terms: Terms::devnet(),
        disk: spaces.then_some(it.disk_mb),
        clocks: clocks.is_ok(),
    };
    let means = Means {
        validators: it.common.validators.into(),
        links: spaces,
        disks: spaces,
        clocks: clocks.is_ok(),
    };
    let now = clock::now().get();
    let orders = fire::Orders {
        duration,
        seed: it.seed.unwrap_or(now),
        skip: it.skip,
        writers: it.common.writers,
        pause: Duration::from_millis(it.common.pause_ms),
    };
    say(&format!("seed {}, {} validators, {ground:?}", orders.seed, means.validators));
    let fleet = Fleet::make(folder.path(), wanted).await.map_err(Stop::Cannot)?;
    let mut fire = Fire::light(fleet, means, &orders).await.map_err(Stop::Cannot)?;
    match fire.burn(&orders).await {
        Ok(tally) => {
            tally.print(it.common.json);
            if it.common.keep { fire.save_disks().map_err(Stop::Cannot) } else { Ok(()) }
        }
        Err(trouble) => {
            if let Err(error) = fire.save_disks() {
                say(&format!("the disks could not be saved: {error}"));
            }
            Err(Stop::Violated(trouble))
        }
    }
}

async fn kill_leaders(it: &LeaderArguments, ground: Ground, folder: &Folder) -> Result<(), Stop> {
    let mut terms = Terms::devnet();
    if let Some(timeout) = it.view_timeout_ms {
        terms.parameters.view_timeout = Millis::new(timeout);
        // Several repetitions must fit in a view.
        let retransmit = terms.parameters.retransmit.get().min(timeout / 4).max(1);
        terms.parameters.retransmit = Millis::new(retransmit);
    }
    let mut fleet = plain_fleet(&it.common, terms, ground, folder).await?;
    let orders = leaders::Orders {
        kills: it.kills.into(),
        writers: it.common.writers,
        pause: Duration::from_millis(it.common.pause_ms),
        seed: it.seed,
        delay: Duration::from_millis(it.delay_ms),
    };
    let measured = leaders::measure(&mut fleet, &orders).await.map_err(Stop::Violated)?;
    fleet.network.stop_and_check().await.map_err(Stop::Violated)?;
    show(&measured.sentence(), &measured, it.common.json);
    if measured.holds() {
        return Ok(());
    }
    Err(Stop::Violated(Trouble::new("a stall reached twice the base timeout")))
}

async fn catch_up(it: &AwayArguments, ground: Ground, folder: &Folder) -> Result<(), Stop> {
    let begin = away::begin(clock::now(), it.blocks);
    let terms = Terms { created_at: begin, ..Terms::devnet() };
    let mut fleet = plain_fleet(&it.common, terms, ground, folder).await?;
    let pause = Duration::from_millis(it.common.pause_ms);
    let measured = away::measure(&mut fleet, it.blocks, it.common.writers, pause).await;
    let measured = measured.map_err(Stop::Violated)?;
    show(&measured.sentence(), &measured, it.common.json);
    say("every disk is being checked");
    fleet.network.stop_and_check().await.map_err(Stop::Violated)?;
    Ok(())
}

async fn reshape(it: &ReshapeArguments, ground: Ground, folder: &Folder) -> Result<(), Stop> {
    let common = &it.common;
    if common.validators != reshape::VALIDATORS {
        let begin = reshape::VALIDATORS;
        return Err(Stop::Cannot(Trouble::new(format!("reshape begins with {begin} validators"))));
    }
    let terms = Terms { candidates: reshape::CANDIDATES, ..Terms::devnet() };
    let mut fleet = plain_fleet(common, terms, ground, folder).await?;
    let orders = reshape::Orders {
        writers: common.writers,
        pause: Duration::from_millis(common.pause_ms),
        lead: it.lead,
        overlap: it.overlap,
    };
    let measured = reshape::measure(&mut fleet, &orders).await.map_err(Stop::Violated)?;
    measured.print(common.json);
    if measured.holds() {
        return Ok(());
    }
    Err(Stop::Violated(Trouble::new("nobody got a receipt for twice the base timeout")))
}

/// Nodes with the system's disk and clock.
async fn plain_fleet(
    common: &Common,
    terms: Terms,
    ground: Ground,
    folder: &Folder,
) -> Result<Fleet, Stop> {
    let validators = common.validators;
    let wanted = Wanted { validators, ground, terms, disk: None, clocks: false };
    Fleet::make(folder.path(), wanted).await.map_err(Stop::Cannot)
}

fn show(sentence: &str, measured: &impl serde::Serialize, json: bool) {
    if json {
        print_json(measured);
    } else {
        // A reader that has gone, as after `| head`, is no failure.
        let _ = writeln!(std::io::stdout(), "{sentence}");
    }
}
