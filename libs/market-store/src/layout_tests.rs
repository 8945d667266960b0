use super::*;

fn expected() -> Expected {
    Expected {
        symbol: "BTCUSDT".to_owned(),
        base: Some("BTC".to_owned()),
        quote: Some("USDT".to_owned()),
        interval: Interval::Day1,
    }
}

/// The first row of a text, or what is wrong with it.
fn told(text: &str) -> String {
    let lines: Vec<Line> = text
        .lines()
        .enumerate()
        .map(|(at, line)| Line { number: at as u64 + 1, at: 0, text: line.trim().as_bytes().to_vec() })
        .filter(|line| !line.text.is_empty())
        .collect();
    let layout = match Layout::of(&lines, &expected()) {
        Ok(Some(layout)) => layout,
        Ok(None) => return "no row".to_owned(),
        Err((line, why)) => return format!("line {line}: {why}"),
    };
    let first = lines.iter().find(|line| line.number > layout.head).unwrap();
    match layout.row(&first.text, &mut Splitter::default(), &expected()) {
        Ok(Ok(r)) => format!("{} {} {} {} {} {}", r.open_time, r.open, r.high, r.low, r.close, r.volume),
        Ok(Err(why)) => why.words().to_owned(),
        Err(why) => why,
    }
}

#[test]
fn a_row_is_the_same_however_it_is_written() {
    const ROW: &str = "2024-01-01T00:00:00Z 100.5 102 99 101.25 7.5";
    for text in [
        "1704067200000,100.50,102,99,101.25,7.5",
        "open_time,open,high,low,close,volume\n1704067200000,100.5,102,99,101.25,7.5",
        "\"open_time\",\"open\",\"high\",\"low\",\"close\",\"volume\"\n1704067200000,100.5,102,99,101.25,7.5",
        "\"timestamp\",\"open\",\"high\",\"low\",\"close\",\"volume\"\n\"1704067200000\",\"100.5\",\"102\",\"99\",\"101.25\",\"7.5\"",
        "timestamp,open,high,low,close,volume\n1704067200000.0,100.5,102.0,99.0,101.25,7.5",
        "date,open,high,low,close,volume\n2024-01-01 00:00:00+00:00,100.5,102,99,101.25,7.5",
        ",timestamp,open,close,high,low,volume\n0,1704067200000,100.5,101.25,102,99,7.5",
        ",open,high,low,close,volume\n2024-01-01,100.5,102,99,101.25,7.5",
        "Unix,Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USDT,tradecount\n1704067200000,2024-01-01,BTCUSDT,100.5,102,99,101.25,7.5,750,9",
        "https://www.CryptoDataDownload.com\nUnix,Date,Symbol,Open,High,Low,Close,Volume USDT,Volume BTC\n1704067200,2024-01-01,BTC/USDT,100.5,102,99,101.25,750,7.5",
        "Date;Open;High;Low;Close;Volume\n01.01.2024;100,5;102;99;101,25;7,5",
        "Date\tOpen\tHigh\tLow\tClose\tVolume\n2024-01-01\t100,5\t102\t99\t101,25\t7,5",
        "\"\",\"BTC.USDT.Open\",\"BTC.USDT.High\",\"BTC.USDT.Low\",\"BTC.USDT.Close\",\"BTC.USDT.Volume\"\n\"2024-01-01\",100.5,102,99,101.25,7.5",
        "\"t\",\"o\",\"h\",\"l\",\"c\",\"v\"\n\"1\",1704067200,100.5,102,99,101.25,7.5",
        "# made by hand\n# in two lines\n1704067200000,100.5,102,99,101.25,7.5,",
        "close_time,open,high,low,close,volume\n1704153599999,100.5,102,99,101.25,7.5",
        "close_time,open,high,low,close,volume\n2024-01-02,100.5,102,99,101.25,7.5",
        "1704067200000;100,5;102;99;101,25;7,5",
        "1.7040672e+12,100.5,102,99,101.25,7.5",
        "timestamp,open,high,low,close,volume\n1704067200000,1.005e2,102,99,101.25,7.5",
    ] {
        assert_eq!(told(text), ROW, "{text}");
    }
    assert_eq!(told("sep=;\nTime;Open;High;Low;Close;Volume\n1704067200000;100,5;102;99;101,25;7,5"), ROW);
}

#[test]
fn what_cannot_be_read_is_named_with_its_remedy() {
    for (text, words) in [
        ("1704067200000,1,x,1,1,0", "high 'x' is not a decimal number"),
        ("1704067200000,1,2,1,1,NA", "volume is empty: write 0"),
        ("1704067200000,1,2,1,0.00,0", "close is 0: a price must be greater than zero"),
        ("1704067200000,1,9e12,1,1,0", "high is 9000000000000: a price must be at most 100000000000"),
        ("1704067200000,1,2,1,1,9e27", "is worth more than"),
        ("1704067200000,1,2,1,1", "line 1: has 5 columns; open_time,open,high,low,close,volume are needed"),
        ("0,1704067200000,1,2,1,1,5", "line 1: open_time '0' is no time: write milliseconds"),
        ("45292,1,2,1,1,5", "line 1: open_time '45292' is a spreadsheet's number of a day"),
        ("01/02/2024,1,2,1,1,5", "may begin with its day or its month"),
        ("time,max,min,last\n1,2,3,4", "line 1: the header names no column open (it is 'time,max,min,last')"),
        ("open,high,low,close,volume\n1,1,1,1,1", "the header names no column open_time"),
        ("timestamp,open,high,low,close\n1704067200000,1,1,1,1", "names no column volume"),
        (
            "timestamp,open,high,low,close,Volume USDT\n1704067200000,1,1,1,1,5",
            "has 'Volume USDT', and no volume in BTC",
        ),
        (
            "timestamp,open,open,high,low,close,volume\n1704067200000,1,1,1,1,1,1",
            "the header names open twice",
        ),
        (
            "date,time,open,high,low,close,volume\n2024.01.01,00:00,1,1,1,1,1",
            "date and time of day are in two columns",
        ),
        (
            "Unix,Symbol,Open,High,Low,Close,Volume\n1704067200,ETH/USDT,1,1,1,1,1",
            "is of ETH/USDT, and the file's name says BTCUSDT",
        ),
        ("1.70407E+12,1,2,1,1,0", "'1.70407E+12' has lost its last digits"),
        (
            "timestamp,open,high,low,close,volume\n1704067200000,42283,58,44184,1,42180,77,44179,55,27174,3",
            "put ; between the columns",
        ),
        (
            "timestamp,open,high,low,close,volume\n1704067200000,\"1,234\",\"1,234\",\"1,234\",\"1,234\",5",
            "'1,234' may have decimals behind its comma",
        ),
        (
            "timestamp;open;high;low;close;volume\n1704067200000;12.340;12.340;12.340;12.340;5",
            "'12.340' may have decimals behind its point or thousands",
        ),
        ("1704067200000,\"1,2,3,4,5", "has a quote (\") that is not closed"),
    ] {
        assert!(told(text).contains(words), "{text}: {}", told(text));
    }
    assert_eq!(told("timestamp,open,high,low,close,volume\n"), "no row");
}

#[test]
fn a_row_without_all_of_its_prices_is_left_out_with_the_reason() {
    for (row, words) in [
        ("NA,NA,NA,NA,NA", "without prices"),
        (",,,,", "without prices"),
        ("1,2,1,NA,5", "with only some of their prices"),
        ("1,,1,1,0", "with only some of their prices"),
        ("NaN,2,null,1,0", "with only some of their prices"),
        ("1,2,1,1,NA", "volume is empty: write 0 where it is not known"),
    ] {
        let text = format!("timestamp,open,high,low,close,volume\n1704067200000,{row}");
        assert_eq!(told(&text), words, "{row}");
    }
}

#[test]
fn what_is_assumed_is_told() {
    let assumed = |text: &str| {
        let lines: Vec<Line> = text
            .lines()
            .enumerate()
            .map(|(at, line)| Line { number: at as u64 + 1, at: 0, text: line.as_bytes().to_vec() })
            .collect();
        Layout::of(&lines, &expected()).unwrap().unwrap().assumed
    };
    assert_eq!(assumed("2024-01-01,1,1,1,1,1"), [Assumed::Utc]);
    assert_eq!(assumed("2024-01-01T00:00:00Z,1,1,1,1,1"), []);
    assert_eq!(assumed("31/12/2023,1,1,1,1,1\n01/01/2024,1,1,1,1,1"), [Assumed::Utc, Assumed::DayFirst]);
    assert_eq!(assumed("12/31/2023,1,1,1,1,1\n01/01/2024,1,1,1,1,1"), [Assumed::Utc, Assumed::MonthFirst]);
    assert_eq!(
        assumed("close_time,open,high,low,close,volume\n1704153599999,1,1,1,1,1"),
        [Assumed::OpenFromClose]
    );
}
