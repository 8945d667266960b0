//! Who may depend on whom, and what a core must not name: read from the manifests and the sources.
//!
//! The rule in prose is in `docs/ARCHITECTURE.md`. A new crate needs a place in [`LAYERS`].

use crate::purity;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use toml::Table;

/// Bottom first. A crate may use what lies in a lower layer, never its own or a higher one.
const LAYERS: &[&[&str]] = &[
    &["domain"],
    &["events", "indicators", "statistics"],
    &["service", "venue", "venue-paper"],
    // What adapters of venues share, for they may not use each other.
    &["venue-net"],
    &[
        "tape",
        "bus",
        "market-store",
        "venue-binance",
        "venue-bybit",
        "venue-bitget",
        "venue-mexc",
        "telegram",
        "config",
        "observe",
        "http-server",
        "testkit",
    ],
    // What both shells drive.
    &["replica"],
    &["runtime", "sim"],
    // Every other crate under services/ stands here.
    &[],
    &["tapedeck"],
];
const SERVICES: usize = 7;
const ADAPTERS: usize = 4;
const SHARED_BY_SHELLS: usize = 5;

/// Within a layer: the paper exchange is a `Service`.
const SIDEWAYS: &[(&str, &str)] = &[("venue-paper", "service")];

/// Which services may use which adapter; a service that is not named here does no I/O of its own.
const ADAPTERS_OF: &[(&str, &[&str])] = &[
    ("event-logger", &["tape", "bus", "venue-binance"]),
    ("market-data", &["market-store", "venue-binance"]),
    ("binance-orders-to-amqp", &["bus", "venue-binance"]),
    ("paper-exchange", &["venue-binance"]),
];

/// Tests that use what lies above: the default configuration names that edge.
const TESTS: &[(&str, &str)] = &[("config", "edge70-signals")];

/// Adapters that shells and services may all use.
const COMMON: &[&str] = &["config", "observe", "http-server"];

/// The only foreign crates that a core may be built on: values and their encoding.
const FOREIGN_TO_CORES: &[&str] = &["chrono", "rust_decimal", "serde", "serde_json", "thiserror", "uuid"];

/// Libraries that are cores from the first file to the last; the host that drives cores is pure too.
const PURE_LIBS: &[&str] =
    &["domain", "events", "indicators", "replica", "service", "statistics", "venue-paper"];

/// Files and folders of services that do I/O.
const IMPURE: &[&str] = &[
    "binance-orders-to-amqp/src/lib.rs",
    "binance-orders-to-amqp/src/outbox.rs",
    "binance-orders-to-amqp/src/spool.rs",
    "event-logger/src/clock/mod.rs",
    "event-logger/src/drain.rs",
    "event-logger/src/loops.rs",
    "event-logger/src/open.rs",
    "event-logger/src/publish/mod.rs",
    "event-logger/src/reparse.rs",
    "market-data/src/live/mod.rs",
    "market-data/src/live/quoting.rs",
    "market-data/src/recorded.rs",
    "market-data/src/spec.rs",
    "paper-exchange/src/journal.rs",
    "paper-exchange/src/recording.rs",
    "paper-exchange/src/server",
    "trade-abstraction/src/hands.rs",
];

struct Crate {
    name: String,
    folder: PathBuf,
    uses: Vec<Use>,
}

struct Use {
    name: String,
    table: &'static str,
    ours: bool,
    /// Built only for those who ask for a feature.
    optional: bool,
}

#[test]
fn crates_depend_downwards_only() {
    let crates = crates();
    assert!(crates.len() > 15, "only {} manifests were found", crates.len());
    let wrong: Vec<String> = crates.iter().flat_map(wrong_edges).collect();
    assert!(wrong.is_empty(), "edges that the architecture does not allow:\n{}", wrong.join("\n"));
}

#[test]
fn cores_name_no_clock_chance_environment_runtime_hash_map_or_log() {
    let mut files = Vec::new();
    for krate in crates().iter().filter(|krate| is_pure(krate)) {
        let before = files.len();
        sources(&krate.folder.join("src"), &mut files);
        assert!(files.len() > before, "{} has no sources", krate.name);
    }
    files.retain(|file| !IMPURE.iter().any(|impure| file.ancestors().any(|part| part.ends_with(impure))));
    let wrong: Vec<String> = files.iter().flat_map(|file| named_in(file)).collect();
    assert!(wrong.is_empty(), "a core must not name these:\n{}", wrong.join("\n"));
}

/// Without its optional features a core compiles quickly: it brings in no runtime, network or database, not even
/// through a crate that it uses.
#[test]
fn cores_build_on_values_and_their_encoding_only() {
    let crates = crates();
    let is_core = |krate: &&Crate| {
        let names_adapters = ADAPTERS_OF.iter().any(|(service, _)| *service == krate.name);
        is_pure(krate) && !names_adapters && layer_of(krate).is_some_and(|own| own != SHARED_BY_SHELLS)
    };
    let cores: Vec<&Crate> = crates.iter().filter(is_core).collect();
    assert!(cores.len() > 12, "only {} cores were found", cores.len());
    let wrong: Vec<String> = cores.into_iter().flat_map(|core| heavy(core, &crates)).collect();
    assert!(wrong.is_empty(), "a core must build without these:\n{}", wrong.join("\n"));
}

/// The foreign crates beyond [`FOREIGN_TO_CORES`] that a core is built with, and the path that leads there.
fn heavy(core: &Crate, crates: &[Crate]) -> Vec<String> {
    let mut found = Vec::new();
    let mut paths = vec![vec![core.name.as_str()]];
    while let Some(path) = paths.pop() {
        let last = path.last().copied();
        let krate = crates.iter().find(|krate| Some(krate.name.as_str()) == last).expect("a crate of ours");
        for used in krate.uses.iter().filter(|used| used.table == "dependencies" && !used.optional) {
            let further = [path.as_slice(), &[used.name.as_str()]].concat();
            match used.ours {
                true => paths.push(further),
                false if FOREIGN_TO_CORES.contains(&used.name.as_str()) => {}
                false => found.push(further.join(" -> ")),
            }
        }
    }
    found
}

#[test]
fn every_exception_is_still_needed() {
    let crates = crates();
    let uses = |from: &str, to: &str| {
        crates.iter().any(|krate| krate.name == from && krate.uses.iter().any(|u| u.name == to))
    };
    for (from, to) in SIDEWAYS.iter().chain(TESTS) {
        assert!(uses(from, to), "{from} does not use {to}: take the exception out");
    }
    for (from, adapters) in ADAPTERS_OF {
        for to in *adapters {
            assert!(uses(from, to), "{from} does not use {to}: take the exception out");
        }
    }
    for file in IMPURE {
        assert!(root().join("services").join(file).exists(), "{file} is gone: take the exception out");
    }
}

/// The test itself sees what it is there to see.
#[test]
fn a_wrong_edge_is_named_and_a_right_one_is_not() {
    let edges = |name: &str, table: &'static str, used: &str, ours: bool| {
        let uses = vec![Use { name: used.to_owned(), table, ours, optional: false }];
        let is_lib = layer(name).is_some_and(|layer| layer < SERVICES);
        let folder = root().join(if is_lib { "libs" } else { "services" }).join(name);
        wrong_edges(&Crate { name: name.to_owned(), folder, uses }).len()
    };
    let plain = "dependencies";
    assert_eq!(edges("tape", plain, "events", true), 0);
    assert_eq!(edges("tape", plain, "market-store", true), 1, "adapters never on each other");
    assert_eq!(edges("runtime", plain, "sim", true), 1, "shells never on each other");
    assert_eq!(edges("domain", plain, "events", true), 1, "never upwards");
    assert_eq!(edges("sim", plain, "tape", true), 0);
    assert_eq!(edges("order-tracker", plain, "position-tracker", true), 1, "services never on each other");
    assert_eq!(edges("order-tracker", plain, "tape", true), 1, "an adapter that is not the service's");
    assert_eq!(edges("market-data", plain, "market-store", true), 0);
    assert_eq!(edges("order-tracker", plain, "observe", true), 0);
    assert_eq!(edges("tapedeck", plain, "order-tracker", true), 0);
    assert_eq!(edges("runtime", plain, "tapedeck", true), 1);
    assert_eq!(edges("events", plain, "tokio", false), 1, "a core on tokio");
    assert_eq!(edges("runtime", plain, "tokio", false), 0);
    assert_eq!(edges("tape", "dev-dependencies", "testkit", true), 0);
    assert_eq!(edges("events", "dev-dependencies", "tape", true), 1);
    assert_eq!(edges("unheard-of", plain, "events", true), 0, "a service by its folder");
}

fn wrong_edges(krate: &Crate) -> Vec<String> {
    let mut wrong = Vec::new();
    let Some(own) = layer_of(krate) else {
        return vec![format!("{}: has no layer; give it one in LAYERS", krate.name)];
    };
    for used in &krate.uses {
        let why = match (used.ours, used.table) {
            (true, "dev-dependencies") => dev_edge(krate, own, &used.name),
            (true, _) => edge(&krate.name, own, &used.name),
            (false, "dev-dependencies") => None,
            (false, _) => foreign_edge(krate, &used.name),
        };
        wrong.extend(why.map(|why| format!("{} -> {} [{}]: {why}", krate.name, used.name, used.table)));
    }
    wrong
}

fn edge(from: &str, own: usize, to: &str) -> Option<&'static str> {
    // What is in no layer is a service: it lies too high for everybody but the binary.
    let other = layer(to).unwrap_or(SERVICES);
    if SIDEWAYS.contains(&(from, to)) {
        return None;
    }
    if other >= own {
        return Some("a crate depends on lower layers only");
    }
    let listed = ADAPTERS_OF.iter().any(|(service, adapters)| *service == from && adapters.contains(&to));
    if own == SERVICES && other == ADAPTERS && !COMMON.contains(&to) && !listed {
        return Some("a service names its adapters in ADAPTERS_OF");
    }
    None
}

/// Tests may also use what stands beside their crate, so that a cycle cannot arise from above.
fn dev_edge(krate: &Crate, own: usize, to: &str) -> Option<&'static str> {
    let other = layer(to).unwrap_or(SERVICES);
    let excepted = to == "testkit" || TESTS.contains(&(krate.name.as_str(), to));
    (other > own && !excepted).then_some("tests use their own layer, lower ones, and testkit")
}

fn foreign_edge(krate: &Crate, to: &str) -> Option<&'static str> {
    let core = PURE_LIBS.contains(&krate.name.as_str());
    (core && !FOREIGN_TO_CORES.contains(&to)).then_some("a core is built on values and their encoding only")
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}

fn layer_of(krate: &Crate) -> Option<usize> {
    let service = krate.folder.parent().is_some_and(|folder| folder.ends_with("services"));
    layer(&krate.name).or(service.then_some(SERVICES))
}

fn is_pure(krate: &Crate) -> bool {
    PURE_LIBS.contains(&krate.name.as_str()) || layer_of(krate) == Some(SERVICES)
}

fn named_in(file: &Path) -> Vec<String> {
    let shown = file.strip_prefix(root()).unwrap_or(file).display().to_string();
    let found = purity::forbidden(&read(file));
    found.into_iter().map(|(line, word)| format!("{shown}:{line}: {word}")).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in entries(folder) {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn crates() -> Vec<Crate> {
    let workspace = manifest(&root());
    let shared = &workspace["workspace"]["dependencies"];
    let ours = shared.as_table().expect("a table");
    let folders = ["libs", "services"].into_iter().flat_map(|folder| entries(&root().join(folder)));
    folders.filter(|folder| folder.join("Cargo.toml").is_file()).map(|folder| one(folder, ours)).collect()
}

fn one(folder: PathBuf, shared: &Table) -> Crate {
    let manifest = manifest(&folder);
    let name = manifest["package"]["name"].as_str().expect("a name").to_owned();
    let mut uses = uses_in(&manifest, shared);
    for target in manifest.get("target").and_then(|t| t.as_table()).into_iter().flat_map(Table::values) {
        uses.extend(uses_in(target.as_table().expect("a table"), shared));
    }
    Crate { name, folder, uses }
}

fn uses_in(manifest: &Table, shared: &Table) -> Vec<Use> {
    let mut uses = Vec::new();
    for table in ["dependencies", "build-dependencies", "dev-dependencies"] {
        let Some(entries) = manifest.get(table).and_then(|t| t.as_table()) else { continue };
        for (alias, given) in entries {
            let inherited = given.get("workspace").is_some();
            let said = if inherited { shared.get(alias) } else { Some(given) };
            let said: BTreeMap<&str, &str> = said
                .and_then(|said| said.as_table())
                .into_iter()
                .flatten()
                .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
                .collect();
            let name = (*said.get("package").unwrap_or(&alias.as_str())).to_owned();
            let optional = given.get("optional").and_then(|optional| optional.as_bool()) == Some(true);
            uses.push(Use { name, table, ours: said.contains_key("path"), optional });
        }
    }
    uses
}

fn manifest(folder: &Path) -> Table {
    let file = folder.join("Cargo.toml");
    read(&file).parse().unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).expect("libs/service lies two folders deep").to_owned()
}
