//! The nodes: their ceremony, their places, their disks, their clocks.

use super::{
    ground::{self, Ground, PORTS},
    leftovers,
    links::Links,
    proxy::Proxy,
};
use crate::{
    network::{Network, Parts},
    ports::Ports,
    trouble::{Trouble, ensure},
};
use probata_genesis::Genesis;
use probata_node::devnet::ceremony::{self, DevnetNode, Terms};
use probata_types::PublicKey;
use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// Set for a process of this program that is to be a node.
pub(super) const NODE: &str = "PROBATA_CHAOS_NODE";
/// First port in genesis. Nobody listens there: every node is told where its peers have moved.
const GENESIS_PORT: u16 = 7_400;
/// The file from which a node's process takes how far its clock is off.
const CLOCK: &str = "clock";
/// Where Debian's libfaketime is, below the library folder of the machine's kind.
const FAKETIME: &str = "faketime/libfaketimeMT.so.1";

/// What a fleet is to be.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) validators: u16,
    pub(super) ground: Ground,
    pub(super) terms: Terms,
    /// Whether each node gets a small disk, of so many megabytes.
    pub(super) disk: Option<u64>,
    /// Whether each node gets a clock that can be set.
    pub(super) clocks: bool,
}

/// Nodes with everything between them.
pub(super) struct Fleet {
    pub(super) network: Network,
    pub(super) links: Links,
    pub(super) ground: Ground,
    disks: Option<u64>,
    _proxy: Proxy,
    _ports: Option<Ports>,
}

impl Fleet {
    /// Holds the ceremony and lays out the ground. Nothing runs yet.
    ///
    /// # Errors
    /// [`Trouble`] if the system refuses.
    pub(super) async fn make(folder: &Path, wanted: Wanted) -> Result<Self, Trouble> {
        let Wanted { validators, ground, terms, disk, clocks } = wanted;
        let (genesis, mut nodes) = ceremony::hold_on(folder, validators, GENESIS_PORT, terms)?;
        let ports = match ground {
            Ground::Loopback => Some(Ports::find()?),
            Ground::Namespaces => {
                ground::lay_out(nodes.len())?;
                None
            }
        };
        let places = Places { ground, base: ports.as_ref().map(Ports::base) };
        let (links, mut proxy) = (Links::new(nodes.len()), Proxy::default());
        let keys = node_keys(&genesis, nodes.len())?;
        for number in 0..nodes.len() {
            let mut moved = Vec::new();
            for peer in (0..nodes.len()).filter(|peer| *peer != number) {
                let target = places.mesh(peer);
                let here = ground.hub(number);
                let address = proxy.open(here, (number, peer), target, &links).await?;
                moved.push((keys[peer], address));
            }
            nodes[number].api = format!("http://{}", places.api(number));
            write_config(&nodes[number], places, number, &moved)?;
        }
        let faketime = clocks.then(faketime).flatten();
        let mut programs = Vec::new();
        for (number, node) in nodes.iter().enumerate() {
            if let Some(size) = disk {
                let data = node.folder.join("data");
                fs::create_dir(&data)?;
                ground::mount_tmpfs(&data, size)?;
            }
            programs.push(program(node, ground, number, faketime.as_deref())?);
        }
        let parts = Parts { folder: folder.to_owned(), genesis, nodes, programs };
        let network = Network::assemble(parts).await?;
        Ok(Self { network, links, ground, disks: disk, _proxy: proxy, _ports: ports })
    }

    /// Starts every node that does not run, and waits until all are up.
    ///
    /// # Errors
    /// [`Trouble`] as [`Network::start_all`].
    pub(super) async fn start_all(&mut self) -> Result<(), Trouble> {
        self.network.start_all().await?;
        (0..self.network.nodes().len()).try_for_each(|node| self.note(node))
    }

    /// Starts a node.
    ///
    /// # Errors
    /// [`Trouble`] as [`Network::start_node`].
    pub(super) fn start(&mut self, node: usize) -> Result<(), Trouble> {
        self.network.start_node(node)?;
        self.note(node)
    }

    fn note(&self, node: usize) -> Result<(), Trouble> {
        let process = self.network.process(node);
        process.map_or(Ok(()), |process| leftovers::note(self.network.folder(), process))
    }

    /// Sets a node's clock off by so many milliseconds; within a second it notices.
    ///
    /// # Errors
    /// [`Trouble`] if the file cannot be written.
    pub(super) fn set_clock(&self, node: usize, off_ms: i64) -> Result<(), Trouble> {
        let path = self.network.path(node, CLOCK);
        write_clock(&path, off_ms)
    }

    /// Saves what is on the small disks, before they go, for people to look at.
    ///
    /// # Errors
    /// [`Trouble`] if it cannot be copied.
    pub(super) fn save_disks(&self) -> Result<(), Trouble> {
        if self.disks.is_none() {
            return Ok(());
        }
        for node in self.network.nodes() {
            let (data, copy) = (node.folder.join("data"), node.folder.join("data-kept"));
            copy_folder(&data, &copy)?;
        }
        Ok(())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for node in self.network.nodes().iter().filter(|_| self.disks.is_some()) {
            // The kernel takes what is left when the namespaces end.
            let _ = ground::unmount(&node.folder.join("data"));
        }
    }
}

/// Whether clocks can be set, and if not why.
///
/// # Errors
/// The reason, in a sentence.
pub(super) fn clocks_permitted() -> Result<(), String> {
    let missing = "libfaketime is missing (Debian: apt-get install faketime)";
    faketime().map(drop).ok_or_else(|| missing.to_owned())
}

fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    folders.map(|folder| folder.join(FAKETIME)).find(|library| library.is_file())
}

/// Where each node listens.
#[derive(Clone, Copy)]
struct Places {
    ground: Ground,
    base: Option<u16>,
}

impl Places {
    fn mesh(self, number: usize) -> SocketAddr {
        self.at(number, PORTS.0, 0)
    }

    fn api(self, number: usize) -> SocketAddr {
        self.at(number, PORTS.1, 100)
    }

    fn at(self, number: usize, own: u16, offset: u16) -> SocketAddr {
        let count = u16::try_from(number).expect("a chaos network has a few nodes");
        let port = self.base.map_or(own, |base| base + offset + count);
        (self.ground.node(number), port).into()
    }
}

/// The node keys in the order of the nodes, told apart by their ports in genesis.
fn node_keys(genesis: &Genesis, nodes: usize) -> Result<Vec<PublicKey>, Trouble> {
    let mut named: Vec<_> =
        genesis.nodes().map(|node| (node.address.socket().port(), node.key)).collect();
    named.sort_unstable_by_key(|(port, _)| *port);
    ensure(named.len() == nodes, || format!("genesis names {} nodes", named.len()))?;
    Ok(named.into_iter().map(|(_, key)| key).collect())
}

fn write_config(
    node: &DevnetNode,
    places: Places,
    number: usize,
    moved: &[(PublicKey, SocketAddr)],
) -> Result<(), Trouble> {
    let multi = |address: SocketAddr| format!("/ip4/{}/tcp/{}", address.ip(), address.port());
    let votes = node.validator || node.candidate;
    let validator = if votes { "validator = \"validator.key.json\"\n" } else { "" };
    let moved: String = moved
        .iter()
        .map(|(key, address)| {
            format!("  {{ node = \"{key}\", address = \"{}\" }},\n", multi(*address))
        })
        .collect();
    let text = format!(
        "genesis = \"../genesis.json\"\ndata = \"data\"\n\n[keys]\nnode = \"node.key.json\"\n{validator}\n\
         [mesh]\nlisten = [\"{}\"]\nmoved = [\n{moved}]\n\n[api]\nlisten = \"{}\"\n",
        multi(places.mesh(number)),
        places.api(number)
    );
    Ok(fs::write(node.folder.join("node.toml"), text)?)
}

/// A script that becomes the node: this very program, in its namespace and under its clock. Each step
/// replaces the one before, so that signals reach the node.
fn program(
    node: &DevnetNode,
    ground: Ground,
    number: usize,
    faketime: Option<&Path>,
) -> Result<PathBuf, Trouble> {
    let mut line = String::from("exec ");
    if ground == Ground::Namespaces {
        line.push_str(&format!("nsenter --net=/run/netns/n{number} -- "));
    }
    line.push_str(&format!("env {NODE}=1 "));
    if let Some(library) = faketime {
        let clock = node.folder.join(CLOCK);
        write_clock(&clock, 0)?;
        line.push_str(&format!(
            "LD_PRELOAD={} FAKETIME_TIMESTAMP_FILE='{}' FAKETIME_CACHE_DURATION=1 NO_FAKE_STAT=1 \
             DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_FAKE_MONOTONIC=1 ",
            library.display(),
            clock.display()
        ));
    }
    line.push_str(&format!("'{}' \"$@\"", std::env::current_exe()?.display()));
    let path = node.folder.join("start.sh");
    fs::write(&path, format!("#!/bin/sh\n{line}\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// Replaced in one step: the node reads it at any moment.
fn write_clock(path: &Path, off_ms: i64) -> Result<(), Trouble> {
    let (sign, off) = (if off_ms < 0 { '-' } else { '+' }, off_ms.unsigned_abs());
    let new = path.with_extension("new");
    fs::write(&new, format!("{sign}{}.{:03}s\n", off / 1_000, off % 1_000))?;
    Ok(fs::rename(new, path)?)
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Trouble> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let to = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() { copy_folder(&path, &to)? } else { fs::copy(&path, &to).map(drop)? }
    }
    Ok(())
}
