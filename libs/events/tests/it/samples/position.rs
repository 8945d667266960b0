//! Positions and the portfolio.

use super::{account, all, at, d, market::btc, one, v};
use crate::every;
use domain::{Direction, PositionSide};
use events::*;

pub fn samples(kind: Kind) -> Vec<Event> {
    let position = key(PositionSide::Net);
    match kind {
        Kind::PositionOpened => all(every::position_sides(), |side| PositionOpened {
            position: key(side),
            direction: if side == PositionSide::Short { Direction::Short } else { Direction::Long },
            fill: v("56789"),
            quantity: d("0.004995"),
            average: d("42042.142142142142142142142142"),
            carried: d("0.000003"),
        }),
        Kind::PositionIncreased => one(PositionIncreased {
            position,
            direction: Direction::Long,
            fill: v("56790"),
            by: d("0.001"),
            quantity: d("0.005995"),
            average: d("42000"),
        }),
        Kind::PositionReduced => one(PositionReduced {
            position,
            direction: Direction::Long,
            fill: v("56791"),
            by: d("0.001"),
            price: v("45000.00"),
            quantity: d("0.004995"),
            average: d("42000"),
            profit: d("-3.0001"),
        }),
        Kind::PositionClosed => one(PositionClosed {
            position,
            direction: Direction::Long,
            fill: v("56792"),
            by: d("0.00499"),
            entered: d("0.005995"),
            exited: d("0.00599"),
            entry_price: d("42000"),
            exit_price: d("45000"),
            profit: d("17.76"),
            profit_ratio: d("0.0705"),
            fees: vec![
                Fee { asset: v("BNB"), amount: d("0.0002") },
                Fee { asset: v("BTC"), amount: d("0.000005") },
            ],
            left: d("0.000005"),
            left_cost: d("0.21"),
            left_worth: d("0.225"),
            opened_at: at(1),
            closed_at: at(86_400_000_000),
        }),
        Kind::PortfolioValued => one(PortfolioValued {
            account: account(),
            quote: v("USDT"),
            equity: d("10210.005"),
            cash: d("10000.005"),
            exposure: d("210"),
            peak: d("11000"),
            drawdown: d("0.07181773"),
            holdings: vec![
                Holding { asset: v("BTC"), quantity: d("0.005"), price: Some(d("42000")), value: d("210") },
                Holding { asset: v("DEAD"), quantity: d("7"), price: None, value: d("0") },
                Holding {
                    asset: v("USDT"),
                    quantity: d("10000.005"),
                    price: Some(d("1")),
                    value: d("10000.005"),
                },
            ],
        }),
        other => unreachable!("{} has its samples elsewhere", other.name()),
    }
}

fn key(side: PositionSide) -> PositionKey {
    PositionKey { account: account(), instrument: btc(), side, owner: v("edge70") }
}
