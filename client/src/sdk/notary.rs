//! From drafts to files a court can use: prepare, number, store the openings, sign, submit, store
//! the evidence. What is on disk at every moment is enough to go on after a crash.

use super::{
    client::Client,
    clock,
    draft::{Draft, DraftContext, Names, Prepared},
    error::ClientError,
    flow::{Author, FlowWriter, Position},
    limits,
    openings::{OpeningsFile, write_evidence},
    signer::Signer,
    submission::sign,
};
use probata_genesis::SubjectKey;
use probata_types::{
    FlowId, InstitutionId, Outcome, Record, RecordId, evidence::EvidenceFile,
    record::document_name_field,
};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs,
    io::{Error, ErrorKind},
    path::{Path, PathBuf},
};

/// An institution that submits, and its key.
#[derive(Clone, Copy)]
pub struct Submitter<'a> {
    /// The institution.
    pub institution: InstitutionId,
    /// Its key.
    pub signer: &'a dyn Signer,
}

/// A draft to be notarised.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The record.
    pub draft: &'a Draft,
    /// The folder that its documents' paths start from.
    pub folder: &'a Path,
    /// Committed fields whose values go into the evidence file, besides the documents' names.
    pub disclose: &'a [String],
}

/// A record that was submitted, decided and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotarisedRecord {
    /// The draft's name.
    pub name: String,
    /// Who submitted it.
    pub institution: InstitutionId,
    /// The record.
    pub record: RecordId,
    /// Its flow.
    pub flow: FlowId,
    /// What the chain decided.
    pub outcome: Outcome,
    /// Its evidence file.
    pub evidence: PathBuf,
    /// The copies of its documents, beside the evidence file.
    pub documents: Vec<PathBuf>,
}

/// Notarises drafts of one matter into one folder: `NAME.evidence.json`, `NAME.openings.json` and
/// the documents.
pub struct Notary<'a> {
    client: &'a Client,
    subject_key: Option<&'a SubjectKey>,
    folder: PathBuf,
    names: Names,
    positions: BTreeMap<(InstitutionId, FlowId), Position>,
}

/// A record on its way.
struct Ready<'a> {
    order: Order<'a>,
    prepared: Prepared,
    id: RecordId,
    record: Record,
}

impl<'a> Notary<'a> {
    /// A notary that stores into `folder`, which is made if need be. `names` are the names that the
    /// drafts use for institutions.
    ///
    /// # Errors
    /// [`ClientError::File`].
    pub fn new(
        client: &'a Client,
        subject_key: Option<&'a SubjectKey>,
        folder: &Path,
        names: Names,
    ) -> Result<Self, ClientError> {
        fs::create_dir_all(folder).map_err(|error| ClientError::file(folder, error))?;
        let (folder, positions) = (folder.to_owned(), BTreeMap::new());
        Ok(Self { client, subject_key, folder, names, positions })
    }

    /// Submits the drafts as one submission, and stores what became of each. The openings are on
    /// disk before anything is sent. A draft whose flow is given in hex continues that flow as the
    /// chain knows it.
    ///
    /// # Errors
    /// [`ClientError`]. A rejected record is no error.
    pub async fn notarise(
        &mut self,
        submitter: Submitter<'_>,
        orders: &[Order<'_>],
    ) -> Result<Vec<NotarisedRecord>, ClientError> {
        let genesis = self.client.genesis();
        let (suite, chain) = (genesis.suite(), genesis.chain());
        let author = Author { suite, chain, institution: submitter.institution };
        let ready = self.ready(author, orders).await?;
        for one in &ready {
            let openings = OpeningsFile::new(chain, one.id, one.prepared.book.openings());
            openings.write(&self.path(&one.prepared.name, "openings.json"))?;
        }
        let records = ready.iter().map(|one| one.record.clone()).collect();
        let now = clock::now();
        let submission = sign(records, &author, submitter.signer, now, limits::LIFETIME)?;
        let receipt = self.client.submit(&submission).await?;
        let mut notarised = Vec::with_capacity(ready.len());
        for (at, (one, (_, outcome))) in ready.iter().zip(receipt.decisions()).enumerate() {
            if outcome.is_accepted() {
                let position = Position { seq: one.record.seq, last: one.id };
                self.positions.insert((submitter.institution, one.record.flow), position);
            }
            let evidence = receipt.evidence(at).expect("a receipt has the proof of each record");
            notarised.push(self.store(submitter.institution, one, evidence)?);
        }
        Ok(notarised)
    }

    /// Fetches the evidence of notarised records anew, with the flow's complete history, so that
    /// each file shows how things stand now.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn refresh(
        &self,
        notarised: &NotarisedRecord,
        disclose: &[String],
    ) -> Result<(), ClientError> {
        let evidence = self.client.evidence(&notarised.record, true).await?;
        self.write(&notarised.name, &notarised.evidence, evidence, disclose)
    }

    async fn ready<'o>(
        &mut self,
        author: Author,
        orders: &[Order<'o>],
    ) -> Result<Vec<Ready<'o>>, ClientError> {
        let genesis = self.client.genesis();
        let mut writers: BTreeMap<FlowId, FlowWriter> = BTreeMap::new();
        let mut ready = Vec::with_capacity(orders.len());
        for order in orders {
            let context = DraftContext {
                suite: genesis.suite(),
                rule_pack: genesis.rule_pack().version,
                utc_offset_minutes: genesis.rule_pack().utc_offset_minutes,
                now: clock::now(),
                folder: order.folder,
                subject_key: self.subject_key,
            };
            let prepared = order.draft.prepare(&context, &mut self.names)?;
            let flow = prepared.flow;
            let writer = match writers.entry(flow) {
                Entry::Occupied(writer) => writer.into_mut(),
                Entry::Vacant(place) => {
                    let position = self.position(author, order.draft, flow).await?;
                    place.insert(FlowWriter::at(author, flow, position))
                }
            };
            let (id, record) = writer.append(prepared.statement.clone());
            ready.push(Ready { order: *order, prepared, id, record });
        }
        Ok(ready)
    }

    /// Where the submitter stands in a flow: as this notary left it, or as the chain knows it.
    async fn position(
        &self,
        author: Author,
        draft: &Draft,
        flow: FlowId,
    ) -> Result<Position, ClientError> {
        if let Some(position) = self.positions.get(&(author.institution, flow)) {
            return Ok(*position);
        }
        if draft.flow != flow.to_string() {
            return Ok(Position::START);
        }
        let state = self.client.flow_state(&flow).await?;
        Ok(state
            .map_or(Position::START, |state| FlowWriter::resume(author, flow, &state).position()))
    }

    fn store(
        &self,
        institution: InstitutionId,
        ready: &Ready<'_>,
        evidence: EvidenceFile,
    ) -> Result<NotarisedRecord, ClientError> {
        let name = ready.prepared.name.clone();
        let path = self.path(&name, "evidence.json");
        let outcome = evidence.outcome.clone();
        self.write(&name, &path, evidence, ready.order.disclose)?;
        let copies = ready.prepared.documents.iter().map(|document| self.copy(document));
        Ok(NotarisedRecord {
            name,
            institution,
            record: ready.id,
            flow: ready.record.flow,
            outcome,
            evidence: path,
            documents: copies.collect::<Result<_, _>>()?,
        })
    }

    /// Writes an evidence file with the documents' names and the fields that were chosen.
    fn write(
        &self,
        name: &str,
        path: &Path,
        mut evidence: EvidenceFile,
        disclose: &[String],
    ) -> Result<(), ClientError> {
        let openings = OpeningsFile::read(&self.path(name, "openings.json"))?;
        let names: Vec<String> =
            (0..evidence.record.documents.len()).map(document_name_field).collect();
        let fields = names.iter().chain(disclose).map(String::as_str);
        openings.disclose(&mut evidence, fields)?;
        write_evidence(&evidence, path)
    }

    /// Puts a copy of a document beside the evidence, where it is not there yet.
    fn copy(&self, document: &Path) -> Result<PathBuf, ClientError> {
        let wrong = |error| ClientError::file(document, error);
        let name = document.file_name().ok_or_else(|| wrong(Error::other("it names no file")))?;
        let copy = self.folder.join(name);
        let bytes = fs::read(document).map_err(wrong)?;
        match fs::read(&copy) {
            Ok(there) if there == bytes => {}
            Ok(_) => {
                let error = Error::new(ErrorKind::AlreadyExists, "another file has its name there");
                return Err(ClientError::file(&copy, error));
            }
            Err(_) => fs::write(&copy, bytes).map_err(|error| ClientError::file(&copy, error))?,
        }
        Ok(copy)
    }

    fn path(&self, name: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{name}.{extension}"))
    }
}
