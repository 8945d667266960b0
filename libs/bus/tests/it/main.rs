//! The bus, within a process and on a real RabbitMQ.

mod faults;
mod hints;
mod in_process;
mod ingest;
mod publish;
mod support;
mod topology;
