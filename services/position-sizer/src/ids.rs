//! Trade ids that were asked for, and what became of them.

use domain::{Price, TradeId};
use events::{RequestRepeated, TradeOutcome, TradeRequested, Uuid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Every id that was ever asked for: an id is traded once, however late it comes again.
///
/// Kept for ever, since the planner forgets ended trades: about 80 bytes of a snapshot for each.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Ids(BTreeMap<TradeId, Known>);

/// The first request's [`figures`], and what became of it; `None` until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Known(u64, Option<TradeOutcome>);

impl Ids {
    /// A request is heard, and not answered yet. One that was never answered, as while the sizer was away, is no
    /// first one.
    pub fn ask(&mut self, request: &TradeRequested) {
        let known = self.0.entry(request.trade).or_default();
        if known.1.is_none() {
            known.0 = figures(request);
        }
    }

    pub fn note(&mut self, trade: TradeId, outcome: TradeOutcome) {
        self.0.entry(trade).or_default().1 = Some(outcome);
    }

    /// The answer to a request whose id was asked for before; `None` is the first one.
    pub fn repeated(&self, request: &TradeRequested) -> Option<RequestRepeated> {
        let Known(first, Some(outcome)) = *self.0.get(&request.trade)? else { return None };
        let differs = first != figures(request);
        let text = match differs {
            false => format!("the same request came before; the trade was {}", became(outcome)),
            true => format!(
                "{} was asked for before with other figures, and was {}: ask under another id",
                request.trade,
                became(outcome)
            ),
        };
        let &TradeRequested { trade, account, instrument, edge, .. } = request;
        Some(RequestRepeated { trade, account, instrument, edge, outcome, differs, text })
    }
}

fn became(outcome: TradeOutcome) -> &'static str {
    match outcome {
        TradeOutcome::Refused => "refused",
        TradeOutcome::Granted => "granted",
        TradeOutcome::Open => "opened",
        TradeOutcome::Closed => "closed",
        TradeOutcome::Aborted => "granted and not entered",
    }
}

/// A digest of what is asked for; when and by whom does not count.
fn figures(request: &TradeRequested) -> u64 {
    let TradeRequested {
        trade: _,
        account,
        instrument,
        edge,
        direction,
        trigger,
        signal_at: _,
        stop,
        target,
        valid_until,
        by: _,
    } = request;
    let price = |price: Option<&Price>| price.map(|price| price.get().normalize());
    let text = format!(
        "{account}/{instrument}/{edge}/{direction}/{:?}/{:?}/{:?}/{valid_until:?}",
        price(Some(trigger)),
        price(stop.as_ref()),
        price(target.as_ref()),
    );
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).as_u64_pair().0
}
