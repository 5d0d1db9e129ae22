//! Carries the bytes of one node's connections to another, as badly as the links say.
//!
//! It is all TCP: what a bad network does to it is to delay, to stall while a lost packet is sent again, and
//! now and then to break a connection. The proxy does just that; it neither loses nor reorders bytes.

use super::links::{Cut, Links, Way};
use crate::seed::Seeded;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    task::JoinSet,
    time::Instant,
};

/// Bytes that are carried in one piece: about what a window of ten packets holds.
const CHUNK: usize = 16 * 1_024;
/// Pieces under way in one direction of a connection (1 MiB); beyond them its sender waits.
const CHUNKS: usize = 64;
/// Connections of one way at once. The mesh keeps at most eight to a peer.
const CONNECTIONS: usize = 32;
/// Longest wait for the node behind the proxy to accept.
const CONNECT: Duration = Duration::from_secs(3);
/// Pause after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What a lost packet costs until it has been sent again, least and most, in milliseconds.
const RESENT_MS: (u64, u64) = (200, 400);
/// Of so many lost chunks one breaks its connection.
const BREAKS: u64 = 20;

/// The proxies of a network. They end when it is dropped.
#[derive(Default)]
pub(super) struct Proxy {
    tasks: JoinSet<()>,
}

impl Proxy {
    /// Opens the way by which the node `from` dials the node `to`; where it must dial.
    ///
    /// # Errors
    /// What the system says.
    pub(super) async fn open(
        &mut self,
        here: IpAddr,
        (from, to): (usize, usize),
        target: SocketAddr,
        links: &Links,
    ) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind((here, 0)).await?;
        let address = listener.local_addr()?;
        let seed = u64::from(address.port());
        let ways = Ways { there: links.watch(from, to), back: links.watch(to, from) };
        self.tasks.spawn(accept(listener, target, ways, Seeded::new(seed)));
        Ok(address)
    }
}

/// Both directions of a connection.
#[derive(Clone)]
struct Ways {
    there: watch::Receiver<Way>,
    back: watch::Receiver<Way>,
}

async fn accept(listener: TcpListener, target: SocketAddr, ways: Ways, mut seeded: Seeded) {
    let mut carried = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((near, _)) if carried.len() < CONNECTIONS => {
                    carried.spawn(carry(near, target, ways.clone(), seeded.number()));
                }
                Ok(_) => {}
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = carried.join_next() => {}
        }
    }
}

/// Carries one connection until it ends or is refused.
async fn carry(near: TcpStream, target: SocketAddr, ways: Ways, seed: u64) {
    let (mut there, mut back) = (ways.there.clone(), ways.back.clone());
    tokio::select! {
        () = becomes(&mut there, Cut::Refused) => {}
        () = becomes(&mut back, Cut::Refused) => {}
        () = connect_and_carry(near, target, ways, seed) => {}
    }
}

async fn connect_and_carry(near: TcpStream, target: SocketAddr, mut ways: Ways, seed: u64) {
    // A handshake needs both directions.
    becomes(&mut ways.there, Cut::Open).await;
    becomes(&mut ways.back, Cut::Open).await;
    let Ok(Ok(far)) = tokio::time::timeout(CONNECT, TcpStream::connect(target)).await else {
        return;
    };
    // Without it small packets would wait for acknowledgements of those before.
    if near.set_nodelay(true).is_err() || far.set_nodelay(true).is_err() {
        return;
    }
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::join!(
        pump(near_in, far_out, ways.there, Seeded::new(seed)),
        pump(far_in, near_out, ways.back, Seeded::new(!seed)),
    );
}

/// Waits until a way is so. If its links are gone the network ends, and nothing more is carried.
async fn becomes(way: &mut watch::Receiver<Way>, cut: Cut) {
    if way.wait_for(|way| way.cut == cut).await.is_err() {
        std::future::pending().await
    }
}

/// One direction: what comes in goes out when its time has come, in order.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut way: watch::Receiver<Way>,
    mut seeded: Seeded,
) {
    let (queue, mut waiting) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS);
    let now = way.clone();
    let read = async move {
        loop {
            let mut chunk = vec![0; CHUNK];
            let Ok(count @ 1..) = from.read(&mut chunk).await else { return };
            chunk.truncate(count);
            let way = *now.borrow();
            let Some(delay) = delay(&way, &mut seeded) else { return };
            if queue.send((Instant::now() + delay, chunk)).await.is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, chunk)) = waiting.recv().await {
            tokio::time::sleep_until(due).await;
            becomes(&mut way, Cut::Open).await;
            if to.write_all(&chunk).await.is_err() {
                return;
            }
        }
        // The other side may be gone already.
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}

/// How long a chunk takes; `None` if its connection breaks.
fn delay(way: &Way, seeded: &mut Seeded) -> Option<Duration> {
    let jitter = u64::try_from(way.jitter.as_millis()).unwrap_or(u64::MAX);
    let mut delay = way.delay + seeded.millis(0, jitter);
    if seeded.number() % 1_000 < u64::from(way.loss) {
        if seeded.number().is_multiple_of(BREAKS) {
            return None;
        }
        delay += seeded.millis(RESENT_MS.0, RESENT_MS.1);
    }
    Some(delay)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    /// A server that answers each connection with what it got.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.into_split();
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                });
            }
        });
        address
    }

    async fn ask(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<Vec<u8>> {
        stream.write_all(bytes).await?;
        let mut answer = vec![0; bytes.len()];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn bytes_come_through_whole_and_in_order_however_bad_the_way_is() {
        let (links, mut proxy) = (Links::new(2), Proxy::default());
        let here = Ipv4Addr::LOCALHOST.into();
        let address = proxy.open(here, (0, 1), echo().await, &links).await.unwrap();
        links.change(|_, _| true, |way| way.jitter = Duration::from_millis(5));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let bytes: Vec<u8> = (0..100_000u32).flat_map(u32::to_be_bytes).collect();
        assert!(ask(&mut stream, &bytes).await.unwrap() == bytes);
    }

    #[tokio::test]
    async fn a_silent_cut_holds_what_was_sent_and_a_refusal_breaks_the_connection() {
        let (links, mut proxy) = (Links::new(2), Proxy::default());
        let here = Ipv4Addr::LOCALHOST.into();
        let address = proxy.open(here, (0, 1), echo().await, &links).await.unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(ask(&mut stream, b"one").await.unwrap(), b"one");
        // One direction is enough for no answer to come.
        links.change(|from, _| from == 1, |way| way.cut = Cut::Silent);
        stream.write_all(b"two").await.unwrap();
        let mut answer = [0; 3];
        let silence = Duration::from_millis(100);
        assert!(tokio::time::timeout(silence, stream.read_exact(&mut answer)).await.is_err());
        links.heal();
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"two");
        links.change(|_, _| true, |way| way.cut = Cut::Refused);
        assert_eq!(stream.read(&mut answer).await.unwrap_or(0), 0);
        let mut other = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut other, b"three").await.is_err());
    }

    #[test]
    fn what_is_lost_comes_late_or_breaks_its_connection() {
        let way = Way { loss: 1_000, ..Way::default() };
        let mut seeded = Seeded::new(1);
        let delays: Vec<_> = (0..1_000).map(|_| delay(&way, &mut seeded)).collect();
        let least = Duration::from_millis(RESENT_MS.0);
        assert!(delays.iter().flatten().all(|delay| *delay >= least));
        let broken = delays.iter().filter(|delay| delay.is_none()).count();
        assert!((20..100).contains(&broken), "{broken} of a thousand");
    }
}
