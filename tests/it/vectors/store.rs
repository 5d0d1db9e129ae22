//! Reads and writes files of vectors.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file of vectors.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VectorFile {
    pub(super) vectors: Vec<Vector>,
}

/// A value, and what it comes to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vector {
    /// What it is, for people.
    pub(super) name: String,
    /// Which type it has: a name of [`super::form`].
    pub(super) form: String,
    /// The value as JSON.
    pub(super) value: Value,
    /// Its canonical bytes, in hex.
    pub(super) bytes: String,
    /// The digest that names or is signed for it, in hex, if it has one.
    pub(super) digest: Option<String>,
}

impl VectorFile {
    /// Reads a file of `tests/vectors`, which is written anew before if that was asked for.
    pub(super) fn load(name: &str) -> Self {
        update::if_asked();
        Self::read(name)
    }

    fn read(name: &str) -> Self {
        let path = path(&format!("{name}.json"));
        let text = fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; {}", path.display(), update::HOW));
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{name}.json: {error}"))
    }

    /// Writes a file of `tests/vectors`.
    pub(super) fn save(&self, name: &str) {
        let mut text = serde_json::to_string_pretty(self).unwrap();
        text.push('\n');
        fs::write(path(&format!("{name}.json")), text).unwrap();
    }
}

/// The path of a file of `tests/vectors`.
pub(super) fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(file)
}

/// Changing what is pinned, on purpose.
pub(super) mod update {
    use super::{
        super::{FILES, draw, files, form::form},
        VectorFile,
    };
    use std::sync::Once;

    /// The environment variable that asks for it: `1` for bytes and digests, `values` for values
    /// too.
    const VARIABLE: &str = "PROBATA_UPDATE_VECTORS";
    /// What whoever sees a difference should know.
    pub(in super::super) const HOW: &str = "if the format was changed on purpose, run the tests \
        with PROBATA_UPDATE_VECTORS=1 and commit tests/vectors by itself, saying why";

    static ONCE: Once = Once::new();

    /// Whether what is pinned is to be written anew.
    pub(in super::super) fn is_asked() -> bool {
        std::env::var(VARIABLE).is_ok()
    }

    /// Writes every file anew, once, if that is asked for.
    pub(in super::super) fn if_asked() {
        if is_asked() {
            ONCE.call_once(write_anew);
        }
    }

    fn write_anew() {
        if std::env::var(VARIABLE).is_ok_and(|value| value == "values") {
            for (name, file) in FILES.iter().zip(draw::all()) {
                file.save(name);
            }
        }
        let chain = files::read_genesis().chain();
        for name in FILES {
            let mut file = VectorFile::read(name);
            for vector in &mut file.vectors {
                let pinned = form(&vector.form).pin(&vector.value, &chain);
                vector.bytes = hex::encode(&pinned.bytes);
                vector.digest = pinned.digest.map(|digest| digest.to_string());
            }
            file.save(name);
        }
    }
}
