//! The network that is measured: made for the run, or kept in a folder and used again.

use super::scene::Scene;
use crate::{
    network::{Network, Parts},
    ports::Ports,
    trouble::Trouble,
};
use probata_client::sdk::Client;
use probata_genesis::Genesis;
use probata_node::devnet::ceremony::{self, DevnetNode, Terms};
use probata_types::InstitutionId;
use serde::{Deserialize, Serialize};
use std::{fs, path::Path, time::Duration};

/// Submissions of one institution that a node holds: a few seconds at the rates that are measured.
pub(super) const PENDING: u64 = 32_768;
/// Time for a submission to have its answer.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);
/// What a folder that is kept says of its nodes.
const NODES: &str = "nodes.json";

/// A node, as it is written down.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    institution: InstitutionId,
    api: String,
    validator: bool,
}

/// A network of so many validators, of the program that this is; in a folder that is to be kept, that which is
/// there already, if one is.
///
/// # Errors
/// [`Trouble`] if it cannot be made, or does not come up.
pub(super) async fn network(validators: u16, keep: Option<&Path>) -> Result<Network, Trouble> {
    let program = std::env::current_exe()?;
    let mut terms = Terms::devnet();
    terms.parameters.pending_per_institution = PENDING;
    let mut network = match keep {
        None => Network::prepare(&program.to_string_lossy(), validators, terms).await?,
        Some(folder) => {
            if !folder.join(NODES).exists() {
                make(folder, validators, terms)?;
            }
            let (genesis, nodes) = read(folder)?;
            let programs = vec![program; nodes.len()];
            Network::assemble(Parts { folder: folder.to_owned(), genesis, nodes, programs }).await?
        }
    };
    network.start_all().await?;
    Ok(network)
}

fn make(folder: &Path, validators: u16, terms: Terms) -> Result<(), Trouble> {
    fs::create_dir_all(folder)?;
    let base = Ports::find()?.base();
    let (_, nodes) = ceremony::hold_on(folder, validators, base, terms)?;
    let nodes = nodes.into_iter().map(|node| Written {
        name: node.name,
        institution: node.institution,
        api: node.api,
        validator: node.validator,
    });
    let nodes: Vec<Written> = nodes.collect();
    Ok(fs::write(folder.join(NODES), serde_json::to_vec_pretty(&nodes)?)?)
}

fn read(folder: &Path) -> Result<(Genesis, Vec<DevnetNode>), Trouble> {
    let genesis = Genesis::parse(&fs::read(folder.join("genesis.json"))?)?;
    let nodes: Vec<Written> = serde_json::from_slice(&fs::read(folder.join(NODES))?)?;
    let node = |it: Written| DevnetNode {
        folder: folder.join(&it.name),
        name: it.name,
        institution: it.institution,
        api: it.api,
        validator: it.validator,
        candidate: false,
    };
    Ok((genesis, nodes.into_iter().map(node).collect()))
}

/// A client of each submitter, which asks the submitter's own node first.
///
/// # Errors
/// [`Trouble`].
pub(super) fn clients(network: &Network, scene: &Scene) -> Result<Vec<Client>, Trouble> {
    let client = |first: usize| {
        let mut nodes: Vec<usize> = network.validators().collect();
        let place = nodes.iter().position(|node| *node == first).unwrap_or_default();
        nodes.rotate_left(place);
        network.client(&nodes, DEADLINE)
    };
    scene.submitters.iter().map(|submitter| client(submitter.node)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_network_is_read_as_it_was_made() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), 4, Terms::devnet()).unwrap();
        let (genesis, nodes) = read(folder.path()).unwrap();
        assert_eq!((nodes.len(), genesis.validator_set().size()), (5, 4));
        assert!(nodes.iter().all(|node| node.folder.join("node.toml").exists()));
        assert!(nodes[..4].iter().all(|node| node.validator) && !nodes[4].validator);
        fs::write(folder.path().join(NODES), "[{}]").unwrap();
        assert!(read(folder.path()).is_err());
    }
}
