//! The report as one page that needs nothing else: no script, no font, no address outside.

use super::{
    groups::{Group, Period},
    summary::{Summary, or_dash, two},
    svg::{Line, plot},
};
use crate::{
    explain::{percent, show, when},
    figures::{count, span, tidy},
    projections::trades::Trade,
};
use domain::Decimal;
use rust_decimal::prelude::ToPrimitive;
use statistics::{daily::Row, returns};
use std::{collections::BTreeMap, fmt::Write};

/// Trades that the page lists, the newest; `trades.csv` has all.
const LISTED: usize = 500;

/// `held` is one unit of money in equal parts of all instruments, at each of `days`.
pub fn page(summary: &Summary, days: &[Row], held: &[f64], trades: &[Trade]) -> String {
    let body = [
        head(summary),
        tiles(summary),
        equity(summary, days, held),
        open(summary),
        months(&summary.by_month, &summary.by_year),
        groups("By instrument", "instrument", &summary.by_instrument),
        groups("By edge", "edge", &summary.by_edge),
        groups("By reason of exit", "reason", &summary.by_reason),
        refused(summary),
        list(trades),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Tapedeck report</title>\n<style>{STYLE}</style></head><body>\n{}\n\
         <footer>Figures as defined in Tapedeck's docs/METRICS.md: daily equity at midnight UTC, 365 days a year, risk-free rate 0. Past results promise nothing.</footer>\n</body></html>\n",
        body.join("\n")
    )
}

fn head(s: &Summary) -> String {
    let span = match (s.from, s.to) {
        (Some(from), Some(to)) => {
            let days = count(u64::try_from(s.days).unwrap_or_default(), "day");
            format!("{} to {} UTC, {days}", from.minute(), to.minute())
        }
        _ => "no candles".to_owned(),
    };
    let line = format!(
        "{span} · {}, {}, {}",
        count(s.candles, "candle"),
        count(s.signals, "signal"),
        count(s.entries, "trade")
    );
    format!("<header><h1>Tapedeck report</h1><p>{}</p></header>", escape(&line))
}

fn tiles(s: &Summary) -> String {
    let held = s.buy_and_hold.as_ref();
    let tiles = [
        (
            "Equity",
            or_dash(s.equity, |equity| s.money(equity)),
            or_dash(s.starting_equity, |e| format!("from {}", s.money(e))),
        ),
        ("Return", or_dash(s.return_ratio, percent), format!("{} a year", or_dash(s.cagr, percent))),
        (
            "Max drawdown",
            percent(s.max_drawdown),
            format!("longest {}", count(u64::try_from(s.longest_drawdown_days).unwrap_or_default(), "day")),
        ),
        ("Sharpe", or_dash(s.sharpe, two), format!("Sortino {}", or_dash(s.sortino, two))),
        ("Calmar", or_dash(s.calmar, two), format!("volatility {}", or_dash(s.volatility, percent))),
        ("Won", or_dash(s.win_ratio, percent), format!("{} of {}", s.wins, s.trades_closed)),
        ("Profit factor", or_dash(s.profit_factor, two), format!("payoff {}", or_dash(s.payoff, two))),
        (
            "Expectancy",
            or_dash(s.expectancy, |e| s.money(e)),
            format!("mean return {}", or_dash(s.expectancy_ratio, percent)),
        ),
        ("Closed profit", s.money(s.profit), format!("unrealised {}", s.money(s.unrealised_profit))),
        (
            "In the market",
            or_dash(s.time_in_market, percent),
            format!("invested {} on average", or_dash(s.average_invested, percent)),
        ),
        ("Turnover", or_dash(s.turnover_per_year, two), "times equity a year".to_owned()),
        (
            "Buy and hold",
            held.map_or_else(|| "–".to_owned(), |h| percent(h.return_ratio)),
            held.map_or_else(String::new, |h| format!("drawdown {}", percent(h.max_drawdown))),
        ),
    ];
    let mut html = String::from("<section class=\"tiles\">");
    for (name, value, more) in tiles {
        let _ = write!(
            html,
            "<div><span>{}</span><b>{}</b><small>{}</small></div>",
            escape(name),
            escape(&value),
            escape(&more)
        );
    }
    html + "</section>"
}

fn equity(s: &Summary, days: &[Row], held: &[f64]) -> String {
    let float = |d: Decimal| d.to_f64().unwrap_or_default();
    let equity: Vec<f64> = days.iter().map(|row| float(row.equity)).collect();
    let start = equity.first().copied().unwrap_or_default();
    let held: Vec<f64> = held.iter().map(|h| h * start).collect();
    // A market that rose a hundredfold would press the curve flat against the ground.
    let most = equity.iter().copied().fold(0.0, f64::max);
    let fits = held.len() == equity.len() && held.iter().all(|h| *h <= most * 4.0);
    let mut lines = vec![Line { class: "equity", name: "equity", values: &equity }];
    if fits {
        lines.push(Line { class: "held", name: "buy and hold in equal parts", values: &held });
    }
    let grown = returns::index(&returns::of(days));
    let falls: Vec<f64> = returns::drawdowns(&grown).iter().map(|fall| -fall).collect();
    let fall = [Line { class: "fall", name: "drawdown", values: &falls }];
    let quote = s.quote.map(|quote| quote.to_string()).unwrap_or_default();
    let legend = if fits {
        " <span class=\"key equity\"></span>equity <span class=\"key held\"></span>buy and hold, equal parts"
    } else {
        ""
    };
    format!(
        "<section><h2>Equity in {}{legend}</h2>{}<h2>Drawdown</h2>{}</section>",
        escape(&quote),
        plot(days, &lines, 300.0, false, grouped),
        plot(days, &fall, 140.0, true, |v| format!("{:.0} %", v * 100.0)),
    )
}

fn open(s: &Summary) -> String {
    if s.open.is_empty() {
        return String::new();
    }
    let rows = s.open.iter().map(|t| {
        vec![
            t.trade.to_string(),
            t.standing(t.last_price_at.unwrap_or_default()),
            t.opened_at.map(when).unwrap_or_default(),
            or_dash(t.held, |d| show(tidy(d))),
            or_dash(t.entry_price, |d| show(tidy(d))),
            or_dash(t.stop, |d| show(tidy(d))),
            or_dash(t.last_price, |d| show(tidy(d))),
            or_dash(t.unrealised_profit, two),
            or_dash(t.unrealised_ratio, percent),
        ]
    });
    let headings = ["trade", "state", "opened", "held", "entry", "stop", "now", "unrealised", "of cost"];
    format!("<section><h2>Open trades</h2>{}</section>", table(&headings, 3, rows))
}

/// Years down, months across.
fn months(months: &[Period], years: &[Period]) -> String {
    if months.iter().all(|month| month.return_ratio.is_none()) {
        return String::new();
    }
    let by_name: BTreeMap<&str, &Period> = months.iter().map(|m| (m.name.as_str(), m)).collect();
    let mut html = String::from(
        "<section><h2>Returns by month</h2><div class=\"wide\"><table class=\"heat\"><tr><th></th>",
    );
    for name in ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "year"] {
        let _ = write!(html, "<th>{name}</th>");
    }
    html += "</tr>";
    for year in years {
        let _ = write!(html, "<tr><th>{}</th>", escape(&year.name));
        for month in 1..=12 {
            let found = by_name.get(format!("{}-{month:02}", year.name).as_str());
            html += &heat(found.and_then(|m| m.return_ratio));
        }
        html += &heat(year.return_ratio);
        html += "</tr>";
    }
    html + "</table></div></section>"
}

/// The stronger the colour, the larger the return; 10 % is the strongest.
fn heat(ratio: Option<Decimal>) -> String {
    let Some(ratio) = ratio else { return "<td></td>".to_owned() };
    let part = (ratio.to_f64().unwrap_or_default() * 10.0).clamp(-1.0, 1.0);
    let (class, strength) = if part < 0.0 { ("loss", -part) } else { ("gain", part) };
    let text = show((ratio * Decimal::ONE_HUNDRED).round_dp(1));
    format!(
        "<td class=\"{class}\" style=\"--s:{:.2}\">{text}</td>",
        strength.sqrt() * f64::from(u8::from(!ratio.is_zero()))
    )
}

fn groups(title: &str, name: &str, groups: &[Group]) -> String {
    if groups.is_empty() {
        return String::new();
    }
    let holds = groups.iter().any(|group| group.hold_ratio.is_some());
    let mut headings =
        vec![name, "trades", "won", "profit", "of cost", "factor", "payoff", "expectancy", "days held"];
    if holds {
        headings.push("held instead");
    }
    let rows = groups.iter().map(|g| {
        let mut row = vec![
            g.words.clone(),
            g.trades.to_string(),
            or_dash(g.win_ratio, percent),
            two(g.profit),
            or_dash(g.profit_ratio, percent),
            or_dash(g.profit_factor, two),
            or_dash(g.payoff, two),
            or_dash(g.expectancy, two),
            or_dash(g.average_days_held, two),
        ];
        if holds {
            row.push(or_dash(g.hold_ratio, percent));
        }
        row
    });
    format!("<section><h2>{title}</h2>{}</section>", table(&headings, 1, rows))
}

fn refused(s: &Summary) -> String {
    if s.refused_words.is_empty() && s.aborted.is_empty() {
        return String::new();
    }
    let refused = s.refused_words.iter().map(|(rule, n)| vec![format!("refused: {rule}"), n.to_string()]);
    let aborted = s
        .aborted
        .iter()
        .map(|(why, n)| vec![format!("not entered: {}", why.replace('_', " ")), n.to_string()]);
    let rows = refused.chain(aborted);
    format!(
        "<section><h2>Requests that became no trade</h2>{}</section>",
        table(&["why", "requests"], 1, rows)
    )
}

fn list(trades: &[Trade]) -> String {
    let entered: Vec<&Trade> = trades.iter().filter(|trade| trade.state.was_entered()).collect();
    if entered.is_empty() {
        return String::new();
    }
    let shown = &entered[entered.len().saturating_sub(LISTED)..];
    let title = match entered.len() - shown.len() {
        0 => "All trades".to_owned(),
        _ => format!("The newest {LISTED} of {} trades", entered.len()),
    };
    let rows = shown.iter().rev().map(|t| {
        let length = t.opened_at.zip(t.closed_at).map(|(from, to)| span(from, to));
        vec![
            t.trade.to_string(),
            t.opened_at.map(when).unwrap_or_default(),
            length.unwrap_or_else(|| t.state.name().to_owned()),
            or_dash(t.quantity, |d| show(tidy(d))),
            or_dash(t.entry_price, |d| show(tidy(d))),
            or_dash(t.exit_price.or(t.last_price), |d| show(tidy(d))),
            or_dash(t.gain(), two),
            or_dash(t.gain_ratio(), percent),
            t.reason_words().to_owned(),
        ]
    });
    let headings =
        ["trade", "opened", "held for", "quantity", "entry", "exit or now", "profit", "of cost", "why left"];
    format!("<section><details><summary>{title}</summary>{}</details></section>", table(&headings, 3, rows))
}

/// Columns from `numbers` on stand to the right; a cell below zero is red.
fn table(headings: &[&str], numbers: usize, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut html = String::from("<div class=\"wide\"><table><tr>");
    for (at, heading) in headings.iter().enumerate() {
        let class = if at >= numbers { " class=\"n\"" } else { "" };
        let _ = write!(html, "<th{class}>{}</th>", escape(heading));
    }
    html += "</tr>";
    for row in rows {
        html += "<tr>";
        for (at, cell) in row.iter().enumerate() {
            let class = match (at >= numbers, cell.starts_with('-')) {
                (true, true) => " class=\"n red\"",
                (true, false) => " class=\"n\"",
                (false, _) => "",
            };
            let _ = write!(html, "<td{class}>{}</td>", escape(cell));
        }
        html += "</tr>";
    }
    html + "</table></div>"
}

/// `12,500`, with as many decimals as a small number needs.
fn grouped(value: f64) -> String {
    let decimals = if value.abs() >= 100.0 || value == 0.0 { 0 } else { 2 };
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) =
        text.split_once('.').map_or((text.as_str(), String::new()), |(w, r)| (w, format!(".{r}")));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{}{grouped}{rest}", if value < 0.0 { "-" } else { "" })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = "\
:root{--ink:#1c2430;--soft:#66707f;--line:#dfe4ea;--paper:#fff;--card:#f6f8fa;--blue:#1f6feb;--grey:#9aa4b2;--red:#c4312a;--green:#1a7f46}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#97a1b0;--line:#2b323c;--paper:#12161c;--card:#1a2029;--blue:#5b9dff;--grey:#77818f;--red:#ff7b72;--green:#56d38a}}
*{box-sizing:border-box}body{margin:0 auto;max-width:1040px;padding:24px 16px;background:var(--paper);color:var(--ink);font:15px/1.45 system-ui,sans-serif}
h1{font-size:22px;margin:0}header p{margin:4px 0 20px;color:var(--soft)}h2{font-size:15px;margin:28px 0 8px}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(160px,1fr));gap:10px}
.tiles div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 12px}
.tiles span,.tiles small{display:block;color:var(--soft);font-size:12px}.tiles b{font-size:17px;white-space:nowrap;font-variant-numeric:tabular-nums}
svg{width:100%;height:auto;display:block}.grid{stroke:var(--line);stroke-width:1}.tick{fill:var(--soft);font-size:11px}
path{fill:none;stroke-width:1.6;stroke-linejoin:round}.equity{stroke:var(--blue);background:var(--blue)}.held{stroke:var(--grey);background:var(--grey)}
.fall{stroke:var(--red)}.fall.area{fill:var(--red);opacity:.18;stroke:none}
.key{display:inline-block;width:14px;height:3px;margin:0 4px 3px 12px}h2 .key{border-radius:2px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
th{text-align:left;font-weight:600;color:var(--soft)}th,td{padding:4px 10px 4px 0;border-bottom:1px solid var(--line);white-space:nowrap}
.n{text-align:right}.red{color:var(--red)}
.heat td,.heat th{text-align:right;padding:4px 6px}.heat .gain{background:color-mix(in srgb,var(--green) calc(var(--s)*45%),transparent)}.heat .loss{background:color-mix(in srgb,var(--red) calc(var(--s)*45%),transparent)}
summary{cursor:pointer;font-weight:600;margin:28px 0 8px}.none{color:var(--soft)}
footer{margin:32px 0 0;padding-top:12px;border-top:1px solid var(--line);color:var(--soft);font-size:12px}
@media print{details{display:block}body{max-width:none}}";
