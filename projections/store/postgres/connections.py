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
    try:
        await taking(role)(connection)
    except BaseException:  # whoever wanted it may have gone meanwhile
        await connection.close()
        raise
    return connection


@asynccontextmanager
async def reaching() -> AsyncIterator[None]:
    """Say in our words that the database cannot be reached."""
    try:
        yield
    except UNREACHABLE as unreachable:
        raise StoreUnavailable("The database cannot be reached; try again.") from unreachable
