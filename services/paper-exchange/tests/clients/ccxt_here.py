"""How a user points ccxt at another address: URLs, and the one kind of market that there is."""

from check import KEY, REST, SECRET, SOCKETS

PAIR = "BTC/USDT"


def point(exchange):
    """As `tapedeck exchange serve` prints it; the sockets are ccxt.pro's."""
    api = exchange.urls["api"]
    api.update({"public": REST + "/api/v3", "private": REST + "/api/v3", "sapi": REST + "/sapi/v1"})
    if "ws" in api:
        api["ws"].update({"spot": SOCKETS + "/ws", "ws-api": {"spot": SOCKETS + "/ws-api/v3"}})
    return exchange


def settings(**changed):
    options = {"fetchMarkets": {"types": ["spot"]}, "fetchOpenOrders": {"warnWithoutSymbol": False}}
    return {"apiKey": KEY, "secret": SECRET, "options": options, **changed}
