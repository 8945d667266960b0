//! Names of trades that people can read: `edge70-BTCUSDT-L-20240115T0000-binance:paper`.

use domain::{Account, Direction, InstrumentKind, TradeId};
use events::{SignalGiven, Uuid};

/// The same signal on the same account gives the same name, any other another one: edge, instrument, direction,
/// time, and the account with its venue.
///
/// Seconds are written where the signal has any, and a perpetual is marked `.P`. An edge or a symbol with a `-` in
/// it adds a digest, for the parts could be read in two ways.
pub(crate) fn trade_id(signal: &SignalGiven, direction: Direction, account: Account) -> TradeId {
    let kind = match signal.instrument.kind {
        InstrumentKind::Spot => "",
        InstrumentKind::LinearPerpetual => ".P",
    };
    let side = match direction {
        Direction::Long => "L",
        Direction::Short => "S",
    };
    let (edge, symbol) = (signal.edge, signal.instrument.symbol);
    let name = format!("{edge}-{symbol}{kind}-{side}-{}-{account}", time(signal));
    let exact = format!("{edge}/{symbol}{kind}/{side}/{}/{account}", signal.at);
    let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, exact.as_bytes()).simple().to_string();
    let is_plain = ![edge.as_str(), symbol.as_str()].iter().any(|part| part.contains('-'));
    let readable = if is_plain { name } else { format!("{name}-{}", &digest[..8]) };
    // Too long a name is unreadable, and unique all the same.
    TradeId::new(&readable).unwrap_or_else(|_| {
        TradeId::new(&format!("{edge}-{digest}"))
            .unwrap_or_else(|e| unreachable!("an edge name and 32 hexadecimal digits fit: {e}"))
    })
}

fn time(signal: &SignalGiven) -> String {
    let seconds = signal.at.micros().div_euclid(1_000_000).rem_euclid(60);
    let minute = signal.at.compact();
    if seconds == 0 { minute } else { format!("{minute}{seconds:02}") }
}
