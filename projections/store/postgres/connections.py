"""Connections to PostgreSQL: each opened under one of the service's two roles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from domain.errors import StoreUnavailable

SCHEMA = "variorum"
READER, WORKER = "variorum_reader", "variorum_worker"
UNREACHABLE = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    PoolTimeout,
    PoolClosed,
    TooManyRequests,
)


def taking(role: str) -> Callable[[AsyncConnection[Any]], Awaitable[None]]:
    """What a pool does with each new connection."""

    async def configure(connection: AsyncConnection[Any]) -> None:
        connection.prepare_threshold = 0
        await connection.execute(f"SET ROLE {role}")
        await connection.execute(f"SET search_path TO {SCHEMA}")
        await connection.execute("SET timezone TO 'UTC'")
        await connection.execute("SET plan_cache_mode TO force_generic_plan")

    return configure


def pool(url: str, role: str, size: int) -> AsyncConnectionPool[AsyncConnection[TupleRow]]:
    """A pool of connections that can do what the role can, no more."""
    return AsyncConnectionPool(
        url,
        kwargs={"autocommit": True, "application_name": f"variorum {role}"},
        min_size=1,
        max_size=size,
        open=False,
        timeout=10,
        max_waiting=1000,
        configure=taking(role),
    )


async def connect(url: str, role: str) -> AsyncConnection[TupleRow]:
    """One connection of its own."""
    connection = await AsyncConnection.connect(url, autocommit=True, connect_timeout=10)
    await taking(role)(connection)
    return connection


class Lanes:
    """A few connections on which single statements take turns.

    A statement alone needs no connection of its own: psycopg lets one wait for the other. A pool's
    hand-over costs as much as half a read (measured: 13 % of the service's work at 16 readers).
    """

    def __init__(self, url: str, role: str, size: int) -> None:
        self._url, self._role = url, role
        self._lanes: list[AsyncConnection[TupleRow] | None] = [None] * size
        self._turn = 0

    async def open(self) -> None:
        """Connect every lane, so that the first readers do not wait."""
        for lane in range(len(self._lanes)):
            await self._connected(lane)

    async def close(self) -> None:
        """Let the connections go."""
        for connection in self._lanes:
            if connection is not None:
                await connection.close()
        self._lanes = [None] * len(self._lanes)

    async def rows(self, statement: Any, arguments: Any) -> list[TupleRow]:
        """The rows of a statement that only reads; asked again if its connection was lost."""
        lane = self._turn = (self._turn + 1) % len(self._lanes)
        try:
            return await self._ask(lane, statement, arguments)
        except UNREACHABLE:
            return await self._ask(lane, statement, arguments)

    async def _ask(self, lane: int, statement: Any, arguments: Any) -> list[TupleRow]:
        connection = self._lanes[lane]
        if connection is None or connection.closed:
            connection = await self._connected(lane)
        cursor = await connection.execute(statement, arguments, prepare=True, binary=True)
        return await cursor.fetchall()

    async def _connected(self, lane: int) -> AsyncConnection[TupleRow]:
        made = await connect(self._url, self._role)
        there = self._lanes[lane]
        if there is not None and not there.closed:  # somebody else was faster
            await made.close()
            return there
        self._lanes[lane] = made
        return made


@asynccontextmanager
async def reaching() -> AsyncIterator[None]:
    """Say in our words that the database cannot be reached."""
    try:
        yield
    except UNREACHABLE as unreachable:
        raise StoreUnavailable("The database cannot be reached; try again.") from unreachable
