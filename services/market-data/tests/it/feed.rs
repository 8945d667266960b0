use crate::script::{at, check, feed, instrument, rules, series};
use domain::InstrumentRules;
use events::{Candle, Event, InstrumentListed};
use market_data::{Feed, FeedError, Market, MarketError, Memory, Outlook, Series};
use market_store::StoreError;
use service::Steps;
use std::collections::BTreeMap;

#[test]
fn the_instruments_are_listed_first_then_candles_come_as_they_close() {
    check(
        "BTC 1h 0:100 1:101 / ETH 1h 0:10 1:11",
        "rest",
        "0: list BTC, list ETH, time 0
         1: BTC 1h 0:100, ETH 1h 0:10, time 1
         2: BTC 1h 1:101, ETH 1h 1:11, time 2",
    );
}

#[test]
fn at_one_instant_the_finest_series_comes_first() {
    check(
        "BTC 4h 0:100 / ETH 4h 0:10 / ETH 2h 0:10 2:12 / BTC 2h 0:100 2:102",
        "rest",
        "0: list BTC, list ETH, time 0
         2: BTC 2h 0:100, ETH 2h 0:10, time 2
         4: BTC 2h 2:102, ETH 2h 2:12, BTC 4h 0:100, ETH 4h 0:10, time 4",
    );
}

#[test]
fn what_is_wrong_with_candles_is_said_in_its_step() {
    check(
        "BTC 1h 0:100 0:100 3:103 1:101 3:103~ 4:104! 5:105",
        "rest",
        "0: list BTC, time 0
         1: BTC 1h 0:100, BTC 1h 0 refused Duplicate, time 1
         4: BTC 1h missing 2 from 1 until 3, BTC 1h 3:103, BTC 1h 1 refused OutOfOrder, BTC 1h 3 differs, time 4
         5: BTC 1h 4 refused Inconsistent, time 5
         6: BTC 1h missing 1 from 4 until 5, BTC 1h 5:105, time 6",
    );
}

#[test]
fn whoever_asks_is_woken_between_candles_or_with_them() {
    check(
        "BTC 1h 0:100 1:101 2:102",
        "step / wake 0.5 / wake 1 / wake 1.25 / rest",
        "0: list BTC, time 0
         0.5: time 0.5
         1: BTC 1h 0:100, time 1
         1.25: time 1.25
         2: BTC 1h 1:101, time 2
         3: BTC 1h 2:102, time 3",
    );
}

#[test]
fn a_wake_in_the_past_is_answered_at_once_with_the_time_that_it_is() {
    check(
        "BTC 1h 0:100 1:101",
        "step / step / wake 0.5 / wake 1 / rest",
        "0: list BTC, time 0
         1: BTC 1h 0:100, time 1
         1: time 1
         2: BTC 1h 1:101, time 2",
    );
}

#[test]
fn time_ends_with_the_last_candle() {
    check(
        "BTC 1h 0:100",
        "step / wake 7 / step / wake 0.5 / ask BTC / step / step",
        "0: list BTC, time 0
         1: BTC 1h 0:100, time 1
         1: time 1
         end",
    );
}

#[test]
fn a_quote_is_the_open_of_the_candle_that_opens_next() {
    check(
        "BTC 1h 0:100 1:101 2:102",
        "step / ask BTC / step / step / ask BTC / step / step / ask BTC / rest",
        "0: list BTC, time 0
         0: quote BTC 100 at 0
         1: BTC 1h 0:100, time 1
         1: quote BTC 101 at 1
         2: BTC 1h 1:101, time 2
         2: quote BTC 102 at 2
         3: BTC 1h 2:102, time 3",
    );
}

#[test]
fn a_quote_asked_within_a_candle_waits_for_the_next_one() {
    check(
        "BTC 1h 0:100 1:101",
        "step / wake 0.5 / step / ask BTC / rest",
        "0: list BTC, time 0
         0.5: time 0.5
         1: BTC 1h 0:100, time 1
         1: quote BTC 101 at 1
         2: BTC 1h 1:101, time 2",
    );
}

#[test]
fn the_finest_series_answers_unless_a_coarser_one_opens_earlier() {
    check(
        "BTC 1h 0:100 1:101 5:105 / BTC 2h 0:200 2:202 4:204",
        "step / ask BTC / step / step / step / ask BTC / rest",
        "0: list BTC, time 0
         0: quote BTC 100 at 0
         1: BTC 1h 0:100, time 1
         2: BTC 1h 1:101, BTC 2h 0:200, time 2
         2: quote BTC 202 at 2
         4: BTC 2h 2:202, time 4
         6: BTC 1h missing 3 from 2 until 5, BTC 1h 5:105, BTC 2h 4:204, time 6",
    );
}

#[test]
fn over_a_gap_time_passes_with_the_quote_and_wakes_are_heard_on_the_way() {
    check(
        "BTC 1h 0:100 4:104 / ETH 1h 0:10 6:16",
        "step / step / ask BTC / ask ETH / wake 2 / wake 4 / rest",
        "0: list BTC, list ETH, time 0
         1: BTC 1h 0:100, ETH 1h 0:10, time 1
         2: time 2
         4: quote BTC 104 at 4, time 4
         5: BTC 1h missing 3 from 1 until 4, BTC 1h 4:104, time 5
         6: quote ETH 16 at 6, time 6
         7: ETH 1h missing 5 from 1 until 6, ETH 1h 6:16, time 7",
    );
}

#[test]
fn quotes_at_one_instant_come_in_one_step() {
    check(
        "BTC 1h 0:100 1:101 / ETH 1h 0:10 1:11",
        "step / step / ask ETH / ask BTC / ask ETH / rest",
        "0: list BTC, list ETH, time 0
         1: BTC 1h 0:100, ETH 1h 0:10, time 1
         1: quote BTC 101 at 1, quote ETH 11 at 1
         2: BTC 1h 1:101, ETH 1h 1:11, time 2",
    );
}

#[test]
fn candles_that_close_when_another_opens_come_before_its_quote() {
    check(
        "BTC 1h 0:100 2:102 / ETH 2h 0:10 2:12",
        "step / step / ask BTC / rest",
        "0: list BTC, list ETH, time 0
         1: BTC 1h 0:100, time 1
         2: ETH 2h 0:10, time 2
         2: quote BTC 102 at 2
         3: BTC 1h missing 1 from 1 until 2, BTC 1h 2:102, time 3
         4: ETH 2h 2:12, time 4",
    );
}

#[test]
fn a_candle_that_will_be_refused_gives_no_quote() {
    check(
        "BTC 1h 0:100 1:101! 2:102",
        "step / step / ask BTC / rest",
        "0: list BTC, time 0
         1: BTC 1h 0:100, time 1
         2: BTC 1h 1 refused Inconsistent, time 2
         2: quote BTC 102 at 2
         3: BTC 1h missing 1 from 1 until 2, BTC 1h 2:102, time 3",
    );
}

#[test]
fn what_is_not_in_the_market_is_never_quoted() {
    check(
        "BTC 1h 0:100",
        "step / ask DOGE / rest",
        "0: list BTC, time 0
         1: BTC 1h 0:100, time 1",
    );
}

#[test]
fn only_the_range_asked_for_is_played() {
    check(
        "BTC 1h 0:100 1:101 2:102 3:103 4:104",
        "from 2 / to 4 / step / step / step / ask BTC / wake 4.5 / rest",
        "2: list BTC, time 2
         3: BTC 1h 2:102, time 3
         4: BTC 1h 3:103, time 4
         4: quote BTC 104 at 4",
    );
    check("BTC 4h 0:100 4:104", "from 1.5 / step / step", "1.5: list BTC, time 1.5\n4: BTC 4h 0:100, time 4");
    check("BTC 1h 3:103", "from 1 / to 4 / rest", "3: list BTC, time 3\n4: BTC 1h 3:103, time 4");
    check("BTC 1h 3:103", "to 2 / rest", "");
    check("BTC 1h 3:103", "from 9 / rest", "");
}

#[test]
fn beyond_the_range_nobody_is_woken() {
    check(
        "BTC 4h 0:100 4:104",
        "to 2 / step / wake 1 / wake 2 / wake 3 / rest",
        "0: list BTC, time 0
         1: time 1
         2: time 2",
    );
}

#[test]
fn an_instrument_whose_rules_changed_is_listed_again_on_a_restart() {
    let candles = "BTC 1h 0:100 1:101 / ETH 1h 0:10 1:11";
    let first = feed(candles, None, None).next_step().unwrap().unwrap();
    let changed = InstrumentRules { min_notional: 7.into(), ..rules("ETH") };
    let all = BTreeMap::from([(instrument("BTC"), rules("BTC")), (instrument("ETH"), changed.clone())]);
    let market = Memory::new(candles.split(" / ").flat_map(series));
    let mut after = Feed::new(Box::new(market), all, None, None);
    first.events.iter().for_each(|e| after.apply(first.now, e));
    let step = after.next_step().unwrap().unwrap();
    let listed = InstrumentListed { instrument: instrument("ETH"), rules: Box::new(changed) };
    assert_eq!((step.now, step.events), (first.now, vec![Event::from(listed)]));
}

/// Breaks off after some candles.
struct Broken(Memory, u32);

impl Market for Broken {
    fn series(&self) -> &[Series] {
        self.0.series()
    }
    fn next(&mut self, index: usize) -> Result<Option<Candle>, MarketError> {
        let Some(left) = self.1.checked_sub(1) else {
            let (file, why) = ("A-1h.csv".into(), "gone".to_owned());
            return Err(StoreError::Malformed { file, line: 3, why }.into());
        };
        self.1 = left;
        self.0.next(index)
    }
}

#[test]
fn a_market_that_breaks_off_is_no_end() {
    let rules = BTreeMap::from([(instrument("BTC"), rules("BTC"))]);
    let market = Broken(Memory::new(series("BTC 1h 0:100 1:101 2:102")), 2);
    let mut feed = Feed::new(Box::new(market), rules, None, None);
    let mut events = Vec::new();
    let mut next = || feed.next_into(&mut events);
    assert!(next().unwrap().is_some());
    assert!(next().unwrap().is_some());
    let why = next().unwrap_err();
    assert_eq!(why.to_string(), "the recorded market cannot be read on: A-1h.csv, line 3: gone");
    assert!(matches!(next().unwrap_err(), FeedError::Failed));
}

#[test]
fn an_empty_market_has_no_step() {
    let mut feed = Feed::new(Box::new(Memory::default()), BTreeMap::new(), None, None);
    assert_eq!(feed.next_step().unwrap(), None);
}

/// Whether BTC, ETH and anything go on, by `+` and `-`.
fn ahead(feed: &mut Feed) -> String {
    let asked = [Some(instrument("BTC")), Some(instrument("ETH")), None];
    asked.map(|of| if feed.goes_on(of).unwrap() { '+' } else { '-' }).iter().collect()
}

#[test]
fn it_is_known_of_each_instrument_whether_another_candle_opens_and_asking_changes_no_step() {
    let candles = "BTC 1h 0:100 1:101 2:102 / ETH 2h 0:10";
    let mut asked = feed(candles, None, None);
    let mut undisturbed = feed(candles, None, None);
    let mut told = Vec::new();
    loop {
        told.push(ahead(&mut asked));
        let (one, other) = (asked.next_step().unwrap(), undisturbed.next_step().unwrap());
        assert_eq!(one, other);
        if one.is_none() {
            break;
        }
    }
    // Before and at the start; from 1:00 on ETH's only candle is under way, and it gives no price any more.
    assert_eq!(told, ["+++", "+++", "+-+", "+-+", "---"]);
    assert_eq!(asked.taken(), undisturbed.taken());
}

#[test]
fn a_range_ends_for_an_instrument_before_the_first_candle_that_opens_behind_it() {
    let candles = "BTC 1h 0:100 1:101 2:102 / ETH 1h 0:10 1:11 3:13";
    for (to, expected) in [("1", "+++"), ("1.5", "+++"), ("2", "+-+"), ("3", "-++")] {
        let mut feed = feed(candles, None, Some(at(to)));
        while feed.next_step().unwrap().is_some() {}
        assert_eq!(ahead(&mut feed), expected, "to {to}");
    }
}

#[test]
fn a_snapshot_tells_what_lies_ahead_to_whoever_has_no_market() {
    let candles = "BTC 1h 0:100 1:101 2:102 / ETH 1h 0:10 1:11";
    let outlook = |feed: &Feed| Outlook::of(&feed.snapshot());
    let mut whole = feed(candles, None, None);
    assert_eq!(outlook(&whole), None, "it has not looked yet");
    let mut told = Vec::new();
    while whole.next_step().unwrap().is_some() {
        let Outlook { over, ended } = outlook(&whole).unwrap();
        told.push((over, ended.len()));
    }
    assert_eq!(told, [(false, 0), (false, 0), (false, 1), (true, 2)]);
    // A range that ends within the market is over, and nothing has ended.
    let mut part = feed("BTC 1h 0:100 3:103", None, Some(at("2")));
    while part.next_step().unwrap().is_some() {}
    assert_eq!(outlook(&part), Some(Outlook { over: true, ended: [].into() }));
    // It is nothing to the feed itself.
    let mut again = feed(candles, None, None);
    again.restore(&whole.snapshot()).unwrap();
    assert_eq!(again.next_step().unwrap(), None);
    assert_eq!(Outlook::of(b"{}"), None);
}
