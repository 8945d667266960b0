//! Whether our books of an account are the venue's.

use super::Projection;
use crate::explain::explain;
use domain::{Account, Timestamp};
use events::{BooksEvent, Event, Kind, Recorded};
use std::collections::BTreeMap;

/// The last verdict on the books of each account that were compared.
#[derive(Debug, Clone, Default)]
pub struct Books(pub BTreeMap<Account, Verdict>);

#[derive(Debug, Clone)]
pub struct Verdict {
    /// The venue's time of the report that was compared last.
    pub as_of: Timestamp,
    /// In how many ways they differ.
    pub differences: usize,
    /// In words.
    pub line: String,
}

impl Projection for Books {
    const KINDS: &'static [Kind] = &[Kind::BooksAgree, Kind::BooksDisagree];

    fn see(&mut self, event: &Recorded) {
        let (account, as_of, differences) = match &event.event {
            Event::Books(BooksEvent::Agree(e)) => (e.account, e.as_of, 0),
            Event::Books(BooksEvent::Disagree(e)) => (e.account, e.as_of, e.differences.len()),
            _ => return,
        };
        self.0.insert(account, Verdict { as_of, differences, line: explain(&event.event) });
    }
}
