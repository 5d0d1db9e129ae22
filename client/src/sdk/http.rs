//! One request to one node: bounded in time and size, every answer sorted into what to do next.

use super::{error::Refusal, limits};
use reqwest::{Response, StatusCode, header::RETRY_AFTER};
use serde::Deserialize;
use std::time::Duration;

/// What is asked.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    /// To read this path and query.
    Read(String),
    /// To take these canonical bytes of a batch, and hold the answer until it is sealed.
    Submit(Vec<u8>),
}

/// What a node answered.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// An answer, not yet believed.
    Answer(Vec<u8>),
    /// It took the submission, which is not sealed yet.
    Pending,
    /// It cannot now; ask again, not before a while.
    Busy { why: String, after: Option<Duration> },
    /// It refuses, and would again.
    Refused(Refusal),
}

/// The HTTP client. Redirects are not followed and no proxy is used: a node's address is the node.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    http: reqwest::Client,
}

impl Ask {
    /// What is asked for, for people.
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Read(path) => path,
            Self::Submit(_) => "/v1/batches",
        }
    }
}

impl Transport {
    pub(super) fn new() -> Result<Self, String> {
        let http = reqwest::Client::builder()
            .connect_timeout(limits::CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("probata/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| why(&error))?;
        Ok(Self { http })
    }

    /// Asks `node`, which has `left` to answer; an error says why there was no answer.
    pub(super) async fn ask(&self, node: &str, ask: &Ask, left: Duration) -> Result<Reply, String> {
        let request = match ask {
            Ask::Read(path) => self.http.get(format!("{node}{path}")),
            Ask::Submit(bytes) => {
                let wait = (left - left / limits::ANSWER_SHARE).min(limits::WAIT).as_millis();
                self.http
                    .post(format!("{node}/v1/batches?wait_ms={wait}"))
                    .header(reqwest::header::CONTENT_TYPE, "application/octet-stream")
                    .body(bytes.clone())
            }
        };
        let request = request.timeout(left);
        let response = request.send().await.map_err(|error| why(&error))?;
        sort(node, response).await
    }
}

async fn sort(node: &str, response: Response) -> Result<Reply, String> {
    let status = response.status();
    match status {
        StatusCode::OK => read(response, limits::ANSWER_BYTES).await.map(Reply::Answer),
        status if status.is_server_error() || status.is_client_error() => {
            let header = response.headers().get(RETRY_AFTER);
            let after = header.and_then(|value| value.to_str().ok()?.parse().ok());
            let bytes = read(response, limits::ERROR_BYTES).await?;
            Ok(problem(node, status.as_u16(), after, &bytes))
        }
        other => Err(format!("unexpected HTTP status {other}")),
    }
}

/// What a node says when it does not do what was asked: by the status whether it would again.
pub(super) fn problem(node: &str, status: u16, retry_after: Option<u32>, body: &[u8]) -> Reply {
    let ErrorBody { code, message, action } = error_of(status, body);
    // 408 and 429: too slow, too much at once (RFC 9110, 15.5.9, and RFC 6585, 4).
    if [408, 429].contains(&status) || status >= 500 {
        let after = retry_after.map(|seconds| Duration::from_secs(seconds.into()));
        let after = after.map(|after| after.min(limits::RETRY_AFTER));
        return Reply::Busy { why: format!("{code}: {message}"), after };
    }
    Reply::Refused(Refusal { node: node.to_owned(), status, code, message, action })
}

/// The body, refused as soon as it is longer than `max` bytes.
async fn read(mut response: Response, max: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| why(&error))? {
        if bytes.len() + chunk.len() > max {
            return Err(format!("the answer is longer than {max} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: ErrorBody,
}

#[derive(Deserialize)]
struct ErrorBody {
    code: String,
    message: String,
    action: String,
}

/// The error that a node states; of a proxy or a stranger, the status stands for it.
fn error_of(status: u16, body: &[u8]) -> ErrorBody {
    let body = serde_json::from_slice::<ErrorAnswer>(body).map(|answer| answer.error);
    let body = body.unwrap_or_else(|_| ErrorBody {
        code: "unknown".to_owned(),
        message: format!("HTTP status {status} without an error that this client knows"),
        action: "check that the address is that of a node's API".to_owned(),
    });
    ErrorBody {
        code: printable(&body.code),
        message: printable(&body.message),
        action: printable(&body.action),
    }
}

/// A node's text, made safe to print on a terminal.
fn printable(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    shown.take(limits::MESSAGE_CHARACTERS).collect()
}

/// The reason at the root of an error, without the address, which the caller prints itself.
fn why(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if error.is_timeout() { "no answer in time".to_owned() } else { printable(&cause.to_string()) }
}
