"""Slowing down who guesses, without giving anybody the means to lock a user out.

Failures are counted by where they come from: for each account by (place, account), so that somebody elsewhere cannot
use up the owner's tries, and for each place alone, so that one place cannot try one password on every account. A place
is an IPv4 address, or an IPv6 /64, which is what one customer has; since many of those can be had at once, the /48
around it is counted too. There is no counter of an account alone: that would be the lock.

The counters are this process's own; several workers allow as many times the tries.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metadata.errors import ThrottledError

if TYPE_CHECKING:
    from metadata.clock import Clock

FREE_PER_ACCOUNT = 5
FREE_PER_PLACE = 50
FREE_PER_SITE = 500
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 900.0
FORGOTTEN_AFTER_S = 3600.0
KEPT = 10_000

_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class _Failures:
    """What is known of one place, or of one account there; times are the monotonic clock's seconds."""

    count: int
    last: float


@dataclass(frozen=True, slots=True)
class _Counter:
    key: str
    free: int


class Throttle:
    """Counts failed sign-ins and makes the next one wait; thread-safe.

    Up to `FREE_…` failures cost nothing; each further one doubles the wait, from one second to fifteen minutes. After
    an hour without a failure they are forgotten.

    Args:
        clock: the time.
        kept: how many counters are kept; beyond that the one whose last failure is oldest goes.
    """

    def __init__(self, clock: Clock, *, kept: int = KEPT) -> None:
        self._clock = clock
        self._kept = kept
        self._known: OrderedDict[str, _Failures] = OrderedDict()
        self._mutex = threading.Lock()

    def admit(self, address: str, account: str) -> None:
        """Let an attempt go on, counting it as failed until `succeeded` is called: parallel guesses count at once.

        Args:
            address: the client's address; anything that is none counts as one place.
            account: what was given as the account's name, existing or not.

        Raises:
            ThrottledError: too many failed; `retryAfterSeconds` says when to come back. It was not counted.
        """
        counters = _counters(address, account)
        with self._mutex:
            now = self._clock.monotonic()
            wait = max(self._wait(counter, now) for counter in counters)
            if wait > 0:
                seconds = math.ceil(wait)
                raise ThrottledError(
                    f"Too many failed attempts from your address. Try again in {seconds} s.", retryAfterSeconds=seconds
                )
            for counter in counters:
                self._set(counter.key, self._count(counter, now) + 1, now)

    def succeeded(self, address: str, account: str) -> None:
        """Forget the failures of this account from this place; the place's own lose only this attempt.

        Otherwise who has one account could clear the place's count between guesses at the others.
        """
        (own, *around) = _counters(address, account)
        with self._mutex:
            self._known.pop(own.key, None)
            for counter in around:
                found = self._known.get(counter.key)
                if found is not None:
                    self._set(counter.key, found.count - 1, found.last)

    def _wait(self, counter: _Counter, now: float) -> float:
        over = self._count(counter, now) - counter.free
        if over < 0:
            return 0.0
        waits = min(FIRST_WAIT_S * (1 << min(over, _DOUBLINGS)), LONGEST_WAIT_S)
        return self._known[counter.key].last + waits - now

    def _count(self, counter: _Counter, now: float) -> int:
        found = self._known.get(counter.key)
        return 0 if found is None or now - found.last > FORGOTTEN_AFTER_S else found.count

    def _set(self, key: str, count: int, last: float) -> None:
        self._known.pop(key, None)
        if count > 0:
            self._known[key] = _Failures(count, last)
        while len(self._known) > self._kept:
            self._known.popitem(last=False)


def _counters(address: str, account: str) -> list[_Counter]:
    places = _places(address)
    # Hashed: an account's name may be long, and is nobody's business in a memory dump.
    name = hashlib.sha256(account.casefold().encode("utf-8", "surrogatepass")).hexdigest()
    frees = (FREE_PER_PLACE, FREE_PER_SITE)
    around = [_Counter(place, free) for place, free in zip(places, frees, strict=False)]
    return [_Counter(f"{places[0]} {name}", FREE_PER_ACCOUNT), *around]


def _places(address: str) -> list[str]:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ["elsewhere"]
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    lengths = (32,) if isinstance(parsed, ipaddress.IPv4Address) else (64, 48)
    return [str(ipaddress.ip_network((parsed, length), strict=False)) for length in lengths]
