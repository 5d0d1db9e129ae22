//! Makes the forged corpus anew: `cargo run --release --bin forge -- tests/vectors/evidence`.
#![expect(clippy::print_stdout, reason = "a program for people")]

use clap::Parser;
use probata_tests::{
    Trouble,
    forge::{Base, rows, write},
};
use std::path::PathBuf;

/// Make the forged corpus: genuine and forged evidence files, with what a verifier has to say of each.
///
/// Salts are drawn anew, so every file changes. Run the tests of both verifiers afterwards: what is expected is written in
/// tests/src/forge, and no verifier was asked.
#[derive(Parser)]
struct Arguments {
    /// The folder; what is in it is removed.
    folder: PathBuf,
}

fn main() -> Result<(), Trouble> {
    let Arguments { folder } = Arguments::parse();
    if folder.join(probata_tests::forge::INDEX).exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let base = Base::new()?;
    let rows = rows(&base)?;
    write(&rows, &base, &folder)?;
    let genuine = rows.iter().filter(|row| row.threat.is_empty()).count();
    println!("{}: {} files, {genuine} of them genuine", folder.display(), rows.len());
    Ok(())
}
