"""The public keys of whoever issues the tokens, from the address that the settings name.

What happens when that address does not answer: keys that are known go on working, however long it
takes; a token signed with another key is answered 503, not 401, since nobody can say whether it
holds, and a client that is told 401 gives its session up. While it answers, a key that it does not
show is a 401. It is asked at most once in `PAUSE`, or in `PAUSE_AFTER_FAILURE`, whatever comes in.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import structlog

from domain.errors import IssuerUnavailable

OLD_AFTER = timedelta(minutes=5)
PAUSE = timedelta(seconds=30)
PAUSE_AFTER_FAILURE = timedelta(seconds=5)
PATIENCE = 5  # seconds
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

Clock = Callable[[], datetime]
Keys = Mapping[tuple[str, str], Any]


class KeysNotFetched(Exception):
    """The keys could not be had from their address; `str()` says why."""


def fetch_keys(url: str, algorithms: Collection[str]) -> Keys:
    """The keys that may sign in one of these ways, by id and algorithm.

    What each of them is good for is said by the key itself, never by a token.

    Raises:
        KeysNotFetched: There is no answer, or none with keys for signatures.
    """
    client = jwt.PyJWKClient(url, cache_keys=False, cache_jwk_set=False, timeout=PATIENCE)
    try:
        return {
            (str(key.key_id), key.algorithm_name): key.key
            for key in client.get_signing_keys()
            if key.algorithm_name in algorithms
        }
    except Exception as why:  # the library stumbles over odd answers in many ways
        raise KeysNotFetched(str(why).partition("\n")[0]) from why


class IssuerKeys:
    """The keys of one issuer: fetched when old or when one is missing, kept while none comes."""

    def __init__(self, url: str, algorithms: Collection[str], clock: Clock) -> None:
        self._url, self._algorithms, self._clock = url, algorithms, clock
        self._keys: Keys = {}
        self._fetching: asyncio.Task[None] | None = None
        self._failed = False
        self._fetched = self._asked = self._pause_ends = _LONG_AGO

    def find(self, kid: str, algorithm: str) -> Any:
        """The key of this id for this algorithm; None if it is not known."""
        return self._keys.get((kid, algorithm))

    def freshen(self) -> None:
        """Fetch the keys in the background if they are old."""
        now = self._clock()
        if not self._fetched <= now < self._fetched + OLD_AFTER and not self._pausing(now):
            self._fetch_once()

    async def look_again(self) -> None:
        """Fetch the keys, unless that was done just now; those who wait share one request.

        Raises:
            IssuerUnavailable: They cannot be had.
        """
        if self._fetching is not None or not self._pausing(self._clock()):
            await asyncio.shield(self._fetch_once())
        if self._failed:
            left = (self._pause_ends - self._clock()).total_seconds()
            raise IssuerUnavailable(max(1, math.ceil(left)))

    def _pausing(self, now: datetime) -> bool:
        return self._asked <= now < self._pause_ends  # not if the clock was set back

    def _fetch_once(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        """In a thread: the library waits for the network."""
        self._asked = self._clock()
        try:
            await asyncio.wait_for(self._take(), 2 * PATIENCE)
            self._failed, self._fetched = False, self._clock()
        except (KeysNotFetched, TimeoutError) as why:
            self._failed = True
            structlog.get_logger().warning("issuer's keys not fetched", why=str(why))
        finally:
            pause = PAUSE_AFTER_FAILURE if self._failed else PAUSE
            self._pause_ends = self._clock() + pause
            self._fetching = None

    async def _take(self) -> None:
        self._keys = await asyncio.to_thread(fetch_keys, self._url, self._algorithms)
