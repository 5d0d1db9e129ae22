//! Read the addresses of a configuration.

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use super::{NodeId, PeerConfig};
use crate::limits::mesh::MAX_ADDRESSES;

/// An address that the mesh cannot use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// It is not `/ip4/A/tcp/P` or `/ip6/A/tcp/P`.
    #[error("{0:?} is not an address of the form /ip4/127.0.0.1/tcp/9000 or /ip6/::1/tcp/9000")]
    Form(String),
    /// It ends in the name of another node.
    #[error("the address {address:?} of peer {node} names another node")]
    OtherNode {
        /// The address.
        address: String,
        /// The peer that it is given for.
        node: NodeId,
    },
    /// A peer has too many.
    #[error("peer {node} has {count} addresses where at most {MAX_ADDRESSES} are allowed")]
    TooMany {
        /// The peer.
        node: NodeId,
        /// Its addresses.
        count: usize,
    },
}

/// Reads an address of the form `/ip4/A/tcp/P` or `/ip6/A/tcp/P`.
pub(crate) fn parse(text: &str) -> Result<Multiaddr, BadAddress> {
    let bad = || BadAddress::Form(text.to_owned());
    let address: Multiaddr = text.parse().map_err(|_| bad())?;
    let parts: Vec<Protocol<'_>> = address.iter().collect();
    match parts.as_slice() {
        [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(_)] => Ok(address),
        _ => Err(bad()),
    }
}

/// Reads where to dial a peer. An address may end in `/p2p/ID` if that names the peer itself.
pub(crate) fn peer_addresses(config: &PeerConfig) -> Result<Vec<Multiaddr>, BadAddress> {
    let node = config.node;
    if config.addresses.len() > MAX_ADDRESSES {
        return Err(BadAddress::TooMany { node, count: config.addresses.len() });
    }
    let mut addresses = Vec::with_capacity(config.addresses.len());
    for text in &config.addresses {
        let place = match text.split_once("/p2p/") {
            None => text.as_str(),
            Some((place, name)) if name == node.to_peer_id().to_string() => place,
            Some(_) => return Err(BadAddress::OtherNode { address: text.clone(), node }),
        };
        addresses.push(parse(place)?);
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ip_and_tcp_is_the_only_form() {
        for good in ["/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/65535"] {
            assert_eq!(parse(good).unwrap().to_string(), good);
        }
        let bad = [
            "",
            "127.0.0.1:9000",
            "/ip4/127.0.0.1",
            "/tcp/9000",
            "/ip4/127.0.0.1/udp/9000/quic-v1",
            "/ip4/127.0.0.1/tcp/9000/ws",
            "/ip4/127.0.0.1/tcp/65536",
            "/dns4/example.org/tcp/9000",
        ];
        for bad in bad {
            assert_eq!(parse(bad), Err(BadAddress::Form(bad.to_owned())));
        }
    }

    #[test]
    fn a_peer_address_may_name_that_peer_only() {
        let node = NodeId::from_secret([1; 32]);
        let other = NodeId::from_secret([2; 32]);
        let address = |n: NodeId| format!("/ip4/127.0.0.1/tcp/9/p2p/{}", n.to_peer_id());
        let config = |a: String| PeerConfig { node, addresses: vec![a], validator: true };
        let read = peer_addresses(&config(address(node))).unwrap();
        assert_eq!(read, [parse("/ip4/127.0.0.1/tcp/9").unwrap()]);
        let error = peer_addresses(&config(address(other))).unwrap_err();
        assert_eq!(error, BadAddress::OtherNode { address: address(other), node });
    }

    #[test]
    fn addresses_of_a_peer_are_bounded() {
        let node = NodeId::from_secret([1; 32]);
        let addresses = vec!["/ip4/127.0.0.1/tcp/9".to_owned(); MAX_ADDRESSES + 1];
        let error = peer_addresses(&PeerConfig { node, addresses, validator: true }).unwrap_err();
        assert_eq!(error, BadAddress::TooMany { node, count: MAX_ADDRESSES + 1 });
    }
}
