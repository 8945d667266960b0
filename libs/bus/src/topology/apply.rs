//! `tapedeck topology apply`.

use super::{
    Binding, Topology,
    check::{is_there, opened},
    declare::{Part, Scratch, parts},
};
use crate::BusError;
use std::fmt;

/// What applying did. Applying again changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// What was not there before. A binding cannot be looked at; one whose exchange or queue was just made
    /// was not there.
    pub made: Vec<String>,
    /// What was there already, as it should be; bindings of which that is not known among it.
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
        let is_new = there.is_err() || applied.has_made_an_end_of(part);
        match (done, is_new) {
            (Ok(()), false) => applied.kept.push(part.to_string()),
            (Ok(()), true) => applied.made.push(part.to_string()),
            (Err(why), _) => applied.refused.push((part.to_string(), why)),
        }
    }
    scratch.close().await;
    session.close().await;
    Ok(applied)
}

impl Applied {
    /// Whether it is a binding of something that was made just now: the parts come in that order.
    fn has_made_an_end_of(&self, part: Part<'_>) -> bool {
        match part {
            Part::Exchange(_) | Part::Queue(_) => false,
            Part::Binding(Binding { exchange, queue, .. }) => {
                let (exchange, queue) = (format!("exchange '{exchange}'"), format!("queue '{queue}'"));
                self.made.iter().any(|made| *made == exchange || *made == queue)
            }
        }
    }
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
