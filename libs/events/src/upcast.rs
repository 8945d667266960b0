//! Raising a body of an older schema to today's, one step at a time.

use serde_json::Value;
use std::borrow::Cow;

/// Turns a body of one schema into the next one's, or says why it is not of that schema.
pub type Upcast = fn(&mut Value) -> Result<(), String>;

/// `body`, of `schema`, as the newest schema has it. The n-th of `steps` (from 1) leads from schema n
/// to n + 1. A body that is up to date is not looked at.
pub fn raise<'a>(steps: &[Upcast], schema: u16, body: &'a str) -> Result<Cow<'a, str>, String> {
    let Some(done) = usize::from(schema).checked_sub(1) else {
        return Err("schemas are counted from 1".to_owned());
    };
    let missing = steps.get(done..).unwrap_or_default();
    if missing.is_empty() {
        return Ok(Cow::Borrowed(body));
    }
    let mut value: Value = serde_json::from_str(body).map_err(|e| e.to_string())?;
    for (n, step) in missing.iter().enumerate() {
        step(&mut value).map_err(|why| format!("it is not of schema {}: {why}", done + n + 1))?;
    }
    Ok(Cow::Owned(value.to_string()))
}

/// Schema 1 of `trade.opened` knew of long trades only, and called its value what it had cost.
pub fn trade_opened_2(body: &mut Value) -> Result<(), String> {
    let fields = body.as_object_mut().ok_or("it is no object")?;
    let cost = fields.remove("cost").ok_or("`cost` is missing")?;
    fields.insert("value".to_owned(), cost);
    fields.insert("direction".to_owned(), "long".into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Schema 2 calls `price` what 1 called `limit`.
    fn renamed(body: &mut Value) -> Result<(), String> {
        let limit = body.get("limit").cloned().ok_or("`limit` is missing")?;
        *body = json!({ "price": limit });
        Ok(())
    }
    /// Schema 3 says in which asset.
    fn in_usdt(body: &mut Value) -> Result<(), String> {
        let price = body.get("price").cloned().ok_or("`price` is missing")?;
        *body = json!({ "asset": "USDT", "price": price });
        Ok(())
    }
    const STEPS: &[Upcast] = &[renamed, in_usdt];

    #[test]
    fn a_body_goes_through_every_step_that_it_has_not_seen() {
        let newest = r#"{"asset":"USDT","price":"1.50"}"#;
        assert_eq!(raise(STEPS, 1, r#"{"limit":"1.50"}"#).unwrap(), newest);
        assert_eq!(raise(STEPS, 2, r#"{"price":"1.50"}"#).unwrap(), newest);
        assert!(matches!(raise(STEPS, 3, newest), Ok(Cow::Borrowed(body)) if body == newest));
    }

    #[test]
    fn what_is_not_of_its_schema_says_of_which() {
        assert_eq!(raise(STEPS, 1, "{}").unwrap_err(), "it is not of schema 1: `limit` is missing");
        assert_eq!(
            raise(STEPS, 2, r#"{"limit":"1"}"#).unwrap_err(),
            "it is not of schema 2: `price` is missing"
        );
        assert!(raise(STEPS, 1, "{").unwrap_err().contains("EOF"));
        assert!(raise(STEPS, 0, "{}").unwrap_err().contains("counted from 1"));
        assert!(raise(&[], 0, "{}").is_err());
    }
}
