use crate::{binance, folder, gzip, open, zip};
use market_store::{Ahead, Store};
use tempfile::TempDir;
use zip::CompressionMethod;

const HOUR: i64 = 3_600_000;
const DAY_2024: i64 = 1_704_067_200_000;

/// Rows of Binance's archives: 12 columns, times in ms times `unit`.
fn klines(from: i64, rows: i64, unit: i64) -> String {
    (0..rows)
        .map(|i| {
            let open = (from + i * HOUR) * unit;
            let close = (from + (i + 1) * HOUR) * unit - 1;
            format!("{open},{i}1.50000000,{i}3.00000000,{i}1.00000000,{i}2.25000000,10.50000000,{close},1.0,5,1,1,0\n")
        })
        .collect()
}

/// Each series in a line, and the opens of its candles as read.
fn told(folder: &TempDir) -> String {
    let store = match open(folder) {
        Ok(store) => store,
        Err(why) => return why.to_string().replace(&*folder.path().to_string_lossy(), "DIR"),
    };
    let mut out = String::new();
    for s in &store.series {
        let opens: Vec<String> =
            s.read().map(|c| c.unwrap()).map(|c| format!("{}@{}", c.open, c.open_time.minute())).collect();
        let span = format!("{}..{}", s.first.minute(), s.last.minute());
        let decimals = format!("{}/{}", s.price_decimals, s.volume_decimals);
        out += &format!("{} {} {span} {decimals}: {}\n", s.instrument, s.interval, opens.join(" "));
        assert_eq!(s.rows, opens.len() as u64);
    }
    for ignored in &store.ignored {
        let name = ignored.path.file_name().unwrap().to_string_lossy();
        let why = ignored.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        out += &format!("ignored {name}{why}\n");
    }
    out
}

fn check(files: &[(&str, &[u8])], expected: &str) {
    assert_eq!(told(&folder(files)), expected);
}

#[test]
fn a_plain_file_with_a_header_is_read() {
    check(
        &[(
            "BTCUSDT-1d.csv",
            b"open_time_ms,open,high,low,close,volume,trades\n\
              1704067200000,42283.58,44184.1,42180.77,44179.550,27174.29903,9\n\
              1704153600000,44179.55,45879.63,44148.34,44946.91,65146.40661,9\n",
        )],
        "binance:spot:BTCUSDT 1d 2024-01-01 00:00..2024-01-02 00:00 2/5: 42283.58@2024-01-01 00:00 44179.55@2024-01-02 00:00\n",
    );
}

#[test]
fn the_same_rows_come_out_of_every_packing() {
    let text = klines(DAY_2024, 2, 1);
    let expected = "binance:spot:AUSDT 1h 2024-01-01 00:00..2024-01-01 01:00 2/1: 1.5@2024-01-01 00:00 11.5@2024-01-01 01:00\n";
    let header = "open_time,open,high,low,close,volume,close_time,quote_volume,count,b,q,ignore\n";
    let member = "AUSDT-1h-2024-01.csv";
    for (name, content) in [
        (member, text.clone().into_bytes()),
        (member, format!("{header}{text}").into_bytes()),
        (member, format!("\u{feff}{header}{text}").replace('\n', "\r\n").into_bytes()),
        (member, text.trim_end().as_bytes().to_vec()),
        (member, format!("{text}\n\n").into_bytes()),
        ("AUSDT-1h.csv.gz", gzip(&text)),
        ("AUSDT-1h.csv.gz", [gzip(&text[..50]), gzip(&text[50..])].concat()),
        ("AUSDT-1h-2024-01.zip", zip(&[(member, &text)], CompressionMethod::Deflated)),
        ("AUSDT-1h-2024-01.zip", zip(&[(member, &text)], CompressionMethod::Stored)),
        ("AUSDT-1h-2024-01.zip", zip(&[("README.md", "x"), (member, &text)], CompressionMethod::Deflated)),
    ] {
        check(&[(name, &content)], expected);
    }
}

#[test]
fn archives_of_one_series_are_read_in_the_order_of_their_dates() {
    check(
        &[
            ("AUSDT-1h-2024-02-01.csv", klines(DAY_2024 + 31 * 24 * HOUR, 1, 1).as_bytes()),
            ("AUSDT-1h-2024-01.csv", klines(DAY_2024, 2, 1).as_bytes()),
            ("AUSDT-1h-2025-01.csv", klines(DAY_2024 + 366 * 24 * HOUR, 1, 1_000).as_bytes()),
            ("AUSDT-4h-2024-01.csv", klines(DAY_2024, 1, 1).as_bytes()),
        ],
        "binance:spot:AUSDT 1h 2024-01-01 00:00..2025-01-01 00:00 2/1: 1.5@2024-01-01 00:00 11.5@2024-01-01 01:00 \
         1.5@2024-02-01 00:00 1.5@2025-01-01 00:00\n\
         binance:spot:AUSDT 4h 2024-01-01 00:00..2024-01-01 00:00 2/1: 1.5@2024-01-01 00:00\n",
    );
}

#[test]
fn milliseconds_and_microseconds_may_mix_in_one_file() {
    let text = format!("{}{}", klines(DAY_2024, 1, 1), klines(DAY_2024 + HOUR, 1, 1_000));
    check(
        &[("AUSDT-1h-2024-01.csv", text.as_bytes())],
        "binance:spot:AUSDT 1h 2024-01-01 00:00..2024-01-01 01:00 2/1: 1.5@2024-01-01 00:00 1.5@2024-01-01 01:00\n",
    );
}

#[test]
fn other_files_are_ignored_and_named() {
    check(
        &[("AUSDT-1h.csv", klines(DAY_2024, 1, 1).as_bytes()), ("notes.txt", b"x"), ("BTC.csv", b"x")],
        "binance:spot:AUSDT 1h 2024-01-01 00:00..2024-01-01 00:00 2/1: 1.5@2024-01-01 00:00\n\
         ignored BTC.csv: its name says no interval\nignored notes.txt\n",
    );
}

#[test]
fn a_malformed_row_is_named_by_file_and_line() {
    let good = klines(DAY_2024, 2, 1);
    let file = "AUSDT-1h.csv";
    for (row, why) in [
        ("1,2,3\n", "has 3 columns where the first line has 12"),
        ("7\n", "has 1 column where the first line has 12"),
        (
            "x,1,1,1,1,1,1,1,1,1,1,0\n",
            "open_time 'x' is no time: write milliseconds since 1970, or 2024-01-31T00:00:00Z",
        ),
        ("1704074400000,1,1,1,zero,1,1,1,1,1,1,0\n", "close 'zero' is not a decimal number"),
        ("1704074400000,1,1,0,1,1,1,1,1,1,1,0\n", "low is 0: a price must be greater than zero"),
    ] {
        for file in [file, "AUSDT-1h.csv.gz"] {
            let text = format!("{good}{row}{good}");
            let content = if file.ends_with("gz") { gzip(&text) } else { text.into_bytes() };
            check(&[(file, &content)], &format!("DIR/{file}, line 3: {why}"));
        }
    }
    check(
        &[(file, b"open_time,open,high,low,close\n")],
        "DIR/AUSDT-1h.csv: holds no candle; remove it or fetch it again",
    );
    check(
        &[(file, b"1704067200000,1,1,1,1\n")],
        "DIR/AUSDT-1h.csv, line 1: has 5 columns; open_time,open,high,low,close,volume are needed",
    );
    check(
        &[(file, &[b'7'; 10_000])],
        "DIR/AUSDT-1h.csv, line 1: is longer than 4096 bytes; this is no candle file",
    );
}

#[test]
fn columns_are_found_by_their_names() {
    check(
        &[("AUSDT-1h.csv", b"open_time,high,open,low,close,volume\n1704067200000,2,1,1,1,1\n")],
        "binance:spot:AUSDT 1h 2024-01-01 00:00..2024-01-01 00:00 0/0: 1@2024-01-01 00:00\n",
    );
    check(
        &[("AUSDT-1h.csv", b"time,first,max,min,last\n1704067200000,2,1,1,1\n")],
        "DIR/AUSDT-1h.csv, line 1: the header names no column open (it is 'time,first,max,min,last'): name the columns \
         open_time (or timestamp, date, unix), open, high, low, close, volume, in any order",
    );
}

#[test]
fn damaged_archives_are_refused() {
    let text = klines(DAY_2024, 400, 1);
    let packed = gzip(&text);
    let file = "AUSDT-1h.csv.gz";
    let told_of = |content: &[u8]| told(&folder(&[(file, content)]));
    assert!(told_of(&packed[..packed.len() / 2]).contains("is no sound gzip file"), "cut short");
    assert!(told_of(b"no gzip at all").contains("holds no candle"));
    check(
        &[(file, klines(DAY_2024, 1, 1).as_bytes())],
        "binance:spot:AUSDT 1h 2024-01-01 00:00..2024-01-01 00:00 2/1: 1.5@2024-01-01 00:00\n",
    );

    let archive = "AUSDT-1h-2024-01.zip";
    let told_of = |content: &[u8]| told(&folder(&[(archive, content)]));
    let packed = zip(&[("a.csv", &text)], CompressionMethod::Stored);
    assert!(told_of(&packed[..packed.len() / 2]).contains("is no sound zip file"));
    let mut flipped = packed.clone();
    let digit = flipped.windows(5).position(|w| w == b"21.50").unwrap();
    flipped[digit] = b'9';
    assert!(told_of(&flipped).contains("its checksum is wrong"), "{}", told_of(&flipped));
    let two = zip(&[("a.csv", &text), ("b.csv", &text)], CompressionMethod::Deflated);
    assert!(told_of(&two).contains("holds 2 files (a.csv, b.csv): put each into an archive of its own"));
    let encrypted = {
        let mut bytes = packed.clone();
        let central = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        bytes[central + 8] |= 1;
        bytes
    };
    assert!(told_of(&encrypted).contains("is encrypted: pack it anew"), "{}", told_of(&encrypted));
}

#[test]
fn nothing_to_read_is_an_error_that_says_what_is_expected() {
    let missing = Store::open(std::path::Path::new("nowhere/at-all"), binance()).unwrap_err().to_string();
    assert_eq!(missing, "nowhere/at-all: there is no such file or folder");
    assert!(
        told(&folder(&[]))
            .starts_with("DIR: the folder is empty; put candle files into it; name candle files")
    );
    let many: Vec<String> = (0..7).map(|i| format!("{i}.txt")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|n| (n.as_str(), &b"x"[..])).collect();
    let unknown = told(&folder(&many));
    assert!(unknown.contains("(found 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 2 more)"), "{unknown}");
    assert!(unknown.contains("BTCUSDT-1h.csv.gz") && unknown.contains("BTCUSDT-1h-2024-01.zip"), "{unknown}");
    check(
        &[("AUSDT-1h.csv", b"open_time,open,high,low,close,volume\n")],
        "DIR/AUSDT-1h.csv: holds no candle; remove it or fetch it again",
    );
}

#[test]
fn the_same_candles_in_two_files_are_refused() {
    let text = klines(DAY_2024, 1, 1);
    check(
        &[
            ("AUSDT-1h-2024-01.csv", text.as_bytes()),
            ("AUSDT-1h-2024-01.zip", &zip(&[("a.csv", &text)], CompressionMethod::Deflated)),
        ],
        "DIR/AUSDT-1h-2024-01.csv and DIR/AUSDT-1h-2024-01.zip are of the same series; remove one of them",
    );
}

#[test]
fn one_file_is_read_by_itself() {
    let folder =
        folder(&[("AUSDT-1h.csv", klines(DAY_2024, 1, 1).as_bytes()), ("BUSDT-1h.csv", b"not looked at")]);
    let store = Store::open(&folder.path().join("AUSDT-1h.csv"), binance()).unwrap();
    assert_eq!(store.series.len(), 1);
    assert!(store.ignored.is_empty());
}

#[test]
fn rules_are_inferred_from_the_recorded_figures() {
    let mut rows = String::from("open_time,open,high,low,close,volume\n");
    for i in 0..200_i64 {
        // One row in 200 is an average that somebody has filled a hole with.
        let open = if i == 7 { "1.23456789012345".to_owned() } else { format!("1.{:03}", i + 1) };
        rows += &format!("{},{open},2,1,1.5,0.0000000001\n", DAY_2024 + i * HOUR);
    }
    let folder = folder(&[
        ("XYZUSDC-1h.csv", rows.as_bytes()),
        ("XYZUSDC-1d.csv", b"open_time,open,high,low,close,volume\n1704067200000,1.2345,2,1,1.5,7\n"),
    ]);
    let store = open(&folder).unwrap();
    let rules = &store.rules()[&"binance:spot:XYZUSDC".parse().unwrap()];
    assert_eq!(format!("{} {}", rules.base, rules.quote), "XYZ USDC");
    assert_eq!(rules.tick_size.to_string(), "0.0001", "the finer series counts, the average does not");
    assert_eq!(rules.lot_size.to_string(), "0.00000001", "at most 8 decimals");
    assert_eq!(rules.min_notional.to_string(), "5");
}

#[test]
fn a_tick_finer_than_binances_is_one_that_orders_can_have() {
    for (price, tick) in [
        ("0.000000001234", "0.000000000001"),
        ("0.00000000123", "0.00000000001"),
        ("0.30000000000000004", "0.000000000001"),
        ("0.00001234", "0.00000001"),
    ] {
        let row = format!(
            "open_time,open,high,low,close,volume\n1704067200000,{price},{price},{price},{price},7\n"
        );
        let folder = folder(&[("XYZUSDT-1d.csv", row.as_bytes())]);
        let store = open(&folder).unwrap();
        let rules = &store.rules()[&"binance:spot:XYZUSDT".parse().unwrap()];
        assert_eq!(rules.tick_size.to_string(), tick);
        assert!(rules.quote_precision >= rules.tick_size.scale() && rules.quote_precision >= 8, "{price}");
    }
}

#[test]
fn a_symbol_without_a_known_quote_asset_needs_an_exchange_info() {
    let row: &[u8] = b"1704067200000,1,1,1,1,1\n";
    check(
        &[("FOOBAR-1h.csv", row)],
        "FOOBAR: its quote asset is not known by its name; put Binance's exchangeInfo.json into the folder",
    );
    let info = br#"{"symbols":[{"symbol":"FOOBAR","baseAsset":"FOO","quoteAsset":"BAR","filters":[
        {"filterType":"PRICE_FILTER","tickSize":"0.05"},{"filterType":"LOT_SIZE","stepSize":"10"}]}]}"#;
    for (name, content) in
        [("exchangeInfo.json", info.to_vec()), ("exchangeInfo.json.gz", gzip(&String::from_utf8_lossy(info)))]
    {
        let store = open(&folder(&[("FOOBAR-1h.csv", row), (name, &content)])).unwrap();
        let rules = &store.rules()[&"binance:spot:FOOBAR".parse().unwrap()];
        assert_eq!(format!("{} {} {}", rules.quote, rules.tick_size, rules.lot_size), "BAR 0.05 10");
        assert!(store.ignored.is_empty());
    }
    check(
        &[("FOOBAR-1h.csv", row), ("exchangeInfo.json", b"<html>")],
        "DIR/exchangeInfo.json: is no exchange info (expected value at line 1 column 1); \
         save the answer of Binance's GET /api/v3/exchangeInfo",
    );
}

#[test]
fn nothing_follows_an_error() {
    let folder = folder(&[("AUSDT-1h.csv", klines(DAY_2024, 3, 1).as_bytes())]);
    let store = open(&folder).unwrap();
    std::fs::write(folder.path().join("AUSDT-1h.csv"), "1704067200000,1,1,1,1,1,1,1,1,1,1,0\nbroken\n")
        .unwrap();
    let mut candles = store.series[0].read();
    assert!(candles.next().unwrap().is_ok());
    assert!(candles.next().unwrap().unwrap_err().to_string().contains("line 2"));
    assert!(candles.next().is_none());
}

#[test]
fn reading_ahead_gives_the_same_candles_and_the_same_error() {
    let folder = folder(&[("AUSDT-1h.csv", klines(DAY_2024, 3_000, 1).as_bytes())]);
    let series = open(&folder).unwrap().series.remove(0);
    let all = |candles: &mut dyn Iterator<Item = Result<events::Candle, market_store::StoreError>>| {
        candles.map(|c| c.map_err(|e| e.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(all(&mut Ahead::new(series.read())), all(&mut series.read()));
    assert_eq!(Ahead::new(series.read()).count(), 3_000);
    let mut left = Ahead::new(series.read());
    assert!(left.next().is_some());
    drop(left);

    let broken = format!("{}oops\n", klines(DAY_2024, 2_000, 1));
    std::fs::write(folder.path().join("AUSDT-1h.csv"), broken).unwrap();
    let told = all(&mut Ahead::new(series.read()));
    assert_eq!(told, all(&mut series.read()));
    assert!(told.last().unwrap().as_ref().unwrap_err().contains("line 2001"));
}
