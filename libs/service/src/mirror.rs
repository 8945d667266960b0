//! For tests: each script of a long trade is played by a short one, too.
//!
//! A script's world asks [`is_on`], and mirrors what goes in and what comes out: sides are swapped, and a price `p`
//! becomes `c − p`. So the expected log of the script holds as it stands.

use std::{cell::Cell, collections::BTreeSet};

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
}

/// Whether the script on this thread is played by a short trade.
pub fn is_on() -> bool {
    ON.get()
}

/// Plays a script with a short trade.
pub fn play(script: impl FnOnce()) {
    ON.set(true);
    script();
    ON.set(false);
}

/// # Panics
/// A test in `file` is not named.
pub fn check_names(file: &str, named: &[&str]) {
    let tests: BTreeSet<&str> =
        file.split("#[test]\nfn ").skip(1).filter_map(|test| test.split('(').next()).collect();
    assert_eq!(
        tests,
        named.iter().copied().collect(),
        "each script is mirrored, or is named with the reason"
    );
}

/// Has the named tests of this file played by a short trade, in a module `short`, and checks that none is left out.
///
/// `mirrored!("file.rs": a b c; only long, "the reason": d e;)`
#[macro_export]
macro_rules! mirrored {
    ($file:literal: $($name:ident)*; $(only long, $why:literal: $($long:ident)*;)*) => {
        mod short {
            $(
                #[test]
                fn $name() {
                    $crate::mirror::play(super::$name);
                }
            )*

            #[test]
            fn no_script_is_left_out() {
                let named = [$(stringify!($name),)* $($(stringify!($long),)*)*];
                $crate::mirror::check_names(include_str!($file), &named);
            }
        }
    };
}
