//! What is traded: a recorded market where there is one, else a made-up one.

use super::{Program, look};
use domain::Timestamp;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tape::Row;

/// A market and how much of it is played.
#[derive(Debug, Clone)]
pub struct Market {
    pub spec: String,
    from: Timestamp,
    to: Timestamp,
}

/// Short channels: trades come soon. Fixed sizing, which is the default. A brake that nothing reaches.
pub const CONFIG: &str = "[edges.edge70]\nlong = 8\nshort = 5\n[brake]\nlosing_trades = 1000\n";

const DAY: Duration = Duration::from_secs(86_400);
/// Where the recording is begun with, and where the made-up market begins.
const RECORDED: &str = "2020-01-01";
const MADE_UP: &str = "2024-01-01";
/// By so much more happens on a day of the made-up market: it has five instruments, by the hour.
const BUSIER: u32 = 6;

impl Market {
    /// So many days of one instrument's daily candles, five events a day; where there is no recording,
    /// less of a made-up market. A longer one goes on where a shorter one ends.
    pub fn days(days: u32) -> Self {
        let file = data().join("BTCUSDT-1d.csv.gz");
        let (spec, from, days) = if file.is_file() {
            (format!("recorded:{}", file.display()), RECORDED, days)
        } else {
            ("synthetic:7:200".to_owned(), MADE_UP, days / BUSIER)
        };
        let from: Timestamp = from.parse().expect("a date");
        Self { spec, from, to: from + DAY * days }
    }

    /// The `--speed` at which it takes that long, if nothing holds it up.
    pub fn lasting(&self, time: Duration) -> String {
        (self.to.since(self.from).as_secs() / time.as_secs().max(1)).max(1).to_string()
    }

    /// As arguments of `tapedeck`.
    pub fn arguments(&self) -> Vec<String> {
        let (from, to) = (self.from.to_string(), self.to.to_string());
        ["--market", &self.spec, "--from", &from, "--to", &to].map(str::to_owned).into()
    }

    /// The tape of one process that trades this market.
    pub fn in_one_process(&self, program: &Program, folder: &Path) -> Vec<Row> {
        let url = format!("sqlite:{}", folder.join("one.tape").display());
        let mut arguments: Vec<String> = vec!["up".to_owned()];
        arguments.extend(self.arguments());
        let rest = ["--speed", "max", "--exit-when-done", "--listen", "127.0.0.1:0", "--tape", &url];
        arguments.extend(rest.map(str::to_owned));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        program.run(folder, &arguments).well();
        look::Eye::open(&url).rows()
    }
}

fn data() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("TAPEDECK_DATA").map_or(beside, PathBuf::from).join("candles")
}
