//! `tapedeck trading`, `tapedeck close`, `tapedeck flatten` and `tapedeck books`: what the owner says by hand.
//!
//! On a tape that nobody has for himself it is appended here. A running `up` has its tape for itself, and is
//! asked to say it.

use crate::{
    WrongUse,
    cli::{Books, Close, Flatten, Global, TapeUrl, Trading, Wanted},
    commands::{print_json, record, views::names::is_meant},
    control::{self, Asked, Request},
    explain::explain,
    figures::count,
    locate,
    projections::{
        self, Projection,
        books::{Verdict, never_compared},
        trades::Trades,
    },
    scan,
    standing::Standing,
};
use domain::{Account, EdgeName, Instrument, Timestamp, TradeId};
use events::{Clock, Difference, Event, Kind, Position, TapeOpened, TradeEvent, TradingState};
use market_data::Outlook;
use runtime::{
    distributed::machine_clock,
    market::{OVER, ended_of},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};
use tape::{Mode, OpenError, Tape};
use tokio::time::Instant;

/// A process that is starting or ending has the tape and does not listen; then it is asked again.
const TRIES: u32 = 20;
const AGAIN: Duration = Duration::from_millis(250);

/// The tape that is meant, and what is on it.
struct Place {
    url: String,
    reader: Tape,
    opened: TapeOpened,
    standing: Standing,
    now: Timestamp,
    control: PathBuf,
}

/// A wish to close that is on the tape: for all that an edge holds of an instrument.
#[derive(Serialize)]
struct Wish {
    tape: String,
    position: Position,
    account: Account,
    instrument: Instrument,
    edge: EdgeName,
    trades: Vec<TradeId>,
}

/// # Errors
/// A tape that is empty or cannot be written; a state that would hold for nobody.
pub async fn trading(global: &Global, args: Trading) -> anyhow::Result<ExitCode> {
    let mut place = Place::find(global, &args.tape, false).await?;
    let (Some(state), Some(why)) = (args.state, args.why) else { return place.show_trading(global).await };
    let state = match state {
        Wanted::Active => TradingState::Active,
        Wanted::Reducing => TradingState::Reducing,
        Wanted::Halted => TradingState::Halted,
    };
    let request = Request::Trading { state, account: args.account, why, until: args.until };
    let event = request.clone().event(&place.standing, place.now).map_err(WrongUse)?;
    let position = place.say(request, event.clone()).await?;
    place.standing.trading = projections::read(&place.reader, Position::MAX).await?;
    let notes = control::still_holds(state, &place.standing, place.now);
    place.reader.close().await?;
    if global.json {
        let trading = place.standing.json_at(place.now);
        print_json(&json!({ "tape": place.tape(), "position": position, "trading": trading }))?;
    } else {
        out!("position {position} of {}: {}", place.name(), explain(&event))?;
        for note in notes {
            out!("{note}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// No such trade, or a tape that cannot be written.
pub async fn close(global: &Global, args: Close) -> anyhow::Result<ExitCode> {
    let place = Place::find(global, &args.tape, true).await?;
    if let Some(account) = &args.account {
        control::known(account, &place.standing).map_err(WrongUse)?;
    }
    let chosen = choose(&args, &place.standing.trades)?;
    if let (Some(trade), true) = (&args.trade, chosen.is_empty()) {
        return Err(WrongUse(place.no_such_trade(trade).await?).into());
    }
    if chosen.is_empty() {
        place.reader.close().await?;
        if global.json {
            print_json(&json!([]))?;
        } else {
            let on = args.account.map_or_else(String::new, |account| format!(" of {account}"));
            out!("there is no open trade{on} on {}: nothing is to be closed", place.name())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (said, refused) = place.ask_to_close(global, &chosen, args.why.as_deref()).await?;
    place.reader.close().await?;
    if global.json && (refused.is_empty() || !said.is_empty()) {
        print_json(&said)?;
    }
    if refused.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(WrongUse(refused.join("\n")).into()) }
}

/// Nothing is entered any more, all trades that are meant are closed, and it is waited for their ends.
///
/// # Errors
/// A tape that is empty or cannot be written; a trade that is still open at the end.
pub async fn flatten(global: &Global, args: Flatten) -> anyhow::Result<ExitCode> {
    let Flatten { account, instrument, why, timeout, tape } = args;
    let mut place = Place::find(global, &tape, true).await?;
    if let Some(account) = &account {
        control::known(account, &place.standing).map_err(WrongUse)?;
    }
    let mut reduced = None;
    let is_meant = |of: &&Account| account.is_none_or(|account| account == **of);
    let may_enter = |of: &Account| place.standing.trading.state(of, place.now) == TradingState::Active;
    if instrument.is_empty() && place.standing.accounts().filter(is_meant).any(may_enter) {
        let request =
            Request::Trading { state: TradingState::Reducing, account, why: why.clone(), until: None };
        let event = request.clone().event(&place.standing, place.now).map_err(WrongUse)?;
        let position = place.say(request, event.clone()).await?;
        if !global.json {
            out!("position {position} of {}: {}", place.name(), explain(&event))?;
        }
        reduced = Some(position);
        place.reader.close().await?;
        // What was granted before that is meant, too.
        place = Place::find(global, &tape, true).await?;
    }
    let all = instrument.is_empty();
    let meant = Close { trade: None, instrument, all, account, why: Some(why.clone()), tape };
    let chosen = choose(&meant, &place.standing.trades)?;
    let (said, refused) = place.ask_to_close(global, &chosen, Some(&why)).await?;
    let asked: BTreeSet<TradeId> = said.iter().flat_map(|said| &said.trades).copied().collect();
    let mut open = &chosen | &asked;
    let all = open.len();
    let bar = super::progress(all as u64, "closing", global.json);
    let until = Instant::now() + Duration::from_secs(timeout);
    loop {
        place.forget_those_over(&mut open).await?;
        // One that could not be asked for may have been over already.
        if open.is_disjoint(&asked) || Instant::now() >= until {
            break;
        }
        bar.set_position((all - open.len()) as u64);
        tokio::time::sleep(AGAIN).await;
    }
    bar.finish_and_clear();
    place.reader.close().await?;
    let closed = all - open.len();
    if global.json {
        print_json(
            &json!({ "tape": place.tape(), "reducing_at": reduced, "closed": closed, "open": open, "refused": refused }),
        )?;
    } else {
        out!("{} over on {}", count(closed as u64, "trade"), place.name())?;
    }
    if open.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let open: Vec<_> = open.iter().map(ToString::to_string).collect();
    let refused: String = refused.iter().map(|why| format!("\n{why}")).collect();
    anyhow::bail!(
        "still open: {}: what is on the tape holds as soon as the engine runs; tapedeck trades --state open shows them{refused}",
        open.join(", ")
    )
}

/// # Errors
/// Nothing that could be settled, or a tape that cannot be written.
pub async fn books(global: &Global, args: Books) -> anyhow::Result<ExitCode> {
    let mut place = Place::find(global, &args.tape, false).await?;
    if let Some(account) = &args.account {
        control::known(account, &place.standing).map_err(WrongUse)?;
    }
    place.standing.books = projections::read(&place.reader, Position::MAX).await?;
    let is_meant = |account: &Account| args.account.is_none_or(|meant| meant == *account);
    place.standing.books.verdicts.retain(|account, _| is_meant(account));
    if let (true, Some(why)) = (args.settle, args.why) {
        return place.settle(global, &why).await;
    }
    place.reader.close().await?;
    let verdicts = &place.standing.books.verdicts;
    if global.json {
        let told = |(account, verdict): (&Account, &Option<Verdict>)| match verdict {
            Some(of) => {
                json!({ "account": account, "as_of": of.as_of, "agree": of.differences.is_empty(), "confirmed": of.confirmed, "differences": of.differences })
            }
            None => {
                json!({ "account": account, "as_of": null, "agree": null, "confirmed": false, "differences": [] })
            }
        };
        print_json(&verdicts.iter().map(told).collect::<Vec<_>>())?;
    } else if verdicts.is_empty() {
        let whose =
            args.account.map_or_else(|| place.name(), |account| format!("{account}, {}", place.name()));
        out!(
            "no books were compared on {whose}: only those of live accounts and of `up --venue paper-exchange` are"
        )?;
    } else {
        for (account, verdict) in verdicts {
            match verdict {
                Some(verdict) => out!("{}", verdict.words(place.now))?,
                None => out!("{}", never_compared(account))?,
            }
        }
    }
    let agrees = |verdict: &Option<Verdict>| verdict.as_ref().is_some_and(|of| of.differences.is_empty());
    Ok(if verdicts.values().all(agrees) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn choose(args: &Close, trades: &Trades) -> anyhow::Result<BTreeSet<TradeId>> {
    if let Some(trade) = args.trade {
        return match (trades.find_live(&trade), args.account) {
            (Some(open), Some(account)) if open.account != account => {
                Err(WrongUse(format!("--account {account}: {trade} is open on {}", open.account)).into())
            }
            (open, _) => Ok(open.map(|_| trade).into_iter().collect()),
        };
    }
    let on_it = |account: Account| args.account.is_none_or(|on| on == account);
    let open = || trades.live().filter(|trade| on_it(trade.account));
    if args.instrument.is_empty() {
        return Ok(open().map(|trade| trade.trade).collect());
    }
    let (mut chosen, mut missing) = (BTreeSet::new(), Vec::new());
    for wanted in &args.instrument {
        let meant = open().filter(|trade| is_meant(wanted, &trade.instrument));
        let (meant, on): (Vec<TradeId>, BTreeSet<Account>) =
            meant.map(|trade| (trade.trade, trade.account)).unzip();
        if on.len() > 1 {
            let on: Vec<_> = on.iter().map(Account::to_string).collect();
            let each = on.join(", ");
            return Err(WrongUse(format!(
                "--instrument {wanted}: trades of it are open on {each}: say which account, --account {}, or close each trade by its id",
                on.join(" or --account ")
            ))
            .into());
        }
        if meant.is_empty() {
            missing.push(wanted.as_str());
        }
        chosen.extend(meant);
    }
    if missing.is_empty() {
        return Ok(chosen);
    }
    let open: BTreeSet<_> = open().map(|trade| trade.instrument.symbol.to_string()).collect();
    let open: Vec<_> = open.into_iter().collect();
    let on = args.account.map_or_else(String::new, |account| format!(" on {account}"));
    let there = if open.is_empty() {
        format!("no trade is open{on}")
    } else {
        format!("trades are open{on} of {}", open.join(", "))
    };
    let told = format!("--instrument {}: no trade of it is open; {there}", missing.join(","));
    if chosen.is_empty() {
        return Err(WrongUse(told).into());
    }
    // In need the others are closed all the same.
    tell!("{told}");
    Ok(chosen)
}

impl Place {
    /// `trades`: those that are open are needed, too.
    async fn find(global: &Global, given: &TapeUrl, trades: bool) -> anyhow::Result<Self> {
        let url = locate::commanded(global, given)?;
        let reader = locate::open(&url, Mode::Read).await?;
        let Some(opened) = reader.opened().await? else {
            return Err(WrongUse("the tape is empty: nothing trades on it yet".to_owned()).into());
        };
        let settings = locate::settings(global).ok();
        let configured =
            settings.iter().flat_map(|settings| settings.trading().map(|settings| settings.account));
        let mut standing = Standing::new(accounts(&reader, configured).await?);
        let kinds = if trades { &Standing::OF_TRADES[..] } else { &[Kind::TradingStateChanged] };
        scan::kinds(&reader, kinds, u64::MAX, |event| standing.see(event)).await?;
        let head = reader.head().await?;
        let now = match opened.clock {
            Clock::Market => head.recorded_at,
            Clock::Wall => head.recorded_at.max(machine_clock()),
        };
        let control = control::file(&url, global.data_dir(), opened.tape);
        Ok(Self { url, reader, opened, standing, now, control })
    }

    /// Has the trades closed, and all that their edges hold of their instruments with them; what was said, and why
    /// others could not be.
    async fn ask_to_close(
        &self,
        global: &Global,
        chosen: &BTreeSet<TradeId>,
        why: Option<&str>,
    ) -> anyhow::Result<(Vec<Wish>, Vec<String>)> {
        // One request is for all that an edge holds of an instrument.
        let mut wishes: BTreeMap<_, Vec<TradeId>> = BTreeMap::new();
        for trade in self.standing.trades.live() {
            wishes.entry((trade.account, trade.instrument, trade.edge)).or_default().push(trade.trade);
        }
        wishes.retain(|_, trades| trades.iter().any(|trade| chosen.contains(trade)));
        let mut said: Vec<Wish> = Vec::new();
        let mut refused: Vec<String> = Vec::new();
        for ((account, instrument, edge), trades) in wishes {
            let request = Request::Close { account, instrument, edge, why: why.map(str::to_owned) };
            let event = request.clone().event(&self.standing, self.now).map_err(WrongUse)?;
            let position = match self.say(request, event.clone()).await {
                Ok(position) => position,
                // Of the others that are meant each can still be closed.
                Err(error) => match error.downcast::<WrongUse>() {
                    Ok(WrongUse(why)) => {
                        refused.push(why);
                        continue;
                    }
                    Err(error) => return Err(error),
                },
            };
            if !global.json {
                let trades: Vec<_> = trades.iter().map(ToString::to_string).collect();
                out!("position {position} of {}: {} ({})", self.name(), explain(&event), trades.join(", "))?;
            }
            said.push(Wish { tape: self.tape().to_owned(), position, account, instrument, edge, trades });
        }
        refused.dedup();
        Ok((said, refused))
    }

    /// Keeps of the trades those that are not over.
    async fn forget_those_over(&self, trades: &mut BTreeSet<TradeId>) -> anyhow::Result<()> {
        for trade in trades.clone() {
            let rows = self.reader.of_trade(trade.as_str()).await?;
            let ends = |row: &tape::Row| matches!(row.kind(), Some(Kind::TradeClosed | Kind::TradeAborted));
            if rows.iter().any(ends) {
                trades.remove(&trade);
            }
        }
        Ok(())
    }

    /// For JSON: the path of a file; no address, which may have a password in it.
    fn tape(&self) -> &str {
        locate::shown(&self.url)
    }

    fn name(&self) -> String {
        match &self.reader {
            Tape::Sqlite(_) => format!("the tape {}", self.tape()),
            _ => "the tape in the database".to_owned(),
        }
    }

    /// Of each asset that differs. One that cannot be settled yet keeps no other from it.
    async fn settle(self, global: &Global, why: &str) -> anyhow::Result<ExitCode> {
        let mut said: Vec<Value> = Vec::new();
        let mut refused: Vec<String> = Vec::new();
        for (&account, verdict) in &self.standing.books.verdicts {
            for difference in verdict.iter().flat_map(|verdict| &verdict.differences) {
                let Difference::Balance { asset, .. } = *difference else { continue };
                let request = Request::Settle { account, asset, why: why.to_owned() };
                let event = match request.clone().event(&self.standing, self.now) {
                    Ok(event) => event,
                    Err(why) => {
                        refused.push(why);
                        continue;
                    }
                };
                let position = self.say(request, event.clone()).await?;
                if !global.json {
                    out!("position {position} of {}: {}", self.name(), explain(&event))?;
                }
                said.push(
                    json!({ "tape": self.tape(), "position": position, "account": account, "asset": asset }),
                );
            }
        }
        self.reader.close().await?;
        if global.json && (refused.is_empty() || !said.is_empty()) {
            print_json(&said)?;
        } else if said.is_empty() && refused.is_empty() {
            out!("no asset differs on {}: nothing is to be settled", self.name())?;
        }
        if refused.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(WrongUse(refused.join("\n")).into()) }
    }

    /// What trading is, where nothing is said of it.
    async fn show_trading(self, global: &Global) -> anyhow::Result<ExitCode> {
        self.reader.close().await?;
        if global.json {
            let trading = self.standing.json_at(self.now);
            print_json(&json!({ "tape": self.tape(), "trading": trading }))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut lines = self.standing.trading.lines(self.now);
        if lines.is_empty() {
            lines.push("trading is active on all accounts".to_owned());
        }
        for line in lines {
            out!("{line}, on {}", self.name())?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Says it here, or has it said by the process that has the tape for itself; where it stands.
    async fn say(&self, request: Request, event: Event) -> anyhow::Result<Position> {
        for _ in 0..TRIES {
            match control::ask(&self.control, &request).await? {
                Asked::Taken(position) => return Ok(position),
                Asked::Nobody => {}
            }
            let held = match locate::open(&self.url, Mode::Write).await {
                Ok(tape) => {
                    let said = self.append(&tape, event.clone()).await;
                    tape.close().await?;
                    match said? {
                        Some(position) => return Ok(position),
                        None => "another process".to_owned(),
                    }
                }
                Err(error) => match error.downcast_ref::<OpenError>() {
                    Some(OpenError::Taken { holder, .. }) => holder.clone(),
                    _ => return Err(error),
                },
            };
            tracing::debug!("{held} has the tape and does not listen yet");
            tokio::time::sleep(AGAIN).await;
        }
        let file = self.control.display();
        anyhow::bail!(
            "another process has the tape {} and takes no commands ({file} leads to nobody): is it `tapedeck up`, of this build and this data folder? If not, stop it first",
            locate::shown(&self.url)
        )
    }

    /// `None` if an `up` has the tape for itself.
    async fn append(&self, tape: &Tape, event: Event) -> anyhow::Result<Option<Position>> {
        let (head, cursors) = tape.marks().await?;
        let now = machine_clock();
        let runs = |c: &tape::Cursor| {
            c.owner.as_deref().is_some_and(|owner| owner.starts_with("up-"))
                && c.lease_until.is_some_and(|until| until > now)
        };
        // Whoever has the lock of a file knows that nobody else has.
        if matches!(tape, Tape::Postgres(_)) && cursors.iter().any(runs) {
            return Ok(None);
        }
        if let Event::Trade(TradeEvent::CloseRequested(close)) = &event
            && let Some(why) = self.cannot_close(tape, close.instrument).await?
        {
            return Err(WrongUse(why).into());
        }
        record::say(tape, &self.opened, &head, event).await.map(Some)
    }

    /// Why nothing of the instrument can be closed on a market that was played: no candle of it follows, so
    /// its stops would be canceled and nothing be sold. The feed's snapshot tells what follows.
    async fn cannot_close(&self, tape: &Tape, instrument: Instrument) -> anyhow::Result<Option<String>> {
        if self.opened.clock == Clock::Wall {
            return Ok(None);
        }
        let Some(played) = tape.latest_of_kind(Kind::TimePassed).await? else { return Ok(None) };
        // On a market's clock the feed tells the time.
        let feed = tape.snapshots(Position::MAX).await?.into_iter().find(|s| s.unit == played.draft.source);
        // Else the market has gone on since, and was killed before it could say how far it goes.
        let Some(feed) = feed.filter(|feed| played.position <= feed.position) else { return Ok(None) };
        let Some(outlook) = Outlook::of(&feed.state) else { return Ok(None) };
        Ok(match outlook.ended.contains(&instrument) {
            true if outlook.over => Some(OVER.to_owned()),
            true => Some(ended_of(instrument)),
            // Of a file the next `up` hears it once a candle follows. Distributed units hear it at once.
            false if outlook.over && matches!(tape, Tape::Postgres(_)) => Some(OVER.to_owned()),
            false => None,
        })
    }

    async fn no_such_trade(&self, trade: &TradeId) -> anyhow::Result<String> {
        let known = !self.reader.of_trade(trade.as_str()).await?.is_empty();
        let what = if known { "is not open any more on" } else { "is not on" };
        let what = format!("{what} {}", self.name());
        let open: Vec<_> = self.standing.trades.live().map(|trade| trade.trade.to_string()).collect();
        Ok(match open.is_empty() {
            true => format!("{trade} {what}, and no other trade is open"),
            false => format!("{trade} {what}; open: {}", open.join(", ")),
        })
    }
}

/// Every account that a unit of the tape runs for; the configured one if none has begun.
async fn accounts(
    tape: &Tape,
    configured: impl Iterator<Item = Account>,
) -> anyhow::Result<BTreeSet<Account>> {
    let mut accounts = BTreeSet::new();
    for row in tape.of_kind(Kind::UnitStarted).await? {
        if let Ok(body) = serde_json::from_str(&row.draft.body) {
            named_in(&body, &mut accounts);
        }
    }
    if accounts.is_empty() {
        accounts.extend(configured);
    }
    Ok(accounts)
}

/// Whatever is called `account` in a configuration.
fn named_in(value: &Value, accounts: &mut BTreeSet<Account>) {
    match value {
        Value::Object(fields) => {
            if let Some(account) = fields.get("account").and_then(Value::as_str) {
                accounts.extend(account.parse::<Account>().ok());
            }
            fields.values().for_each(|value| named_in(value, accounts));
        }
        Value::Array(values) => values.iter().for_each(|value| named_in(value, accounts)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
