//! The nodes of the consortium and where each is reached.

use crate::{Address, InstitutionId, List, PublicKey, limits};
use serde::{Deserialize, Serialize};

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeEntry {
    /// Whose node.
    pub institution: InstitutionId,
    /// Its identity on the mesh.
    pub node: PublicKey,
    /// Where other nodes reach it.
    pub address: Address,
    /// Whether it votes when its institution is a validator. One node of an institution does at most.
    pub votes: bool,
}

/// All nodes, in ascending order of institutions.
pub type Directory = List<NodeEntry, { limits::NODES }>;

/// The node that votes for an institution.
pub fn voting_node<'a>(
    directory: &'a Directory,
    institution: &InstitutionId,
) -> Option<&'a NodeEntry> {
    directory.iter().find(|entry| entry.votes && entry.institution == *institution)
}
