//! Returns of daily rows and what is made of them. Ratios only, so `f64`.
//!
//! Simple returns, sample deviation, 365 days a year, a risk-free rate of 0.

use crate::{YEAR, daily::Row, float};

/// `(equity − flow) / equity of the day before − 1`, one fewer than there are rows. A day that begins with
/// nothing, or with debts, returns nothing: there was nothing at stake.
pub fn of(rows: &[Row]) -> Vec<f64> {
    let one = |pair: &[Row]| match pair {
        [before, row] if before.equity.is_sign_positive() => {
            (row.equity - row.flow).checked_div(before.equity).map_or(0.0, |grown| float(grown) - 1.0)
        }
        _ => 0.0,
    };
    rows.windows(2).map(one).collect()
}

/// What one unit of money has become after each day, from 1 on; one more than there are returns.
pub fn index(returns: &[f64]) -> Vec<f64> {
    let mut grown = 1.0;
    let rest = returns.iter().map(|r| {
        grown *= 1.0 + r;
        grown
    });
    std::iter::once(1.0).chain(rest).collect()
}

/// What all days together returned. `None` without a day.
pub fn total(returns: &[f64]) -> Option<f64> {
    if returns.is_empty() { None } else { index(returns).last().map(|grown| grown - 1.0) }
}

/// The compound annual growth rate, `(1 + total)^(365/n) − 1`. `None` without a day.
pub fn cagr(returns: &[f64]) -> Option<f64> {
    let grown = 1.0 + total(returns)?;
    Some(grown.max(0.0).powf(YEAR / returns.len() as f64) - 1.0)
}

/// The sample deviation of daily returns times √365. `None` below two days.
pub fn volatility(returns: &[f64]) -> Option<f64> {
    deviation(returns).map(|deviation| deviation * YEAR.sqrt())
}

/// `mean / sample deviation × √365`. `None` below two days, and where all days are alike.
pub fn sharpe(returns: &[f64]) -> Option<f64> {
    let (mean, deviation) = (mean(returns)?, deviation(returns)?);
    // What is left of equal days is the rounding of floats.
    (deviation > mean.abs() * 1e-9).then(|| mean / deviation * YEAR.sqrt())
}

/// `mean / √(Σ min(r, 0)² / n) × √365`: the deviation below 0, over all days. `None` without a day that lost.
pub fn sortino(returns: &[f64]) -> Option<f64> {
    let below: f64 = returns.iter().map(|r| r.min(0.0).powi(2)).sum();
    let mean = mean(returns)?;
    (below > 0.0).then(|| mean / (below / returns.len() as f64).sqrt() * YEAR.sqrt())
}

/// `√(mean of drawdown²)` over all rows, the first included. `None` without a day.
pub fn ulcer_index(returns: &[f64]) -> Option<f64> {
    let falls = drawdowns(&index(returns));
    let squares: f64 = falls.iter().map(|fall| fall * fall).sum();
    (!returns.is_empty()).then(|| (squares / falls.len() as f64).sqrt())
}

/// `1 − value / highest value so far`, for each value.
pub fn drawdowns(values: &[f64]) -> Vec<f64> {
    let mut peak = f64::NEG_INFINITY;
    let one = |&value: &f64| {
        peak = peak.max(value);
        if peak > 0.0 { 1.0 - value / peak } else { 0.0 }
    };
    values.iter().map(one).collect()
}

/// A fall from a peak, by the places of its values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fall {
    pub depth: f64,
    /// The last value at the peak, the lowest value, and the first that is at the peak again.
    pub peak: usize,
    pub bottom: usize,
    pub recovered: Option<usize>,
}

/// The deepest fall, the first of several that are as deep. `None` where nothing ever falls.
pub fn deepest_fall(values: &[f64]) -> Option<Fall> {
    falls(values).into_iter().reduce(|a, b| if b.depth > a.depth { b } else { a })
}

/// Every fall, in order.
pub fn falls(values: &[f64]) -> Vec<Fall> {
    let mut found: Vec<Fall> = Vec::new();
    let mut peak = 0;
    let mut under: Option<Fall> = None;
    for (at, &value) in values.iter().enumerate() {
        if value >= values[peak] {
            peak = at;
            if let Some(fall) = under.take() {
                found.push(Fall { recovered: Some(at), ..fall });
            }
            continue;
        }
        let depth = 1.0 - value / values[peak];
        match &mut under {
            Some(fall) if depth > fall.depth => (fall.depth, fall.bottom) = (depth, at),
            Some(_) => {}
            None => under = Some(Fall { depth, peak, bottom: at, recovered: None }),
        }
    }
    found.extend(under);
    found
}

pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Of a sample (n − 1), in two passes: running sums of squares lose what matters.
fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}
