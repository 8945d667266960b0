//! The bodies of all events, by family.

mod account;
mod books;
mod control;
mod frame;
mod market;
mod order;
mod position;
mod signal;
mod stream;
mod tape;
mod trade;

pub use account::*;
pub use books::*;
pub use control::*;
pub use frame::*;
pub use market::*;
pub use order::*;
pub use position::*;
pub use signal::*;
pub use stream::*;
pub use tape::*;
pub use trade::*;

/// Says, for one payload, what it is about and to what it belongs.
macro_rules! payload {
    ($name:ident, |$e:ident| $subject:expr $(, $field:ident = $value:expr)* $(,)?) => {
        impl crate::Payload for $name {
            const KIND: crate::Kind = crate::Kind::$name;
            fn subject(&self) -> String {
                let $e = self;
                $subject
            }
            $(payload! { @$field $e $value })*
        }
    };
    (@trade $e:ident $value:expr) => {
        fn trade(&self) -> Option<domain::TradeId> { let $e = self; $value }
    };
    (@at $e:ident $value:expr) => {
        fn at(&self) -> Option<domain::Timestamp> { let $e = self; Some($value) }
    };
    (@account $e:ident $value:expr) => {
        fn account(&self) -> Option<domain::Account> { let $e = self; $value }
    };
    (@instrument $e:ident $value:expr) => {
        fn instrument(&self) -> Option<domain::Instrument> { let $e = self; Some($value) }
    };
}
use payload;
