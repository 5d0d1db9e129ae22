use super::*;

fn written(disk: &ForgetfulDisk, file: &str) -> Vec<u8> {
    let length = usize::try_from(disk.length(file).unwrap()).unwrap();
    disk.read(file, 0, length).unwrap()
}

#[test]
fn a_crash_leaves_what_was_synced_and_no_more() {
    let disk = ForgetfulDisk::default();
    disk.append("a", b"one").unwrap();
    disk.sync("a").unwrap();
    disk.crash();
    assert!(disk.list().unwrap().is_empty(), "its name was not synced");
    disk.append("a", b"one").unwrap();
    disk.sync("a").unwrap();
    disk.sync_folder().unwrap();
    disk.append("a", b"two").unwrap();
    disk.append("b", b"new").unwrap();
    disk.sync("b").unwrap();
    disk.rename("b", "a").unwrap();
    disk.crash();
    assert_eq!(disk.list().unwrap(), ["a"]);
    assert_eq!(disk.read("a", 0, 3).unwrap(), b"one");
    assert_eq!(disk.length("a").unwrap(), 3);
}

/// A disk with a synced file, whose next write but one breaks.
fn breaking(fate: Fate) -> ForgetfulDisk {
    let disk = ForgetfulDisk::default();
    disk.append("a", b"one").unwrap();
    disk.sync("a").unwrap();
    disk.sync_folder().unwrap();
    disk.break_later(Break { after: 1, fate });
    disk.append("a", b"two").unwrap();
    disk
}

#[test]
fn a_write_that_breaks_is_lost_torn_or_kept_and_everything_after_it_fails() {
    let half = Fate::Torn(32_768);
    for (fate, left) in [(Fate::Lost, "onetwo"), (half, "onetwofo"), (Fate::Kept, "onetwofour")] {
        let disk = breaking(fate);
        assert_eq!(disk.broken(), None);
        assert!(disk.append("a", b"four").is_err());
        assert!(disk.broken().unwrap().starts_with("its write of 4 bytes to a is"));
        assert!(disk.append("a", b"x").is_err() && disk.sync("a").is_err());
        assert!(disk.rename("a", "b").is_err() && disk.remove("a").is_err());
        disk.crash_leaving(Survives::Everything, &mut Seeded::new(1));
        assert_eq!(written(&disk, "a"), left.as_bytes(), "{fate:?}");
        disk.append("a", b"!").unwrap();
    }
}

#[test]
fn a_sync_that_breaks_may_have_done_any_part() {
    for (fate, left) in [(Fate::Lost, "one"), (Fate::Torn(40_000), "onet"), (Fate::Kept, "onetwo")]
    {
        let disk = breaking(fate);
        assert!(disk.sync("a").is_err());
        disk.crash();
        assert_eq!(written(&disk, "a"), left.as_bytes(), "{fate:?}");
    }
}

#[test]
fn a_rename_that_breaks_is_done_or_not() {
    for (fate, left) in [(Fate::Lost, "a"), (Fate::Torn(9), "a"), (Fate::Kept, "b")] {
        let disk = breaking(fate);
        assert!(disk.rename("a", "b").is_err());
        disk.crash_leaving(Survives::Everything, &mut Seeded::new(1));
        assert_eq!(disk.list().unwrap(), [left], "{fate:?}");
    }
}

/// What may survive is what was synced, a part of the rest, and after it perhaps zeros.
#[test]
fn a_crash_may_leave_any_part_of_what_was_not_synced() {
    let (mut lengths, mut zeros, mut renamed) = (std::collections::BTreeSet::new(), 0, 0);
    for seed in 0..200 {
        let disk = ForgetfulDisk::default();
        disk.append("a", b"one").unwrap();
        disk.sync("a").unwrap();
        disk.sync_folder().unwrap();
        disk.append("a", b"four").unwrap();
        disk.rename("a", "b").unwrap();
        disk.crash_leaving(Survives::Some, &mut Seeded::new(seed));
        let names = disk.list().unwrap();
        assert_eq!(names.len(), 1);
        let bytes = written(&disk, &names[0]);
        let whole = bytes.iter().take_while(|byte| **byte != 0).count();
        assert!(bytes.starts_with(b"one") && b"onefour".starts_with(&bytes[..whole]));
        lengths.insert(whole);
        zeros += usize::from(whole < bytes.len());
        renamed += usize::from(names == ["b"]);
    }
    assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6, 7]);
    assert!(zeros > 10 && renamed > 10, "{zeros} with zeros, {renamed} renamed");
}

#[test]
fn what_is_synced_can_be_read_on_from_where_one_was() {
    let disk = ForgetfulDisk::default();
    disk.append("a", b"one").unwrap();
    assert_eq!(disk.synced("a", (0, 0)), None, "its name is not synced");
    disk.sync_folder().unwrap();
    disk.sync("a").unwrap();
    disk.append("a", b"two").unwrap();
    assert_eq!(disk.synced("a", (0, 1)).unwrap().bytes, b"ne");
    disk.sync("a").unwrap();
    assert_eq!(disk.synced("a", (0, 3)).unwrap().bytes, b"two");
    disk.append("b", b"new").unwrap();
    disk.sync("b").unwrap();
    disk.rename("b", "a").unwrap();
    disk.sync_folder().unwrap();
    let part = disk.synced("a", (0, 3)).unwrap();
    assert_eq!((part.file, part.bytes.as_slice()), (1, &b"new"[..]));
}
