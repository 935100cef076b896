"""How often one may try: by address, and by account and address. In memory; the time is an argument.

A hall's network is one address, so that an address has a minute's worth of sign-ins for all who sit there. Wrong tries
make the next wait (shared/access/throttle.py), by account and address: a stranger's tries never keep somebody else out.
Of all addresses together an account has `ALIAS_BURST` wrong tries and then one a minute, but for addresses from which
it was signed in before.
"""

import ipaddress
import threading
from collections import OrderedDict
from dataclasses import dataclass

from leaderboard.core.errors import RateLimited
from shared.access.throttle import Failures
from shared.text import ntext

MAX_KEYS = 20_000  # of each kind; the one that was used longest ago is forgotten
ADDRESS_BURST, ADDRESS_PER_MINUTE = 60, 60.0
SIGN_UP_BURST, SIGN_UP_PER_MINUTE = 60, 10.0
ALIAS_BURST, ALIAS_PER_MINUTE = 50, 1.0


class RateLimiter:
    """A bucket of tries for each key: `burst` at once, then `per_minute`."""

    def __init__(self, burst: int, per_minute: float, max_keys: int = MAX_KEYS) -> None:
        self._burst, self._per_s, self._max_keys = float(burst), per_minute / 60.0, max_keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> float:
        """Seconds until this key may try again; 0 if now."""
        left = self._left(key, now_s)
        return 0.0 if left >= 1.0 else (1.0 - left) / self._per_s

    def take(self, key: str, now_s: float) -> None:
        """Count a try."""
        self._buckets[key] = (self._left(key, now_s) - 1.0, now_s)
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._max_keys:
            self._buckets.popitem(last=False)

    def _left(self, key: str, now_s: float) -> float:
        left, at_s = self._buckets.get(key, (self._burst, now_s))
        # A clock that was set back gives nothing and takes nothing.
        return min(self._burst, left + max(0.0, now_s - at_s) * self._per_s)


@dataclass(frozen=True, slots=True)
class SignInTry:
    """A try that was let through, to be told how it ended."""

    alias: str
    address: str


class EntranceThrottle:
    """Lets tries to sign in and sign up through, or says when the next may be. Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._addresses = RateLimiter(ADDRESS_BURST, ADDRESS_PER_MINUTE)
        self._sign_ups = RateLimiter(SIGN_UP_BURST, SIGN_UP_PER_MINUTE)
        self._aliases = RateLimiter(ALIAS_BURST, ALIAS_PER_MINUTE)
        self._failures: OrderedDict[SignInTry, Failures] = OrderedDict()
        self._known: OrderedDict[SignInTry, None] = OrderedDict()

    def sign_in(self, alias: str, address: str, now_s: float) -> SignInTry:
        """A try to sign in; `alias`: by its key, "" where none is given. Raises RateLimited."""
        tried = SignInTry(alias, network_of(address))
        with self._lock:
            self._take(self._addresses, tried.address, now_s)
            wait_s = self._failures.get(tried, Failures()).wait_s(now_s)
            if alias and tried not in self._known:
                wait_s = max(wait_s, self._aliases.wait_s(alias, now_s))
            _check(wait_s)
        return tried

    def failed(self, tried: SignInTry, now_s: float) -> None:
        """The try was with a wrong passphrase or code."""
        with self._lock:
            self._failures[tried] = self._failures.get(tried, Failures()).after_failure(now_s)
            _bound(self._failures)
            if tried.alias and tried not in self._known:
                self._aliases.take(tried.alias, now_s)

    def succeeded(self, tried: SignInTry) -> None:
        """The try let somebody in."""
        with self._lock:
            self._failures.pop(tried, None)
            self._known[tried] = None
            self._known.move_to_end(tried)
            _bound(self._known)

    def sign_up(self, address: str, now_s: float) -> None:
        """A try to sign up, or to ask for a passkey's challenge. Raises RateLimited."""
        with self._lock:
            self._take(self._sign_ups, network_of(address), now_s)

    def _take(self, limiter: RateLimiter, key: str, now_s: float) -> None:
        _check(limiter.wait_s(key, now_s))
        limiter.take(key, now_s)


def network_of(address: str) -> str:
    """What counts as one address: a home's or hall's whole network in IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


def _check(wait_s: float) -> None:
    if wait_s > 0:
        seconds = max(1, round(wait_s + 0.499))
        raise RateLimited(
            ntext("Too many tries: try again in {n} second.", "Too many tries: try again in {n} seconds.", n=seconds),
            after_s=seconds,
        )


def _bound(entries: "OrderedDict[SignInTry, Failures] | OrderedDict[SignInTry, None]") -> None:
    while len(entries) > MAX_KEYS:
        entries.popitem(last=False)
