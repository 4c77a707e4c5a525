"""Who the callers are: a person's name stands in one table, all else knows the person by a key."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from api.security import Principal
from domain.access import Reader, is_link, reader
from domain.conflict import Conflict, signed
from domain.origin import SERVICE
from projections.snapshot import KEY_LENGTH, conflicts_of, owner_key, served, with_conflicts
from projections.store.base import Store

REMEMBERED = 10_000
NOBODY = ""  # the principal of a caller who never wrote and so can see no draft


class People:
    """Keys of names and names of keys, remembered."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: OrderedDict[str, str] = OrderedDict()
        self._subs: OrderedDict[str, str] = OrderedDict()

    async def key_of(self, sub: str) -> str | None:
        """A person's key; None if the person never wrote, and so can own nothing.

        A link goes by its name.
        """
        if is_link(sub):
            return sub
        if (key := self._keys.get(sub)) is None and (
            key := await self._store.people.key_of(sub)
        ) is not None:
            self._remember(key, sub)
        return key

    async def key_for(self, sub: str) -> str:
        """A person's key, made now if need be."""
        if (key := await self.key_of(sub)) is None:
            key = await self._store.people.new_key(sub, secrets.token_urlsafe(KEY_LENGTH * 3 // 4))
            self._remember(key, sub)
        return key

    async def reader(self, caller: Principal) -> Reader:
        """The principal as whom a caller reads; an auditor is somebody with a key of their own."""
        if caller.is_auditor:
            return reader(await self.key_for(caller.sub), auditor=True)
        return Reader(await self.key_of(caller.sub) or NOBODY)

    async def sub_of(self, key: str) -> str:
        """The name behind a key; the key itself if the person is forgotten."""
        return (await self.subs_of([key]))[key]

    async def subs_of(self, keys: Iterable[str]) -> Mapping[str, str]:
        """The names behind keys."""
        wanted = set(keys)
        if missing := [key for key in wanted if key not in self._subs and key != SERVICE]:
            for key, sub in (await self._store.people.subs_of(missing)).items():
                self._remember(key, sub)
        return {key: self._subs.get(key, key) for key in wanted}

    async def served(self, body: bytes, role: str) -> bytes:
        """A draft's body for a caller in this role, with names in the place of keys."""
        if held := conflicts_of(body):
            body = with_conflicts(body, await self.named(held))
        key = owner_key(body)
        return served(body, self._subs.get(key) or await self.sub_of(key), role)

    async def named(self, conflicts: Sequence[Conflict]) -> list[Conflict]:
        """Conflicts with the names of those who wrote each side."""
        sides = [side for c in conflicts for side in (c["ours"], *c["theirs"])]
        names = await self.subs_of(side["by"] for side in sides)
        return [signed(conflict, names) for conflict in conflicts]

    def forget(self, key: str) -> None:
        """Let go of a person who is forgotten: the name, and whose it was."""
        self._subs.pop(key, None)
        for sub in [sub for sub, known in self._keys.items() if known == key]:
            del self._keys[sub]

    def _remember(self, key: str, sub: str) -> None:
        self._keys[sub], self._subs[key] = key, sub
        for known in (self._keys, self._subs):
            while len(known) > REMEMBERED:
                known.popitem(last=False)
