"""python-binance: markets, market data, orders over REST and the WebSocket API, order lists, account, errors."""

from decimal import Decimal

from binance.exceptions import BinanceAPIException

from python_binance_here import Here
from check import KEY, SECRET, SYMBOL, check, refused, same

client = Here(KEY, SECRET)


def money(asset):
    balance = client.get_asset_balance(asset)
    return Decimal(balance["free"]), Decimal(balance["locked"])


def error(name, code, call, *words):
    same(f"{name}'s code", refused(name, BinanceAPIException, call, *words).code, code)


# Market data.
same("ping", client.ping(), {})
info = client.get_exchange_info()
same("exchange info", sorted(s["symbol"] for s in info["symbols"]), ["BTCUSDT", "ETHUSDT"])
filters = {f["filterType"]: f for f in client.get_symbol_info(SYMBOL)["filters"]}
steps = filters["PRICE_FILTER"]["tickSize"], filters["LOT_SIZE"]["stepSize"]
same("a symbol's steps", steps, ("0.01000000", "0.00001000"))
book = client.get_order_book(symbol=SYMBOL, limit=5)
check("a book", len(book["bids"]) == len(book["asks"]) == 5 and book["lastUpdateId"] > 0, book)
trades = client.get_recent_trades(symbol=SYMBOL, limit=3)
same("old trades are the recent ones, later",
     client.get_historical_trades(symbol=SYMBOL, fromId=trades[0]["id"], limit=3), trades)
hour = client.get_klines(symbol=SYMBOL, interval="1h", limit=2)[0]
same("candles by either name", client.get_ui_klines(symbol=SYMBOL, interval="1h", limit=2)[0], hour)
aggregates = client.get_aggregate_trades(symbol=SYMBOL, limit=5)
check("aggregates join raw trades", all(a["f"] <= a["l"] for a in aggregates), aggregates)
past = client.get_historical_klines(SYMBOL, "1h", "2 days ago UTC")
check("two days of hours", 48 <= len(past) <= 49 and len({row[0] for row in past}) == len(past), len(past))
generated = list(client.get_historical_klines_generator(SYMBOL, "1h", past[0][0]))
same("page by page, too", [row[0] for row in generated], [row[0] for row in past])
same("prices of all", sorted(t["symbol"] for t in client.get_all_tickers()), ["BTCUSDT", "ETHUSDT"])
same("prices of some", [t["symbol"] for t in client.get_symbol_ticker(symbols='["ETHUSDT"]')], ["ETHUSDT"])
best = client.get_orderbook_ticker(symbol=SYMBOL)
check("the best bid and ask", Decimal(best["bidPrice"]) < Decimal(best["askPrice"]), best)
day = client.get_ticker(symbol=SYMBOL)
same("a day's number of trades", day["lastId"] - day["firstId"] + 1, day["count"])
check("an average price", Decimal(client.get_avg_price(symbol=SYMBOL)["price"]) > 0)
last = Decimal(day["lastPrice"])
price = lambda factor: str((last * Decimal(factor)).quantize(Decimal("0.01")))

# Account.
account = client.get_account()
check("the account trades spot", account["canTrade"] and account["accountType"] == "SPOT", account)
same("its fee", account["commissionRates"]["taker"], "0.00100000")
same("the same fee elsewhere", Decimal(client.get_trade_fee(symbol=SYMBOL)[0]["takerCommission"]), Decimal("0.001"))
same("system status", client.get_system_status()["status"], 0)

# A market order, to the last digit.
(btc, _), (usdt, _) = money("BTC"), money("USDT")
order = client.order_market_buy(symbol=SYMBOL, quantity="0.01")
same("filled", (order["status"], order["executedQty"]), ("FILLED", "0.01000000"))
fills = order["fills"]
same("its fills make it up", sum(Decimal(f["qty"]) for f in fills), Decimal("0.01"))
same("and its cost", sum(Decimal(f["qty"]) * Decimal(f["price"]) for f in fills), Decimal(order["cummulativeQuoteQty"]))
fee = sum(Decimal(f["commission"]) for f in fills)
same("the bought, less the fee, is there", money("BTC")[0] - btc, Decimal("0.01") - fee)
same("the cost is gone", usdt - money("USDT")[0], Decimal(order["cummulativeQuoteQty"]))
mine = client.get_my_trades(symbol=SYMBOL, orderId=order["orderId"])
same("its trades", [(t["id"], t["price"], t["qty"]) for t in mine],
     [(f["tradeId"], f["price"], f["qty"]) for f in fills])
public = {t["id"] for t in client.get_recent_trades(symbol=SYMBOL, limit=1000)}
check("the public sees them", public.issuperset(t["id"] for t in mine), mine)
order = client.order_market_buy(symbol=SYMBOL, quoteOrderQty=100)
check("by cost", order["status"] == "FILLED" and Decimal(order["cummulativeQuoteQty"]) <= 100, order)
same("sold", client.order_market_sell(symbol=SYMBOL, quantity="0.01")["status"], "FILLED")

# Orders that rest.
before = money("USDT")
order = client.order_limit_buy(symbol=SYMBOL, quantity="0.01", price=price("0.9"), newClientOrderId="mine")
same("it rests", order["status"], "NEW")
free, locked = money("USDT")
same("its money is locked", (before[0] - free, locked), (Decimal("0.01") * Decimal(price("0.9")),) * 2)
same("found by its client's id", client.get_order(symbol=SYMBOL, origClientOrderId="mine")["orderId"], order["orderId"])
error("its id again", -2010, lambda: client.order_limit_buy(
    symbol=SYMBOL, quantity="0.01", price=price("0.9"), newClientOrderId="mine"), "Duplicate order sent.")
replaced = client.cancel_replace_order(
    symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.02", price=price("0.9"),
    cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=order["orderId"])
same("replaced", (replaced["cancelResult"], replaced["newOrderResult"]), ("SUCCESS", "SUCCESS"))
error("replaced again", -2022, lambda: client.cancel_replace_order(
    symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.02", price=price("0.9"),
    cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=order["orderId"]))
order = replaced["newOrderResponse"]
less = {"symbol": SYMBOL, "orderId": order["orderId"], "newQty": "0.01"}
amended = client._put("order/amend/keepPriority", True, data=less)
same("amended, it keeps its place and its id",
     (amended["amendedOrder"]["orderId"], amended["amendedOrder"]["qty"]), (order["orderId"], "0.01000000"))
same("cancelled", client.cancel_order(symbol=SYMBOL, orderId=order["orderId"])["status"], "CANCELED")
same("and the money is back", money("USDT"), before)
for kind, more in {
    "STOP_LOSS": {"stopPrice": price("0.95")},
    "STOP_LOSS_LIMIT": {"stopPrice": price("0.95"), "price": price("0.94"), "timeInForce": "GTC"},
    "TAKE_PROFIT": {"stopPrice": price("1.05")},
    "TAKE_PROFIT_LIMIT": {"stopPrice": price("1.05"), "price": price("1.04"), "timeInForce": "GTC"},
    "LIMIT_MAKER": {"price": price("1.05")},
}.items():
    placed = client.create_order(symbol=SYMBOL, side="SELL", type=kind, quantity="0.01", **more)
    check(f"{kind} is acknowledged only", "status" not in placed, placed)
    same(f"{kind} rests", client.get_order(symbol=SYMBOL, orderId=placed["orderId"])["type"], kind)
    client.cancel_order(symbol=SYMBOL, orderId=placed["orderId"])
trailing = client.create_order(symbol=SYMBOL, side="SELL", type="STOP_LOSS", quantity="0.01", trailingDelta=100)
same("a trailing stop", client.get_order(symbol=SYMBOL, orderId=trailing["orderId"])["trailingDelta"], 100)
gone = client.cancel_all_open_orders(symbol=SYMBOL)
same("all are cancelled at once", [o["orderId"] for o in gone], [trailing["orderId"]])
same("a test order", client.create_test_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.01"), {})
same("nothing is open", client.get_open_orders(symbol=SYMBOL), [])
check("all are remembered", len(client.get_all_orders(symbol=SYMBOL)) == 11, client.get_all_orders(symbol=SYMBOL))

# Order lists.
oco = client.create_oco_order(
    symbol=SYMBOL, side="SELL", quantity="0.01", aboveType="LIMIT_MAKER", abovePrice=price("1.1"),
    belowType="STOP_LOSS_LIMIT", belowStopPrice=price("0.9"), belowPrice=price("0.89"), belowTimeInForce="GTC")
same("an OCO", [(o["type"], o["side"], o["status"]) for o in oco["orderReports"]],
     [("LIMIT_MAKER", "SELL", "NEW"), ("STOP_LOSS_LIMIT", "SELL", "NEW")])
same("locks once", money("BTC")[1], Decimal("0.01"))
same("it is open", [each["orderListId"] for each in client.get_open_oco_orders()], [oco["orderListId"]])
same("it is found", client.v3_get_order_list(orderListId=oco["orderListId"])["listOrderStatus"], "EXECUTING")
gone = client.v3_delete_order_list(symbol=SYMBOL, orderListId=oco["orderListId"])
same("it is cancelled", (gone["listOrderStatus"], len(gone["orderReports"])), ("ALL_DONE", 2))
same("nothing is locked", money("BTC")[1], 0)
waiting = {
    "symbol": SYMBOL, "workingType": "LIMIT", "workingSide": "BUY", "workingTimeInForce": "GTC",
    "workingPrice": price("0.9"), "workingQuantity": "0.01", "pendingSide": "SELL"}
legs = {"pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": price("1.1"),
        "pendingBelowType": "STOP_LOSS", "pendingBelowStopPrice": price("0.8")}
one = {"pendingType": "LIMIT", "pendingPrice": price("1.1"), "pendingTimeInForce": "GTC"}
for name, place, more, count in (
    ("OTO", client.v3_post_order_list_oto, {**one, "pendingQuantity": "0.01"}, 2),
    ("OTOCO", client.v3_post_order_list_otoco, {**legs, "pendingQuantity": "0.01"}, 3),
):
    placed = place(**waiting, **more)
    same(f"an {name}", (placed["contingencyType"], [o["status"] for o in placed["orderReports"]]),
         ("OTO", ["NEW"] + ["PENDING_NEW"] * (count - 1)))
    same(f"of an {name} only the working order locks", (money("BTC")[1], money("USDT")[1]),
         (0, Decimal("0.01") * Decimal(price("0.9"))))
    gone = client.v3_delete_order_list(symbol=SYMBOL, orderListId=placed["orderListId"])
    same(f"an {name} is cancelled", (gone["listOrderStatus"], len(gone["orderReports"])), ("ALL_DONE", count))
bought = client.v3_post_order_list_oto(**{
    **waiting, **one, "workingPrice": price("1.01"), "pendingQuantity": "0.005"})
same("a working order that is filled at once", [o["status"] for o in bought["orderReports"]], ["FILLED", "PENDING_NEW"])
placed = client.get_order(symbol=SYMBOL, orderId=bought["orders"][1]["orderId"])
same("places the pending one", (placed["status"], money("BTC")[1]), ("NEW", Decimal("0.005")))
client.cancel_all_open_orders(symbol=SYMBOL)
pegged = client.create_order(
    symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", pegPriceType="PRIMARY_PEG")
check("a pegged order has the book's price", Decimal(pegged["peggedPrice"]) > 0 == Decimal(pegged["price"]), pegged)
client.cancel_order(symbol=SYMBOL, orderId=pegged["orderId"])
error("no smart routing of a symbol that is alone", -1013, lambda: client.v3_post_sor_order(
    symbol="ETHUSDT", side="BUY", type="MARKET", quantity="0.01"), "This symbol has no SOR.")

# The WebSocket API.
order = client.ws_order_limit_buy(symbol=SYMBOL, quantity="0.01", price=price("0.9"))
same("placed over the socket", order["status"], "NEW")
over_socket = client.ws_get_order(symbol=SYMBOL, orderId=order["orderId"])
same("both ways tell the same of it", over_socket, client.get_order(symbol=SYMBOL, orderId=order["orderId"]))
same("open over the socket", client.ws_get_open_orders(symbol=SYMBOL), client.get_open_orders(symbol=SYMBOL))
same("cancelled over the socket", client.ws_cancel_order(symbol=SYMBOL, orderId=order["orderId"])["status"], "CANCELED")
oco = client.ws_create_oco_order(
    symbol=SYMBOL, side="SELL", quantity="0.01", aboveType="LIMIT_MAKER", abovePrice=price("1.1"),
    belowType="STOP_LOSS", belowStopPrice=price("0.9"))
gone = client.ws_cancel_oco_order(symbol=SYMBOL, orderListId=oco["orderListId"])
same("an OCO over the socket", gone["listOrderStatus"], "ALL_DONE")
same("sold over the socket", client.ws_order_market_sell(symbol=SYMBOL, quantity="0.01")["status"], "FILLED")
same("the account over either", client.ws_get_account(), client.get_account())
same("own trades over either", client.ws_get_my_trades(symbol=SYMBOL), client.get_my_trades(symbol=SYMBOL))
same("fees over the socket", client.ws_get_commission_rates(symbol=SYMBOL)["standardCommission"]["taker"], "0.00100000")
check("market data over the socket", client.ws_get_symbol_ticker(symbol=SYMBOL)["symbol"] == SYMBOL)

# Errors.
usual = {"symbol": SYMBOL, "quantity": "0.01", "price": price("0.9")}
limit = lambda **more: client.order_limit_buy(**{**usual, **more})
error("too little money", -2010, lambda: limit(quantity="100"), "insufficient balance")
error("over the socket, too", -2010, lambda: client.ws_order_limit_buy(**{**usual, "quantity": "100"}))
error("a lot cut", -1013, lambda: limit(quantity="0.000001"), "LOT_SIZE")
error("a tick cut", -1013, lambda: limit(price="20000.001"), "PRICE_FILTER")
error("too small", -1013, lambda: limit(quantity="0.00001"), "NOTIONAL")
error("too precise", -1111, lambda: limit(quantity="0.0000000001"))
error("no price", -1102, lambda: client.create_order(
    symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01"), "price")
error("no such order", -2013, lambda: client.get_order(symbol=SYMBOL, orderId=999_999))
error("nothing to cancel", -2011, lambda: client.cancel_order(symbol=SYMBOL, orderId=999_999))
error("no such symbol", -1121, lambda: client.get_order_book(symbol="NOPE"))
error("no such interval", -1120, lambda: client.get_klines(symbol=SYMBOL, interval="7m"))
error("listen keys are gone", -1016, client.stream_get_listen_key)
error("a forged signature", -1022, Here(KEY, "another").get_account)
error("an unknown key", -2015, Here("nobody00" * 8, SECRET).get_account)
late = Here(KEY, SECRET)
late.timestamp_offset = -60_000
error("a late request", -1021, late.get_account, "recvWindow")
late.timestamp_offset = 5_000
error("an early one", -1021, late.get_account, "ahead of the server's time")
precise = Here(KEY, SECRET, time_unit="MICROSECOND")
check("microseconds", precise.get_server_time()["serverTime"] > 10**15 and precise.get_account()["updateTime"] > 10**15)
