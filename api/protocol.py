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
LAST_WORDS = 3.0  # seconds that a stopping server gives a client that does not read
CLOSING = "closing"  # in the lifespan's state: ends the answers that would never end by themselves


class BoundedProtocol(HttpToolsProtocol):
    """One connection of so many, on which a request has `patience` seconds to come in."""

    most_connections: ClassVar[int] = 800
    patience: ClassVar[float] = 30

    _unfinished = 0  # bytes since the last that were a body's, or ended a head or a request
    _whole = False
    _deadline: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait a while for a request; if there are too many, refuse the newcomer only."""
        super().connection_made(cast("asyncio.Transport", OneWrite(transport)))
        self._wait()
        if len(self.connections) > self.most_connections:
            self._refuse(b"503 Service Unavailable\r\nretry-after: 5")

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_waiting()
        self._read_again()
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

    def pause_writing(self) -> None:
        """The client does not take what is sent: wait for it, and not for ever."""
        super().pause_writing()
        self._watch_reader(self.patience)

    def resume_writing(self) -> None:
        """The client has taken enough."""
        super().resume_writing()
        self._read_again()

    def shutdown(self) -> None:
        """The server is about to stop, as soon as the answers under way are sent."""
        if (close := self.app_state.get(CLOSING)) is not None:
            close()
        super().shutdown()
        if self._stall is not None:
            self._read_again()
            self._watch_reader(LAST_WORDS)

    def _watch_reader(self, patience: float) -> None:
        left = self.transport.get_write_buffer_size()
        self._stall = self.loop.call_later(patience, self._cut_off, left, patience)

    def _read_again(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _cut_off(self, before: int, patience: float) -> None:
        """Whoever took nothing all the while never will; what is held for it is let go."""
        if self.transport.get_write_buffer_size() < before:
            self._watch_reader(patience)
        else:
            self.transport.abort()

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
