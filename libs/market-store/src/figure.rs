//! Numbers as spreadsheets of any country write them.

use domain::Decimal;
use std::str::FromStr;

/// Which sign stands before the decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `1234.5`, `1,234.5`.
    Point,
    /// `1234,5`, `1.234,5`.
    Comma,
}

impl Style {
    /// What these figures of one file are written in. `by_commas`: between its columns are commas, so a point stands
    /// before decimals; with anything else between them it may stand between thousands.
    ///
    /// # Errors
    /// In words: a figure could be read in two ways and no other one tells which; or they contradict.
    pub fn of<'a>(figures: impl Iterator<Item = &'a str> + Clone, by_commas: bool) -> Result<Self, String> {
        let mut told: Option<(Self, &str)> = None;
        for figure in figures.clone() {
            let Some(style) = told_by(figure.trim()) else { continue };
            match told {
                Some((other, first)) if other != style => {
                    return Err(format!("the figures '{first}' and '{figure}' are written in two ways"));
                }
                _ => told = Some((style, figure)),
            }
        }
        if let Some((style, _)) = told {
            return Ok(style);
        }
        let mut figures = figures.into_iter();
        match figures.find(|figure| figure.contains(',') || (!by_commas && figure.contains('.'))) {
            Some(figure) if figure.contains(',') => Err(format!(
                "'{figure}' may have decimals behind its comma or thousands: write decimals behind a point, \
                 and no sign between thousands"
            )),
            Some(figure) => Err(format!(
                "'{figure}' may have decimals behind its point or thousands: put commas between the columns and \
                 decimals behind a point, and no sign between thousands"
            )),
            None => Ok(Self::Point),
        }
    }
}

/// What a figure alone tells: `1.234,5` and `0,5` and `12345,5`, but not `1,234`.
fn told_by(figure: &str) -> Option<Style> {
    let decided = |sign: u8| if sign == b',' { Style::Comma } else { Style::Point };
    let other = |sign: u8| if sign == b',' { Style::Point } else { Style::Comma };
    let mut signs = figure.bytes().filter(|b| matches!(b, b',' | b'.'));
    let first = signs.next()?;
    let Some(last) = signs.next_back() else {
        // It stands once, and thousands go by threes.
        let (whole, part) = figure.split_once(char::from(first))?;
        let whole = whole.trim_start_matches(['-', '+']);
        let thousands = part.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0');
        return (!thousands).then(|| decided(first));
    };
    // Two of a kind stand between thousands.
    Some(if first == last { other(first) } else { decided(last) })
}

/// `None` for what is no number. Without trailing zeros; beyond 28 decimals it is rounded.
pub fn figure(field: &str, style: Style) -> Option<Decimal> {
    let text = field.trim();
    let (point, group) = match style {
        Style::Point => ('.', ','),
        Style::Comma => (',', '.'),
    };
    if style == Style::Point && !text.contains(is_between_thousands) {
        return number(text);
    }
    let (whole, part) = text.split_once(point).map_or((text, None), |(whole, part)| (whole, Some(part)));
    let between = |c: char| c == group || (c != ',' && is_between_thousands(c));
    let Some(sign) = whole.chars().find(|c| between(*c)) else {
        return number(&part.map_or_else(|| whole.to_owned(), |part| format!("{whole}.{part}")));
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mut groups = whole.trim_start_matches(['-', '+']).split(sign);
    let first = groups.next().is_some_and(|first| digits(first) && first.len() <= 3);
    if !first || !groups.all(|group| digits(group) && group.len() == 3) || !part.is_none_or(digits) {
        return None;
    }
    let whole = whole.replace(sign, "");
    number(&part.map_or_else(|| whole.clone(), |part| format!("{whole}.{part}")))
}

/// A comma, blanks of all widths and the Swiss apostrophe.
fn is_between_thousands(c: char) -> bool {
    matches!(c, ',' | ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’')
}

/// Signs, exponents and as many digits as there are.
pub fn number(text: &str) -> Option<Decimal> {
    let known = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E');
    if !text.bytes().all(known) {
        return None;
    }
    let value = Decimal::from_str(text).or_else(|_| Decimal::from_scientific_lossy(text)).ok()?;
    Some(value.normalize())
}

/// What R, pandas, spreadsheets and databases write where there is no figure.
pub fn is_blank(field: &str) -> bool {
    let text = field.trim();
    ["", "na", "nan", "n/a", "#n/a", "null", "none", "nil", "-"]
        .iter()
        .any(|blank| text.eq_ignore_ascii_case(blank))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(figures: &[&str]) -> String {
        match Style::of(figures.iter().copied(), true) {
            Ok(style) => figures
                .iter()
                .map(|f| figure(f, style).map_or_else(|| "?".to_owned(), |d| d.to_string()))
                .collect::<Vec<_>>()
                .join(" "),
            Err(why) => why,
        }
    }

    #[test]
    fn decimals_and_thousands_are_told_apart_by_the_figures_of_a_file() {
        for (figures, expected) in [
            (&["42283.58", "0.1", "1000", "1.234"][..], "42283.58 0.1 1000 1.234"),
            (&["42283,58", "1,234", "1000"], "42283.58 1.234 1000"),
            (&["1.234,5", "1.234", "12.345.678"], "1234.5 1234 12345678"),
            (&["1,234.5", "1,234", "12,345,678"], "1234.5 1234 12345678"),
            (&["12 345,5", "1\u{a0}234\u{a0}567,25"], "12345.5 1234567.25"),
            (&["1'234.50", "7"], "1234.5 7"),
            (&["0,123"], "0.123"),
            (&["1234,567"], "1234.567"),
            (&["-1.5e-3", "1.6725312e+12"], "-0.0015 1672531200000"),
            (&["1,23.5", "12,3456.5"], "? ?"),
            (&["0x10", "1_000", "ten"], "? ? ?"),
        ] {
            assert_eq!(told(figures), expected, "{figures:?}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        assert!(told(&["1,234", "5"]).starts_with("'1,234' may have decimals"));
        assert_eq!(told(&["1,5", "1.5"]), "the figures '1,5' and '1.5' are written in two ways");
    }

    #[test]
    fn blanks_of_other_programs_are_known() {
        for blank in ["", " ", "NA", "NaN", "nan", "null", "None", "#N/A"] {
            assert!(is_blank(blank), "{blank}");
        }
        assert!(!is_blank("0") && !is_blank("-1"));
    }
}
