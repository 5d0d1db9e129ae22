//! Cut a stream of bytes into frames: four bytes of length, big-endian, then that many bytes.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::limits::mesh::{FRAME_HEAD, FRAME_RESERVE};

/// Why no further frame can be read from a stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// The peer claims a frame longer than the protocol allows: its fault, never the network's.
    #[error("a frame of {claimed} bytes where at most {limit} are allowed")]
    Oversize { claimed: usize, limit: usize },
    /// The stream ended, between two frames or within one.
    #[error("the stream ended: {0}")]
    Ended(#[from] io::Error),
}

/// Reads the length of the next frame, and checks it against `limit` (bytes).
pub(crate) async fn read_length(
    stream: &mut (impl AsyncRead + Unpin),
    limit: usize,
) -> Result<usize, FrameError> {
    let mut head = [0u8; 4];
    stream.read_exact(&mut head).await?;
    let claimed = usize::try_from(u32::from_be_bytes(head)).unwrap_or(usize::MAX);
    if claimed > limit {
        return Err(FrameError::Oversize { claimed, limit });
    }
    Ok(claimed)
}

/// Reads the `length` bytes of a frame. Memory grows with what arrives, not with what was claimed.
pub(crate) async fn read_body(
    stream: &mut (impl AsyncRead + Unpin),
    length: usize,
) -> Result<Vec<u8>, FrameError> {
    let mut bytes = Vec::with_capacity(length.min(FRAME_RESERVE));
    let limit = u64::try_from(length).expect("a length fits eight bytes");
    stream.take(limit).read_to_end(&mut bytes).await?;
    if bytes.len() < length {
        return Err(FrameError::Ended(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(bytes)
}

/// Writes and flushes one frame. The caller has checked its length.
pub(crate) async fn write_frame(
    stream: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).expect("a frame was checked against its limit");
    let (first, rest) = bytes.split_at(bytes.len().min(FRAME_HEAD - 4));
    let mut head = Vec::with_capacity(4 + first.len());
    head.extend_from_slice(&length.to_be_bytes());
    head.extend_from_slice(first);
    stream.write_all(&head).await?;
    stream.write_all(rest).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;

    use super::*;

    async fn read(mut bytes: &[u8], limit: usize) -> Result<Vec<u8>, FrameError> {
        let length = read_length(&mut bytes, limit).await?;
        read_body(&mut bytes, length).await
    }

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, FRAME_HEAD - 5, FRAME_HEAD - 4, FRAME_HEAD - 3, 200_000] {
            let frame: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
            let mut stream = Cursor::new(Vec::new());
            block_on(write_frame(&mut stream, &frame)).unwrap();
            let wire = stream.into_inner();
            assert_eq!(wire.len(), length + 4);
            assert_eq!(block_on(read(&wire, length)).unwrap(), frame);
        }
    }

    #[test]
    fn a_claim_over_the_limit_is_refused_before_its_body() {
        let wire = 11u32.to_be_bytes();
        let error = block_on(read(&wire, 10)).unwrap_err();
        assert!(matches!(error, FrameError::Oversize { claimed: 11, limit: 10 }));
    }

    #[test]
    fn a_cut_frame_is_never_delivered() {
        let mut wire = 10u32.to_be_bytes().to_vec();
        wire.extend_from_slice(&[7; 9]);
        for length in 0..wire.len() {
            let error = block_on(read(&wire[..length], 10)).unwrap_err();
            assert!(matches!(error, FrameError::Ended(_)), "at {length}");
        }
    }
}
