//! Making secrets.

use super::{
    Answer, CommandError, Format,
    files::{self, Readers},
};
use clap::Args;
use probata_genesis::{KeyFile, KeyUse, SubjectKey};
use probata_types::{Keypair, Suite};
use serde_json::json;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The only suite there is; later ones become an argument.
pub(super) const SUITE: Suite = Suite::Blake3Ed25519;

const USES: [KeyUse; 3] = [KeyUse::Submission, KeyUse::Validator, KeyUse::Node];

/// Arguments of `genesis keys`.
#[derive(Debug, Args)]
pub struct KeysArguments {
    /// The folder; it is made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    pub dir: PathBuf,
    /// How to answer.
    #[command(flatten)]
    pub format: Format,
}

/// Arguments of `genesis subject-key`.
#[derive(Debug, Args)]
pub struct SubjectKeyArguments {
    /// The file to write; only its owner may read it.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How to answer.
    #[command(flatten)]
    pub format: Format,
}

/// Where the key for a use is in an institution's folder.
pub(super) fn key_path(folder: &Path, purpose: KeyUse) -> PathBuf {
    folder.join(format!("{purpose}.key.json"))
}

pub(super) fn make_keys(arguments: &KeysArguments) -> Result<Answer, CommandError> {
    files::create_folder(&arguments.dir)?;
    let paths = USES.map(|purpose| (purpose, key_path(&arguments.dir, purpose)));
    // All or none: half a set of new keys beside old ones would be mistaken for one set.
    for (_, path) in &paths {
        files::refuse_existing(path)?;
    }
    let mut text = String::new();
    let mut public = serde_json::Map::new();
    for (purpose, path) in &paths {
        let pair = Keypair::from_secret(&*random()?);
        let file = KeyFile { purpose: *purpose, pair };
        files::create(path, &file.to_json(), Readers::Owner)?;
        let key = file.pair.public();
        text += &format!("{purpose:<10} {key}  {}\n", path.display());
        public.insert(purpose.to_string(), json!({ "public": key, "file": path }));
    }
    text += "Only public keys are shown. Back the files up; then make the entry: genesis entry.\n";
    Ok(Answer { text, json: public.into() })
}

pub(super) fn make_subject_key(arguments: &SubjectKeyArguments) -> Result<Answer, CommandError> {
    let key = SubjectKey::new(*random()?);
    files::create(&arguments.out, &key.to_json(), Readers::Owner)?;
    let digest = key.hash(SUITE);
    let file = &arguments.out;
    let text = format!("digest {digest}\nThe key is in {}, for members only.\n", file.display());
    Ok(Answer { text, json: json!({ "digest": digest, "file": file }) })
}

fn random() -> Result<Zeroizing<[u8; 32]>, CommandError> {
    let mut secret = Zeroizing::new([0u8; 32]);
    getrandom::fill(secret.as_mut_slice())?;
    Ok(secret)
}
