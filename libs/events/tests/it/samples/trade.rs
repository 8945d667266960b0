//! Trades, from the request to their end.

use super::{
    account, all, at, d,
    market::{btc, perpetual},
    one, v,
};
use crate::every;
use domain::{ClientOrderId, Direction, EntryPlan, ExitPlan, Level, Margin, TradeId};
use events::*;

pub fn samples(kind: Kind) -> Vec<Event> {
    match kind {
        Kind::TradeRequested => {
            let requested = |direction, by| TradeRequested {
                trade: trade(),
                account: account(),
                instrument: btc(),
                edge: v("edge70"),
                direction,
                trigger: v("42000.10"),
                signal_at: at(0),
                stop: None,
                target: None,
                valid_until: None,
                by,
            };
            let pairs = every::directions().into_iter().zip(every::requesters());
            let mut all = all(pairs, |(direction, by)| requested(direction, by));
            let with_levels = TradeRequested {
                stop: Some(v("41000")),
                target: Some(v("45000.5")),
                valid_until: Some(at(60_000_000)),
                ..requested(Direction::Long, RequestedBy::Edge)
            };
            all.push(with_levels.into());
            all
        }
        Kind::CloseRequested => {
            let requested = |by, direction| CloseRequested {
                account: account(),
                instrument: btc(),
                edge: v("manual"),
                direction,
                by,
                why: None,
                signal_at: None,
            };
            let whole = all(every::requesters(), |by| requested(by, None));
            let one_way = all(every::directions(), |way| requested(RequestedBy::Edge, Some(way)));
            whole.into_iter().chain(one_way).collect()
        }
        Kind::StopMoveRequested => {
            all(every::requesters(), |by| StopMoveRequested { trade: trade(), stop: v("39000.5"), by })
        }
        Kind::StopMoveRefused => one(StopMoveRefused {
            trade: trade(),
            stop: v("39000.5"),
            text: "there is no such trade open".into(),
        }),
        Kind::TradeSized => {
            let sized = |method, exit| TradeSized {
                trade: trade(),
                account: account(),
                instrument: btc(),
                edge: v("edge70"),
                direction: Direction::Long,
                signal_at: at(0),
                trigger: v("42000.10"),
                quantity: v("0.00500"),
                limit: v("42210.11"),
                reserved: d("211.05055000"),
                margin: None,
                entry: EntryPlan::LimitIoc,
                exit: Some(exit),
                sizing: Sizing {
                    method,
                    equity: d("10000"),
                    cash: d("9000.5"),
                    budget: d("211"),
                    risk: d("20.01"),
                },
            };
            let by_method = |method| match method {
                SizingMethod::Fixed => sized(method, ExitPlan::stop_limit(d("0.15"), d("0.20"))),
                SizingMethod::Risk => {
                    let oco = ExitPlan::oco(d("0.07"), d("0.15"), d("0.07"));
                    sized(method, ExitPlan { stop: Level::Price(v("41000")), ..oco })
                }
            };
            let short = |mode| TradeSized {
                instrument: perpetual(),
                direction: Direction::Short,
                limit: v("41790.10"),
                margin: Some(Margin { mode, leverage: d("3") }),
                ..by_method(SizingMethod::Fixed)
            };
            let maker = EntryPlan::Maker { chase: d("0.002"), deadline_seconds: 900 };
            let planned = |entry| {
                let plan = ExitPlan::stop_limit(d("0.15"), d("0.20"));
                let exit = ExitPlan { trailing: Some(d("0.1")), time_limit_seconds: Some(2_592_000), ..plan };
                TradeSized { entry, ..sized(SizingMethod::Fixed, exit) }
            };
            let spot = all(every::sizing_methods(), by_method);
            let others = all(every::margin_modes(), short).into_iter();
            spot.into_iter().chain(others).chain(all([EntryPlan::Market, maker], planned)).collect()
        }
        Kind::TradeRefused => {
            let refused = |rule, figure, limit| TradeRefused {
                trade: trade(),
                account: account(),
                instrument: btc(),
                edge: v("edge70"),
                rule,
                figure,
                limit,
                text: "open risk 301 is above 300".into(),
            };
            let by_rule = all(every::sizing_rules(), |rule| refused(rule, Some(d("301")), Some(d("300"))));
            by_rule.into_iter().chain(one(refused(SizingRule::NoStop, None, None))).collect()
        }
        Kind::RequestRepeated => {
            let outcomes = every::trade_outcomes().into_iter();
            let cases: Vec<_> = outcomes.flat_map(|outcome| [(outcome, false), (outcome, true)]).collect();
            all(cases, |(outcome, differs)| RequestRepeated {
                trade: trade(),
                account: account(),
                instrument: btc(),
                edge: v("edge70"),
                outcome,
                differs,
                text: "the same request came before: the trade is open".into(),
            })
        }
        Kind::TradeOpened => all(every::directions(), |direction| TradeOpened {
            trade: trade(),
            account: account(),
            instrument: btc(),
            edge: v("edge70"),
            direction,
            quantity: d("0.004995"),
            price: d("42000.10"),
            value: d("210.0005"),
        }),
        Kind::TradeProtected => all([false, true], |without_take_profit| TradeProtected {
            trade: trade(),
            order: ClientOrderId::new("td0123456789abcdefghijklmnop").unwrap(),
            stop: v("39000.5"),
            quantity: v("0.00499"),
            without_take_profit,
        }),
        Kind::TradeUnprotected => {
            let naked = |because, covered| TradeUnprotected {
                trade: trade(),
                since: at(5),
                quantity: d("0.004995"),
                because,
                covered,
            };
            let partly = naked(NakedBecause::Undercovered, Some(v("0.001")));
            let all_of_it = all(every::naked_reasons(), |because| naked(because, None));
            all_of_it.into_iter().chain(one(partly)).collect()
        }
        Kind::TradeExiting => {
            let exiting = |reason, at_most| TradeExiting { trade: trade(), reason, at_most };
            let whole = all(every::exit_reasons(), |reason| exiting(reason, None));
            whole.into_iter().chain(one(exiting(ExitReason::Requested, Some(v("0.0025"))))).collect()
        }
        Kind::TradeClosed => all(every::exit_reasons(), |reason| TradeClosed {
            trade: trade(),
            account: account(),
            instrument: btc(),
            edge: v("edge70"),
            direction: Direction::Long,
            reason,
            quantity: d("0.005"),
            entry_price: d("42000.1"),
            exit_price: d("45000"),
            cost: d("210.0005"),
            proceeds: d("224.55"),
            profit: d("14.5495"),
            fees: vec![
                Fee { asset: v("BNB"), amount: d("0.0002") },
                Fee { asset: v("BTC"), amount: d("0.000005") },
            ],
            left: d("0.000005"),
            left_cost: d("0.2100005"),
            left_worth: d("0.225"),
            carried: d("0.000003"),
            carried_cost: d("0.12"),
            opened_at: at(1),
            closed_at: at(86_400_000_000),
        }),
        Kind::TradeAborted => all(every::abort_reasons(), |reason| TradeAborted {
            trade: trade(),
            account: account(),
            instrument: btc(),
            edge: v("edge70"),
            reason,
            text: "-2010 Account has insufficient balance for requested action.".into(),
        }),
        other => unreachable!("{} has its samples elsewhere", other.name()),
    }
}

fn trade() -> TradeId {
    v("edge70-BTCUSDT-L-20240115T0000")
}
