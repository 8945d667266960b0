//! The two spellings of each closed set.

use crate::every;
use serde::Serialize;
use std::collections::BTreeSet;

/// The name is what serde writes; the words are no identifier and tell the variants apart.
fn check<T: Serialize + Copy>(all: Vec<T>, name: fn(T) -> &'static str, words: fn(T) -> &'static str) {
    let mut seen = BTreeSet::new();
    for value in all {
        assert_eq!(serde_json::to_value(value).unwrap(), name(value));
        let words = words(value);
        assert!(!words.contains('_') && words.chars().all(|c| !c.is_uppercase()), "'{words}'");
        assert!(seen.insert(words), "'{words}' stands for two");
    }
    assert!(seen.len() > 1);
}

#[test]
fn names_are_those_on_the_wire_and_words_are_words() {
    use events::*;
    check(every::clocks(), Clock::name, Clock::words);
    check(every::candle_faults(), CandleFault::name, CandleFault::words);
    check(every::sizing_methods(), SizingMethod::name, SizingMethod::words);
    check(every::sizing_rules(), SizingRule::name, SizingRule::words);
    check(every::trade_outcomes(), TradeOutcome::name, TradeOutcome::words);
    check(every::naked_reasons(), NakedBecause::name, NakedBecause::words);
    check(every::exit_reasons(), ExitReason::name, ExitReason::words);
    check(every::abort_reasons(), AbortReason::name, AbortReason::words);
    check(every::rejections(), Rejection::name, Rejection::words);
    check(every::waits(), WaitingFor::name, WaitingFor::words);
    check(every::ledger_reasons(), LedgerReason::name, LedgerReason::words);
    check(every::trading_states(), TradingState::name, TradingState::words);
}

#[test]
fn words_fit_a_column_as_any_text_does() {
    assert_eq!(format!("[{:<12}]", events::ExitReason::StopHit), "[stop hit    ]");
}
