//! Whatever the bytes, there is an answer: no decoder panics. The seed is proptest's, printed on a failure.

use crate::{account, data};
use proptest::prelude::*;
use std::{fs, sync::LazyLock};
use venue_binance::{errors, frame, market, rows, rules};

static SAMPLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let text = fs::read_to_string(data("binance-samples/samples.jsonl")).unwrap();
    let sample = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["json"].to_string().into_bytes()
    };
    text.lines().map(sample).collect()
});

/// Every decoder; the results do not matter, their being there does.
fn decode(bytes: &[u8]) {
    let _ = frame::parse(account(), bytes);
    if let Ok(frame) = market::decode(bytes) {
        let _ = frame.stream_symbol();
        if let market::Message::Kline(kline) = frame.message {
            let _ = kline.closed(account().venue);
        }
    }
    let _ = rows::parse_order(account(), bytes);
    let _ = rows::parse_placed(account(), bytes);
    let _ = rows::parse_placed_list(account(), bytes);
    let _ = rows::parse_canceled(account(), bytes);
    let _ = rows::parse_account(account(), bytes);
    let _ = rules::parse(bytes);
    for status in [200, 400, 409, 418, 429, 500] {
        let _ = errors::read(status, bytes, None).to_string();
        let _ = errors::Replaced::read(status, bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

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
            format!(r#"{{"e":"outboundAccountPosition","u":{number},"B":[{{"a":"A","f":"{figure}","l":"{figure}"}}]}}"#),
        ] {
            decode(text.as_bytes());
        }
    }
}
