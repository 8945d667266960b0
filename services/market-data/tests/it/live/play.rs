//! The whole of it, over sockets: a venue whose clock the test moves.

use super::{
    START, candle, machine, run, series,
    server::{Peer, Reply, Request, Server, ok},
    word,
};
use domain::{Instrument, InstrumentRules};
use events::{Candle, Event, InstrumentEvent};
use market_data::live::{self, Live, LiveError, OnTape, Tape};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};
use venue_binance::net::{Endpoints, Rest, Setup, Timeouts};

/// What the venue has, and its clock.
#[derive(Default)]
struct World {
    ahead_ms: i64,
    holes: BTreeSet<i64>,
    /// So many questions about candles are answered with a closed connection.
    failures: u32,
    filters: Vec<Value>,
}

impl World {
    fn now(&self) -> i64 {
        machine().millis() + self.ahead_ms
    }

    fn answer(&mut self, request: &Request) -> Reply {
        match &*request.what {
            "GET /api/v3/time" => ok(json!({"serverTime": self.now()})),
            "GET /api/v3/exchangeInfo" => ok(json!({"symbols": [{"symbol": "BTCUSDT", "status": "TRADING",
                "baseAsset": "BTC", "quoteAsset": "USDT", "filters": self.filters}]})),
            "GET /api/v3/klines" if self.failures > 0 => {
                self.failures -= 1;
                Reply::HangUp
            }
            "GET /api/v3/klines" => ok(Value::from(self.rows(request))),
            "GET /stream" => Reply::Upgrade,
            other => panic!("{other}"),
        }
    }

    /// The last row is of the minute that is under way.
    fn rows(&self, request: &Request) -> Vec<Value> {
        let number = |name: &str| request.query[name].parse::<i64>().unwrap();
        let last = number("endTime").min(self.now()) / 60_000 - START;
        let first = (number("startTime") + 59_999) / 60_000 - START;
        let is_under_way = |n: i64| (START + n + 1) * 60_000 > self.now();
        let row = |n: i64| {
            let volume = if is_under_way(n) { "0.5".to_owned() } else { n.to_string() };
            let open = (START + n) * 60_000;
            json!([open, "100", "110", "90", "105", volume, open + 59_999, "1", 1, "1", "1", "0"])
        };
        (first..=last).filter(|n| !self.holes.contains(n)).map(row).collect()
    }
}

/// A venue, and what is on the tape.
struct Play {
    server: Server,
    world: Arc<Mutex<World>>,
    rest: Rest,
    tape: watch::Sender<Vec<Event>>,
    /// Why the venue is away, as it was told last.
    away: watch::Sender<Option<String>>,
    live: JoinHandle<Result<(), LiveError>>,
    expected: Vec<String>,
}

#[derive(Clone)]
struct Memory(watch::Sender<Vec<Event>>, watch::Sender<Option<String>>);

impl Tape for Memory {
    type Error = &'static str;

    async fn append(&mut self, events: Vec<Event>) -> Result<(), &'static str> {
        self.0.send_modify(|tape| tape.extend(events));
        Ok(())
    }

    async fn rules(&mut self, instrument: Instrument) -> Result<Option<InstrumentRules>, &'static str> {
        let tape = self.0.borrow();
        Ok(tape.iter().rev().find_map(|event| match event {
            Event::Instrument(InstrumentEvent::Listed(listed)) if listed.instrument == instrument => {
                Some((*listed.rules).clone())
            }
            _ => None,
        }))
    }

    fn venue_away(&mut self, why: Option<&str>) {
        self.1.send_replace(why.map(ToOwned::to_owned));
    }
}

fn live(rest: &Rest) -> Live {
    Live { rest: rest.clone(), series: vec![series()], history: 3, heard: None }
}

impl Play {
    /// In that minute, at its 30th second.
    async fn start(now: i64, on_tape: OnTape) -> (Self, Peer) {
        let world = Arc::new(Mutex::new(World::default()));
        let (script, tape) = (Arc::clone(&world), watch::Sender::new(Vec::new()));
        let away = watch::Sender::default();
        let server = Server::start(move |request| script.lock().unwrap().answer(request)).await;
        let timeouts = Timeouts {
            answer: Duration::from_secs(2),
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_millis(100),
            // Read often, so that the clock can be moved.
            clock: Duration::from_millis(20),
            ..Timeouts::default()
        };
        let info_age = Duration::from_millis(50);
        let setup = Setup { timeouts, info_age, ..Setup::new(Endpoints::local(server.address), None) };
        let rest = Rest::new(setup).unwrap();
        let idle = tokio::spawn(async { Ok(()) });
        let mut play = Self { server, world, rest, tape, away, live: idle, expected: Vec::new() };
        play.set(now, 30);
        let peer = play.restart(on_tape).await;
        (play, peer)
    }

    async fn restart(&mut self, on_tape: OnTape) -> Peer {
        self.live.abort();
        self.live =
            tokio::spawn(live::run(live(&self.rest), on_tape, Memory(self.tape.clone(), self.away.clone())));
        self.connected().await
    }

    async fn connected(&mut self) -> Peer {
        let mut peer = self.server.socket().await;
        assert_eq!(peer.subscribe_streams().await, ["btcusdt@kline_1m"]);
        peer
    }

    /// Sets the venue's clock, and waits until the client has read it.
    async fn at(&self, n: i64, second: i64) {
        self.set(n, second);
        let apart = || self.rest.clock().now().millis() - self.world.lock().unwrap().now();
        while apart().abs() > 500 {
            sleep(Duration::from_millis(2)).await;
        }
    }

    fn set(&self, n: i64, second: i64) {
        let mut world = self.world.lock().unwrap();
        world.ahead_ms = (START + n) * 60_000 + second * 1_000 - machine().millis();
    }

    /// Waits for what is said next: nothing but this.
    async fn says(&mut self, more: &str) {
        self.expected.extend(more.split(" / ").filter(|word| !word.is_empty()).map(ToOwned::to_owned));
        let mut tape = self.tape.subscribe();
        let waiting = tape.wait_for(|tape| tape.len() >= self.expected.len());
        _ = timeout(Duration::from_secs(20), waiting).await;
        assert_eq!(self.said(), self.expected);
    }

    fn said(&self) -> Vec<String> {
        self.tape.borrow().iter().map(word).collect()
    }

    /// Waits until the venue is said to be away with these words, or not to be.
    async fn is_away(&self, words: Option<&str>) {
        let mut away = self.away.subscribe();
        let told = away.wait_for(|why| match (why, words) {
            (Some(why), Some(words)) => why.contains(words),
            (why, words) => why.is_none() && words.is_none(),
        });
        timeout(Duration::from_secs(20), told).await.expect("it is told").unwrap();
    }

    fn questions(&self) -> usize {
        self.server.count("GET /api/v3/klines")
    }

    /// What a restart finds.
    fn on_tape(&self) -> OnTape {
        let mut on_tape = OnTape::default();
        for event in self.tape.borrow().iter() {
            match event {
                Event::Candle(events::CandleEvent::Closed(e)) => {
                    _ = on_tape.candles.insert(series(), e.candle)
                }
                Event::Instrument(events::InstrumentEvent::Listed(e)) => {
                    on_tape.rules.insert(e.instrument, (*e.rules).clone());
                }
                _ => {}
            }
        }
        on_tape
    }
}

fn frame(candle: &Candle, is_closed: bool) -> String {
    let open = candle.open_time.millis();
    json!({"stream": "btcusdt@kline_1m", "data": {"e": "kline", "E": open + 60_005, "s": "BTCUSDT", "k": {
        "t": open, "T": open + 59_999, "s": "BTCUSDT", "i": "1m", "f": 1, "L": 2,
        "o": candle.open.to_string(), "c": candle.close.to_string(), "h": candle.high.to_string(),
        "l": candle.low.to_string(), "v": candle.volume.to_string(), "n": 1, "x": is_closed,
        "q": "1", "V": "1", "Q": "1", "B": "0"}}})
    .to_string()
}

fn closes(n: i64) -> String {
    frame(&candle(n), true)
}

#[test]
fn a_series_begins_with_its_history_and_goes_on_with_the_stream() {
    run(async {
        let (mut play, mut peer) = Play::start(5, OnTape::default()).await;
        play.says("listed / 2 / 3 / 4").await;
        // As it stands, many times; then its close, twice.
        for _ in 0..3 {
            peer.say(frame(&Candle { volume: 0.into(), ..candle(5) }, false)).await;
        }
        play.at(6, 0).await;
        peer.say(closes(5)).await;
        peer.say(closes(5)).await;
        peer.say(closes(4)).await;
        play.says("5").await;
        play.at(7, 0).await;
        peer.say(closes(6)).await;
        play.says("6").await;
        // At the beginning, and again once the stream was open.
        assert!(play.questions() <= 2, "what the stream tells is not asked for");
    });
}

#[test]
fn a_disconnect_in_mid_candle_loses_and_doubles_nothing() {
    run(async {
        let (mut play, mut peer) = Play::start(5, OnTape::default()).await;
        play.says("listed / 2 / 3 / 4").await;
        peer.say(frame(&Candle { volume: 0.into(), ..candle(5) }, false)).await;
        drop(peer);
        // Two candles close while nobody listens; one more while REST is being asked.
        play.at(7, 59).await;
        let mut peer = play.connected().await;
        peer.say(closes(6)).await;
        peer.say(closes(7)).await;
        play.at(8, 5).await;
        play.says("5 / 6 / 7").await;
        play.at(9, 0).await;
        peer.say(closes(8)).await;
        play.says("8").await;
    });
}

#[test]
fn a_close_that_the_stream_does_not_tell_is_asked_for() {
    run(async {
        let (mut play, mut peer) = Play::start(5, OnTape::default()).await;
        play.says("listed / 2 / 3 / 4").await;
        play.at(6, 1).await;
        // The connection lives; only this frame is not there.
        peer.say(frame(&Candle { volume: 0.into(), ..candle(6) }, false)).await;
        play.at(6, 10).await;
        play.says("5").await;
        peer.say(closes(5)).await;
        play.at(7, 0).await;
        peer.say(closes(6)).await;
        play.says("6").await;
    });
}

#[test]
fn candles_that_come_late_are_said_in_order() {
    run(async {
        let (mut play, mut peer) = Play::start(5, OnTape::default()).await;
        play.says("listed / 2 / 3 / 4").await;
        play.at(8, 0).await;
        for n in [7, 5, 6] {
            peer.say(closes(n)).await;
        }
        play.says("5 / 6 / 7").await;
    });
}

#[test]
fn a_candle_that_the_venue_does_not_have_is_said_to_be_missing() {
    run(async {
        let (mut play, mut peer) = Play::start(5, OnTape::default()).await;
        play.says("listed / 2 / 3 / 4").await;
        play.world.lock().unwrap().holes = BTreeSet::from([5, 6]);
        play.at(8, 0).await;
        peer.say(closes(7)).await;
        play.says("missing 5..7 / 7").await;
    });
}

#[test]
fn a_differing_second_copy_is_told_and_changes_nothing() {
    run(async {
        let (mut play, mut peer) = Play::start(5, OnTape::default()).await;
        play.says("listed / 2 / 3 / 4").await;
        play.at(6, 0).await;
        peer.say(closes(5)).await;
        peer.say(frame(&Candle { volume: 999.into(), ..candle(5) }, true)).await;
        play.says("5 / differs 5").await;
        play.at(7, 0).await;
        peer.say(closes(6)).await;
        play.says("6").await;
    });
}

#[test]
fn what_cannot_be_read_is_fetched_instead() {
    run(async {
        let (mut play, mut peer) = Play::start(5, OnTape::default()).await;
        play.says("listed / 2 / 3 / 4").await;
        play.at(6, 10).await;
        for wrong in ["no json", "{}", &closes(5).replace("\"o\":\"100\"", "\"o\":\"\"")] {
            peer.say(wrong).await;
        }
        play.says("5").await;
    });
}

#[test]
fn a_venue_that_does_not_answer_is_asked_again() {
    run(async {
        let (mut play, peer) = Play::start(5, OnTape::default()).await;
        play.says("listed / 2 / 3 / 4").await;
        play.world.lock().unwrap().failures = 3;
        drop(peer);
        play.at(7, 30).await;
        let _peer = play.connected().await;
        // Time goes on, and with it the questions; each time a little less often.
        for n in 4..200 {
            if play.said().len() >= 6 {
                break;
            }
            play.at(7, 10 * n).await;
            sleep(Duration::from_millis(60)).await;
        }
        assert_eq!(play.said()[..6], ["listed", "2", "3", "4", "5", "6"]);
        let said = play.said();
        let numbers: Vec<i64> = said[1..].iter().map(|word| word.parse().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{said:?}");
    });
}

#[test]
fn a_venue_that_is_away_is_told_with_the_reason_until_it_tells_again() {
    run(async {
        let (mut play, peer) = Play::start(5, OnTape::default()).await;
        play.says("listed / 2 / 3 / 4").await;
        play.is_away(None).await;
        drop(peer);
        play.is_away(Some("no candles come")).await;
        let mut peer = play.connected().await;
        play.is_away(None).await;
        // The stream is there, and REST does not answer.
        play.world.lock().unwrap().failures = 1;
        play.at(7, 30).await;
        play.is_away(Some("binance:spot:BTCUSDT 1m")).await;
        for n in 4..200 {
            if play.away.borrow().is_none() {
                break;
            }
            play.at(7, 10 * n).await;
            sleep(Duration::from_millis(60)).await;
        }
        play.is_away(None).await;
        peer.say("over").await;
    });
}

#[test]
fn after_a_restart_it_goes_on_where_the_tape_ends() {
    run(async {
        let (mut play, mut peer) = Play::start(5, OnTape::default()).await;
        play.says("listed / 2 / 3 / 4").await;
        play.at(6, 0).await;
        peer.say(closes(5)).await;
        play.says("5").await;
        play.live.abort();
        drop(peer);
        // A day passes: more than one page.
        play.set(1_450, 30);
        let on_tape = play.on_tape();
        let mut peer = play.restart(on_tape).await;
        let missed: Vec<String> = (6..1_450).map(|n| n.to_string()).collect();
        play.says(&missed.join(" / ")).await;
        play.at(1_451, 0).await;
        peer.say(closes(1_449)).await;
        peer.say(closes(1_450)).await;
        play.says("1450").await;
        // Killed again, with nothing missed: nothing is said twice, not even the rules.
        let on_tape = play.on_tape();
        let mut peer = play.restart(on_tape).await;
        peer.say(closes(1_450)).await;
        play.at(1_452, 0).await;
        peer.say(closes(1_451)).await;
        play.says("1451").await;
    });
}

/// A rule may keep a trade from being left, so what it is now is asked for again and again.
#[test]
fn rules_that_change_and_change_back_are_said_each_time() {
    run(async {
        let (mut play, _peer) = Play::start(5, OnTape::default()).await;
        play.says("listed / 2 / 3 / 4").await;
        let lot = json!({"filterType": "LOT_SIZE", "minQty": "0.5", "maxQty": "9000", "stepSize": "0.5"});
        play.world.lock().unwrap().filters = vec![lot];
        play.says("listed").await;
        play.world.lock().unwrap().filters.clear();
        play.says("listed").await;
    });
}

#[test]
fn a_tape_that_refuses_ends_it() {
    struct Full;
    impl Tape for Full {
        type Error = &'static str;
        async fn append(&mut self, _: Vec<Event>) -> Result<(), &'static str> {
            Err("the disk is full")
        }
        async fn rules(&mut self, _: Instrument) -> Result<Option<InstrumentRules>, &'static str> {
            Ok(None)
        }
        fn venue_away(&mut self, _: Option<&str>) {}
    }
    run(async {
        let (play, _peer) = Play::start(5, OnTape::default()).await;
        let why = live::run(live(&play.rest), OnTape::default(), Full).await.unwrap_err().to_string();
        assert!(why.contains("the disk is full"), "{why}");
    });
}

#[test]
fn a_symbol_that_is_not_listed_is_named() {
    run(async {
        let (play, _peer) = Play::start(5, OnTape::default()).await;
        let mut wrong = live(&play.rest);
        wrong.series[0].instrument = "binance:spot:BTCUSD".parse().unwrap();
        let (tape, _) = watch::channel(Vec::new());
        let why = live::run(wrong, OnTape::default(), Memory(tape, play.away.clone()))
            .await
            .unwrap_err()
            .to_string();
        assert!(why.contains("binance:spot:BTCUSD is not listed"), "{why}");
    });
}
