//! Two tapes of one market: the same trading, event by event.

use events::{Draft, Row, Uuid};
use serde_json::Value;
use std::collections::BTreeMap;

/// What trading is.
const FAMILIES: [&str; 4] = ["signal", "trade", "order", "position"];

/// How many differences are told.
const TOLD: usize = 10;

/// Every difference between what one process said and what the services said; `None` if there is none.
///
/// Ids are derived, so each event of the one is looked for in the other. What was said of a `foreign`
/// account is left out: one process never heard of it.
pub fn difference(one: &[Row], many: &[Row], foreign: &str) -> Option<String> {
    let (one, many) = (trading(one, foreign), trading(many, foreign));
    let mut told: Vec<String> = Vec::new();
    for (id, draft) in &one {
        match many.get(id) {
            None => told.push(format!("missing: {} {}", draft.kind, draft.body)),
            Some(other) if !same(draft, other) => {
                told.push(format!("other: {} {}\n    than {}", draft.kind, other.body, draft.body));
            }
            Some(_) => {}
        }
    }
    let added = many.iter().filter(|(id, _)| !one.contains_key(*id));
    told.extend(added.map(|(_, draft)| format!("added: {} {}", draft.kind, draft.body)));
    if told.is_empty() {
        return None;
    }
    let count = told.len();
    told.truncate(TOLD);
    Some(format!("{count} differences in {} events of trading\n  {}", one.len(), told.join("\n  ")))
}

/// How many events of a kind there are.
pub fn count(rows: &[Row], kind: &str) -> usize {
    rows.iter().filter(|row| row.draft.kind == kind).count()
}

fn trading<'r>(rows: &'r [Row], foreign: &str) -> BTreeMap<Uuid, &'r Draft> {
    let about = |draft: &&Draft| {
        let family = draft.kind.split('.').next().unwrap_or_default();
        FAMILIES.contains(&family) && !draft.body.contains(foreign)
    };
    rows.iter().map(|row| &row.draft).filter(about).map(|draft| (draft.id, draft)).collect()
}

/// Of a sized trade all but the equity that the sizer knew of: across processes a valuation may come
/// before or after the request. With fixed sizing the size does not depend on it.
fn same(one: &Draft, other: &Draft) -> bool {
    if one.kind != "trade.sized" {
        return one.same_fact(other);
    }
    let heads = |draft: &Draft| (draft.kind.clone(), draft.subject.clone(), draft.trade.clone(), draft.at);
    heads(one) == heads(other) && without_equity(&one.body) == without_equity(&other.body)
}

fn without_equity(body: &str) -> Option<Value> {
    let mut body: Value = serde_json::from_str(body).ok()?;
    body.get_mut("sizing")?.as_object_mut()?.remove("equity")?;
    Some(body)
}
