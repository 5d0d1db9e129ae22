//! The corpus on disk: files, and an index of what is to be said of each.

use super::{Base, Expected, Row, Trusted};
use crate::trouble::Trouble;
use probata_types::Checkpoint;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The name of the index.
pub const INDEX: &str = "index.json";

/// A row as the index has it; names are those of files in the folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// What it is called.
    pub name: String,
    /// The threat that it stands for; empty for what is genuine.
    pub threat: String,
    /// What somebody has done.
    pub attack: String,
    /// The evidence file.
    pub evidence: String,
    /// The documents that are brought: the name given, and the file.
    pub documents: Vec<(String, String)>,
    /// The genesis document that is trusted.
    pub genesis: Option<String>,
    /// The checkpoint that is kept.
    pub checkpoint: Option<String>,
    /// What another node shows, as a checkpoint.
    pub second: Option<String>,
    /// The record that is asked for.
    pub record: Option<String>,
    /// The time for which it is asked, in milliseconds.
    pub as_of: Option<u64>,
    /// What is to be said.
    pub expected: Expected,
}

/// Where the corpus lies.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/evidence")
}

/// Writes rows into an empty folder.
///
/// # Errors
/// [`Trouble`] if a file cannot be written.
pub fn write(rows: &[Row], base: &Base, folder: &Path) -> Result<(), Trouble> {
    fs::create_dir_all(folder.join("documents"))?;
    fs::write(folder.join("genesis.json"), base.genesis.to_json())?;
    fs::write(folder.join("other-genesis.json"), base.other_genesis.to_json())?;
    let mut index = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let name = format!("{at:03}-{}", row.name);
        let evidence = format!("{name}.evidence.json");
        fs::write(folder.join(&evidence), &row.evidence)?;
        let mut documents = Vec::with_capacity(row.documents.len());
        for (given, bytes) in &row.documents {
            let file = format!("documents/{}", &blake3::hash(bytes).to_hex()[..16]);
            fs::write(folder.join(&file), bytes)?;
            documents.push((given.clone(), file));
        }
        let beside = |kind: &str, checkpoint: &Option<Checkpoint>| {
            let Some(checkpoint) = checkpoint else { return Ok::<_, Trouble>(None) };
            let file = format!("{name}.{kind}.json");
            fs::write(folder.join(&file), checkpoint.to_json()?)?;
            Ok(Some(file))
        };
        index.push(Judged {
            name: row.name.clone(),
            threat: row.threat.to_owned(),
            attack: row.attack.clone(),
            checkpoint: beside("checkpoint", &row.checkpoint)?,
            second: beside("second", &row.second)?,
            evidence,
            documents,
            genesis: match row.genesis {
                Trusted::Own => Some("genesis.json".to_owned()),
                Trusted::Other => Some("other-genesis.json".to_owned()),
                Trusted::None => None,
            },
            record: row.record.clone(),
            as_of: row.as_of.map(|time| time.get()),
            expected: row.expected.clone(),
        });
    }
    let lines: Result<Vec<String>, _> = index.iter().map(serde_json::to_string).collect();
    fs::write(folder.join(INDEX), format!("[\n{}\n]\n", lines?.join(",\n")))?;
    Ok(())
}

/// The index of a folder.
///
/// # Errors
/// [`Trouble`] if it cannot be read.
pub fn read_index(folder: &Path) -> Result<Vec<Judged>, Trouble> {
    Ok(serde_json::from_slice(&fs::read(folder.join(INDEX))?)?)
}
