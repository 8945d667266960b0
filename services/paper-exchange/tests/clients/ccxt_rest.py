"""ccxt over REST: markets, market data, every order type, order lists, account, and what its error classes say."""

import ccxt

from ccxt_here import PAIR, point, settings
from check import SYMBOL, check, number, refused, same

exchange = point(ccxt.binance(settings()))


def price(factor):
    """The last price, times `factor`, on the tick."""
    return float(exchange.price_to_precision(PAIR, last * factor))


def money():
    """(free, used) of BTC and of USDT."""
    balance = exchange.fetch_balance()
    return [(number(balance[a]["free"]), number(balance[a]["used"])) for a in ("BTC", "USDT")]


# Markets.
markets = exchange.load_markets()
check("markets are loaded", PAIR in markets and "ETH/USDT" in markets, list(markets))
market = exchange.market(PAIR)
same("a market's steps", (market["precision"]["price"], market["precision"]["amount"]), (0.01, 0.00001))
check("it is spot and active", market["spot"] and market["active"], market)
check("currencies are loaded", "BTC" in exchange.currencies and "USDT" in exchange.currencies)
check("the clock is ours", abs(exchange.fetch_time() - exchange.milliseconds()) < 2000)
same("status", exchange.fetch_status()["status"], "ok")

# Market data.
book = exchange.fetch_order_book(PAIR, 50)
check("a book of 50 levels", len(book["bids"]) == 50 and len(book["asks"]) == 50)
check("bids fall, asks rise, and they do not cross",
      book["bids"] == sorted(book["bids"], reverse=True) and book["asks"] == sorted(book["asks"])
      and book["bids"][0][0] < book["asks"][0][0], book)
hours = exchange.fetch_ohlcv(PAIR, "1h", limit=24)
steps = {later[0] - earlier[0] for earlier, later in zip(hours, hours[1:])}
check("24 hourly candles without a gap", len(hours) == 24 and steps == {3_600_000}, hours)
check("candles are candles", all(low <= min(o, c) and max(o, c) <= high for _, o, high, low, c, _ in hours), hours)
days = exchange.fetch_ohlcv(PAIR, "1d", limit=1)
check("a day is made of hours", days[0][0] % 86_400_000 == 0, days)
for method in ("publicGetAggTrades", "publicGetTrades", "publicGetHistoricalTrades"):
    trades = exchange.fetch_trades(PAIR, limit=10, params={"fetchTradesMethod": method})
    ids = [int(trade["id"]) for trade in trades]
    check(f"trades by {method} follow each other", ids == list(range(ids[0], ids[0] + 10)), ids)
ticker = exchange.fetch_ticker(PAIR)
last = ticker["last"]
check("a ticker fits its day", ticker["low"] <= last <= ticker["high"] and ticker["bid"] < ticker["ask"], ticker)
same("all tickers", sorted(exchange.fetch_tickers()), sorted(markets))
same("some tickers", list(exchange.fetch_tickers([PAIR])), [PAIR])
same("bids and asks", sorted(exchange.fetch_bids_asks()), sorted(markets))
same("last prices", sorted(exchange.fetch_last_prices()), sorted(markets))
rolling = exchange.publicGetTicker({"symbol": SYMBOL, "windowSize": "1h"})
check("a rolling ticker opens on a minute", int(rolling["openTime"]) % 60_000 == 0, rolling)
check("a trading day's ticker", exchange.publicGetTickerTradingDay({"symbol": SYMBOL})["symbol"] == SYMBOL)
check("an average price", float(exchange.publicGetAvgPrice({"symbol": SYMBOL})["price"]) > 0)

# Fees.
fee = exchange.fetch_trading_fee(PAIR)
same("a trading fee", (fee["maker"], fee["taker"]), (0.001, 0.001))
same("all trading fees", sorted(exchange.fetch_trading_fees()), sorted(markets))

# A market order: the money moves by what was filled, less the fee in what was bought.
(btc, _), (usdt, _) = money()
order = exchange.create_order(PAIR, "market", "buy", 0.01)
same("a market order is closed", (order["status"], order["filled"]), ("closed", 0.01))
(now_btc, _), (now_usdt, _) = money()
same("the bought, less the fee, is there", now_btc - btc, number("0.01") - number("0.01") * number("0.001"))
same("the cost is gone", usdt - now_usdt, number(order["info"]["cummulativeQuoteQty"]))
trades = exchange.fetch_order_trades(order["id"], PAIR)
same("its trades make it up", sum(number(trade["amount"]) for trade in trades), number("0.01"))
same("their fees too", sum(number(trade["fee"]["cost"]) for trade in trades), number("0.00001"))
order = exchange.create_market_buy_order_with_cost(PAIR, 100)
check("a market order by cost spends at most that", 99 < order["cost"] <= 100, order["cost"])
same("and is closed", order["status"], "closed")
order = exchange.create_order(PAIR, "market", "sell", 0.01)
same("a sale's fee is in the quote", {trade["fee"]["currency"] for trade in order["trades"]}, {"USDT"})

# A limit order rests, locks, is found, is edited, is cancelled.
before = money()
order = exchange.create_order(PAIR, "limit", "buy", 0.01, price(0.9), {"clientOrderId": "mine-1"})
same("a limit order is open", order["status"], "open")
same("its money is locked", money()[1][1], number("0.01") * number(price(0.9)))
same("it is found by its id", exchange.fetch_order(order["id"], PAIR)["clientOrderId"], "mine-1")
same("and by its client's id", exchange.fetch_order("", PAIR, {"clientOrderId": "mine-1"})["id"], order["id"])
same("it is among the open orders", [o["id"] for o in exchange.fetch_open_orders(PAIR)], [order["id"]])
same("of all symbols, too", [o["id"] for o in exchange.fetch_open_orders()], [order["id"]])
edited = exchange.edit_order(order["id"], PAIR, "limit", "buy", 0.02, price(0.91))
same("an edited order is another one", (edited["amount"], edited["price"]), (0.02, price(0.91)))
same("the edited one is cancelled", exchange.fetch_order(order["id"], PAIR)["status"], "canceled")
same("cancelled at last", exchange.cancel_order(edited["id"], PAIR)["status"], "canceled")
same("and all money is free", money(), before)

# The other types.
kinds = {
    "stop loss": ("market", "sell", None, {"stopLossPrice": price(0.95)}),
    "stop loss limit": ("limit", "sell", price(0.9), {"stopLossPrice": price(0.95)}),
    "take profit": ("market", "sell", None, {"takeProfitPrice": price(1.05)}),
    "take profit limit": ("limit", "sell", price(1.06), {"takeProfitPrice": price(1.05)}),
    "post only": ("limit", "buy", price(0.9), {"postOnly": True}),
    "trailing": ("STOP_LOSS_LIMIT", "sell", price(0.9), {"trailingDelta": 100}),
    "iceberg": ("limit", "buy", price(0.9), {"icebergQty": "0.001"}),
}
wire = ["STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "LIMIT"]
for (name, (kind, side, limit, params)), sent in zip(kinds.items(), wire):
    order = exchange.create_order(PAIR, kind, side, 0.01, limit, params)
    seen = exchange.fetch_order(order["id"], PAIR)
    same(f"a {name} order is open", (seen["status"], seen["info"]["type"]), ("open", sent))
    same(f"a {name} order is cancelled", exchange.cancel_order(order["id"], PAIR)["status"], "canceled")
same("FOK far from the market expires",
     exchange.create_order(PAIR, "limit", "buy", 0.01, price(0.9), {"timeInForce": "FOK"})["status"], "expired")
same("IOC in the market fills",
     exchange.create_order(PAIR, "limit", "buy", 0.01, price(1.01), {"timeInForce": "IOC"})["status"], "closed")
count = len(exchange.fetch_orders(PAIR))
exchange.create_order(PAIR, "limit", "buy", 0.01, price(0.9), {"test": True})
same("a test order is no order", len(exchange.fetch_orders(PAIR)), count)

# Order lists, new and deprecated.
text = lambda factor: exchange.price_to_precision(PAIR, last * factor)
new = exchange.privatePostOrderListOco({
    "symbol": SYMBOL, "side": "SELL", "quantity": "0.01", "aboveType": "LIMIT_MAKER", "abovePrice": text(1.1),
    "belowType": "STOP_LOSS_LIMIT", "belowStopPrice": text(0.9), "belowPrice": text(0.89), "belowTimeInForce": "GTC"})
old = exchange.privatePostOrderOco({
    "symbol": SYMBOL, "side": "SELL", "quantity": "0.01", "price": text(1.1), "stopPrice": text(0.9),
    "stopLimitPrice": text(0.89), "stopLimitTimeInForce": "GTC"})
for name, each in (("a new", new), ("an old", old)):
    same(f"{name} OCO's state", (each["listOrderStatus"], len(each["orderReports"])), ("EXECUTING", 2))
same("both lists are open", len(exchange.privateGetOpenOrderList()), 2)
found = exchange.privateGetOrderList({"orderListId": new["orderListId"]})
same("a list is found", found["listClientOrderId"], new["listClientOrderId"])
gone = exchange.privateDeleteOrderList({"symbol": SYMBOL, "orderListId": new["orderListId"]})
same("a list is cancelled", gone["listOrderStatus"], "ALL_DONE")
exchange.cancel_order(old["orders"][0]["orderId"], PAIR)
same("one order's cancellation ends the other", exchange.fetch_open_orders(PAIR), [])
same("no list is open", exchange.privateGetOpenOrderList(), [])
same("both are remembered", len(exchange.privateGetAllOrderList()), 2)

# History.
check("own trades", len(exchange.fetch_my_trades(PAIR)) >= 4)
check("closed orders", all(o["status"] == "closed" for o in exchange.fetch_closed_orders(PAIR)))
check("the order count is told", int(exchange.privateGetRateLimitOrder()[0]["limit"]) > 0)

# Errors, as ccxt understands them.
limit = lambda amount, at, **params: exchange.create_order(PAIR, "limit", "buy", amount, at, params)
raw = lambda **changed: exchange.privatePostOrder({
    "symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001",
    "price": text(0.9), **changed})
refused("too little money", ccxt.InsufficientFunds, lambda: limit(100, price(0.9)))
refused("no such order", ccxt.OrderNotFound, lambda: exchange.fetch_order("999999", PAIR), "-2013")
refused("nothing to cancel", ccxt.OrderNotFound, lambda: exchange.cancel_order("999999", PAIR), "-2011")
refused("a lot cut", ccxt.InvalidOrder, lambda: raw(quantity="0.000001"), "LOT_SIZE")
refused("a tick cut", ccxt.InvalidOrder, lambda: raw(price="20000.001"), "PRICE_FILTER")
refused("too small", ccxt.BadRequest, lambda: raw(quantity="0.00001"), "-1013", "NOTIONAL")
refused("a maker that takes", ccxt.OrderImmediatelyFillable, lambda: limit(0.01, price(1.01), postOnly=True))
refused("a stop that is over", ccxt.OrderImmediatelyFillable,
        lambda: exchange.create_order(PAIR, "market", "sell", 0.01, None, {"stopLossPrice": price(1.1)}))
refused("no such symbol", ccxt.BadSymbol, lambda: exchange.privateGetOpenOrders({"symbol": "NOPE"}))
refused("no such interval", ccxt.BadRequest,
        lambda: exchange.publicGetKlines({"symbol": SYMBOL, "interval": "7m"}), "-1120")
forged = point(ccxt.binance(settings(secret="another")))
refused("a forged signature", ccxt.AuthenticationError, forged.privateGetAccount, "-1022")
stranger = point(ccxt.binance(settings(apiKey="nobody00" * 8)))
refused("an unknown key", ccxt.AuthenticationError, stranger.privateGetAccount, "-2015")
late = point(ccxt.binance(settings()))
late.options["timeDifference"] = 60_000
refused("a late request", ccxt.InvalidNonce, late.privateGetAccount, "-1021")
late.load_time_difference()
check("healed by the exchange's time", late.privateGetAccount()["canTrade"])
