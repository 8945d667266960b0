//! Whether our books of an account are the venue's.

use super::Projection;
use crate::explain::explain;
use domain::{Account, Asset, Timestamp};
use events::{BooksEvent, Difference, Event, Kind, LedgerEntry, LedgerReason, LikelyCause, Recorded};
use std::collections::BTreeMap;

/// The last verdict on the books of each account that were compared.
#[derive(Debug, Clone, Default)]
pub struct Books(pub BTreeMap<Account, Verdict>);

#[derive(Debug, Clone)]
pub struct Verdict {
    /// The venue's time of the report that was compared last.
    pub as_of: Timestamp,
    /// None where they agree.
    pub differences: Vec<Difference>,
    /// In words.
    pub line: String,
}

impl Books {
    /// What a person settles an asset's difference with: an entry of the ledger that makes our amount the venue's.
    ///
    /// # Errors
    /// The asset does not differ; in words.
    pub fn settling(
        &self,
        account: Account,
        asset: Asset,
        why: &str,
        now: Timestamp,
    ) -> Result<LedgerEntry, String> {
        let all = self.0.get(&account).map(|verdict| &verdict.differences[..]).unwrap_or_default();
        let of_asset = all.iter().find_map(|difference| match difference {
            Difference::Balance { asset: of, ours, venue, cause } if *of == asset => {
                Some((ours, venue, cause))
            }
            _ => None,
        });
        let Some((ours, venue, cause)) = of_asset else {
            return Err(format!("{account}: the books agree on {asset}: there is nothing to settle"));
        };
        let reason = match cause {
            LikelyCause::Deposit => LedgerReason::Deposit,
            LikelyCause::Withdrawal => LedgerReason::Withdrawal,
            LikelyCause::Fee => LedgerReason::Fee,
            LikelyCause::DustConversion => LedgerReason::DustConversion,
            LikelyCause::MissingFill { .. } => LedgerReason::Other,
        };
        let delta = venue.saturating_sub(*ours);
        let venue_ref = format!("settled by hand: {why}");
        Ok(LedgerEntry { account, asset, delta, reason, instrument: None, venue_ref, at: now })
    }
}

impl Projection for Books {
    const KINDS: &'static [Kind] = &[Kind::BooksAgree, Kind::BooksDisagree];

    fn see(&mut self, event: &Recorded) {
        let (account, as_of, differences) = match &event.event {
            Event::Books(BooksEvent::Agree(e)) => (e.account, e.as_of, Vec::new()),
            Event::Books(BooksEvent::Disagree(e)) => (e.account, e.as_of, e.differences.clone()),
            _ => return,
        };
        self.0.insert(account, Verdict { as_of, differences, line: explain(&event.event) });
    }
}
