//! The checkpoint: how a layer of entries reaches the store as a whole, whatever the store loses in a crash.
//!
//! The store promises nothing about what a crash leaves of unflushed writes, and the state is
//! overwritten in place, so a half-written block could not be executed again. Therefore:
//! 1. the whole layer is written to the file `checkpoint` (under another name, synced, then renamed);
//! 2. its entries go to the store, tree by tree; readers still find them in memory;
//! 3. the store is flushed; 4. the file is removed.
//!
//! A file found on opening holds blind writes: doing them (again) gives exactly the state at its
//! height, if the store was not lost meanwhile: it holds what was written since the checkpoint before, and
//! no more. Without a file the store is exactly at the height that it says. Blocks after it are executed
//! again from the log.

use crate::{
    derive::Marker,
    error::{FileError, LedgerError},
    frame::{FrameKind, HEAD},
    layers::{InBytes, Layer},
    limits::CHECKPOINT_FRAME_BYTES,
    metrics::Metrics,
    storage::Storage,
    store::{Store, StoreError, Tree},
};
const FRAMES: FrameKind = FrameKind { magic: *b"PCKP", max: CHECKPOINT_FRAME_BYTES };
const FILE: &str = "checkpoint";
const NEW_FILE: &str = "checkpoint.new";

/// Brings a layer into the store, by way of the file.
pub(crate) fn take(
    storage: &dyn Storage,
    store: &dyn Store,
    layer: &Layer,
    metrics: &Metrics,
) -> Result<(), LedgerError> {
    let entries = InBytes::of(layer);
    save(storage, &entries, metrics)?;
    end(storage, store, &entries)?;
    metrics.stored(entries.len() as u64);
    Ok(())
}

/// Brings the layer that is in the file into the store, and removes the file.
pub(crate) fn end(
    storage: &dyn Storage,
    store: &dyn Store,
    entries: &InBytes<'_>,
) -> Result<(), LedgerError> {
    entries.put(store)?;
    store.flush()?;
    Ok(remove(storage)?)
}

/// Writes a layer to the checkpoint file, durably.
fn save(storage: &dyn Storage, entries: &InBytes<'_>, metrics: &Metrics) -> Result<(), FileError> {
    discard_new(storage)?;
    let (mut number, mut bytes) = (0, 0);
    let mut frame = Vec::with_capacity(HEAD + FRAMES.max);
    frame.resize(HEAD, 0);
    let mut write = |frame: &mut Vec<u8>| {
        FRAMES.fill_head(number, frame);
        number += 1;
        bytes += frame.len() as u64;
        storage.append(NEW_FILE, frame).map_err(|e| FileError::io("append to", NEW_FILE, e))?;
        frame.truncate(HEAD);
        Ok::<_, FileError>(())
    };
    for (tree, key, value) in entries.iter() {
        let size = ENTRY_HEAD + key.len() + value.len();
        if size > FRAMES.max {
            return Err(FileError::TooLong { file: FILE.into(), got: size, max: FRAMES.max });
        }
        if frame.len() - HEAD + size > FRAMES.max {
            write(&mut frame)?;
        }
        push(&mut frame, tree, key, value);
    }
    if frame.len() > HEAD {
        write(&mut frame)?;
    }
    // An empty frame ends the file: without it the file is not whole.
    write(&mut frame)?;
    storage.sync(NEW_FILE).map_err(|e| FileError::io("sync", NEW_FILE, e))?;
    storage.rename(NEW_FILE, FILE).map_err(|e| FileError::io("rename", NEW_FILE, e))?;
    storage.sync_folder().map_err(|e| FileError::io("sync the folder of", FILE, e))?;
    metrics.checkpoint(bytes);
    Ok(())
}

/// The layer of the checkpoint file, if there is one.
///
/// # Errors
/// [`FileError::Corrupt`] if the file is not whole: the store then holds an unknown part of it.
pub(crate) fn load(storage: &dyn Storage) -> Result<Option<Layer>, FileError> {
    let names = storage.list().map_err(|error| FileError::io("list", FILE, error))?;
    if !names.iter().any(|name| name == FILE) {
        return Ok(None);
    }
    let (mut layer, mut ended) = (Layer::default(), false);
    let scan = FRAMES.scan(storage, FILE, 0, &mut |_, offset, payload| {
        ended = payload.is_empty();
        pull(&payload, &mut layer)
            .ok_or_else(|| FileError::corrupt(FILE, offset, "the entries do not fit the frame"))
    })?;
    if scan.torn > 0 || !ended {
        return Err(FileError::corrupt(FILE, scan.end, "the file does not end as it should"));
    }
    Ok(Some(layer))
}

/// Whether a store has been at some height: a checkpoint is for one that has. The first one of a chain
/// would do for an empty store as well; deriving that anew costs little.
pub(crate) fn has_base(store: &dyn Store) -> Result<bool, StoreError> {
    match store.get(Tree::Meta, Marker::KEY) {
        // What it holds has to be derived again in any case.
        Err(StoreError::Damaged(_)) => Ok(false),
        found => Ok(found?.is_some()),
    }
}

/// Removes the checkpoint file: all of it is in the store, and flushed.
pub(crate) fn remove(storage: &dyn Storage) -> Result<(), FileError> {
    storage.remove(FILE).map_err(|error| FileError::io("remove", FILE, error))?;
    storage.sync_folder().map_err(|e| FileError::io("sync the folder of", FILE, e))
}

/// Removes a checkpoint that is of no ledger any more, and what a crash left of one.
pub(crate) fn discard(storage: &dyn Storage) -> Result<(), FileError> {
    discard_new(storage)?;
    let names = storage.list().map_err(|error| FileError::io("list", FILE, error))?;
    if names.iter().any(|name| name == FILE) { remove(storage) } else { Ok(()) }
}

/// Removes what a crash left of a checkpoint that was being written.
pub(crate) fn discard_new(storage: &dyn Storage) -> Result<(), FileError> {
    let names = storage.list().map_err(|error| FileError::io("list", FILE, error))?;
    if names.iter().any(|name| name == NEW_FILE) {
        storage.remove(NEW_FILE).map_err(|e| FileError::io("remove", NEW_FILE, e))?;
    }
    Ok(())
}

/// Bytes of an entry beside its key and value: tree, key length, value length.
const ENTRY_HEAD: usize = 9;

fn push(chunk: &mut Vec<u8>, tree: Tree, key: &[u8], value: &[u8]) {
    let length = |bytes: &[u8]| {
        u32::try_from(bytes.len()).expect("an entry fits a frame, whose bound fits").to_be_bytes()
    };
    chunk.push(u8::try_from(tree.position()).expect("there are few trees"));
    chunk.extend_from_slice(&length(key));
    chunk.extend_from_slice(&length(value));
    chunk.extend_from_slice(key);
    chunk.extend_from_slice(value);
}

fn pull(mut payload: &[u8], layer: &mut Layer) -> Option<()> {
    while !payload.is_empty() {
        let (tree, rest) = payload.split_first()?;
        let (key_length, rest) = rest.split_first_chunk::<4>()?;
        let (value_length, rest) = rest.split_first_chunk::<4>()?;
        let (key, rest) = rest.split_at_checked(u32::from_be_bytes(*key_length) as usize)?;
        let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*value_length) as usize)?;
        layer.put_read(*Tree::ALL.get(usize::from(*tree))?, key.to_vec(), value.to_vec());
        payload = rest;
    }
    Some(())
}
