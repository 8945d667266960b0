//! A script of fills, and the log that it must give.
//!
//! Mirrored, the same script is of short positions of a perpetual: a price `p` becomes `1000 − p`, who buys sells, and
//! what is said is turned back. What is held against the script's own direction is told as `the other way`.

use domain::{
    Account, ClientOrderId, Decimal, Direction, EdgeName, Ending, EntryPlan, Filled, Instrument,
    InstrumentRules, Leg, NewOrder, OrderKind, OrderRequest, Origin, PositionSide, Price, Quantity, Side,
    Size, Timestamp, TradeId,
};
use events::*;
use position_tracker::{Config, PositionTracker};
use service::{Solo, mirror};

/// Hears `script`, one fact a line, and must say `log`, one event a line:
///
/// - `list BTCUSDT BTC USDT 0.001 5`: its base, quote, lot size and least notional
/// - `submit a edge70`, `submit a by hand`: an order of ours, of a trade of that edge
/// - `a buys 0.5 @ 100 [fee 0.1 BNB]`, `a sells …`: the next fill of an order
/// - `a is #7`, `a was amended to b #7`: the venue's number of an order, which else is `#a`
/// - `b #7 buys …`: a fill of the order with that number, whatever it is called
/// - `again`: the last fill, heard once more
/// - `trade a closed`, `trade a aborted`: edge70's trade of that order
/// - `a done`: all its fills have been heard
#[track_caller]
pub fn check(script: &str, log: &str) {
    let mut said = Vec::new();
    let mut world = World::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        said.extend(world.hear(line).iter().map(written));
    }
    let wanted: Vec<&str> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(said, wanted);
}

pub struct World {
    pub core: Solo<PositionTracker>,
    pub fills: u32,
    last: Option<Event>,
}

impl World {
    /// With BTCUSDT listed, in lots of 0.001 and orders of at least 5 USDT.
    pub fn new() -> Self {
        let mut world = Self { core: Solo::new(Config::default()), fills: 0, last: None };
        world.hear("list BTCUSDT BTC USDT 0.001 5");
        world
    }

    pub fn hear(&mut self, line: &str) -> Vec<Event> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["list", symbol, base, quote, lot, notional] => self.say(InstrumentListed {
                instrument: instrument(symbol),
                rules: Box::new(InstrumentRules::open(
                    base.parse().unwrap(),
                    quote.parse().unwrap(),
                    d("0.01"),
                    d(lot),
                    d(notional),
                )),
            }),
            ["submit", id, "by", "hand"] => {
                self.say(submitted(id, Origin::Manual { request: TradeId::new("by-hand").unwrap() }))
            }
            ["submit", id, edge] => {
                let trade = TradeId::new(&format!("{edge}-{id}")).unwrap();
                self.say(sized(trade, edge.parse().unwrap()));
                self.say(submitted(id, Origin::Trade { trade, leg: Leg::Entry, attempt: 1 }))
            }
            ["trade", id, "closed"] => self.say(closed(trade(id))),
            ["trade", id, "aborted"] => self.say(TradeAborted {
                trade: trade(id),
                account: account(),
                instrument: instrument("BTCUSDT"),
                edge: "edge70".parse().unwrap(),
                reason: AbortReason::EntryUnfilled,
                text: String::new(),
            }),
            [id, "done"] => self.say(done(id)),
            [id, "is", number] => self.say(OrderAccepted {
                account: account(),
                instrument: instrument("BTCUSDT"),
                order: ClientOrderId::new(id).unwrap(),
                venue_order: number.parse().unwrap(),
                at: Timestamp::ZERO,
            }),
            [id, "was", "amended", "to", renamed, number] => self.say(OrderAmended {
                account: account(),
                instrument: instrument("BTCUSDT"),
                order: ClientOrderId::new(id).unwrap(),
                renamed: ClientOrderId::new(renamed).unwrap(),
                venue_order: number.parse().unwrap(),
                execution: 1,
                quantity: "0.1".parse().unwrap(),
                at: Timestamp::ZERO,
            }),
            [id, number, verb @ ("buys" | "sells"), quantity, "@", price] => {
                self.fills += 1;
                let fill = filled(self.fills, id, side(verb), quantity, price, None);
                self.say(OrderFilled { venue_order: number.parse().unwrap(), ..fill })
            }
            ["again"] => {
                let last = self.last.clone().unwrap();
                self.say(last)
            }
            [id, verb @ ("buys" | "sells"), quantity, "@", price, ref fee @ ..] => {
                self.fills += 1;
                let fee = match *fee {
                    ["fee", amount, asset] => Some(Fee { asset: asset.parse().unwrap(), amount: d(amount) }),
                    _ => None,
                };
                let fill = Event::from(filled(self.fills, id, side(verb), quantity, price, fee));
                self.last = Some(fill.clone());
                self.say(fill)
            }
            _ => panic!("no fact: {line}"),
        }
    }

    fn say(&mut self, event: impl Into<Event>) -> Vec<Event> {
        self.core.hear(Timestamp::from_millis(i64::from(self.fills) * 1_000), event)
    }
}

fn side(verb: &str) -> Side {
    let side = if verb == "buys" { Side::Buy } else { Side::Sell };
    if mirror::is_on() { side.opposite() } else { side }
}

/// The price that stands for `price`, there and back.
fn turned(price: Decimal) -> Decimal {
    if mirror::is_on() { d("1000") - price } else { price }
}

/// The direction of what a script buys.
pub fn way() -> Direction {
    if mirror::is_on() { Direction::Short } else { Direction::Long }
}

pub fn filled(n: u32, id: &str, side: Side, quantity: &str, price: &str, fee: Option<Fee>) -> OrderFilled {
    let price = Price::new(turned(d(price))).unwrap();
    let quantity: Quantity = quantity.parse().unwrap();
    OrderFilled {
        account: account(),
        instrument: instrument("BTCUSDT"),
        order: ClientOrderId::new(id).unwrap(),
        venue_order: format!("#{id}").parse().unwrap(),
        venue_trade: format!("t{n}").parse().unwrap(),
        side,
        price,
        quantity,
        quote: price.get().checked_mul(quantity.get()).unwrap_or(Decimal::MAX),
        fee,
        maker: false,
        at: Timestamp::from_millis(i64::from(n) * 1_000),
    }
}

fn sized(trade: TradeId, edge: EdgeName) -> TradeSized {
    let one = Decimal::ONE;
    TradeSized {
        trade,
        account: account(),
        instrument: instrument("BTCUSDT"),
        edge,
        direction: way(),
        trigger: "1".parse().unwrap(),
        signal_at: Timestamp::ZERO,
        quantity: "1".parse().unwrap(),
        limit: "1".parse().unwrap(),
        reserved: one,
        margin: None,
        entry: EntryPlan::LimitIoc,
        exit: None,
        sizing: Sizing { method: SizingMethod::Fixed, equity: one, cash: one, budget: one, risk: one },
    }
}

/// edge70's.
fn trade(id: &str) -> TradeId {
    TradeId::new(&format!("edge70-{id}")).unwrap()
}

fn closed(trade: TradeId) -> TradeClosed {
    let zero = Decimal::ZERO;
    TradeClosed {
        trade,
        account: account(),
        instrument: instrument("BTCUSDT"),
        edge: "edge70".parse().unwrap(),
        direction: way(),
        reason: ExitReason::StopHit,
        quantity: zero,
        entry_price: zero,
        exit_price: zero,
        cost: zero,
        proceeds: zero,
        profit: zero,
        fees: Vec::new(),
        left: zero,
        left_cost: zero,
        left_worth: zero,
        carried: zero,
        carried_cost: zero,
        opened_at: Timestamp::ZERO,
        closed_at: Timestamp::ZERO,
    }
}

fn submitted(id: &str, origin: Origin) -> OrderSubmitted {
    let order = NewOrder {
        id: ClientOrderId::new(id).unwrap(),
        side: Side::Buy,
        kind: OrderKind::Market,
        size: Size::Base("1".parse().unwrap()),
        origin,
        reduce_only: false,
        position_side: PositionSide::Net,
    };
    let request = Box::new(OrderRequest::Single(order));
    OrderSubmitted { account: account(), instrument: instrument("BTCUSDT"), request }
}

fn done(id: &str) -> OrderDone {
    OrderDone {
        account: account(),
        instrument: instrument("BTCUSDT"),
        order: ClientOrderId::new(id).unwrap(),
        origin: None,
        ending: Ending::Filled,
        filled: Filled::default(),
        fees: Vec::new(),
        rejection: None,
        text: String::new(),
    }
}

pub fn written(event: &Event) -> String {
    let short = |value: Decimal| value.round_dp(4).normalize();
    let price = |value: Decimal| short(turned(value));
    let whose = |key: &PositionKey, direction: Direction| match direction == way() {
        true => key.owner.to_string(),
        false => format!("{} the other way", key.owner),
    };
    match event {
        Event::Position(PositionEvent::Opened(e)) => {
            format!("{} opened {} at {}", whose(&e.position, e.direction), e.quantity, price(e.average))
        }
        Event::Position(PositionEvent::Increased(e)) => {
            let owner = whose(&e.position, e.direction);
            format!("{owner} +{} = {} at {}", e.by, e.quantity, price(e.average))
        }
        Event::Position(PositionEvent::Reduced(e)) => {
            let (owner, profit) = (whose(&e.position, e.direction), short(e.profit));
            format!("{owner} -{} = {} at {} profit {profit}", e.by, e.quantity, price(e.average))
        }
        Event::Position(PositionEvent::Closed(e)) => {
            assert!(e.by <= e.exited, "a fill leaves no more than there is: {e:?}");
            let fees: String =
                e.fees.iter().map(|fee| format!(" fee {} {}", fee.amount.normalize(), fee.asset)).collect();
            let left = match e.left.is_zero() {
                true => String::new(),
                false => format!(" left {} worth {}", e.left, short(e.left_worth)),
            };
            let (entry, exit, profit) = (price(e.entry_price), price(e.exit_price), short(e.profit));
            let owner = whose(&e.position, e.direction);
            let ratio = if mirror::is_on() {
                let near = e.profit_ratio - e.profit / (e.entry_price * e.exited);
                assert!(near.abs() < d("0.000001"), "{e:?}");
                e.profit / (turned(e.entry_price) * e.exited)
            } else {
                e.profit_ratio
            };
            let percent = short(ratio * d("100"));
            format!(
                "{owner} closed {} at {entry}, {} at {exit}, profit {profit} = {percent}%{left}{fees}",
                e.entered, e.exited
            )
        }
        other => panic!("it should not say {other:?}"),
    }
}

pub fn account() -> Account {
    "paper:main".parse().unwrap()
}

pub fn instrument(symbol: &str) -> Instrument {
    let kind = if mirror::is_on() { "linear_perpetual" } else { "spot" };
    format!("paper:{kind}:{symbol}").parse().unwrap()
}

pub fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}
