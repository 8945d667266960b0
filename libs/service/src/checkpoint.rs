//! Stored states, compared with what a walk along the tape makes.

use crate::{Host, host::Stored};
use domain::UnitName;
use events::Position;
use serde_json::Value;
use thiserror::Error;

/// What a unit is said to have known at `position`: the bytes that [`Host::snapshot`] gave then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub unit: UnitName,
    pub position: Position,
    pub state: Vec<u8>,
}

/// A checkpoint that is not what the tape makes of the unit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the snapshot of {unit} at position {position}: {why}")]
pub struct Departure {
    pub unit: UnitName,
    pub position: Position,
    pub why: String,
}

impl Checkpoint {
    /// `said`: where the last own event stands that is in the host's state, and the first that is not.
    pub(crate) fn compare(
        self,
        host: &Host,
        said: Option<(Position, Option<Position>)>,
    ) -> Option<Departure> {
        let stored: Stored = match serde_json::from_slice(&self.state) {
            Ok(stored) => stored,
            Err(error) => return self.departs(format!("it is no state of this unit ({error})")),
        };
        if stored.cursor != self.position {
            return self.departs(format!("its state says that it stands at position {}", stored.cursor));
        }
        if let Some((last, next)) = said
            && (stored.said_through < last || next.is_some_and(|next| next <= stored.said_through))
        {
            let through = stored.said_through;
            return self.departs(format!("it claims what the unit said up to position {through}"));
        }
        let made = host.state();
        let Ok(kept) = serde_json::from_str::<Value>(stored.state.get()) else {
            return self.departs("it holds no state".to_owned());
        };
        if kept == made {
            return None;
        }
        let (path, kept, made) = first_difference(&kept, &made);
        self.departs(format!("{path} is {kept} there, and the tape makes it {made}"))
    }

    /// It stands where the unit has not been.
    pub(crate) fn beyond(self) -> Departure {
        let why = "it stands behind what the unit has heard".to_owned();
        Departure { unit: self.unit, position: self.position, why }
    }

    fn departs(self, why: String) -> Option<Departure> {
        Some(Departure { unit: self.unit, position: self.position, why })
    }
}

/// Where two states differ first, and how.
fn first_difference(kept: &Value, made: &Value) -> (String, String, String) {
    let (mut path, mut kept, mut made) = (String::new(), Some(kept), Some(made));
    loop {
        let step = match (kept, made) {
            (Some(Value::Object(k)), Some(Value::Object(m))) => k
                .keys()
                .chain(m.keys())
                .find(|key| k.get(*key) != m.get(*key))
                .map(|key| (format!(".{key}"), k.get(key), m.get(key))),
            (Some(Value::Array(k)), Some(Value::Array(m))) => (0..k.len().max(m.len()))
                .find(|&n| k.get(n) != m.get(n))
                .map(|n| (format!("[{n}]"), k.get(n), m.get(n))),
            _ => None,
        };
        let Some((step, k, m)) = step else { break };
        path += &step;
        (kept, made) = (k, m);
    }
    let path = path.strip_prefix('.').map_or_else(|| "the state".to_owned(), str::to_owned);
    (path, short(kept), short(made))
}

fn short(value: Option<&Value>) -> String {
    const LONGEST: usize = 80;
    let Some(value) = value else { return "absent".to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_place_where_two_states_differ_is_named() {
        let one = json!({ "balances": { "USDT": { "free": "10" } }, "orders": [1, 2] });
        let other = json!({ "balances": { "USDT": { "free": "910" } }, "orders": [1, 2] });
        let (path, kept, made) = first_difference(&other, &one);
        assert_eq!((&*path, &*kept, &*made), ("balances.USDT.free", "\"910\"", "\"10\""));
        let longer = json!({ "balances": { "USDT": { "free": "10" } }, "orders": [1, 2, 3] });
        let (path, kept, made) = first_difference(&longer, &one);
        assert_eq!((&*path, &*kept, &*made), ("orders[2]", "3", "absent"));
    }
}
