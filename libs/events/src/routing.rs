//! Where an event goes on a topic exchange: five words, so that a reader binds by any of them.
//!
//! `<family>.<kind>.<venue>.<instrument kind>.<instrument>`, `-` where there is none, e.g.
//! `order.filled.binance.spot.BTCUSDT`, `account.balance_changed.binance.-.-`, `time.passed.-.-.-`.
//!
//! AMQP separates words by dots and binds with `*` and `#`. Inside a word these, `%`, and a word that
//! is `-` and nothing else are written as `%` and two hexadecimal digits, as in a URL: five words
//! stay five, and any URL decoder reads them back.

use crate::{Event, Row};
use domain::{Account, Instrument};

/// For the family and for the kind each; the longest that we have takes 19 bytes.
const NAME: usize = 32;
const INSTRUMENT_KIND: usize = 16;
/// Every byte of the longest venue and symbol may take three.
const VENUE: usize = 3 * 16;
const SYMBOL: usize = 3 * 40;
/// AMQP's limit for a routing key, in bytes.
const MAX: usize = 255;
const _: () = assert!(2 * NAME + VENUE + INSTRUMENT_KIND + SYMBOL + 4 <= MAX);

impl Event {
    /// At most 255 bytes. The venue is the instrument's, else the account's.
    pub fn routing_key(&self) -> String {
        key(self.kind().name(), self.account(), self.instrument())
    }
}

impl Row {
    /// As [`Event::routing_key`]; of what only a newer build can read, family and kind alone.
    pub fn routing_key(&self) -> String {
        match self.decode() {
            Ok(recorded) => recorded.event.routing_key(),
            Err(_) => key(&self.draft.kind, None, None),
        }
    }
}

fn key(name: &str, account: Option<Account>, instrument: Option<Instrument>) -> String {
    let (family, kind) = name.split_once('.').unwrap_or((name, ""));
    let venue = instrument.map(|i| i.venue).or(account.map(|a| a.venue));
    let mut key = String::with_capacity(64);
    word(&mut key, family, NAME);
    key.push('.');
    word(&mut key, kind, NAME);
    key.push('.');
    word(&mut key, venue.as_deref().unwrap_or_default(), VENUE);
    key.push('.');
    word(&mut key, instrument.map_or("", |i| i.kind.as_str()), INSTRUMENT_KIND);
    key.push('.');
    word(&mut key, instrument.as_ref().map_or("", |i| i.symbol.as_str()), SYMBOL);
    key
}

/// Adds one word, cut at `max` bytes; `-` if there is nothing to say.
fn word(key: &mut String, text: &str, max: usize) {
    match text {
        "" => return key.push('-'),
        "-" => return key.push_str("%2D"),
        _ => {}
    }
    let end = key.len() + max;
    for c in text.chars() {
        let escaped = match c {
            '.' => "%2E",
            '*' => "%2A",
            '#' => "%23",
            '%' => "%25",
            _ => "",
        };
        if key.len() + escaped.len().max(c.len_utf8()) > end {
            return;
        }
        if escaped.is_empty() {
            key.push(c);
        } else {
            key.push_str(escaped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(account: &str, instrument: &str) -> String {
        key("order.filled", account.parse().ok(), instrument.parse().ok())
    }

    #[test]
    fn five_words_and_a_dash_for_what_there_is_not() {
        assert_eq!(of("paper:main", "binance:spot:BTCUSDT"), "order.filled.binance.spot.BTCUSDT");
        assert_eq!(of("paper:main", ""), "order.filled.paper.-.-");
        assert_eq!(of("", ""), "order.filled.-.-.-");
        assert_eq!(of("", "x:linear_perpetual:币安人生USDT"), "order.filled.x.linear_perpetual.币安人生USDT");
        assert_eq!(key("moon", None, None), "moon.-.-.-.-");
        assert_eq!(key("", None, None), "-.-.-.-.-");
    }

    #[test]
    fn what_amqp_reads_into_a_word_is_escaped() {
        assert_eq!(of("", "a.b:spot:BTC.P"), "order.filled.a%2Eb.spot.BTC%2EP");
        assert_eq!(of("", "-:spot:-"), "order.filled.%2D.spot.%2D");
        assert_eq!(of("", "a:spot:A-*#%2E"), "order.filled.a.spot.A-%2A%23%252E");
        assert_eq!(key("moon.risen.twice", None, None), "moon.risen%2Etwice.-.-.-");
    }

    #[test]
    fn the_longest_fits() {
        let (dots, more) = (".".repeat(40), "é".repeat(300));
        let instrument = format!("{}:linear_perpetual:{dots}", ".".repeat(16)).parse().ok();
        let key = key(&format!("{more}.{more}"), None, instrument);
        assert!(key.len() <= MAX && key.ends_with(&"%2E".repeat(40)), "{} {key}", key.len());
        assert_eq!(key.split('.').count(), 5);
    }
}
