//! For tests: throw-away PostgreSQL and RabbitMQ servers, a proxy that misbehaves on demand, and
//! processes to kill.
//!
//! Everything here blocks, needs no runtime, and panics with the reason where it cannot do its work:
//! it is a development dependency and nothing else.

mod chance;
mod folder;
mod http;
mod ports;
mod postgres;
mod process;
mod proxy;
mod python;
mod rabbitmq;
mod rsa;
mod run;
mod shared;
mod wait;

pub use http::http_get;
pub use postgres::Postgres;
pub use process::{Fleet, Process};
pub use proxy::{Fault, Proxy};
pub use python::python_venv;
pub use rabbitmq::RabbitMq;
pub use rsa::{RSA_PRIVATE, RSA_PUBLIC};
pub use shared::{POSTGRES, RABBITMQ, postgres, rabbitmq, variables};
pub use wait::wait_for;
