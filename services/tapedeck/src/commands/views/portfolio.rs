//! `tapedeck portfolio`.

use super::{Shown, Then, csv};
use crate::{
    cli::{Global, OfPortfolio},
    commands::{print_json, table},
    explain::{percent, show, when},
    figures::tidy,
    projections::portfolio::{Portfolio, Valuation, Valuations, Worth},
};
use serde::Serialize;
use serde_json::Value;
use std::{io, process::ExitCode};

#[derive(Serialize)]
struct Now {
    #[serde(flatten)]
    worth: Worth,
    /// Whether the account may trade, since when and why.
    trading: Value,
}

/// # Errors
/// A tape that cannot be read.
pub async fn portfolio(global: &Global, args: OfPortfolio) -> anyhow::Result<ExitCode> {
    let then = Then::open(global, &args.look).await?;
    if args.history {
        return past(global, &args, then.read::<Valuations>().await?.0);
    }
    then.tell_trading(global, &args.look).await?;
    let (trading, now) = then.trading().await?;
    let all = then.read::<Portfolio>().await?.0.into_iter();
    let latest: Vec<Now> =
        all.map(|(account, worth)| Now { worth, trading: trading.json([&account], now)[0].take() }).collect();
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
    fn rows(&self) -> impl Iterator<Item = Vec<String>> + '_ {
        let v = &self.worth.valuation;
        self.worth.holdings.iter().map(|h| {
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
        let v = &self.worth.valuation;
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
        let held = self.worth.holdings.iter().filter(|h| !h.quantity.is_zero());
        let lines: Vec<_> = held
            .map(|h| {
                let price = h.price.map_or_else(|| "unknown".to_owned(), |price| show(tidy(price)));
                vec![h.asset.to_string(), show(h.quantity), price, show(h.value.round_dp(2))]
            })
            .collect();
        out!("{}", table(&["asset", "quantity", "price", "value"], &[1, 2, 3], &lines))
    }
}
