//! What a process tells of itself, and of how its engine stands: the same of `up` and of each process of `run`.

use crate::{WrongUse, projections::Projection, scan, standing::Standing};
use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use bus::{Bus, BusStatus};
use domain::{Account, Timestamp};
use event_logger::{Counters, counters::Metric};
use events::{Position, Recorded, Row};
use http_server::Limits;
use runtime::{
    distributed::{UnitStatus, metrics, ready},
    market::Observer,
    metrics::Family,
};
use serde_json::{Value, json};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tape::Tape;
use tokio::{net::TcpListener, sync::watch};

/// Where health and metrics are served unless told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7070);
/// Rows that one read of the tape takes.
const BATCH: usize = 2_000;
/// How often the tape is looked at, whatever its watch says.
const AGAIN: Duration = Duration::from_secs(1);

/// Shared between the units of a process and whoever watches it. Cheap to clone.
#[derive(Clone)]
pub struct Process(Arc<Inner>);

struct Inner {
    bus: Bus,
    /// Why the tape is not open yet.
    opening: Mutex<Option<String>>,
    units: Mutex<Vec<UnitStatus>>,
    /// Where this process runs the recorder.
    recorder: Option<Arc<Counters>>,
    /// Where it follows the whole tape: trading states, and figures of money.
    standing: Option<Arc<Mutex<Standing>>>,
}

impl Process {
    /// `records`: it runs the recorder. `follows`: it is [shown](Self::see) the tape of these accounts.
    pub fn new(bus: Bus, records: bool, follows: Option<Vec<Account>>) -> Self {
        let recorder = records.then(Arc::default);
        let opening = Mutex::new(Some("opening the tape".to_owned()));
        let standing = follows.map(|accounts| Arc::new(Mutex::new(Standing::new(accounts))));
        Self(Arc::new(Inner { bus, opening, units: Mutex::default(), recorder, standing }))
    }

    pub fn cannot_open(&self, why: String) {
        *lock(&self.0.opening) = Some(why);
    }

    pub fn runs(&self, units: Vec<UnitStatus>) {
        *lock(&self.0.units) = units;
        *lock(&self.0.opening) = None;
    }

    /// The counters of the recorder.
    pub fn recorder(&self) -> Arc<Counters> {
        self.0.recorder.clone().unwrap_or_default()
    }

    /// Nothing is known in a process that does not follow the tape.
    pub fn standing(&self) -> Arc<Mutex<Standing>> {
        self.0.standing.clone().unwrap_or_default()
    }

    fn known(&self) -> Option<MutexGuard<'_, Standing>> {
        self.0.standing.as_ref().map(|standing| lock(standing))
    }

    /// Sees what is on the tape by now; up to where.
    ///
    /// # Errors
    /// The tape cannot be read.
    pub async fn read(&self, tape: &Tape) -> anyhow::Result<Position> {
        let head = tape.head().await?;
        scan::kinds(tape, Standing::KINDS, head.position, |event| self.see(event)).await?;
        if let Some(mut standing) = self.known() {
            standing.pass(head.recorded_at);
        }
        Ok(head.position)
    }

    pub fn see(&self, event: &Recorded) {
        if let Some(mut standing) = self.known() {
            standing.see(event);
        }
    }

    /// As [`Self::see`], of what [`follow`] shows.
    pub fn see_rows(&self, rows: &[Row]) {
        for row in rows {
            if row.kind().is_some_and(|kind| Standing::KINDS.contains(&kind)) {
                // A kind of a newer build is for others to tell of.
                if let Ok(event) = row.decode() {
                    self.see(&event);
                }
            }
        }
        if let (Some(last), Some(mut standing)) = (rows.last(), self.known()) {
            standing.pass(last.recorded_at);
        }
    }

    pub fn observer(&self) -> Observer {
        let process = self.clone();
        Box::new(move |event| process.see(event))
    }

    /// `None` without a broker.
    fn bus(&self) -> Option<BusStatus> {
        match &self.0.bus {
            Bus::InProcess(_) => None,
            Bus::Rabbit(_) => Some(self.0.bus.status()),
        }
    }

    /// The end of the tape, as far as any unit here knows.
    fn end(&self) -> (Position, Timestamp) {
        lock(&self.0.units).iter().map(UnitStatus::end).max().unwrap_or_default()
    }

    /// For `/ready` and `/health`.
    fn report(&self) -> (bool, Value) {
        let bus = self.bus();
        let bus_is_well = bus.as_ref().is_none_or(|bus| bus.connected && !bus.blocked);
        let (units_are_ready, mut report) = ready(&lock(&self.0.units));
        let opening = lock(&self.0.opening).clone();
        let ready = opening.is_none() && units_are_ready && bus_is_well;
        let (position, time) = self.end();
        report["ready"] = ready.into();
        report["tape"] =
            json!({ "open": opening.is_none(), "why": opening, "position": position, "time": time });
        report["bus"] = bus.map_or(Value::Null, |bus| {
            json!({
                "connected": bus.connected,
                "blocked": bus.blocked,
                "why": bus.why,
                "topology": bus.topology,
                "reconnects": bus.reconnects,
            })
        });
        report["trading"] = self.known().map_or(Value::Null, |standing| standing.json());
        (ready, report)
    }

    /// In Prometheus' text format.
    fn metrics(&self) -> String {
        let gauge = |name, help, value: String| Family::gauge(name, help).with(&[], value).text();
        let counter = |name, help, value: u64| Family::counter(name, help).with(&[], value).text();
        let (position, time) = self.end();
        let mut text = metrics(&lock(&self.0.units));
        text += &gauge(
            "tapedeck_tape_head_position",
            "The last position of the tape that is known here.",
            position.to_string(),
        );
        text += &gauge(
            "tapedeck_tape_time_seconds",
            "The time of that one, seconds since 1970.",
            (time.millis() / 1_000).to_string(),
        );
        if let Some(bus) = self.bus() {
            for (name, help, is) in [
                ("tapedeck_bus_connected", "1 while the broker is connected.", bus.connected),
                ("tapedeck_bus_blocked", "1 while the broker takes no messages.", bus.blocked),
            ] {
                text += &gauge(name, help, u8::from(is).to_string());
            }
            for (name, help, value) in [
                ("tapedeck_bus_reconnects_total", "Connections made after the first.", bus.reconnects),
                ("tapedeck_bus_published_total", "Messages handed to the broker.", bus.published),
                ("tapedeck_bus_confirmed_total", "Messages that the broker has confirmed.", bus.confirmed),
                ("tapedeck_bus_refused_total", "Messages that the broker has refused.", bus.refused),
                ("tapedeck_bus_returned_total", "Messages that no queue took.", bus.returned),
                ("tapedeck_bus_received_total", "Messages that the broker has delivered.", bus.received),
                ("tapedeck_bus_foreign_total", "Hints of another tape.", bus.foreign),
                ("tapedeck_bus_malformed_total", "Hints that cannot be read.", bus.malformed),
                ("tapedeck_bus_overflowed_total", "Hints for which a listener had no room.", bus.overflowed),
            ] {
                text += &counter(name, help, value);
            }
        }
        if let Some(recorder) = &self.0.recorder {
            for Metric { name, help, value } in recorder.list() {
                text += &match name.ends_with("_total") {
                    true => counter(name, help, value),
                    false => gauge(name, help, value.to_string()),
                };
            }
        }
        text + &self.known().map_or_else(String::new, |standing| standing.metrics())
    }

    /// Serves `/health`, `/ready` and `/metrics` until `stopped`; an address that was not asked for is given up where it
    /// is taken.
    ///
    /// # Errors
    /// The address that was asked for cannot be had.
    pub async fn serve(
        &self,
        listen: Option<SocketAddr>,
        mut stopped: watch::Receiver<bool>,
    ) -> anyhow::Result<Option<SocketAddr>> {
        let until = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let bound = TcpListener::bind(listen.unwrap_or(LISTEN)).await;
        match bound.and_then(|listener| Ok((listener.local_addr()?, listener))) {
            Ok((address, listener)) => {
                tokio::spawn(http_server::serve(listener, self.router(), Limits::default(), until));
                Ok(Some(address))
            }
            Err(error) => match listen {
                Some(address) => {
                    Err(WrongUse(format!("--listen {address}: {error}; choose another address")).into())
                }
                None => {
                    tracing::warn!(
                        "no health and metrics: {LISTEN}: {error}; choose an address with --listen"
                    );
                    Ok(None)
                }
            },
        }
    }

    /// A process that cannot go on ends by itself; one that answers is worth keeping.
    fn router(&self) -> Router {
        let health = async |State(of): State<Self>| Json(of.report().1);
        let ready = async |State(of): State<Self>| {
            let (is_ready, report) = of.report();
            let code = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            (code, Json(report)).into_response()
        };
        Router::new()
            .route("/health", get(health))
            .route("/ready", get(ready))
            .route("/metrics", get(async |State(of): State<Self>| of.metrics()))
            .with_state(self.clone())
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows `see` what is on a tape after a position and what comes to it, in order, until asked to stop. What cannot be
/// read now is read later.
pub async fn follow(
    tape: Tape,
    mut after: Position,
    mut stop: watch::Receiver<bool>,
    mut see: impl FnMut(&[Row]) + Send,
) {
    let mut commits = tape.watch();
    while !*stop.borrow() {
        commits.mark_unchanged();
        let rows = match tape.read(after, BATCH).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::debug!("the tape is not read on: {error}");
                Vec::new()
            }
        };
        if let Some(last) = rows.last() {
            after = last.position;
            see(&rows);
        }
        if rows.len() == BATCH {
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            Ok(()) = commits.changed() => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}
