//! Looks at every state of a small model of the protocol.
#![expect(clippy::print_stdout, reason = "what was found is printed")]

use clap::Parser;
use probata_tests::model::{Bounds, HEIGHTS, Protocol, VIEWS, check::check, mutation::Mutation};
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Exit codes:
  0  everything holds, and what must be possible was shown
  1  something is violated, or was not shown; the way there is printed
  2  wrong usage

Start with:
  model                                    two heights, three views, every leader lies
  model --heights 3 --views 2              one height more
  model --heights 1 --views 3 --liar 0     leaders as in P3; the liar leads view 0
  model --mutation hide-certificate        a broken rule, and what comes of it";

/// Look at every state of a small model of docs/PROTOCOL.md: four validators, one liar, crashes, a network
/// that loses and reorders.
#[derive(Debug, Parser)]
#[command(name = "model", version, after_help = AFTER_HELP)]
struct Cli {
    /// Heights that are decided.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=i64::from(HEIGHTS)))]
    heights: u8,
    /// Views at each height.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=i64::from(VIEWS)))]
    views: u8,
    /// The liar's place in the validator set, from 0. Without it every leader lies, and more is possible.
    #[arg(long, value_name = "SEAT", value_parser = clap::value_parser!(u8).range(0..=3))]
    liar: Option<u8>,
    /// Tell apart states that come to the same: far more of them.
    #[arg(long)]
    forget_nothing: bool,
    /// Let a crash take somebody's last block, once, and leave what was said after it. Nothing is forgotten then.
    #[arg(long)]
    lose_blocks: bool,
    /// Break a rule, within bounds in which that shows.
    #[arg(long, value_enum, value_name = "NAME", conflicts_with_all = ["heights", "views", "liar", "lose_blocks"])]
    mutation: Option<Mutation>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let bounds = Bounds { heights: cli.heights, views: cli.views };
    let (protocol, until) = match cli.mutation {
        Some(mutation) => (Protocol::broken(mutation), Some(mutation.violates())),
        None => {
            let protocol = Protocol::new(bounds, cli.liar);
            let forgets = !cli.forget_nothing && !cli.lose_blocks;
            (Protocol { forgets, loses_blocks: cli.lose_blocks, ..protocol }, None)
        }
    };
    let report = check(protocol, until);
    print!("{report}");
    for finding in report.findings.iter().filter(|it| it.always && !it.holds()) {
        println!("\n{} is violated:", finding.name);
        for line in finding.trace.iter().flatten() {
            println!("  {line}");
        }
    }
    let violated = match until {
        Some(name) => report.trace(name).is_some(),
        None => !report.holds(),
    };
    ExitCode::from(u8::from(violated))
}
