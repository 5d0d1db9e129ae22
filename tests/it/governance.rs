//! `probata governance` as operators use it, step by step as docs/OPERATING.md says: a candidate proves its
//! key, an institution moves, the others vote, and the fifth validator votes by itself.

use crate::{NODE, PROBATA};
use probata_node::devnet::ceremony::Terms;
use probata_tests::{
    Trouble,
    council::{FIRST_KEY, wait_for_epoch},
    ensure, limits,
    network::Network,
};
use serde_json::{Value, json};
use std::{ffi::OsString, fs, path::PathBuf};
use tokio::process::Command;

/// The institution that is to get a seat.
const NEW: usize = 4;

/// Somebody at a terminal: an institution with its key, its own node, and a folder for what it says.
struct Operator<'a> {
    network: &'a Network,
    number: usize,
    folder: PathBuf,
}

impl Operator<'_> {
    /// Runs `probata` with `--json`: its exit code, and each value that it printed.
    async fn run(&self, arguments: &[&str]) -> Result<(i32, Vec<Value>), Trouble> {
        let path = |name: &str| self.network.path(self.number, name).into_os_string();
        let common: [OsString; 7] = [
            "--json".into(),
            "--genesis".into(),
            self.network.folder().join("genesis.json").into(),
            "--node".into(),
            self.network.nodes()[self.number].api.clone().into(),
            "--key".into(),
            path("submission.key.json"),
        ];
        let mut command = Command::new(PROBATA);
        command.args(arguments).args(common).current_dir(&self.folder).kill_on_drop(true);
        let output = tokio::time::timeout(limits::PATIENCE, command.output()).await??;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let values = serde_json::Deserializer::from_str(&said).into_iter::<Value>();
        let values = values.collect::<Result<Vec<_>, _>>().map_err(|error| {
            Trouble::new(format!("{arguments:?} printed no JSON: {error}: {said}"))
        })?;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        println!("probata {arguments:?}: {:?} {errors}", output.status.code());
        Ok((output.status.code().unwrap_or(-1), values))
    }

    /// The same, where it must succeed and print one value.
    async fn one(&self, arguments: &[&str]) -> Result<Value, Trouble> {
        let (code, mut values) = self.run(arguments).await?;
        ensure(code == 0 && values.len() == 1, || format!("{arguments:?}: {code} {values:?}"))?;
        Ok(values.remove(0))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_joins_as_the_handbook_says() -> Result<(), Trouble> {
    let terms = Terms { candidates: 1, ..Terms::devnet() };
    let mut network = Network::prepare(NODE, 4, terms).await?;
    network.start_all().await?;
    wait_for_sight(&mut network).await?;
    let folders: Vec<_> =
        network.nodes().iter().map(|_| tempfile::tempdir()).collect::<Result<_, _>>()?;
    let operator = |number: usize| {
        let folder = folders[number].path().to_owned();
        Operator { network: &network, number, folder }
    };

    let (change, wrong) = changes(&operator(NEW)).await?;
    fs::write(folders[0].path().join("CHANGE.json"), change.to_string())?;
    fs::write(folders[0].path().join("WRONG.json"), wrong.to_string())?;
    let moving =
        |file| ["governance", "move", file, "--closes", "1h", "--reason", "a fifth validator"];

    // A proof for somebody else goes no further than this command.
    let (code, _) = operator(0).run(&moving("WRONG.json")).await?;
    ensure(code == 64, || format!("a wrong proof: exit code {code}"))?;

    let moved = operator(0).one(&moving("CHANGE.json")).await?;
    let motion = moved["flow"].as_str().unwrap_or_default().to_owned();
    for number in 0..3 {
        let one = operator(number);
        let standing = one.one(&["governance", "show", &motion]).await?;
        ensure(standing["status"] == "open", || format!("before ballot {number}: {standing}"))?;
        let cast = one.one(&["governance", "vote", &motion, "--approve"]).await?;
        ensure(cast["kind"] == "ballot", || format!("ballot {number}: {cast}"))?;
    }
    let standing = operator(3).one(&["governance", "show", &motion]).await?;
    ensure(standing["status"] == "approved", || format!("{standing}"))?;
    let listed = operator(3).one(&["governance", "list"]).await?;
    ensure(listed["motions"][0] == standing, || format!("{listed}"))?;
    // Nobody has contradicted himself meanwhile.
    let (code, _) = operator(3).run(&["faults"]).await?;
    ensure(code == 0, || format!("faults: exit code {code}"))?;
    // What is decided takes no more ballots.
    let (code, _) = operator(3).run(&["governance", "vote", &motion, "--refuse"]).await?;
    ensure(code == 64, || format!("a late ballot: exit code {code}"))?;

    let first = &standing["outcome"]["approved"]["from"];
    let first = first.as_u64().ok_or_else(|| Trouble::new(format!("{standing}")))?;
    // An idle chain comes to the height of the change by its heartbeats.
    wait_for_epoch(&mut network, first).await?;
    let me = network.status(NEW).await?.me;
    ensure(me.is_some(), || "the new validator has no seat".to_owned())?;
    network.finish().await
}

/// Waits until each validator has heard of the height of every other node: before that a ballot would say that
/// it sees too few.
async fn wait_for_sight(network: &mut Network) -> Result<(), Trouble> {
    let all_heard = async |network: &Network| {
        for node in network.validators() {
            let answer = network.get(node, "/v1/peers").await?;
            let heard = answer["peers"].as_array().into_iter().flatten();
            let heard =
                heard.filter(|peer| peer["connected_ms"].is_u64() && peer["height"].is_u64());
            if heard.count() + 1 < network.nodes().len() {
                return Ok(false);
            }
        }
        Ok(true)
    };
    network.wait_for("each validator to see all nodes", all_heard).await.map(drop)
}

/// The change that seats the newcomer, and the same with a proof that was made for another institution.
async fn changes(newcomer: &Operator<'_>) -> Result<(Value, Value), Trouble> {
    let network = newcomer.network;
    let institution = network.nodes()[NEW].institution.to_string();
    let other = network.nodes()[0].institution.to_string();
    let file = |name: &str| network.path(NEW, name).to_string_lossy().into_owned();
    let (key, node) = (file(FIRST_KEY), file("node.key.json"));
    let node = newcomer.one(&["key", "show", &node]).await?["public"].clone();
    let prove = async |code: &str| {
        newcomer.one(&["governance", "prove-key", &key, "--institution", code]).await
    };
    let seat = |proven: Value| {
        let seat = json!({ "institution": institution, "key": proven, "node": node });
        json!({ "validators": { "seats": [seat], "leave": [] } })
    };
    Ok((seat(prove(&institution).await?), seat(prove(&other).await?)))
}
