"""How a user points python-binance at another address: its addresses are attributes of its classes."""

from binance import AsyncClient, BinanceSocketManager, Client

from check import REST, SOCKETS


class _Here:
    API_URL = REST + "/api"
    MARGIN_API_URL = REST + "/sapi"
    WS_API_URL = SOCKETS + "/ws-api/v3"


class Here(_Here, Client):
    pass


class AsyncHere(_Here, AsyncClient):
    pass


class Sockets(BinanceSocketManager):
    STREAM_URL = SOCKETS + "/"
