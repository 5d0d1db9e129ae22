//! Remember where we stand with one peer: its connections, its lanes, when to try again.

use std::sync::Arc;
use std::time::Instant;

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};
use tokio::task::{AbortHandle, Id};

use super::backoff::Backoff;
use super::channel::{Lane, PerLane};
use super::lane::Seat;
use super::peer::Peer;
use super::streams::Ticket;
use crate::limits::mesh::{CONNECT_TIME, PENALTY, SILENT_TIME, STABLE_TIME, TWIN_WINDOW};

/// One peer, as the mesh task sees it. It decides; the mesh task acts.
pub(crate) struct Session {
    pub(crate) peer: Arc<Peer>,
    pub(crate) peer_id: PeerId,
    addresses: Vec<Multiaddr>,
    /// Live connections, oldest first; `CONNECTIONS_PER_PEER` bounds them.
    links: Vec<Link>,
    dial_backoff: Backoff,
    /// When to dial; none while connected, while dialling, and for a peer without addresses.
    dial_due: Option<Instant>,
    /// Before this, no further connection is tried beside one that is silent.
    beside_due: Instant,
    refused_until: Option<Instant>,
    out: PerLane<OutLane>,
    inbound: PerLane<InLane>,
}

struct Link {
    id: ConnectionId,
    since: Instant,
    /// When a ping last came back on it, or it opened.
    heard: Instant,
}

impl Link {
    /// Whether nothing was heard on it for so long that it may be dead.
    fn is_silent(&self, now: Instant) -> bool {
        now.duration_since(self.heard) >= SILENT_TIME
    }
}

/// Our stream of one lane to the peer.
struct OutLane {
    seat: Seat,
    backoff: Backoff,
    state: Out,
}

enum Out {
    /// No connection to open it on.
    Idle,
    /// To be opened at this time.
    Due(Instant),
    /// Asked for.
    Opening { ticket: Ticket, connection: ConnectionId },
    /// A task writes.
    Running { connection: ConnectionId, task: AbortHandle, since: Instant },
}

/// The peer's stream of one lane to us.
struct InLane {
    seat: Seat,
    task: Option<AbortHandle>,
}

/// What a connection, opened or closed, did to the presence of its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The first connection, or the last.
    Presence,
    /// One more, or one less.
    None,
}

impl Session {
    /// A peer that is to be dialled at once.
    pub(crate) fn new(peer: Arc<Peer>, addresses: Vec<Multiaddr>, now: Instant) -> Self {
        let dial_due = (!addresses.is_empty()).then_some(now);
        Self {
            peer_id: peer.node.to_peer_id(),
            peer,
            addresses,
            links: Vec::new(),
            dial_backoff: Backoff::new(),
            dial_due,
            beside_due: now,
            refused_until: None,
            out: PerLane::new(|_| OutLane {
                seat: Seat::default(),
                backoff: Backoff::new(),
                state: Out::Idle,
            }),
            inbound: PerLane::new(|_| InLane { seat: Seat::default(), task: None }),
        }
    }

    /// The connection to use: the newest, which is the last to be found dead.
    pub(crate) fn newest_link(&self) -> Option<ConnectionId> {
        self.links.last().map(|link| link.id)
    }

    /// All live connections.
    pub(crate) fn links(&self) -> Vec<ConnectionId> {
        self.links.iter().map(|link| link.id).collect()
    }

    /// Whether this connection is live: not closed, and not given up.
    pub(crate) fn has_link(&self, id: ConnectionId) -> bool {
        self.links.iter().any(|link| link.id == id)
    }

    /// Where to dial the peer.
    pub(crate) fn addresses(&self) -> &[Multiaddr] {
        &self.addresses
    }

    /// Dial the peer at these addresses, from the next time on. That is now, if it had none and is
    /// not connected.
    pub(crate) fn set_addresses(&mut self, addresses: &[Multiaddr], now: Instant) {
        if self.addresses == addresses {
            return;
        }
        if addresses.is_empty() {
            self.dial_due = None;
        } else if self.addresses.is_empty() && self.links.is_empty() {
            self.dial_due = Some(now);
        }
        self.addresses = addresses.to_vec();
    }

    /// A connection opened. It takes over the lanes of one that is older than a twin would be.
    pub(crate) fn on_connected(&mut self, id: ConnectionId, now: Instant) -> Change {
        self.dial_due = None;
        let first = self.links.is_empty();
        self.links.push(Link { id, since: now, heard: now });
        for lane in Lane::ALL {
            let used = self.out.get(lane).connection();
            let link = self.links.iter().find(|link| Some(link.id) == used);
            let is_twin = |link: &Link| now.duration_since(link.since) <= TWIN_WINDOW;
            let keep = link.is_some_and(|link| is_twin(link) && !link.is_silent(now));
            if !keep {
                self.out.get_mut(lane).restart(now);
            }
        }
        if first { Change::Presence } else { Change::None }
    }

    /// A connection closed, or was given up. Its lanes move to another, if there is one; else the
    /// peer is dialled.
    pub(crate) fn on_closed(&mut self, id: ConnectionId, now: Instant) -> Change {
        let Some(at) = self.links.iter().position(|link| link.id == id) else {
            return Change::None;
        };
        let link = self.links.remove(at);
        let last = self.links.is_empty();
        for lane in Lane::ALL {
            let out = self.out.get_mut(lane);
            if last {
                out.stop();
            } else if out.connection() == Some(id) {
                out.restart(now);
            }
        }
        if !last {
            return Change::None;
        }
        if now.duration_since(link.since) >= STABLE_TIME {
            self.dial_backoff.reset();
        }
        self.dial_later(now);
        Change::Presence
    }

    /// A dial failed: try again later, unless the peer came by itself.
    pub(crate) fn dial_later(&mut self, now: Instant) {
        let later = now + self.dial_backoff.wait();
        self.beside_due = later;
        if self.links.is_empty() && !self.addresses.is_empty() {
            self.dial_due = Some(later);
        }
    }

    /// Whether to dial now. The caller does, and reports how it went.
    pub(crate) fn take_dial(&mut self, now: Instant) -> bool {
        let due = self.refused_until.is_none() && self.next_dial().is_some_and(|due| due <= now);
        if due {
            self.dial_due = None;
            self.beside_due = now + CONNECT_TIME;
        }
        due
    }

    /// When to dial: a peer without a connection, or beside one that is silent.
    fn next_dial(&self) -> Option<Instant> {
        let reachable = !self.addresses.is_empty();
        let newest = self.links.last().filter(|_| reachable);
        self.dial_due.or(newest.map(|link| (link.heard + SILENT_TIME).max(self.beside_due)))
    }

    /// A ping came back on a connection.
    pub(crate) fn on_heard(&mut self, id: ConnectionId, now: Instant) {
        if let Some(link) = self.links.iter_mut().find(|link| link.id == id) {
            link.heard = now;
        }
    }

    /// Refuse this peer for `PENALTY` from now.
    pub(crate) fn refuse(&mut self, now: Instant) {
        self.refused_until = Some(now + PENALTY);
    }

    /// Whether to stop refusing this peer now.
    pub(crate) fn take_pardon(&mut self, now: Instant) -> bool {
        let due = self.refused_until.is_some_and(|until| until <= now);
        if due {
            self.refused_until = None;
        }
        due
    }

    /// The connection to open a lane on now, if that is due.
    pub(crate) fn lane_due(&self, lane: Lane, now: Instant) -> Option<ConnectionId> {
        match self.out.get(lane).state {
            Out::Due(due) if due <= now => self.newest_link(),
            _ => None,
        }
    }

    /// A lane was asked for.
    pub(crate) fn lane_opening(&mut self, lane: Lane, connection: ConnectionId, ticket: Ticket) {
        self.out.get_mut(lane).state = Out::Opening { ticket, connection };
    }

    /// Whether this is the stream that the lane waits for, and who may write to it.
    pub(crate) fn lane_opened(&self, lane: Lane, ticket: Ticket) -> Option<(ConnectionId, Seat)> {
        let out = self.out.get(lane);
        match out.state {
            Out::Opening { ticket: asked, connection } if asked == ticket => {
                Some((connection, Arc::clone(&out.seat)))
            }
            _ => None,
        }
    }

    /// A task writes to the lane.
    pub(crate) fn lane_running(
        &mut self,
        lane: Lane,
        connection: ConnectionId,
        task: AbortHandle,
        now: Instant,
    ) {
        self.out.get_mut(lane).state = Out::Running { connection, task, since: now };
    }

    /// The stream that a lane waited for could not be opened.
    pub(crate) fn lane_failed(&mut self, lane: Lane, ticket: Ticket, now: Instant) {
        let out = self.out.get_mut(lane);
        if matches!(out.state, Out::Opening { ticket: asked, .. } if asked == ticket) {
            out.state = Out::Due(now + out.backoff.wait());
        }
    }

    /// The peer opened a lane: the task of its stream before is stopped, and the seat is for the
    /// next.
    pub(crate) fn inbound_seat(&mut self, lane: Lane) -> Seat {
        let inbound = self.inbound.get_mut(lane);
        if let Some(task) = inbound.task.take() {
            task.abort();
        }
        Arc::clone(&inbound.seat)
    }

    /// A task reads the lane.
    pub(crate) fn inbound_running(&mut self, lane: Lane, task: AbortHandle) {
        self.inbound.get_mut(lane).task = Some(task);
    }

    /// A lane task ended by itself. If it wrote, its lane is opened again later.
    pub(crate) fn on_task_end(&mut self, lane: Lane, id: Id, now: Instant) {
        let inbound = self.inbound.get_mut(lane);
        inbound.task.take_if(|task| task.id() == id);
        let out = self.out.get_mut(lane);
        match &out.state {
            Out::Running { task, since, .. } if task.id() == id => {
                if now.duration_since(*since) >= STABLE_TIME {
                    out.backoff.reset();
                }
                out.state = Out::Due(now + out.backoff.wait());
            }
            _ => {}
        }
    }

    /// The next time at which something is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let lanes = Lane::ALL.map(|lane| match self.out.get(lane).state {
            Out::Due(due) => Some(due),
            _ => None,
        });
        let dial = if self.refused_until.is_none() { self.next_dial() } else { None };
        [dial, self.refused_until].into_iter().chain(lanes).flatten().min()
    }
}

impl OutLane {
    fn connection(&self) -> Option<ConnectionId> {
        match self.state {
            Out::Idle | Out::Due(_) => None,
            Out::Opening { connection, .. } | Out::Running { connection, .. } => Some(connection),
        }
    }

    /// Opens the lane again, at once.
    fn restart(&mut self, now: Instant) {
        self.stop();
        self.state = Out::Due(now);
    }

    fn stop(&mut self) {
        if let Out::Running { task, .. } = &self.state {
            task.abort();
        }
        self.state = Out::Idle;
    }
}

#[cfg(test)]
mod tests {
    use super::super::NodeId;
    use super::*;

    const LINKS: [usize; 3] = [10, 11, 12];

    fn link(at: usize) -> ConnectionId {
        ConnectionId::new_unchecked(LINKS[at])
    }

    fn session(now: Instant) -> Session {
        let peer = Arc::new(Peer::new(NodeId::from_secret([1; 32])));
        Session::new(peer, vec!["/ip4/127.0.0.1/tcp/9".parse().unwrap()], now)
    }

    /// A session whose lanes are written on connection 0 since `now`.
    fn running(now: Instant) -> (Session, Vec<tokio::task::JoinHandle<()>>) {
        let mut session = session(now);
        assert_eq!(session.on_connected(link(0), now), Change::Presence);
        let tasks = Lane::ALL.map(|lane| {
            assert_eq!(session.lane_due(lane, now), Some(link(0)));
            let task = tokio::spawn(std::future::pending());
            session.lane_running(lane, link(0), task.abort_handle(), now);
            task
        });
        (session, tasks.into())
    }

    #[tokio::test]
    async fn a_twin_leaves_the_lanes_where_they_are() {
        let now = Instant::now();
        let (mut session, _tasks) = running(now);
        let later = now + TWIN_WINDOW;
        session.on_heard(link(0), later);
        assert_eq!(session.on_connected(link(1), later), Change::None);
        assert_eq!(session.lane_due(Lane::Consensus, later), None);
        assert_eq!(session.lane_due(Lane::Bulk, later), None);
    }

    #[tokio::test]
    async fn a_later_connection_takes_over_from_one_that_must_be_dead() {
        let start = Instant::now();
        let (mut session, tasks) = running(start);
        let now = start + TWIN_WINDOW * 2;
        assert_eq!(session.on_connected(link(1), now), Change::None);
        for lane in Lane::ALL {
            assert_eq!(session.lane_due(lane, now), Some(link(1)));
        }
        for task in tasks {
            assert!(task.await.unwrap_err().is_cancelled());
        }
    }

    #[tokio::test]
    async fn beside_a_silent_connection_another_is_tried_and_takes_over() {
        let start = Instant::now();
        let (mut session, _tasks) = running(start);
        session.on_heard(link(0), start + PENALTY);
        let now = start + PENALTY + SILENT_TIME;
        assert_eq!(session.next_due(), Some(now));
        assert!(!session.take_dial(now - SILENT_TIME / 2) && session.take_dial(now));
        assert!(!session.take_dial(now), "while one is tried");
        session.dial_later(now);
        let again = session.next_due().unwrap();
        assert!(again > now && session.take_dial(again));
        session.on_connected(link(1), again);
        assert_eq!(session.lane_due(Lane::Consensus, again), Some(link(1)));
        assert!(!session.take_dial(again + SILENT_TIME / 2), "it is heard");
    }

    #[tokio::test]
    async fn a_young_connection_that_is_silent_is_no_twin() {
        let start = Instant::now();
        let (mut session, _tasks) = running(start);
        let now = start + SILENT_TIME;
        assert!(SILENT_TIME < TWIN_WINDOW);
        session.on_connected(link(1), now);
        assert_eq!(session.lane_due(Lane::Bulk, now), Some(link(1)));
    }

    #[tokio::test]
    async fn lanes_move_to_the_connection_that_is_left() {
        let now = Instant::now();
        let (mut session, _tasks) = running(now);
        session.on_connected(link(1), now);
        assert_eq!(session.on_closed(link(2), now), Change::None);
        assert_eq!(session.lane_due(Lane::Bulk, now), None);
        assert_eq!(session.on_closed(link(0), now), Change::None);
        assert_eq!(session.lane_due(Lane::Bulk, now), Some(link(1)));
        assert_eq!(session.on_closed(link(1), now), Change::Presence);
        assert_eq!(session.lane_due(Lane::Bulk, now), None);
        assert_eq!(session.on_closed(link(1), now), Change::None);
    }

    #[test]
    fn a_lost_peer_is_dialled_after_a_wait_that_grows() {
        let mut now = Instant::now();
        let mut session = session(now);
        assert!(session.take_dial(now) && !session.take_dial(now));
        let mut waits = Vec::new();
        for at in 0..6 {
            session.on_connected(link(0), now);
            session.on_heard(link(0), now + PENALTY);
            assert!(!session.take_dial(now + PENALTY));
            session.on_closed(link(0), now);
            let due = session.next_due().unwrap();
            waits.push(due - now);
            assert!(!session.take_dial(due - std::time::Duration::from_millis(1)), "{at}");
            assert!(session.take_dial(due));
            now = due;
        }
        assert!(waits[5] > waits[0] * 4, "{waits:?}");
        // A connection that lasted starts the waits again.
        session.on_connected(link(0), now);
        session.on_closed(link(0), now + STABLE_TIME);
        let wait = session.next_due().unwrap() - (now + STABLE_TIME);
        assert!(wait <= crate::limits::mesh::BACKOFF_MIN);
    }

    #[test]
    fn other_addresses_wait_for_the_next_dial_and_the_first_are_dialled_at_once() {
        let now = Instant::now();
        let mut session = session(now);
        let other: Multiaddr = "/ip4/127.0.0.1/tcp/10".parse().unwrap();
        let others = std::slice::from_ref(&other);
        assert!(session.take_dial(now));
        session.set_addresses(others, now);
        assert_eq!((session.addresses(), session.next_due()), (others, None));
        session.dial_later(now);
        let due = session.next_due();
        session.set_addresses(&[other.clone(), other.clone()], now);
        assert!(due.is_some() && session.next_due() == due);
        session.set_addresses(&[], now);
        session.dial_later(now);
        assert_eq!(session.next_due(), None);
        session.set_addresses(others, now);
        assert!(session.take_dial(now));

        session.on_connected(link(0), now);
        session.set_addresses(&[], now);
        session.set_addresses(others, now);
        session.on_heard(link(0), now + PENALTY);
        assert!(!session.take_dial(now + PENALTY), "connected");
    }

    #[test]
    fn a_refused_peer_is_not_dialled_until_it_is_pardoned() {
        let now = Instant::now();
        let mut session = session(now);
        session.refuse(now);
        assert!(!session.take_dial(now) && !session.take_pardon(now));
        assert_eq!(session.next_due(), Some(now + PENALTY));
        assert!(session.take_pardon(now + PENALTY) && session.take_dial(now + PENALTY));
    }
}
