//! `tapedeck portfolio`.

use super::{Shown, Then, csv};
use crate::{
    cli::{Global, OfPortfolio},
    commands::{print_json, table},
    explain::{percent, show, when},
    figures::{as_tidy, as_tidy_option, tidy},
};
use domain::{Account, Asset, Decimal, Timestamp};
use events::{Event, Kind, PortfolioEvent, PortfolioValued};
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeMap, io, process::ExitCode};

/// One valuation without its holdings, as in `equity.csv`.
#[derive(Debug, Clone, Serialize)]
pub struct Valuation {
    pub at: Timestamp,
    pub account: Account,
    pub quote: Asset,
    #[serde(serialize_with = "as_tidy")]
    pub equity: Decimal,
    #[serde(serialize_with = "as_tidy")]
    pub cash: Decimal,
    #[serde(serialize_with = "as_tidy")]
    pub exposure: Decimal,
    #[serde(serialize_with = "as_tidy")]
    pub peak: Decimal,
    #[serde(serialize_with = "as_tidy")]
    pub drawdown: Decimal,
}

impl Valuation {
    /// The columns of `equity.csv`, too.
    pub const COLUMNS: [&'static str; 9] =
        ["at", "venue", "account", "quote", "equity", "cash", "exposure", "peak", "drawdown"];

    pub fn of(at: Timestamp, v: &PortfolioValued) -> Self {
        let (account, quote) = (v.account, v.quote);
        let (equity, cash, exposure) = (v.equity, v.cash, v.exposure);
        Self { at, account, quote, equity, cash, exposure, peak: v.peak, drawdown: v.drawdown }
    }

    /// One cell a column of [`Self::COLUMNS`].
    pub fn cells(&self) -> [String; 9] {
        let figures = [self.equity, self.cash, self.exposure, self.peak, self.drawdown];
        let [equity, cash, exposure, peak, drawdown] = figures.map(|d| tidy(d).to_string());
        let (venue, name) = (self.account.venue.to_string(), self.account.name.to_string());
        [self.at.to_string(), venue, name, self.quote.to_string(), equity, cash, exposure, peak, drawdown]
    }
}

#[derive(Serialize)]
struct Now {
    #[serde(flatten)]
    valuation: Valuation,
    holdings: Vec<Holding>,
    /// Whether the account may trade, since when and why.
    trading: Value,
}

#[derive(Serialize)]
struct Holding {
    asset: Asset,
    #[serde(serialize_with = "as_tidy")]
    quantity: Decimal,
    #[serde(serialize_with = "as_tidy_option")]
    price: Option<Decimal>,
    #[serde(serialize_with = "as_tidy")]
    value: Decimal,
}

/// # Errors
/// A tape that cannot be read.
pub async fn portfolio(global: &Global, args: OfPortfolio) -> anyhow::Result<ExitCode> {
    let then = Then::open(global, &args.look).await?;
    let mut latest: BTreeMap<Account, Now> = BTreeMap::new();
    let mut history: Vec<Valuation> = Vec::new();
    then.scan(&[Kind::PortfolioValued], |event| {
        let Event::Portfolio(PortfolioEvent::Valued(valued)) = &event.event else { return };
        let valuation = Valuation::of(event.recorded_at, valued);
        if args.history {
            history.push(valuation);
            return;
        }
        latest.insert(valued.account, Now::of(valuation, valued));
    })
    .await?;
    if args.history {
        return past(global, &args, history);
    }
    then.tell_trading(global, &args.look).await?;
    let (trading, now) = then.trading().await?;
    let mut latest: Vec<Now> = latest.into_values().collect();
    for row in &mut latest {
        row.trading = trading.json([&row.valuation.account], now)[0].take();
    }
    if global.json {
        print_json(&latest)?;
    } else if args.look.csv {
        let columns = ["at", "venue", "account", "asset", "quantity", "price", "value"];
        csv(io::stdout().lock(), &columns, latest.iter().flat_map(Now::rows))?;
    } else if latest.is_empty() {
        out!("no valuation yet")?;
    } else {
        latest.iter().try_for_each(Now::print)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn past(global: &Global, args: &OfPortfolio, mut rows: Vec<Valuation>) -> anyhow::Result<ExitCode> {
    let of = rows.len();
    rows.retain(|valuation| args.span.takes(valuation.at));
    args.span.cut(&mut rows);
    let shown = Shown {
        what: "valuations",
        rows: &rows,
        of,
        headings: &["at", "account", "equity", "cash", "exposure", "drawdown"],
        right: &[2, 3, 4, 5],
        columns: &Valuation::COLUMNS,
    };
    shown.print(
        global,
        &args.look,
        |v| {
            vec![
                when(v.at),
                v.account.to_string(),
                format!("{} {}", show(v.equity.round_dp(2)), v.quote),
                show(v.cash.round_dp(2)),
                show(v.exposure.round_dp(2)),
                percent(v.drawdown),
            ]
        },
        |v| v.cells().to_vec(),
    )?;
    Ok(ExitCode::SUCCESS)
}

impl Now {
    fn of(valuation: Valuation, valued: &PortfolioValued) -> Self {
        let holding = |h: &events::Holding| Holding {
            asset: h.asset,
            quantity: h.quantity,
            price: h.price,
            value: h.value,
        };
        Self { valuation, holdings: valued.holdings.iter().map(holding).collect(), trading: Value::Null }
    }

    fn rows(&self) -> impl Iterator<Item = Vec<String>> + '_ {
        let v = &self.valuation;
        self.holdings.iter().map(|h| {
            vec![
                v.at.to_string(),
                v.account.venue.to_string(),
                v.account.name.to_string(),
                h.asset.to_string(),
                tidy(h.quantity).to_string(),
                h.price.map(|price| tidy(price).to_string()).unwrap_or_default(),
                tidy(h.value).to_string(),
            ]
        })
    }

    fn print(&self) -> io::Result<()> {
        let v = &self.valuation;
        out!(
            "{} on {}: {} {} (cash {}, exposure {}, drawdown {} from {})",
            v.account,
            when(v.at),
            show(v.equity.round_dp(2)),
            v.quote,
            show(v.cash.round_dp(2)),
            show(v.exposure.round_dp(2)),
            percent(v.drawdown),
            show(v.peak.round_dp(2)),
        )?;
        let held = self.holdings.iter().filter(|h| !h.quantity.is_zero());
        let lines: Vec<_> = held
            .map(|h| {
                let price = h.price.map_or_else(|| "unknown".to_owned(), |price| show(tidy(price)));
                vec![h.asset.to_string(), show(h.quantity), price, show(h.value.round_dp(2))]
            })
            .collect();
        out!("{}", table(&["asset", "quantity", "price", "value"], &[1, 2, 3], &lines))
    }
}
