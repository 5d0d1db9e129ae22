//! A node that answers as a test tells it, over a real socket.

use probata_types::{
    Height, List, codec,
    receipt::{BatchAnswer, Fate},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What a node answers to one request.
#[derive(Clone)]
pub(super) enum Answer {
    /// With a status, further header lines and a body.
    Http(u16, &'static str, Vec<u8>),
    /// By closing the connection.
    Hang,
    /// Not within this time; then by closing the connection.
    Silence(Duration),
}

impl Answer {
    pub(super) fn ok(value: &serde_json::Value) -> Self {
        Self::Http(200, "", serde_json::to_vec(value).unwrap())
    }

    pub(super) fn batch(answer: &BatchAnswer) -> Self {
        Self::Http(200, "", codec::encode(answer))
    }

    /// What a node says of one submission that it did not seal.
    pub(super) fn fate(fate: Fate) -> Self {
        let (blocks, fates) = (List::empty(), List::new(vec![fate]).unwrap());
        Self::batch(&BatchAnswer { complete_to: Height::new(1), blocks, fates })
    }

    pub(super) fn pending() -> Self {
        Self::fate(Fate::Pending)
    }

    pub(super) fn error(status: u16, header: &'static str, code: &str) -> Self {
        let body = serde_json::json!({
            "error": { "code": code, "message": "in words", "action": "do this" }
        });
        Self::Http(status, header, serde_json::to_vec(&body).unwrap())
    }
}

/// A request as the node saw it.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) line: String,
    pub(super) body: Vec<u8>,
}

/// A listening node.
pub(super) struct FakeNode {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl FakeNode {
    /// Gives the answers in order, and the last one from then on.
    pub(super) async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, answers.clone(), Arc::clone(&log)));
            }
        });
        Self { url, seen }
    }

    /// An address at which nobody listens.
    pub(super) async fn gone() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self { url, seen: Arc::default() }
    }

    /// The requests so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, answers: Vec<Answer>, log: Arc<Mutex<Vec<Seen>>>) {
    let Some(seen) = receive(&mut stream).await else { return };
    let number = {
        let mut log = log.lock().unwrap();
        log.push(seen);
        log.len() - 1
    };
    match &answers[number.min(answers.len() - 1)] {
        Answer::Hang => {}
        Answer::Silence(time) => tokio::time::sleep(*time).await,
        Answer::Http(status, header, body) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{header}\r\n",
                body.len()
            );
            // The client may have hung up; the test sees what matters.
            let _sent = stream.write_all(head.as_bytes()).await;
            let _sent = stream.write_all(body).await;
            let _sent = stream.shutdown().await;
        }
    }
}

async fn receive(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
                })
                .unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let line = head.lines().next().unwrap().to_owned();
                return Some(Seen { line, body: bytes[end + 4..].to_vec() });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
