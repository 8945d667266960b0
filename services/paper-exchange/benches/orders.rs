//! Orders accepted in a second over HTTP, signed, beside a bare handler of the same HTTP server.
//!
//! `cargo bench -p paper-exchange --bench orders`. Both are asked by the same clients, over connections that stay
//! open, for as long; client and server share the machine.

use axum::{Router, routing::post};
use domain::{InstrumentRules, Interval, Timestamp};
use events::Candle;
use paper_exchange::{
    exchange::Setup,
    server::{
        self, Config, Limits, Pace, account,
        clock::wall,
        keys::{PAPER_KEY, PAPER_SECRET},
    },
    simulator::{Simulator, Source},
};
use std::{
    collections::BTreeMap,
    future::IntoFuture,
    io::{Error, ErrorKind},
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};
use venue_binance::sign::Signer;

const LONG: Duration = Duration::from_secs(5);
const CLIENTS: usize = 32;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    // `cargo test --benches` only wants to know that it starts.
    let long = if std::env::args().any(|arg| arg == "--bench") { LONG } else { Duration::from_millis(100) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let bare = bare(long).await?;
        println!("{:<44}{bare:>10.0} /s", "bare axum handler");
        let folder = std::env::temp_dir().join(format!("paper-exchange-orders-{}", std::process::id()));
        let plans = [
            ("limit orders that expire (IOC)", "type=LIMIT&timeInForce=IOC&quantity=0.001&price=40000", None),
            ("market orders that fill", "type=MARKET&quantity=0.00011", None),
            (
                "limit orders that expire, with a journal",
                "type=LIMIT&timeInForce=IOC&quantity=0.001&price=40000",
                Some(folder.clone()),
            ),
        ];
        for (name, order, journal) in plans {
            let rate = exchange(order, journal, long).await?;
            println!("{name:<44}{rate:>10.0} /s  {:.2} of bare", rate / bare);
        }
        // It may never have been made.
        let _ = std::fs::remove_file(folder);
        Ok(())
    })
}

async fn bare(long: Duration) -> Result<f64, Failure> {
    let app = Router::new().route("/api/v3/order", post(|| async { "{\"status\":\"EXPIRED\"}" }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    let rate = load(address, "type=MARKET&quantity=1", long).await;
    server.abort();
    rate
}

async fn exchange(order: &'static str, journal: Option<PathBuf>, long: Duration) -> Result<f64, Failure> {
    let (mut paper, keys) = account::usual()?;
    paper.first.balances.insert("USDT".parse()?, "900000000000".parse()?);
    let start = wall();
    let config = Config {
        listen: "127.0.0.1:0".parse()?,
        pace: Pace::Wall,
        setup: Setup { paper, start },
        simulator: simulator(start)?,
        market: "bench".to_owned(),
        keys,
        limits: Limits {
            weight: u32::MAX,
            requests: u32::MAX,
            orders_in_10_seconds: u32::MAX / 2,
            orders_in_a_day: u32::MAX / 2,
            ..Limits::default()
        },
        faults: None,
        journal,
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let until = async {
        // A sender that is gone has stopped, too.
        let _ = stopped.await;
    };
    let (address, server) = server::serve(config, until).await?;
    let server = tokio::spawn(server.into_future());
    let rate = load(address, order, long).await;
    let _ = stop.send(());
    server.await??;
    rate
}

/// Orders accepted in a second, by clients that each wait for their answer.
async fn load(address: SocketAddr, order: &'static str, long: Duration) -> Result<f64, Failure> {
    let signer = Arc::new(Signer::hmac(PAPER_SECRET)?);
    let accepted = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(client(address, order, signer.clone(), accepted.clone(), began + long));
    }
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    Ok(accepted.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64())
}

async fn client(
    address: SocketAddr,
    order: &'static str,
    signer: Arc<Signer>,
    accepted: Arc<AtomicU64>,
    until: Instant,
) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 16_384];
    while Instant::now() < until {
        let query =
            format!("symbol=BTCUSDT&side=BUY&{order}&newOrderRespType=ACK&timestamp={}", wall().millis());
        let signature = signer.sign(&query);
        let request = format!(
            "POST /api/v3/order?{query}&signature={signature} HTTP/1.1\r\nHost: {address}\r\nX-MBX-APIKEY: \
             {PAPER_KEY}\r\nContent-Length: 0\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let answer = answer(&mut stream, &mut buffer).await?;
        if !answer.starts_with(b"HTTP/1.1 200") {
            return Err(String::from_utf8_lossy(answer).into_owned().into());
        }
        accepted.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// One whole answer: head, and as much body as the head says.
async fn answer<'a>(stream: &mut TcpStream, buffer: &'a mut [u8]) -> Result<&'a [u8], Error> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        if let Some(whole) = whole(&buffer[..filled])
            && filled >= whole
        {
            return Ok(&buffer[..filled]);
        }
    }
}

/// How long the answer is, once its head is there.
fn whole(seen: &[u8]) -> Option<usize> {
    let head = seen.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&seen[..head]).ok()?;
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    Some(head + length.trim().parse::<usize>().ok()?)
}

fn simulator(start: Timestamp) -> Result<Simulator, Failure> {
    const HOUR: i64 = 3_600_000_000;
    let instrument = "binance:spot:BTCUSDT".parse()?;
    let first = (start.micros() / HOUR - 2) * HOUR;
    let candle = |n: i64| -> Result<Candle, Failure> {
        Ok(Candle {
            instrument,
            interval: Interval::Hour1,
            open_time: Timestamp::from_micros(first + n * HOUR),
            open: "50000".parse()?,
            high: "50100".parse()?,
            low: "49900".parse()?,
            close: "50000".parse()?,
            volume: "100000".parse()?,
        })
    };
    let candles = (0..4).map(candle).collect::<Result<Vec<_>, _>>()?;
    Ok(Simulator::new(Source {
        rules: BTreeMap::from([(instrument, rules()?)]),
        candles: Box::new(candles.into_iter()),
        seed: 7,
        shift: 0,
        start,
    }))
}

fn rules() -> Result<InstrumentRules, Failure> {
    Ok(InstrumentRules {
        base: "BTC".parse()?,
        quote: "USDT".parse()?,
        tick_size: "0.01".parse()?,
        min_price: None,
        max_price: None,
        lot_size: "0.00001".parse()?,
        min_quantity: "0.00001".parse()?,
        max_quantity: None,
        market_lot_size: None,
        market_min_quantity: None,
        market_max_quantity: None,
        min_notional: "5".parse()?,
        min_notional_applies_to_market: true,
        max_notional: None,
        max_notional_applies_to_market: false,
        buy_price_range: None,
        sell_price_range: None,
        max_orders: None,
        max_algo_orders: None,
        max_order_lists: None,
        max_position: None,
        oco_allowed: true,
        unlisted: domain::rules::Unlisted::default(),
        quote_quantity_allowed: true,
        base_precision: 8,
        quote_precision: 8,
        contract: None,
        listing: None,
    })
}
