//! The rule pack that a chain begins with.

use crate::{JsonError, error::read_json, limits};
use probata_types::rule_pack::RulePack;

/// Reads the JSON text of a rule pack, to put into a draft. It is checked with the draft.
///
/// # Errors
/// [`JsonError`] if it is too long or not such a text; the line and column are named.
pub fn parse_rule_pack(json: &[u8]) -> Result<RulePack, JsonError> {
    read_json(json, limits::RULE_PACK_BYTES)
}
