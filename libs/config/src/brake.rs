//! `[brake]`: at which figures an account stops.

use crate::{Brake, OnLimit, section::Section, value};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// `general` holds where the table of an account does not say something itself; its inner `None` was reported.
pub(crate) fn brake(mut section: Section<'_>, general: Option<Option<&Brake>>) -> Option<Brake> {
    let part = |section: &mut Section<'_>, key| {
        section.read_or_none(key, "write a ratio above 0 and at most 1, e.g. 0.1 for 10 %", value::part)
    };
    let count = |section: &mut Section<'_>, key| {
        section.read_or_none(key, "write a whole number from 1", value::count)
    };
    let of = |field: fn(&Brake) -> Option<u32>| general.map(|general| general.map(field));
    let drawdown = section.or_general("drawdown", general.map(|g| g.map(|g| g.drawdown)), part);
    let daily_loss = section.or_general("daily_loss", general.map(|g| g.map(|g| g.daily_loss)), part);
    let losing_trades = section.or_general("losing_trades", of(|g| g.losing_trades), count);
    let orders_per_minute = section.or_general("orders_per_minute", of(|g| g.orders_per_minute), count);
    let rejected_per_hour = section.or_general("rejected_per_hour", of(|g| g.rejected_per_hour), count);
    let on_limit = section.or_general("on_limit", general.map(|g| g.map(|g| g.on_limit)), |section, key| {
        section.read(key, "write \"reducing\" or \"halted\"", |value| match value.as_str() {
            Some("reducing") => Ok(OnLimit::Reducing),
            Some("halted") => Ok(OnLimit::Halted),
            _ => Err(format!("is {}, none of these", value::describe(value))),
        })
    });
    let release = general.map(|g| g.map(|g| g.release_after));
    let release_after = section.or_general("release_after", release, |section, key| {
        section.read_or_none(key, "write whole seconds up to a year, e.g. \"12h\"", |value| {
            value::span(value, SECOND, YEAR)
        })
    });
    section.close();
    Some(Brake {
        drawdown: drawdown?,
        daily_loss: daily_loss?,
        losing_trades: losing_trades?,
        orders_per_minute: orders_per_minute?,
        rejected_per_hour: rejected_per_hour?,
        on_limit: on_limit?,
        release_after: release_after?,
    })
}
