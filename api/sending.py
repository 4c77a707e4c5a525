"""How answers leave: the head and the body of one in a single write, where uvicorn makes two."""

from __future__ import annotations

import asyncio
from typing import Any


class OneWrite:
    """A transport on which all that is written in one turn of the event loop goes out together.

    uvloop hands every write to the kernel at once: two system calls for each answer, and the reader
    is woken twice.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._waiting: list[bytes] = []
        self._call_soon = asyncio.get_running_loop().call_soon

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send the data with what else is written in this turn."""
        if not self._waiting:
            self._call_soon(self._send)
        self._waiting.append(data)

    def close(self) -> None:
        """Send what waits, then close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._waiting:
            self._transport.write(b"".join(self._waiting))
            self._waiting.clear()
