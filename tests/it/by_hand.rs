//! The commands of docs/VERIFY-BY-HAND.md, as an appraiser types them.

use probata_tests::{
    forge::{folder, read_index},
    trouble::{Trouble, ensure},
};
use std::{fs, path::Path, process::Command};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/VERIFY-BY-HAND.md");
/// What the page needs besides a shell.
const TOOLS: [&str; 4] = ["openssl", "b3sum", "xxd", "jq"];

/// The blocks of commands, one after another.
fn script() -> Result<String, Trouble> {
    let page = fs::read_to_string(PAGE)?;
    let blocks = page.split("```sh\n").skip(1);
    let blocks: Vec<&str> = blocks.filter_map(|part| part.split("```").next()).collect();
    ensure(blocks.len() > 4, || "the page has no commands".to_owned())?;
    Ok(blocks.concat())
}

fn run(dir: &Path, evidence: &str) -> Result<(bool, String), Trouble> {
    fs::copy(folder().join("genesis.json"), dir.join("genesis.json"))?;
    fs::write(dir.join("evidence.json"), evidence)?;
    fs::write(dir.join("script.sh"), script()?)?;
    let output = Command::new("bash").arg("script.sh").current_dir(dir).output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn the_commands_of_the_page_verify_a_file_and_refuse_a_forged_one() -> Result<(), Trouble> {
    let missing = TOOLS.iter().filter(|tool| Command::new(tool).arg("--help").output().is_err());
    let missing: Vec<&&str> = missing.collect();
    if !missing.is_empty() {
        // Whoever runs the tests need not be an appraiser; CI installs them.
        println!("left out: {missing:?} are not installed (Debian: openssl b3sum xxd jq)");
        return Ok(());
    }
    let rows = read_index(&folder())?;
    let row = rows.iter().find(|row| row.name == "genuine-consent-revoke-after-ten-years");
    let row = row.ok_or_else(|| Trouble::new("the corpus has no withdrawn consent"))?;
    let evidence = fs::read_to_string(folder().join(&row.evidence))?;
    let dir = tempfile::tempdir()?;
    let (holds, said) = run(dir.path(), &evidence)?;
    println!("{said}");
    ensure(holds && said.contains("all of it holds"), || said)?;
    for (from, to) in [
        ("\"seq\":2", "\"seq\":3"),
        ("\"height\":100000000", "\"height\":100000001"),
        ("\"view\":3", "\"view\":4"),
        ("\"admitted_at\":0", "\"admitted_at\":1"),
        ("\"validators\":[0,1,2]", "\"validators\":[0,0,0]"),
        ("\"index\":0", "\"index\":\"a[$(touch touched)]\""),
        ("\"expires_at\":1", "\"expires_at\":2"),
    ] {
        ensure(evidence.contains(from), || format!("{from} is not in the file"))?;
        let (holds, said) = run(dir.path(), &evidence.replacen(from, to, 1))?;
        ensure(!holds && !said.contains("all of it holds"), || format!("{to} was taken:\n{said}"))?;
    }
    ensure(!dir.path().join("touched").exists(), || "the file ran a command".to_owned())?;
    Ok(())
}
