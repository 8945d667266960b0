//! Whatever the bytes, there is an answer: no decoder panics; and a side of a book is what a plain map would be.
//!
//! `PROPTEST_CASES` says how many cases, `TAPEDECK_SEED` repeats those of an earlier run.

use crate::{account, data};
use proptest::{prelude::*, test_runner::RngSeed};
use std::{
    collections::BTreeMap,
    fs,
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};
use venue_binance::{
    book::{Levels, LocalBook},
    budget, errors, frame,
    market::{self, Fixed, Level},
    reply::Reply,
    rows, rules,
};

static SAMPLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let text = fs::read_to_string(data("binance-samples/samples.jsonl")).unwrap();
    let sample = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["json"].to_string().into_bytes()
    };
    text.lines().map(sample).collect()
});

fn config() -> ProptestConfig {
    let told = |name: &str| std::env::var(name).ok()?.parse().ok();
    let drawn = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = told("TAPEDECK_SEED").unwrap_or_else(drawn);
    println!("TAPEDECK_SEED={seed}");
    ProptestConfig {
        cases: told("PROPTEST_CASES").map_or(2_000, |cases| cases as u32),
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Every decoder; the results do not matter, their being there does.
fn decode(bytes: &[u8]) {
    let _ = frame::parse(account(), bytes);
    if let Ok(market::Frame { message: market::Message::Kline(kline), .. }) = market::decode(bytes) {
        let _ = kline.closed(account().venue);
    }
    let _ = rows::parse_order(account(), bytes);
    let _ = rows::parse_placed(account(), bytes);
    let _ = rows::parse_placed_list(account(), bytes);
    let _ = rows::parse_canceled(account(), bytes);
    let _ = rows::parse_account(account(), bytes);
    let _ = rules::parse(bytes);
    let instrument = domain::Instrument::spot(account().venue, "A".parse().unwrap());
    let _ = market::kline_rows(instrument, "1m".parse().unwrap(), bytes);
    if let Ok(depth) = serde_json::from_slice::<market::PartialDepth>(bytes) {
        let _ = LocalBook::default().snapshot(&depth);
    }
    if let Some(reply) = Reply::read(bytes) {
        let _ = (reply.usage(), reply.subscription(), errors::read(reply.status, reply.body(), None));
    }
    let text = String::from_utf8_lossy(bytes);
    let _ = budget::used_by_headers([("X-MBX-USED-WEIGHT-1M", &*text), (&*text, "1")]);
    let _ = errors::read(429, bytes, Some(&text));
    for status in [200, 400, 409, 418, 429, 500] {
        let _ = errors::read(status, bytes, None).to_string();
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn changed_samples_never_panic(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let mut bytes = which.get(&SAMPLES).clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        decode(&bytes);
    }

    #[test]
    fn figures_of_any_size_never_panic(figure in "-?[0-9]{0,40}(\\.[0-9]{0,40})?", number in any::<i64>()) {
        for text in [
            format!(r#"{{"e":"executionReport","s":"A","c":"c","S":"BUY","x":"TRADE","X":"FILLED","i":{number},"l":"{figure}","z":"{figure}","L":"{figure}","n":"{figure}","N":"A","T":{number},"t":{number},"Y":"{figure}","Z":"{figure}","m":true}}"#),
            format!(r#"{{"symbol":"A","orderId":{number},"clientOrderId":"c","transactTime":1,"status":"FILLED","side":"BUY","executedQty":"{figure}","cummulativeQuoteQty":"{figure}","fills":[{{"price":"{figure}","qty":"{figure}","tradeId":{number}}},{{"price":"{figure}","qty":"{figure}","tradeId":{number}}}]}}"#),
            format!(r#"{{"e":"depthUpdate","s":"A","U":{number},"u":{number},"b":[["{figure}","{figure}"]],"a":[]}}"#),
            format!(r#"[[{number},"{figure}","{figure}","{figure}","{figure}","{figure}",1]]"#),
            format!(r#"{{"id":{number},"status":418,"error":{{"code":{number},"data":{{"retryAfter":{number}}}}}}}"#),
            format!(r#"{{"e":"outboundAccountPosition","u":{number},"B":[{{"a":"A","f":"{figure}","l":"{figure}"}}]}}"#),
        ] {
            decode(text.as_bytes());
        }
    }

    #[test]
    fn a_side_of_a_book_is_what_a_sorted_map_would_be(
        batches in prop::collection::vec(prop::collection::vec((0_u64..60, 0_u64..3), 0..20), 0..20),
        sorted in 0..3,
    ) {
        let mut batches = batches;
        for batch in &mut batches {
            match sorted {
                1 => batch.sort(),
                2 => batch.sort_by(|a, b| b.cmp(a)),
                _ => {}
            }
        }
        compare::<true>(&batches);
        compare::<false>(&batches);
    }
}

fn compare<const BIDS: bool>(batches: &[Vec<(u64, u64)>]) {
    let mut levels = Levels::<BIDS>::default();
    let mut plain = BTreeMap::new();
    for batch in batches {
        let batch: Vec<Level> =
            batch.iter().map(|(p, q)| Level { price: Fixed(*p), quantity: Fixed(*q) }).collect();
        for level in &batch {
            match level.quantity.0 {
                0 => plain.remove(&level.price.0),
                quantity => plain.insert(level.price.0, quantity),
            };
        }
        levels.set(&batch);
        let mut wanted: Vec<(u64, u64)> = plain.iter().map(|(p, q)| (*p, *q)).collect();
        if BIDS {
            wanted.reverse();
        }
        let kept: Vec<(u64, u64)> = levels.iter().map(|l| (l.price.0, l.quantity.0)).collect();
        assert_eq!(kept, wanted);
    }
}
