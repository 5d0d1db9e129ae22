//! Put the swarm together: transport, who may connect, and what runs on a connection.

use std::convert::Infallible;

use libp2p::allow_block_list::{self, AllowedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::identity::{Keypair, PublicKey};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{Swarm, SwarmBuilder, identify, noise, ping, tcp, yamux};

use super::channel::Offers;
use super::streams::Streams;
use crate::limits::mesh::{
    CONNECT_TIME, CONNECTIONS_PER_PEER, IDLE_TIME, NEGOTIATING_STREAMS, PENDING_INCOMING,
    PENDING_OUTGOING, PING_INTERVAL, PING_TIMEOUT, YAMUX_STREAMS,
};

/// What runs on a connection. The first fields refuse, before the others learn of a connection.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) allowed: allow_block_list::Behaviour<AllowedPeers>,
    limits: connection_limits::Behaviour,
    ping: ping::Behaviour,
    identify: identify::Behaviour,
    pub(crate) streams: Streams,
}

/// The swarm of a node: TCP, noise and yamux; nobody may connect until allowed.
///
/// # Errors
/// When noise cannot sign its static key with the identity.
pub(crate) fn build_swarm(
    identity: Keypair,
    chain: &[u8; 32],
) -> Result<Swarm<Behaviour>, noise::Error> {
    let behaviour = Behaviour {
        allowed: allow_block_list::Behaviour::default(),
        limits: connection_limits::Behaviour::new(
            ConnectionLimits::default()
                .with_max_pending_incoming(Some(PENDING_INCOMING))
                .with_max_pending_outgoing(Some(PENDING_OUTGOING))
                .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER)),
        ),
        ping: ping::Behaviour::new(
            ping::Config::new().with_interval(PING_INTERVAL).with_timeout(PING_TIMEOUT),
        ),
        identify: identify::Behaviour::new(identify_config(chain, identity.public())),
        streams: Streams::new(Offers::new(chain)),
    };
    let builder = SwarmBuilder::with_existing_identity(identity).with_tokio().with_tcp(
        tcp::Config::default().nodelay(true),
        noise::Config::new,
        yamux_config,
    )?;
    let built: Result<_, Infallible> = builder.with_behaviour(|_| behaviour);
    let Ok(builder) = built;
    Ok(builder
        .with_swarm_config(|config| {
            config
                .with_idle_connection_timeout(IDLE_TIME)
                .with_max_negotiating_inbound_streams(NEGOTIATING_STREAMS)
        })
        .with_connection_timeout(CONNECT_TIME)
        .build())
}

/// Says the chain and the version, for the operator at the other end; nothing is decided by it.
fn identify_config(chain: &[u8; 32], key: PublicKey) -> identify::Config {
    identify::Config::new(format!("/probata/{}/1", hex::encode(&chain[..8])), key)
        .with_agent_version(format!("probata/{}", env!("CARGO_PKG_VERSION")))
        // Addresses come from the configuration: what peers claim about theirs is not kept.
        .with_cache_size(0)
        .with_hide_listen_addrs(true)
}

fn yamux_config() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(YAMUX_STREAMS);
    config
}
