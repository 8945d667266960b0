//! Whether our books of an account are the venue's.

use super::Projection;
use crate::explain::explain;
use domain::{Account, Asset, Timestamp};
use events::{
    AccountEvent, BooksEvent, Difference, Event, Kind, LedgerEntry, LedgerReason, LikelyCause, Recorded,
};
use std::{collections::BTreeMap, time::Duration};

/// What a settlement is named by.
const BY_HAND: &str = "settled by hand: ";
/// A verdict is said at least once an hour while an account rests; later than that nobody has compared.
const FRESH: Duration = Duration::from_secs(70 * 60);
/// A report of the venue within that time of a settlement may have been judged before it, and clocks differ.
const SETTLES: Duration = Duration::from_secs(60);

/// The last verdict on the books of each live account.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// `None` where they were never compared.
    pub verdicts: BTreeMap<Account, Option<Verdict>>,
    /// Since the last verdict, or settled by hand: when that was recorded.
    entries: BTreeMap<(Account, Asset), Entry>,
}

#[derive(Debug, Clone)]
pub struct Verdict {
    /// The venue's time of the report that was compared last.
    pub as_of: Timestamp,
    /// None where they agree.
    pub differences: Vec<Difference>,
    /// Whether what differs is not just late.
    pub confirmed: bool,
    /// In words.
    line: String,
}

#[derive(Debug, Clone, Copy)]
enum Entry {
    SinceVerdict,
    ByHand(Timestamp),
}

impl Books {
    /// What a person settles an asset's difference with: an entry of the ledger that makes our amount the venue's.
    ///
    /// # Errors
    /// The asset does not differ, or a later verdict is needed; in words.
    pub fn settling(&self, account: Account, asset: Asset, why: &str) -> Result<LedgerEntry, String> {
        let verdict = self.verdicts.get(&account).and_then(Option::as_ref);
        let differs = |verdict: &Verdict| {
            verdict.differences.iter().find_map(|difference| match *difference {
                Difference::Balance { asset: of, ours, venue, cause } if of == asset => {
                    Some((venue.saturating_sub(ours), cause))
                }
                _ => None,
            })
        };
        let Some((at, confirmed, (delta, cause))) = verdict.and_then(|verdict| {
            differs(verdict).map(|difference| (verdict.as_of, verdict.confirmed, difference))
        }) else {
            return Err(format!(
                "{account}: no verdict says that the books differ in {asset}: there is nothing to settle"
            ));
        };
        let later =
            "wait for the next verdict (tapedeck books), which takes some seconds once the account rests";
        if !confirmed {
            return Err(format!(
                "{account}: the difference in {asset} may be a fill that is late, and what may be missing is being fetched: {later}"
            ));
        }
        match self.entries.get(&(account, asset)) {
            Some(Entry::ByHand(then)) if at <= *then + SETTLES => {
                return Err(format!("{account}: {asset} was settled at {then}: {later}"));
            }
            Some(Entry::SinceVerdict) => {
                return Err(format!("{account}: {asset} has changed since the last verdict: {later}"));
            }
            Some(Entry::ByHand(_)) | None => {}
        }
        let reason = match cause {
            LikelyCause::Deposit => LedgerReason::Deposit,
            LikelyCause::Withdrawal => LedgerReason::Withdrawal,
            LikelyCause::Fee => LedgerReason::Fee,
            LikelyCause::DustConversion => LedgerReason::DustConversion,
            LikelyCause::MissingFill { .. } => LedgerReason::Other,
        };
        let venue_ref = format!("{BY_HAND}{why}");
        Ok(LedgerEntry { account, asset, delta, reason, instrument: None, venue_ref, at })
    }
}

impl Verdict {
    /// In words, with how old it is where that is a reason to look.
    pub fn words(&self, now: Timestamp) -> String {
        let age = now.since(self.as_of);
        let stale = if age > FRESH {
            format!(
                "; nothing was compared for {} minutes: the engine does not run, or the account trades without a pause",
                age.as_secs() / 60
            )
        } else {
            String::new()
        };
        format!("{} (as of {}{stale})", self.line, self.as_of)
    }
}

/// In words, of an account whose books were never compared.
pub fn never_compared(account: &Account) -> String {
    format!(
        "the books of {account} were never compared with the venue's: the engine does not run, its reports fail (see /ready), or the account trades without a pause"
    )
}

impl Projection for Books {
    const KINDS: &'static [Kind] =
        &[Kind::AccountIdentified, Kind::BooksAgree, Kind::BooksDisagree, Kind::LedgerEntry];

    fn see(&mut self, event: &Recorded) {
        let (account, as_of, differences, confirmed) = match &event.event {
            Event::Account(AccountEvent::Identified(e)) => {
                self.verdicts.entry(e.account).or_default();
                return;
            }
            Event::Account(AccountEvent::LedgerEntered(e)) => {
                let by_hand = e.venue_ref.starts_with(BY_HAND);
                let entry = if by_hand { Entry::ByHand(event.recorded_at) } else { Entry::SinceVerdict };
                self.entries.insert((e.account, e.asset), entry);
                return;
            }
            Event::Books(BooksEvent::Agree(e)) => (e.account, e.as_of, Vec::new(), true),
            Event::Books(BooksEvent::Disagree(e)) => (e.account, e.as_of, e.differences.clone(), e.confirmed),
            _ => return,
        };
        self.entries.retain(|(of, _), entry| *of != account || matches!(entry, Entry::ByHand(_)));
        let line = explain(&event.event);
        self.verdicts.insert(account, Some(Verdict { as_of, differences, confirmed, line }));
    }
}

#[cfg(test)]
mod tests;
