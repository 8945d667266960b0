//! Candle files as streams of text, whatever they are packed in.

use crate::{StoreError, name::Packing};
use flate2::{
    Crc,
    read::{DeflateDecoder, MultiGzDecoder},
};
use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::Path,
};
use zip::{CompressionMethod, ZipArchive};

/// The unpacked text of a file, to be read front to back.
pub type Text = BufReader<Box<dyn Read + Send>>;

const BUFFER: usize = 64 * 1024;

/// # Errors
/// The file cannot be opened or is no archive with one CSV file in it.
pub fn open(path: &Path, packing: Packing) -> Result<Text, StoreError> {
    let file = File::open(path).map_err(|source| unreadable(path, Packing::Plain, source))?;
    let text: Box<dyn Read + Send> = match packing {
        Packing::Plain => Box::new(file),
        Packing::Gzip => Box::new(MultiGzDecoder::new(file)),
        Packing::Zip => unzip(file).map_err(|why| damaged(path, packing, why))?,
    };
    Ok(BufReader::with_capacity(BUFFER, text))
}

/// What a failed read of such a file means.
pub fn unreadable(path: &Path, packing: Packing, source: io::Error) -> StoreError {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match (packing, source.kind()) {
        (Packing::Plain, _) => StoreError::Unreadable { file: path.to_owned(), source },
        (_, InvalidData | InvalidInput | UnexpectedEof) => damaged(path, packing, source.to_string()),
        _ => StoreError::Unreadable { file: path.to_owned(), source },
    }
}

fn damaged(path: &Path, packing: Packing, why: String) -> StoreError {
    let packing = match packing {
        Packing::Plain => "CSV",
        Packing::Gzip => "gzip",
        Packing::Zip => "zip",
    };
    StoreError::Damaged { file: path.to_owned(), packing, why }
}

/// The only CSV file in an archive.
///
/// The `zip` crate hands out a reader that borrows the archive; this one owns the file, so that a
/// series can be kept open, and checks length and checksum as that does.
fn unzip(file: File) -> Result<Box<dyn Read + Send>, String> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| e.to_string())?;
    let names: Vec<usize> = (0..archive.len()).filter(|i| is_csv(&archive, *i)).collect();
    let [index] = names.as_slice() else {
        return Err(format!("it must hold one .csv file, it holds {}", names.len()));
    };
    let entry = archive.by_index_raw(*index).map_err(|e| e.to_string())?;
    if entry.encrypted() {
        return Err("it is encrypted".to_owned());
    }
    let start = entry.data_start().ok_or("its content is nowhere")?;
    let (packed, size, crc) = (entry.compressed_size(), entry.size(), entry.crc32());
    let method = entry.compression();
    drop(entry);
    let mut file = archive.into_inner().into_inner();
    file.seek(SeekFrom::Start(start)).map_err(|e| e.to_string())?;
    let content = file.take(packed);
    let text: Box<dyn Read + Send> = match method {
        CompressionMethod::Stored => Box::new(content),
        CompressionMethod::Deflated => Box::new(DeflateDecoder::new(content)),
        other => return Err(format!("its packing, {other}, is not supported")),
    };
    Ok(Box::new(Checked { text, left: size, wanted: crc, seen: Crc::new() }))
}

fn is_csv(archive: &ZipArchive<BufReader<File>>, index: usize) -> bool {
    archive.name_for_index(index).is_some_and(|name| name.is_ok_and(|name| name.ends_with(".csv")))
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
