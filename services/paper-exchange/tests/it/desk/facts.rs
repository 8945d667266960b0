//! One fact reads the same from the stream, from the answer to a request and from a lookup: whatever is done at random.

use super::stage::{Stage, btc};
use domain::{Account, Decimal, Side};
use events::{AccountEvent, Draft, Event, OrderEvent, Uuid, ids};
use paper_exchange::endpoint::Endpoint::{
    AllOrders, ListCancel, MyTrades, OcoPlace, OrderCancel, OrderCancelReplace, OrderPlace,
};
use serde_json::json;
use std::collections::BTreeMap;
use venue_binance::{frame, rows};

/// A small generator, so that a failure repeats by its seed.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn price(&mut self) -> String {
        format!("{}.{:02}", 95 + self.next(10), self.next(100))
    }

    fn quantity(&mut self) -> String {
        format!("{}.{:05}", self.next(2), 10_000 + self.next(90_000))
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.next(from.len() as u64) as usize]
    }
}

fn account() -> Account {
    "binance:main".parse().unwrap()
}

fn seed() -> u64 {
    let given = std::env::var("TAPEDECK_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        now.as_nanos() as u64
    })
}

/// One input at random; the facts that its answer told.
fn act(stage: &mut Stage, random: &mut Random, n: usize) -> Vec<Event> {
    let side = random.pick(&["BUY", "SELL"]);
    let (price, quantity) = (random.price(), random.quantity());
    let id = format!("o{n}");
    let placed = |stage: &mut Stage, query: &str| {
        let placed = stage.call(OrderPlace, &format!("{query}&newClientOrderId={id}"));
        placed
            .map(|answer| rows::parse_placed(account(), answer.to_string().as_bytes()).unwrap())
            .unwrap_or_default()
    };
    let modes = ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"];
    let mode = random.pick(&modes);
    let detail = random.pick(&["ACK", "RESULT", "FULL"]);
    let common =
        format!("side={side}&quantity={quantity}&selfTradePreventionMode={mode}&newOrderRespType={detail}");
    match random.next(14) {
        0..=3 => {
            let tif = random.pick(&["GTC", "GTC", "IOC", "FOK"]);
            placed(stage, &format!("{common}&type=LIMIT&timeInForce={tif}&price={price}"))
        }
        4 => placed(stage, &format!("{common}&type=LIMIT_MAKER&price={price}")),
        5 => placed(stage, &format!("{common}&type=MARKET")),
        6 => {
            let kind = random.pick(&["STOP_LOSS", "TAKE_PROFIT"]);
            placed(stage, &format!("{common}&type={kind}&stopPrice={price}"))
        }
        7 => {
            let kind = random.pick(&["STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"]);
            let limit = random.price();
            placed(stage, &format!("{common}&type={kind}&stopPrice={price}&price={limit}&timeInForce=GTC"))
        }
        8 => {
            let (above, below) = ("107", "93");
            let query = match side {
                "SELL" => format!(
                    "aboveType=LIMIT_MAKER&abovePrice={above}&belowType=STOP_LOSS&belowStopPrice={below}"
                ),
                _ => format!(
                    "aboveType=STOP_LOSS&aboveStopPrice={above}&belowType=LIMIT_MAKER&belowPrice={below}"
                ),
            };
            let query = format!(
                "side={side}&quantity={quantity}&{query}&listClientOrderId=l{n}&aboveClientOrderId=a{n}&belowClientOrderId=b{n}"
            );
            let placed = stage.call(OcoPlace, &query);
            placed
                .map(|list| rows::parse_placed_list(account(), list.to_string().as_bytes()).unwrap())
                .unwrap_or_default()
        }
        9 => {
            let number = 1 + random.next(n as u64 + 1);
            let canceled = match random.next(3) {
                0 => stage.call(ListCancel, &format!("orderListId={number}")),
                _ => stage.call(OrderCancel, &format!("orderId={number}")),
            };
            canceled
                .map(|row| rows::parse_canceled(account(), row.to_string().as_bytes()).unwrap())
                .unwrap_or_default()
        }
        10 => {
            let number = 1 + random.next(n as u64 + 1);
            let mode = random.pick(&["STOP_ON_FAILURE", "ALLOW_FAILURE"]);
            let query = format!(
                "side={side}&type=LIMIT&timeInForce=GTC&quantity={quantity}&price={price}&newClientOrderId={id}&\
                 cancelReplaceMode={mode}&cancelOrderId={number}"
            );
            let answer = match stage.call(OrderCancelReplace, &query) {
                Ok(answer) => answer,
                Err(no) => no.data.unwrap_or_default(),
            };
            let mut told = Vec::new();
            if answer["cancelResult"] == "SUCCESS" {
                let row = answer["cancelResponse"].to_string();
                told.extend(rows::parse_canceled(account(), row.as_bytes()).unwrap());
            }
            if answer["newOrderResult"] == "SUCCESS" {
                let row = answer["newOrderResponse"].to_string();
                told.extend(rows::parse_placed(account(), row.as_bytes()).unwrap());
            }
            told
        }
        11 | 12 => {
            let taker = if side == "BUY" { Side::Buy } else { Side::Sell };
            stage.trade(&price, &quantity, taker);
            Vec::new()
        }
        _ => {
            let middle = 95 + random.next(10);
            stage.book(
                &format!("{middle}.00 0.5 / {}.50 1 / {}.00 3", middle - 1, middle - 1),
                &format!("{middle}.01 0.5 / {middle}.60 1 / {}.00 3", middle + 1),
            );
            Vec::new()
        }
    }
}

/// Every order with its trades, as somebody would look it up.
fn lookups(stage: &mut Stage) -> Vec<Event> {
    let orders = stage.ok(AllOrders, "orderId=0&limit=1000");
    let mut told = Vec::new();
    for order in orders.as_array().unwrap() {
        let trades = stage.ok(MyTrades, &format!("orderId={}&limit=1000", order["orderId"]));
        let found = json!({ "order": order, "trades": trades }).to_string();
        told.extend(rows::parse_order(account(), found.as_bytes()).unwrap());
    }
    told
}

fn draft(event: &Event) -> Draft {
    let id = ids::of_fact(Uuid::nil(), event).unwrap_or_else(|| panic!("no fact: {event:?}"));
    Draft::new(id, "test".parse().unwrap(), None, event.at().unwrap_or_default(), event)
}

#[test]
fn one_fact_reads_the_same_from_stream_answer_and_lookup() {
    let seed = seed();
    println!("TAPEDECK_SEED={seed}");
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for round in 0..20 {
        let mut random = Random(seed.wrapping_add(round));
        let mut stage = Stage::new();
        let mut streamed: BTreeMap<Uuid, Draft> = BTreeMap::new();
        let mut balances = BTreeMap::new();
        let mut told = Vec::new();
        for n in 0..120 {
            told.extend(act(&mut stage, &mut random, n));
            for frame in stage.exchange.take_account_frames() {
                let events = frame::parse(account(), frame.milli.as_bytes()).unwrap();
                assert_eq!(frame::parse(account(), frame.micro.as_bytes()).unwrap(), events);
                for event in events {
                    if let Event::Account(AccountEvent::BalanceChanged(b)) = &event {
                        balances.insert(b.asset.to_string(), (b.free, b.locked));
                    }
                    let draft = draft(&event);
                    if let Some(known) = streamed.insert(draft.id, draft.clone()) {
                        assert!(known.same_fact(&draft), "{known:?}\n{draft:?}");
                    }
                }
            }
        }
        let asked = lookups(&mut stage);
        assert!(!asked.is_empty());
        for event in told.iter().chain(&asked) {
            let draft = draft(event);
            let known = streamed.get(&draft.id).unwrap_or_else(|| panic!("the stream never told {event:?}"));
            assert!(known.same_fact(&draft), "{known:?}\n{draft:?}");
        }
        // The stream tells nothing of orders that a lookup would not find.
        let orders = |drafts: &mut dyn Iterator<Item = &Draft>| {
            drafts
                .filter(|d| matches!(&*d.kind, "order.accepted" | "order.filled" | "order.ended"))
                .map(|d| d.id)
                .collect::<std::collections::BTreeSet<_>>()
        };
        let looked_up: Vec<Draft> = asked.iter().map(draft).collect();
        assert_eq!(orders(&mut streamed.values()), orders(&mut looked_up.iter()));
        balances_agree(&mut stage, &balances);
        for draft in streamed.values() {
            *counted.entry(draft.kind.to_string()).or_default() += 1;
        }
    }
    // Something of everything has happened.
    let least = [
        ("order.accepted", 200),
        ("order.filled", 100),
        ("order.ended", 100),
        ("account.balance_changed", 200),
    ];
    for (kind, least) in least {
        assert!(counted.get(kind).is_some_and(|count| *count >= least), "{kind}: {counted:?}");
    }
    println!("{counted:?}");
}

/// The last balances that were streamed are those of the account.
fn balances_agree(stage: &mut Stage, streamed: &BTreeMap<String, (Decimal, Decimal)>) {
    for (asset, balance) in streamed {
        assert_eq!(stage.balance(asset), *balance, "{asset}");
    }
    assert_eq!(streamed.len(), 2);
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let seed = seed();
    println!("TAPEDECK_SEED={seed}");
    let run = || {
        let mut random = Random(seed);
        let mut stage = Stage::new();
        for n in 0..200 {
            act(&mut stage, &mut random, n);
        }
        let answers = stage.ok(AllOrders, "orderId=0&limit=1000").to_string();
        (stage.exchange.take_account_frames(), answers)
    };
    assert_eq!(run(), run());
}

#[test]
fn events_of_orders_are_of_this_instrument() {
    let mut stage = Stage::new();
    stage.place("side=BUY&type=MARKET&quantity=1");
    let frames = stage.exchange.take_account_frames();
    let told: Vec<Event> =
        frames.iter().flat_map(|frame| frame::parse(account(), frame.milli.as_bytes()).unwrap()).collect();
    let orders = told.iter().filter(|event| matches!(event, Event::Order(OrderEvent::Filled(_))));
    assert!(orders.clone().count() > 0 && orders.clone().all(|event| event.instrument() == Some(btc())));
}
