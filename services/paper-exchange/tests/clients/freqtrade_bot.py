"""freqtrade on candles of 15 minutes, with real orders (here), as its users run it.

It warms up at once, buys, places its stop on the exchange, cancels it, and sells.
"""

import ctypes
import faulthandler
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import ccxt

from ccxt_here import PAIR, point, settings
from check import KEY, REST, SECRET, check

WARM_UP = 200
PATIENCE = 240.0
"""Seconds; it takes 15 on an idle machine, of which half are freqtrade's start."""

# Later than the deadline that other programs here have.
faulthandler.dump_traceback_later(PATIENCE + 60, exit=True)

STRATEGY = '''
import json
import pathlib

import talib.abstract as ta
from freqtrade.strategy import IStrategy


class Once(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "15m"
    startup_candle_count = 200
    can_short = False
    minimal_roi = {"0": 10}
    stoploss = -0.2
    order_types = {"entry": "market", "exit": "market", "emergency_exit": "market",
                   "stoploss": "limit", "stoploss_on_exchange": True, "stoploss_on_exchange_interval": 5}

    def populate_indicators(self, dataframe, metadata):
        dataframe["ema"] = ta.EMA(dataframe, timeperiod=100)
        known = int(dataframe["ema"].notna().sum())
        told = {"candles": len(dataframe), "known": known, "last_ema": float(dataframe["ema"].iloc[-1]),
                "gaps": int((dataframe["date"].diff().dropna().dt.total_seconds() != 900).sum()),
                "quiet": int((dataframe["volume"] == 0).sum())}
        pathlib.Path(__file__).with_name("warm.json").write_text(json.dumps(told))
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[dataframe["ema"].notna(), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def custom_exit(self, pair, trade, current_time, current_rate, current_profit, **kwargs):
        waited = (current_time - trade.open_date_utc).total_seconds()
        return "enough" if trade.has_open_sl_orders and waited > 5 else None
'''


def config(folder):
    urls = {"public": REST + "/api/v3", "private": REST + "/api/v3", "sapi": REST + "/sapi/v1"}
    client = {"urls": {"api": urls}, "options": {"fetchMarkets": {"types": ["spot"]}}, "enableRateLimit": False}
    return {
        "dry_run": False,
        "trading_mode": "spot",
        "max_open_trades": 1,
        "stake_currency": "USDT",
        "stake_amount": 500,
        "tradable_balance_ratio": 0.99,
        "entry_pricing": {"price_side": "other", "use_order_book": False, "order_book_top": 1},
        "exit_pricing": {"price_side": "other", "use_order_book": False, "order_book_top": 1},
        "exchange": {
            "name": "binance",
            "key": KEY,
            "secret": SECRET,
            "enable_ws": False,
            "ccxt_config": client,
            "ccxt_async_config": client,
            "pair_whitelist": [PAIR],
            "skip_open_order_update": False,
        },
        "pairlists": [{"method": "StaticPairList"}],
        "internals": {"process_throttle_secs": 1},
        "initial_state": "running",
        "db_url": f"sqlite:///{folder}/trades.sqlite",
    }


def die_with_us():
    """In the bot: however this program ends, the kernel ends the bot with it (`PR_SET_PDEATHSIG`)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


with tempfile.TemporaryDirectory() as made:
    folder = pathlib.Path(made)
    strategies = folder / "strategies"
    strategies.mkdir()
    (strategies / "once.py").write_text(STRATEGY)
    (folder / "config.json").write_text(json.dumps(config(folder)))
    log = folder / "log.txt"
    bot = subprocess.Popen(
        [sys.executable, "-m", "freqtrade", "trade", "--config", str(folder / "config.json"), "--userdir", str(folder),
         "--strategy", "Once", "--strategy-path", str(strategies)],
        stdout=log.open("w"),
        stderr=subprocess.STDOUT,
        preexec_fn=die_with_us,
    )
    exchange = point(ccxt.binance(settings()))
    exchange.load_markets()
    end = time.monotonic() + PATIENCE
    try:
        orders = []
        while time.monotonic() < end and bot.poll() is None:
            orders = exchange.fetch_orders(PAIR)
            sold = any(order["side"] == "sell" and order["type"] == "market" for order in orders)
            # The bot tells its reason once it knows of the fill.
            if sold and "enough" in log.read_text():
                break
            time.sleep(0.5)
        check("it runs", bot.poll() is None, bot.returncode)
    finally:
        bot.terminate()
        try:
            bot.wait(20)
        except subprocess.TimeoutExpired:
            bot.kill()
        print(log.read_text()[-6_000:], file=sys.stderr)
    warm_up = strategies / "warm.json"
    check("it has asked for candles", warm_up.exists())
    warm = json.loads(warm_up.read_text())
    check("it has its candles at once", warm["candles"] >= WARM_UP, warm)
    check("its average is known", warm["known"] >= WARM_UP - 100 and warm["last_ema"] > 0, warm)
    check("no candle is missing", warm["gaps"] == 0, warm)
    check("and few are quiet", warm["quiet"] < warm["candles"] // 10, warm)
    sides = [(order["side"], order["type"], order["status"]) for order in orders]
    check("it bought", sides[:1] == [("buy", "market", "closed")], sides)
    stops = [order for order in orders if order["stopPrice"]]
    check("its stop was on the exchange, and went", [stop["status"] for stop in stops] == ["canceled"], sides)
    check("it sold", sides[-1] == ("sell", "market", "closed"), sides)
    bought, sold = orders[0]["filled"], orders[-1]["filled"]
    check("what it bought, less the fee", 0 < sold <= bought and sold > bought * 0.99, bought, sold)
    text = log.read_text()
    check("it told of no error", "Traceback" not in text and "InvalidOrder" not in text, text[-3_000:])
    check("it knows its trade as closed", "enough" in text, text[-3_000:])
    check("all of it went over the API", len(exchange.fetch_my_trades(PAIR)) >= 2)
    check("nothing is open any more", exchange.fetch_open_orders(PAIR) == [])
