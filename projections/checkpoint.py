"""Checkpoints: how far every draft's chain went at some time, in a sealed file.

A chain cannot tell by itself that it has lost its end, or that a whole draft is gone. This file
can, if it is kept where whoever might alter the database does not reach.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

import orjson

from domain.chain import ChainKey, Keyring
from domain.moment import rfc3339
from projections.sealed import NotSealed, Sealed, Sealing
from projections.store.base import BEGINNING, Store
from projections.store.chains import Head


async def write_checkpoint(
    store: Store, key: ChainKey, at: datetime, write: Callable[[bytes], Any]
) -> int:
    """Write the heads of all drafts, in the order of their ids; answers how many there were."""
    sealing, count = Sealing(write, "checkpoint", key, at=rfc3339(at)), 0
    async for head in _heads(store):
        sealing.line(
            orjson.dumps({"draft": head.draft, "version": head.version, "hash": head.hash.hex()})
        )
        count += 1
    sealing.close()
    return count


async def _heads(store: Store) -> AsyncIterator[Head]:
    after = BEGINNING
    while page := await store.chains.heads(after):
        for head in page:
            yield head
        after = page[-1].draft


class Checkpoint:
    """A checkpoint whose seal holds; `at` is when it was made.

    Raises:
        NotSealed: The file is no checkpoint, or not as it was written, or its key is not known.
    """

    def __init__(self, file: BinaryIO, keyring: Keyring) -> None:
        sealed = Sealed(file, "checkpoint", keyring)
        self.at = str(sealed.header.get("at"))
        for _ in sealed:
            pass
        if sealed.fault is not None:
            raise NotSealed(f"cannot be relied on: {sealed.fault}")
        self._file, self._keyring = file, keyring

    def heads(self) -> Iterator[Head]:
        """The heads, in the order of the drafts' ids."""
        self._file.seek(0)
        for line in Sealed(self._file, "checkpoint", self._keyring):
            facts = orjson.loads(line)
            yield Head(UUID(facts["draft"]), facts["version"], bytes.fromhex(facts["hash"]))
