//! Documents: the two stock digests that bind a file's exact bytes to a record.

use probata_types::record::{Digest256, Document};
use sha2::Digest as _;

/// What a record binds of a document: recompute it with `sha256sum` and `openssl dgst -sm3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// SHA-256 (FIPS 180-4) of the bytes.
    pub sha256: Digest256,
    /// SM3 (GB/T 32905-2016) of the bytes.
    pub sm3: Digest256,
    /// Length in bytes.
    pub length: u64,
}

impl Digests {
    /// The digests of a document.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: Digest256(sha2::Sha256::digest(bytes).into()),
            sm3: Digest256(sm3::Sm3::digest(bytes).into()),
            length: bytes.len() as u64,
        }
    }

    /// Whether both digests and the length are those that a record binds.
    pub fn match_all(&self, document: &Document) -> bool {
        self.sha256 == document.sha256 && self.sm3 == document.sm3 && self.length == document.length
    }

    /// Whether one digest is what a record binds (the length, or the other digest, may differ).
    pub fn match_any(&self, document: &Document) -> bool {
        self.sha256 == document.sha256 || self.sm3 == document.sm3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standards() {
        // "abc": FIPS 180-4 example; GB/T 32905-2016, annex A.1.
        let abc = Digests::of(b"abc");
        assert_eq!(
            abc.sha256.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            abc.sm3.to_string(),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
        assert_eq!(abc.length, 3);
        let empty = Digests::of(b"");
        assert!(empty.sm3.to_string().starts_with("1ab21d83"));
        assert!(empty.sha256.to_string().starts_with("e3b0c442"));
    }
}
