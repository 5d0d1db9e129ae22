//! What the processes use, as the system and the nodes tell it.

use crate::{network::Network, trouble::Trouble};
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Ticks of a second in `/proc/PID/stat`: fixed on Linux (`USER_HZ`).
const TICKS: u64 = 100;
/// Bytes of a page on the machines that this is for.
const PAGE: u64 = 4_096;

/// What a node counts one by one as it syncs a file; the store's own syncs, some for each checkpoint, are not among them.
const SYNCS: [&str; 3] = [
    "probata_ledger_syncs_total",
    "probata_journal_syncs_total",
    "probata_ledger_checkpoints_total",
];

/// What one process has used since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Process {
    /// Milliseconds of processor time, user and system.
    pub(super) cpu_ms: u64,
    /// Resident bytes, now.
    pub(super) resident: u64,
    /// Bytes handed to the disks.
    pub(super) written: u64,
    /// Open file handles, now.
    pub(super) handles: u64,
}

/// What a node has used over all of its processes.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct NodeUsage {
    /// What the network calls it.
    pub(super) name: String,
    /// Milliseconds of processor time.
    pub(super) cpu_ms: u64,
    /// Megabytes resident, at most.
    pub(super) rss_mb_max: u64,
    /// Megabytes resident, at last.
    pub(super) rss_mb: u64,
    /// Bytes handed to the disk.
    pub(super) written_bytes: u64,
    /// Bytes that its data takes more than in the beginning.
    pub(super) data_bytes: u64,
    /// Open file handles, at last.
    pub(super) handles: u64,
    /// Syncs of the block log, of the journal, and of checkpoints.
    pub(super) syncs: u64,
    /// Frames sent on the mesh.
    pub(super) mesh_frames: u64,
    /// Bytes of these.
    pub(super) mesh_bytes: u64,
}

/// Watches the processes of a network.
#[derive(Debug)]
pub(super) struct Usage {
    /// Those that ran at the beginning.
    nodes: Vec<Node>,
    /// What the nodes' counters and folders said at the beginning.
    before: Vec<Counted>,
    own: Process,
}

/// Bytes of data on the disk of the largest node.
///
/// # Errors
/// [`Trouble`] if a folder cannot be read.
pub(super) fn data_bytes_max(network: &Network) -> Result<u64, Trouble> {
    let of = |node| bytes_under(&network.path(node, "data"));
    let all = (0..network.nodes().len()).map(of).collect::<Result<Vec<_>, _>>()?;
    Ok(all.into_iter().max().unwrap_or_default())
}

/// What only grows, and what a node tells of itself.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    data_bytes: u64,
    syncs: u64,
    mesh_frames: u64,
    mesh_bytes: u64,
}

impl Counted {
    async fn of(network: &Network, node: usize) -> Result<Self, Trouble> {
        let page = network.text(node, "/metrics").await?;
        Ok(Self {
            data_bytes: bytes_under(&network.path(node, "data"))?,
            syncs: SYNCS.iter().map(|name| counter(&page, name)).sum(),
            mesh_frames: counter(&page, "probata_mesh_sent_frames_total"),
            mesh_bytes: counter(&page, "probata_mesh_sent_bytes_total"),
        })
    }
}

#[derive(Debug, Default)]
struct Node {
    /// Its place in the network.
    place: usize,
    /// Of processes that ended.
    before: Process,
    process: Option<u32>,
    /// What the present one had used when it was first, and last, looked at.
    first: Process,
    last: Process,
    most: u64,
}

impl Node {
    const fn cpu_ms(&self) -> u64 {
        self.before.cpu_ms + self.last.cpu_ms - self.first.cpu_ms
    }
}

impl Usage {
    /// Begins to watch: what was used before does not count.
    ///
    /// # Errors
    /// [`Trouble`] if the system does not tell.
    pub(super) async fn begin(network: &Network) -> Result<Self, Trouble> {
        let mut before = Vec::new();
        for node in network.running() {
            before.push(Counted::of(network, node).await?);
        }
        let node = |place| Node { place, ..Node::default() };
        let nodes = network.running().into_iter().map(node).collect();
        let mut usage = Self { nodes, before, own: of_process("self")? };
        usage.look(network);
        for node in &mut usage.nodes {
            node.first = node.last;
        }
        Ok(usage)
    }

    /// Looks again. A process that has just ended is left as it was last seen.
    pub(super) fn look(&mut self, network: &Network) {
        for node in &mut self.nodes {
            let Some(process) = network.process(node.place) else { continue };
            let Ok(now) = of_process(&process.to_string()) else { continue };
            if node.process != Some(process) {
                node.before.cpu_ms += node.last.cpu_ms - node.first.cpu_ms;
                node.before.written += node.last.written - node.first.written;
                (node.process, node.first) = (Some(process), Process::default());
            }
            node.most = node.most.max(now.resident);
            node.last = now;
        }
    }

    /// Resident bytes and open file handles of each node, as it was last seen.
    pub(super) fn now(&self) -> Vec<(u64, u64)> {
        self.nodes.iter().map(|node| (node.last.resident, node.last.handles)).collect()
    }

    /// Milliseconds of processor time of all nodes so far.
    pub(super) fn cpu_ms(&self) -> u64 {
        self.nodes.iter().map(Node::cpu_ms).sum()
    }

    /// What each node has used.
    ///
    /// # Errors
    /// [`Trouble`] if a folder cannot be read.
    pub(super) async fn of_nodes(&self, network: &Network) -> Result<Vec<NodeUsage>, Trouble> {
        let mut all = Vec::with_capacity(self.nodes.len());
        for (node, before) in self.nodes.iter().zip(&self.before) {
            let now = Counted::of(network, node.place).await?;
            // The counters of a node that was started anew begin again.
            let since =
                |of: fn(&Counted) -> u64| of(&now).checked_sub(of(before)).unwrap_or(of(&now));
            all.push(NodeUsage {
                name: network.nodes()[node.place].name.clone(),
                cpu_ms: node.cpu_ms(),
                rss_mb_max: node.most >> 20,
                rss_mb: node.last.resident >> 20,
                written_bytes: node.before.written + node.last.written - node.first.written,
                data_bytes: since(|it| it.data_bytes),
                handles: node.last.handles,
                syncs: since(|it| it.syncs),
                mesh_frames: since(|it| it.mesh_frames),
                mesh_bytes: since(|it| it.mesh_bytes),
            });
        }
        Ok(all)
    }

    /// Milliseconds of processor time that this process has used.
    ///
    /// # Errors
    /// [`Trouble`] if the system does not tell.
    pub(super) fn own_cpu_ms(&self) -> Result<u64, Trouble> {
        Ok(of_process("self")?.cpu_ms - self.own.cpu_ms)
    }
}

fn of_process(process: &str) -> Result<Process, Trouble> {
    let folder = PathBuf::from("/proc").join(process);
    let stat = fs::read_to_string(folder.join("stat"))?;
    // The name, in parentheses, may hold anything.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<u64> =
        after_name.split_whitespace().map(|it| it.parse().unwrap_or(0)).collect();
    let field = |number: usize| fields.get(number - 3).copied().unwrap_or_default();
    let io = fs::read_to_string(folder.join("io")).unwrap_or_default();
    let written = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok());
    Ok(Process {
        cpu_ms: (field(14) + field(15)) * 1_000 / TICKS,
        resident: field(24) * PAGE,
        written: written.unwrap_or_default(),
        handles: fs::read_dir(folder.join("fd")).map_or(0, |files| files.count() as u64),
    })
}

/// The sum of a counter over all of its labels, in the OpenMetrics text of a node.
fn counter(page: &str, name: &str) -> u64 {
    let value = |line: &str| -> Option<u64> {
        let rest = line.strip_prefix(name)?;
        let labelled = rest.starts_with('{') || rest.starts_with(' ');
        labelled.then(|| rest.rsplit(' ').next()?.parse().ok()).flatten()
    };
    page.lines().filter_map(value).sum()
}

fn bytes_under(folder: &Path) -> Result<u64, Trouble> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        bytes += match entry.metadata() {
            Ok(kind) if kind.is_dir() => bytes_under(&entry.path())?,
            Ok(kind) => kind.len(),
            // A node removes files while it runs.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error.into()),
        };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_summed_over_its_labels_and_taken_for_no_other() {
        let page = "# TYPE a counter\na_total{lane=\"x\"} 3\na_total{lane=\"y\"} 4\na_totals 9\nb_total 5\n# EOF\n";
        assert_eq!((counter(page, "a_total"), counter(page, "b_total")), (7, 5));
        assert_eq!(counter(page, "c_total"), 0);
    }

    #[test]
    fn this_process_uses_memory_and_time() {
        let now = of_process("self").unwrap();
        assert!(now.resident > 1 << 20 && now.handles > 2, "{now:?}");
    }
}
