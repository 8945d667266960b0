//! Frames on disk: what survives, in which order, and within which bounds.

use binance_orders_to_amqp::spool::{SegmentId, Spool, length};
use bus::{FrameKind, IngestFrame};
use domain::Timestamp;
use std::{fs, path::Path};
use tempfile::TempDir;

const LIMIT: u64 = 1 << 20;

fn frame(n: u64) -> IngestFrame {
    IngestFrame {
        account: "binance:main".parse().unwrap(),
        replica: "a".to_owned(),
        stream: "user-data/1".to_owned(),
        content_type: "application/json".to_owned(),
        received_at: Timestamp::from_millis(n as i64),
        bytes: format!("frame {n}").into_bytes(),
        kind: FrameKind::Account,
    }
}

fn frames(numbers: std::ops::Range<u64>) -> Vec<IngestFrame> {
    numbers.map(frame).collect()
}

fn open(folder: &TempDir, life: &str) -> Spool {
    Spool::open(folder.path(), life, LIMIT).unwrap()
}

/// What a life that was killed has left; its folder's lock went with it.
fn left(folder: &TempDir, life: &str, frames: &[IngestFrame]) {
    open(folder, life).append(frames).unwrap();
}

fn adopt(spool: &mut Spool) -> (Vec<IngestFrame>, Vec<SegmentId>) {
    spool.adopt().unwrap().into_iter().unzip()
}

fn files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path.strip_prefix(folder).unwrap().to_string_lossy().into_owned());
        }
    }
    files.retain(|file| file != "lock");
    files.sort();
    files
}

#[test]
fn what_a_killed_life_has_left_is_adopted_whole_and_in_order_and_deleted_once_published() {
    let folder = tempfile::tempdir().unwrap();
    let odd = IngestFrame {
        account: "binance:a.b%".parse().unwrap(),
        replica: "ä b".to_owned(),
        stream: String::new(),
        bytes: (0..=255).cycle().take(300_000).collect(),
        kind: FrameKind::Opened,
        ..frame(0)
    };
    let sent = [vec![odd], frames(1..50)].concat();
    left(&folder, "one", &sent);
    let mut spool = open(&folder, "two");
    let (adopted, segments) = adopt(&mut spool);
    assert_eq!(adopted, sent);
    spool.settle(segments[0], 49);
    assert_eq!(files(folder.path()).len(), 1, "one frame still waits");
    spool.settle(segments[0], 1);
    assert_eq!(files(folder.path()), [""; 0]);
    assert!(!folder.path().join("one").exists(), "the folder goes with its last file");
    assert_eq!(spool.bytes(), 0);
    drop(spool);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_is_not_published_when_a_life_ends_is_there_for_the_next_one_again() {
    let folder = tempfile::tempdir().unwrap();
    left(&folder, "one", &frames(0..3));
    let mut second = open(&folder, "two");
    let (_, segments) = adopt(&mut second);
    second.settle(segments[0], 2);
    second.append(&frames(3..5)).unwrap();
    drop(second);
    // Those that were published come again: who records them knows them by their ids.
    let (adopted, _) = adopt(&mut open(&folder, "three"));
    assert_eq!(adopted, frames(0..5));
}

#[test]
fn a_life_that_goes_on_keeps_its_frames() {
    let folder = tempfile::tempdir().unwrap();
    let mut living = open(&folder, "one");
    living.append(&frames(0..3)).unwrap();
    let mut other = open(&folder, "two");
    assert_eq!(adopt(&mut other).0, []);
    assert_eq!(adopt(&mut living).0, []);
    drop(living);
    assert_eq!(adopt(&mut other).0, frames(0..3));
}

#[test]
fn a_folder_is_never_larger_than_its_limit_and_empty_when_nothing_waits() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(&folder, "one");
    let one = length(&frame(0));
    let mut waiting = std::collections::VecDeque::new();
    for n in 0..60_000 {
        // A broker that is slower than the venue, now and then.
        while !spool.has_room(one + 8) || (n % 1_000 > 500 && !waiting.is_empty()) {
            let segment = waiting.pop_front().expect("what is published makes room");
            spool.settle(segment, 1);
        }
        waiting.push_back(spool.append(&[frame(n)]).unwrap());
        assert!(spool.bytes() <= LIMIT);
    }
    let on_disk: u64 =
        fs::read_dir(folder.path().join("one")).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
    assert_eq!(on_disk, spool.bytes());
    for segment in waiting {
        spool.settle(segment, 1);
    }
    spool.tidy();
    assert_eq!((spool.bytes(), files(folder.path())), (0, Vec::new()));
}

/// At whatever byte the machine stopped to write.
#[test]
fn a_file_that_ends_anywhere_gives_all_whole_frames_and_is_set_aside_with_the_rest() {
    let sent = frames(0..3);
    let ends: Vec<usize> = (1..=3).map(|n| sent[..n].iter().map(|f| length(f) as usize).sum()).collect();
    let folder = tempfile::tempdir().unwrap();
    left(&folder, "one", &sent);
    let path = folder.path().join("one/000000000001.frames");
    let whole = fs::read(&path).unwrap();
    assert_eq!(whole.len(), ends[2]);
    for cut in 0..=whole.len() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("one")).unwrap();
        fs::write(folder.path().join("one/000000000001.frames"), &whole[..cut]).unwrap();
        let count = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(adopt(&mut open(&folder, "two")).0, sent[..count], "cut at {cut}");
        // Three bytes of a length can all be zero, as what a machine leaves that ends while it writes.
        let start = ends[..count].last().copied().unwrap_or_default();
        let is_kept = files(folder.path()).iter().any(|file| file.ends_with(".damaged"));
        assert_eq!(is_kept, whole[start..cut].iter().any(|byte| *byte != 0), "cut at {cut}");
    }
}

#[test]
fn a_changed_byte_is_never_taken_for_a_frame() {
    let sent = frames(0..2);
    let folder = tempfile::tempdir().unwrap();
    left(&folder, "one", &sent);
    let path = folder.path().join("one/000000000001.frames");
    let whole = fs::read(&path).unwrap();
    for changed in 0..whole.len() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("one")).unwrap();
        let mut content = whole.clone();
        content[changed] ^= 0x15;
        fs::write(folder.path().join("one/000000000001.frames"), &content).unwrap();
        let count = usize::from(changed >= length(&sent[0]) as usize);
        assert_eq!(adopt(&mut open(&folder, "two")).0, sent[..count], "changed at {changed}");
        let aside = folder.path().join("one-000000000001.frames.damaged");
        assert_eq!(fs::read(aside).unwrap(), content, "changed at {changed}");
    }
}

#[test]
fn a_disk_that_takes_nothing_for_a_while_costs_what_comes_meanwhile_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(&folder, "one");
    spool.append(&frames(0..2)).unwrap();
    let (own, aside) = (folder.path().join("one"), folder.path().join("elsewhere"));
    let large = IngestFrame { bytes: vec![0; LIMIT as usize / 16], ..frame(2) };
    spool.append([&large]).unwrap();
    fs::rename(&own, &aside).unwrap();
    spool.append(&frames(3..4)).unwrap_err();
    fs::rename(&aside, &own).unwrap();
    spool.append(&frames(4..5)).unwrap();
    spool.sync().unwrap();
    drop(spool);
    let kept = [frames(0..2), vec![large], frames(4..5)].concat();
    assert_eq!(adopt(&mut open(&folder, "two")).0, kept);
}
