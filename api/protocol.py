"""uvicorn's HTTP protocol, with the bounds that its settings do not have.

They bound how long an idle connection is kept, and answer everybody 503 when there are too many.
They leave open how long a request may take to come in, and httptools, unlike h11, takes a head of
any length: 100 MB in one header cost a minute in which nobody else was answered (measured).
"""

from __future__ import annotations

import asyncio
from typing import ClassVar, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api.sending import OneWrite

LONGEST_HEAD = 65_536  # bytes, and the rest of the piece that goes beyond


class BoundedProtocol(HttpToolsProtocol):
    """One connection of so many, on which a request has `patience` seconds to come in."""

    most_connections: ClassVar[int] = 800
    patience: ClassVar[float] = 30

    _unfinished = 0  # bytes since the last that were a body's, or ended a head or a request
    _whole = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait a while for a request; if there are too many, refuse the newcomer only."""
        super().connection_made(cast("asyncio.Transport", OneWrite(transport)))
        self._wait()
        if len(self.connections) > self.most_connections:
            self._refuse(b"503 Service Unavailable\r\nretry-after: 5")

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request; most requests come in one, and start no timer."""
        self._unfinished += len(data)
        self._whole = False
        super().data_received(data)
        if self._unfinished > LONGEST_HEAD:
            self._refuse(b"431 Request Header Fields Too Large")
        elif self._whole:
            self._stop_waiting()
        elif self._deadline is None:
            self._wait()

    def on_headers_complete(self) -> None:
        """A head has ended."""
        self._unfinished = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body has come; the app bounds these."""
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is there."""
        self._unfinished, self._whole = 0, True
        super().on_message_complete()

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(self.patience, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self._refuse(b"408 Request Timeout")

    def _refuse(self, status: bytes) -> None:
        """Say so, unless an answer has begun, and hang up."""
        if self.transport.is_closing():
            return
        if not self._answering():
            answer = b"HTTP/1.1 %b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            self.transport.write(answer % status)
        self.transport.close()

    def _answering(self) -> bool:
        last = cast("RequestResponseCycle | None", self.cycle)
        return last is not None and last.response_started and not last.response_complete
