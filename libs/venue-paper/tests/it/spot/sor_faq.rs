//! `faqs/sor_faq.md`: the examples, and what the other books hear of it.

use super::floor::{levels, written};
use crate::suite::script::{START, get, new_order, rules, spot};
use domain::{Decimal, OrderKind, OrderRequest, Side, Size, TimeInForce};
use venue_paper::engine::{Book, Extras, Owner, SelfTrade, Spot, Terms, Wanted};

/// BTCUSDT, BTCUSDC and BTCUSDP with these books, and much of everything; no fees.
struct Sor {
    spot: Spot,
    orders: u32,
}

impl Sor {
    fn new(books: [&str; 3]) -> Self {
        let mut terms = Terms::default();
        (terms.fees.maker, terms.fees.taker) = (Decimal::ZERO, Decimal::ZERO);
        let mut spot_of = Spot::new(terms);
        for (quote, book) in ["USDT", "USDC", "USDP"].into_iter().zip(books) {
            let instrument = spot(&format!("BTC{quote}"));
            spot_of.list(instrument, &rules("BTC", quote));
            let (bids, asks) = book.split_once('|').expect("bids | asks");
            spot_of.see_book(START, instrument, &Book { bids: levels(bids), asks: levels(asks) });
        }
        for (asset, amount) in [("USDT", "400000"), ("BTC", "20"), ("USDC", "1")] {
            spot_of.adjust(START, Owner::FIRST, get(asset), get(amount)).expect("a deposit");
        }
        Self { spot: spot_of, orders: 0 }
    }

    /// The first example's asks.
    fn asks() -> Self {
        Self::new(["| 30500x3 30800x3", "| 28000x1 30000x1", "| 29000x1 35000x1"])
    }

    fn place(&mut self, side: Side, quantity: &str, kind: OrderKind) -> String {
        self.orders += 1;
        let order = new_order(&format!("o{}", self.orders), side, Size::Base(get(quantity)), kind);
        let extras = [Extras { self_trade: SelfTrade::ExpireMaker, ..Extras::default() }, Extras::default()];
        let wanted = Wanted { owner: Owner::FIRST, request: OrderRequest::Single(order), extras };
        let routes = [spot("BTCUSDC"), spot("BTCUSDP")];
        let told = self.spot.place_routed(START, spot("BTCUSDT"), &wanted, &routes);
        let words = |(instrument, reports): &(domain::Instrument, Vec<_>)| {
            let said: Vec<_> = reports.iter().filter_map(written).collect();
            let said = said.join(" / ");
            if instrument.symbol.as_str() == "BTCUSDT" {
                said
            } else {
                format!("{}: {said}", instrument.symbol)
            }
        };
        told.iter().map(words).filter(|said| !said.ends_with(": ")).collect::<Vec<_>>().join(" || ")
    }

    fn balance(&self, asset: &str) -> String {
        let balance = self.spot.exchange.balances.of(&get(asset));
        format!("{}+{}", balance.free.normalize(), balance.locked.normalize())
    }

    fn asks_of(&self, symbol: &str) -> String {
        let book = self.spot.book(spot(symbol)).expect("a book");
        book.asks.iter().map(|(p, q)| format!("{p}x{q}")).collect::<Vec<_>>().join(" ")
    }
}

fn limit(price: &str, time_in_force: TimeInForce) -> OrderKind {
    OrderKind::Limit { price: get(price), time_in_force }
}

#[test]
fn example_1_takes_the_best_price_of_all_books_and_pays_in_its_own_quote_asset() {
    let mut sor = Sor::asks();
    assert_eq!(
        sor.place(Side::Buy, "0.5", limit("31000", TimeInForce::Gtc)),
        "o1 accepted #1 / o1 filled 0.5 @ 28000 a0 BTCUSDC / o1 ended filled with 0.5 for 14000"
    );
    assert_eq!((sor.balance("USDT"), sor.balance("USDC")), ("386000+0".to_owned(), "1+0".to_owned()));
    assert_eq!(sor.asks_of("BTCUSDC"), "28000x0.5 30000x1");
}

#[test]
fn example_2_goes_from_book_to_book() {
    let mut sor = Sor::asks();
    assert_eq!(
        sor.place(Side::Buy, "5", limit("31000", TimeInForce::Gtc)),
        "o1 accepted #1 / o1 filled 1 @ 28000 a0 BTCUSDC / o1 filled 1 @ 29000 a1 BTCUSDP / \
         o1 filled 1 @ 30000 a2 BTCUSDC / o1 filled 2 @ 30500 a3 BTCUSDT / o1 ended filled with 5 for 148000"
    );
    assert_eq!(sor.asks_of("BTCUSDT"), "30500x1 30800x3");
    assert_eq!(sor.asks_of("BTCUSDP"), "35000x1");
}

#[test]
fn example_3_a_market_order_that_finds_too_little_expires() {
    let mut sor = Sor::asks();
    let said = sor.place(Side::Buy, "11", OrderKind::Market);
    assert!(
        said.ends_with("o1 filled 1 @ 35000 a5 BTCUSDP / o1 ended expired (thin) with 10 for 305900"),
        "{said}"
    );
    assert_eq!(sor.balance("BTC"), "30+0");
}

#[test]
fn example_4_a_sale_is_paid_in_its_own_quote_asset() {
    let mut sor = Sor::new(["29500x5 |", "35000x5 30000x5 |", "28000x5 |"]);
    assert_eq!(
        sor.place(Side::Sell, "10", limit("29000", TimeInForce::Gtc)),
        "o1 accepted #1 / o1 filled 5 @ 35000 a0 BTCUSDC / o1 filled 5 @ 30000 a1 BTCUSDC / o1 ended filled with 10 for 325000"
    );
    assert_eq!((sor.balance("USDT"), sor.balance("USDC")), ("725000+0".to_owned(), "1+0".to_owned()));
}

#[test]
fn what_is_left_of_a_limit_rests_on_its_own_book() {
    let mut sor = Sor::asks();
    let said = sor.place(Side::Buy, "3", limit("29500", TimeInForce::Gtc));
    assert_eq!(said, "o1 accepted #1 / o1 filled 1 @ 28000 a0 BTCUSDC / o1 filled 1 @ 29000 a1 BTCUSDP");
    let book = sor.spot.book(spot("BTCUSDT")).expect("a book");
    assert_eq!(book.bids, levels("29500x1"));
    // All or nothing counts every book; and what its own book has best is a trade there.
    let mut sor = Sor::asks();
    assert_eq!(
        sor.place(Side::Buy, "9", limit("30500", TimeInForce::Fok)),
        "o1 accepted #1 / o1 ended expired (fok)"
    );
    let filled = sor.place(Side::Buy, "6", limit("30500", TimeInForce::Fok));
    assert!(filled.ends_with("o2 ended filled with 6 for 178500"), "{filled}");
    assert_eq!(
        sor.place(Side::Buy, "1", limit("31000", TimeInForce::Ioc)),
        "o3 accepted #3 / o3 filled 1 @ 30800 t1 / o3 ended filled with 1 for 30800"
    );
}

#[test]
fn what_was_taken_elsewhere_triggers_stops_there_and_passes_nobody_of_ours() {
    let mut sor = Sor::asks();
    sor.spot.see_trade(START, spot("BTCUSDC"), get("27000"), get("1"), Side::Buy);
    let stop =
        new_order("s1", Side::Sell, Size::Base(get("1")), OrderKind::TakeProfit { stop: get("28000") });
    sor.spot.place(START, spot("BTCUSDC"), &OrderRequest::Single(stop).into());
    let own = new_order("m1", Side::Sell, Size::Base(get("1")), limit("29999", TimeInForce::Gtc));
    sor.spot.place(START, spot("BTCUSDC"), &OrderRequest::Single(own).into());
    assert_eq!(
        sor.place(Side::Buy, "3", limit("30000", TimeInForce::Ioc)),
        "o1 accepted #1 / o1 filled 1 @ 28000 a0 BTCUSDC / o1 filled 1 @ 29000 a1 BTCUSDP / \
         o1 ended expired (ioc) with 2 for 57000 || BTCUSDC: s1 triggered / s1 ended expired (thin)"
            .replace("#1", "#3")
    );
    // Too little money for what all books ask.
    let mut sor = Sor::asks();
    sor.spot.adjust(START, Owner::FIRST, get("USDT"), get("-395000")).expect("a withdrawal");
    assert_eq!(
        sor.place(Side::Buy, "1", OrderKind::Market),
        "o1 rejected -2010: Account has insufficient balance for requested action."
    );
}

#[test]
fn an_order_that_its_own_book_fills_reaches_no_other_book() {
    let books = ["30000x2 | 30500x2 30800x3", "| 30600x5", "| 40000x1"];
    assert_eq!(
        Sor::new(books).place(Side::Buy, "2", limit("30600", TimeInForce::Gtc)),
        "o1 accepted #1 / o1 filled 2 @ 30500 t1 / o1 ended filled with 2 for 61000"
    );
    // The first level of all is its own, and too little.
    assert_eq!(
        Sor::new(books).place(Side::Buy, "2.5", limit("30600", TimeInForce::Gtc)),
        "o1 accepted #1 / o1 filled 2 @ 30500 a0 BTCUSDT / o1 filled 0.5 @ 30600 a1 BTCUSDC / o1 ended filled with 2.5 for 76300"
    );
}

#[test]
fn a_market_order_must_pay_for_what_all_books_ask_and_for_the_fee() {
    use venue_paper::engine::PaidIn;
    for (money, bought) in [("-367000", true), ("-367000.01", false)] {
        let mut sor = Sor::new(["| 31000x1", "| 30000x1 40000x1", "| 50000x1"]);
        sor.spot.adjust(START, Owner::FIRST, get("USDT"), get(money)).expect("a withdrawal");
        sor.spot.terms.fees.taker = get("0.1");
        sor.spot.terms.fees.paid_in = PaidIn::Quote;
        let said = sor.place(Side::Buy, "1", OrderKind::Market);
        let wanted = if bought {
            "o1 accepted #1 / o1 filled 1 @ 30000 fee 3000 USDT a0 BTCUSDC / o1 ended filled with 1 for 30000"
        } else {
            "o1 rejected -2010: Account has insufficient balance for requested action."
        };
        assert_eq!(said, wanted);
    }
    // A sale costs coins, and a limit no more than it says.
    let mut sor = Sor::new(["29000x5 |", "30000x5 |", "28000x5 |"]);
    assert_eq!(
        sor.place(Side::Sell, "1", OrderKind::Market),
        "o1 accepted #1 / o1 filled 1 @ 30000 a0 BTCUSDC / o1 ended filled with 1 for 30000"
    );
    let mut sor = Sor::new(["| 31000x9", "| 30000x1 400000x9", "| 500000x1"]);
    sor.spot.adjust(START, Owner::FIRST, get("USDT"), get("-340000")).expect("a withdrawal");
    assert_eq!(
        sor.place(Side::Buy, "2", limit("30000", TimeInForce::Gtc)),
        "o1 accepted #1 / o1 filled 1 @ 30000 a0 BTCUSDC"
    );
}
