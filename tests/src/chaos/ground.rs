//! Where the nodes stand: each in a network namespace, or all on loopback.
//!
//! Namespaces are made inside others that belong to this program alone: it starts itself again by `unshare`
//! (util-linux) as the first process of new network, mount and process namespaces. Nothing outside can be
//! touched from there, and when that first process ends the kernel takes away all that was in them.

use crate::trouble::{Trouble, ensure};
use probata_node::stop;
use std::{
    fs,
    io::Write as _,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
};

/// Set for the program that was started again inside.
const INSIDE: &str = "PROBATA_CHAOS_INSIDE";
/// Folders of the system's own programs.
const SBIN: [&str; 2] = ["/usr/sbin", "/sbin"];
/// The port of every node's mesh and the one of its HTTP API, where each has an address of its own.
pub(super) const PORTS: (u16, u16) = (7_000, 8_000);

/// Where the nodes stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// Each in a network namespace.
    Namespaces,
    /// All on loopback.
    Loopback,
}

impl Ground {
    /// The address of a node. At most 250 nodes.
    pub(super) fn node(self, number: usize) -> IpAddr {
        self.address(number, 2)
    }

    /// Where the hub meets that node.
    pub(super) fn hub(self, number: usize) -> IpAddr {
        self.address(number, 1)
    }

    fn address(self, number: usize, host: u8) -> IpAddr {
        let number = u8::try_from(number).expect("a chaos network has a few nodes");
        match self {
            Self::Namespaces => Ipv4Addr::new(10, 77, number, host).into(),
            Self::Loopback => Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// Takes down the link of a node, or sets it up again.
    ///
    /// # Errors
    /// [`Trouble`] if the system refuses.
    pub(super) fn set_link(self, node: usize, up: bool) -> Result<(), Trouble> {
        ip(&["link", "set", &format!("v{node}"), if up { "up" } else { "down" }])
    }
}

/// Whether this process is the one inside.
pub(super) fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// The command that starts a program as the first process of new namespaces.
fn unshare() -> Command {
    let mut command = Command::new("unshare");
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.args(["--propagation", "private", "--"]);
    // Where `ip` is, which an ordinary user's path may leave out.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:{}", SBIN.join(":")));
    command
}

/// Whether namespaces can be had, and if not why.
///
/// # Errors
/// The reason, in a sentence.
pub(super) fn permitted() -> Result<(), String> {
    let found = |program: &str| {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let sbin = SBIN.map(PathBuf::from);
        std::env::split_paths(&folders).chain(sbin).any(|it| it.join(program).is_file())
    };
    for (program, package) in [("ip", "iproute2"), ("unshare", "util-linux")] {
        if !found(program) {
            return Err(format!("`{program}` is missing (Debian: apt-get install {package})"));
        }
    }
    // All that will be needed: a namespace within, a pair of interfaces, a mount.
    let script = "mount -t tmpfs none /run && ip netns add a && \
                  ip link add v0 type veth peer name eth0 netns a";
    let tried = unshare().args(["sh", "-c", script]).stdin(Stdio::null()).output();
    match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("this system does not permit them here ({})", said.trim()))
        }
        Err(error) => Err(format!("`unshare` cannot be run ({error})")),
    }
}

/// Starts this program again inside and waits for its end; its exit code. Told to stop, it lets the one
/// inside end by itself, in order.
pub(super) async fn go_inside() -> Result<ExitCode, Trouble> {
    let mut command = tokio::process::Command::from(unshare());
    command.arg(std::env::current_exe()?).args(std::env::args_os().skip(1)).env(INSIDE, "1");
    // Its end is the sign to stop, also when this process is killed.
    let mut child = command.stdin(Stdio::piped()).kill_on_drop(true).spawn()?;
    let sign = child.stdin.take();
    let status: ExitStatus = tokio::select! {
        status = child.wait() => status?,
        () = stop::requested() => {
            drop(sign);
            child.wait().await?
        }
    };
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::from(2), ExitCode::from))
}

/// Makes a namespace for each node, each with one link to the hub and no way on from there.
///
/// # Errors
/// [`Trouble`] if the system refuses.
pub(super) fn lay_out(nodes: usize) -> Result<(), Trouble> {
    mount_tmpfs(Path::new("/run"), 1)?;
    let mut batch = String::from("link set lo up\n");
    for node in 0..nodes {
        ip(&["netns", "add", &format!("n{node}")])?;
        batch.push_str(&format!(
            "link add v{node} type veth peer name eth0 netns n{node}\n\
             addr add 10.77.{node}.1/24 dev v{node}\nlink set v{node} up\n"
        ));
    }
    ip_batch(&[], &batch)?;
    for node in 0..nodes {
        let batch =
            format!("link set lo up\naddr add 10.77.{node}.2/24 dev eth0\nlink set eth0 up\n");
        ip_batch(&["-n", &format!("n{node}")], &batch)?;
    }
    // Nodes have no route beyond their link; this makes sure that the hub hands nothing on either.
    Ok(fs::write("/proc/sys/net/ipv4/ip_forward", "0")?)
}

/// Gives a folder a disk of its own, of so many megabytes.
///
/// # Errors
/// [`Trouble`] if the system refuses.
pub(super) fn mount_tmpfs(folder: &Path, megabytes: u64) -> Result<(), Trouble> {
    let size = format!("size={megabytes}m");
    let mut command = Command::new("mount");
    said(command.args(["-t", "tmpfs", "-o", &size, "probata-chaos"]).arg(folder))
}

/// Takes that disk away with what is on it.
///
/// # Errors
/// [`Trouble`] if the system refuses.
pub(super) fn unmount(folder: &Path) -> Result<(), Trouble> {
    said(Command::new("umount").arg("--lazy").arg(folder))
}

fn ip(arguments: &[&str]) -> Result<(), Trouble> {
    said(Command::new("ip").args(arguments))
}

fn ip_batch(arguments: &[&str], batch: &str) -> Result<(), Trouble> {
    let mut command = Command::new("ip");
    command.args(arguments).args(["-batch", "-"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().ok_or_else(|| Trouble::new("ip takes no input"))?;
    input.write_all(batch.as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    ensure(output.status.success(), || {
        format!("ip {arguments:?}: {}\n{batch}", String::from_utf8_lossy(&output.stderr))
    })
}

/// Runs a command; an error with its words if it fails.
fn said(command: &mut Command) -> Result<(), Trouble> {
    let output = command.stdin(Stdio::null()).output()?;
    ensure(output.status.success(), || {
        format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))
    })
}
