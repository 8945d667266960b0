//! `web-socket-streams.md`, "Detailed stream information".

use crate::{d, ms};
use domain::Interval;
use venue_binance::{
    ParseError,
    market::{self, Fixed, Frame, Message},
};

fn decode(frame: &str) -> Frame<'_> {
    market::decode(frame.as_bytes()).unwrap_or_else(|e| panic!("{e}: {frame}"))
}

const KLINE: &str = r#"{"e":"kline","E":1672515782136,"s":"BNBBTC","k":{"t":1672515780000,"T":1672515839999,"s":"BNBBTC","i":"1m","f":100,"L":200,"o":"0.0010","c":"0.0020","h":"0.0025","l":"0.0015","v":"1000","n":100,"x":false,"q":"1.0000","V":"500","Q":"0.500","B":"123456"}}"#;

#[test]
fn kline_stream_gives_a_candle_once_it_is_closed() {
    let Message::Kline(open) = decode(KLINE).message else { panic!("no kline") };
    let binance = "binance".parse().unwrap();
    assert_eq!(open.closed(binance), Ok(None));
    let closed = KLINE.replace("\"x\":false", "\"x\":true").replace("0.0015", "0.0009");
    let Message::Kline(closed) = decode(&closed).message else { panic!("no kline") };
    let candle = closed.closed(binance).unwrap().unwrap();
    assert_eq!(candle.instrument.to_string(), "binance:spot:BNBBTC");
    assert_eq!((candle.interval, candle.open_time), (Interval::Minute1, ms(1_672_515_780_000)));
    let figures = [candle.open, candle.high, candle.low, candle.close].map(|price| price.to_string());
    assert_eq!(figures, ["0.001", "0.0025", "0.0009", "0.002"]);
    assert!(candle.volume == d("1000") && candle.is_consistent());
}

/// PEPE's week of 2024-02-26 at Binance, and what is traded of cheaper coins; a wall in a book of theirs.
#[test]
fn figures_of_cheap_coins_are_within_every_bound() {
    for volume in ["1176749593025514.00", "117674959302551400.00"] {
        let week = KLINE
            .replace("\"x\":false", "\"x\":true")
            .replace("\"v\":\"1000\"", &format!("\"v\":\"{volume}\""));
        let week = week
            .replace("0.0010", "0.00000112")
            .replace("0.0020", "0.00000106")
            .replace("0.0025", "0.00000113")
            .replace("0.0015", "0.00000097");
        let Message::Kline(closed) = decode(&week).message else { panic!("no kline") };
        let candle = closed.closed("binance".parse().unwrap()).unwrap().unwrap();
        assert_eq!(candle.volume, d(volume).normalize());
        assert!(candle.is_consistent());
        let row = format!(
            r#"[[1708905600000,"0.00000112","0.00000113","0.00000097","0.00000106","{volume}",1709510399999]]"#
        );
        let rows =
            market::kline_rows("binance:spot:PEPEUSDT".parse().unwrap(), Interval::Week1, row.as_bytes())
                .unwrap();
        assert_eq!(rows[0].volume, d(volume).normalize());
    }
    let text = r#"{"e":"depthUpdate","E":1672515782136,"s":"BTTCUSDT","U":157,"u":160,"b":[["0.00000071","250000000000"]],"a":[]}"#;
    let Message::DepthUpdate(update) = decode(text).message else { panic!("{text}") };
    assert_eq!(update.bids[0].quantity, Fixed(u64::MAX));
}

#[test]
fn kline_stream_of_a_month_has_no_candle_and_says_so() {
    let month = KLINE.replace("\"x\":false", "\"x\":true").replace("\"1m\"", "\"1M\"");
    let Message::Kline(month) = decode(&month).message else { panic!("no kline") };
    let error = month.closed("binance".parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("the field `i` is no interval '1M'"), "{error}");
}

#[test]
fn combined_streams_are_unwrapped_whatever_stream_they_are_of() {
    let combined = format!("{{\"stream\":\"bnbbtc@kline_1m\",\"data\":{KLINE}}}");
    let frame = decode(&combined);
    assert_eq!(frame.message, decode(KLINE).message);
    let shutdown = decode(r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}"#);
    assert_eq!(shutdown.message, Message::ServerShutdown);
}

#[test]
fn diff_depth_stream() {
    let text = r#"{"e":"depthUpdate","E":1672515782136,"s":"BNBBTC","U":157,"u":160,"b":[["0.0024","10"]],"a":[["0.0026","100",[]]]}"#;
    let Message::DepthUpdate(update) = decode(text).message else { panic!("{text}") };
    assert_eq!((update.first, update.last, &*update.symbol), (157, 160, "BNBBTC"));
    assert_eq!((update.bids[0].price, update.asks[0].quantity), (Fixed(240_000), Fixed(10_000_000_000)));
}

#[test]
fn partial_book_depth_streams() {
    let text =
        r#"{"stream":"btcusdt@depth5@100ms","data":{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[]}}"#;
    let frame = decode(text);
    let Message::PartialDepth(depth) = frame.message else { panic!("{text}") };
    assert_eq!((depth.last, depth.bids.len(), depth.asks.len()), (160, 1, 0));
}

#[test]
fn trade_streams() {
    let text = r#"{"e":"trade","E":1672515782136,"s":"BNBBTC","t":12345,"p":"0.001","q":"100","T":1672515782136001,"m":true,"M":true}"#;
    let Message::Trade(trade) = decode(text).message else { panic!("{text}") };
    assert_eq!((trade.trade, trade.price.0, trade.buyer_is_maker), (12_345, d("0.001"), true));
    assert_eq!(trade.time.0.micros(), 1_672_515_782_136_001);
    let text = r#"{"e":"aggTrade","E":1672515782136,"s":"BNBBTC","a":12345,"p":"0.001","q":"100","f":100,"l":105,"T":1672515782136,"m":true,"M":true}"#;
    let Message::AggregateTrade(trade) = decode(text).message else { panic!("{text}") };
    assert_eq!((trade.aggregate, trade.first_trade, trade.last_trade), (12_345, 100, 105));
}

#[test]
fn individual_symbol_book_ticker_streams() {
    let text = r#"{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}"#;
    let Message::BookTicker(best) = decode(text).message else { panic!("{text}") };
    assert_eq!((best.update, best.bid.0, best.ask_quantity.0), (400_900_217, d("25.3519"), d("40.66")));
}

#[test]
fn mini_tickers_of_one_and_of_all_symbols() {
    let one = r#"{"e":"24hrMiniTicker","E":1672515782136,"s":"BNBBTC","c":"0.0025","o":"0.0010","h":"0.0025","l":"0.0010","v":"10000","q":"18"}"#;
    let Message::MiniTickers(tickers) = decode(one).message else { panic!("{one}") };
    assert_eq!((tickers.len(), tickers[0].close.0), (1, d("0.0025")));
    for all in
        [format!("[{one},{one}]"), format!("{{\"stream\":\"!miniTicker@arr\",\"data\":[{one},{one}]}}")]
    {
        let Message::MiniTickers(tickers) = decode(&all).message else { panic!("{all}") };
        assert_eq!(tickers.len(), 2);
    }
    assert!(matches!(decode("[{\"e\":\"1hTicker\"}]").message, Message::Other(kind) if &*kind == "1hTicker"));
}

#[test]
fn subscribing_is_answered() {
    for (text, code, message) in [
        (r#"{"result":null,"id":1}"#, None, None),
        (r#"{"result":["btcusdt@aggTrade"],"id":3}"#, None, None),
        (
            r#"{"code":2,"msg":"Invalid request: too many parameters"}"#,
            Some(2),
            Some("Invalid request: too many parameters"),
        ),
        (r#"{"error":{"code":3,"msg":"Invalid JSON"},"id":"x"}"#, Some(3), Some("Invalid JSON")),
    ] {
        let Message::Reply(reply) = decode(text).message else { panic!("{text}") };
        assert_eq!((reply.code, reply.text.as_deref()), (code, message));
    }
}

#[test]
fn what_does_not_parse_names_the_field() {
    for (frame, named) in [
        (r#"{"e":"trade","s":"BNBBTC","t":1,"p":"x","q":"1","T":1,"m":true}"#, "field `p`"),
        (r#"{"e":"trade","s":"BNBBTC","t":1,"p":"1","q":"1","m":true}"#, "missing field `T`"),
        (r#"{"e":"depthUpdate","s":"A","U":1,"u":2,"b":[["1"]],"a":[]}"#, "field `b`"),
        (r#"{"e":"depthUpdate","s":"A","U":1,"u":2,"b":[],"a":[["1.123456789","1"]]}"#, "field `a`"),
        (r#"{"stream":"x@depth","data":{"lastUpdateId":1,"bids":5,"asks":[]}}"#, "field `bids`"),
        ("{}", "none of `e`"),
        ("x", "expected value"),
    ] {
        let error = market::decode(frame.as_bytes()).unwrap_err();
        assert!(matches!(&error, ParseError::Malformed(why) if why.contains(named)), "{frame}: {error}");
    }
}
