"""The lines that `tapedeck exchange serve` prints, run as they are in plain ccxt and in ccxt.pro."""

import asyncio
import os
import sys

import ccxt
import ccxt.pro

from check import check

LINES = os.environ["CCXT_LINES"]
KEY, SECRET = sys.argv[2:4]


def made_by(module):
    """What the lines make, with that module as `ccxt`."""
    names = {"ccxt": module, "KEY": KEY, "SECRET": SECRET}
    exec(LINES, names)
    return names["exchange"]


def sync():
    exchange = made_by(ccxt)
    markets = exchange.load_markets()
    check("plain ccxt has the markets", "BTC/USDT" in markets)
    market = markets["BTC/USDT"]
    check("the amount has a precision", market["precision"]["amount"] is not None)
    check("the market is spot and active", market["spot"] and market["active"])
    check("it reads the time", exchange.fetch_time() > 0)
    check("it reads candles", len(exchange.fetch_ohlcv("BTC/USDT", "1h", limit=5)) == 5)
    check("it reads the book", len(exchange.fetch_order_book("BTC/USDT", limit=5)["bids"]) == 5)
    check("it reads the balance", exchange.fetch_balance()["USDT"]["free"] > 0)
    order = exchange.create_order("BTC/USDT", "market", "buy", 0.01)
    check("it buys", order["status"] == "closed" and order["filled"] == 0.01)
    check("it sees its trade", len(exchange.fetch_my_trades("BTC/USDT")) >= 1)
    check("it reads deposits", exchange.fetch_deposits("BTC") == [])


async def pro():
    exchange = made_by(ccxt.pro)
    try:
        book = await asyncio.wait_for(exchange.watch_order_book("BTC/USDT"), 30)
        check("ccxt.pro follows the book", len(book["bids"]) > 0)
        await exchange.fetch_balance()
        check("ccxt.pro reads the balance", True)
    finally:
        await exchange.close()


sync()
asyncio.run(pro())
