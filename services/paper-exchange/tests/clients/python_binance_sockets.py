"""python-binance: market streams, a depth cache, the user stream, and its threaded manager."""

import asyncio
from decimal import Decimal

from binance import AsyncClient, BinanceSocketManager, DepthCacheManager, ThreadedWebsocketManager

from python_binance_here import AsyncHere, Sockets
from check import KEY, SECRET, SYMBOL, check, same, soon, until


async def streams(sockets):
    """Each has the event, and the symbol, that was asked for."""
    wanted = {
        "trade": sockets.trade_socket(SYMBOL), "aggTrade": sockets.aggtrade_socket(SYMBOL),
        "kline": sockets.kline_socket(SYMBOL), "24hrMiniTicker": sockets.symbol_miniticker_socket(SYMBOL),
        "24hrTicker": sockets.symbol_ticker_socket(SYMBOL), "depthUpdate": sockets.depth_socket(SYMBOL),
    }

    async def first(event, socket):
        async with socket as stream:
            message = await soon(stream.recv())
            same(f"{event} comes", (message["e"], message["s"]), (event, SYMBOL))

    async def partial():
        async with sockets.depth_socket(SYMBOL, depth="5") as stream:
            message = await soon(stream.recv())
            same("five levels come", (len(message["bids"]), len(message["asks"])), (5, 5))

    async def several():
        async with sockets.multiplex_socket(["btcusdt@trade", "ethusdt@bookTicker"]) as stream:
            seen = set()
            while len(seen) < 2:
                seen.add((await soon(stream.recv()))["stream"])
            print("ok several come over one socket", flush=True)

    await asyncio.gather(*(first(*each) for each in wanted.items()), partial(), several())


async def cache(client, sockets):
    """The kept book is, at the same update, the one that REST tells."""
    async with DepthCacheManager(client, SYMBOL, bm=sockets, ws_interval=100, limit=5000, conv_type=Decimal) as manager:
        kept = await soon(manager.recv())
        while True:
            book = await client.get_order_book(symbol=SYMBOL, limit=5000)
            while manager._last_update_id < book["lastUpdateId"]:
                kept = await soon(manager.recv())
            if manager._last_update_id == book["lastUpdateId"]:
                break
        levels = lambda side: [[Decimal(price), Decimal(quantity)] for price, quantity in book[side]]
        same("the kept bids are the real ones", kept.get_bids(), levels("bids"))
        same("the kept asks are the real ones", kept.get_asks(), levels("asks"))


async def user(client, sockets):
    """What befalls orders and money is told, in order, and agrees with REST."""
    price = str((Decimal((await client.get_symbol_ticker(symbol=SYMBOL))["price"]) * 9 / 10).quantize(Decimal("0.01")))
    async with sockets.user_socket() as stream:
        order = await client.order_market_buy(symbol=SYMBOL, quantity="0.01")
        reports = []
        while (message := await soon(stream.recv()))["e"] == "executionReport":
            reports.append(message)
        same("accepted, then traded", [(r["x"], r["i"]) for r in reports],
             [("NEW", order["orderId"])] + [("TRADE", order["orderId"])] * len(order["fills"]))
        same("filled at last", (reports[-1]["X"], reports[-1]["z"], reports[-1]["Z"]),
             ("FILLED", order["executedQty"], order["cummulativeQuoteQty"]))
        same("the trades of the answer", [r["t"] for r in reports[1:]], [f["tradeId"] for f in order["fills"]])
        account = {b["asset"]: b for b in (await client.get_account())["balances"]}
        same("then the money, as REST tells it", {b["a"]: (b["f"], b["l"]) for b in message["B"]},
             {b["a"]: (account[b["a"]]["free"], account[b["a"]]["locked"]) for b in message["B"]})

        order = await client.order_limit_buy(symbol=SYMBOL, quantity="0.01", price=price)
        same("a new order is told", (await soon(stream.recv()))["x"], "NEW")
        locked = {b["a"]: b["l"] for b in (await soon(stream.recv()))["B"]}
        same("its money is locked", Decimal(locked["USDT"]), Decimal("0.01") * Decimal(price))
        await client.cancel_order(symbol=SYMBOL, orderId=order["orderId"])
        report = await soon(stream.recv())
        same("its end is told, with the id it had", (report["x"], report["C"]), ("CANCELED", order["clientOrderId"]))
        await soon(stream.recv())

        oco = await client.create_oco_order(
            symbol=SYMBOL, side="BUY", quantity="0.01", aboveType="STOP_LOSS", aboveStopPrice=str(Decimal(price) * 2),
            belowType="LIMIT_MAKER", belowPrice=price)
        told = [await soon(stream.recv()) for _ in range(4)]
        same("an OCO is told", sorted(m["e"] for m in told),
             ["executionReport", "executionReport", "listStatus", "outboundAccountPosition"])
        told = next(m for m in told if m["e"] == "listStatus")
        same("with its orders", [o["i"] for o in told["O"]], [o["orderId"] for o in oco["orders"]])

        placed = await client.ws_create_order(symbol=SYMBOL, side="SELL", type="MARKET", quantity="0.01")
        report = await soon(stream.recv())
        same("orders over the socket are told on it", (report["x"], report["i"]), ("NEW", placed["orderId"]))


async def main():
    client = await AsyncHere.create(KEY, SECRET)
    try:
        sockets = Sockets(client)
        await streams(sockets)
        await cache(client, sockets)
        await user(client, sockets)
    finally:
        await client.close_connection()


def threads():
    """The manager with a thread of its own makes its client itself."""
    AsyncClient.API_URL, AsyncClient.WS_API_URL = AsyncHere.API_URL, AsyncHere.WS_API_URL
    BinanceSocketManager.STREAM_URL = Sockets.STREAM_URL
    manager = ThreadedWebsocketManager(KEY, SECRET)
    manager.start()
    heard = []
    name = manager.start_trade_socket(heard.append, SYMBOL)
    until("trades come in a thread", lambda: heard)
    manager.stop_socket(name)
    manager.stop()
    manager.join()


asyncio.run(main())
threads()
