//! Answers that are the server's own, not the exchange's.

use super::Actor;
use crate::{
    endpoint::{Endpoint, Target},
    params::{Params, TimeUnit},
    refusal::Refusal,
    server::{keys::Permission, security::Wish},
};
use domain::Timestamp;
use serde_json::{Value, json};
use venue_paper::engine::Owner;

impl Actor {
    /// Limits and time are the server's.
    pub(super) fn exchange_info(&mut self, wish: &Wish, now: Timestamp) -> Result<Value, Refusal> {
        let mut info = self.exchange.call(Endpoint::ExchangeInfo, &wish.params, wish.unit)?;
        info["rateLimits"] = self.meter.listed();
        info["serverTime"] = wish.unit.of(self.shown(now)).into();
        Ok(info)
    }

    /// What of Binance's wallet can be true of a paper exchange.
    pub(super) fn own(&mut self, target: Target, key: Option<&str>, owner: Owner) -> Result<Value, Refusal> {
        match target {
            Target::SystemStatus => Ok(json!({ "status": 0, "msg": "normal" })),
            Target::AccountStatus => Ok(json!({ "data": "Normal" })),
            Target::ApiTradingStatus => Ok(json!({ "data": {
                "isLocked": false, "plannedRecoverTime": 0,
                "triggerCondition": { "GCR": 150, "IFER": 150, "UFR": 300 }, "updateTime": 0,
            } })),
            Target::ApiRestrictions => {
                let key = key.and_then(|key| self.keys.get(key));
                let may = |permission| key.is_some_and(|key| key.may(permission));
                Ok(json!({
                    "ipRestrict": false, "createTime": self.start.millis(), "enableReading": true,
                    "enableSpotAndMarginTrading": may(Permission::Trade), "enableWithdrawals": may(Permission::Withdraw), "enableInternalTransfer": false,
                    "enableMargin": false, "enableFutures": false, "permitsUniversalTransfer": false,
                    "enableVanillaOptions": false, "enableFixApiTrade": false, "enableFixReadOnly": false,
                    "enablePortfolioMarginTrading": false,
                }))
            }
            Target::DelistSchedule => {
                let now = self.time();
                let row = |(at, symbols): (Timestamp, Vec<String>)| json!({ "delistTime": at.millis(), "symbols": symbols });
                Ok(self.faults.delistings(now).into_iter().map(row).collect())
            }
            Target::MarginPairs => Ok(json!([])),
            Target::Coins => self.coins(owner),
            Target::Gone => Err(gone()),
            Target::Exchange(_) => Err(Refusal::new(-1020, "This operation is not supported.")),
        }
    }

    /// Every asset that the account knows; none can be deposited or withdrawn.
    fn coins(&mut self, owner: Owner) -> Result<Value, Refusal> {
        let account = self.exchange.call_as(owner, Endpoint::Account, &Params::default(), TimeUnit::Milli)?;
        let balances = account["balances"].as_array().cloned().unwrap_or_default();
        let coin = |balance: Value| {
            json!({
                "coin": balance["asset"], "name": balance["asset"], "free": balance["free"],
                "locked": balance["locked"], "freeze": "0", "withdrawing": "0", "ipoing": "0", "ipoable": "0",
                "storage": "0", "isLegalMoney": false, "trading": true, "depositAllEnable": false,
                "withdrawAllEnable": false, "networkList": [],
            })
        };
        Ok(balances.into_iter().map(coin).collect())
    }
}

fn gone() -> Refusal {
    let text = "This service is no longer available. Subscribe to user data over the WebSocket API: \
                userDataStream.subscribe.signature.";
    Refusal::new(-1016, text).status(410)
}
