//! Ask a node's API, with bytes that no client library would send.

use probata_tests::{Trouble, limits};
use serde_json::Value;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Most bytes of an answer that are read.
const ANSWER_BYTES: usize = 1_024 * 1_024;
/// Longest wait for an answer: longer than the node waits for the head of a request.
const ANSWER_TIME: Duration = Duration::from_secs(40);

/// A node's API: `HOST:PORT`.
#[derive(Debug, Clone)]
pub(super) struct Api {
    address: String,
    client: reqwest::Client,
}

impl Api {
    /// Of the address that a devnet gives, `http://HOST:PORT`.
    pub(super) fn new(url: &str) -> Result<Self, Trouble> {
        let address = url.trim_start_matches("http://").to_owned();
        // A connection on which a body was refused unread is closed: none is used twice.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0);
        Ok(Self { address, client: client.timeout(limits::ANSWER).build()? })
    }

    /// The answer to `GET`.
    pub(super) async fn get(&self, path: &str) -> Result<String, Trouble> {
        self.raw(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
            .await
    }

    /// The JSON that a route answers with.
    pub(super) async fn json(&self, path: &str) -> Result<Value, Trouble> {
        let reply = self.client.get(format!("http://{}{path}", self.address)).send().await?;
        Ok(serde_json::from_slice(&reply.bytes().await?)?)
    }

    /// A page of text.
    pub(super) async fn text(&self, path: &str) -> Result<String, Trouble> {
        Ok(self.client.get(format!("http://{}{path}", self.address)).send().await?.text().await?)
    }

    /// The answer to a submission of these bytes.
    pub(super) async fn post(&self, content_type: &str, body: Vec<u8>) -> Result<String, Trouble> {
        self.post_to("/v1/submissions", content_type, body).await
    }

    /// The answer to `POST`.
    pub(super) async fn post_to(
        &self,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<String, Trouble> {
        let (status, bytes) = self.post_bytes(path, content_type, body).await?;
        Ok(told(status, &bytes))
    }

    /// The status and the bytes of the answer to `POST`.
    pub(super) async fn post_bytes(
        &self,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<(u16, Vec<u8>), Trouble> {
        let request = self.client.post(format!("http://{}{path}", self.address));
        let reply = request.header("content-type", content_type).body(body).send().await?;
        Ok((reply.status().as_u16(), reply.bytes().await?.to_vec()))
    }

    /// The answer to bytes sent as they are, after which nothing more comes. `closed` if there is
    /// none.
    pub(super) async fn raw(&self, bytes: &[u8]) -> Result<String, Trouble> {
        let mut stream = self.connect().await?;
        // The node may have answered and closed before it has taken everything.
        let _ = stream.write_all(bytes).await;
        read_answer(&mut stream).await
    }

    /// A connection of one's own.
    pub(super) async fn connect(&self) -> Result<TcpStream, Trouble> {
        Ok(TcpStream::connect(&self.address).await?)
    }
}

/// Reads until the node closes, or says no more.
pub(super) async fn read_answer(stream: &mut TcpStream) -> Result<String, Trouble> {
    let mut bytes = Vec::new();
    let whole = async {
        let mut part = [0; 16 * 1_024];
        while bytes.len() < ANSWER_BYTES && !is_whole(&bytes) {
            match stream.read(&mut part).await {
                Ok(0) | Err(_) => break,
                Ok(length) => bytes.extend_from_slice(&part[..length]),
            }
        }
    };
    let ended = timeout(ANSWER_TIME, whole).await.is_ok();
    if bytes.is_empty() {
        return Ok(if ended { "closed" } else { "no answer" }.to_owned());
    }
    let (head, body) = split(&bytes);
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
    Ok(told(status.unwrap_or_default(), body))
}

fn split(bytes: &[u8]) -> (String, &[u8]) {
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    (String::from_utf8_lossy(&bytes[..at]).into_owned(), &bytes[at..])
}

fn is_whole(bytes: &[u8]) -> bool {
    let (head, body) = split(bytes);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length
        .and_then(|length| length.trim().parse().ok())
        .is_some_and(|length: usize| head.ends_with("\r\n\r\n") && body.len() >= length)
}

/// An answer in short: the status, the stable code, and the rule that was broken.
fn told(status: u16, body: &[u8]) -> String {
    let Ok(answer) = serde_json::from_slice::<Value>(body) else { return status.to_string() };
    if let Some(error) = answer.get("error") {
        let text = |name: &str| error[name].as_str().unwrap_or_default();
        let failure = error["failure"]["name"].as_str();
        let failure = failure.map(|name| format!(" {name}")).unwrap_or_default();
        let words = if text("message").is_empty() || text("action").is_empty() {
            ", without words"
        } else {
            ""
        };
        return format!("{status} {}{failure}{words}", text("code"));
    }
    let decided = answer["records"].as_array().map_or_else(Vec::new, |records| {
        records.iter().filter_map(|record| outcome(&record["outcome"])).collect()
    });
    match decided.is_empty() {
        true => status.to_string(),
        false => format!("{status} sealed, {}", decided.join(", ")),
    }
}

fn outcome(outcome: &Value) -> Option<String> {
    let failure = outcome["failure"]["name"].as_str();
    let status = outcome["status"].as_str()?;
    Some(failure.map_or_else(|| status.to_owned(), |name| format!("{status} {name}")))
}
