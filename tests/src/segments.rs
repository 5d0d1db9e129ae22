//! A block log in more segments than its node wrote: the real ones are too large for a test to fill.

use crate::trouble::{Trouble, ensure};
use std::{fs, path::Path};

/// Bytes of a frame before its payload.
const HEAD: usize = 24;

/// Parts the segments of a stopped node's log so that each holds at most so many blocks, and removes what is derived from the log,
/// which names the places of before. How many segments there are then.
///
/// # Errors
/// [`Trouble`] if the folder cannot be written, or a segment is not made of frames.
///
/// # Panics
/// Never: the lengths of arrays are those of the format.
pub fn split(data: &Path, blocks: usize) -> Result<usize, Trouble> {
    let log = data.join("log");
    let mut names = Vec::new();
    for entry in fs::read_dir(&log)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with("blocks-") {
            names.push(name);
        }
    }
    let mut count = 0;
    for name in names {
        let bytes = fs::read(log.join(&name))?;
        fs::remove_file(log.join(&name))?;
        for segment in frames(&bytes)?.chunks(blocks) {
            let number = u64::from_be_bytes(segment[0][4..12].try_into().expect("eight bytes"));
            fs::write(log.join(format!("blocks-{number:016}")), segment.concat())?;
            count += 1;
        }
    }
    fs::remove_dir_all(data.join("derived"))?;
    Ok(count)
}

fn frames(mut bytes: &[u8]) -> Result<Vec<&[u8]>, Trouble> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let whole = bytes.get(12..16).map(|length| {
            HEAD + u32::from_be_bytes(length.try_into().expect("four bytes")) as usize
        });
        let fits = whole.filter(|whole| *whole <= bytes.len());
        ensure(fits.is_some(), || "the segment does not end with a frame".to_owned())?;
        let (frame, rest) = bytes.split_at(fits.unwrap_or_default());
        frames.push(frame);
        bytes = rest;
    }
    Ok(frames)
}
