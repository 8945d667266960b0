//! The broker and the database of a fleet.

use std::net::SocketAddr;
use testkit::{Postgres, Proxy, RabbitMq};

/// Servers of one's own, to be killed; proxies in front of both for those who are to suffer a bad network.
pub struct Servers {
    pub postgres: Postgres,
    pub rabbit: RabbitMq,
    pub store: String,
    pub bus: String,
    pub store_proxy: Proxy,
    pub bus_proxy: Proxy,
}

impl Servers {
    pub fn start() -> Self {
        let (postgres, rabbit) = std::thread::scope(|both| {
            let postgres = both.spawn(Postgres::start);
            let rabbit = RabbitMq::start();
            (postgres.join().expect("PostgreSQL starts"), rabbit)
        });
        Self::on(postgres, rabbit)
    }

    fn on(postgres: Postgres, rabbit: RabbitMq) -> Self {
        let (store, bus) = (postgres.fresh_database(), rabbit.fresh_vhost());
        let (store_proxy, bus_proxy) = (Proxy::start(postgres.address()), Proxy::start(rabbit.address()));
        Self { postgres, rabbit, store, bus, store_proxy, bus_proxy }
    }

    /// A new database and a new vhost on the same servers.
    pub fn anew(self) -> Self {
        let Self { postgres, rabbit, .. } = self;
        Self::on(postgres, rabbit)
    }

    pub fn store_through_proxy(&self) -> String {
        through(&self.store, self.postgres.address(), &self.store_proxy)
    }

    pub fn bus_through_proxy(&self) -> String {
        through(&self.bus, self.rabbit.address(), &self.bus_proxy)
    }

    pub fn vhost(&self) -> &str {
        vhost(&self.bus)
    }
}

pub fn vhost(bus: &str) -> &str {
    bus.rsplit('/').next().unwrap_or_default()
}

fn through(url: &str, server: SocketAddr, proxy: &Proxy) -> String {
    url.replace(&server.to_string(), &proxy.address().to_string())
}
