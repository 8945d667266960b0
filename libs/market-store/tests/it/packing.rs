//! Archives that other programs read, and those that they refuse.

use crate::{folder, gzip, open, zip};
use std::io::{Cursor, Write};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const TEXT: &str = "1704067200000,1,2,1,2,7\n1704153600000,2,3,2,3,8\n";

/// Rows read, or why none.
fn told(name: &str, content: &[u8]) -> String {
    let folder = folder(&[(name, content)]);
    match open(&folder) {
        Ok(store) => store.rows().to_string(),
        Err(why) => why.to_string().replace(&*folder.path().to_string_lossy(), "DIR"),
    }
}

#[test]
fn zeros_behind_a_gzip_file_are_its_end() {
    let whole = gzip(TEXT);
    for zeros in [1, 7, 511, 100_000] {
        assert_eq!(told("AUSDT-1d.csv.gz", &[whole.clone(), vec![0; zeros]].concat()), "2", "{zeros}");
    }
    let members = [gzip(&TEXT[..24]), gzip(&TEXT[24..]), vec![0; 512]].concat();
    assert_eq!(told("AUSDT-1d.csv.gz", &members), "2");
    assert_eq!(told("AUSDT-1d.csv.gz", &[gzip(""), whole.clone()].concat()), "2");
    for rest in [&b"\0\0x"[..], b"x", b"\x1f\x8b"] {
        let told = told("AUSDT-1d.csv.gz", &[&whole, rest].concat());
        assert!(told.contains("is no sound gzip file"), "{rest:?}: {told}");
    }
}

#[test]
fn what_a_file_is_packed_in_is_told_by_its_content() {
    assert_eq!(told("AUSDT-1d.csv", &gzip(TEXT)), "2");
    assert_eq!(told("AUSDT-1d.csv.gz", TEXT.as_bytes()), "2");
    let zipped = zip(&[("AUSDT-1d.csv", TEXT)], CompressionMethod::Deflated);
    for name in ["AUSDT-1d.csv", "AUSDT-1d.csv.zip", "AUSDT-1d.zip", "AUSDT-1d.ZIP"] {
        assert_eq!(told(name, &zipped), "2", "{name}");
    }
}

#[test]
fn an_archive_that_holds_candles_of_another_name_is_refused() {
    for (inner, why) in [
        ("BUSDT-1d.csv", "holds BUSDT-1d.csv, by its name candles of BUSDT 1d"),
        ("AUSDT-1h.csv", "candles of AUSDT 1h"),
    ] {
        let told = told("AUSDT-1d.zip", &zip(&[(inner, TEXT)], CompressionMethod::Deflated));
        assert!(told.contains(why) && told.contains("name the archive after it"), "{told}");
    }
    for inner in ["AUSDT-1d.csv", "A_USDT-1d.csv", "AUSDT-1d-2024-01.csv", "export.csv"] {
        assert_eq!(told("AUSDT-1d.zip", &zip(&[(inner, TEXT)], CompressionMethod::Deflated)), "2", "{inner}");
    }
}

#[test]
fn what_a_mac_adds_to_an_archive_is_left_out() {
    let mac = [("AUSDT-1d-2024-01.csv", TEXT), ("__MACOSX/._AUSDT-1d-2024-01.csv", "\0\u{5}\u{16}\u{7}")];
    assert_eq!(told("AUSDT-1d-2024-01.zip", &zip(&mac, CompressionMethod::Deflated)), "2");
    for files in [
        &[("candles/AUSDT-1d.csv", TEXT), ("candles/._AUSDT-1d.csv", "x"), ("candles/.DS_Store", "x")][..],
        &[("AUSDT-1d.CSV", TEXT)],
        &[("data", TEXT)],
        &[("readme.txt", "x"), ("AUSDT-1d.Csv", TEXT)],
    ] {
        assert_eq!(told("AUSDT-1d.zip", &zip(files, CompressionMethod::Stored)), "2", "{files:?}");
    }
    for (files, why) in [
        (
            &[("a.csv", TEXT), ("b.CSV", TEXT)][..],
            "holds 2 files (a.csv, b.CSV): put each into an archive of its own",
        ),
        (&[("a.txt", TEXT), ("b.txt", TEXT)], "holds 2 files (a.txt, b.txt)"),
        (&[("__MACOSX/._a.csv", "x")], "holds no .csv file: put one into it"),
    ] {
        let told = told("AUSDT-1d.zip", &zip(files, CompressionMethod::Deflated));
        assert!(told.contains(why) && !told.contains("no sound"), "{told}");
    }
}

#[test]
fn zips_of_every_make_are_read() {
    // Zip64, a folder of its own, an entry that was streamed (its length behind it), and a remark in front.
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    out.add_directory("candles/", SimpleFileOptions::default()).unwrap();
    out.start_file("candles/AUSDT-1d.csv", SimpleFileOptions::default().large_file(true)).unwrap();
    out.write_all(TEXT.as_bytes()).unwrap();
    let zip64 = out.finish().unwrap().into_inner();
    assert_eq!(told("AUSDT-1d.zip", &zip64), "2");

    let mut out = ZipWriter::new_stream(Vec::new());
    out.start_file("AUSDT-1d.csv", SimpleFileOptions::default()).unwrap();
    out.write_all(TEXT.as_bytes()).unwrap();
    let streamed = out.finish().unwrap().into_inner();
    assert!(streamed.windows(4).any(|w| w == b"PK\x07\x08"), "its length stands behind it");
    assert_eq!(told("AUSDT-1d.zip", &streamed), "2");
}
