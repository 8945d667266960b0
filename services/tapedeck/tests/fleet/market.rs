//! What is traded: a recorded market where there is one, else a made-up one.

use super::{Program, look};
use std::path::{Path, PathBuf};
use tape::Row;

/// A market and the configuration that it is traded under, which makes a trade every few weeks.
#[derive(Debug, Clone)]
pub struct Market {
    pub spec: String,
    pub from: Option<String>,
    pub to: Option<String>,
}

/// Short channels: trades come soon. Fixed sizing, which is the default.
pub const CONFIG: &str = "[edges.edge70]\nlong = 8\nshort = 5\n";

/// Its recording begins in August 2017 and ends after this.
const BEGIN: i64 = 2020;

impl Market {
    /// About so many days of one instrument's daily candles; a day is about five events.
    pub fn days(days: u32) -> Self {
        let file = data().join("BTCUSDT-1d.csv.gz");
        if !file.is_file() {
            // Five instruments by the hour.
            return Self { spec: format!("synthetic:7:{}", (days / 12).max(30)), from: None, to: None };
        }
        let (years, rest) = (i64::from(days) / 365, i64::from(days) % 365);
        let to = format!("{}-{:02}-{:02}", BEGIN + years, rest / 31 + 1, rest % 31 % 28 + 1);
        Self {
            spec: format!("recorded:{}", file.display()),
            from: Some(format!("{BEGIN}-01-01")),
            to: Some(to),
        }
    }

    /// As arguments of `tapedeck`.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--market".to_owned(), self.spec.clone()];
        for (name, value) in [("--from", &self.from), ("--to", &self.to)] {
            arguments.extend(value.iter().flat_map(|value| [name.to_owned(), value.clone()]));
        }
        arguments
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
