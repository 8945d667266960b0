//! The same client against a whole exchange, ours or Binance's test network: nothing is scripted here.
//!
//! `TAPEDECK_EXCHANGE=127.0.0.1:7080 cargo test -p venue-binance exchange -- --ignored`, with the key in
//! `TAPEDECK_EXCHANGE_KEY` and `TAPEDECK_EXCHANGE_SECRET`; without them, the paper exchange's own.

use super::{account, btc, fact, id, run, told};
use domain::{
    ClientOrderId, Decimal, NewOco, NewOrder, OrderKind, OrderRequest, Price, Quantity, Side, Size,
    TimeInForce,
};
use events::{Event, OrderEvent};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use venue::{Outcome, Stamp, Venue};
use venue_binance::{
    content, frame,
    net::{Books, Delivery, Endpoints, Keys, Rest, Setup, UserData},
    sign::Signer,
};

const KEY: &str = "TapedeckPaperExchangeApiKeyTapedeckPaperExchangeApiKeyTapedeck00";
const OWN_SECRET: &str = "TapedeckPaperExchangeSecretTapedeckPaperExchangeSecretTapedeck00";

fn setup() -> Setup {
    let of = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let address = of("TAPEDECK_EXCHANGE", "127.0.0.1:7080").parse().expect("an address and port");
    let signer = Signer::from_secret(&of("TAPEDECK_EXCHANGE_SECRET", OWN_SECRET)).unwrap();
    Setup::new(Endpoints::local(address), Some(Keys { api_key: of("TAPEDECK_EXCHANGE_KEY", KEY), signer }))
}

struct Exchange {
    client: Rest,
    stream: UserData,
    /// What the stream told.
    heard: Vec<Event>,
    price: Decimal,
    names: u32,
}

impl Exchange {
    async fn connect(client: Rest) -> Self {
        client.read_clock().await.unwrap();
        let info = client.exchange_info().await.unwrap();
        assert!(info.listings[&btc().symbol].is_trading());
        let depth = client.depth(btc().symbol, 5).await.unwrap();
        let price = depth.asks[0].price.decimal();
        let mut stream = UserData::open(&client);
        let first = timeout(Duration::from_secs(10), stream.next()).await.unwrap().unwrap();
        assert!(matches!(first, Delivery::Opened(_)), "{first:?}");
        Self { client, stream, heard: Vec::new(), price, names: 0 }
    }

    /// A name that no run before has used.
    fn name(&mut self, what: &str) -> ClientOrderId {
        self.names += 1;
        id(&format!("{what}-{}-{}", super::machine().millis(), self.names))
    }

    fn stamp(&self) -> Stamp {
        Stamp { timestamp: self.client.time(account()).unwrap(), recv_window_ms: 5_000 }
    }

    /// So many per cent of the present price, to the tick.
    fn price(&self, percent: i64) -> Price {
        Price::new((self.price * Decimal::from(percent) / Decimal::from(100)).trunc()).unwrap()
    }

    fn order(&self, name: ClientOrderId, side: Side, kind: OrderKind) -> NewOrder {
        let size = Size::Base("0.01".parse::<Quantity>().unwrap());
        NewOrder { id: name, side, kind, size, ..super::order("x") }
    }

    async fn submit(&self, request: &OrderRequest) -> Outcome {
        self.client.submit(account(), btc(), request, self.stamp()).await
    }

    async fn look_up(&self, order: ClientOrderId) -> Outcome {
        self.client.look_up(account(), btc(), order, domain::Timestamp::ZERO).await
    }

    /// Until the stream has told that this order ended; what it told of it.
    async fn ended(&mut self, order: ClientOrderId) -> String {
        let is_its = |event: &Event| fact(event).starts_with(&*order);
        let is_end = |event: &Event| is_its(event) && matches!(event, Event::Order(OrderEvent::Ended(_)));
        while !self.heard.iter().any(is_end) {
            let next = timeout(Duration::from_secs(10), self.stream.next()).await;
            match next.unwrap_or_else(|_| panic!("{order} did not end: {:#?}", self.heard)).unwrap() {
                Delivery::Frame { bytes, .. } => self.heard.extend(frame::parse(account(), &bytes).unwrap()),
                other => panic!("{other:?}"),
            }
        }
        let told: Vec<String> = self.heard.iter().filter(|event| is_its(event)).map(fact).collect();
        told.join(" / ").replace(&*order, "x")
    }
}

async fn trade(client: Rest) {
    let mut on = Exchange::connect(client).await;
    // An order that rests, is looked up and canceled.
    let name = on.name("rest");
    let kind = OrderKind::Limit { price: on.price(90), time_in_force: TimeInForce::Gtc };
    let placed = told(&on.submit(&OrderRequest::Single(on.order(name, Side::Buy, kind))).await);
    assert!(placed.contains("accepted as"), "{placed}");
    assert_eq!(told(&on.look_up(name).await), placed);
    let again = on.submit(&OrderRequest::Single(on.order(name, Side::Buy, kind))).await;
    assert_eq!(told(&again), "unknown", "a second one under its name: {again:?}");
    let canceled = told(&on.client.cancel(account(), btc(), name, None, on.stamp()).await);
    assert_eq!(canceled, format!("{name} canceled with 0"));
    let gone = told(&on.client.cancel(account(), btc(), name, None, on.stamp()).await);
    assert!(gone.contains("cancel rejected Some(-2011)"), "{gone}");
    assert!(told(&on.look_up(name).await).ends_with("canceled with 0"));
    assert!(on.ended(name).await.ends_with("x canceled with 0"));
    // One that is filled at once: the answer, the stream and the lookup tell the same.
    let name = on.name("market");
    let answer = on.submit(&OrderRequest::Single(on.order(name, Side::Buy, OrderKind::Market))).await;
    assert!(told(&answer).ends_with("filled with 0.01"), "{answer:?}");
    let streamed = on.ended(name).await;
    assert_eq!(told(&answer).replace(&*name, "x"), streamed);
    assert_eq!(told(&on.look_up(name).await).replace(&*name, "x"), streamed);
    // An OCO, each of whose orders is known by its own name; canceling one cancels both.
    let (list, above, below) = (on.name("list"), on.name("above"), on.name("below"));
    let price = on.price(120);
    let oco = OrderRequest::Oco(NewOco {
        list,
        above: on.order(above, Side::Sell, OrderKind::LimitMaker { price }),
        below: on.order(below, Side::Sell, OrderKind::StopLoss { stop: on.price(80) }),
    });
    let placed = told(&on.submit(&oco).await);
    assert_eq!(placed.matches("accepted as").count(), 2, "{placed}");
    for leg in [above, below] {
        assert!(told(&on.look_up(leg).await).contains("accepted as"));
    }
    let canceled = told(&on.client.cancel(account(), btc(), below, None, on.stamp()).await);
    assert_eq!(canceled.matches("canceled with 0").count(), 2, "{canceled}");
    on.ended(above).await;
    on.ended(below).await;
    // What is refused is rejected with the venue's own number, and what is not there is absent.
    let name = on.name("dust");
    let dust = NewOrder { size: Size::Base("0.00001".parse().unwrap()), ..on.order(name, Side::Buy, kind) };
    let rejected = told(&on.submit(&OrderRequest::Single(dust)).await);
    assert!(rejected.contains("rejected Filter Some(-1013) Filter failure"), "{rejected}");
    assert_eq!(told(&on.look_up(name).await), "not found");
    books_agree(&on).await;
}

/// The account's books over REST are read by the table's parsers.
async fn books_agree(on: &Exchange) {
    let since = super::machine() - Duration::from_secs(3_600);
    let mut frames = on.client.orders_since(btc().symbol, Some(0), since).await.unwrap();
    assert!(frames.len() >= 4, "{} orders", frames.len());
    frames.extend(on.client.open_orders(None).await.unwrap());
    frames.push(on.client.account().await.unwrap());
    let told: Vec<Event> = frames
        .iter()
        .flat_map(|frame| {
            let (_, parse) = content::PARSERS.iter().find(|(kind, _)| *kind == frame.content_type).unwrap();
            parse(account(), &frame.bytes).unwrap()
        })
        .collect();
    // Every fact that the stream told of orders is there too.
    let rows: Vec<String> = told.iter().map(fact).collect();
    for event in on.heard.iter().filter(|event| matches!(event, Event::Order(_))) {
        assert!(rows.contains(&fact(event)), "{} is missing in {rows:#?}", fact(event));
    }
}

#[test]
#[ignore = "needs an exchange: see the head of this file"]
fn an_exchange_is_traded_on_over_rest() {
    run(async { trade(Rest::new(setup()).unwrap()).await });
}

#[test]
#[ignore = "needs an exchange: see the head of this file"]
fn an_exchange_is_traded_on_over_the_websocket_api() {
    run(async { trade(Rest::with_ws_api(setup()).unwrap()).await });
}

#[test]
#[ignore = "needs an exchange: see the head of this file"]
fn an_exchanges_book_and_candles_are_followed() {
    run(async {
        let client = Rest::new(setup()).unwrap();
        client.read_clock().await.unwrap();
        let now = client.time(account()).unwrap();
        let minutes = client.candles(btc(), "1m".parse().unwrap(), now - Duration::from_secs(3_600), now);
        let minutes = minutes.await.unwrap();
        assert!(
            minutes.len() >= 60 && minutes.windows(2).all(|pair| pair[0].close_time() == pair[1].open_time)
        );
        let mut books = Books::open(&client, btc().symbol).unwrap();
        for _ in 0..30 {
            timeout(Duration::from_secs(10), books.changed()).await.expect("the book changes");
        }
        let (bid, ask) = books
            .with(|book, _| (book.bids.best().unwrap().price, book.asks.best().unwrap().price))
            .expect("a book");
        assert!(bid < ask);
        // It is the one that the venue has: levels that both show at one update are the same.
        for _ in 0..50 {
            let there = client.depth(btc().symbol, 100).await.unwrap();
            let same = books.with(|book, _| {
                (book.update == there.last).then(|| {
                    assert_eq!(book.bids.iter().take(100).collect::<Vec<_>>(), there.bids);
                    assert_eq!(book.asks.iter().take(100).collect::<Vec<_>>(), there.asks);
                })
            });
            if same.flatten().is_some() {
                assert_eq!(books.standing().synchronised, 1);
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("in fifty looks the book was never as of the same update as the venue's own");
    });
}
