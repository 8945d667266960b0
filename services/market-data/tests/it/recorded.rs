//! Real candles, where they are at hand.

use events::{CandleEvent, Event, InstrumentEvent};
use market_data::{Feed, MarketSpec, open};
use service::Steps;
use std::path::PathBuf;

/// `$TAPEDECK_DATA`, else the folder beside the workspace.
fn data(name: &str) -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("TAPEDECK_DATA").map_or(beside, PathBuf::from).join(name)
}

#[test]
#[cfg_attr(not(recorded_data), ignore = "needs real data: set TAPEDECK_DATA")]
fn all_real_series_are_played_in_lockstep() {
    let opened = open(&MarketSpec::Recorded(data("candles"))).unwrap();
    let candles = opened.candles;
    let mut feed = Feed::new(opened.market, opened.rules, None, None);
    let (mut listed, mut closed, mut told) = (0, 0, Vec::new());
    let mut events = Vec::new();
    let mut clock = domain::Timestamp::ZERO;
    while let Some(now) = feed.next_into(&mut events).unwrap() {
        assert!(now > clock);
        clock = now;
        for event in &events {
            match event {
                Event::Instrument(InstrumentEvent::Listed(_)) => listed += 1,
                Event::Candle(CandleEvent::Closed(e)) => {
                    assert_eq!(e.candle.close_time(), now);
                    closed += 1;
                }
                Event::Candle(CandleEvent::Missing(e)) => {
                    told.push(format!("{} {} {} {}", e.instrument.symbol, e.interval, e.from, e.count));
                }
                Event::Candle(other) => panic!("{other:?}"),
                _ => {}
            }
        }
    }
    assert_eq!((listed, closed), (8, candles));
    assert_eq!(clock, opened.last);
    assert_eq!(told.len(), 2, "one day each of ATOM and XRP is missing: {told:?}");
}
