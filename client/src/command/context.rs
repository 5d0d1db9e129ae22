//! From arguments to what the SDK needs: genesis, client, keys.

use super::{Common, failure::Failure};
use crate::sdk::{Author, Client, ClientConfig};
use probata_genesis::{Genesis, KeyFile, KeyUse, SubjectKey, limits::GENESIS_BYTES};
use probata_types::{Checkpoint, InstitutionId, Keypair, limits::EVIDENCE_BYTES};
use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

/// Bytes of a key file; genuine ones have a few hundred.
const KEY_FILE_BYTES: u64 = 64 * 1_024;

/// Reads a file of at most `max` bytes.
pub(super) fn read(path: &Path, max: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
    file.take(max + 1).read_to_end(&mut bytes).map_err(|error| Failure::file(path, &error))?;
    if bytes.len() as u64 > max {
        return Err(Failure::file(path, &format!("longer than the {max} bytes expected")));
    }
    Ok(bytes)
}

/// The genesis document that was named.
pub(super) fn genesis(common: &Common) -> Result<Genesis, Failure> {
    let path = common.genesis.as_ref().ok_or_else(|| {
        Failure::usage("no genesis document is named", "add --genesis FILE or set PROBATA_GENESIS")
    })?;
    read_genesis(path)
}

/// A genesis document.
pub(super) fn read_genesis(path: &Path) -> Result<Genesis, Failure> {
    let json = read(path, GENESIS_BYTES as u64)?;
    Genesis::parse(&json).map_err(|error| Failure::file(path, &error))
}

/// A checkpoint.
pub(super) fn read_checkpoint(path: &Path) -> Result<Checkpoint, Failure> {
    let json = read(path, EVIDENCE_BYTES as u64)?;
    Checkpoint::parse(&json).map_err(|error| Failure::file(path, &error))
}

/// A client of each node that was named, by itself.
pub(super) fn client_of_each(common: &Common) -> Result<Vec<(String, Client)>, Failure> {
    client(common, None)?;
    let genesis = genesis(common)?;
    let of = |node: &String| {
        let (nodes, genesis) = (vec![node.clone()], genesis.clone());
        let config = ClientConfig { nodes, genesis, deadline: common.deadline(), spool: None };
        Ok((node.clone(), Client::new(config)?))
    };
    common.nodes.iter().map(of).collect()
}

/// A client of the nodes that were named, with a spool in `spool` if one is needed.
pub(super) fn client(common: &Common, spool: Option<PathBuf>) -> Result<Client, Failure> {
    if common.nodes.is_empty() {
        let action = "add --node URL or set PROBATA_NODE";
        return Err(Failure::usage("no node is named", action));
    }
    let (nodes, genesis, deadline) = (common.nodes.clone(), genesis(common)?, common.deadline());
    Ok(Client::new(ClientConfig { nodes, genesis, deadline, spool })?)
}

/// The submission key that was named.
pub(super) fn key(common: &Common) -> Result<Keypair, Failure> {
    let path = common.key.as_ref().ok_or_else(|| {
        Failure::usage("no key file is named", "add --key FILE or set PROBATA_KEY")
    })?;
    let json = read(path, KEY_FILE_BYTES)?;
    KeyFile::parse_for(KeyUse::Submission, &json).map_err(|error| Failure::file(path, &error))
}

/// Any key file.
pub(super) fn read_key(path: &Path) -> Result<KeyFile, Failure> {
    KeyFile::parse(&read(path, KEY_FILE_BYTES)?).map_err(|error| Failure::file(path, &error))
}

/// The subject key, if one was named; it must be the one of this chain.
pub(super) fn subject_key(
    common: &Common,
    genesis: &Genesis,
) -> Result<Option<SubjectKey>, Failure> {
    let Some(path) = &common.subject_key else { return Ok(None) };
    let key = SubjectKey::parse(&read(path, KEY_FILE_BYTES)?)
        .map_err(|error| Failure::file(path, &error))?;
    genesis.check_subject_key(key.as_bytes()).map_err(|error| Failure::file(path, &error))?;
    Ok(Some(key))
}

/// Who submits: the institution named, or the one whose key it is in genesis.
pub(super) fn author(
    genesis: &Genesis,
    key: &Keypair,
    named: Option<InstitutionId>,
) -> Result<Author, Failure> {
    let public = key.public();
    let owner = || genesis.entries().find(|entry| entry.keys.contains(&public));
    let institution = named.or_else(|| owner().map(|entry| entry.id)).ok_or_else(|| {
        Failure::usage(
            format!("genesis names no institution with the key {public}"),
            "add --institution CODE if the key was admitted later, or use another key file",
        )
    })?;
    Ok(Author { suite: genesis.suite(), chain: genesis.chain(), institution })
}
