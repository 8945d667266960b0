//! Frames on disk until the broker has confirmed them, so that a kill of the process loses none.
//!
//! The spool's folder holds a folder for each life of an ingestor, which it keeps locked; in that lie the
//! segments, files of records in the order in which the frames came. A segment is deleted once all its frames are
//! published. What a life leaves behind is [adopted](Spool::adopt) by the next one that uses the folder.
//!
//! A record is its length behind these four bytes (u32, big-endian), the frame's
//! [`message_id`](IngestFrame::message_id), which is a checksum over all of it, then account, replica, stream, content
//! type and kind, each led by its length (u32), the time of arrival in microseconds (i64), and the frame's bytes.
//!
//! What is appended survives the end of the process at once, that of the machine after [`Spool::sync`].

use bus::{FrameKind, IngestFrame};
use domain::Timestamp;
use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The spool of one ingestor in its present life.
#[derive(Debug)]
pub struct Spool {
    /// Of all lives.
    folder: PathBuf,
    own: Arc<Life>,
    /// Those that are not deleted, oldest first. Appended to is the last one, if it has a file.
    segments: VecDeque<Segment>,
    next: u64,
    limit: u64,
}

/// Which segment a frame is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentId(u64);

/// The folder of one life, locked as long as this is there, and gone behind it if it is empty.
#[derive(Debug)]
struct Life {
    path: PathBuf,
    _lock: File,
}

#[derive(Debug)]
struct Segment {
    id: SegmentId,
    path: PathBuf,
    /// Open to append.
    file: Option<File>,
    /// Frames that are not published.
    waiting: usize,
    bytes: u64,
    /// Whether all of it is safe from the end of the machine.
    synced: bool,
    _life: Arc<Life>,
}

/// Of the limit in one segment: no more lies on disk than so much beside the frames that wait.
const SEGMENTS: u64 = 16;
/// A segment without a waiting frame is deleted when it has come so far, else when nothing happens.
const USED: u64 = 64 << 10;
const LOCK: &str = "lock";
const SEGMENT: &str = "frames";

impl Spool {
    /// Begins a life in `folder`, which is made. `name` must be new; of its characters those that have no place in a
    /// file's name are replaced. On disk lie at most `limit` bytes, which is for the caller to see to with
    /// [`Self::has_room`].
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn open(folder: &Path, name: &str, limit: u64) -> io::Result<Self> {
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let path = folder.join(name);
        // Another may take an empty folder for one that was left, and delete it.
        let mut tries = 0;
        let life = loop {
            fs::create_dir_all(&path)?;
            match Life::lock(&path) {
                Ok(Some(life)) => break life,
                Err(e) if tries == 10 => return Err(e),
                Ok(None) if tries == 10 => return Err(io::Error::from(io::ErrorKind::ResourceBusy)),
                Ok(None) | Err(_) => tries += 1,
            }
        };
        let (own, segments) = (Arc::new(life), VecDeque::new());
        Ok(Self { folder: folder.to_owned(), own, segments, next: 1, limit })
    }

    /// What lives that are over have left: the frames of each in their order.
    ///
    /// A file that cannot be read to its end is set aside, and what can be read of it is given.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn adopt(&mut self) -> io::Result<Vec<(IngestFrame, SegmentId)>> {
        let mut adopted = Vec::new();
        for path in sorted(&self.folder)? {
            if path == self.own.path || !path.is_dir() {
                continue;
            }
            let Some(life) = Life::lock(&path)?.map(Arc::new) else { continue };
            let segments = sorted(&path)?.into_iter();
            for path in segments.filter(|path| path.extension().is_some_and(|e| e == SEGMENT)) {
                let (frames, bytes) = match self.left(&path) {
                    Ok(left) => left,
                    Err(e) => {
                        tracing::error!("frames in {} cannot be read, and stay there: {e}", path.display());
                        continue;
                    }
                };
                let (id, waiting) = (self.take_id(), frames.len());
                let _life = Arc::clone(&life);
                self.segments.push_back(Segment {
                    id,
                    path,
                    file: None,
                    waiting,
                    bytes,
                    synced: true,
                    _life,
                });
                adopted.extend(frames.into_iter().map(|frame| (frame, id)));
            }
        }
        self.delete(|segment| segment.waiting == 0 && segment.file.is_none());
        Ok(adopted)
    }

    /// What a segment holds, and its size.
    fn left(&self, path: &Path) -> io::Result<(Vec<IngestFrame>, u64)> {
        let content = fs::read(path)?;
        let (frames, end) = read(&content);
        // A machine that ends while it writes may leave zeros.
        if content[end..].iter().any(|byte| *byte != 0) {
            self.set_aside(path, end, frames.len())?;
        }
        Ok((frames, content.len() as u64))
    }

    /// Whether so many bytes more keep the limit.
    pub fn has_room(&self, bytes: u64) -> bool {
        self.bytes() + bytes <= self.limit
    }

    /// On disk.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Appends frames behind all others; which segment they are in.
    ///
    /// # Errors
    /// None of them is kept. Those that come later can be: they go into another file.
    pub fn append<'a>(&mut self, frames: impl IntoIterator<Item = &'a IngestFrame>) -> io::Result<SegmentId> {
        let (mut records, mut count) = (Vec::new(), 0);
        for frame in frames {
            write(frame, &mut records);
            count += 1;
        }
        let whole = self.limit / SEGMENTS;
        if self.segments.back().is_none_or(|segment| segment.file.is_none() || segment.bytes >= whole) {
            self.roll()?;
        }
        let Some(Segment { id, file: Some(file), waiting, bytes, synced, .. }) = self.segments.back_mut()
        else {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        };
        *synced = false;
        let written = file.write_all(&records);
        match written {
            Ok(()) => {
                *waiting += count;
                *bytes += records.len() as u64;
                Ok(*id)
            }
            Err(e) => {
                // There may be half a record at its end. What was there before can still be read.
                let half = file.set_len(*bytes);
                tracing::debug!("a half-written record is cut off: {half:?}");
                self.close();
                Err(e)
            }
        }
    }

    /// Everything appended so far survives the end of the machine, too.
    ///
    /// # Errors
    /// It may not.
    pub fn sync(&mut self) -> io::Result<()> {
        for segment in self.segments.iter_mut().filter(|segment| !segment.synced) {
            match &segment.file {
                Some(file) => file.sync_data()?,
                None => File::open(&segment.path)?.sync_data()?,
            }
            segment.synced = true;
        }
        File::open(&self.own.path)?.sync_all()?;
        File::open(&self.folder)?.sync_all()
    }

    /// So many frames of this segment are published, or given up.
    pub fn settle(&mut self, id: SegmentId, count: usize) {
        let used = USED.min(self.limit / SEGMENTS);
        if let Some(segment) = self.segments.iter_mut().find(|segment| segment.id == id) {
            segment.waiting = segment.waiting.saturating_sub(count);
            self.delete(|segment| segment.waiting == 0 && (segment.file.is_none() || segment.bytes >= used));
        }
    }

    /// Deletes all that nobody waits for.
    pub fn tidy(&mut self) {
        self.delete(|segment| segment.waiting == 0);
    }

    fn roll(&mut self) -> io::Result<()> {
        self.close();
        let id = self.take_id();
        let path = self.own.path.join(format!("{:012}.{SEGMENT}", id.0));
        let file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        let _life = Arc::clone(&self.own);
        self.segments.push_back(Segment {
            id,
            path,
            file: Some(file),
            waiting: 0,
            bytes: 0,
            synced: false,
            _life,
        });
        Ok(())
    }

    /// Appends no more to the last segment.
    fn close(&mut self) {
        if let Some(segment) = self.segments.back_mut() {
            segment.file = None;
        }
        self.delete(|segment| segment.waiting == 0);
    }

    fn take_id(&mut self) -> SegmentId {
        self.next += 1;
        SegmentId(self.next - 1)
    }

    fn delete(&mut self, is_over: impl Fn(&Segment) -> bool) {
        self.segments.retain(|segment| {
            let over = is_over(segment);
            if over && let Err(e) = fs::remove_file(&segment.path) {
                // It is published again by the next life, and known by then.
                tracing::warn!("{} cannot be deleted: {e}", segment.path.display());
            }
            !over
        });
    }

    fn set_aside(&self, path: &Path, end: usize, frames: usize) -> io::Result<()> {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let life = path.parent().map(name).unwrap_or_default();
        let aside = self.folder.join(format!("{life}-{}.damaged", name(path)));
        fs::copy(path, &aside)?;
        tracing::error!(
            "{} cannot be read from byte {end} on: {frames} frames before that are published, and the file is kept as {}",
            path.display(),
            aside.display()
        );
        Ok(())
    }
}

impl Life {
    /// `None` while another process lives there.
    fn lock(path: &Path) -> io::Result<Option<Self>> {
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { path: path.to_owned(), _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let is_empty = sorted(&self.path).is_ok_and(|files| files.iter().all(|file| file.ends_with(LOCK)));
        if is_empty {
            // A folder that stays costs nothing.
            let _ = fs::remove_file(self.path.join(LOCK));
            let _ = fs::remove_dir(&self.path);
        }
    }
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}

/// The bytes of a frame's record.
pub fn length(frame: &IngestFrame) -> u64 {
    let mut record = Vec::with_capacity(256 + frame.bytes.len());
    write(frame, &mut record);
    record.len() as u64
}

fn write(frame: &IngestFrame, records: &mut Vec<u8>) {
    let start = records.len();
    records.extend([0; 4]);
    records.extend(frame.message_id().as_bytes());
    let account = frame.account.to_string();
    for part in [&account, &frame.replica, &frame.stream, &frame.content_type, frame.kind.as_str()] {
        records.extend(size(part.len()));
        records.extend(part.as_bytes());
    }
    records.extend(frame.received_at.micros().to_be_bytes());
    records.extend(&frame.bytes);
    let length = size(records.len() - start - 4);
    records[start..start + 4].copy_from_slice(&length);
}

/// No part of a frame has 4 GB: sockets take less.
fn size(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// The frames at the beginning of a segment, and where what is no whole record begins.
fn read(content: &[u8]) -> (Vec<IngestFrame>, usize) {
    let (mut frames, mut rest) = (Vec::new(), content);
    while let Some((record, behind)) = part(rest) {
        let Some(frame) = frame(record) else { break };
        frames.push(frame);
        rest = behind;
    }
    (frames, content.len() - rest.len())
}

fn frame(record: &[u8]) -> Option<IngestFrame> {
    let (id, mut rest) = record.split_at_checked(32)?;
    let mut text = || {
        let (text, behind) = part(rest)?;
        rest = behind;
        std::str::from_utf8(text).ok()
    };
    let account = text()?.parse().ok()?;
    let (replica, stream, content_type) = (text()?.to_owned(), text()?.to_owned(), text()?.to_owned());
    let kind = FrameKind::parse(text()?)?;
    let (received, bytes) = rest.split_first_chunk::<8>()?;
    let received_at = Timestamp::from_micros(i64::from_be_bytes(*received));
    let frame =
        IngestFrame { account, replica, stream, content_type, received_at, bytes: bytes.to_vec(), kind };
    (frame.message_id().as_bytes() == id).then_some(frame)
}

/// What is led by its length, and what is behind it.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}
