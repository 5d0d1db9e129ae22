//! Checking a genesis document, and showing what it says.

use super::{Answer, CommandError, Format, files};
use clap::Args;
use comfy_table::{Table, presets};
use probata_genesis::{Entry, Genesis, SubjectKey, limits};
use probata_types::{Hash, Timestamp};
use serde_json::json;
use std::{collections::BTreeMap, path::PathBuf};

/// Arguments of `genesis check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The genesis document.
    #[arg(value_name = "GENESIS")]
    pub genesis: PathBuf,
    /// Check too that this is the consortium key that the document names.
    #[arg(long, value_name = "FILE")]
    pub subject_key: Option<PathBuf>,
    /// The chain id that you were told: exit code 1 if it is another.
    #[arg(long, value_name = "CHAIN_ID")]
    pub expect: Option<Hash>,
    /// How to answer.
    #[command(flatten)]
    pub format: Format,
}

pub(super) fn check(arguments: &CheckArguments) -> Result<Answer, CommandError> {
    let genesis = Genesis::parse(&files::read(&arguments.genesis, limits::GENESIS_BYTES)?)?;
    let got = genesis.chain();
    if let Some(wanted) = arguments.expect.filter(|wanted| *wanted != got) {
        return Err(CommandError::Chain { got, wanted });
    }
    if let Some(path) = &arguments.subject_key {
        let key = SubjectKey::parse(&files::read(path, limits::KEY_FILE_BYTES)?)
            .map_err(|source| CommandError::Key { path: path.clone(), source })?;
        genesis.check_subject_key(key.as_bytes())?;
    }
    let subject_key_is_right = arguments.subject_key.is_some();
    Ok(Answer { text: describe(&genesis, subject_key_is_right), json: list(&genesis) })
}

/// Seats of each affiliation group that has any.
fn seats(genesis: &Genesis) -> BTreeMap<&str, usize> {
    let mut seats = BTreeMap::new();
    for entry in genesis.entries().filter(|entry| entry.validator.is_some()) {
        *seats.entry(&*entry.group).or_default() += 1;
    }
    seats
}

fn describe(genesis: &Genesis, subject_key_is_right: bool) -> String {
    let set = genesis.validator_set();
    let (n, f, q) = (set.size(), set.faulty(), set.quorum());
    let mut text = format!(
        "The genesis document holds.\n\n\
         chain id     {}\n\
         chain name   {}\n\
         begins       {}\n\
         validators   n = {n}: f = {f} may fail or lie, q = {q} must agree\n\
         rule pack    version {}, in force from {}\n\
         subject key  {}{}\n\n",
        genesis.chain(),
        &**genesis.chain_name(),
        utc(genesis.created_at()),
        genesis.rule_pack().version,
        genesis.rule_pack().effective_from,
        genesis.subject_key(),
        if subject_key_is_right { " (is the one given)" } else { "" },
    );
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["institution", "name", "roles", "group", "seat", "nodes"]);
    let mut seat = 0..;
    for entry in genesis.entries() {
        let vote = entry.validator.as_ref().and_then(|_| seat.next());
        table.add_row([
            entry.id.to_string(),
            format!("{} {}", &*entry.name.zh, &*entry.name.en),
            roles(entry).join(", "),
            entry.group.to_string(),
            vote.map_or("-".to_owned(), |seat: u16| seat.to_string()),
            addresses(entry).join(", "),
        ]);
    }
    text += &table.trim_fmt();
    text += &format!("\n\nseats by affiliation group (at most f = {f} each)\n");
    for (group, seats) in seats(genesis) {
        text += &format!("  {seats}  {group}\n");
    }
    text
}

fn list(genesis: &Genesis) -> serde_json::Value {
    let set = genesis.validator_set();
    json!({
        "chain": genesis.chain(),
        "chain_name": genesis.chain_name(),
        "suite": genesis.suite(),
        "created_at": genesis.created_at(),
        "subject_key": genesis.subject_key(),
        "rule_pack": genesis.rule_pack().version,
        "validators": { "n": set.size(), "f": set.faulty(), "q": set.quorum() },
        "groups": seats(genesis),
        "parameters": genesis.parameters(),
        "institutions": genesis.entries().collect::<Vec<_>>(),
    })
}

fn roles(entry: &Entry) -> Vec<String> {
    let name = |role| json!(role).as_str().unwrap_or_default().to_owned();
    entry.roles.iter().map(name).collect()
}

fn addresses(entry: &Entry) -> Vec<String> {
    let validator = entry.validator.iter().map(|validator| validator.address);
    let members = entry.members.iter().map(|member| member.address);
    validator.chain(members).map(|address| address.to_string()).collect()
}

fn utc(time: Timestamp) -> String {
    let seconds = time.get() / 1_000 % 86_400;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{} {hours:02}:{minutes:02}:{seconds:02} UTC", time.date(0))
}
