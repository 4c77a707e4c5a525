"""How often each caller may ask: requests in a time, counted in this process.

`limits` reads what a rate says. The counting is done here: the counters in memory that it brings
start a thread every 10 ms (600 µs for a request, measured) and keep every caller that ever asked,
and its limiter over counters of our own cost 3 % of a save.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable
from functools import lru_cache

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
        self._item, self._clock = parse_rate(text), clock
        self._windows = Windows(clock, self._item.get_expiry() if self._item else 0)

    def count(self, caller: str) -> None:
        """Count one request."""
        if self._item is None:
            return
        window = self._windows.of(caller)
        window.count += 1
        if window.count > self._item.amount:
            wait = math.ceil(window.ends - self._clock())
            raise RateExceeded(str(self._item), max(1, wait))


class Window:
    """The requests of one caller until it ends."""

    __slots__ = ("count", "ends")

    def __init__(self, ends: float) -> None:
        self.count, self.ends = 0, ends


class Windows:
    """The windows of a bounded number of callers, each of so many seconds and kept no longer.

    They are equally long, so that those which began first end first: they stand in front and are
    the first to go. One that goes too early lets its caller begin again, and that only; nobody is
    refused for the sake of others.
    """

    def __init__(self, clock: Seconds, seconds: float, most: int = REMEMBERED_CALLERS) -> None:
        self._clock, self._seconds, self._most = clock, seconds, most
        self._windows: dict[str, Window] = {}

    def __len__(self) -> int:
        return len(self._windows)

    def of(self, caller: str) -> Window:
        """The caller's window that is open, or a new one."""
        now, window = self._clock(), self._windows.get(caller)
        # One that ends later than a new one would is from before the clock was set back.
        if window is None or not now < window.ends <= now + self._seconds:
            window = self._begin(caller, now)
        return window

    def _begin(self, caller: str, now: float) -> Window:
        self._windows.pop(caller, None)
        for _ in range(2):  # more than are added, so that what is over goes in time
            first = next(iter(self._windows), None)
            if first is not None and self._windows[first].ends <= now:
                del self._windows[first]
        if len(self._windows) >= self._most:
            del self._windows[next(iter(self._windows))]
        self._windows[caller] = window = Window(now + self._seconds)
        return window


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
