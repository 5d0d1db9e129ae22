//! Keys and signatures, with one validity rule for all.
//!
//! A signature `(R, s)` by key `A` over a message `M` is valid if and only if
//! 1. `A` and `R` are canonical encodings of curve points, and `A` is not of small order;
//! 2. `s` is canonical: below the group order `L`;
//! 3. `8·(s·B − R − k·A) = 0`, with `k = SHA-512(R ‖ A ‖ M) mod L` (the cofactored equation of RFC 8032).
//!
//! The equation is the cofactored one because only then do single and batch verification agree on every
//! input, crafted ones too (H. Chalkias, F. Garillot, V. Nikolaenko, "Taming the many EdDSAs", 2020).
//! What a signer makes by RFC 8032 is valid under this rule and under every other library's.

use crate::bytes::byte_string;
use crate::hash::Hash;
use curve25519_dalek::{
    edwards::{CompressedEdwardsY, EdwardsPoint},
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha512};
use std::collections::BTreeMap;

byte_string! {
    /// A public key: a compressed Edwards point (RFC 8032, 5.1.2).
    PublicKey, 32
}

byte_string! {
    /// A signature: `R ‖ s` (RFC 8032, 5.1.6).
    Signature, 64
}

/// A signature that is not valid for its key and message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not valid for this key and message")]
pub struct SignatureError;

/// A secret key and its public key. The secret is wiped when dropped and never printed.
#[derive(Clone)]
pub struct Keypair(SigningKey);

impl Keypair {
    /// The pair of a 32-byte secret (RFC 8032, 5.1.5).
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// The secret, to be stored where only its owner reads it.
    pub fn secret(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_bytes())
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs a 32-byte digest.
    pub fn sign(&self, digest: &Hash) -> Signature {
        Signature(self.0.sign(digest.as_bytes()).to_bytes())
    }
}

impl std::fmt::Debug for Keypair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keypair({})", self.public())
    }
}

/// One signature to check: the key, the digest it signs, the signature.
#[derive(Debug, Clone, Copy)]
pub struct Signed {
    /// The signer.
    pub key: PublicKey,
    /// What was signed.
    pub digest: Hash,
    /// The signature.
    pub signature: Signature,
}

/// Checks one signature over a digest.
///
/// # Errors
/// [`SignatureError`] if the validity rule of this module does not hold.
pub fn verify(key: &PublicKey, digest: &Hash, signature: &Signature) -> Result<(), SignatureError> {
    verify_message(key, digest.as_bytes(), signature)
}

/// Checks one signature over any message (the vectors of other projects sign such).
///
/// # Errors
/// [`SignatureError`] if the validity rule of this module does not hold.
pub fn verify_message(
    key: &PublicKey,
    message: &[u8],
    signature: &Signature,
) -> Result<(), SignatureError> {
    let parts = Parts::new((key, signer(key)?), message, signature)?;
    let right = EdwardsPoint::vartime_double_scalar_mul_basepoint(&parts.k, &-parts.a, &parts.s);
    if (right - parts.r).mul_by_cofactor().is_identity() { Ok(()) } else { Err(SignatureError) }
}

/// Checks many signatures at once, several times faster than one by one, with the same answer as
/// [`verify`] on each: `Ok` if and only if every one is valid.
///
/// # Errors
/// [`SignatureError`] if at least one is not valid; check one by one to learn which.
pub fn verify_batch(batch: &[Signed]) -> Result<(), SignatureError> {
    let messages: Vec<(&PublicKey, &[u8], &Signature)> = batch
        .iter()
        .map(|one| (&one.key, one.digest.as_bytes().as_slice(), &one.signature))
        .collect();
    verify_batch_messages(&messages)
}

/// [`verify_batch`] over any messages.
///
/// # Errors
/// [`SignatureError`] if at least one is not valid.
pub fn verify_batch_messages(
    batch: &[(&PublicKey, &[u8], &Signature)],
) -> Result<(), SignatureError> {
    // Few keys sign most of what comes: each is decoded once, and is one term of the sum.
    let mut signers: BTreeMap<PublicKey, (EdwardsPoint, Scalar)> = BTreeMap::new();
    let mut parts = Vec::with_capacity(batch.len());
    for (key, message, signature) in batch {
        let a = match signers.get(key) {
            Some((a, _)) => *a,
            None => signers.entry(**key).or_insert((signer(key)?, Scalar::ZERO)).0,
        };
        parts.push(Parts::new((key, a), message, signature)?);
    }
    // Σ zᵢ·(sᵢ·B − Rᵢ − kᵢ·Aᵢ), with 128-bit zᵢ that depend on the whole batch: whoever chose a signature
    // could not know them, so wrong ones do not cancel (but with a chance of 2^-128).
    let coefficients = batch_coefficients(&parts);
    let base: Scalar = parts.iter().zip(&coefficients).map(|(part, z)| part.s * z).sum();
    for ((key, ..), (part, z)) in batch.iter().zip(parts.iter().zip(&coefficients)) {
        signers.get_mut(key).expect("it was decoded above").1 += part.k * z;
    }
    let scalars = std::iter::once(base)
        .chain(coefficients.iter().map(|z| -z))
        .chain(signers.values().map(|(_, k)| -k));
    let points = std::iter::once(curve25519_dalek::constants::ED25519_BASEPOINT_POINT)
        .chain(parts.iter().map(|part| part.r))
        .chain(signers.values().map(|(a, _)| *a));
    let sum = EdwardsPoint::vartime_multiscalar_mul(scalars, points);
    if sum.mul_by_cofactor().is_identity() { Ok(()) } else { Err(SignatureError) }
}

fn batch_coefficients(parts: &[Parts]) -> Vec<Scalar> {
    let mut transcript = blake3::Hasher::new();
    transcript.update(b"probata.batch");
    for part in parts {
        // k binds R, A and the message; s is the rest of the signature.
        transcript.update(part.k.as_bytes()).update(part.s.as_bytes());
    }
    let mut stream = transcript.finalize_xof();
    parts
        .iter()
        .map(|_| {
            let mut bytes = [0u8; 16];
            stream.fill(&mut bytes);
            Scalar::from(u128::from_le_bytes(bytes))
        })
        .collect()
}

/// The decoded parts of a signature whose encodings passed rules 1 and 2.
struct Parts {
    a: EdwardsPoint,
    r: EdwardsPoint,
    s: Scalar,
    k: Scalar,
}

impl Parts {
    /// Of a signature by a key that was decoded already.
    fn new(
        (key, a): (&PublicKey, EdwardsPoint),
        message: &[u8],
        signature: &Signature,
    ) -> Result<Self, SignatureError> {
        let (r_bytes, s_bytes) = split(signature);
        let r = canonical_point(r_bytes)?;
        let s =
            Option::<Scalar>::from(Scalar::from_canonical_bytes(s_bytes)).ok_or(SignatureError)?;
        let mut hasher = Sha512::new();
        hasher.update(r_bytes);
        hasher.update(key.0);
        hasher.update(message);
        let k = Scalar::from_bytes_mod_order_wide(&hasher.finalize().into());
        Ok(Self { a, r, s, k })
    }
}

/// The point of a key that keeps rule 1.
fn signer(key: &PublicKey) -> Result<EdwardsPoint, SignatureError> {
    let a = canonical_point(key.0)?;
    if a.is_small_order() { Err(SignatureError) } else { Ok(a) }
}

fn split(signature: &Signature) -> ([u8; 32], [u8; 32]) {
    let (mut r, mut s) = ([0u8; 32], [0u8; 32]);
    r.copy_from_slice(&signature.0[..32]);
    s.copy_from_slice(&signature.0[32..]);
    (r, s)
}

fn canonical_point(bytes: [u8; 32]) -> Result<EdwardsPoint, SignatureError> {
    if !is_canonical(bytes) {
        return Err(SignatureError);
    }
    CompressedEdwardsY(bytes).decompress().ok_or(SignatureError)
}

/// Whether a point, if these bytes are one, has no other encoding that is to be preferred: `y` is below
/// `p = 2^255 - 19`, and where `x` is zero (`y` is 1 or `p - 1`) its sign is positive. That is what encoding
/// the point again would show, at the price of an inversion.
fn is_canonical(bytes: [u8; 32]) -> bool {
    let negative = bytes[31] >> 7 == 1;
    let mut y = bytes;
    y[31] &= 0x7f;
    let ends_as_p = y[1..31].iter().all(|byte| *byte == 0xff) && y[31] == 0x7f;
    let below_p = !(ends_as_p && y[0] >= 0xed);
    let is_one = y[0] == 1 && y[1..].iter().all(|byte| *byte == 0);
    let is_minus_one = ends_as_p && y[0] == 0xec;
    below_p && !(negative && (is_one || is_minus_one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_is_what_encoding_the_point_again_would_give() {
        // Every y from p - 2 to 2^255 - 1, and the small ones, with both signs.
        let small = (0..=255u8).map(|first| {
            let mut y = [0; 32];
            y[0] = first;
            y
        });
        let large = (0xeb..=255u8).map(|first| {
            let mut y = [0xff; 32];
            (y[0], y[31]) = (first, 0x7f);
            y
        });
        let (mut points, mut refused) = (0, 0);
        for y in small.chain(large) {
            for sign in [0, 0x80] {
                let mut bytes = y;
                bytes[31] |= sign;
                let Some(point) = CompressedEdwardsY(bytes).decompress() else { continue };
                let canonical = point.compress().0 == bytes;
                assert_eq!(is_canonical(bytes), canonical, "{}", hex::encode(bytes));
                points += 1;
                refused += usize::from(!canonical);
            }
        }
        assert!(points > 200 && refused > 10, "{points} points, {refused} of them refused");
    }
}
