"""How a user points ccxt at another address: URLs, and the one kind of market that there is."""

from check import KEY, REST, SECRET, SOCKETS

PAIR = "BTC/USDT"


def point(exchange):
    """Replaces the hosts of REST and, in ccxt.pro, of the sockets."""
    api = exchange.urls["api"]
    for name, url in api.items():
        if isinstance(url, str):
            api[name] = REST + url[url.index(".com/") + 4:]
    if "ws" in api:
        api["ws"]["spot"] = SOCKETS + "/ws"
        api["ws"]["ws-api"]["spot"] = SOCKETS + "/ws-api/v3"
    return exchange


def settings(**changed):
    options = {"fetchMarkets": {"types": ["spot"]}, "fetchOpenOrders": {"warnWithoutSymbol": False}}
    return {"apiKey": KEY, "secret": SECRET, "options": options, **changed}
