//! Drafts: records as people write them, in JSON. The SDK draws salts, makes commitments and
//! handles, digests documents, and numbers the records; see `docs/SDK.md` for the form.

mod directive;
#[cfg(test)]
mod tests;

pub use directive::Names;

use super::{
    clock::{self, TimeError},
    flow::Statement,
    limits,
    openings::{OpeningBook, OpeningError},
    random::{self, RandomError},
};
use crate::document::Digests;
use probata_genesis::SubjectKey;
use probata_types::{
    List, Suite, Text, Timestamp,
    body::Body,
    record::{
        Commitment, DataClass, Document, DocumentRole, FlowId, Phase, Retention,
        document_name_field,
    },
};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// Why a draft does not describe a record.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// Not JSON of a draft's form.
    #[error("not a draft: {0}")]
    Form(String),
    /// A directive such as `{"$commit": …}` that cannot be carried out.
    #[error("at {at}: {why}")]
    Directive {
        /// Where in the body, such as `loan_contract.borrowers.0.subject`.
        at: String,
        /// Why.
        why: String,
    },
    /// The body is not that of a record type.
    #[error("the body is not that of a known record type: {0}")]
    Body(String),
    /// A value in a committed field's place that no field claims.
    #[error("{{\"$commit\": …}} stands at {0}, where the record has no committed field")]
    NotCommitted(String),
    /// A document cannot be read.
    #[error("document {path}: {error}")]
    Document {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Too many documents, or a text too long.
    #[error("{0}")]
    Limit(String),
    /// A commitment could not be made.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// A time.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// A record as people write it. What is left out has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Names the record, and the files made for it.
    pub name: String,
    /// The flow: `new`, its 32 hex digits, or a name that drafts of one run share.
    pub flow: String,
    /// Default: the usual one of the record type.
    #[serde(default)]
    pub phase: Option<Phase>,
    /// RFC 3339, milliseconds, relative to now, or a time of a local day. Default: now.
    #[serde(default)]
    pub occurred_at: Option<String>,
    /// Default: the genesis rule pack's.
    #[serde(default)]
    pub rule_pack: Option<u32>,
    /// Default: C2.
    #[serde(default)]
    pub data_class: Option<DataClass>,
    /// Default: 3.
    #[serde(default)]
    pub level: Option<u8>,
    /// Default: the loan file's.
    #[serde(default)]
    pub retention: Option<Retention>,
    /// Files to bind.
    #[serde(default)]
    pub documents: Vec<DraftDocument>,
    /// The body with directives.
    pub body: Value,
}

/// A file that a draft binds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftDocument {
    /// Path from the draft's folder.
    pub path: PathBuf,
    /// What it is to the record.
    pub role: DocumentRole,
    /// Default: by the file's extension.
    #[serde(default)]
    pub media_type: Option<String>,
}

/// What drafts are resolved against.
#[derive(Debug, Clone)]
pub struct DraftContext<'a> {
    /// The chain's algorithms.
    pub suite: Suite,
    /// The rule pack that records apply.
    pub rule_pack: u32,
    /// Minutes that the rule pack's local time is east of UTC.
    pub utc_offset_minutes: i32,
    /// Now.
    pub now: Timestamp,
    /// The folder that documents' paths start from.
    pub folder: &'a Path,
    /// For `{"$subject": …}`.
    pub subject_key: Option<&'a SubjectKey>,
}

/// A draft turned into a statement, ready for its place in a flow.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The draft's name.
    pub name: String,
    /// The flow.
    pub flow: FlowId,
    /// What the record states.
    pub statement: Statement,
    /// The salts and values behind its commitments; to be stored before the record is sent.
    pub book: OpeningBook,
    /// The documents' files.
    pub documents: Vec<PathBuf>,
}

impl Draft {
    /// Reads one draft, or a list of them.
    ///
    /// # Errors
    /// [`DraftError::Form`].
    pub fn parse(json: &[u8]) -> Result<Vec<Self>, DraftError> {
        let form = |error: serde_json::Error| DraftError::Form(error.to_string());
        let value: Value = serde_json::from_slice(json).map_err(form)?;
        if value.is_array() {
            serde_json::from_value(value).map_err(form)
        } else {
            Ok(vec![serde_json::from_value(value).map_err(form)?])
        }
    }

    /// Reads a draft file.
    ///
    /// # Errors
    /// [`DraftError::Document`] if it cannot be read, [`DraftError::Form`].
    pub fn read(path: &Path) -> Result<Vec<Self>, DraftError> {
        Self::parse(&read_bounded(path, limits::DRAFT_BYTES)?)
    }

    /// Adds a document.
    pub fn bind(&mut self, path: PathBuf, role: DocumentRole) {
        self.documents.push(DraftDocument { path, role, media_type: None });
    }

    /// Turns the draft into a statement. Names of flows that are new are added to `names`.
    ///
    /// # Errors
    /// [`DraftError`], the first thing wrong.
    pub fn prepare(
        &self,
        context: &DraftContext<'_>,
        names: &mut Names,
    ) -> Result<Prepared, DraftError> {
        if !is_file_name(&self.name) {
            let why = "use letters, digits, - and _, at most 64, to name files after it";
            return Err(DraftError::Limit(format!("draft name {:?}: {why}", self.name)));
        }
        let mut book = OpeningBook::new(context.suite);
        let flow = names.flow(&self.flow)?;
        let body = resolve_body(&self.body, context, names, &mut book)?;
        let mut documents = List::empty();
        for draft in &self.documents {
            let document = bind(draft, documents.len(), context.folder, &mut book)?;
            documents.push(document).map_err(|error| DraftError::Limit(error.to_string()))?;
        }
        let occurred_at = match &self.occurred_at {
            Some(text) => clock::parse_time(text, context.now, context.utc_offset_minutes)?,
            None => context.now,
        };
        let statement = Statement {
            phase: self.phase.unwrap_or_else(|| usual_phase(&body)),
            occurred_at,
            rule_pack: self.rule_pack.unwrap_or(context.rule_pack),
            data_class: self.data_class.unwrap_or(DataClass::C2),
            level: self.level.unwrap_or(3),
            retention: self.retention.unwrap_or(Retention::LoanFile),
            documents,
            body,
        };
        let documents =
            self.documents.iter().map(|draft| context.folder.join(&draft.path)).collect();
        Ok(Prepared { name: self.name.clone(), flow, statement, book, documents })
    }
}

/// Whether files may be named after a draft: it must not lead out of its folder.
fn is_file_name(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    !name.is_empty() && name.chars().count() <= 64 && name.chars().all(fits)
}

/// Binds a document's bytes and commits to its name.
///
/// # Errors
/// [`DraftError::Opening`] if the name cannot be committed to, [`DraftError::Limit`] for a media
/// type that is too long.
pub fn bind_bytes(
    bytes: &[u8],
    name: &str,
    (role, media_type): (DocumentRole, &str),
    index: usize,
    book: &mut OpeningBook,
) -> Result<Document, DraftError> {
    let digests = Digests::of(bytes);
    let media_type = Text::new(media_type)
        .map_err(|error| DraftError::Limit(format!("media type of {name}: {error}")))?;
    let name = book.commit(&document_name_field(index), name)?;
    let Digests { sha256, sm3, length } = digests;
    Ok(Document { sha256, sm3, length, media_type, role, name })
}

fn bind(
    draft: &DraftDocument,
    index: usize,
    folder: &Path,
    book: &mut OpeningBook,
) -> Result<Document, DraftError> {
    let path = folder.join(&draft.path);
    let bytes = read_bounded(&path, limits::DOCUMENT_BYTES)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| DraftError::Document {
        path: path.clone(),
        error: io::Error::other("the path names no file"),
    })?;
    let media_type = draft.media_type.clone().unwrap_or_else(|| media_type(&path).to_owned());
    bind_bytes(&bytes, &name, (draft.role, &media_type), index, book)
}

/// The body with every directive carried out. Which field a commitment is for is asked of the body
/// itself: each value first stands in as random bytes, the body says under which name it finds
/// them, and only then the real commitment is made.
fn resolve_body(
    draft: &Value,
    context: &DraftContext<'_>,
    names: &Names,
    book: &mut OpeningBook,
) -> Result<Body, DraftError> {
    let mut stand_ins = BTreeMap::new();
    let first = directive::resolve(draft, context, names, &mut stand_ins)?;
    let body = read_body(&first)?;
    let mut commitments = BTreeMap::new();
    for (field, stand_in) in body.commitments() {
        if let Some(meant) = stand_ins.remove(&stand_in) {
            commitments.insert(stand_in.to_string(), book.commit(&field, &meant.value)?);
        }
    }
    if let Some(meant) = stand_ins.into_values().next() {
        return Err(DraftError::NotCommitted(meant.at));
    }
    read_body(&replace(first, &commitments))
}

fn read_body(value: &Value) -> Result<Body, DraftError> {
    Body::deserialize(value).map_err(|error| DraftError::Body(error.to_string()))
}

fn replace(value: Value, commitments: &BTreeMap<String, Commitment>) -> Value {
    match value {
        Value::String(text) => match commitments.get(&text) {
            Some(commitment) => Value::String(commitment.to_string()),
            None => Value::String(text),
        },
        Value::Array(items) => items.into_iter().map(|item| replace(item, commitments)).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, field)| (name, replace(field, commitments)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other,
    }
}

/// The media type that a file's extension stands for.
pub fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("pdf") => "application/pdf",
        Some("txt") => "text/plain; charset=utf-8",
        Some("md") => "text/markdown; charset=utf-8",
        Some("json") => "application/json",
        Some("csv") => "text/csv",
        Some("xml" | "ofd") => "application/xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("mp3") => "audio/mpeg",
        Some("wav") => "audio/wav",
        Some("mp4") => "video/mp4",
        _ => "application/octet-stream",
    }
}

/// Reads a file of at most `max` bytes.
pub(crate) fn read_bounded(path: &Path, max: u64) -> Result<Vec<u8>, DraftError> {
    let wrong = |error| DraftError::Document { path: path.to_owned(), error };
    let file = File::open(path).map_err(wrong)?;
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > max {
        return Err(wrong(io::Error::other(format!("it is longer than {max} bytes"))));
    }
    Ok(bytes)
}

/// The phase in which a record of the body's type usually stands.
fn usual_phase(body: &Body) -> Phase {
    *body.phases().first().expect("every record type has a phase")
}

/// A fresh flow.
pub(super) fn fresh_flow() -> Result<FlowId, RandomError> {
    random::flow()
}
