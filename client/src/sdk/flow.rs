//! Writing to a flow: numbers and links of the submitter's own records.

use probata_types::{
    Hash, InstitutionId, List, Record, RecordId, Suite, Timestamp,
    body::Body,
    limits::DOCUMENTS_PER_RECORD,
    object::FlowState,
    record::{DataClass, Document, FlowId, Phase, Retention},
};

/// What an institution states, before it has its place in a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Where it stands in the life of a loan.
    pub phase: Phase,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The version of the law's parameters that was applied.
    pub rule_pack: u32,
    /// Sensitivity of what is committed to.
    pub data_class: DataClass,
    /// Data security level 1 to 5.
    pub level: u8,
    /// How long the institution keeps what stands behind it.
    pub retention: Retention,
    /// The documents that it binds.
    pub documents: List<Document, DOCUMENTS_PER_RECORD>,
    /// What it says.
    pub body: Body,
}

/// The chain and the submitter that a record's identifier depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author {
    /// The chain's algorithms.
    pub suite: Suite,
    /// The chain.
    pub chain: Hash,
    /// The submitter.
    pub institution: InstitutionId,
}

/// A submitter's place in a flow: its last accepted record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The number of the last record; 0 before the first.
    pub seq: u64,
    /// The last record; [`RecordId::NONE`] before the first.
    pub last: RecordId,
}

impl Position {
    /// Before the first record.
    pub const START: Self = Self { seq: 0, last: RecordId::NONE };
}

/// Numbers and links the records that one submitter adds to one flow.
#[derive(Debug, Clone)]
pub struct FlowWriter {
    author: Author,
    flow: FlowId,
    position: Position,
}

impl FlowWriter {
    /// Starts where the submitter has no record yet.
    pub const fn new(author: Author, flow: FlowId) -> Self {
        Self::at(author, flow, Position::START)
    }

    /// Goes on after the submitter's last record.
    pub const fn at(author: Author, flow: FlowId, position: Position) -> Self {
        Self { author, flow, position }
    }

    /// Goes on where the flow's state on the chain says that the submitter stands.
    pub fn resume(author: Author, flow: FlowId, state: &FlowState) -> Self {
        let own = state.submitters.iter().find(|one| one.institution == author.institution);
        let position = own.map_or(Position::START, |own| Position { seq: own.seq, last: own.last });
        Self::at(author, flow, position)
    }

    /// The flow.
    pub const fn flow(&self) -> FlowId {
        self.flow
    }

    /// Where the submitter stands; keep it before appending, to [`restore`](Self::restore) it if
    /// the record is rejected: a rejected record leaves no gap and takes no number.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Goes back to a position.
    pub const fn restore(&mut self, position: Position) {
        self.position = position;
    }

    /// The next record, and its identifier.
    pub fn append(&mut self, statement: Statement) -> (RecordId, Record) {
        let record = Record {
            version: Record::VERSION,
            flow: self.flow,
            seq: self.position.seq + 1,
            prev: self.position.last,
            phase: statement.phase,
            occurred_at: statement.occurred_at,
            rule_pack: statement.rule_pack,
            data_class: statement.data_class,
            level: statement.level,
            retention: statement.retention,
            documents: statement.documents,
            body: statement.body,
        };
        let Author { suite, chain, institution } = &self.author;
        let id = record.id(*suite, chain, institution);
        self.position = Position { seq: record.seq, last: id };
        (id, record)
    }
}
