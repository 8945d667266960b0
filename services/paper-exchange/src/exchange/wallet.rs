//! What clients ask of Binance's wallet at their start (its Wallet, Sub Account and Convert documentation), as far
//! as it can be true of a paper exchange: there are no networks, no margin and no other wallets.

use super::{
    Exchange,
    accounts::Transfer,
    ask::{Ask, invalid, missing, missing_both},
    figure::figure,
};
use crate::{params::Params, refusal::Refusal};
use domain::{Amount, Asset, Decimal, Price};
use serde_json::{Map, Value, json};
use venue_paper::engine::{Balance, Owner, PaidIn, ThirdPrice};

/// A question of the wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wallet {
    AccountInfo,
    /// Daily copies of balances: none are kept.
    Snapshot,
    BnbBurn,
    SetBnbBurn,
    AssetDetail,
    /// What is too small to be sold could become BNB: nothing does here.
    DustAssets,
    Dribblets,
    Dividends,
    Deposits,
    Withdrawals,
    UserAssets,
    Balances,
    TransferHistory,
    ConvertPairs,
    ConvertAssets,
    ConvertHistory,
    SubAccounts,
    SubAccountStatus,
    SubAccountAssets,
    SubAccountSummary,
    UniversalTransfer,
    UniversalTransfers,
    ToMaster,
    ToSubAccount,
    /// What there is at Binance, and is refused here: dust to BNB, withdrawals, other wallets, quotes to convert at.
    Refused,
}

/// Decimals with which amounts are converted.
const FRACTION: u32 = 8;
/// Where worth in Bitcoin is found by way of it.
const DOLLAR: &str = "USDT";

impl Exchange {
    pub(super) fn wallet(&mut self, wallet: Wallet, params: &Params) -> Result<Value, Refusal> {
        let ask = Ask(params);
        match wallet {
            Wallet::AccountInfo => Ok(json!({
                "vipLevel": 0, "isMarginEnabled": false, "isFutureEnabled": false, "isOptionsEnabled": false,
                "isPortfolioMarginRetailEnabled": false,
            })),
            Wallet::Snapshot => match ask.must_text("type")? {
                "SPOT" | "MARGIN" | "FUTURES" => Ok(json!({ "code": 200, "msg": "", "snapshotVos": [] })),
                _ => Err(invalid("type")),
            },
            Wallet::BnbBurn => Ok(self.bnb_burn()),
            Wallet::SetBnbBurn => self.set_bnb_burn(ask),
            Wallet::AssetDetail => self.asset_detail(ask),
            Wallet::DustAssets => Ok(json!({
                "details": [], "totalTransferBtc": "0", "totalTransferBNB": "0", "dribbletPercentage": "0.02",
            })),
            Wallet::Dribblets => Ok(json!({ "total": 0, "userAssetDribblets": [] })),
            Wallet::Dividends | Wallet::TransferHistory => Ok(json!({ "rows": [], "total": 0 })),
            Wallet::Deposits | Wallet::Withdrawals => Ok(json!([])),
            Wallet::UserAssets => self.user_assets(ask),
            Wallet::Balances => self.wallet_balances(ask),
            Wallet::ConvertPairs => self.convert_pairs(ask),
            Wallet::ConvertAssets => {
                let asset = |asset: Asset| json!({ "asset": asset, "fraction": FRACTION });
                Ok(self.assets().into_iter().map(asset).collect())
            }
            Wallet::ConvertHistory => {
                let (start, end) = (ask.whole("startTime")?, ask.whole("endTime")?);
                let (start, end) = start.zip(end).ok_or_else(|| missing("startTime"))?;
                let limit = ask.limit(100)?;
                Ok(json!({
                    "list": [], "startTime": start, "endTime": end, "limit": limit, "moreData": false,
                }))
            }
            Wallet::SubAccounts => self.sub_accounts(ask),
            Wallet::SubAccountStatus => self.sub_account_status(ask),
            Wallet::SubAccountAssets => self.sub_account_assets(ask),
            Wallet::SubAccountSummary => self.sub_account_summary(),
            Wallet::UniversalTransfer => self.universal_transfer(ask),
            Wallet::UniversalTransfers => self.universal_transfers(ask),
            Wallet::ToMaster => self.own_transfer(ask, Owner::FIRST),
            Wallet::ToSubAccount => {
                let to = self.by_email(ask.must_text("toEmail")?)?;
                self.own_transfer(ask, to)
            }
            Wallet::Refused => Err(unsupported()),
        }
    }

    fn bnb_burn(&self) -> Value {
        let pays = matches!(self.fees().paid_in, PaidIn::Third { asset, .. } if asset.as_str() == "BNB");
        json!({ "spotBNBBurn": pays, "interestBNBBurn": false })
    }

    /// Fees are paid in BNB from now on, or in what is received; their rates stay, since they are what is paid.
    fn set_bnb_burn(&mut self, ask: Ask) -> Result<Value, Refusal> {
        let (spot, interest) = (ask.flag("spotBNBBurn")?, ask.flag("interestBNBBurn")?);
        if spot.is_none() && interest.is_none() {
            return Err(missing_both("spotBNBBurn", "interestBNBBurn"));
        }
        if let Some(spot) = spot {
            let bnb = Asset::new("BNB").map_err(|_| unsupported())?;
            let third = PaidIn::Third { asset: bnb, price: ThirdPrice::LastPrice };
            self.spot.pay_fees_in(self.asker, if spot { third } else { PaidIn::Received });
        }
        Ok(self.bnb_burn())
    }

    fn asset_detail(&self, ask: Ask) -> Result<Value, Refusal> {
        let wanted = asset(ask, "asset")?;
        let known = self.assets().into_iter().filter(|one| wanted.is_none_or(|wanted| wanted == *one));
        let row = |asset: Asset| {
            let detail = json!({
                "minWithdrawAmount": "0", "depositStatus": false, "withdrawFee": "0", "withdrawStatus": false,
                "depositTip": "A paper exchange has no networks",
            });
            (asset.to_string(), detail)
        };
        Ok(Value::Object(known.map(row).collect::<Map<_, _>>()))
    }

    fn user_assets(&self, ask: Ask) -> Result<Value, Refusal> {
        let wanted = asset(ask, "asset")?;
        let valued = ask.flag("needBtcValuation")?.unwrap_or(false);
        let row = |(asset, balance): (Asset, Balance)| {
            let worth = if valued { self.in_bitcoin(asset, balance.total()) } else { Decimal::ZERO };
            json!({
                "asset": asset, "free": figure(balance.free), "locked": figure(balance.locked),
                "freeze": "0", "withdrawing": "0", "ipoable": "0", "btcValuation": figure(worth),
            })
        };
        let held = self.held(self.asker).into_iter();
        Ok(held.filter(|(asset, _)| wanted.is_none_or(|wanted| wanted == *asset)).map(row).collect())
    }

    fn wallet_balances(&self, ask: Ask) -> Result<Value, Refusal> {
        let quote = asset(ask, "quoteAsset")?;
        let worth = |(asset, balance): (Asset, Balance)| match quote {
            Some(quote) => self.worth(asset, quote, balance.total()).unwrap_or_default(),
            None => self.in_bitcoin(asset, balance.total()),
        };
        let spot: Decimal = self.held(self.asker).into_iter().map(worth).sum();
        let row = |name: &str, active: bool, worth: Decimal| json!({ "activate": active, "balance": figure(worth), "walletName": name });
        let others =
            ["Funding", "Cross Margin", "Isolated Margin", "USDⓈ-M Futures", "COIN-M Futures", "Earn"];
        let others = others.into_iter().map(|name| row(name, false, Decimal::ZERO));
        Ok(std::iter::once(row("Spot", true, spot)).chain(others).collect())
    }

    /// Every market, both ways.
    fn convert_pairs(&self, ask: Ask) -> Result<Value, Refusal> {
        let (from, to) = (asset(ask, "fromAsset")?, asset(ask, "toAsset")?);
        if from.is_none() && to.is_none() {
            return Err(missing_both("fromAsset", "toAsset"));
        }
        let fits =
            |one: Asset, other: Asset| from.is_none_or(|from| from == one) && to.is_none_or(|to| to == other);
        let mut rows = Vec::new();
        for (_, market) in self.spot.exchange.markets.iter() {
            let rules = &market.rules;
            let least = [(rules.base, rules.min_quantity), (rules.quote, rules.min_notional)];
            let most = [rules.max_quantity, rules.max_notional].map(|most| most.unwrap_or(Price::MOST));
            for (one, other) in [(0, 1), (1, 0)] {
                if fits(least[one].0, least[other].0) {
                    rows.push(json!({
                        "fromAsset": least[one].0, "toAsset": least[other].0,
                        "fromAssetMinAmount": figure(least[one].1), "fromAssetMaxAmount": figure(most[one]),
                        "toAssetMinAmount": figure(least[other].1), "toAssetMaxAmount": figure(most[other]),
                    }));
                }
            }
        }
        Ok(rows.into())
    }

    fn held(&self, owner: Owner) -> Vec<(Asset, Balance)> {
        let balances = self.spot.exchange.balances_of(owner).iter();
        balances.filter(|(_, b)| !b.total().is_zero()).map(|(asset, balance)| (*asset, *balance)).collect()
    }

    fn in_bitcoin(&self, asset: Asset, amount: Amount) -> Decimal {
        Asset::new("BTC").ok().and_then(|btc| self.worth(asset, btc, amount)).unwrap_or_default()
    }

    /// By the last price of a market of the two, else by way of dollars.
    fn worth(&self, asset: Asset, quote: Asset, amount: Amount) -> Option<Decimal> {
        let direct = |asset: Asset, quote: Asset, amount: Decimal| -> Option<Decimal> {
            if asset == quote {
                return Some(amount);
            }
            for (instrument, market) in self.spot.exchange.markets.iter() {
                let (base, other) = (market.rules.base, market.rules.quote);
                let price = || self.last_price(*instrument).map(Price::get);
                if (base, other) == (asset, quote) {
                    return amount.checked_mul(price()?);
                }
                if (base, other) == (quote, asset) {
                    return amount.checked_div(price()?);
                }
            }
            None
        };
        let by_dollars = || {
            let dollar = Asset::new(DOLLAR).ok()?;
            direct(dollar, quote, direct(asset, dollar, amount)?)
        };
        direct(asset, quote, amount).or_else(by_dollars).map(|worth| worth.round_dp(FRACTION))
    }
}

/// The first account is the master, the others are its sub-accounts.
impl Exchange {
    fn email(&self, owner: Owner) -> String {
        let name = self.accounts.names().find(|(one, _)| *one == owner).map(|(_, name)| name.to_string());
        let name = name.unwrap_or_default();
        format!("{}@tapedeck.invalid", name.split_once(':').map_or(name.as_str(), |(_, name)| name))
    }

    fn by_email(&self, email: &str) -> Result<Owner, Refusal> {
        let owner = self.accounts.names().map(|(owner, _)| owner).find(|owner| self.email(*owner) == email);
        owner.ok_or_else(|| Refusal::new(-12022, format!("The sub-account {email} does not exist.")))
    }

    /// # Errors
    /// −2015: only the master account's keys may ask.
    fn master(&self) -> Result<(), Refusal> {
        if self.asker == Owner::FIRST { Ok(()) } else { Err(Refusal::key_rights()) }
    }

    fn subs(&self) -> impl Iterator<Item = Owner> + '_ {
        self.accounts.names().map(|(owner, _)| owner).filter(|owner| *owner != Owner::FIRST)
    }

    fn sub_accounts(&self, ask: Ask) -> Result<Value, Refusal> {
        self.master()?;
        let email = ask.text("email")?;
        let (page, limit) = (ask.whole("page")?.unwrap_or(1).max(1), ask.limit(20)?);
        let skipped = usize::try_from(page - 1).unwrap_or(usize::MAX).saturating_mul(limit);
        let row = |owner: Owner| {
            json!({
                "subUserId": u64::from(owner.0) + 1, "email": self.email(owner), "remark": "", "isFreeze": false,
                "createTime": self.start.millis(), "isManagedSubAccount": false,
                "isAssetManagementSubAccount": false,
            })
        };
        let fits = |owner: &Owner| email.is_none_or(|email| self.email(*owner) == email);
        let rows: Vec<Value> = self.subs().filter(fits).skip(skipped).take(limit).map(row).collect();
        Ok(json!({ "subAccounts": rows }))
    }

    fn sub_account_status(&self, ask: Ask) -> Result<Value, Refusal> {
        self.master()?;
        let email = ask.text("email")?;
        let row = |owner: Owner| {
            json!({
                "email": self.email(owner), "isSubUserEnabled": true, "isUserActive": true,
                "insertTime": self.start.millis(), "isMarginEnabled": false, "isFutureEnabled": false,
                "mobile": 0,
            })
        };
        let fits = |owner: &Owner| email.is_none_or(|email| self.email(*owner) == email);
        Ok(self.subs().filter(fits).map(row).collect())
    }

    fn sub_account_assets(&self, ask: Ask) -> Result<Value, Refusal> {
        self.master()?;
        let owner = self.by_email(ask.must_text("email")?)?;
        let row = |(asset, balance): (Asset, Balance)| json!({ "asset": asset, "free": figure(balance.free), "locked": figure(balance.locked) });
        Ok(json!({ "balances": self.held(owner).into_iter().map(row).collect::<Vec<_>>() }))
    }

    fn sub_account_summary(&self) -> Result<Value, Refusal> {
        self.master()?;
        let worth = |owner: Owner| -> Decimal {
            self.held(owner).into_iter().map(|(asset, balance)| self.in_bitcoin(asset, balance.total())).sum()
        };
        let row = |owner: Owner| json!({ "email": self.email(owner), "totalAsset": figure(worth(owner)) });
        let rows: Vec<Value> = self.subs().map(row).collect();
        Ok(json!({
            "totalCount": rows.len(), "masterAccountTotalAsset": figure(worth(Owner::FIRST)),
            "spotSubUserAssetBtcVoList": rows,
        }))
    }

    fn universal_transfer(&mut self, ask: Ask) -> Result<Value, Refusal> {
        self.master()?;
        for kind in ["fromAccountType", "toAccountType"] {
            if ask.must_text(kind)? != "SPOT" {
                return Err(unsupported());
            }
        }
        let account = |email: Option<&str>| email.map_or(Ok(Owner::FIRST), |email| self.by_email(email));
        let (from, to) = (account(ask.text("fromEmail")?)?, account(ask.text("toEmail")?)?);
        let client = ask.text("clientTranId")?.map(ToOwned::to_owned);
        let number = self.moved(ask, from, to)?;
        let mut answer = json!({ "tranId": number });
        if let Some(client) = client {
            answer["clientTranId"] = client.into();
        }
        Ok(answer)
    }

    /// From the account in hand to another one of the exchange.
    fn own_transfer(&mut self, ask: Ask, to: Owner) -> Result<Value, Refusal> {
        if self.asker == Owner::FIRST {
            return Err(Refusal::key_rights());
        }
        let number = self.moved(ask, self.asker, to)?;
        Ok(json!({ "txnId": number.to_string() }))
    }

    fn moved(&mut self, ask: Ask, from: Owner, to: Owner) -> Result<u64, Refusal> {
        let asset = asset(ask, "asset")?.ok_or_else(|| missing("asset"))?;
        let amount = ask.decimal("amount")?.ok_or_else(|| missing("amount"))?;
        if amount.is_zero() || from == to {
            return Err(invalid(if from == to { "toEmail" } else { "amount" }));
        }
        let short = |_| Refusal::new(-12021, "The balance is not enough.");
        self.transfer(from, to, asset, amount).map_err(short)
    }

    fn universal_transfers(&self, ask: Ask) -> Result<Value, Refusal> {
        self.master()?;
        let (from, to) = (ask.text("fromEmail")?, ask.text("toEmail")?);
        let limit = ask.limit(500)?;
        let (start, end) = (ask.time("startTime")?, ask.time("endTime")?);
        let fits = |transfer: &&Transfer| {
            from.is_none_or(|email| self.email(transfer.from) == email)
                && to.is_none_or(|email| self.email(transfer.to) == email)
                && start.is_none_or(|start| start <= transfer.at)
                && end.is_none_or(|end| transfer.at <= end)
        };
        let row = |transfer: &Transfer| {
            json!({
                "tranId": transfer.number, "fromEmail": self.email(transfer.from),
                "toEmail": self.email(transfer.to), "asset": transfer.asset,
                "amount": figure(transfer.amount), "createTimeStamp": transfer.at.millis(),
                "fromAccountType": "SPOT", "toAccountType": "SPOT", "status": "SUCCESS", "clientTranId": "",
            })
        };
        let all: Vec<&Transfer> = self.transfers.iter().rev().filter(fits).collect();
        let rows: Vec<Value> = all.iter().take(limit).map(|transfer| row(transfer)).collect();
        Ok(json!({ "result": rows, "totalCount": all.len() }))
    }
}

/// # Errors
/// −1105 of an empty name, −1130 of what cannot be the name of an asset.
fn asset(ask: Ask, name: &str) -> Result<Option<Asset>, Refusal> {
    ask.text(name)?.map(|text| Asset::new(text).map_err(|_| invalid(name))).transpose()
}

fn unsupported() -> Refusal {
    Refusal::new(-1020, "This operation is not supported.")
}
