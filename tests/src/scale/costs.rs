//! What one machine needs for what: the only place with measured figures in it.
//!
//! To bring docs/SCALE.md up to date after new measurements: change [`Costs::MEASURED`] and run `just scale`.

use serde::Serialize;

/// What one node needs, on a machine of its own with four cores: one for the chain thread, one for the
/// consensus lane, [`Costs::check_threads`] for submissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Costs {
    /// Nanoseconds to check one signature alone.
    pub signature: u64,
    /// Nanoseconds to check one signature among many.
    pub signature_of_many: u64,
    /// Nanoseconds to send or to take one frame.
    pub frame: u64,
    /// Nanoseconds of the chain thread for one message, besides what follows from it.
    pub step: u64,
    /// Nanoseconds at the edge for one submission, besides its signature.
    pub edge_submission: u64,
    /// Nanoseconds at the edge for one record.
    pub edge_record: u64,
    /// Nanoseconds at the edge for one submission that a proposal names.
    pub named: u64,
    /// Nanoseconds of the chain thread to admit one submission.
    pub admit_submission: u64,
    /// Nanoseconds of the chain thread to admit one record.
    pub admit_record: u64,
    /// Nanoseconds of the chain thread to judge whether one submission may stand in a proposal.
    pub screen: u64,
    /// Nanoseconds of the chain thread to execute a block, whatever it holds.
    pub execute_block: u64,
    /// Nanoseconds of the chain thread to execute one record: rules and state tree.
    pub execute_record: u64,
    /// Nanoseconds of the chain thread to commit a block, whatever it holds.
    pub commit_block: u64,
    /// Nanoseconds of the chain thread to commit one record: log, indexes, checkpoint.
    pub commit_record: u64,
    /// Nanoseconds of one fdatasync.
    pub sync: u64,
    /// Threads that check submissions.
    pub check_threads: u64,
    /// Bits a second of a node's link, each way.
    pub link: u64,
    /// Bytes on disk for one record, all told.
    pub disk_record: u64,
    /// Bytes of the block log for one record, of these.
    pub log_record: u64,
    /// Bytes of the current state for one record: what a snapshot holds.
    pub state_record: u64,
    /// Bytes resident in a node under load, besides what grows with the ledger.
    pub resident: u64,
    /// Bytes resident for one sorted file of the store.
    pub resident_file: u64,
    /// Bits of the store's filters for one record.
    pub filter_bits: u64,
    /// Bytes a second that a node reads when it looks through a segment of the log.
    pub scan: u64,
    /// Nanoseconds to open one sorted file of the store.
    pub open_file: u64,
}

impl Costs {
    /// As measured: see [`Costs::sources`].
    pub const MEASURED: Self = Self {
        signature: 30_000,
        signature_of_many: 7_000,
        frame: 15_000,
        step: 20_000,
        edge_submission: 13_000,
        edge_record: 6_000,
        named: 2_000,
        admit_submission: 3_000,
        admit_record: 1_000,
        screen: 3_000,
        execute_block: 250_000,
        execute_record: 21_000,
        commit_block: 500_000,
        commit_record: 16_000,
        sync: 150_000,
        check_threads: 2,
        link: 1_000_000_000,
        disk_record: 1_080,
        log_record: 192,
        state_record: 515,
        resident: 389_000_000,
        resident_file: 4_096,
        filter_bits: 50,
        scan: 500_000_000,
        open_file: 100_000,
    };

    /// Each figure in words: what, how much, and where it is from.
    pub fn sources(&self) -> Vec<[String; 3]> {
        let micros = |nanos: u64| format!("{} µs", crate::figures::thousandth(nanos));
        let bytes = |number: u64| format!("{number} B");
        let split = "measured in sum, divided by the profile there";
        let hundred = "44 µs a record and node in `hundred`, divided by the profile there";
        let rows: [(&str, String, &str); 25] = [
            (
                "signature checked alone",
                micros(self.signature),
                "measured: ed25519-dalek, one core",
            ),
            (
                "signature checked among many",
                micros(self.signature_of_many),
                "measured: the same, 256 at once",
            ),
            (
                "frame sent or taken",
                micros(self.frame),
                "taken: system call, encryption, a task woken",
            ),
            ("message at the chain thread", micros(self.step), "taken"),
            (
                "submission at the edge",
                micros(self.edge_submission),
                "measured in sum: 65 µs in `single`, less a record's 44",
            ),
            ("record at the edge", micros(self.edge_record), hundred),
            ("submission that a proposal names", micros(self.named), "taken"),
            ("submission admitted", micros(self.admit_submission), "as at the edge"),
            ("record admitted", micros(self.admit_record), split),
            ("submission judged for a proposal", micros(self.screen), "as at the edge"),
            (
                "block executed",
                micros(self.execute_block),
                "measured in sum: 1.0 ms a block and node, with votes and frames",
            ),
            ("record executed", micros(self.execute_record), split),
            ("block committed", micros(self.commit_block), "as for executing"),
            ("record committed", micros(self.commit_record), split),
            ("fdatasync", micros(self.sync), "measured; many disks are slower"),
            (
                "threads that check submissions",
                self.check_threads.to_string(),
                "a machine of four cores",
            ),
            ("link, each way", format!("{} Mbit/s", self.link / 1_000_000), "taken"),
            (
                "disk, a record",
                bytes(self.disk_record),
                "measured: `grow` to a million records, after a restart",
            ),
            ("of these the block log", bytes(self.log_record), "measured: the same"),
            ("state, a record", bytes(self.state_record), "measured: the same; objects and pages"),
            (
                "resident, under load",
                format!("{} MB", self.resident / 1_000_000),
                "measured: the same, largest node",
            ),
            ("resident, a sorted file", bytes(self.resident_file), "taken"),
            (
                "filters, a record",
                format!("{} bits", self.filter_bits),
                "counted: five entries under random keys, ten bits each",
            ),
            ("log read at a start", format!("{} MB/s", self.scan / 1_000_000), "taken"),
            ("sorted file opened", micros(self.open_file), "taken"),
        ];
        rows.into_iter()
            .map(|(what, figure, source)| [what.to_owned(), figure, source.to_owned()])
            .collect()
    }
}
