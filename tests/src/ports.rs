//! Ports that no other network of this machine takes meanwhile.

use crate::{limits, trouble::Trouble};
use std::net::TcpListener;

/// A block of ports. It is ours for as long as this lives: its last port is held as the sign of it.
#[derive(Debug)]
pub struct Ports {
    base: u16,
    _held: TcpListener,
}

impl Ports {
    /// Finds a block in which every port is free.
    ///
    /// # Errors
    /// [`Trouble`] if there is none.
    pub fn find() -> Result<Self, Trouble> {
        for number in 0..limits::PORT_BLOCKS {
            let base = limits::FIRST_PORT + number * limits::PORTS_IN_BLOCK;
            let last = base + limits::PORTS_IN_BLOCK - 1;
            let Ok(held) = TcpListener::bind(("127.0.0.1", last)) else { continue };
            if (base..last).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
                return Ok(Self { base, _held: held });
            }
        }
        Err(Trouble::new("no block of free ports was found on this machine"))
    }

    /// The first port: of the mesh; those of the HTTP APIs start 100 above.
    pub const fn base(&self) -> u16 {
        self.base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_networks_never_share_a_block() {
        let (one, other) = (Ports::find().unwrap(), Ports::find().unwrap());
        assert_ne!(one.base(), other.base());
    }
}
