"""Lanes: a few connections to PostgreSQL on which statements follow each other without a pause.

psycopg sends the next statement on a connection when the last one is answered, and has the event
loop watch the socket anew each time. In libpq's pipeline mode, with the socket watched for good, a
read took 38 µs of this process instead of 105, and 80 µs of PostgreSQL instead of 105 (measured at
16 readers).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult
from psycopg.rows import TupleRow

from projections.store.postgres.connections import UNREACHABLE, connect

Rows = list[TupleRow]
Argument = str | int | UUID | bytes | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, whose parameters `$1`, `$2`, … are texts, bigints, UUIDs, or ready bytes."""

    name: bytes
    text: bytes


class Lane:
    """One connection; every statement on it is a transaction of its own, unless one says BEGIN.

    An error is given to who asked for it, and closes the lane: all others who wait have lost their
    connection.
    """

    def __init__(self, connection: AsyncConnection[TupleRow]) -> None:
        self._connection, self._pgconn = connection, connection.pgconn
        self._values = Transformer.from_context(connection)
        self._prepared: set[bytes] = set()
        self._waiting: deque[asyncio.Future[Rows]] = deque()
        self._rows: Rows = []
        self._lost = False
        self._pgconn.enter_pipeline_mode()
        self._loop, self._socket = asyncio.get_running_loop(), self._pgconn.socket
        self._loop.add_reader(self._socket, self._receive)

    @property
    def closed(self) -> bool:
        """Whether nothing can be asked here any more."""
        return self._connection.closed

    async def close(self) -> None:
        """Let the connection go."""
        self._lose(psycopg.OperationalError("the connection was closed"))
        await self._connection.close()

    async def ask(self, statement: Statement, arguments: Sequence[Argument]) -> Rows:
        """The rows of a statement."""
        answer: asyncio.Future[Rows] = self._loop.create_future()
        self._waiting.append(answer)
        try:
            self._send(statement, [_binary(value) for value in arguments])
        except psycopg.OperationalError as lost:
            self._lose(lost)
        return await answer

    def _send(self, statement: Statement, values: list[bytes | None]) -> None:
        if statement.name not in self._prepared:
            self._pgconn.send_prepare(statement.name, statement.text)
            self._prepared.add(statement.name)
        formats = [Format.BINARY] * len(values)
        self._pgconn.send_query_prepared(statement.name, values, formats, Format.BINARY)
        self._pgconn.pipeline_sync()
        if self._pgconn.flush():
            self._loop.add_writer(self._socket, self._send_rest)

    def _send_rest(self) -> None:
        try:
            if not self._pgconn.flush():
                self._loop.remove_writer(self._socket)
        except psycopg.OperationalError as lost:
            self._lose(lost)

    def _receive(self) -> None:
        try:
            self._pgconn.consume_input()
            while self._waiting and not self._pgconn.is_busy():
                if (result := self._pgconn.get_result()) is not None:
                    self._take(result)
        except psycopg.Error as failed:
            self._lose(failed)

    def _take(self, result: PGresult) -> None:
        """The rows of the first who waits; or the mark that these were all.

        Raises:
            psycopg.Error: The statement failed.
        """
        if result.status == ExecStatus.PIPELINE_SYNC:
            answer, rows, self._rows = self._waiting.popleft(), self._rows, []
            if not answer.done():  # who asked may have gone
                answer.set_result(rows)
        elif result.status == ExecStatus.TUPLES_OK:
            self._values.set_pgresult(result)
            self._rows = self._values.load_rows(0, result.ntuples, tuple)
        elif result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)

    def _lose(self, error: psycopg.Error) -> None:
        """Close the lane: the first who waits gets the error, the others may ask elsewhere."""
        if self._lost:  # by now the socket's number may be another connection's
            return
        self._lost = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._pgconn.finish()
        while self._waiting:
            answer = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(error)
            error = psycopg.OperationalError("an error before this statement closed its connection")


class Lanes:
    """A few lanes, on which statements take turns."""

    def __init__(self, url: str, role: str, size: int) -> None:
        self._url, self._role = url, role
        self._lanes: list[Lane | None] = [None] * size
        self._turn = 0
        self._connecting = asyncio.Lock()

    async def open(self) -> None:
        """Connect every lane, so that the first readers do not wait."""
        for lane in range(len(self._lanes)):
            await self._connected(lane)

    async def close(self) -> None:
        """Let the connections go."""
        for lane in self._lanes:
            if lane is not None:
                await lane.close()
        self._lanes = [None] * len(self._lanes)

    async def rows(self, statement: Statement, arguments: Sequence[Argument]) -> Rows:
        """The rows of a statement that only reads; asked again if its connection was lost."""
        turn = self._turn = (self._turn + 1) % len(self._lanes)
        try:
            return await self._ask(turn, statement, arguments)
        except UNREACHABLE:
            return await self._ask(turn, statement, arguments)

    async def _ask(self, turn: int, statement: Statement, arguments: Sequence[Argument]) -> Rows:
        lane = self._lanes[turn]
        if lane is None or lane.closed:
            lane = await self._connected(turn)
        return await lane.ask(statement, arguments)

    async def _connected(self, turn: int) -> Lane:
        async with self._connecting:  # all who wait miss it at once
            lane = self._lanes[turn]
            if lane is None or lane.closed:
                lane = self._lanes[turn] = Lane(await connect(self._url, self._role))
            return lane


def _binary(value: Argument) -> bytes | None:
    """A value as PostgreSQL sends and receives it."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, bytes):
        return value
    return None if value is None else value.to_bytes(8, "big", signed=True)
