//! Choosing a snapshot: the one that most peers offer, of those the newest, if it proves itself.

use super::{
    Chosen, JoinError, Joining, Peers, blocking, check,
    peers::{Answer, ask},
};
use crate::{
    limits,
    network::NodeId,
    wire::{Ask, Offer},
};
use futures::future::join_all;
use probata_ledger::{Manifest, SnapshotError};
use probata_types::{Hash, SealedBlock, codec, limits::BLOCK_BYTES};
use std::{
    cmp::Reverse,
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// Bytes that an offer may have.
const OFFER_BYTES: usize = 1_024;

impl Joining {
    /// Chooses a snapshot and puts its manifest and block into the files; `None` if peers have been there for a
    /// while and none of them offers any.
    pub(super) async fn choose(&self, peers: &mut Peers) -> Result<Option<Chosen>, JoinError> {
        let (mut alone_since, mut said) = (Instant::now(), Instant::now());
        loop {
            let connected = peers.trusted().len();
            if connected == 0 {
                alone_since = Instant::now();
            }
            let mut offers = offers(peers).await;
            offers.retain(|(_, offer)| self.expected.is_none_or(|block| offer.header == block));
            by_preference(&mut offers);
            for (peer, offer) in offers {
                if let Some(chosen) = self.take(peers, peer, &offer).await? {
                    return Ok(Some(chosen));
                }
            }
            if alone_since.elapsed() > self.patience && self.expected.is_none() {
                tracing::warn!(connected, "no peer offers a snapshot");
                return Ok(None);
            }
            if said.elapsed() > limits::JOIN_LOG_INTERVAL {
                said = Instant::now();
                tracing::info!(connected, "waiting for a peer that offers a snapshot");
            }
            tokio::time::sleep(limits::JOIN_PAUSE).await;
        }
    }

    /// Takes manifest and block of an offered snapshot from the peer that offers it; `None` if that fails.
    async fn take(
        &self,
        peers: &mut Peers,
        peer: NodeId,
        offer: &Offer,
    ) -> Result<Option<Chosen>, JoinError> {
        let digest = offer.digest;
        let Some(manifest) = self.manifest(peers, peer, offer).await else { return Ok(None) };
        let bounds = (BLOCK_BYTES, limits::JOIN_DEADLINE);
        let answer = ask(&self.mesh, peer, &Ask::SnapshotBlock(digest), bounds).await;
        let Some(block) = settle(peers, peer, "block", answer) else { return Ok(None) };
        let (genesis, expected, offer) = (Arc::clone(&self.genesis), self.expected, *offer);
        let checked = blocking(move || checked(&genesis, expected, &offer, &manifest, &block));
        let (manifest, block) = match checked.await? {
            Ok(checked) => checked,
            Err(error) => {
                peers.refuse(peer, "the proof of a snapshot", &error);
                return Ok(None);
            }
        };
        tracing::info!(
            %peer, height = %manifest.height(), block = %manifest.header().hash(),
            chunks = manifest.chunks(), bytes = manifest.bytes(), "joining from a snapshot"
        );
        let files = self.files.clone();
        let chosen = blocking(move || {
            files.clear()?;
            files.put_block(&block)?;
            files.put_manifest(&manifest)?;
            Chosen::of(&manifest)
        });
        Ok(Some(chosen.await??))
    }

    /// The bytes of a manifest, part by part, of the peer that offers it: others may show other seals.
    async fn manifest(&self, peers: &mut Peers, peer: NodeId, offer: &Offer) -> Option<Vec<u8>> {
        let (length, digest) = (offer.manifest_bytes as usize, offer.digest);
        let mut bytes = Vec::new();
        for part in 0u32.. {
            if bytes.len() == length {
                break;
            }
            let most = limits::MANIFEST_PART_BYTES.min(length - bytes.len());
            let bounds = (most, limits::JOIN_DEADLINE);
            let asked = Ask::SnapshotManifest { digest, part };
            let answer = ask(&self.mesh, peer, &asked, bounds).await;
            let part = settle(peers, peer, "manifest", answer)?;
            if part.len() != most {
                let error = format!("a part has {} bytes, {most} were offered", part.len());
                peers.refuse(peer, "the manifest of a snapshot", &error);
                return None;
            }
            bytes.extend_from_slice(&part);
        }
        Some(bytes)
    }
}

/// First what most peers offer, so that no liar alone is fetched from; of those the newest. Whoever lies about
/// that is found out by its manifest.
fn by_preference(offers: &mut [(NodeId, Offer)]) {
    let mut supported = BTreeMap::<Hash, usize>::new();
    for (_, offer) in offers.iter() {
        *supported.entry(offer.digest).or_default() += 1;
    }
    offers.sort_by_key(|(_, offer)| Reverse((supported[&offer.digest], offer.height)));
}

/// What is given; else the peer rests, or is refused.
fn settle(peers: &mut Peers, peer: NodeId, what: &str, answer: Answer) -> Option<Vec<u8>> {
    match answer {
        Answer::Given(bytes) => return Some(bytes),
        Answer::NotHere => peers.rest(peer, limits::JOIN_REST),
        Answer::Failed(error) => {
            tracing::debug!(%peer, what, %error, "a peer did not hand over what it offered");
            peers.rest(peer, limits::JOIN_REST);
        }
        Answer::Broken(error) => peers.refuse(peer, what, &error),
    }
    None
}

/// What all peers offer that may be asked.
async fn offers(peers: &mut Peers) -> Vec<(NodeId, Offer)> {
    let mesh = peers.mesh();
    let asked = peers.ready().into_iter().map(|peer| {
        let mesh = mesh.clone();
        async move {
            let bounds = (OFFER_BYTES, Duration::from_millis(limits::FETCH_DEADLINE_MS));
            (peer, ask(&mesh, peer, &Ask::SnapshotOffer, bounds).await)
        }
    });
    let mut offers = Vec::new();
    for (peer, answer) in join_all(asked).await {
        match answer {
            Answer::Given(bytes) => match Offer::decode(&bytes) {
                Ok(offer) => offers.push((peer, offer)),
                Err(error) => peers.refuse(peer, "the offer of a snapshot", &error),
            },
            Answer::Broken(error) => peers.refuse(peer, "the offer of a snapshot", &error),
            Answer::NotHere | Answer::Failed(_) => {}
        }
    }
    offers
}

/// Manifest and block, checked to the last byte, and the ones that were offered.
fn checked(
    genesis: &probata_genesis::Genesis,
    expected: Option<Hash>,
    offer: &Offer,
    manifest: &[u8],
    block: &[u8],
) -> Result<(Manifest, SealedBlock), SnapshotError> {
    let manifest = Manifest::decode(manifest)?;
    check(genesis, expected, &manifest)?;
    let header = manifest.header();
    let got = (header.height, header.hash(), manifest.digest());
    if got != (offer.height, offer.header, offer.digest) {
        let what =
            format!("block {} was offered, its snapshot is of block {}", offer.height, got.0);
        return Err(SnapshotError::Block(what));
    }
    let block: SealedBlock = codec::decode(block, BLOCK_BYTES)
        .map_err(|error| SnapshotError::Block(error.to_string()))?;
    manifest.check_block(&block)?;
    Ok((manifest, block))
}

#[cfg(test)]
mod tests {
    use super::*;
    use probata_types::Height;

    #[test]
    fn what_most_offer_comes_before_what_is_newest() {
        let offer = |peer: u8, height: u64, name: u8| {
            let (header, digest) = (Hash([name; 32]), Hash([name; 32]));
            let offer =
                Offer { height: Height::new(height), header, digest, chunks: 1, manifest_bytes: 1 };
            (NodeId::from_secret([peer; 32]), offer)
        };
        let heights = |mut offers: Vec<(NodeId, Offer)>| -> Vec<u64> {
            by_preference(&mut offers);
            offers.iter().map(|(_, offer)| offer.height.get()).collect()
        };
        assert_eq!(heights(vec![offer(1, 20, 2), offer(2, 10, 1), offer(3, 10, 1)]), [10, 10, 20]);
        let tie = vec![offer(1, 10, 1), offer(2, 20, 2), offer(3, 10, 1), offer(4, 20, 2)];
        assert_eq!(heights(tie), [20, 20, 10, 10]);
        assert_eq!(heights(vec![offer(1, 1, 1), offer(2, 3, 3), offer(3, 2, 2)]), [3, 2, 1]);
    }
}
