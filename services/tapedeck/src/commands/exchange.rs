//! `tapedeck exchange`: an exchange of one's own, which Binance's clients take for Binance.

use crate::{
    WrongUse,
    cli::{ExchangeMarket, ExchangeServe, Global},
    commands::serving,
    data_quality::{self, Asked},
};
use anyhow::Context;
use domain::{Decimal, Instrument, InstrumentRules, Price, Symbol, Timestamp, Venue};
use events::{Candle, CandleEvent, Event};
use market_data::{GateState, Market, MarketSpec};
use paper_exchange::{
    exchange::{Accounts, Setup},
    faults::Script,
    journal,
    recording::Recording,
    server::{self, Config, Keys, Pace, account, clock, hints, keys},
    simulator::{Simulator, Source},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    fs,
    net::SocketAddr,
    path::Path,
    process::ExitCode,
};
use tokio::sync::watch;

/// Where the exchange listens unless told otherwise.
pub const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7080);
/// Of the book and the trades of a recorded market, which has none of its own.
const SEED: u64 = 1;

/// # Errors
/// A wrong file, an address that cannot be had, a journal that cannot be written.
pub async fn serve(global: &Global, args: ExchangeServe) -> anyhow::Result<ExitCode> {
    let (paper, keys) = account(args.account.as_deref())?;
    // The paper key holds unless the account file names others.
    let own_keys = keys.get(keys::PAPER_KEY).is_none();
    let start = match &args.journal {
        Some(path) => journal::header(path)?.map(|header| header.start),
        None => None,
    };
    let start = start.unwrap_or_else(clock::wall);
    let (simulator, market) = if args.driven {
        (Simulator::default(), "driven".to_owned())
    } else {
        let market = args.market.clone();
        tokio::task::spawn_blocking(move || simulator(&market, start)).await??
    };
    let config = Config {
        listen: args.listen,
        pace: pace(&args),
        setup: Setup { paper, start },
        simulator,
        market,
        keys,
        limits: args.limits.clone(),
        faults: faults(args.faults.as_deref())?,
        journal: args.journal.clone(),
    };
    let (stop, mut stopped) = watch::channel(false);
    let until = async move {
        // A sender that is gone has stopped, too.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let (address, server) = server::serve(config, until).await?;
    tokio::spawn(serving::signals(stop));
    tell(global, address, own_keys)?;
    server.await?;
    Ok(ExitCode::SUCCESS)
}

fn pace(args: &ExchangeServe) -> Pace {
    match (args.driven, args.speed) {
        (true, _) => Pace::Driven,
        (false, None) => Pace::Wall,
        (false, Some(times)) => Pace::Times(times),
    }
}

fn account(path: Option<&Path>) -> anyhow::Result<(Accounts, Keys)> {
    let Some(path) = path else { return Ok(account::usual()?) };
    let text = fs::read_to_string(path).with_context(|| format!("the account file {}", path.display()))?;
    account::read(&text).map_err(|e| WrongUse(format!("--account {}: {e}", path.display())).into())
}

fn faults(path: Option<&Path>) -> anyhow::Result<Option<Script>> {
    let Some(path) = path else { return Ok(None) };
    let text = fs::read_to_string(path).with_context(|| format!("the fault script {}", path.display()))?;
    let script = Script::parse(&text);
    script.map(Some).map_err(|e| WrongUse(format!("--faults {}: {e}", path.display())).into())
}

/// The market behind the exchange, moved by whole days so that its past reaches today.
fn simulator(market: &ExchangeMarket, start: Timestamp) -> anyhow::Result<(Simulator, String)> {
    const DAY: i64 = 86_400_000_000;
    let spec = match market {
        ExchangeMarket::Candles(spec) => spec,
        ExchangeMarket::Frames(path) => return recorded_simulator(path, start),
    };
    let opened = market_data::open(spec)?;
    for warning in data_quality::warnings(&opened, Asked::default()) {
        tell!("warning: {warning}");
    }
    let days = (start.micros() - opened.last.micros()).div_euclid(DAY) + 1;
    let candles = Merged::new(opened.market);
    let prices = candles.first_prices();
    let realistic = |(instrument, rules): (Instrument, InstrumentRules)| match prices.get(&instrument) {
        // What was recorded of a symbol is kept.
        Some(price) if rules.listing.is_none() => (instrument, rules.realistic(price.get())),
        _ => (instrument, rules),
    };
    let source = Source {
        rules: opened.rules.into_iter().map(realistic).collect(),
        candles: Box::new(candles),
        seed: match spec {
            MarketSpec::Synthetic { seed, .. } => *seed,
            _ => SEED,
        },
        shift: days * DAY,
        start,
    };
    Ok((Simulator::new(source), opened.describe))
}

/// A recording of trades and depth, which begins now.
fn recorded_simulator(path: &Path, start: Timestamp) -> anyhow::Result<(Simulator, String)> {
    let recording = Recording::open(path)?;
    let describe = recording.describe();
    let venue: Venue = "binance".parse()?;
    let symbol: Symbol = recording.symbol.parse()?;
    let (base, quote) = market_store::split_symbol(&recording.symbol).ok_or_else(|| {
        WrongUse(format!("the recording's symbol {symbol} ends with no quote asset that Binance has had"))
    })?;
    let step = |units: u64| Decimal::new(i64::try_from(units).unwrap_or(i64::MAX), 8).normalize();
    let (tick, lot) = (step(recording.tick), step(recording.lot));
    let rules = InstrumentRules::open(base.parse()?, quote.parse()?, tick, lot, Decimal::from(5));
    let candles = Box::new(std::iter::empty());
    let source = Source { rules: BTreeMap::new(), candles, seed: SEED, shift: 0, start };
    let mut simulator = Simulator::new(source);
    let shift = start.micros() - recording.first;
    simulator.play(Instrument::spot(venue, symbol), &rules, recording.play(shift));
    Ok((simulator, describe))
}

/// All series of a market in one, each through its gate: in the order of their close, finest first.
struct Merged {
    market: Box<dyn Market + Send>,
    gates: GateState,
    next: BinaryHeap<Reverse<(Timestamp, usize, Heaped)>>,
}

/// A candle has no order of its own.
struct Heaped(Candle);

impl PartialEq for Heaped {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Heaped {}
impl PartialOrd for Heaped {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Heaped {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl Merged {
    fn new(market: Box<dyn Market + Send>) -> Self {
        let series = market.series().len();
        let gates = GateState::of(market.series());
        let mut merged = Self { market, gates, next: BinaryHeap::with_capacity(series) };
        (0..series).for_each(|index| merged.refill(index));
        merged
    }

    /// Where each instrument's price begins.
    fn first_prices(&self) -> BTreeMap<Instrument, Price> {
        self.next.iter().map(|Reverse((_, _, Heaped(candle)))| (candle.instrument, candle.close)).collect()
    }

    /// The series come finest first, so their place decides within an instant.
    fn refill(&mut self, index: usize) {
        let mut said = Vec::new();
        loop {
            match self.market.next(index) {
                Ok(Some(candle)) => {
                    said.clear();
                    self.gates.admit(candle.close_time(), candle, &mut said);
                    if said.iter().any(|event| matches!(event, Event::Candle(CandleEvent::Closed(_)))) {
                        return self.next.push(Reverse((candle.close_time(), index, Heaped(candle))));
                    }
                }
                Ok(None) => return,
                Err(error) => return tracing::warn!("a series of candles ends early: {error}"),
            }
        }
    }
}

impl Iterator for Merged {
    type Item = Candle;

    fn next(&mut self) -> Option<Candle> {
        let Reverse((_, index, Heaped(candle))) = self.next.pop()?;
        self.refill(index);
        Some(candle)
    }
}

fn tell(global: &Global, address: SocketAddr, own_keys: bool) -> anyhow::Result<()> {
    // Clients cannot connect to "any address".
    let host = if address.ip().is_unspecified() {
        format!("127.0.0.1:{}", address.port())
    } else {
        address.to_string()
    };
    let key = (!own_keys).then_some((keys::PAPER_KEY, keys::PAPER_SECRET));
    if global.json {
        return super::print_json(&serde_json::json!({
            "rest": format!("http://{host}"),
            "websocket_api": format!("ws://{host}/ws-api/v3"),
            "streams": format!("ws://{host}"),
            "control": format!("http://{host}/control"),
            "api_key": key.map(|(key, _)| key),
            "secret": key.map(|(_, secret)| secret),
        }));
    }
    if !address.ip().is_loopback() {
        tell!(
            "warning: {address} can be reached from other machines; it is paper, but anybody there can trade it"
        );
    }
    out!("REST            http://{host}")?;
    out!("WebSocket API   ws://{host}/ws-api/v3")?;
    out!("market streams  ws://{host}/ws and ws://{host}/stream")?;
    match key {
        Some((key, secret)) => {
            out!("API key         {key}")?;
            out!("secret          {secret}")?;
        }
        None => out!("API keys        those of the account file")?,
    }
    out!("\nccxt and ccxt.pro, in Python:")?;
    for line in hints::ccxt(&host).lines() {
        out!("  {line}")?;
    }
    Ok(())
}
