//! `tapedeck topology apply`.

use super::{
    Topology,
    check::{is_there, opened},
    declare::{Scratch, parts},
};
use crate::BusError;
use std::fmt;

/// What applying did. Applying again changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// What was not there before. Bindings cannot be looked at, so they are never in it.
    pub made: Vec<String>,
    /// What was there already, as it should be.
    pub kept: Vec<String>,
    /// What the broker would not have, and its reason: mostly, it is there with other arguments, and
    /// somebody has to drain and delete it first.
    pub refused: Vec<(String, String)>,
}

/// Puts everything on the broker at `url`.
///
/// # Errors
/// A bad URL, or a broker that cannot be reached.
pub async fn apply(url: &str) -> Result<Applied, BusError> {
    let (session, at) = opened(url, "tapedeck topology apply").await?;
    let failed = |fault: crate::BusFault| BusError::Refused {
        at: at.clone(),
        what: "applying the topology".into(),
        why: fault.to_string(),
    };
    let mut applied = Applied::default();
    let mut scratch = Scratch::new(&session);
    for part in parts(&Topology::standard()) {
        let there = scratch.try_on(async |channel| is_there(part, channel).await).await.map_err(failed)?;
        let done = scratch.try_on(async |channel| part.declare(channel).await).await.map_err(failed)?;
        match (done, there) {
            (Ok(()), Ok(_)) => applied.kept.push(part.to_string()),
            (Ok(()), Err(_)) => applied.made.push(part.to_string()),
            (Err(why), _) => applied.refused.push((part.to_string(), why)),
        }
    }
    scratch.close().await;
    session.close().await;
    Ok(applied)
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for made in &self.made {
            writeln!(f, "made     {made}")?;
        }
        for kept in &self.kept {
            writeln!(f, "there    {kept}")?;
        }
        for (refused, why) in &self.refused {
            writeln!(f, "REFUSED  {refused}: {why}")?;
        }
        Ok(())
    }
}
