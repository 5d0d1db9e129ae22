//! What one node says, and what it left on disk.

use super::Network;
use crate::{
    limits,
    trouble::{Trouble, ensure},
};
use serde::Deserialize;
use serde_json::Value;
use std::process::Stdio;
use tokio::process::Command;

/// What a node says of itself (`GET /v1/status`), as far as the tests look at it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Status {
    /// Last sealed height.
    pub height: u64,
    /// The first block that is there.
    pub history_from: u64,
    /// Hash of that header.
    pub header: String,
    /// State root of that header; none at height 0.
    pub state_root: Option<String>,
    /// The view.
    pub view: u64,
    /// Views left without a seal since the start.
    pub view_changes: u64,
    /// Who leads the next height.
    pub leader: Option<Seat>,
    /// The node's own seat; none for a member node.
    pub me: Option<u64>,
    /// Nodes connected.
    pub peers_connected: u64,
    /// Submissions that wait.
    pub pending: u64,
    /// Why it no longer votes.
    pub halted: Option<String>,
}

/// A validator's seat.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Seat {
    /// Its position in the validator set.
    pub index: u64,
}

impl Network {
    /// What a node says of itself.
    ///
    /// # Errors
    /// [`Trouble`] if it does not answer.
    pub async fn status(&self, node: usize) -> Result<Status, Trouble> {
        Ok(serde_json::from_value(self.get(node, "/v1/status").await?)?)
    }

    /// A node's answer, as JSON.
    ///
    /// # Errors
    /// [`Trouble`] if it does not answer, or not with success.
    pub async fn get(&self, node: usize, path: &str) -> Result<Value, Trouble> {
        Ok(serde_json::from_str(&self.text(node, path).await?)?)
    }

    /// A node's answer, whatever it is: its HTTP status and its body.
    ///
    /// # Errors
    /// [`Trouble`] if it does not answer.
    pub async fn ask(&self, node: usize, path: &str) -> Result<(u16, Value), Trouble> {
        let reply = self.http.get(format!("{}{path}", self.nodes[node].api)).send().await?;
        let status = reply.status().as_u16();
        Ok((status, serde_json::from_slice(&reply.bytes().await?)?))
    }

    /// What a command of `probata-node` prints as JSON about a stopped node.
    ///
    /// # Errors
    /// [`Trouble`] with what it says, if it fails.
    pub async fn command(&self, node: usize, arguments: &[&str]) -> Result<Value, Trouble> {
        let mut command = Command::new(&self.programs[node]);
        command.args(arguments).args(["--json", "--config"]).arg(self.path(node, "node.toml"));
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure(output.status.success(), || format!("{arguments:?} of node {node}: {said}"))?;
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// A node's answer, as text.
    ///
    /// # Errors
    /// [`Trouble`] if it does not answer, or not with success.
    pub async fn text(&self, node: usize, path: &str) -> Result<String, Trouble> {
        let reply = self.http.get(format!("{}{path}", self.nodes[node].api)).send().await?;
        let (status, text) = (reply.status(), reply.text().await?);
        ensure(status.is_success(), || format!("GET {path} of node {node}: {status} {text}"))?;
        Ok(text)
    }

    /// The answer of a node's `POST /v1/submissions` to canonical bytes: its HTTP status and its body.
    ///
    /// # Errors
    /// [`Trouble`] if it does not answer.
    pub async fn post(
        &self,
        node: usize,
        submission: Vec<u8>,
        wait_ms: u64,
    ) -> Result<(u16, Value), Trouble> {
        let path = format!("/v1/submissions?wait_ms={wait_ms}");
        let (status, answer) = self.post_bytes(node, &path, submission).await?;
        Ok((status, serde_json::from_slice(&answer)?))
    }

    /// A node's answer to canonical bytes: its HTTP status and its body.
    ///
    /// # Errors
    /// [`Trouble`] if it does not answer.
    pub async fn post_bytes(
        &self,
        node: usize,
        path: &str,
        bytes: Vec<u8>,
    ) -> Result<(u16, Vec<u8>), Trouble> {
        let url = format!("{}{path}", self.nodes[node].api);
        let request = self.http.post(url).header("content-type", "application/octet-stream");
        let reply = request.body(bytes).send().await?;
        let status = reply.status().as_u16();
        Ok((status, reply.bytes().await?.to_vec()))
    }

    /// The running validator that leads the next height, as `asked` sees it.
    ///
    /// # Errors
    /// [`Trouble`] if a node does not answer, or the leader does not run.
    pub async fn leader(&self, asked: usize) -> Result<usize, Trouble> {
        let leader = self.status(asked).await?.leader.map(|seat| seat.index);
        for node in self.running() {
            let seat = self.status(node).await?.me;
            if seat.is_some() && seat == leader {
                return Ok(node);
            }
        }
        Err(Trouble::new(format!("the leader, seat {leader:?}, does not run")))
    }

    /// The highest height that a running node is at.
    ///
    /// # Errors
    /// [`Trouble`] if one does not answer.
    pub async fn highest(&self) -> Result<u64, Trouble> {
        let mut highest = 0;
        for node in self.running() {
            highest = highest.max(self.status(node).await?.height);
        }
        Ok(highest)
    }

    /// The report of `probata-node fsck` on a stopped node's data.
    ///
    /// # Errors
    /// [`Trouble`] if the check cannot be done.
    pub async fn fsck(&self, node: usize) -> Result<Value, Trouble> {
        let config = self.path(node, "node.toml");
        let mut command = Command::new(&self.programs[node]);
        command.args(["fsck", "--json", "--config"]).arg(config).stdin(Stdio::null());
        let output = command.kill_on_drop(true).output().await?;
        serde_json::from_slice(&output.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stderr);
            Trouble::new(format!("fsck of node {node}: {}: {said}", output.status))
        })
    }

    /// What a node has logged so far.
    pub fn log(&self, node: usize) -> String {
        std::fs::read(self.path(node, "node.log"))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// The end of it.
    pub(super) fn log_tail(&self, node: usize) -> String {
        let log = self.log(node);
        let mut start = log.len().saturating_sub(limits::LOG_TAIL);
        while !log.is_char_boundary(start) {
            start += 1;
        }
        log[start..].to_owned()
    }
}
