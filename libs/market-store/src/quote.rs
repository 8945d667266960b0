//! Base and quote asset of a symbol that no exchange info explains.

/// The quote assets of Binance's spot markets, past and present.
/// Among those that a symbol ends with, the longest one counts; `AEUR` is left out, because it would
/// make `ADAEUR` a market of AD.
const QUOTES: &[&str] = &[
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDP", "USDS", "USD1", "USDE", "BIDR", "IDRT", "BKRW", "BVND",
    "GYEN", "DOGE", "EURI", "BTC", "ETH", "BNB", "XRP", "TRX", "SOL", "DOT", "PAX", "DAI", "VAI", "UST",
    "EUR", "GBP", "AUD", "TRY", "BRL", "RUB", "UAH", "NGN", "ZAR", "PLN", "RON", "ARS", "JPY", "MXN", "CZK",
    "COP", "IDR", "USD",
];

/// `BTCUSDT` → (`BTC`, `USDT`); `None` if it ends with no known quote asset.
pub fn split_symbol(symbol: &str) -> Option<(&str, &str)> {
    QUOTES
        .iter()
        .filter(|quote| symbol.len() > quote.len() && symbol.ends_with(**quote))
        .max_by_key(|quote| quote.len())
        .map(|quote| symbol.split_at(symbol.len() - quote.len()))
}

pub(crate) fn is_quote(asset: &str) -> bool {
    QUOTES.contains(&asset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_known_quote_asset_counts() {
        for (symbol, expected) in [
            ("BTCUSDT", Some(("BTC", "USDT"))),
            ("BTCFDUSD", Some(("BTC", "FDUSD"))),
            ("BTCUSD", Some(("BTC", "USD"))),
            ("ETHBTC", Some(("ETH", "BTC"))),
            ("币安人生USDT", Some(("币安人生", "USDT"))),
            ("USDT", None),
            ("FOOBAR", None),
        ] {
            assert_eq!(split_symbol(symbol), expected, "{symbol}");
        }
    }
}
