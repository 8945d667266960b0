//! Where the broker is and who we are there.

use super::limits::HEARTBEAT;
use crate::BusError;
use lapin::uri::{AMQPScheme, AMQPUri};
use std::fmt;

/// Shown as `host:port/vhost`, never with user or password.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) uri: AMQPUri,
}

impl Address {
    /// No vhost, or an empty one, is `/`. A heartbeat in the URL counts if it is shorter than ours.
    pub(crate) fn parse(url: &str) -> Result<Self, BusError> {
        let wrong = |why: &str| BusError::Url { why: why.to_owned() };
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(wrong("has no scheme"));
        };
        if !matches!(scheme, "amqp" | "amqps") {
            return Err(wrong(&format!("has the scheme '{scheme}'")));
        }
        // What the parser says may repeat the URL, password and all.
        let mut uri: AMQPUri = url.parse().map_err(|_: String| wrong("cannot be understood"))?;
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        if host.is_empty() || host.starts_with(':') {
            return Err(wrong("names no host"));
        }
        if let Some(v6) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            // The parser takes such a host for none, and none for localhost.
            uri.authority.host = v6.0.to_owned();
        }
        if uri.vhost.is_empty() {
            uri.vhost = "/".to_owned();
        }
        uri.query.heartbeat =
            Some(uri.query.heartbeat.filter(|h| (1..HEARTBEAT).contains(h)).unwrap_or(HEARTBEAT));
        Ok(Self { uri })
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.uri.scheme == AMQPScheme::AMQPS
    }

    pub(crate) fn host(&self) -> (&str, u16) {
        (&self.uri.authority.host, self.uri.authority.port)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = self.host();
        write!(f, "{host}:{port}/{}", self.uri.vhost.trim_start_matches('/'))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_shown_without_its_secrets() {
        let at = Address::parse("amqps://bert:s3cret@broker.lan/trading?heartbeat=60").unwrap();
        assert!(at.is_tls());
        assert_eq!(at.host(), ("broker.lan", 5671));
        assert_eq!(at.uri.query.heartbeat, Some(HEARTBEAT));
        assert_eq!(format!("{at} {at:?}"), "broker.lan:5671/trading broker.lan:5671/trading");
    }

    #[test]
    fn the_usual_slips_with_the_vhost_mean_the_usual_one() {
        for url in ["amqp://h", "amqp://h/", "amqp://h/%2f"] {
            assert_eq!(Address::parse(url).unwrap().uri.vhost, "/", "{url}");
        }
    }

    #[test]
    fn an_address_of_six_bytes_groups_is_not_taken_for_localhost() {
        let at = Address::parse("amqp://guest:guest@[2001:db8::1]:5673/x").unwrap();
        assert_eq!(at.host(), ("2001:db8::1", 5673));
    }

    #[test]
    fn a_bad_url_names_the_remedy_and_never_the_password() {
        for url in [
            "http://bert:s3cret@h/",
            "bert:s3cret@h",
            "amqp://bert:s3cret@:99999999/",
            "amqp://bert:s3cret@h:99999999/",
            "amqp://bert:s3cret@/x",
            "amqp:bert:s3cret@h",
            "",
        ] {
            let said = Address::parse(url).unwrap_err().to_string();
            assert!(said.contains("amqp://USER:PASSWORD@HOST"), "{said}");
            assert!(!said.contains("s3cret") && !said.contains("bert"), "{said}");
        }
    }
}
