"""ccxt at an exchange whose time goes faster than the client's clock, as a user would run a bot accelerated."""

import time

import ccxt

from ccxt_here import PAIR, point, settings
from check import check, refused, until

fast = point(ccxt.binance(settings()))
fast.options["adjustForTimeDifference"] = True
fast.load_markets()
check("the clock has been set once", fast.options["timeDifference"] != 0, fast.options["timeDifference"])
began = fast.fetch_time()


def ahead():
    """By how many milliseconds the exchange's time has run away from this client's."""
    return fast.fetch_time() - fast.nonce()


for number in range(12):
    order = fast.create_order(PAIR, "market", "buy" if number % 2 == 0 else "sell", 0.001)
    check(f"order {number} goes through", order["status"] == "closed", order)
    time.sleep(0.25)
check("by now it would be outside of any window", ahead() > 30_000, ahead())
fast.fetch_balance()
check("the account answers", len(fast.fetch_my_trades(PAIR)) >= 12)

plain = point(ccxt.binance(settings()))
plain.load_markets()
check("its clock is this machine's", plain.options["timeDifference"] == 0, plain.options["timeDifference"])
check("this machine's own time is good, too", plain.fetch_balance()["free"]["USDT"] > 0)

stale = point(ccxt.binance(settings()))
stale.load_markets()
stale.options["timeDifference"] = stale.milliseconds() - began + 3_600_000
refused("what was signed an hour ago is refused", ccxt.InvalidNonce, stale.fetch_balance, "-1021")
until("and the first one still trades", lambda: fast.create_order(PAIR, "market", "sell", 0.001)["status"] == "closed")
