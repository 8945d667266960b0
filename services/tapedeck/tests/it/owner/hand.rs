//! What an owner may do at the exchange, drawn from a seed.

use super::world::{OpenOrder, SYMBOLS, World, ours};
use crate::fleet::seed::Seed;
use domain::Decimal;
use serde_json::{Value, json};
use std::{collections::BTreeMap, thread, time::Duration};

#[derive(Default)]
pub struct Hand {
    /// How often each thing was done, and how often the exchange said no.
    done: BTreeMap<&'static str, u32>,
    refused: BTreeMap<&'static str, u32>,
    named: u32,
    /// Coins taken off the account by hand.
    pub taken: bool,
}

impl Hand {
    pub fn actions(&self) -> u32 {
        self.done.values().sum()
    }

    pub fn told(&self) -> String {
        let words: Vec<String> = self.done.iter().map(|(what, times)| format!("{what} {times}")).collect();
        let refused: u32 = self.refused.values().sum();
        format!("by hand: {} ({refused} refused)", words.join(", "))
    }

    fn note(&mut self, what: &'static str, (status, answer): (u16, Value)) -> bool {
        if status == 200 {
            *self.done.entry(what).or_default() += 1;
        } else {
            assert!(matches!(status, 400 | 409 | 429), "{what}: {status} {answer}");
            *self.refused.entry(what).or_default() += 1;
        }
        status == 200
    }

    fn name(&mut self) -> String {
        self.named += 1;
        format!("web_{}", self.named)
    }

    pub fn act(&mut self, world: &mut World, chance: &mut Seed) {
        let symbol = SYMBOLS[chance.below(SYMBOLS.len() as u64) as usize];
        match chance.below(20) {
            0..=4 => self.amend(world, chance),
            5..=6 => self.replace(world, chance),
            7..=8 => self.cancel(world, chance),
            9 => self.duplicate(world, chance),
            10 => self.sell(world, chance, symbol),
            11 => self.buy(world, chance, symbol),
            12 => self.cancel_own(world),
            13..=14 => self.move_balance(world, chance, symbol),
            15..=16 => self.change_rules(world, chance, symbol),
            17 => self.halt(world, chance, symbol),
            _ => {
                world.kill();
                // What he does while nobody listens is found out by who comes back.
                if chance.below(2) == 0 {
                    self.amend(world, chance);
                    self.cancel(world, chance);
                }
                thread::sleep(Duration::from_millis(chance.below(1_500)));
                *self.done.entry("kill").or_default() += 1;
                world.start();
            }
        }
    }

    /// One of the engine's orders that work.
    fn engines(world: &World, chance: &mut Seed) -> Option<OpenOrder> {
        let ours = ours(&world.tape());
        let number = |order: &OpenOrder| (order.symbol.clone(), order.number.to_string());
        let known: Vec<(String, String)> = ours
            .keys()
            .map(|(instrument, number)| (instrument.symbol.to_string(), number.to_string()))
            .collect();
        let orders: Vec<OpenOrder> =
            world.open_orders().into_iter().filter(|order| known.contains(&number(order))).collect();
        (!orders.is_empty()).then(|| orders[chance.below(orders.len() as u64) as usize].clone())
    }

    fn amend(&mut self, world: &World, chance: &mut Seed) {
        let Some(order) = Self::engines(world, chance) else { return };
        let step = world.step(&order.symbol);
        let part = order.quantity * Decimal::from(1 + chance.below(9)) / Decimal::TEN;
        let quantity = (part - part % step).max(step);
        let mut params = of(&order);
        params.push(("newQty", quantity.normalize().to_string()));
        match chance.below(3) {
            0 => params.push(("newClientOrderId", order.client.clone())),
            1 => params.push(("newClientOrderId", self.name())),
            _ => {}
        }
        let answer = world.signed("PUT", "/api/v3/order/amend/keepPriority", &params);
        let amended = self.note("amend", answer);
        // Twice at once, as a finger slips.
        if amended && chance.below(4) == 0 {
            let quantity = (quantity / Decimal::TWO - (quantity / Decimal::TWO) % step).max(step);
            let mut again = of(&order);
            again.push(("newQty", quantity.normalize().to_string()));
            let answer = world.signed("PUT", "/api/v3/order/amend/keepPriority", &again);
            self.note("amend again", answer);
        }
    }

    fn replace(&mut self, world: &World, chance: &mut Seed) {
        let Some(order) = Self::engines(world, chance) else { return };
        let tick = Decimal::ONE_HUNDRED;
        let price = (world.price(&order.symbol) * Decimal::TWO * tick).trunc() / tick;
        let mut params = vec![
            ("symbol", order.symbol.clone()),
            ("cancelOrderId", order.number.to_string()),
            ("cancelReplaceMode", "STOP_ON_FAILURE".to_owned()),
            ("side", "SELL".to_owned()),
            ("quantity", order.left.normalize().to_string()),
            ("newClientOrderId", self.name()),
        ];
        if order.kind == "STOP_LOSS_LIMIT" && chance.below(2) == 0 {
            let stop = order.stop.normalize().to_string();
            params.extend([
                ("type", "STOP_LOSS_LIMIT".to_owned()),
                ("stopPrice", stop.clone()),
                ("price", stop),
            ]);
        } else {
            params.extend([("type", "LIMIT".to_owned()), ("price", price.normalize().to_string())]);
        }
        params.push(("timeInForce", "GTC".to_owned()));
        let answer = world.signed("POST", "/api/v3/order/cancelReplace", &params);
        self.note("replace", answer);
    }

    fn cancel(&mut self, world: &World, chance: &mut Seed) {
        let Some(order) = Self::engines(world, chance) else { return };
        let answer = world.signed("DELETE", "/api/v3/order", &of(&order));
        self.note("cancel", answer);
    }

    /// An order of his own under the id of one of the engine's that has ended, or beside one that works.
    fn duplicate(&mut self, world: &World, chance: &mut Seed) {
        let open: Vec<i64> = world.open_orders().iter().map(|order| order.number).collect();
        let ended: Vec<_> = ours(&world.tape())
            .into_iter()
            .filter(|((_, number), _)| !number.parse().is_ok_and(|number| open.contains(&number)))
            .collect();
        if ended.is_empty() {
            return;
        }
        let ((instrument, _), id) = ended[chance.below(ended.len() as u64) as usize];
        let symbol = instrument.symbol.to_string();
        let price =
            (world.price(&symbol) * Decimal::new(9, 1) * Decimal::ONE_HUNDRED).trunc() / Decimal::ONE_HUNDRED;
        let quantity = lots(Decimal::from(40) / price.max(Decimal::new(1, 2)), world.step(&symbol));
        let params = [
            ("symbol", symbol),
            ("side", "BUY".to_owned()),
            ("type", if chance.below(2) == 0 { "MARKET" } else { "LIMIT" }.to_owned()),
            ("quantity", quantity),
            ("newClientOrderId", id.to_string()),
        ];
        let limit = [("timeInForce", "GTC".to_owned()), ("price", price.normalize().to_string())];
        let params =
            if params[2].1 == "LIMIT" { [&params[..], &limit[..]].concat() } else { params.to_vec() };
        let answer = world.signed("POST", "/api/v3/order", &params);
        self.note("duplicate", answer);
    }

    /// At market, of what is free.
    fn sell(&mut self, world: &World, chance: &mut Seed, symbol: &str) {
        let (free, _) = world.balance(base(symbol));
        let part = free * Decimal::from(1 + chance.below(10)) / Decimal::TEN;
        self.market(world, symbol, "SELL", part);
    }

    fn buy(&mut self, world: &World, chance: &mut Seed, symbol: &str) {
        let price = world.price(symbol).max(Decimal::new(1, 4));
        self.market(world, symbol, "BUY", Decimal::from(10 + chance.below(90)) / price);
    }

    fn market(&mut self, world: &World, symbol: &str, side: &'static str, quantity: Decimal) {
        let quantity = lots(quantity, world.step(symbol));
        let params = [
            ("symbol", symbol.to_owned()),
            ("side", side.to_owned()),
            ("type", "MARKET".to_owned()),
            ("quantity", quantity),
            ("newClientOrderId", self.name()),
        ];
        let answer = world.signed("POST", "/api/v3/order", &params);
        self.note(side, answer);
    }

    fn cancel_own(&mut self, world: &World) {
        for order in world.open_orders().into_iter().filter(|order| order.client.starts_with("web_")) {
            let is_engines = ours(&world.tape())
                .keys()
                .any(|(i, n)| *i.symbol == *order.symbol && *n.as_str() == *order.number.to_string());
            if !is_engines {
                let answer = world.signed("DELETE", "/api/v3/order", &of(&order));
                self.note("cancel his own", answer);
            }
        }
    }

    fn move_balance(&mut self, world: &World, chance: &mut Seed, symbol: &str) {
        let base = base(symbol);
        let (free, _) = world.balance(base);
        let part = (free * Decimal::from(1 + chance.below(10)) / Decimal::TEN).round_dp(8);
        let more = (Decimal::from(20) / world.price(symbol).max(Decimal::new(1, 4))).round_dp(4);
        let delta = if chance.below(2) == 0 && !part.is_zero() { -part } else { more };
        self.taken |= delta < Decimal::ZERO;
        let answer =
            world.control("balance", &json!({ "asset": base, "delta": delta.normalize().to_string() }));
        self.note("move coins", answer);
    }

    fn change_rules(&mut self, world: &World, chance: &mut Seed, symbol: &str) {
        let step = world.step(symbol);
        let changed = match chance.below(4) {
            0 => {
                let coarser = (step * Decimal::TEN).normalize().to_string();
                json!({ "symbol": symbol, "step_size": coarser, "min_qty": coarser })
            }
            1 => {
                let finer = (step / Decimal::TEN).max(Decimal::new(1, 6)).normalize().to_string();
                json!({ "symbol": symbol, "step_size": finer, "min_qty": finer })
            }
            2 => json!({ "symbol": symbol, "tick_size": if chance.below(2) == 0 { "0.1" } else { "0.01" } }),
            _ => json!({ "symbol": symbol, "min_notional": if chance.below(2) == 0 { "20" } else { "5" } }),
        };
        let answer = world.control("rules", &changed);
        self.note("change rules", answer);
    }

    fn halt(&mut self, world: &World, chance: &mut Seed, symbol: &str) {
        let answer = world.control("status", &json!({ "symbol": symbol, "status": "HALT" }));
        self.note("halt a symbol", answer);
        thread::sleep(Duration::from_millis(500 + chance.below(2_500)));
        world.control("status", &json!({ "symbol": symbol, "status": "TRADING" }));
    }

    /// Lets everything trade; what he has placed stays.
    pub fn rest(&mut self, world: &mut World) {
        for symbol in SYMBOLS {
            world.control("status", &json!({ "symbol": symbol, "status": "TRADING" }));
        }
    }
}

fn of(order: &OpenOrder) -> Vec<(&'static str, String)> {
    vec![("symbol", order.symbol.clone()), ("orderId", order.number.to_string())]
}

pub fn base(symbol: &str) -> &str {
    symbol.trim_end_matches("USDT")
}

fn lots(quantity: Decimal, step: Decimal) -> String {
    (quantity - quantity % step).max(step).normalize().to_string()
}
