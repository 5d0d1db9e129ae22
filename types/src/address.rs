//! Where a node is reached.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

/// A text that is not an address of a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an address that a node can be reached at: write /ip4/192.0.2.7/tcp/7001 or \
     /ip6/2001:db8::7/tcp/7001, in shortest form, with a port above 0"
)]
pub struct AddressError(pub String);

/// An IP address and a TCP port, written as a multiaddr: `/ip4/A/tcp/P` or `/ip6/A/tcp/P`.
/// It has one spelling (RFC 5952 for IPv6), since the chain id depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(SocketAddr);

impl Address {
    /// As the standard library has it.
    pub const fn socket(&self) -> SocketAddr {
        self.0
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = read(text).ok_or_else(|| AddressError(text.to_owned()))?;
        if address.to_string() == text { Ok(address) } else { Err(AddressError(text.to_owned())) }
    }
}

fn read(text: &str) -> Option<Address> {
    let parts: Vec<&str> = text.splitn(6, '/').collect();
    let ["", family, ip, "tcp", port] = parts.as_slice() else { return None };
    let ip = match *family {
        "ip4" => IpAddr::V4(ip.parse::<Ipv4Addr>().ok()?),
        "ip6" => IpAddr::V6(ip.parse::<Ipv6Addr>().ok()?),
        _ => return None,
    };
    let port: u16 = port.parse().ok()?;
    let reachable = port != 0 && !ip.is_unspecified() && !ip.is_multicast();
    reachable.then(|| Address(SocketAddr::new(ip, port)))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = if self.0.is_ipv4() { "ip4" } else { "ip6" };
        write!(f, "/{family}/{}/tcp/{}", self.0.ip(), self.0.port())
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        for good in ["/ip4/127.0.0.1/tcp/7001", "/ip6/::1/tcp/1", "/ip6/2001:db8::7/tcp/65535"] {
            assert_eq!(good.parse::<Address>().unwrap().to_string(), good);
        }
        let bad = [
            "",
            "/",
            "127.0.0.1:7001",
            "/ip4/127.0.0.1/tcp/0",
            "/ip4/127.0.0.1/tcp/07001",
            "/ip4/127.0.0.1/tcp/+7001",
            "/ip4/127.0.0.1/tcp/65536",
            "/ip4/127.0.0.1/tcp/7001/",
            "/ip4/127.0.0.1/tcp/7001/ws",
            "/ip4/127.0.0.1/udp/7001",
            "/ip4/0.0.0.0/tcp/7001",
            "/ip4/224.0.0.1/tcp/7001",
            "/ip4/::1/tcp/7001",
            "/ip6/0:0:0:0:0:0:0:1/tcp/7001",
            "/ip6/2001:DB8::7/tcp/7001",
            "/ip6/::/tcp/7001",
            "/dns4/example.org/tcp/7001",
        ];
        for bad in bad {
            assert_eq!(bad.parse::<Address>(), Err(AddressError(bad.to_owned())));
        }
    }
}
