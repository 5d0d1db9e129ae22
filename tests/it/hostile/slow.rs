//! Clients that dawdle, break off, or do not speak HTTP. They run beside all others: some take half
//! a minute.

use super::{
    http::{Api, read_answer},
    table::Table,
};
use probata_node::limits;
use probata_tests::Trouble;
use std::time::Duration;
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet, time::timeout};

const AREA: &str = "connection";
/// Connections that are opened and say nothing.
const SILENT: usize = 200;
/// Pause between two bytes of somebody who dawdles.
const PAUSE: Duration = Duration::from_millis(500);

/// Clients that are at it, and what each must get.
pub(super) struct Slow {
    clients: JoinSet<Result<Answer, Trouble>>,
    _silent: Vec<TcpStream>,
}

struct Answer {
    name: &'static str,
    expected: &'static str,
    got: String,
}

impl Slow {
    /// Starts them all.
    pub(super) async fn start(api: &Api) -> Result<Self, Trouble> {
        let mut silent = Vec::new();
        for _ in 0..SILENT {
            silent.push(api.connect().await?);
        }
        let mut clients = JoinSet::new();
        let head = post("application/json", "content-length: 1000");
        clients.spawn(dribble(
            api.clone(),
            "a body of a byte each half second",
            "503 too_slow",
            head.clone(),
            vec![b' '; 1_000],
        ));
        clients.spawn(dribble(
            api.clone(),
            "a head of a byte each half second",
            "closed",
            Vec::new(),
            post("application/json", &format!("x-more: {}", "y".repeat(1_000))),
        ));
        Ok(Self { clients, _silent: silent })
    }

    /// Waits for all of them.
    pub(super) async fn finish(mut self, table: &mut Table) -> Result<(), Trouble> {
        while let Some(client) = self.clients.join_next().await {
            let Answer { name, expected, got } = client??;
            table.note(AREA, name, expected, got);
        }
        Ok(())
    }
}

/// Those that are quick.
pub(super) async fn send(api: &Api, table: &mut Table) -> Result<(), Trouble> {
    let json = limits::SUBMISSION_JSON_BYTES + 1;
    let canonical = limits::SUBMISSION_CANONICAL_BYTES + 1;
    let stated = |content_type: &str, length: usize| {
        post(content_type, &format!("content-length: {length}"))
    };
    for (name, expected, bytes) in [
        ("JSON of more than 8 MiB, by its word", "413 too_large", stated("application/json", json)),
        (
            "canonical bytes of more than 2 MiB, by their word",
            "413 too_large",
            stated("application/octet-stream", canonical),
        ),
        (
            "a body of 2^63 bytes, by its word",
            "413 too_large",
            post("application/json", "content-length: 9223372036854775808"),
        ),
        ("a length that is no number", "400", post("application/json", "content-length: many")),
        ("no content type", "415 unsupported_media_type", without_type()),
        (
            "a head of a megabyte",
            "431",
            post("application/json", &format!("x: {}", "y".repeat(1 << 20))),
        ),
        ("a thousand headers", "431", post("application/json", &"x: y\r\n".repeat(1_000)[..5_998])),
        (
            "a handshake of TLS",
            "400",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03rest\r\n\r\n".to_vec(),
        ),
        ("HTTP/9.9", "400", b"GET /v1/status HTTP/9.9\r\nhost: x\r\n\r\n".to_vec()),
    ] {
        table.note(AREA, name, expected, api.raw(&bytes).await?);
    }
    table.note(AREA, "a body that never ends", "413 too_large", endless(api).await?);
    table.note(AREA, "a body that breaks off", "400 malformed", broken_off(api).await?);
    Ok(())
}

/// The head of a submission.
fn post(content_type: &str, header: &str) -> Vec<u8> {
    format!(
        "POST /v1/submissions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-type: {content_type}\r\n{header}\r\n\r\n"
    )
    .into_bytes()
}

fn without_type() -> Vec<u8> {
    b"POST /v1/submissions HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}".to_vec()
}

/// Sends a head, and then byte after byte until the node has had enough.
async fn dribble(
    api: Api,
    name: &'static str,
    expected: &'static str,
    head: Vec<u8>,
    rest: Vec<u8>,
) -> Result<Answer, Trouble> {
    let mut stream = api.connect().await?;
    stream.write_all(&head).await?;
    for byte in rest {
        // As soon as the node says something, or closes, there is no use in going on.
        let said = timeout(PAUSE, stream.readable()).await.is_ok();
        if said || stream.write_all(&[byte]).await.is_err() {
            break;
        }
    }
    let got = read_answer(&mut stream).await?;
    Ok(Answer { name, expected, got })
}

/// Chunk after chunk, without a stated length.
async fn endless(api: &Api) -> Result<String, Trouble> {
    let mut stream = api.connect().await?;
    stream.write_all(&post("application/json", "transfer-encoding: chunked")).await?;
    let mut chunk = b"10000\r\n".to_vec();
    chunk.resize(chunk.len() + 0x1_0000, b' ');
    chunk.extend_from_slice(b"\r\n");
    for _ in 0..=limits::SUBMISSION_JSON_BYTES / 0x1_0000 {
        // It closes once it has answered.
        if stream.write_all(&chunk).await.is_err() {
            break;
        }
    }
    read_answer(&mut stream).await
}

/// Less than was stated, and then nothing more.
async fn broken_off(api: &Api) -> Result<String, Trouble> {
    let mut stream = api.connect().await?;
    stream.write_all(&post("application/json", "content-length: 100")).await?;
    stream.write_all(b"{\"head\"").await?;
    stream.shutdown().await?;
    read_answer(&mut stream).await
}
