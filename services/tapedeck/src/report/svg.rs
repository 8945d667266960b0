//! Pictures as inline SVG: no script, no outside source, as sharp on a phone as on paper.

use statistics::daily::Row;
use std::fmt::Write;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 22.0;
/// Points of a line; more than a screen has columns shows nothing more.
const POINTS: usize = 1_500;

/// One line over the days of all of them.
pub struct Line<'a> {
    pub class: &'static str,
    pub name: &'a str,
    pub values: &'a [f64],
}

/// A picture of lines with a common scale. `area` fills between the first line and zero.
pub fn plot(days: &[Row], lines: &[Line], height: f64, area: bool, label: impl Fn(f64) -> String) -> String {
    let values = || lines.iter().flat_map(|line| line.values.iter().copied());
    let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if days.len() < 2 || !(low.is_finite() && high.is_finite()) {
        return "<p class=\"none\">Not enough days for a picture.</p>".to_owned();
    }
    let ticks = ticks(low, high);
    let (low, high) = (low.min(ticks[0]), high.max(*ticks.last().unwrap_or(&high)));
    let scale = Scale { low, high: if high > low { high } else { low + 1.0 }, height, count: days.len() };
    let mut svg =
        format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" preserveAspectRatio=\"xMidYMid meet\">");
    for tick in &ticks {
        let y = scale.y(*tick);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"tick\" x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0,
            label(*tick)
        );
    }
    for (at, name) in dates(days) {
        let x = scale.x(at);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.0}\"/><text class=\"tick\" x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{name}</text>",
            height - BOTTOM,
            height - 6.0
        );
    }
    for line in lines.iter().rev() {
        let points = thin(line.values);
        let path = scale.path(&points);
        if area && let (Some(first), Some(last)) = (points.first(), points.last()) {
            let zero = scale.y(0.0);
            let (x0, x1) = (scale.x(first.0), scale.x(last.0));
            let _ = write!(
                svg,
                "<path class=\"{} area\" d=\"{path}L{x1:.1} {zero:.1}L{x0:.1} {zero:.1}Z\"/>",
                line.class
            );
        }
        let _ =
            write!(svg, "<path class=\"{}\" d=\"{path}\"><title>{}</title></path>", line.class, line.name);
    }
    svg + "</svg>"
}

struct Scale {
    low: f64,
    high: f64,
    height: f64,
    count: usize,
}

impl Scale {
    fn x(&self, at: usize) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * at as f64 / (self.count - 1) as f64
    }

    fn y(&self, value: f64) -> f64 {
        let part = (value - self.low) / (self.high - self.low);
        self.height - BOTTOM - (self.height - BOTTOM - TOP) * part
    }

    fn path(&self, points: &[(usize, f64)]) -> String {
        let mut path = String::new();
        for (n, (at, value)) in points.iter().enumerate() {
            let _ =
                write!(path, "{}{:.1} {:.1}", if n == 0 { 'M' } else { 'L' }, self.x(*at), self.y(*value));
        }
        path
    }
}

/// The least and the largest value of each stretch, in their order: no peak and no fall is lost.
fn thin(values: &[f64]) -> Vec<(usize, f64)> {
    if values.len() <= POINTS {
        return values.iter().copied().enumerate().collect();
    }
    let stretch = values.len().div_ceil(POINTS / 2);
    let mut kept = Vec::with_capacity(POINTS);
    for (n, part) in values.chunks(stretch).enumerate() {
        let at = |(i, v): (usize, &f64)| (n * stretch + i, *v);
        let least = part.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map(at);
        let most = part.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(at);
        let mut both: Vec<_> = least.into_iter().chain(most).collect();
        both.sort_by_key(|(at, _)| *at);
        both.dedup();
        kept.extend(both);
    }
    kept
}

/// Round numbers from at or below the lowest value to at or above the highest, four to eight of them.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let span = if high > low { high - low } else { high.abs().max(1.0) };
    let raw = span / 5.0;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= raw).unwrap_or(raw);
    let (first, last) = ((low / step).floor() as i64, (high / step).ceil() as i64);
    (first..=last).map(|n| n as f64 * step).collect()
}

/// Where years begin, or months if there are few of them, with their names.
fn dates(days: &[Row]) -> Vec<(usize, String)> {
    let name = |row: &Row| row.midnight().minute();
    let begins = |length: usize| {
        let changed = |pair: &[Row]| name(&pair[0])[..length] != name(&pair[1])[..length];
        let at = days.windows(2).enumerate().filter(move |(_, pair)| changed(pair)).map(|(at, _)| at + 1);
        at.map(|at| (at, name(&days[at])[..length].to_owned())).collect::<Vec<_>>()
    };
    let years = begins(4);
    let all = if years.len() >= 3 { years } else { begins(7) };
    let every = all.len().div_ceil(10).max(1);
    all.into_iter().step_by(every).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_span_the_values() {
        assert_eq!(ticks(9_800.0, 10_700.0), [9_800.0, 10_000.0, 10_200.0, 10_400.0, 10_600.0, 10_800.0]);
        assert_eq!(ticks(-0.31, 0.0), [-0.4, -0.30000000000000004, -0.2, -0.1, 0.0]);
        assert!(ticks(5.0, 5.0).len() >= 2 || ticks(5.0, 5.0) == [5.0]);
    }

    #[test]
    fn thinning_keeps_the_peak_and_the_fall() {
        let mut values = vec![1.0; 100_000];
        (values[77_777], values[33_333]) = (9.0, -9.0);
        let kept = thin(&values);
        assert!(kept.len() <= POINTS && kept.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(kept.contains(&(77_777, 9.0)) && kept.contains(&(33_333, -9.0)));
    }
}
