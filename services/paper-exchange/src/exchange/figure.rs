//! Numbers as Binance prints them.

use domain::{ClientOrderId, Decimal};
use std::fmt::Write as _;

/// Decimals that Binance prints of every price and amount.
const DECIMALS: u32 = 8;

/// With eight decimals; with more only where the number itself has more, so that nothing is ever rounded.
pub fn figure(value: Decimal) -> String {
    let value = value.normalize();
    let mut text = String::with_capacity(24);
    if value.scale() > DECIMALS {
        _ = write!(text, "{value}");
    } else {
        _ = write!(text, "{value:.8}");
    }
    text
}

/// An order's name as Binance knows it.
pub fn client_id(id: ClientOrderId) -> String {
    venue_binance::frame::venue_client_order(id)
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn eight_decimals_and_never_fewer_than_the_number_has() {
        for (given, printed) in [
            ("0", "0.00000000"),
            ("1.5", "1.50000000"),
            ("0.000000010", "0.00000001"),
            ("0.0000000012", "0.0000000012"),
            ("-3", "-3.00000000"),
        ] {
            assert_eq!(figure(given.parse().unwrap()), printed);
        }
    }
}
