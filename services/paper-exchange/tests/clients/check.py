"""What the programs beside this share: where the exchange is, the key, checks that print a line, a last deadline.

Arguments: the exchange's address (http://…), API key, secret.
"""

import asyncio
import faulthandler
import sys
import time
from decimal import Decimal

REST, KEY, SECRET = sys.argv[1:4]
SOCKETS = REST.replace("http", "ws", 1)
SYMBOL = "BTCUSDT"
PATIENCE = 20.0
"""Seconds; nothing here takes longer."""

# Whatever hangs is told with its stack, and ends.
faulthandler.dump_traceback_later(75, exit=True)


def check(name, fact, *seen):
    """A fact that must hold."""
    if not fact:
        sys.exit(f"FAILED {name}: {seen}")
    print("ok", name, flush=True)


def same(name, got, wanted):
    check(name, got == wanted, "got", got, "wanted", wanted)


def refused(name, error, call, *words):
    """`call` must raise exactly `error`, whose text has `words`; returns it."""
    try:
        answer = call()
    except Exception as raised:
        # Subclasses tell another reason.
        fits = type(raised) is error and all(word in str(raised) for word in words)
        check(name, fits, type(raised), str(raised))
        return raised
    sys.exit(f"FAILED {name}: no error but {answer}")


def until(name, holds):
    """Waits for a condition."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if holds():
            print("ok", name, flush=True)
            return
        time.sleep(0.02)
    sys.exit(f"FAILED {name}: not within {PATIENCE} s")


async def soon(coming):
    """What comes, within patience."""
    return await asyncio.wait_for(coming, PATIENCE)


def number(value):
    """Exactly, from a text or from the float nearest to it."""
    return Decimal(str(value))
