//! The servers that all tests of a run share.
//!
//! `with-servers` starts both and names them in two variables; where those are not set, a test process
//! starts its own at the first call, and its keeper ends it with the process.

use crate::{
    Postgres, RabbitMq,
    postgres::fresh_database,
    rabbitmq::{Control, fresh_vhosts},
};
use std::{
    env,
    fmt::Write as _,
    path::PathBuf,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

/// The URL of a superuser's database.
pub const POSTGRES: &str = "TAPEDECK_TEST_POSTGRES";
/// The URL of the node, and behind a `?` what `rabbitmqctl` needs: `node`, `names` (the port of its
/// epmd) and `home` (the folder of its cookie).
pub const RABBITMQ: &str = "TAPEDECK_TEST_RABBITMQ";

/// A fresh database on the shared server: `postgres://tapedeck@127.0.0.1:PORT/NAME`.
pub fn postgres() -> String {
    static OWN: OnceLock<Postgres> = OnceLock::new();
    match given(POSTGRES) {
        Some(url) => fresh_database(&url),
        None => OWN.get_or_init(Postgres::start).fresh_database(),
    }
}

/// A fresh vhost on the shared node: `amqp://guest:guest@127.0.0.1:PORT/NAME`.
pub fn rabbitmq() -> String {
    static OWN: OnceLock<RabbitMq> = OnceLock::new();
    static SPARE: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let (server, control) = match given(RABBITMQ) {
        Some(described) => parsed(&described)
            .unwrap_or_else(|| panic!("testkit: {RABBITMQ} is no amqp://…/?node=…&names=…&home=…")),
        None => {
            let own = OWN.get_or_init(RabbitMq::start);
            (own.url(""), own.control())
        }
    };
    let mut spare = locked(&SPARE);
    if spare.is_empty() {
        *spare = fresh_vhosts(&control, 4);
    }
    let name = spare.pop().expect("testkit: four were made");
    format!("{server}{name}")
}

/// The two variables that name these servers to [`postgres`] and [`rabbitmq`] in other processes.
pub fn variables(postgres: &Postgres, rabbitmq: &RabbitMq) -> [(&'static str, String); 2] {
    let Control { node, home, names } = rabbitmq.control();
    let mut described = rabbitmq.url("");
    let _infallible = write!(described, "?node={node}&names={names}&home={}", home.display());
    [(POSTGRES, postgres.url("postgres")), (RABBITMQ, described)]
}

fn parsed(described: &str) -> Option<(String, Control)> {
    let (server, query) = described.split_once('?')?;
    let field = |name: &str| {
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    };
    let control = Control {
        node: field("node")?,
        home: PathBuf::from(field("home")?),
        names: field("names")?.parse().ok()?,
    };
    Some((server.to_owned(), control))
}

fn given(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
