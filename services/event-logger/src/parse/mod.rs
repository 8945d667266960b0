//! From a raw frame to what it says, by its content type.

pub mod own;

use domain::Account;
use events::{Event, StreamEvent, Uuid, ids};

/// Reads the bytes of one frame of this account. Pure; the error says what is wrong with them.
pub type Parser = fn(Account, &[u8]) -> Result<Vec<Event>, String>;

/// Which parser reads which content type; a table of each who has any.
#[derive(Debug, Clone, Copy)]
pub struct Parsers(pub &'static [&'static [(&'static str, Parser)]]);

/// Every parser of this build.
pub const PARSERS: Parsers = Parsers(&[&[(own::CONTENT_TYPE, own::parse)], venue_binance::content::PARSERS]);

impl Parsers {
    /// All that a frame says, or why it cannot be taken: nothing of it is, then.
    /// Parameters of the content type (`; charset=utf-8`) and its case do not matter.
    ///
    /// # Errors
    /// No parser for that type, its complaint, or an event that is not a fact of that account.
    pub fn parse(&self, account: Account, content_type: &str, bytes: &[u8]) -> Result<Vec<Event>, String> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let parser = self.all().find(|(known, _)| known.eq_ignore_ascii_case(essence));
        let (_, parser) = parser.ok_or_else(|| self.missing(account, content_type))?;
        let events = parser(account, bytes)?;
        for (n, event) in events.iter().enumerate() {
            checked(account, event).map_err(|why| format!("event {} of the frame: {why}", n + 1))?;
        }
        Ok(events)
    }

    fn all(&self) -> impl Iterator<Item = &'static (&'static str, Parser)> {
        self.0.iter().flat_map(|table| table.iter())
    }

    fn missing(&self, account: Account, content_type: &str) -> String {
        let known: Vec<&str> = self.all().map(|(known, _)| *known).collect();
        let (known, venue) = (known.join(", "), account.venue);
        format!(
            "this build has no parser for '{content_type}', it reads {known}: run one with the adapter for {venue}, then `tapedeck tape reparse`"
        )
    }
}

/// A fact of the world, of that account.
fn checked(account: Account, event: &Event) -> Result<(), String> {
    let kind = event.kind().name();
    // What became of the stream and its frames is the recorder's to say.
    let recorders = matches!(event, Event::Stream(StreamEvent::Opened(_)) | Event::Frame(_));
    if recorders || ids::of_fact(Uuid::nil(), event).is_none() {
        return Err(format!("'{kind}' is no fact that the stream of an account can tell"));
    }
    match event.account() {
        Some(told) if told == account => Ok(()),
        Some(told) => Err(format!("it tells of the account {told} on the stream of {account}")),
        None => Err(format!("'{kind}' belongs to no account")),
    }
}
