//! The last price of every instrument, and what an asset is worth by them.

use crate::{Asset, Decimal, Instrument, InstrumentKind, InstrumentRules, Price, Timestamp, Venue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Prices {
    /// In the instruments' order.
    last: Vec<(Instrument, Last)>,
    /// Where the next price probably belongs: feeds go through the instruments by turns.
    /// It saves time and decides nothing, so a snapshot does without it.
    #[serde(skip)]
    next: usize,
    /// Every spot market from both sides: at that venue, of the first asset, in the second.
    markets: BTreeMap<Venue, BTreeMap<Asset, BTreeMap<Asset, Market>>>,
}

/// What an instrument was last traded at, and when; the close of a candle at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    pub price: Price,
    pub at: Timestamp,
}

impl Last {
    /// A candle has closed. The latest price counts, whatever it is the close of; of two closes at the
    /// same time the later said.
    pub fn close(last: &mut Option<Self>, price: Price, at: Timestamp) {
        if last.is_none_or(|last| last.at <= at) {
            *last = Some(Self { price, at });
        }
    }

    /// A price within a candle. A close at that very instant counts before it, so that a value at an
    /// instant follows from the closes there.
    pub fn quote(last: &mut Option<Self>, price: Price, at: Timestamp) {
        if last.is_none_or(|last| last.at < at) {
            *last = Some(Self { price, at });
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Market {
    instrument: Instrument,
    /// Whether its price is of the second asset in the first.
    inverse: bool,
}

impl Prices {
    /// As [`Last::close`].
    pub fn close(&mut self, instrument: Instrument, price: Price, at: Timestamp) {
        self.see(instrument, |last| Last::close(last, price, at));
    }

    /// As [`Last::quote`].
    pub fn quote(&mut self, instrument: Instrument, price: Price, at: Timestamp) {
        self.see(instrument, |last| Last::quote(last, price, at));
    }

    fn see(&mut self, instrument: Instrument, take: impl Fn(&mut Option<Last>)) {
        let place = match self.last.get(self.next) {
            Some((guess, _)) if *guess == instrument => Ok(self.next),
            Some(_) | None => self.find(&instrument),
        };
        let (Ok(at) | Err(at)) = place;
        let mut last = place.ok().map(|at| self.last[at].1);
        take(&mut last);
        match (place, last) {
            (Ok(at), Some(last)) => self.last[at].1 = last,
            (Err(at), Some(last)) => self.last.insert(at, (instrument, last)),
            (Ok(_) | Err(_), None) => {}
        }
        self.next = if at + 1 < self.last.len() { at + 1 } else { 0 };
    }

    pub fn list(&mut self, instrument: Instrument, rules: &InstrumentRules) {
        match instrument.kind {
            InstrumentKind::Spot => {}
            // A perpetual's price is not that of its asset.
            InstrumentKind::LinearPerpetual => return,
        }
        let markets = self.markets.entry(instrument.venue).or_default();
        let direct = Market { instrument, inverse: false };
        markets.entry(rules.base).or_default().insert(rules.quote, direct);
        markets.entry(rules.quote).or_default().insert(rules.base, Market { inverse: true, ..direct });
    }

    /// What a unit of `asset` is worth in `quote` at `venue`: by their own market, else through one
    /// asset between them (the first by name for which both prices are known).
    pub fn worth(&self, venue: Venue, asset: Asset, quote: Asset) -> Option<Decimal> {
        if asset == quote {
            return Some(Decimal::ONE);
        }
        let markets = self.markets.get(&venue)?.get(&asset)?;
        let direct = markets.get(&quote).and_then(|market| self.price(market));
        direct.or_else(|| {
            markets.iter().find_map(|(between, market)| {
                let rest = self.markets.get(&venue)?.get(between)?.get(&quote)?;
                self.price(market)?.checked_mul(self.price(rest)?)
            })
        })
    }

    /// The last price of an instrument.
    pub fn last(&self, instrument: &Instrument) -> Option<Price> {
        self.find(instrument).ok().map(|at| self.last[at].1.price)
    }

    fn price(&self, market: &Market) -> Option<Decimal> {
        let price = self.last[self.find(&market.instrument).ok()?].1.price.get();
        if market.inverse { Decimal::ONE.checked_div(price) } else { Some(price) }
    }

    fn find(&self, instrument: &Instrument) -> Result<usize, usize> {
        self.last.binary_search_by(|(known, _)| known.cmp(instrument))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_price_counts_a_close_before_a_quote_and_an_asset_is_priced_through_one_other() {
        let mut prices = Prices::default();
        let asset = |name: &str| name.parse::<Asset>().unwrap();
        let spot = |symbol: &str| format!("paper:spot:{symbol}").parse::<Instrument>().unwrap();
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let one = Decimal::ONE;
        for (symbol, base, quote) in
            [("BTCUSDT", "BTC", "USDT"), ("USDTTRY", "USDT", "TRY"), ("XMRBTC", "XMR", "BTC")]
        {
            prices.list(spot(symbol), &InstrumentRules::open(asset(base), asset(quote), one, one, one));
        }
        let perpetual = "paper:linear_perpetual:ADAUSDT".parse().unwrap();
        prices.list(perpetual, &InstrumentRules::open(asset("ADA"), asset("USDT"), one, one, one));
        let worth = |prices: &Prices, base: &str, quote: &str| {
            let worth = prices.worth(spot("BTCUSDT").venue, asset(base), asset(quote));
            worth.map_or_else(|| "-".to_owned(), |worth| worth.normalize().to_string())
        };
        let price = |text: &str| text.parse::<Price>().unwrap();
        let mut seen = Vec::new();
        for (kind, what, seconds) in [
            ("quote", "50", 30),
            ("close", "100", 60),
            ("quote", "90", 60),
            ("close", "101", 60),
            ("close", "80", 59),
            ("quote", "80", 59),
            ("quote", "95", 61),
            ("close", "96", 61),
        ] {
            match kind {
                "close" => prices.close(spot("BTCUSDT"), price(what), at(seconds)),
                _ => prices.quote(spot("BTCUSDT"), price(what), at(seconds)),
            }
            // Feeds go through the instruments by turns, or do not.
            if seconds == 60 {
                prices.quote(perpetual, price("7"), at(seconds));
            }
            seen.push(worth(&prices, "BTC", "USDT"));
        }
        assert_eq!(seen, ["50", "100", "100", "101", "101", "101", "95", "96"]);
        prices.close(spot("USDTTRY"), price("40"), at(60));
        prices.close(spot("XMRBTC"), price("0.5"), at(60));
        for (base, quote, expected) in [
            ("TRY", "USDT", "0.025"),
            ("XMR", "USDT", "48"),
            ("USDT", "USDT", "1"),
            ("XMR", "TRY", "-"),
            ("ADA", "USDT", "-"),
        ] {
            assert_eq!(worth(&prices, base, quote), expected, "{base} in {quote}");
        }
        assert_eq!(prices.last(&spot("XMRBTC")), Some(price("0.5")));
        assert_eq!(prices.last(&spot("ETHBTC")), None);
        assert_eq!(prices.last(&perpetual), Some(price("7")));
    }
}
