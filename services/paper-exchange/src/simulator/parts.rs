//! How a stretch of trading falls apart: at random, and so that the parts put together are the whole, exactly.

use super::{bar::Bar, random::Random};

/// The parts between these bounds, of which the first and the last are the whole's own.
///
/// Invariants: open, high, low, close, volume, quote, trades and their numbers of the parts, merged in order, are
/// the whole's. A part has a trade wherever the whole has trades enough for all; one without any stands still.
pub fn parts(whole: &Bar, bounds: &[i64], tick: u64, lot: u64, mut random: Random) -> Vec<Bar> {
    let spans: Vec<(i64, i64)> = bounds.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let busy = choose(spans.len(), whole.trades, &mut random);
    let prices = walk(whole, busy.len(), tick, &mut random);
    let weights: Vec<u64> = busy.iter().map(|_| 200 + random.below(1_601)).collect();
    let volumes = volumes(whole.volume, &weights, u128::from(lot));
    let most: Vec<u64> = volumes
        .iter()
        .map(|volume| u64::try_from(volume.div_ceil(u128::from(lot))).unwrap_or(u64::MAX))
        .collect();
    let trades = counts(whole.trades, &weights, &most);
    let mut parts = Vec::with_capacity(spans.len());
    let (mut next, mut id, mut price) = (0, whole.first, whole.open);
    for (place, &(from, to)) in spans.iter().enumerate() {
        let mut part = Bar::empty(from, to, price);
        if busy.get(next) == Some(&place) {
            let [open, high, low, close] = prices[next];
            (part.open, part.high, part.low, part.close) = (open, high, low, close);
            (part.volume, part.trades) = (volumes[next], trades[next]);
            if part.trades > 0 {
                (part.first, part.last) = (id, id + part.trades as i64 - 1);
                id += part.trades as i64;
            }
            price = close;
            next += 1;
        }
        parts.push(part);
    }
    share_quote(whole, &mut parts);
    parts
}

/// Which of so many parts have trades: all, if there are enough.
fn choose(parts: usize, trades: u64, random: &mut Random) -> Vec<usize> {
    let wanted = usize::try_from(trades).unwrap_or(usize::MAX);
    if trades == 0 || wanted >= parts {
        // Also where a price moved without a volume.
        return (0..parts).collect();
    }
    let mut left = wanted;
    let pick = |place: &usize| {
        let takes = random.below((parts - place) as u64) < left as u64;
        left -= usize::from(takes);
        takes
    };
    (0..parts).filter(pick).collect()
}

/// Open, high, low and close of each part: one begins where the one before has ended, one touches the high, one the
/// low.
fn walk(whole: &Bar, count: usize, tick: u64, random: &mut Random) -> Vec<[u64; 4]> {
    let Bar { open, high, low, close, .. } = *whole;
    let grid = |price: i128| {
        let price = u64::try_from(price.max(0)).unwrap_or(u64::MAX);
        (price.saturating_add(tick / 2) / tick * tick).clamp(low, high)
    };
    // A candle that ends above its open has more often been below first.
    let low_first = random.one_in(3) != (close >= open);
    let (one, other) = if low_first { (low, high) } else { (high, low) };
    let first = random.below((count as u64).div_ceil(2)) as usize;
    let second = (count / 2 + random.below((count as u64).div_ceil(2)) as usize).min(count - 1).max(first);
    let range = u128::from(high - low);
    let noise = u64::try_from(range / u128::from((count as u64).isqrt().max(1)) / 2).unwrap_or(u64::MAX / 4);
    let noise = noise.min(u64::MAX / 4) as i64;
    let mut prices = Vec::with_capacity(count);
    let mut at = open;
    for n in 0..count {
        // Where it is going, and in how many parts it has to be there.
        let (target, left) = match n {
            n if n <= first => (one, first - n + 1),
            n if n <= second => (other, second - n + 1),
            _ => (close, count - n),
        };
        let towards = (i128::from(target) - i128::from(at)) / left as i128;
        let drawn = i128::from(at) + towards + i128::from(random.within(-noise, noise));
        let end = if n + 1 == count { close } else { grid(drawn) };
        let (mut top, mut bottom) = (at.max(end), at.min(end));
        let reach = i128::from(random.within(0, noise));
        top = top.max(grid(i128::from(top) + reach / 2));
        bottom = bottom.min(grid(i128::from(bottom) - reach / 3));
        for extreme in [(n == first).then_some(one), (n == second).then_some(other)].into_iter().flatten() {
            (top, bottom) = (top.max(extreme), bottom.min(extreme));
        }
        prices.push([at, top, bottom, end]);
        at = end;
    }
    prices
}

/// In whole lots, at least one each where there are enough; what is no whole lot goes to the last.
fn volumes(total: u128, weights: &[u64], lot: u128) -> Vec<u128> {
    let lots = total / lot;
    let each = if lots >= weights.len() as u128 { 1 } else { 0 };
    let spread = lots - each * weights.len() as u128;
    let mut volumes: Vec<u128> =
        shares(spread, weights).into_iter().map(|share| (share + each) * lot).collect();
    if let Some(last) = volumes.last_mut() {
        *last += total % lot;
    }
    volumes
}

/// At least one each where there are enough, and no more than `most` each.
fn counts(total: u64, weights: &[u64], most: &[u64]) -> Vec<u64> {
    let each = u64::from(total >= weights.len() as u64);
    let spread = total - each * weights.len() as u64;
    let shares = shares(u128::from(spread), weights);
    let mut left = total;
    let mut counts: Vec<u64> = shares
        .iter()
        .zip(most)
        .map(|(share, most)| {
            let count = (u64::try_from(*share).unwrap_or(u64::MAX) + each).min(*most).min(left);
            left -= count;
            count
        })
        .collect();
    for (count, most) in counts.iter_mut().zip(most) {
        let more = left.min(most - *count);
        *count += more;
        left -= more;
    }
    if let Some(last) = counts.last_mut() {
        *last += left;
    }
    counts
}

/// A number by weights: the parts add up to it.
fn shares(total: u128, weights: &[u64]) -> Vec<u128> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum::<u128>().max(1);
    // Of a product that is too large the quotient is near enough.
    let part = |upto: u128| total.checked_mul(upto).map_or(total / sum * upto, |product| product / sum);
    let (mut upto, mut given) = (0, 0);
    let last = weights.len();
    (1..=last)
        .map(|n| {
            upto += u128::from(weights[n - 1]);
            let now = if n == last { total } else { part(upto) };
            let share = now - given;
            given = now;
            share
        })
        .collect()
}

/// Each part's quote volume lies between its volume at its low and at its high, where the whole's allows it, and all
/// together have the whole's.
fn share_quote(whole: &Bar, parts: &mut [Bar]) {
    let typical = |bar: &Bar| {
        (u128::from(bar.open) + u128::from(bar.high) + u128::from(bar.low) + u128::from(bar.close)) / 4
    };
    let mut sum = 0_u128;
    for part in parts.iter_mut() {
        part.quote = part.volume.saturating_mul(typical(part));
        sum = sum.saturating_add(part.quote);
    }
    let up = whole.quote >= sum;
    let slack = |part: &Bar| match up {
        true => part.volume.saturating_mul(u128::from(part.high)).saturating_sub(part.quote),
        false => part.quote.saturating_sub(part.volume.saturating_mul(u128::from(part.low))),
    };
    let room = parts.iter().map(slack).fold(0, u128::saturating_add);
    let mut left = whole.quote.abs_diff(sum);
    let wanted = left;
    let give = |part: &mut Bar, share: u128| match up {
        true => part.quote += share,
        false => part.quote -= share.min(part.quote),
    };
    for part in parts.iter_mut().filter(|part| part.volume > 0) {
        // In thousandths of what there is room for, as 10⁻¹⁶ of a product do not fit twice.
        let share = slack(part).min(left).min(scaled(slack(part), wanted, room));
        give(part, share);
        left -= share;
    }
    for part in parts.iter_mut().filter(|part| part.volume > 0) {
        let share = slack(part).min(left);
        give(part, share);
        left -= share;
    }
    // The whole's is beyond what prices of parts can make: all are off by the same share.
    let wanted = left;
    for part in parts.iter_mut().filter(|part| part.volume > 0) {
        let share = scaled(part.volume, wanted, whole.volume).min(left);
        give(part, share);
        left -= share;
    }
    if let Some(part) = parts.iter_mut().rev().find(|part| part.volume > 0) {
        give(part, left);
    }
    let (mut volume, mut quote) = (0, 0);
    let (mut of_volume, mut of_quote) = (0, 0);
    let last = parts.len() - 1;
    for (n, part) in parts.iter_mut().enumerate() {
        (volume, quote) = (volume + part.volume, quote + part.quote);
        let upto = |half: u128, all: u128| if n == last { all } else { half.min(all) };
        let now = (upto(volume / 2, whole.taker_volume), upto(quote / 2, whole.taker_quote));
        (part.taker_volume, part.taker_quote) = (now.0 - of_volume, now.1 - of_quote);
        (of_volume, of_quote) = now;
    }
}

/// `of · part / whole`, of numbers whose product may be too large.
fn scaled(of: u128, part: u128, whole: u128) -> u128 {
    if whole == 0 {
        return 0;
    }
    of.checked_mul(part).map_or_else(|| of / (whole / part.max(1)).max(1), |product| product / whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::random::mix;

    #[test]
    fn the_parts_are_the_whole() {
        for n in 0..4_000_u64 {
            let draw = |salt: u64, below: u64| mix(n ^ salt.rotate_left(17)) % below;
            let tick = [1, 10, 1_000_000][draw(1, 3) as usize];
            let lot = [1, 1_000, 100_000_000][draw(2, 3) as usize];
            let base = tick * (10 + draw(3, 1_000_000));
            let near = |salt| base + tick * draw(salt, [1, 5, 1_000][draw(9, 3) as usize]);
            let (open, close) = (near(4), near(5));
            let high = open.max(close) + tick * draw(6, 50);
            let low = (open.min(close) - tick * draw(7, 10)).max(1);
            let lots = [0, 1, 7, 90, 4_000, 1_000_000][draw(8, 6) as usize];
            let volume = u128::from(lots * lot);
            let count = 1 + draw(10, 60);
            let trades = (count * 60).min(lots);
            let quote = volume * u128::from(low + draw(11, high - low + 1));
            let whole = Bar {
                open,
                high,
                low,
                close,
                volume,
                quote,
                taker_volume: volume / 2,
                taker_quote: quote / 2,
                trades,
                first: if trades == 0 { -1 } else { 77 },
                last: 76 + trades as i64,
                ..Bar::empty(1_000, 1_000 + count as i64 * 10, open)
            };
            let bounds: Vec<i64> = (0..=count as i64).map(|n| 1_000 + n * 10).collect();
            let parts = parts(&whole, &bounds, tick, lot, Random::new(n, 1, 2));
            assert_eq!(parts.len(), count as usize);
            let mut merged = parts[0];
            parts[1..].iter().for_each(|part| merged.merge(part));
            let of = |bar: &Bar| (bar.volume, bar.quote, bar.taker_volume, bar.taker_quote, bar.trades);
            assert_eq!(of(&merged), of(&whole), "{n}");
            if trades > 0 {
                let prices = |bar: &Bar| [bar.open, bar.high, bar.low, bar.close];
                assert_eq!(prices(&merged), prices(&whole), "{n}");
                assert_eq!((merged.first, merged.last), (whole.first, whole.last));
            }
            let at =
                |price: fn(&Bar) -> u64| parts.iter().map(|p| p.volume * u128::from(price(p))).sum::<u128>();
            let possible = (at(|bar| bar.low)..=at(|bar| bar.high)).contains(&whole.quote);
            let mut price = open;
            for part in &parts {
                assert_eq!(part.open, price, "no jump within");
                assert!(part.low <= part.open.min(part.close) && part.high >= part.open.max(part.close));
                assert_eq!(part.trades == 0, part.volume == 0);
                assert!(part.trades > 0 || trades == 0 || part.low == part.high, "{part:?}");
                assert!(!possible || part.volume * u128::from(part.low) <= part.quote, "{n}: {part:?}");
                assert!(!possible || part.quote <= part.volume * u128::from(part.high), "{n}: {part:?}");
                assert!(part.trades as u128 <= part.volume.div_ceil(u128::from(lot)));
                price = part.close;
            }
        }
    }
}
