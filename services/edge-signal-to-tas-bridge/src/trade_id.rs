//! Names of trades that people can read: `edge70-BTCUSDT-L-20240115T0000`.

use domain::{Account, Direction, InstrumentKind, TradeId};
use events::{SignalGiven, Uuid};

/// The same signal on the same account gives the same name, any other another one.
///
/// Seconds are written where the signal has any, a perpetual is marked `.P`, and with several
/// accounts the account's name follows, with its venue where two accounts share a name.
pub(crate) fn trade_id(signal: &SignalGiven, account: Account, accounts: &[Account]) -> TradeId {
    let kind = match signal.instrument.kind {
        InstrumentKind::Spot => "",
        InstrumentKind::LinearPerpetual => ".P",
    };
    let side = match signal.direction {
        Direction::Long => "L",
        Direction::Short => "S",
    };
    let (edge, symbol) = (signal.edge, signal.instrument.symbol);
    let name = format!("{edge}-{symbol}{kind}-{side}-{}{}", time(signal), suffix(account, accounts));
    TradeId::new(&name).unwrap_or_else(|_| digest(signal, &name))
}

fn time(signal: &SignalGiven) -> String {
    let seconds = signal.at.micros().div_euclid(1_000_000).rem_euclid(60);
    let minute = signal.at.compact();
    if seconds == 0 { minute } else { format!("{minute}{seconds:02}") }
}

fn suffix(account: Account, accounts: &[Account]) -> String {
    let namesakes = accounts.iter().filter(|other| other.name == account.name).count();
    match (accounts.len(), namesakes) {
        (..=1, _) => String::new(),
        (_, ..=1) => format!("-{}", account.name),
        _ => format!("-{}-{}", account.venue, account.name),
    }
}

/// A name that would be too long to be an id: unreadable, and unique all the same.
fn digest(signal: &SignalGiven, name: &str) -> TradeId {
    let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).simple();
    TradeId::new(&format!("{}-{digest}", signal.edge))
        .unwrap_or_else(|e| unreachable!("an edge name and 32 hexadecimal digits fit: {e}"))
}
