//! Files as other programs write them, each with what becomes of it.

use crate::{folder, open};
use domain::Timestamp;

/// The folder's only series: `BASE/QUOTE interval, rows, first and last row`; or why it is refused.
fn told(name: &str, content: &[u8]) -> String {
    let folder = folder(&[(name, content)]);
    let store = match open(&folder) {
        Ok(store) => store,
        Err(why) => return why.to_string().replace(&*folder.path().to_string_lossy(), "DIR"),
    };
    let [series] = store.series.as_slice() else { return format!("{} series", store.series.len()) };
    let rules = &store.rules()[&series.instrument];
    let candles: Vec<_> = series.read().map(|candle| candle.unwrap()).collect();
    let row = |c: &events::Candle| {
        format!("{} {} {} {} {} {}", minute(c.open_time), c.open, c.high, c.low, c.close, c.volume)
    };
    let (first, last) = (row(&candles[0]), row(&candles[candles.len() - 1]));
    format!("{}/{} {} {}: {first} | {last}", rules.base, rules.quote, series.interval, candles.len())
}

fn minute(at: Timestamp) -> String {
    at.minute()
}

/// Two days of BTC, the same in most of these files.
const TWO: &str = "2: 2023-01-01 00:00 16541.77 16628 16499.01 16616.75 96925.41374 \
                   | 2023-01-02 00:00 16617.17 16799.23 16548.7 16672.87 121888.57191";

fn check(name: &str, content: &str, expected: &str) {
    check_bytes(name, content.as_bytes(), expected);
}

fn check_bytes(name: &str, content: &[u8], expected: &str) {
    let expected = expected.replace("TWO", TWO);
    let told = told(name, content);
    let text = String::from_utf8_lossy(content);
    // A refusal is told by its beginning; what is read must be right to the end.
    let right = if expected.contains(" | ") { told == expected } else { told.contains(&expected) };
    assert!(right, "{name}\n{text}\ntold:     {told}\nexpected: {expected}");
}

#[test]
fn thirty_files_of_other_programs_are_read_or_refused_rightly() {
    // Binance's archives: without a header, with one, and in microseconds.
    check(
        "BTCUSDT-1d-2023-01.csv",
        "1672531200000,16541.77000000,16628.00000000,16499.01000000,16616.75000000,96925.41374000,1672617599999,1604456934.36,2812164,48,79,0\n1672617600000,16617.17000000,16799.23000000,16548.70000000,16672.87000000,121888.57191000,1672703999999,2031444654.6,3260243,61,10,0\n",
        "BTC/USDT 1d TWO",
    );
    check(
        "BTCUSDT-1d-2023-01.csv",
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n1672531200000,16541.77,16628,16499.01,16616.75,96925.41374,1672617599999,1,1,1,1,0\n1672617600000,16617.17,16799.23,16548.7,16672.87,121888.57191,1672703999999,1,1,1,1,0\n",
        "BTC/USDT 1d TWO",
    );
    check(
        "BTCUSDT-1d-2025-01.csv",
        "1735689600000000,93576.00,95151.15,92888.00,94591.79,10373.32613,1735775999999999,9,1,1,1,0\n",
        "BTC/USDT 1d 1: 2025-01-01 00:00 93576 95151.15 92888 94591.79 10373.32613 | 2025-01-01 00:00 93576 95151.15 92888 94591.79 10373.32613",
    );
    // ccxt: fetch_ohlcv in its documented columns, by pandas with whole and with broken numbers.
    check(
        "BTC-USDT-1d.csv",
        "timestamp,open,high,low,close,volume\n1672531200000,16541.77,16628.0,16499.01,16616.75,96925.41374\n1672617600000,16617.17,16799.23,16548.7,16672.87,121888.57191\n",
        "BTC/USDT 1d TWO",
    );
    check(
        "btc_usdt_1D.csv",
        ",timestamp,open,high,low,close,volume\n0,1672531200000.0,16541.77,16628.0,16499.01,16616.75,96925.41374\n1,1672617600000.0,16617.17,16799.23,16548.7,16672.87,121888.57191\n",
        "BTC/USDT 1d TWO",
    );
    check(
        "PAXG_USDT-1d.csv",
        "datetime,open,high,low,close,volume\n2023-01-01,1812.0,1815.0,1810.0,1813.0,10.5\n",
        "PAXG/USDT 1d 1: 2023-01-01 00:00 1812 1815 1810 1813 10.5 | 2023-01-01 00:00 1812 1815 1810 1813 10.5",
    );
    // freqtrade: read_feather(…).to_csv(…), its futures, its own format.
    check(
        "BTC_USDT-1d.csv",
        "date,open,high,low,close,volume\n2023-01-01 00:00:00+00:00,16541.77,16628.0,16499.01,16616.75,96925.41374\n2023-01-02 00:00:00+00:00,16617.17,16799.23,16548.7,16672.87,121888.57191\n",
        "BTC/USDT 1d TWO",
    );
    check(
        "BTC_USDT_USDT-1d-futures.csv",
        "date,open,high,low,close,volume\n",
        "BTC_USDT_USDT-1d-futures.csv: candles of futures are not played: take those of the spot market",
    );
    check_bytes(
        "BTC_USDT-1d.feather",
        b"ARROW1\0\0",
        "BTC_USDT-1d.feather: feather is not read: write it as CSV",
    );
    check(
        "BTC_USDT-1Mo.csv",
        "date,open,high,low,close,volume\n2023-01-01,1,1,1,1,1\n",
        "candles of a month are not played",
    );
    // jesse: its order of columns.
    check(
        "BTC-USDT-1d.csv",
        "timestamp,open,close,high,low,volume\n1672531200000,16541.77,16616.75,16628.0,16499.01,96925.41374\n1672617600000,16617.17,16672.87,16799.23,16548.7,121888.57191\n",
        "BTC/USDT 1d TWO",
    );
    // pandas: an index of times without a name, quoted text, nanoseconds, ISO with a T.
    check(
        "BTCUSDT-1d.csv",
        ",open,high,low,close,volume\n2023-01-01 00:00:00,16541.77,16628.0,16499.01,16616.75,96925.41374\n2023-01-02 00:00:00,16617.17,16799.23,16548.7,16672.87,121888.57191\n",
        "BTC/USDT 1d TWO",
    );
    check(
        "BTCUSDT-1d.csv",
        "\"open_time\",\"open\",\"high\",\"low\",\"close\",\"volume\"\n\"1672531200000000000\",\"16541.77\",\"16628.0\",\"16499.01\",\"16616.75\",\"96925.41374\"\n\"1672617600000000000\",\"16617.17\",\"16799.23\",\"16548.7\",\"16672.87\",\"121888.57191\"\n",
        "BTC/USDT 1d TWO",
    );
    check(
        "BTCUSDT-1d.csv",
        "time,volume,close,low,high,open\n2023-01-01T00:00:00.000000000,96925.41374,16616.75,16499.01,16628,16541.77\n2023-01-02T00:00:00.000000000,121888.57191,16672.87,16548.7,16799.23,16617.17\n",
        "BTC/USDT 1d TWO",
    );
    check(
        "BTCUSDT-1d.csv",
        "open_time,open,high,low,close,volume,close_time\n1672531200000,16541.77,16628,16499.01,16616.75,96925.41374,2023-01-01 23:59:59.999\n1672617600000,16617.17,16799.23,16548.7,16672.87,121888.57191,2023-01-02 23:59:59.999\n",
        "BTC/USDT 1d TWO",
    );
    // R: write.csv with row names, write.table, quantmod's names, scientific notation, NA rows.
    check(
        "BTCUSDT-1d.csv",
        "\"\",\"open_time\",\"open\",\"high\",\"low\",\"close\",\"volume\"\n\"1\",1672531200000,16541.77,16628,16499.01,16616.75,96925.41374\n\"2\",1672617600000,16617.17,16799.23,16548.7,16672.87,121888.57191\n",
        "BTC/USDT 1d TWO",
    );
    check(
        "BTCUSDT-1d.csv",
        "\"date\",\"open\",\"high\",\"low\",\"close\",\"volume\"\n\"1\",\"2023-01-01\",16541.77,16628,16499.01,16616.75,96925.41374\n\"2\",\"2023-01-02\",16617.17,16799.23,16548.7,16672.87,121888.57191\n",
        "BTC/USDT 1d TWO",
    );
    check(
        "BTC-USDT-1d.csv",
        "\"Index\",\"BTC.USDT.Open\",\"BTC.USDT.High\",\"BTC.USDT.Low\",\"BTC.USDT.Close\",\"BTC.USDT.Volume\",\"BTC.USDT.Adjusted\"\n2023-01-01,16541.77,16628,16499.01,16616.75,96925.41374,16616.75\n2023-01-02,16617.17,16799.23,16548.7,16672.87,121888.57191,16672.87\n",
        "BTC/USDT 1d TWO",
    );
    check(
        "BTCUSDT-1d.csv",
        "open_time,open,high,low,close,volume\n1.6725312e+12,16541.77,16628,16499.01,16616.75,96925.41374\nNA,NA,NA,NA,NA,NA\n1.6726176e+12,16617.17,16799.23,16548.7,16672.87,121888.57191\n",
        "BTC/USDT 1d TWO",
    );
    // CryptoDataDownload: its address first, newest row first, of both orders of volumes; another exchange's.
    check(
        "Binance_BTCUSDT_d.csv",
        "https://www.CryptoDataDownload.com\nUnix,Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USDT,tradecount\n1672617600000,2023-01-02,BTCUSDT,16617.17,16799.23,16548.7,16672.87,121888.57191,2031444654.6,3260243\n1672531200000,2023-01-01,BTCUSDT,16541.77,16628,16499.01,16616.75,96925.41374,1604456934.36,2812164\n",
        "BTC/USDT 1d TWO",
    );
    check(
        "Binance_BTCUSDT_1h.csv",
        "https://www.CryptoDataDownload.com\ndate,symbol,open,high,low,close,Volume USDT,Volume BTC\n2020-07-03 11-PM,BTC/USDT,9057.0,9063.0,9050.0,9058.0,9000000.0,1000.5\n2020-07-03 10-PM,BTC/USDT,9050.0,9060.0,9040.0,9057.0,9000000.0,900.5\n",
        "BTC/USDT 1h 2: 2020-07-03 22:00 9050 9060 9040 9057 900.5 | 2020-07-03 23:00 9057 9063 9050 9058 1000.5",
    );
    check(
        "Binance_BTCUSDT_2023_minute.csv",
        "https://www.CryptoDataDownload.com\nunix,date,symbol,open,high,low,close,Volume BTC,Volume USDT\n1672531260,2023-01-01 00:01:00,BTC/USDT,2,2,2,2,7,14\n1672531200,2023-01-01 00:00:00,BTC/USDT,1,1,1,1,5,5\n",
        "BTC/USDT 1m 2: 2023-01-01 00:00 1 1 1 1 5 | 2023-01-01 00:01 2 2 2 2 7",
    );
    check(
        "Bitstamp_BTCUSD_d.csv",
        "x",
        "Bitstamp_BTCUSD_d.csv: its candles are of BITSTAMP, and Binance's are played",
    );
    // Spreadsheets: LibreOffice in German, Excel's byte order mark and line ends, its serial days, cut numbers, dates that may be two days.
    check("BTCUSDT-1d.csv", "Datum;Open;High;Low;Close;Volume\n", "holds no candle");
    check(
        "BTCUSDT-1d.csv",
        "Date;Open;High;Low;Close;Volume\n01.01.2023;16541,77;16628;16499,01;16616,75;96925,41374\n02.01.2023;16617,17;16799,23;16548,7;16672,87;121888,57191\n",
        "BTC/USDT 1d TWO",
    );
    check(
        "BTCUSDT-1d.csv",
        "\u{feff}sep=;\r\nTime;Open;High;Low;Close;Volume;;\r\n2023-01-01 00:00;16.541,77;16.628,00;16.499,01;16.616,75;96.925,41374;;\r\n2023-01-02 00:00;16.617,17;16.799,23;16.548,70;16.672,87;121.888,57191;;\r\n",
        "BTC/USDT 1d TWO",
    );
    check(
        "BTCUSDT-1d.csv",
        "Date,Open,High,Low,Close,Volume\r\n12/31/2022,\"16,607.48\",\"16,644.09\",\"16,470.00\",\"16,542.40\",\"114,490.43\"\r\n1/1/2023,\"16,541.77\",\"16,628.00\",\"16,499.01\",\"16,616.75\",\"96,925.41\"\r\n",
        "BTC/USDT 1d 2: 2022-12-31 00:00 16607.48 16644.09 16470 16542.4 114490.43 | 2023-01-01 00:00 16541.77 16628 16499.01 16616.75 96925.41",
    );
    check(
        "BTCUSDT-1d.csv",
        "open_time,open,high,low,close,volume\n02/01/2023,1,1,1,1,1\n03/01/2023,1,1,1,1,1\n",
        "line 2: open_time '02/01/2023' may begin with its day or its month",
    );
    check(
        "BTCUSDT-1d.csv",
        "open_time,open,high,low,close,volume\n44927,1,1,1,1,1\n",
        "line 2: open_time '44927' is a spreadsheet's number of a day: format the column as a date",
    );
    check(
        "BTCUSDT-1d.csv",
        "open_time,open,high,low,close,volume\n1.67253E+12,1,1,1,1,1\n",
        "line 2: open_time '1.67253E+12' has lost its last digits",
    );
    check_bytes(
        "BTCUSDT-1d.csv",
        b"\xff\xfeo\0p\0e\0n\0",
        "line 1: is UTF-16: save the file as CSV in UTF-8",
    );
    check("BTCUSDT-1d.xlsx", "PK", "a spreadsheet is not read: save it as CSV (UTF-8)");
    // Names that could mean something else.
    check("BTCUSDT-1M.csv", "1672531200000,1,1,1,1,1\n", "candles of a month are not played");
    check(
        "BTCUSDT-1m.csv",
        "1672531200000,1,1,1,1,1\n",
        "BTC/USDT 1m 1: 2023-01-01 00:00 1 1 1 1 1 | 2023-01-01 00:00 1 1 1 1 1",
    );
    check(
        "BTCUSDT-1hour.csv",
        "1672531200000,1,1,1,1,1\n",
        "BTC/USDT 1h 1: 2023-01-01 00:00 1 1 1 1 1 | 2023-01-01 00:00 1 1 1 1 1",
    );
}

#[test]
fn figures_of_cheap_coins_are_read() {
    // PEPE's week of 2024-02-26 at Binance; a hundred times as much; a price below the smallest tick of Binance.
    for (volume, price) in [
        ("1176749593025514.00", "0.00000745"),
        ("117674959302551400", "0.00000001"),
        ("1e21", "0.00000000001"),
    ] {
        let file = format!(
            "open_time,open,high,low,close,volume\n1708905600000,{price},{price},{price},{price},{volume}\n"
        );
        let read = told("PEPEUSDT-1w.csv", file.as_bytes());
        assert!(read.starts_with("PEPE/USDT 1w 1: 2024-02-26 00:00 0.0000"), "{read}");
    }
    let too_much = "open_time,open,high,low,close,volume\n1708905600000,9,9,9,9,1e28\n";
    assert!(
        told("PEPEUSDT-1w.csv", too_much.as_bytes())
            .contains("line 2: volume is 10000000000000000000000000000")
    );
}

#[test]
fn coins_behind_a_separator_are_known_by_their_own_names() {
    let row = "1672531200000,1,1,1,1,1\n";
    for (name, expected) in [
        ("PAXG_USDT-1d.csv", "PAXG/USDT"),
        ("USDC-USDT-1d.csv", "USDC/USDT"),
        ("paxg-usdt_1d.csv", "PAXG/USDT"),
        ("EUR_USDT-1d.csv", "EUR/USDT"),
        ("binance_TUSD-USDT_1d.csv", "TUSD/USDT"),
        ("1000SATS-USDT-1w.csv", "1000SATS/USDT"),
    ] {
        assert!(told(name, row.as_bytes()).starts_with(expected), "{name}: {}", told(name, row.as_bytes()));
    }
}
