"""Binance's own SDK (binance-sdk-spot), with an Ed25519 key: REST, a session that is logged on, user data, streams.

Its models refuse what is not of the documented type.
"""

import asyncio
from decimal import Decimal

from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_common.errors import BadRequestError
from binance_sdk_spot.spot import Spot

from check import KEY, REST, SECRET, SOCKETS, SYMBOL, check, refused, same, soon

client = Spot(
    ConfigurationRestAPI(api_key=KEY, private_key=SECRET, base_path=REST, timeout=20_000),
    ConfigurationWebSocketAPI(api_key=KEY, private_key=SECRET, stream_url=SOCKETS + "/ws-api/v3"),
    ConfigurationWebSocketStreams(stream_url=SOCKETS + "/stream"),
)
MARKET_DATA = (
    "exchange_info depth get_trades historical_trades agg_trades klines ui_klines avg_price ticker24hr ticker "
    "ticker_trading_day ticker_price ticker_book_ticker execution_rules"
)
OF_A_SYMBOL = "my_filters account_commission all_orders get_open_orders my_trades my_allocations"
OF_THE_ACCOUNT = "get_account rate_limit_order all_order_list open_order_list"


def ask(method, **params):
    """The answer, read by its model, as plain data."""
    data = getattr(client.rest_api, method)(**params).data()
    return [each.to_dict() for each in data] if isinstance(data, list) else data.to_dict()


def order(method, **params):
    return ask(method, symbol=SYMBOL, **params)


def rest():
    for method in (MARKET_DATA + " " + OF_A_SYMBOL).split():
        more = {"interval": "1m"} if "klines" in method else {}
        getattr(client.rest_api, method)(symbol=SYMBOL, **more).data()
        print("ok", method, flush=True)
    for method in OF_THE_ACCOUNT.split():
        getattr(client.rest_api, method)().data()
        print("ok", method, flush=True)
    last = Decimal(ask("ticker_price", symbol=SYMBOL)["price"])
    price = lambda factor: float((last * Decimal(factor)).quantize(Decimal("0.01")))
    limit = {"side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.01, "price": price("0.9")}

    placed = order("new_order", **limit)
    same("an order rests", placed["status"], "NEW")
    same("it is found", order("get_order", order_id=placed["orderId"])["price"], placed["price"])
    amended = order("order_amend_keep_priority", order_id=placed["orderId"], new_qty=0.005)
    same("amended", amended["amendedOrder"]["qty"], "0.00500000")
    past = order("order_amendments", order_id=placed["orderId"])
    same("its amendment is remembered", [each["newQty"] for each in past], ["0.00500000"])
    replacing = {"cancel_replace_mode": "STOP_ON_FAILURE", "cancel_order_id": placed["orderId"]}
    same("replaced", order("order_cancel_replace", **limit, **replacing)["newOrderResult"], "SUCCESS")
    same("all are cancelled", len(order("delete_open_orders")), 1)
    oco = order(
        "order_list_oco", side="SELL", quantity=0.01, above_type="LIMIT_MAKER", above_price=price("1.1"),
        below_type="STOP_LOSS_LIMIT", below_stop_price=price("0.9"), below_price=price("0.89"),
        below_time_in_force="GTC")
    same("an OCO", (oco["listOrderStatus"], len(oco["orderReports"])), ("EXECUTING", 2))
    gone = order("delete_order_list", order_list_id=oco["orderListId"])
    same("an OCO is cancelled", gone["listOrderStatus"], "ALL_DONE")
    test = order("order_test", side="BUY", type="MARKET", quantity=0.01, compute_commission_rates=True)
    same("a test order's fee", test["standardCommissionForOrder"]["taker"], "0.00100000")
    refused("too little money", BadRequestError, lambda: order("new_order", **{**limit, "quantity": 100}), "-2010")
    refused("no reference price", BadRequestError, lambda: ask("reference_price", symbol=SYMBOL), "-2043")


async def heard(stream, count):
    """The next `count` messages; to be asked for before they are caused."""
    queue = asyncio.Queue()
    stream.on("message", queue.put_nowait)
    return lambda: asyncio.gather(*(soon(queue.get()) for _ in range(count)))


async def session():
    """Logged on, nothing else is signed."""
    api = await soon(client.websocket_api.create_connection())
    try:
        logged_on = (await soon(api.session_logon())).data().result
        same("logged on", logged_on.api_key, KEY)
        user = await soon(api.user_data_stream_subscribe())
        told = await heard(user.stream, 3)
        bought = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": 0.001}
        placed = (await soon(api.order_place(**bought))).data().result
        same("bought", (placed.status, placed.executed_qty), ("FILLED", "0.00100000"))
        events = [each.actual_instance for each in await told()]
        same("told", [getattr(each, "x", None) for each in events], ["NEW", "TRADE", None])
        check("of that order", events[1].i == placed.order_id, events[1])
        real = {balance["asset"]: balance["free"] for balance in ask("get_account")["balances"]}
        same("and the money", {each.a: each.f for each in events[2].B}, {a: real[a] for a in ("BTC", "USDT")})
        ended = await heard(user.stream, 1)
        await soon(api.session_logout())
        same("logged out, the stream ends", type((await ended())[0].actual_instance).__name__, "EventStreamTerminated")
    finally:
        await api.close_connection(close_session=True)


async def streams():
    connection = await soon(client.websocket_streams.create_connection())
    try:
        for name, more in {
            "trade": {}, "agg_trade": {}, "kline": {"interval": "1s"}, "book_ticker": {}, "ticker": {},
            "diff_book_depth": {}, "partial_book_depth": {"levels": "5"}, "avg_price": {}, "mini_ticker": {},
        }.items():
            stream = await soon(getattr(connection, name)(symbol=SYMBOL.lower(), **more))
            told = await heard(stream, 1)
            await told()
            print("ok", name, "is heard", flush=True)
    finally:
        await connection.close_connection(close_session=True)


async def main():
    await session()
    await streams()


rest()
asyncio.run(main())
