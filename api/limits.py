"""How often each caller may ask: requests in a time, counted in this process.

`limits` decides; the counters are kept here, since those in memory that it brings start a thread
every 10 ms (600 µs for a request, measured) and keep every caller that ever asked.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable
from functools import lru_cache

from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from api.security import Principal
from api.setting_kinds import parse_rate
from api.settings import Settings
from domain.errors import RateExceeded

REMEMBERED_CALLERS = 10_000  # of each kind
_API = "/v1/"
_NO_ADDRESS = "unknown"
_IPV6_NETWORK = 64  # bits: what one household gets

Seconds = Callable[[], float]


class Rates:
    """The rates of the settings, each over callers of its kind."""

    def __init__(self, settings: Settings, clock: Seconds) -> None:
        self._of = {
            "user": Rate(settings.rate_user, clock),
            "link": Rate(settings.rate_link, clock),
            "key": Rate(settings.rate_key, clock),
        }
        self._without_token = Rate(settings.rate_address, clock)
        self._refused = Rate(settings.rate_address, clock)

    def count(self, caller: Principal) -> None:
        """Count a request of a caller who is known.

        Raises:
            RateExceeded: It is one too many.
        """
        self._of[caller.kind].count(caller.sub)

    def count_without_token(self, scope: Scope) -> None:
        """Count a request that needs no token, by where it comes from.

        Raises:
            RateExceeded: It is one too many.
        """
        self._without_token.count(address_of(scope))

    def count_refused(self, scope: Scope) -> None:
        """Count a request whose token does not hold, by where it comes from.

        Whoever has one that holds gets through all the same: many share an address.

        Raises:
            RateExceeded: It is one too many.
        """
        self._refused.count(address_of(scope))


class Rate:
    """One rate, over the callers of one kind; their windows begin with their first request."""

    def __init__(self, text: str, clock: Seconds) -> None:
        self._item = parse_rate(text)
        self._clock = clock
        self._windows = Windows(clock)
        self._limiter = FixedWindowRateLimiter(self._windows)

    def count(self, caller: str) -> None:
        """Count one request."""
        item = self._item
        if item is not None and not self._limiter.hit(item, caller):
            ends = self._windows.get_expiry(item.key_for(caller))
            raise RateExceeded(str(item), max(1, math.ceil(ends - self._clock())))


class Windows(Storage):
    """The counters of a bounded number of callers, none of them for longer than its window.

    Windows of one rate are equally long, so that those which began first end first: they stand in
    front and are the first to go. One that goes too early lets its caller begin again, and that
    only; nobody is refused for the sake of others.
    """

    STORAGE_SCHEME = None  # made by hand, not by an address

    def __init__(self, clock: Seconds, most: int = REMEMBERED_CALLERS) -> None:
        super().__init__()
        self._clock, self._most = clock, most
        self._windows: dict[str, _Window] = {}

    def __len__(self) -> int:
        return len(self._windows)

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """There is nothing here that could fail."""
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count in the window that is open, or in a new one."""
        now = self._clock()
        window = self._windows.get(key)
        # A window that ends later than a new one would is from before the clock was set back.
        if window is None or not now < window.ends <= now + expiry:
            window = self._begin(key, now, now + expiry)
        window.count += amount
        return window.count

    def _begin(self, key: str, now: float, ends: float) -> _Window:
        self._windows.pop(key, None)
        for _ in range(2):  # more than are added, so that what is over goes in time
            first = next(iter(self._windows), None)
            if first is not None and self._windows[first].ends <= now:
                del self._windows[first]
        if len(self._windows) >= self._most:
            del self._windows[next(iter(self._windows))]
        self._windows[key] = window = _Window(ends)
        return window

    def get(self, key: str) -> int:
        """How much was counted in the window that is open."""
        window = self._windows.get(key)
        return window.count if window is not None and self._clock() < window.ends else 0

    def get_expiry(self, key: str) -> float:
        """When the caller's window ends."""
        window = self._windows.get(key)
        return window.ends if window is not None else self._clock()

    def check(self) -> bool:
        """Whether counting works: always."""
        return True

    def clear(self, key: str) -> None:
        """Forget one caller."""
        self._windows.pop(key, None)

    def reset(self) -> int:
        """Forget all callers."""
        known = len(self._windows)
        self._windows.clear()
        return known


class _Window:
    __slots__ = ("count", "ends")

    def __init__(self, ends: float) -> None:
        self.count, self.ends = 0, ends


class CountedByAddress:
    """What asks for no token is counted by the client's address; the API counts for itself."""

    def __init__(self, app: ASGIApp, rates: Rates) -> None:
        self._app, self._rates = app, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on.

        Raises:
            RateExceeded: It is one too many.
        """
        if scope["type"] == "http" and not scope["path"].startswith(_API):
            self._rates.count_without_token(scope)
        await self._app(scope, receive, send)


def address_of(scope: Scope) -> str:
    """Where a request comes from; in IPv6 the network, of which a client has all addresses."""
    client = scope.get("client")
    return _network(client[0]) if client else _NO_ADDRESS


@lru_cache(maxsize=1_024)
def _network(host: str) -> str:
    """The address by which a host is counted.

    >>> _network("192.0.2.7"), _network("2001:db8::1:2"), _network("a socket")
    ('192.0.2.7', '2001:db8::/64', 'a socket')
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_NETWORK), strict=False))
