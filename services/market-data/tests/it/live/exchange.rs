//! Live candles of a whole exchange: nothing is scripted here.
//!
//! `TAPEDECK_EXCHANGE=127.0.0.1:7080 cargo test -p market-data exchange -- --ignored`.

use super::{btc, run};
use domain::{Instrument, InstrumentRules};
use events::{CandleEvent, Event, InstrumentEvent};
use market_data::{
    Series,
    live::{self, Live, OnTape, Tape},
};
use std::{collections::BTreeMap, time::Duration};
use tokio::{sync::mpsc, time::timeout};
use venue_binance::net::{Endpoints, Rest, Setup};

struct Channel(mpsc::Sender<Event>);

impl Tape for Channel {
    type Error = &'static str;

    async fn append(&mut self, events: Vec<Event>) -> Result<(), &'static str> {
        for event in events {
            self.0.send(event).await.map_err(|_| "nobody listens")?;
        }
        Ok(())
    }

    async fn rules(&mut self, _: Instrument) -> Result<Option<InstrumentRules>, &'static str> {
        Ok(None)
    }

    fn venue_away(&mut self, _: Option<&str>) {}
}

#[test]
#[ignore = "needs an exchange: see the head of this file"]
fn an_exchanges_candles_are_said_whole_through_restarts() {
    run(async {
        let address = std::env::var("TAPEDECK_EXCHANGE").unwrap_or_else(|_| "127.0.0.1:7080".to_owned());
        let rest = Rest::new(Setup::new(Endpoints::local(address.parse().unwrap()), None)).unwrap();
        let intervals = ["1s", "1m"].map(|interval| interval.parse().unwrap());
        let series = intervals.map(|interval| Series { interval, instrument: btc() }).to_vec();
        let mut on_tape = OnTape::default();
        let mut count = BTreeMap::new();
        for _ in 0..3 {
            let (sender, mut said) = mpsc::channel(100);
            let live = Live { rest: rest.clone(), series: series.clone(), history: 5, heard: None };
            let task = tokio::spawn(live::run(live, on_tape.clone(), Channel(sender)));
            let until = count.get(&series[0]).copied().unwrap_or(0) + 8;
            while count.get(&series[0]).copied().unwrap_or(0) < until {
                match timeout(Duration::from_secs(20), said.recv()).await.expect("an event").expect("events")
                {
                    Event::Candle(CandleEvent::Closed(closed)) => {
                        let series = Series::of(&closed.candle);
                        if let Some(last) = on_tape.candles.insert(series, closed.candle) {
                            assert_eq!(last.close_time(), closed.candle.open_time);
                        }
                        *count.entry(series).or_default() += 1;
                    }
                    Event::Instrument(InstrumentEvent::Listed(listed)) => {
                        assert!(on_tape.rules.insert(listed.instrument, *listed.rules).is_none());
                    }
                    other => panic!("{other:?}"),
                }
            }
            task.abort();
        }
        assert!(count[&series[1]] >= 5, "{count:?}");
    });
}
