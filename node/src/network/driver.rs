//! Run the mesh: one task that owns the swarm. No frame passes through it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use futures::StreamExt;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError};
use libp2p::{PeerId, Stream, Swarm};
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::behaviour::Behaviour;
use super::channel::{Channel, Lane, PerLane};
use super::handle::{Command, OpenRequest, Shared};
use super::lane::{End, LaneEnd, read_lane, write_lane};
use super::notices::Notices;
use super::request::{RequestStream, ServeError, serve};
use super::roster::Roster;
use super::session::{Change, Session};
use super::streams::{OpenError, StreamEvent, Ticket};
use super::{Frame, NodeId, PeerEvent, Request, RequestError};
use crate::limits::mesh::STOP_TIME;

mod events;
mod peers;

/// Where what arrives goes.
pub(crate) struct Sinks {
    pub(crate) peers: mpsc::Sender<PeerEvent>,
    pub(crate) frames: PerLane<mpsc::Sender<Frame>>,
    pub(crate) requests: mpsc::Sender<Request>,
}

/// The mesh task.
pub(crate) struct Driver {
    swarm: Swarm<Behaviour>,
    /// One for each peer of the list that was followed last.
    sessions: BTreeMap<NodeId, Session>,
    roster: watch::Receiver<Arc<Roster>>,
    shared: Arc<Shared>,
    commands: mpsc::Receiver<Command>,
    sinks: Sinks,
    notices: Notices,
    /// Streams that were asked for, with the connection that they were asked on.
    asked: BTreeMap<Ticket, (ConnectionId, Asked)>,
    /// At most one writer and one reader for each peer and lane, and some that were just stopped.
    lane_tasks: JoinSet<LaneEnd>,
    /// At most `REQUESTS_FROM_PEER` for each peer.
    serve_tasks: JoinSet<(NodeId, Result<(), ServeError>)>,
}

/// What a stream was asked for.
enum Asked {
    Lane(NodeId, Lane),
    Request(OpenRequest),
}

impl Driver {
    /// A mesh task, to be run.
    pub(crate) fn new(
        swarm: Swarm<Behaviour>,
        shared: &Arc<Shared>,
        commands: mpsc::Receiver<Command>,
        sinks: Sinks,
    ) -> Self {
        Self {
            swarm,
            sessions: BTreeMap::new(),
            roster: shared.roster.subscribe(),
            shared: Arc::clone(shared),
            commands,
            sinks,
            notices: Notices::default(),
            asked: BTreeMap::new(),
            lane_tasks: JoinSet::new(),
            serve_tasks: JoinSet::new(),
        }
    }

    /// Runs until it is told to stop.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let told = self.sinks.peers.clone();
        self.follow_roster();
        loop {
            self.reap();
            self.act_on_time(Instant::now());
            let due = self.sessions.values().filter_map(Session::next_due).min();
            let tell = !self.notices.is_empty() && !told.is_closed();
            tokio::select! {
                () = stop.cancelled() => break,
                Ok(()) = self.roster.changed() => self.follow_roster(),
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                Some(command) = self.commands.recv() => self.on_command(command),
                Some(end) = self.lane_tasks.join_next_with_id() => self.on_lane_end(end),
                Some(end) = self.serve_tasks.join_next() => self.on_serve_end(end),
                Ok(permit) = told.reserve(), if tell => {
                    if let Some(event) = self.notices.pop() {
                        permit.send(event);
                    }
                }
                () = wait_until(due) => {}
            }
        }
        self.close().await;
    }

    /// Buries every task that has ended: a peer must not start them faster than they are buried.
    fn reap(&mut self) {
        while let Some(end) = self.lane_tasks.try_join_next_with_id() {
            self.on_lane_end(end);
        }
        while let Some(end) = self.serve_tasks.try_join_next() {
            self.on_serve_end(end);
        }
    }

    /// Does what is due: dials, opens lanes, pardons.
    fn act_on_time(&mut self, now: Instant) {
        for (node, session) in &mut self.sessions {
            if session.take_pardon(now) {
                self.swarm.behaviour_mut().allowed.allow_peer(session.peer_id);
            }
            if session.take_dial(now) {
                dial(&mut self.swarm, session, now);
            }
            for lane in Lane::ALL {
                let Some(connection) = session.lane_due(lane, now) else { continue };
                let streams = &mut self.swarm.behaviour_mut().streams;
                let ticket = streams.open(session.peer_id, connection, Channel::Lane(lane));
                session.lane_opening(lane, connection, ticket);
                self.asked.insert(ticket, (connection, Asked::Lane(*node, lane)));
            }
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Open(open) => self.open_request(open),
            Command::Punish(node) => self.punish(node),
        }
    }

    fn open_request(&mut self, open: OpenRequest) {
        let session = self.sessions.get(&open.to);
        let Some((peer, connection)) = session.and_then(|s| Some((s.peer_id, s.newest_link()?)))
        else {
            // The asker may have given up; then nobody needs the answer.
            let _ = open.reply.send(Err(RequestError::NotConnected));
            return;
        };
        let streams = &mut self.swarm.behaviour_mut().streams;
        let ticket = streams.open(peer, connection, Channel::Request);
        self.asked.insert(ticket, (connection, Asked::Request(open)));
    }

    fn on_stream_event(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Inbound { peer, connection, channel, stream } => {
                self.on_inbound((peer, connection), channel, stream);
            }
            StreamEvent::Outbound { ticket, result } => match self.asked.remove(&ticket) {
                Some((_, Asked::Lane(node, lane))) => self.on_lane(node, lane, ticket, result),
                Some((_, Asked::Request(open))) => answer_open(open, result),
                // Its connection was reported closed before.
                None => {}
            },
        }
    }

    fn on_inbound(&mut self, from: (PeerId, ConnectionId), channel: Channel, stream: Stream) {
        let node = NodeId::from_peer_id(&from.0);
        let Some(session) = node.and_then(|node| self.sessions.get_mut(&node)) else { return };
        // A connection that was cut may still report what it had accepted.
        if !session.has_link(from.1) {
            return;
        }
        let peer = Arc::clone(&session.peer);
        match channel {
            Channel::Lane(lane) => {
                let seat = session.inbound_seat(lane);
                let sink = self.sinks.frames.get(lane).clone();
                let task = self.lane_tasks.spawn(read_lane(stream, peer, lane, seat, sink));
                session.inbound_running(lane, task);
            }
            Channel::Request => match Arc::clone(&peer.from_peer).try_acquire_owned() {
                Ok(permit) => {
                    let sink = self.sinks.requests.clone();
                    self.serve_tasks.spawn(serve(stream, peer, sink, permit));
                }
                Err(_) => peer.requests_refused.add(1),
            },
        }
    }

    fn on_lane(
        &mut self,
        node: NodeId,
        lane: Lane,
        ticket: Ticket,
        result: Result<Stream, OpenError>,
    ) {
        let Some(session) = self.sessions.get_mut(&node) else { return };
        let now = Instant::now();
        match result {
            Ok(stream) => {
                let Some((connection, seat)) = session.lane_opened(lane, ticket) else { return };
                let peer = Arc::clone(&session.peer);
                let task = self.lane_tasks.spawn(write_lane(stream, peer, lane, seat));
                session.lane_running(lane, connection, task, now);
            }
            Err(error) => {
                tracing::debug!(peer = %node, ?lane, %error, "cannot open lane");
                session.lane_failed(lane, ticket, now);
            }
        }
    }

    fn on_lane_end(&mut self, end: Result<(Id, LaneEnd), JoinError>) {
        let Some((id, LaneEnd { node, lane, end })) = unless_cancelled(end) else { return };
        let Some(session) = self.sessions.get_mut(&node) else { return };
        session.on_task_end(lane, id, Instant::now());
        if end == End::Violation {
            session.peer.violations.add(1);
            self.punish(node);
        }
    }

    fn on_serve_end(&mut self, end: Result<(NodeId, Result<(), ServeError>), JoinError>) {
        let Some((node, Err(ServeError::Violation))) = unless_cancelled(end) else { return };
        let Some(session) = self.sessions.get(&node) else { return };
        session.peer.violations.add(1);
        self.punish(node);
    }

    /// Closes what is open, within `STOP_TIME`.
    async fn close(mut self) {
        self.commands.close();
        self.lane_tasks.abort_all();
        self.serve_tasks.abort_all();
        for session in self.sessions.values() {
            session.peer.disconnected();
            // A peer that is not connected needs no disconnection.
            let _ = self.swarm.disconnect_peer_id(session.peer_id);
        }
        let closed = timeout(STOP_TIME, async {
            while self.swarm.network_info().num_peers() > 0 {
                self.swarm.select_next_some().await;
            }
        });
        if closed.await.is_err() {
            tracing::debug!("some connections were cut when the mesh stopped");
        }
    }
}

fn dial(swarm: &mut Swarm<Behaviour>, session: &mut Session, now: Instant) {
    let options = DialOpts::peer_id(session.peer_id)
        // The swarm still counts connections that we gave up and that are slow to close.
        .condition(PeerCondition::NotDialing)
        .addresses(session.addresses().to_vec())
        // From the port that we listen on, both sides dialling at once would meet in the middle.
        .allocate_new_port()
        .build();
    match swarm.dial(options) {
        // While one is under way its own end will say what to do next.
        Ok(()) | Err(DialError::DialPeerConditionFalse(_)) => {}
        Err(error) => {
            tracing::debug!(peer = %session.peer.node, %error, "cannot dial");
            session.dial_later(now);
        }
    }
}

fn answer_open(open: OpenRequest, result: Result<Stream, OpenError>) {
    let OpenRequest { permit, reply, .. } = open;
    let answer = match result {
        Ok(stream) => Ok(RequestStream { stream, permit }),
        Err(error) => Err(RequestError::Refused(error.to_string())),
    };
    // The asker may have given up; then nobody needs the answer.
    let _ = reply.send(answer);
}

/// What a task returned, or none if we stopped it. A panic of a task is our own, and goes on here.
fn unless_cancelled<T>(end: Result<T, JoinError>) -> Option<T> {
    match end {
        Ok(value) => Some(value),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => None,
        },
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
