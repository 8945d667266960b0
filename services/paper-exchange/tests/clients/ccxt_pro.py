"""ccxt.pro: books that are followed, market streams, the user stream, and orders over the WebSocket API."""

import asyncio

import ccxt.pro

from ccxt_here import PAIR, point, settings
from check import check, number, same, soon


async def book(exchange):
    """A followed book is, at the same update, the one that REST tells."""
    following = await soon(exchange.watch_order_book(PAIR))
    snapshot = await soon(exchange.fetch_order_book(PAIR, 1000))
    while True:
        while following["nonce"] < snapshot["nonce"]:
            following = await soon(exchange.watch_order_book(PAIR))
        if following["nonce"] == snapshot["nonce"]:
            break
        # Two updates came in one frame: the next snapshot.
        snapshot = await soon(exchange.fetch_order_book(PAIR, 1000))
    # ccxt follows from a snapshot of 1,000 levels: below its last one it knows changes only, as at Binance.
    for side in ("bids", "asks"):
        followed = [list(level) for level in following[side]][:500]
        same(f"the followed {side} are the real ones", followed, snapshot[side][:500])


async def market(exchange):
    trades = await soon(exchange.watch_trades(PAIR))
    real = await soon(exchange.fetch_trades(PAIR, params={"fetchTradesMethod": "publicGetTrades"}))
    check("watched trades are those of REST", trades[-1]["id"] in {trade["id"] for trade in real}, trades[-1])
    candle = (await soon(exchange.watch_ohlcv(PAIR, "1m")))[-1]
    check("a watched candle opens on the minute", candle[0] % 60_000 == 0, candle)
    check("and is one", candle[3] <= candle[4] <= candle[2], candle)
    ticker = await soon(exchange.watch_ticker(PAIR))
    check("a watched ticker", ticker["low"] <= ticker["last"] <= ticker["high"], ticker)
    changed = set()
    while len(changed) < 2:
        # Those that have changed, and no others.
        changed.update(await soon(exchange.watch_tickers()))
    same("all tickers", changed, {PAIR, "ETH/USDT"})
    best = (await soon(exchange.watch_bids_asks([PAIR])))[PAIR]
    check("the best bid and ask", best["bid"] < best["ask"], best)
    several = await soon(exchange.watch_trades_for_symbols([PAIR, "ETH/USDT"]))
    check("trades of several", several[-1]["symbol"] in (PAIR, "ETH/USDT"), several)
    for left in (exchange.un_watch_trades, exchange.un_watch_ticker, exchange.un_watch_order_book):
        check(f"{left.__name__}", await soon(left(PAIR)))


async def listening(exchange, *watching):
    """Tasks, once each of them waits for the next event; an earlier one would pass it by."""
    client = exchange.client(exchange.urls["api"]["ws"]["ws-api"]["spot"])
    waiting = len(client.futures)
    tasks = [asyncio.ensure_future(each) for each in watching]
    await soon(until(lambda: len(client.futures) == waiting + len(tasks)))
    return tasks


async def until(holds):
    while not holds():
        await asyncio.sleep(0.01)


async def user(exchange):
    """Each fact arrives on the user stream, whichever way it was asked for."""
    await soon(exchange.authenticate())
    mine = exchange.watch_orders(PAIR), exchange.watch_my_trades(PAIR), exchange.watch_balance()
    watching = await listening(exchange, *mine)
    order = await soon(exchange.create_order_ws(PAIR, "market", "buy", 0.01))
    same("an order over the WebSocket API is filled", order["status"], "closed")
    orders, trades, balance = [await soon(each) for each in watching]
    check("its report is heard", orders[-1]["id"] == order["id"], orders)
    same("its trade is heard", (trades[-1]["order"], trades[-1]["takerOrMaker"]), (order["id"], "taker"))
    same("its trade's amount", number(trades[-1]["amount"]), number("0.01"))
    real = await soon(exchange.fetch_balance())
    same("its money is heard", balance["BTC"], real["BTC"])

    last = (await soon(exchange.fetch_ticker(PAIR)))["last"]
    price = lambda factor: float(exchange.price_to_precision(PAIR, last * factor))
    heard = {}

    async def listen():
        while True:
            for each in await exchange.watch_orders(PAIR):
                heard.setdefault(each["id"], []).append(each["status"])

    async def hears(order, status):
        await soon(until(lambda: status in heard.get(order["id"], [])))

    [listener] = await listening(exchange, listen())
    order = await soon(exchange.create_order_ws(PAIR, "limit", "buy", 0.01, price(0.9)))
    await hears(order, "open")
    same("it is found over the socket", (await soon(exchange.fetch_order_ws(order["id"], PAIR)))["status"], "open")
    other = await soon(exchange.edit_order_ws(order["id"], PAIR, "limit", "buy", 0.02, price(0.91)))
    await hears(order, "canceled")
    await hears(other, "open")
    rest = await soon(exchange.fetch_open_orders_ws(PAIR))
    same("open orders over the socket", [each["id"] for each in rest], [other["id"]])
    await soon(exchange.cancel_order(other["id"], PAIR))
    await hears(other, "canceled")
    print("ok what REST cancels is heard on the stream", flush=True)
    order = await soon(exchange.create_order_ws(PAIR, "limit", "sell", 0.01, price(1.1)))
    await soon(exchange.cancel_all_orders_ws(PAIR))
    await hears(order, "canceled")
    listener.cancel()
    same("no order is left", await soon(exchange.fetch_open_orders(PAIR)), [])
    rest, socket = await soon(exchange.fetch_balance()), await soon(exchange.fetch_balance_ws())
    # What came, not what it makes of it: spot balances, this version leaves out over the socket.
    same("balances over either", socket["info"], rest["info"])
    mine = await soon(exchange.fetch_my_trades(PAIR)), await soon(exchange.fetch_my_trades_ws(PAIR))
    same("own trades over either", [t["id"] for t in mine[1]], [t["id"] for t in mine[0]])
    dear = exchange.create_order_ws(PAIR, "limit", "buy", 100, price(0.9))
    absent = exchange.fetch_order_ws("999999", PAIR)
    for name, error, call in (
        ("too little money", ccxt.pro.InsufficientFunds, dear),
        ("no such order", ccxt.pro.OrderNotFound, absent),
    ):
        try:
            await soon(call)
            check(name, False, "no error")
        except error as raised:
            check(f"{name}, over the socket", True, raised)


async def main():
    exchange = point(ccxt.pro.binance(settings()))
    try:
        await soon(exchange.load_markets())
        await book(exchange)
        await market(exchange)
        await user(exchange)
    finally:
        await exchange.close()


asyncio.run(main())
