//! Connections: bounded, hurried, and closed at the end.

use super::*;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

async fn server() -> (std::net::SocketAddr, CancellationToken, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let router = routes(&Rig::new().api);
    let task = tokio::spawn(serve(listener, router, stop.clone()));
    (address, stop, task)
}

#[tokio::test]
async fn it_answers_and_stops() {
    let (address, stop, task) = server().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 15];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    stop.cancel();
    // The idle connection is closed, and nobody new is let in.
    tokio::time::timeout(Duration::from_secs(3), task).await.unwrap().unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn what_is_not_http_is_answered_with_400_or_nothing() {
    let (address, _stop, _task) = server().await;
    for bytes in [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"GET\r\n\r\n", b"\0\0\0\0\r\n\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // A reset is as good an end as any.
        let _ = stream.read_to_end(&mut answer).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || text.starts_with("HTTP/1.1 400"), "{text}");
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn who_is_refused_in_the_middle_of_a_body_reads_why() {
    let (address, _stop, _task) = server().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /v1/batches HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\n\
                content-length: 99999999\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let part = vec![7; 64 * 1_024];
    stream.write_all(&part).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // What is on its way meanwhile breaks nothing, up to a bound.
    for _ in 0..64 {
        stream.write_all(&part).await.unwrap();
    }
    let mut more = 4 * limits::API_LINGER_BYTES / part.len();
    while more > 0 && stream.write_all(&part).await.is_ok() {
        more -= 1;
    }
    assert!(more > 0, "the node reads for ever");
}
