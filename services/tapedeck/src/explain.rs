//! Every event in one line for people.

use crate::figures::{count, tidy};
use domain::{Decimal, Direction, NewOrder, OrderRequest, Side, Size, Timestamp};
use events::*;

/// What happened, with the figures, in words.
pub fn explain(event: &Event) -> String {
    match event {
        Event::Tape(e) => tape(e),
        Event::Unit(UnitEvent::Started(e)) => {
            format!("{} starts (build {}), from position {} on", e.unit, e.build, e.after)
        }
        Event::Time(TimeEvent::Passed(e)) => format!("it is {}", e.now),
        Event::Time(TimeEvent::WakeAsked(e)) => format!("wants to be woken at {}", e.at),
        Event::Instrument(InstrumentEvent::Listed(e)) => format!(
            "{} listed: tick {}, lot {}, least notional {} {}",
            e.instrument, e.rules.tick_size, e.rules.lot_size, e.rules.min_notional, e.rules.quote
        ),
        Event::Candle(e) => candle(e),
        Event::Quote(QuoteEvent::Asked(e)) => format!("the next price of {} is wanted", e.instrument),
        Event::Quote(QuoteEvent::Seen(e)) => format!("{} trades at {} ({})", e.instrument, e.price, e.at),
        Event::Signal(e) => signal(e),
        Event::Trade(e) => trade(e),
        Event::Order(e) => order(e),
        Event::Account(AccountEvent::BalanceChanged(e)) => {
            format!("{}: {} free {}, locked {}", e.account, e.asset, show(e.free), show(e.locked))
        }
        Event::Account(AccountEvent::Identified(e)) => {
            let withdraws = match e.may_withdraw {
                Some(true) => " and withdraw",
                Some(false) => "",
                None => "; whether it may withdraw is not told",
            };
            format!(
                "{}: its key opens the venue's account {} and may {}{withdraws}",
                e.account,
                e.venue_account,
                if e.may_trade { "trade" } else { "not trade" }
            )
        }
        Event::Account(AccountEvent::LedgerEntered(e)) => {
            format!("{}: {} {} ({}, {})", e.account, show(e.delta), e.asset, e.reason, e.venue_ref)
        }
        Event::Stream(StreamEvent::Opened(e)) => {
            format!("{} hears the stream {} of {} from {} on", e.replica, e.stream, e.account, e.at)
        }
        Event::Stream(StreamEvent::Complete(e)) => {
            format!("everything of {} until {} is on the tape", e.account, e.until)
        }
        Event::Books(e) => books(e),
        Event::Frame(FrameEvent::Quarantined(e)) => {
            format!(
                "QUARANTINE: frame {}… of {} ({}) cannot be read: {}",
                digest(e.frame),
                e.account,
                e.stream,
                e.why
            )
        }
        Event::Frame(FrameEvent::Reparsed(e)) => {
            format!(
                "frame {}… of {} can be read now: {}",
                digest(e.frame),
                e.account,
                count(e.events.into(), "event")
            )
        }
        Event::Position(e) => position(e),
        Event::Portfolio(PortfolioEvent::Valued(e)) => format!(
            "{} is worth {} {}: cash {}, exposure {}, drawdown {}",
            e.account,
            show(e.equity.round_dp(2)),
            e.quote,
            show(e.cash.round_dp(2)),
            show(e.exposure.round_dp(2)),
            percent(e.drawdown)
        ),
        Event::Control(ControlEvent::TradingStateChanged(e)) => format!(
            "trading on {} is {} by {}: {}{}",
            e.account.map_or_else(|| "all accounts".to_owned(), |a| a.to_string()),
            e.state,
            e.who,
            e.why,
            e.until.map_or_else(String::new, |t| format!(" (until {t})"))
        ),
    }
}

fn tape(event: &TapeEvent) -> String {
    match event {
        TapeEvent::Opened(e) => format!("tape {} opened for {} on the {} clock", e.tape, e.market, e.clock),
        TapeEvent::Conflicted(e) => {
            format!("CONFLICT: {} said something else under the id of {} {}", e.source, e.kind, e.id)
        }
        TapeEvent::RepublishAsked(e) => {
            format!("{} wants everything from {} on published again", e.who, e.from)
        }
    }
}

fn candle(event: &CandleEvent) -> String {
    match event {
        CandleEvent::Closed(CandleClosed { candle: c }) => format!(
            "{} {} of {}: open {} high {} low {} close {} volume {}",
            c.instrument,
            c.interval,
            c.open_time,
            c.open,
            c.high,
            c.low,
            c.close,
            show(c.volume)
        ),
        CandleEvent::Missing(e) => format!(
            "{} {}: {} missing from {} until {}",
            e.instrument,
            e.interval,
            count(e.count, "candle"),
            e.from,
            e.until
        ),
        CandleEvent::Differs(e) => format!(
            "{} {} of {}: a second copy says something else; the first stands",
            e.second.instrument, e.second.interval, e.second.open_time
        ),
        CandleEvent::Refused(e) => format!(
            "{} {} of {} not used: {}",
            e.candle.instrument, e.candle.interval, e.candle.open_time, e.fault
        ),
    }
}

/// What speaks for a direction.
fn evidence(evidence: Option<&Evidence>, direction: SignalDirection) -> String {
    match evidence {
        Some(Evidence::Breakout(b)) => {
            let beyond = if direction == SignalDirection::Short { "below" } else { "above" };
            let candles = count(b.lookback.into(), "candle");
            format!(
                "{} {beyond} {}, the extreme of the last {candles} of {}",
                b.extreme, b.channel, b.interval
            )
        }
        Some(Evidence::Figures(figures)) => {
            let shown: Vec<_> =
                figures.iter().map(|(name, figure)| format!("{name} {}", show(*figure))).collect();
            shown.join(", ")
        }
        None => "it gives no reason".to_owned(),
    }
}

fn signal(event: &SignalEvent) -> String {
    match event {
        SignalEvent::Given(e) => {
            let figure = |name: &str, figure: Option<String>| {
                figure.map_or_else(String::new, |figure| format!("; {name} {figure}"))
            };
            format!(
                "{}{} says {} {} at {}: {} (before: {}){}{}{}{}",
                if e.test { "TEST: " } else { "" },
                e.edge,
                e.direction,
                e.instrument,
                e.price,
                evidence(e.evidence.as_ref(), e.direction),
                e.previous.map_or_else(|| "nothing".to_owned(), |direction| direction.to_string()),
                figure("stop", e.stop.map(|price| price.to_string())),
                figure("target", e.target.map(|price| price.to_string())),
                figure("strength", e.strength.map(show)),
                figure("valid until", e.valid_until.map(|until| until.to_string())),
            )
        }
        SignalEvent::Possible(e) => format!(
            "{}: possibly {} {} at {}, its first direction, not traded: {}",
            e.edge,
            e.direction,
            e.instrument,
            e.price,
            evidence(e.evidence.as_ref(), e.direction)
        ),
        SignalEvent::Ambiguous(e) => format!(
            "{}: {} broke both extremes in one candle; ignored: {}; {}",
            e.edge,
            e.instrument,
            evidence(e.long.as_ref(), SignalDirection::Long),
            evidence(e.short.as_ref(), SignalDirection::Short)
        ),
    }
}

fn by(by: &RequestedBy) -> String {
    match by {
        RequestedBy::Edge => "the edge".to_owned(),
        RequestedBy::Owner { who } => who.clone(),
    }
}

fn trade(event: &TradeEvent) -> String {
    match event {
        TradeEvent::Requested(e) => format!(
            "{} wants to go {} {} at {} (signal of {})",
            by(&e.by),
            e.direction,
            e.instrument,
            e.trigger,
            e.signal_at
        ),
        TradeEvent::CloseRequested(e) => {
            let why = e.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
            let way = e.direction.map_or_else(String::new, |way| format!(" {way}"));
            format!("{} wants out of what {} holds{way} of {}{why}", by(&e.by), e.edge, e.instrument)
        }
        TradeEvent::StopMoveRequested(e) => format!("{} wants the stop at {}", by(&e.by), e.stop),
        TradeEvent::StopMoveRefused(e) => format!("the stop is not moved to {}: {}", e.stop, e.text),
        TradeEvent::Sized(e) => format!(
            "granted {}{} of {} at {} or better, {} reserved ({}: budget {}, cash {}, equity {}, risk {})",
            short(e.direction),
            e.quantity,
            e.instrument,
            e.limit,
            show(e.reserved),
            e.sizing.method,
            show(e.sizing.budget),
            show(e.sizing.cash.round_dp(2)),
            show(e.sizing.equity.round_dp(2)),
            show(e.sizing.risk.round_dp(2))
        ),
        TradeEvent::RequestRepeated(e) => {
            format!("{}: {}", if e.differs { "refused" } else { "asked for again" }, e.text)
        }
        TradeEvent::Refused(e) => format!("refused ({}): {}", e.rule, e.text),
        TradeEvent::Opened(e) => {
            format!(
                "open: {}{} of {} at {} for {}",
                short(e.direction),
                show(e.quantity),
                e.instrument,
                show(tidy(e.price)),
                show(tidy(e.value))
            )
        }
        TradeEvent::Protected(e) => {
            let alone = match e.without_take_profit {
                true => ", without a take-profit order: the venue takes none beside a stop now",
                false => "",
            };
            format!("protected: a stop for {} at {} (order {}){alone}", e.quantity, e.stop, e.order)
        }
        TradeEvent::Unprotected(e) => {
            let word = if e.because.is_passing() { "no stop" } else { "UNPROTECTED" };
            let covered = e.covered.map_or_else(String::new, |q| format!(", beside {q} that are protected"));
            format!("{word} since {}: {} held ({}){covered}", e.since, show(e.quantity), e.because)
        }
        TradeEvent::Exiting(TradeExiting { reason, at_most: None, .. }) => format!("leaving: {reason}"),
        TradeEvent::Exiting(TradeExiting { reason, at_most: Some(most), .. }) => {
            format!("leaving in parts of at most {most}, the venue takes no more at once: {reason}")
        }
        TradeEvent::Closed(e) => {
            let (entered, left) = done(e.direction);
            let dust = match e.left.is_zero() {
                true => String::new(),
                false => format!("; {} left as dust, worth {}", show(e.left), show(e.left_worth.round_dp(2))),
            };
            format!(
                "closed ({}): {entered} {} at {}, {left} at {}; cost {}, proceeds {}, profit {}{dust}",
                e.reason,
                show(e.quantity),
                show(tidy(e.entry_price)),
                show(tidy(e.exit_price)),
                show(tidy(e.cost)),
                show(tidy(e.proceeds)),
                show(tidy(e.profit)),
            )
        }
        TradeEvent::Aborted(e) => format!("not entered ({}): {}", e.reason, e.text),
    }
}

fn new_order(o: &NewOrder) -> String {
    let size = match o.size {
        Size::Base(quantity) => quantity.to_string(),
        Size::Quote(quantity) => format!("for {quantity} of quote"),
    };
    let stop = o.kind.stop().map_or_else(String::new, |p| format!(" stop {p}"));
    let limit = o.kind.limit().map_or_else(String::new, |p| format!(" limit {p}"));
    format!("{} {} {}{stop}{limit} ({})", o.side, size, o.kind.name(), o.id)
}

fn order(event: &OrderEvent) -> String {
    match event {
        OrderEvent::Submitted(e) => match &*e.request {
            OrderRequest::Single(o) => format!("to be sent: {} on {}", new_order(o), e.instrument),
            OrderRequest::Oco(oco) => format!(
                "to be sent, one cancels the other, on {}: {} and {}",
                e.instrument,
                new_order(&oco.above),
                new_order(&oco.below)
            ),
        },
        OrderEvent::Attempted(e) => {
            format!("{} is sent, attempt {}, signed for {}", e.request, e.attempt, e.timestamp)
        }
        OrderEvent::Accepted(e) => format!("{} works at the venue as {}", e.order, e.venue_order),
        OrderEvent::Amended(e) => format!(
            "{} was changed at the venue by other hands: {} in all from now on{}",
            e.order,
            e.quantity,
            if e.renamed == e.order { String::new() } else { format!(", and it is called {}", e.renamed) }
        ),
        OrderEvent::Rejected(e) => format!(
            "{} rejected by the venue ({}{}): {}",
            e.order,
            e.reason,
            e.code.map_or_else(String::new, |c| format!(", {c}")),
            e.text
        ),
        OrderEvent::Refused(e) => format!("{} not sent: {}", e.order, e.text),
        OrderEvent::Filled(e) => format!(
            "{} {} {} at {} = {}{} (fill {})",
            e.side,
            e.quantity,
            e.instrument,
            e.price,
            show(e.quote),
            e.fee.map_or_else(String::new, |f| format!(", fee {} {}", show(f.amount), f.asset)),
            e.venue_trade
        ),
        OrderEvent::Ended(e) => {
            format!("{} ended {} with {} filled", e.order, e.ending.as_str(), show(e.filled.quantity))
        }
        OrderEvent::Unknown(e) => {
            format!("{}: no telling whether it arrived ({}); it is looked up", e.request, e.text)
        }
        OrderEvent::Absent(e) => format!("{} never arrived", e.order),
        OrderEvent::CancelRequested(e) => format!("{} is to be canceled", e.order),
        OrderEvent::CancelAttempted(e) => format!("cancel of {} is sent, attempt {}", e.order, e.attempt),
        OrderEvent::CancelRejected(e) => format!("cancel of {} rejected: {}", e.order, e.text),
        OrderEvent::Done(e) => format!(
            "{} is done: {}, {} filled for {}{}",
            e.order,
            e.ending.as_str(),
            show(e.filled.quantity),
            show(e.filled.quote),
            if e.text.is_empty() { String::new() } else { format!(" ({})", e.text) }
        ),
        OrderEvent::Stuck(e) => format!("STUCK: {} waits for {} since {}", e.order, e.waiting_for, e.since),
    }
}

/// Names the direction that is not the usual one.
fn short(direction: Direction) -> &'static str {
    match direction {
        Direction::Long => "",
        Direction::Short => "short ",
    }
}

/// What was done to enter, and to leave.
fn done(direction: Direction) -> (&'static str, &'static str) {
    match direction {
        Direction::Long => ("bought", "sold"),
        Direction::Short => ("sold", "bought"),
    }
}

/// `BTCUSDT of edge70 (binance:paper)`.
fn whose(key: &PositionKey) -> String {
    format!("{} of {} ({})", key.instrument.symbol, key.owner, key.account)
}

fn position(event: &PositionEvent) -> String {
    match event {
        PositionEvent::Opened(e) => format!(
            "{}: opened {}{} at {}",
            whose(&e.position),
            short(e.direction),
            show(e.quantity),
            show(tidy(e.average))
        ),
        PositionEvent::Increased(e) => format!(
            "{}: {}{} more, {} in all at {}",
            whose(&e.position),
            short(e.direction),
            show(e.by),
            show(e.quantity),
            show(tidy(e.average))
        ),
        PositionEvent::Reduced(e) => format!(
            "{}: {}{} less at {}, {} left, profit {}",
            whose(&e.position),
            short(e.direction),
            show(e.by),
            e.price,
            show(e.quantity),
            show(tidy(e.profit))
        ),
        PositionEvent::Closed(e) => {
            let (entered, left) = done(e.direction);
            format!(
                "{}: closed, {entered} {} at {}, {left} {} at {}, profit {} ({})",
                whose(&e.position),
                show(e.entered),
                show(tidy(e.entry_price)),
                show(e.exited),
                show(tidy(e.exit_price)),
                show(tidy(e.profit)),
                percent(e.profit_ratio)
            )
        }
    }
}

/// Without trailing zeros.
pub fn show(amount: Decimal) -> String {
    amount.normalize().to_string()
}

/// `0.1234` as `12.34 %`.
pub fn percent(ratio: Decimal) -> String {
    format!("{} %", show((ratio * Decimal::ONE_HUNDRED).round_dp(2)))
}

/// A time for a narrow column.
pub fn when(at: Timestamp) -> String {
    at.minute()
}

fn digest(frame: FrameHash) -> String {
    frame.to_string().chars().take(12).collect()
}

fn books(event: &BooksEvent) -> String {
    match event {
        BooksEvent::Reported(e) => format!(
            "{} has {} and {} that work in the venue's books",
            e.account,
            count(e.balances.len() as u64, "asset"),
            count(e.orders.len() as u64, "order")
        ),
        BooksEvent::Agree(BooksAgree { account, assets, orders, begin, .. }) => {
            let of =
                format!("{}, {}", count(u64::from(*assets), "asset"), count(u64::from(*orders), "order"));
            match begin {
                true => format!("the books of {account} begin with what the venue has: {of}"),
                false => format!("the books of {account} agree with the venue's: {of}"),
            }
        }
        BooksEvent::Disagree(e) => {
            let differences: Vec<String> = e.differences.iter().map(difference).collect();
            let open = if e.confirmed { "" } else { "; what may be missing is being fetched" };
            format!(
                "DIFFERENCE: the books of {} are not the venue's, since {}: {}{open}",
                e.account,
                e.since,
                differences.join("; ")
            )
        }
    }
}

/// In words, with what it looks like.
pub fn difference(of: &Difference) -> String {
    match of {
        Difference::Balance { asset, ours, venue, cause } => {
            let more = venue.saturating_sub(*ours);
            let sign = if more > Decimal::ZERO { "more" } else { "less" };
            let cause = match cause {
                LikelyCause::MissingFill { instrument, side, quantity } => format!(
                    "it looks like a {} of {} {} that we did not hear of",
                    if *side == Side::Buy { "purchase" } else { "sale" },
                    show(*quantity),
                    instrument.symbol
                ),
                LikelyCause::Fee => "it looks like a fee".to_owned(),
                LikelyCause::Deposit => "it looks like a deposit".to_owned(),
                LikelyCause::Withdrawal => "it looks like a withdrawal".to_owned(),
                LikelyCause::DustConversion => "it looks like dust that was converted".to_owned(),
            };
            format!(
                "{asset} {} {sign} at the venue, {} for {}: {cause}",
                show(more.abs()),
                show(*venue),
                show(*ours)
            )
        }
        Difference::UnknownOrder { order } => format!(
            "order {} ({}) of {} works, and we did not hear of it",
            order.venue_order, order.order, order.instrument.symbol
        ),
        Difference::MissingOrder { order, stop_of } => format!(
            "order {} ({}) of {}{} does not work any more",
            order.venue_order,
            order.order,
            order.instrument.symbol,
            stop_of.map_or_else(String::new, |trade| format!(", the stop of {trade},"))
        ),
    }
}
