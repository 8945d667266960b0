//! The few things that differ from one deployment to the next: environment variables.

use crate::{Problem, Problems, suggest, value};
use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf};

/// Where things are. `None` leaves the choice to the command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// `TAPEDECK_CONFIG`.
    pub config: Option<PathBuf>,
    /// `TAPEDECK_LOG`.
    pub log: Option<String>,
    /// `TAPEDECK_DATA_DIR`.
    pub data_dir: Option<PathBuf>,
    /// `TAPEDECK_LISTEN`.
    pub listen: Option<SocketAddr>,
    /// `TAPEDECK_INGEST_SPOOL_MIB`: the most that an ingestor keeps for one account, in mebibytes.
    pub ingest_spool_mib: Option<u32>,
    /// `STORE_URL`.
    pub store_url: Option<Secret>,
    /// `BUS_URL`.
    pub bus_url: Option<Secret>,
    pub binance: BinanceUrls,
    /// What else is set: accounts name the variables of their keys.
    others: BTreeMap<String, Secret>,
}

/// Where Binance is, or something that speaks like it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BinanceUrls {
    /// `BINANCE_REST_URL`; without a slash at the end, as the others.
    pub rest_url: Option<String>,
    /// `BINANCE_WS_API_URL`.
    pub ws_api_url: Option<String>,
    /// `BINANCE_STREAM_URL`.
    pub stream_url: Option<String>,
}

/// A variable and what it is for, in prose; for help texts and templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    pub name: &'static str,
    pub about: &'static str,
}

/// An address that may hold a password, or a key: it is not shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Of the addresses that may hold a password.
const SCHEMES: &[&str] = &["sqlite", "postgres", "postgresql", "amqp", "amqps"];

/// In mebibytes: all of it lies in memory, too.
const LARGEST_SPOOL: u32 = 16 << 10;

impl Secret {
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of an address its kind is shown; of a key nothing.
        let scheme = self.0.split_once(':').map(|(scheme, _)| scheme).filter(|s| SCHEMES.contains(s));
        write!(f, "{}…", scheme.map_or_else(String::new, |scheme| format!("{scheme}:")))
    }
}

impl Environment {
    /// Every variable that is read.
    pub const VARIABLES: &'static [Variable] = &[
        Variable {
            name: "TAPEDECK_CONFIG",
            about: "The configuration file. Where it is not set, ./tapedeck.toml if there is one, else the built-in default.",
        },
        Variable {
            name: "TAPEDECK_LOG",
            about: "What is logged: error, warn (the default), info, debug or trace; also per module, e.g. info,tape=debug.",
        },
        Variable {
            name: "TAPEDECK_DATA_DIR",
            about: "The folder in which Tapedeck keeps what it writes, its SQLite tape above all.",
        },
        Variable {
            name: "TAPEDECK_LISTEN",
            about: "The address on which health and metrics are served, e.g. 127.0.0.1:8080.",
        },
        Variable {
            name: "TAPEDECK_INGEST_SPOOL_MIB",
            about: "The most that an ingestor keeps of one account's frames while the broker is away, on disk and in memory, in mebibytes: 64 where it is not set.",
        },
        Variable {
            name: "STORE_URL",
            about: "The tape: postgres://USER:PASSWORD@HOST:PORT/DATABASE, or sqlite:PATH for one process alone.",
        },
        Variable {
            name: "BUS_URL",
            about: "The broker between processes: amqp://USER:PASSWORD@HOST:PORT/VHOST (%2f is the vhost /), or amqps:// with TLS.",
        },
        Variable {
            name: "BINANCE_REST_URL",
            about: "Binance's REST API, https://api.binance.com where it is not set; http://127.0.0.1:PORT is the paper exchange.",
        },
        Variable {
            name: "BINANCE_WS_API_URL",
            about: "Binance's WebSocket API, wss://ws-api.binance.com:443/ws-api/v3 where it is not set.",
        },
        Variable {
            name: "BINANCE_STREAM_URL",
            about: "Binance's market streams, wss://stream.binance.com:9443 where it is not set.",
        },
    ];

    /// Variables of ours that are meant for others: where the tests find their data and their servers, how
    /// often they kill, which seed they repeat, and what a build calls itself.
    const FOR_OTHERS: &'static [&'static str] = &[
        "TAPEDECK_DATA",
        "TAPEDECK_KILLS",
        "TAPEDECK_BUILD",
        "TAPEDECK_TEST_POSTGRES",
        "TAPEDECK_TEST_RABBITMQ",
        "TAPEDECK_POSTGRES_BIN",
        "TAPEDECK_SEED",
    ];

    /// Reads the variables given; an empty one counts as not set.
    ///
    /// # Errors
    /// Everything that is wrong with them. A value is never repeated in the message where it may
    /// hold a password.
    pub fn read(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, Problems> {
        let vars: BTreeMap<String, String> =
            vars.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let mut problems = unknown(&vars);
        let get = |name: &str| vars.get(name).cloned();
        let listen = get("TAPEDECK_LISTEN")
            .and_then(|given| given.parse().map_err(|_| problems.push(not_an_address(&given))).ok());
        let ingest_spool_mib = get("TAPEDECK_INGEST_SPOOL_MIB").and_then(|given| match given.parse() {
            Ok(mib @ 1..=LARGEST_SPOOL) => Some(mib),
            Ok(_) | Err(_) => {
                problems.push(not_a_spool(&given));
                None
            }
        });
        let store_url = secret(
            &vars,
            "STORE_URL",
            &["sqlite", "postgres", "postgresql"],
            "write sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE",
            &mut problems,
        );
        let bus_url = secret(
            &vars,
            "BUS_URL",
            &["amqp", "amqps"],
            "write amqp://USER:PASSWORD@HOST:PORT/VHOST",
            &mut problems,
        );
        let web = |name: &str, schemes: [&str; 2], problems: &mut Vec<Problem>| {
            let url = get(name)?;
            let read = value::base_url(&url, schemes);
            read.map_err(|what| problems.push(problem(name, what, value::wanted_url(schemes)))).ok()
        };
        let binance = BinanceUrls {
            rest_url: web("BINANCE_REST_URL", ["https", "http"], &mut problems),
            ws_api_url: web("BINANCE_WS_API_URL", ["wss", "ws"], &mut problems),
            stream_url: web("BINANCE_STREAM_URL", ["wss", "ws"], &mut problems),
        };
        if !problems.is_empty() {
            return Err(Problems::new("the environment", problems));
        }
        Ok(Self {
            config: get("TAPEDECK_CONFIG").map(PathBuf::from),
            log: get("TAPEDECK_LOG"),
            data_dir: get("TAPEDECK_DATA_DIR").map(PathBuf::from),
            listen,
            ingest_spool_mib,
            store_url,
            bus_url,
            binance,
            others: vars
                .into_iter()
                .filter(|(name, _)| !is_read(name))
                .map(|(name, v)| (name, Secret(v)))
                .collect(),
        })
    }

    /// The variable that an account names.
    pub fn named(&self, variable: &str) -> Option<&Secret> {
        self.others.get(variable)
    }
}

fn is_read(name: &str) -> bool {
    Environment::VARIABLES.iter().any(|variable| variable.name == name)
}

fn unknown(vars: &BTreeMap<String, String>) -> Vec<Problem> {
    let known = || Environment::VARIABLES.iter().map(|variable| variable.name);
    let ours = vars.keys().filter(|name| name.starts_with("TAPEDECK_"));
    ours.filter(|name| !known().chain(Environment::FOR_OTHERS.iter().copied()).any(|known| known == *name))
        .map(|name| {
            let remedy = match suggest::nearest(name, known()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("known: {}", known().collect::<Vec<_>>().join(", ")),
            };
            problem(name, "is no variable of Tapedeck's", remedy)
        })
        .collect()
}

fn not_an_address(given: &str) -> Problem {
    problem("TAPEDECK_LISTEN", format!("'{given}' is no address"), "write host:port, e.g. 127.0.0.1:8080")
}

fn not_a_spool(given: &str) -> Problem {
    let what = format!("'{given}' is no size of a spool");
    problem("TAPEDECK_INGEST_SPOOL_MIB", what, format!("write mebibytes from 1 to {LARGEST_SPOOL}, e.g. 64"))
}

fn secret(
    vars: &BTreeMap<String, String>,
    name: &str,
    schemes: &[&str],
    remedy: &str,
    problems: &mut Vec<Problem>,
) -> Option<Secret> {
    let url = vars.get(name)?;
    match url.split_once(':') {
        Some((scheme, rest)) if schemes.contains(&scheme) && !rest.is_empty() => Some(Secret(url.clone())),
        _ => {
            problems.push(problem(name, "is no address of that kind", remedy));
            None
        }
    }
}

fn problem(key: &str, what: impl Into<String>, remedy: impl Into<String>) -> Problem {
    Problem { key: key.to_owned(), line: None, what: what.into(), remedy: remedy.into() }
}
