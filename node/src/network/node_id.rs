//! Name a node on the mesh.

use std::fmt;

use libp2p::PeerId;
use libp2p::identity::{Keypair, PublicKey, ed25519};

/// The ed25519 public key of a node's libp2p identity (RFC 8032 encoding): its name on the mesh.
///
/// It is not the key that signs votes: that one may live elsewhere and is rotated on its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; 32]);

/// The bytes are not the encoding of a point of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these 32 bytes are not an ed25519 public key")]
pub struct NotAKey;

impl NodeId {
    /// The node whose libp2p public key is `bytes`.
    ///
    /// # Errors
    /// [`NotAKey`] when the bytes are not an ed25519 public key.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, NotAKey> {
        match ed25519::PublicKey::try_from_bytes(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(_) => Err(NotAKey),
        }
    }

    /// The node whose libp2p secret key is `secret`.
    #[must_use]
    pub fn from_secret(secret: [u8; 32]) -> Self {
        let pair = keypair(secret).try_into_ed25519().expect("made from an ed25519 secret");
        Self(pair.public().to_bytes())
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The libp2p name of this node.
    #[must_use]
    pub fn to_peer_id(self) -> PeerId {
        let key = ed25519::PublicKey::try_from_bytes(&self.0).expect("checked when it was made");
        PublicKey::from(key).to_peer_id()
    }

    /// The node of a libp2p name, if the name holds an ed25519 key.
    #[must_use]
    pub fn from_peer_id(peer: &PeerId) -> Option<Self> {
        // The name of a short key is its protobuf encoding under the identity hash; a digest of
        // any other kind does not decode as a key.
        let key = PublicKey::try_decode_protobuf(peer.as_ref().digest()).ok()?;
        let key = key.try_into_ed25519().ok()?;
        let node = Self(key.to_bytes());
        (node.to_peer_id() == *peer).then_some(node)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({})", hex::encode(&self.0[..8]))
    }
}

/// The libp2p key pair of a secret.
pub(crate) fn keypair(secret: [u8; 32]) -> Keypair {
    Keypair::ed25519_from_bytes(secret).expect("any 32 bytes are an ed25519 secret")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_and_its_peer_id_name_each_other() {
        for seed in 0..8u8 {
            let node = NodeId::from_secret([seed; 32]);
            assert_eq!(NodeId::from_peer_id(&node.to_peer_id()), Some(node));
            assert_eq!(NodeId::from_bytes(*node.as_bytes()), Ok(node));
        }
    }

    #[test]
    fn a_peer_id_without_a_key_names_no_node() {
        assert_eq!(NodeId::from_peer_id(&PeerId::random()), None);
    }

    #[test]
    fn bytes_off_the_curve_are_refused() {
        let mut bytes = [0u8; 32];
        bytes[0] = 2;
        assert_eq!(NodeId::from_bytes(bytes), Err(NotAKey));
    }

    #[test]
    fn the_key_is_that_of_rfc_8032() {
        // RFC 8032, section 7.1, test 1.
        let secret = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let mut bytes = [0u8; 32];
        hex::decode_to_slice(secret, &mut bytes).unwrap();
        assert_eq!(NodeId::from_secret(bytes).to_string(), public);
    }
}
