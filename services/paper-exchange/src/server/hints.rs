//! How clients are pointed to this exchange, in lines that can be copied.

/// For ccxt and for ccxt.pro, in Python; `KEY` and `SECRET` stand for the account's own.
pub fn ccxt(host: &str) -> String {
    // Only ccxt.pro has addresses of sockets.
    format!(
        "exchange = ccxt.binance({{'apiKey': KEY, 'secret': SECRET,
    'options': {{'defaultType': 'spot', 'fetchMarkets': {{'types': ['spot']}}}}}})
exchange.urls['api'].update({{'public': 'http://{host}/api/v3', 'private': 'http://{host}/api/v3',
    'sapi': 'http://{host}/sapi/v1'}})
exchange.urls['api'].setdefault('ws', {{}}).update(
    {{'spot': 'ws://{host}/ws', 'ws-api': {{'spot': 'ws://{host}/ws-api/v3'}}}})"
    )
}
