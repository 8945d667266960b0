//! What a fill costs.

use super::{Fees, PaidIn, ThirdPrice};
use domain::{
    Amount, Asset, Decimal, InstrumentRules, Side,
    money::{ceil_to, floor_to},
};
use events::Fee;

/// Decimals of a fee in a third asset.
const THIRD_PRECISION: u32 = 8;

/// One exchange of base for quote, before its fee.
pub struct Exchanged<'a> {
    pub rules: &'a InstrumentRules,
    pub side: Side,
    pub quantity: Amount,
    pub quote: Amount,
    pub maker: bool,
}

impl Fees {
    /// What a buy holds on top of its price, so that its fee can be paid.
    pub fn on_top(&self, notional: Amount, rules: &InstrumentRules) -> Amount {
        match self.paid_in {
            PaidIn::Quote => rounded(notional, self.highest(), rules.quote_precision),
            PaidIn::Received | PaidIn::Third { .. } => Amount::ZERO,
        }
    }

    /// As [`Self::on_top`], rounded down.
    pub fn at_least_on_top(&self, notional: Amount, rules: &InstrumentRules) -> Amount {
        let step = Decimal::new(1, rules.quote_precision.min(Decimal::MAX_SCALE));
        floor_to(notional * self.ratio_on_top(), step)
    }

    /// As [`Self::on_top`], per amount of quote asset.
    pub fn ratio_on_top(&self) -> Decimal {
        match self.paid_in {
            PaidIn::Quote => self.highest(),
            PaidIn::Received | PaidIn::Third { .. } => Decimal::ZERO,
        }
    }

    /// The fee of a fill, rounded up, and never more than is free of its asset.
    ///
    /// `free` tells what is free after the exchange itself, `price_of` what one unit of a third asset
    /// is worth in a quote asset.
    pub fn of(
        &self,
        done: &Exchanged,
        mut free: impl FnMut(Asset) -> Amount,
        price_of: impl Fn(Asset, Asset) -> Option<Decimal>,
    ) -> Option<Fee> {
        let ratio = if done.maker { self.maker } else { self.taker };
        let fee = match self.paid_in {
            PaidIn::Received => in_received(done, ratio),
            PaidIn::Quote => in_quote(done, ratio),
            PaidIn::Third { asset, price } => in_third(done, ratio, asset, price, price_of)
                .filter(|fee| free(fee.asset) >= fee.amount)
                .unwrap_or_else(|| in_received(done, ratio)),
        };
        let amount = fee.amount.min(free(fee.asset)).normalize();
        (amount > Amount::ZERO).then_some(Fee { amount, ..fee })
    }

    fn highest(&self) -> Decimal {
        self.maker.max(self.taker)
    }
}

fn in_received(done: &Exchanged, ratio: Decimal) -> Fee {
    match done.side {
        Side::Buy => in_base(done, ratio),
        Side::Sell => in_quote(done, ratio),
    }
}

fn in_base(done: &Exchanged, ratio: Decimal) -> Fee {
    Fee { asset: done.rules.base, amount: rounded(done.quantity, ratio, done.rules.base_precision) }
}

fn in_quote(done: &Exchanged, ratio: Decimal) -> Fee {
    Fee { asset: done.rules.quote, amount: rounded(done.quote, ratio, done.rules.quote_precision) }
}

fn in_third(
    done: &Exchanged,
    ratio: Decimal,
    asset: Asset,
    price: ThirdPrice,
    price_of: impl Fn(Asset, Asset) -> Option<Decimal>,
) -> Option<Fee> {
    if asset == done.rules.base {
        return Some(in_base(done, ratio));
    }
    if asset == done.rules.quote {
        return Some(in_quote(done, ratio));
    }
    let price = match price {
        ThirdPrice::Fixed(price) => price.get(),
        ThirdPrice::LastPrice => price_of(asset, done.rules.quote)?,
    };
    let worth = done.quote.checked_mul(ratio)?.checked_div(price)?;
    Some(Fee { asset, amount: rounded(worth, Decimal::ONE, THIRD_PRECISION) })
}

/// `amount × ratio`, up to the last decimal that there is.
fn rounded(amount: Amount, ratio: Decimal, precision: u32) -> Amount {
    let step = Decimal::new(1, precision.min(Decimal::MAX_SCALE));
    amount.checked_mul(ratio).map_or(Amount::ZERO, |raw| ceil_to(raw, step))
}
