//! Name the things every crate shares: numbers, hashes, keys, codec, records, blocks, proofs.
