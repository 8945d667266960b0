//! A script of what happens on a book, and below each `→` what the exchange reports, balances apart.
//!
//! ```text
//! book 99x1 98x5 | 101x2           what others have: bids, asks, the best first
//! buy 3 limit 101 iceberg 1        orders as in `crate::suite::script`, then what they carry besides:
//! → o1 accepted #1 / …             `iceberg Q`, `stp MODE`, `trail BIPS`, `follow BIPS` (no activation price),
//!                                  `peg primary|market LEVEL` (then `unpriced`: without a limit of its own)
//! oto ORDER then ORDER             or `otoco ORDER then sell Q above … below …`; `opo`, `opoco` without the
//!                                  second quantity
//! trade sell 2 @ 99                others traded; the side is the taker's
//! cancel o1        amend o1 2 [as o9]        wait 5s        average 100        adjust BTC -1
//! shows 99x1 98x5 | 101x1          the book as published
//! = USDT 899+101                   free+locked
//! account [group 1]                another account, @2, @3 …; `group 1` puts the first one into that group
//! @2 buy 1 limit 100               the same words by that account; without, by the first
//! transfer @1 @2 USDT 100
//! ```

use crate::suite::script::{START, Words, get, new_order, rules, side, span, spot};
use domain::{
    Amount, Decimal, InstrumentRules, NewOco, NewOrder, OrderRequest, Price, Quantity, Side, Size, Timestamp,
};
use events::Candle;
use venue_paper::engine::{
    Book, Expiry, Extras, Owner, Peg, PegTo, Report, SelfTrade, Spot, Terms, Trailing, Wanted, WantedList,
};

/// BTCUSDT; 1000 USDT and 10 BTC; no fees; others traded at 100 last and have nothing on the book.
pub fn check(script: &str) {
    check_with(|_| (), script);
}

pub fn check_with(change: impl FnOnce(&mut Floor), script: &str) {
    Floor::with(change).play(script);
}

pub struct Floor {
    pub spot: Spot,
    pub rules: InstrumentRules,
    pub now: Timestamp,
    pub last: Price,
    /// Without books it trades on candles, and nothing has been seen of it.
    pub on_books: bool,
    orders: u32,
    lists: u32,
}

impl Floor {
    fn new() -> Self {
        let mut terms = Terms::default();
        (terms.fees.maker, terms.fees.taker) = (Decimal::ZERO, Decimal::ZERO);
        let rules = InstrumentRules { min_notional: Decimal::ZERO, ..rules("BTC", "USDT") };
        let (spot, last) = (Spot::new(terms), get("100"));
        let mut floor = Self { spot, rules, now: START, last, on_books: true, orders: 0, lists: 0 };
        for line in ["adjust USDT 1000", "adjust BTC 10"] {
            floor.line(line);
        }
        floor
    }

    pub fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut floor = Self::new();
        change(&mut floor);
        floor.open();
        floor
    }

    pub fn play(&mut self, script: &str) {
        let lines: Vec<&str> =
            script.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
        let mut lines = lines.into_iter().peekable();
        while let Some(line) = lines.next() {
            let said = self.line(line).join(" / ");
            let wanted =
                lines.next_if(|l| l.starts_with('→')).map_or("", |l| l.trim_start_matches('→').trim());
            assert_eq!(said, wanted, "on '{line}'");
        }
    }

    fn open(&mut self) {
        self.spot.list(instrument(), &self.rules.clone());
        if !self.on_books {
            return;
        }
        let said = self.spot.see_book(self.now, instrument(), &Book::default());
        assert_eq!(said, []);
        let said = self.spot.see_trade(self.now, instrument(), self.last, get("1"), Side::Buy);
        assert_eq!(said, []);
    }

    pub fn line(&mut self, line: &str) -> Vec<String> {
        let (who, line) = match line.split_once(' ').filter(|(first, _)| first.starts_with('@')) {
            Some((first, rest)) => (owner(first), rest.trim()),
            None => (Owner::FIRST, line),
        };
        let mut words = Words(line.split_whitespace().collect());
        let reports = match words.next() {
            "buy" | "sell" | "oco" => {
                let wanted = self.wanted(&mut Words(line.split_whitespace().collect()));
                let wanted = Wanted { owner: who, ..wanted };
                self.spot.place(self.now, instrument(), &wanted)
            }
            kind @ ("oto" | "otoco" | "opo" | "opoco") => {
                let wanted = self.wanted_list(kind.starts_with("opo"), &mut words);
                let wanted = WantedList { owner: who, ..wanted };
                self.spot.place_list(self.now, instrument(), &wanted)
            }
            "book" => {
                let (bids, asks) = line.trim_start_matches("book").split_once('|').expect("bids | asks");
                let book = Book { bids: levels(bids), asks: levels(asks) };
                self.spot.see_book(self.now, instrument(), &book)
            }
            "trade" => {
                let (taker, quantity) = (side(words.next()), get(words.next()));
                words.expect("@");
                self.spot.see_trade(self.now, instrument(), get(words.next()), quantity, taker)
            }
            "to" => self.go_to(get(words.next())),
            "cancel" => self.spot.cancel(self.now, who, instrument(), get(words.next())),
            "amend" => {
                let (order, quantity) = (get(words.next()), get(words.next()));
                let new_id = words.maybe().map(|_| get(words.next()));
                self.spot.amend(self.now, who, instrument(), order, new_id, quantity)
            }
            "adjust" => {
                let (asset, delta) = (get(words.next()), get(words.next()));
                match self.spot.adjust(self.now, who, asset, delta) {
                    Ok(reports) => reports,
                    Err(refusal) => return vec![refusal.text],
                }
            }
            "account" => {
                let group = words.maybe().map(|_| get(words.next()));
                self.spot.open_account(self.spot.terms.fees, group);
                Vec::new()
            }
            "group" => {
                self.spot.exchange.group = Some(get(words.next()));
                Vec::new()
            }
            "transfer" => {
                let between = [owner(words.next()), owner(words.next())];
                let (asset, amount) = (get(words.next()), get(words.next()));
                match self.spot.transfer(self.now, between, asset, amount) {
                    Ok(reports) => reports.to_vec(),
                    Err(refusal) => return vec![refusal.text],
                }
            }
            "candle" => {
                let [open, high, low, close] = [(); 4].map(|()| get::<Price>(words.next()));
                let (interval, open_time) = (domain::Interval::Hour1, self.now);
                let (instrument, volume) = (instrument(), Decimal::from(1_000));
                let candle = Candle { instrument, interval, open_time, open, high, low, close, volume };
                self.now = candle.close_time();
                self.spot.see_candle(self.now, &candle)
            }
            "average" => {
                self.spot.set_average(instrument(), get(words.next()));
                Vec::new()
            }
            "wait" => {
                self.now = self.now + span(words.next());
                Vec::new()
            }
            "shows" => return self.compare_book(line),
            "=" => return self.compare_balances(who, line),
            other => panic!("'{line}': no such word: {other}"),
        };
        reports.iter().filter_map(written).collect()
    }

    /// A series of trades, a dollar apart, leads to that price.
    fn go_to(&mut self, price: Decimal) -> Vec<Report> {
        let mut reports = Vec::new();
        loop {
            let market = self.spot.exchange.markets.get(&instrument()).expect("listed");
            let last = market.last_price().expect("traded").get();
            if last == price {
                return reports;
            }
            let step = (price - last).clamp(-Decimal::ONE, Decimal::ONE);
            let next = Price::new(last + step).expect("a price");
            let taker = if step > Decimal::ZERO { Side::Buy } else { Side::Sell };
            reports.extend(self.spot.see_trade(self.now, instrument(), next, get("0.001"), taker));
        }
    }

    pub fn wanted(&mut self, words: &mut Words) -> Wanted {
        match words.next() {
            "oco" => {
                let side = side(words.next());
                let size = Size::Base(get(words.next()));
                words.expect("above");
                let (above, of_above) = self.order(side, size, words);
                words.expect("below");
                let (below, of_below) = self.order(side, size, words);
                self.lists += 1;
                let list = get(&format!("l{}", self.lists));
                let request = OrderRequest::Oco(NewOco { list, above, below });
                Wanted { owner: Owner::FIRST, request, extras: [of_above, of_below] }
            }
            word => {
                let side = side(word);
                let size = match words.next() {
                    "for" => Size::Quote(get(words.next())),
                    quantity => Size::Base(get(quantity)),
                };
                let (order, extras) = self.order(side, size, words);
                let request = OrderRequest::Single(order);
                Wanted { owner: Owner::FIRST, request, extras: [extras, Extras::default()] }
            }
        }
    }

    fn wanted_list(&mut self, paid: bool, words: &mut Words) -> WantedList {
        let (side_of_working, quantity) = (side(words.next()), get(words.next()));
        let size = Size::Base(quantity);
        let (working, extras) = self.order(side_of_working, size, words);
        words.expect("then");
        let pending_side = side(words.next());
        let size = if paid { size } else { Size::Base(get(words.next())) };
        self.lists += 1;
        let list = get(&format!("l{}", self.lists));
        let pending = match words.0.first() {
            Some(&"above") => {
                words.next();
                let (above, of_above) = self.order(pending_side, size, words);
                words.expect("below");
                let (below, of_below) = self.order(pending_side, size, words);
                Wanted {
                    owner: Owner::FIRST,
                    request: OrderRequest::Oco(NewOco { list, above, below }),
                    extras: [of_above, of_below],
                }
            }
            _ => {
                let (order, extras) = self.order(pending_side, size, words);
                Wanted {
                    owner: Owner::FIRST,
                    request: OrderRequest::Single(order),
                    extras: [extras, Extras::default()],
                }
            }
        };
        WantedList { owner: Owner::FIRST, list, working, extras, pending, paid }
    }

    fn order(&mut self, side: Side, size: Size, words: &mut Words) -> (NewOrder, Extras) {
        self.orders += 1;
        let order = new_order(&format!("o{}", self.orders), side, size, words.kind());
        let mut extras = Extras::default();
        while let Some(word) = words.0.first().copied().filter(|word| !matches!(*word, "below" | "then")) {
            words.next();
            match word {
                "iceberg" => extras.iceberg = Some(get(words.next())),
                "peg" => {
                    let to = match words.next() {
                        "primary" => PegTo::Primary,
                        "market" => PegTo::Market,
                        other => panic!("no such side: {other}"),
                    };
                    extras.peg = Some(Peg { to, offset: get(words.next()), price: order.kind.limit() });
                }
                "unpriced" => extras.peg.as_mut().expect("a peg").price = None,
                "stp" => extras.self_trade = mode(words.next()),
                "trail" | "follow" => {
                    let delta_bips = get(words.next());
                    extras.trailing = Some(Trailing { delta_bips, activated: word == "follow" });
                }
                other => panic!("an order carries no {other}"),
            }
        }
        (order, extras)
    }

    fn compare_book(&self, line: &str) -> Vec<String> {
        let book = self.spot.book(instrument()).expect("a book");
        let text = format!("shows {} | {}", text_of(&book.bids), text_of(&book.asks));
        assert_eq!(text.split_whitespace().collect::<Vec<_>>(), line.split_whitespace().collect::<Vec<_>>());
        Vec::new()
    }

    fn compare_balances(&self, who: Owner, line: &str) -> Vec<String> {
        let wanted = line.trim_start_matches('=').trim();
        let is = |each: &str| {
            let asset = each.split_whitespace().next().expect("an asset");
            let balance = self.spot.exchange.balances_of(who).of(&get(asset));
            format!("{asset} {}+{}", balance.free.normalize(), balance.locked.normalize())
        };
        assert_eq!(wanted.split(", ").map(is).collect::<Vec<_>>().join(", "), wanted, "on '{line}'");
        Vec::new()
    }
}

pub fn instrument() -> domain::Instrument {
    spot("BTCUSDT")
}

pub fn levels(text: &str) -> Vec<(Price, Quantity)> {
    let level = |word: &str| {
        let (price, quantity) = word.split_once('x').expect("PRICExQUANTITY");
        (get(price), get(quantity))
    };
    text.split_whitespace().map(level).collect()
}

fn text_of(levels: &[(Price, Quantity)]) -> String {
    levels.iter().map(|(price, quantity)| format!("{price}x{quantity}")).collect::<Vec<_>>().join(" ")
}

fn owner(word: &str) -> Owner {
    let place: u16 = get(word.trim_start_matches('@'));
    Owner(place - 1)
}

fn mode(word: &str) -> SelfTrade {
    use SelfTrade::{Decrement, ExpireBoth, ExpireMaker, ExpireTaker, None, Transfer};
    let modes = [None, ExpireTaker, ExpireMaker, ExpireBoth, Decrement, Transfer];
    modes.into_iter().find(|mode| mode.name() == word).unwrap_or_else(|| panic!("no such mode: {word}"))
}

/// Every report but a balance in a few words.
pub fn written(report: &Report) -> Option<String> {
    Some(match report {
        Report::Balance { .. } => return None,
        Report::QuoteWanted => "quote?".to_owned(),
        Report::Accepted(e) => format!("{} accepted #{}", e.order, e.venue_order),
        Report::Rejected { order, refusal, .. } => {
            format!("{order} rejected {}: {}", refusal.code.unwrap_or_default(), refusal.text)
        }
        Report::CancelRejected { order, refusal, .. } => {
            format!("{order} not canceled {}: {}", refusal.code.unwrap_or_default(), refusal.text)
        }
        Report::AmendRejected { order, refusal, .. } => {
            format!("{order} not amended {}: {}", refusal.code.unwrap_or_default(), refusal.text)
        }
        Report::Amended(e) => {
            format!("{} amended {} → {} was {}", e.order, e.was_quantity, e.quantity, e.was)
        }
        Report::Triggered { order, .. } => format!("{order} triggered"),
        Report::Pegged { order, price, .. } => format!("{order} pegged {price}"),
        Report::Released { order, quantity, .. } => {
            format!("{order} placed{}", quantity.map_or(String::new(), |q| format!(" {q}")))
        }
        Report::Filled(e) => {
            let maker = if e.maker { " maker" } else { "" };
            let fee = e.fee.map_or(String::new(), |fee| format!(" fee {} {}", fee.amount, fee.asset));
            let number = match e.allocation {
                Some(allocation) => format!("a{} {}", allocation.number, allocation.from.symbol),
                None => format!("t{}", e.venue_trade),
            };
            format!("{} filled {} @ {}{fee}{maker} {number}", e.order, e.quantity, e.price)
        }
        Report::Ended(e) => {
            let why = match e.expiry {
                None => "",
                Some(Expiry::OcoTrigger) => " (oco)",
                Some(Expiry::UnfilledIoc) => " (ioc)",
                Some(Expiry::UnfilledFok) => " (fok)",
                Some(Expiry::InsufficientLiquidity) => " (thin)",
                Some(Expiry::SelfTrade) => " (in match)",
                Some(Expiry::WorkingExpired) => " (working)",
                Some(Expiry::Rejected) => " (rejected)",
            };
            let filled = match e.filled.quantity.is_zero() {
                true => String::new(),
                false => format!(" with {} for {}", e.filled.quantity, e.filled.quote),
            };
            let lost =
                if e.prevented.is_zero() { String::new() } else { format!(" prevented {}", e.prevented) };
            format!("{} ended {}{why}{filled}{lost}", e.order, e.ending.as_str())
        }
        Report::Prevented(e) => {
            let lost =
                |who: &str, lost: Option<Amount>| lost.map_or(String::new(), |q| format!(" {who} {q}"));
            let (taker, maker) = (lost("taker", e.taker_prevented), lost("maker", e.maker_prevented));
            format!("prevented {} {}×{} @ {}{taker}{maker}", e.number, e.taker, e.maker, e.price)
        }
    })
}
