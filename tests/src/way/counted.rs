//! Where counting begins and ends. Callgrind finds these by their names, so they are kept functions of their own.

use super::nodes::{self, Checked, Nodes};
use crate::trouble::Trouble;
use probata_node::edge::Edge;

/// The names under which they are found, and those of the production code inside of [`seal`].
pub(super) const EDGE: &str = "probata_tests::way::counted::edge";
/// See [`EDGE`].
pub(super) const SEAL: &str = "probata_tests::way::counted::seal";
/// See [`EDGE`]: judging the records, and the root of the state that follows.
pub(super) const EXECUTE: [&str; 2] =
    ["probata_contracts::execute", "probata_ledger::ledger::Ledger::state_root_after"];
/// See [`EDGE`]: the log, and all that is derived from it.
pub(super) const COMMIT: [&str; 1] = ["probata_ledger::ledger::Ledger::commit"];

/// Bytes to checked submissions, as [`super::nodes::check`] does.
///
/// # Errors
/// [`Trouble`] if one is refused.
#[inline(never)]
pub(super) fn edge(edge: &Edge, bytes: &[u8]) -> Result<Checked, Trouble> {
    nodes::check(edge, bytes)
}

/// Checked submissions to a block that every node has committed.
///
/// # Errors
/// [`Trouble`] as [`Nodes::seal`].
#[inline(never)]
pub(super) fn seal(nodes: &mut Nodes, checked: Vec<Checked>) -> Result<(), Trouble> {
    nodes.seal(checked)
}
