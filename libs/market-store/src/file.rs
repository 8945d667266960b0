//! Candle files as streams of text, whatever they are packed in.
//!
//! What a file is packed in is told by its first bytes (RFC 1952; PKWARE's APPNOTE 4.3.7), not by its name:
//! browsers unpack `.gz` files on the way and keep the name.

use crate::{StoreError, name::Named};
use flate2::{Crc, bufread::GzDecoder, read::DeflateDecoder};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
};
use zip::{CompressionMethod, ZipArchive};

/// The unpacked text of a file, to be read front to back.
pub type Text = BufReader<Box<dyn Read + Send>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Plain,
    Gzip,
    Zip,
}

const BUFFER: usize = 64 * 1024;

/// # Errors
/// The file cannot be opened, or is an archive that does not hold one CSV file.
pub fn open(path: &Path) -> Result<(Text, Packing), StoreError> {
    let unreadable = |source| StoreError::Unreadable { file: path.to_owned(), source };
    let mut file = File::open(path).map_err(unreadable)?;
    let packing = packing(&mut file).map_err(unreadable)?;
    let text: Box<dyn Read + Send> = match packing {
        Packing::Plain => Box::new(file),
        Packing::Gzip => {
            Box::new(Members { member: Some(GzDecoder::new(BufReader::with_capacity(BUFFER, file))) })
        }
        Packing::Zip => unzip(path, file)?,
    };
    Ok((BufReader::with_capacity(BUFFER, text), packing))
}

/// The unpacked text as a file, so that it can be read from its end. What is packed is unpacked into a
/// temporary file, which is gone with the handle.
///
/// # Errors
/// As [`open`]; or the temporary file cannot be written.
pub fn open_seekable(path: &Path) -> Result<(File, Packing), StoreError> {
    let (mut text, packing) = open(path)?;
    let unreadable = |source| StoreError::Unreadable { file: path.to_owned(), source };
    if packing == Packing::Plain {
        return Ok((File::open(path).map_err(unreadable)?, packing));
    }
    let spool = |source| StoreError::Unpacking { file: path.to_owned(), source };
    let mut unpacked = tempfile::tempfile().map_err(spool)?;
    loop {
        let part = text.fill_buf().map_err(|source| unreadable_packed(path, packing, source))?;
        if part.is_empty() {
            break;
        }
        unpacked.write_all(part).map_err(spool)?;
        let read = part.len();
        text.consume(read);
    }
    Ok((unpacked, packing))
}

/// What a failed read of such a file means.
pub fn unreadable_packed(path: &Path, packing: Packing, source: io::Error) -> StoreError {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match (packing, source.kind()) {
        (Packing::Plain, _) => StoreError::Unreadable { file: path.to_owned(), source },
        (_, InvalidData | InvalidInput | UnexpectedEof) => damaged(path, packing, source.to_string()),
        _ => StoreError::Unreadable { file: path.to_owned(), source },
    }
}

fn packing(file: &mut File) -> io::Result<Packing> {
    let mut first = [0; 4];
    let mut read = 0;
    while read < first.len() {
        match file.read(&mut first[read..])? {
            0 => break,
            n => read += n,
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(match first {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        // An entry, or the end of an archive without any.
        [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => Packing::Zip,
        _ => Packing::Plain,
    })
}

fn damaged(path: &Path, packing: Packing, why: String) -> StoreError {
    let packing = match packing {
        Packing::Plain => "CSV",
        Packing::Gzip => "gzip",
        Packing::Zip => "zip",
    };
    StoreError::Damaged { file: path.to_owned(), packing, why }
}

/// The members of a gzip file, one behind the other. As for `gzip`, zeros behind the last one are its end.
struct Members {
    member: Option<GzDecoder<BufReader<File>>>,
}

impl Read for Members {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(member) = &mut self.member else { return Ok(0) };
            let n = member.read(buf)?;
            if n > 0 || buf.is_empty() {
                return Ok(n);
            }
            let Some(mut rest) = self.member.take().map(GzDecoder::into_inner) else { return Ok(0) };
            if !is_over(&mut rest)? {
                self.member = Some(GzDecoder::new(rest));
            }
        }
    }
}

/// Whether nothing but zeros follows. Where another member begins nothing is taken.
fn is_over(rest: &mut impl BufRead) -> io::Result<bool> {
    if rest.fill_buf()?.first().is_some_and(|byte| *byte != 0) {
        return Ok(false);
    }
    loop {
        let part = rest.fill_buf()?;
        if part.is_empty() {
            return Ok(true);
        }
        if part.iter().any(|byte| *byte != 0) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "something follows the zeros behind its end",
            ));
        }
        let read = part.len();
        rest.consume(read);
    }
}

/// The only CSV file in an archive.
///
/// The `zip` crate hands out a reader that borrows the archive; this one owns the file, so that a
/// series can be kept open, and checks length and checksum as that does.
fn unzip(path: &Path, file: File) -> Result<Box<dyn Read + Send>, StoreError> {
    let damaged = |why: String| damaged(path, Packing::Zip, why);
    let unusable = |why: String| StoreError::Archive { file: path.to_owned(), why };
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| damaged(e.to_string()))?;
    let index = only_file(&archive).map_err(unusable)?;
    let inner = archive.name_for_index(index).and_then(Result::ok).unwrap_or_default().into_owned();
    is_named_alike(path, Path::new(&inner)).map_err(unusable)?;
    let entry = archive.by_index_raw(index).map_err(|e| damaged(e.to_string()))?;
    if entry.encrypted() {
        return Err(unusable("is encrypted: pack it anew without a password".to_owned()));
    }
    let start = entry.data_start().ok_or_else(|| damaged("its content is nowhere".to_owned()))?;
    let (packed, size, crc) = (entry.compressed_size(), entry.size(), entry.crc32());
    let method = entry.compression();
    drop(entry);
    let mut file = archive.into_inner().into_inner();
    file.seek(SeekFrom::Start(start)).map_err(|e| damaged(e.to_string()))?;
    let content = file.take(packed);
    let text: Box<dyn Read + Send> = match method {
        CompressionMethod::Stored => Box::new(content),
        CompressionMethod::Deflated => Box::new(DeflateDecoder::new(content)),
        other => {
            return Err(unusable(format!(
                "is packed with {other}, which is not read: pack it anew with deflate"
            )));
        }
    };
    Ok(Box::new(Checked { text, left: size, wanted: crc, seen: Crc::new() }))
}

/// A name within an archive may say less than the archive's own, but nothing else.
///
/// # Errors
/// Both name candles, and not the same.
fn is_named_alike(archive: &Path, inner: &Path) -> Result<(), String> {
    let (Named::Candles(outer), Named::Candles(within)) = (Named::of(archive), Named::of(inner)) else {
        return Ok(());
    };
    if (outer.symbol, outer.interval) == (within.symbol, within.interval) {
        return Ok(());
    }
    let (symbol, interval) = (within.symbol, within.interval);
    Err(format!(
        "holds {}, by its name candles of {symbol} {interval}: name the archive after it, or pack the right file",
        inner.display()
    ))
}

/// The index of the only CSV file; of the only file at all where none is called so.
fn only_file(archive: &ZipArchive<BufReader<File>>) -> Result<usize, String> {
    let name = |index: usize| archive.name_for_index(index).and_then(Result::ok).unwrap_or_default();
    let files: Vec<usize> = (0..archive.len()).filter(|index| is_file(&name(*index))).collect();
    let is_csv = |index: &usize| name(*index).to_ascii_lowercase().ends_with(".csv");
    let csv: Vec<usize> = files.iter().copied().filter(is_csv).collect();
    match (csv.as_slice(), files.as_slice()) {
        ([one], _) | ([], [one]) => Ok(*one),
        ([], []) => Err("holds no .csv file: put one into it".to_owned()),
        ([], many) | (many, _) => {
            let names: Vec<_> = many.iter().take(3).map(|index| name(*index).into_owned()).collect();
            let more = if many.len() > names.len() { ", …" } else { "" };
            let count = many.len();
            Err(format!(
                "holds {count} files ({}{more}): put each into an archive of its own",
                names.join(", ")
            ))
        }
    }
}

/// Neither a folder nor what a Mac adds beside each file (its resource forks).
fn is_file(name: &str) -> bool {
    let mut parts = name.split(['/', '\\']);
    let last = parts.next_back().unwrap_or_default();
    !last.is_empty() && !last.starts_with('.') && !parts.any(|part| part == "__MACOSX")
}

/// Fails at its end if it was not what the archive says.
struct Checked {
    text: Box<dyn Read + Send>,
    left: u64,
    wanted: u32,
    seen: Crc,
}

impl Read for Checked {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.text.read(buf)?;
        self.seen.update(&buf[..n]);
        self.left = self
            .left
            .checked_sub(n as u64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is longer than it says"))?;
        if n == 0 && !buf.is_empty() {
            if self.left > 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is shorter than it says"));
            }
            if self.seen.sum() != self.wanted {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is wrong"));
            }
        }
        Ok(n)
    }
}
