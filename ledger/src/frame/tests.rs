use super::*;
use crate::storage::MemoryStorage;

const KIND: FrameKind = FrameKind { magic: *b"TEST", max: 4_096 };
const FILE: &str = "file";

fn scan(bytes: &[u8]) -> Result<(Scan, Vec<Vec<u8>>), FileError> {
    let storage = MemoryStorage::with_files([(FILE.to_owned(), bytes.to_vec())].into());
    let mut payloads = Vec::new();
    let scan = KIND.scan(&storage, FILE, 5, &mut |_, _, payload| {
        payloads.push(payload);
        Ok(())
    })?;
    Ok((scan, payloads))
}

fn frames(payloads: &[&[u8]]) -> Vec<u8> {
    (5..).zip(payloads).flat_map(|(number, payload)| KIND.encode(number, payload)).collect()
}

#[test]
fn frames_come_back_in_order() {
    let bytes = frames(&[b"one", b"", b"three"]);
    let (scan, payloads) = scan(&bytes).unwrap();
    assert_eq!(scan, Scan { end: bytes.len() as u64, next: 8, torn: 0 });
    assert_eq!(payloads, [b"one".as_slice(), b"", b"three"]);
}

#[test]
fn a_last_frame_that_was_half_written_is_torn() {
    let whole = frames(&[b"one"]);
    let bytes = frames(&[b"one", b"a longer second one"]);
    for end in whole.len() + 1..bytes.len() {
        // Cut short; and at full length, with the rest never written.
        let mut zeroed = bytes[..end].to_vec();
        zeroed.resize(bytes.len(), 0);
        for torn in [bytes[..end].to_vec(), zeroed] {
            let (scan, payloads) = scan(&torn).unwrap();
            assert_eq!((scan.end, scan.next), (whole.len() as u64, 6), "cut at {end}");
            assert_eq!(scan.torn, (torn.len() - whole.len()) as u64);
            assert_eq!(payloads, [b"one"]);
        }
    }
}

#[test]
fn a_bad_frame_before_good_ones_is_damage_at_every_bit() {
    let bytes = frames(&[b"one", b"two", b"three", b"four"]);
    let before_last = bytes.len() - HEAD - 4;
    for at in 0..before_last {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            let error = scan(&damaged).unwrap_err();
            assert!(matches!(error, FileError::Corrupt { .. }), "bit {bit} of byte {at}: {error}");
        }
    }
}

#[test]
fn frames_inside_a_torn_payload_do_not_make_a_crash_look_like_damage() {
    // A record can hold the bytes of a frame of a higher number. Wherever the crash cuts, the tail is torn.
    let inner: Vec<u8> = (0..4).flat_map(|n| KIND.encode(9 + n, b"planted")).collect();
    let payload = [b"before ".as_slice(), &inner, b" and after"].concat();
    let bytes = frames(&[b"one", &payload]);
    let start = frames(&[b"one"]).len();
    let planted = start + HEAD + b"before ".len();
    for end in start + 1..bytes.len() {
        assert_eq!(scan(&bytes[..end]).unwrap().0.end, start as u64, "cut at {end}");
    }
    let mut headless = bytes.clone();
    headless[start..start + HEAD].fill(0);
    assert_eq!(scan(&headless).unwrap().0.end, start as u64);
    headless.truncate(planted + 3);
    assert_eq!(scan(&headless).unwrap().0.end, start as u64);
}

#[test]
fn many_places_that_look_like_a_last_frame_are_left_to_a_person() {
    // Each head claims to reach the end of the file; no checksum holds.
    let kind = FrameKind { magic: *b"TEST", max: 1 << 20 };
    let count = LAST_FRAMES + 2;
    let mut bytes = vec![0; HEAD];
    for at in 0..count {
        let mut head = b"TEST".to_vec();
        head.extend_from_slice(&9u64.to_be_bytes());
        let left = u32::try_from((count - 1 - at) * HEAD).unwrap();
        head.extend_from_slice(&left.to_be_bytes());
        head.extend_from_slice(&[0xff; 4]);
        let check = crc32fast::hash(&head);
        head.extend_from_slice(&check.to_be_bytes());
        bytes.extend_from_slice(&head);
    }
    let storage = MemoryStorage::with_files([(FILE.to_owned(), bytes)].into());
    let error = kind.scan(&storage, FILE, 5, &mut |_, _, _| Ok(())).unwrap_err();
    assert!(matches!(error, FileError::Corrupt { offset: 0, .. }));
}

#[test]
fn more_than_one_frame_of_rubbish_is_never_cut() {
    let mut bytes = frames(&[b"one"]);
    bytes.resize(bytes.len() + HEAD + KIND.max, 0);
    assert_eq!(scan(&bytes).unwrap().0.next, 6);
    bytes.push(0);
    assert!(matches!(scan(&bytes), Err(FileError::Corrupt { .. })));
}

#[test]
fn a_frame_is_read_only_whole_and_under_its_number() {
    let bytes = frames(&[b"one", b"two"]);
    let storage = MemoryStorage::with_files([(FILE.to_owned(), bytes.clone())].into());
    let second = frames(&[b"one"]).len() as u64;
    assert_eq!(KIND.read(&storage, FILE, second, 6).unwrap(), b"two");
    for (offset, number) in [(second, 5), (second + 1, 6), (bytes.len() as u64, 7), (u64::MAX, 6)] {
        let error = KIND.read(&storage, FILE, offset, number).unwrap_err();
        assert!(matches!(error, FileError::Corrupt { .. }), "{offset} {number}: {error}");
    }
}
