"""Listening: one connection to PostgreSQL on which a process hears what the others say.

The socket is watched for good, as on a lane: psycopg's own generator of notifications wakes every
100 ms, also when there is nothing to hear.
"""

from __future__ import annotations

import asyncio

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from projections.store.base import Hear

MOVED, SAID = b"variorum", b"variorum_said"


async def listen(connection: AsyncConnection[TupleRow], hear: Hear) -> None:
    """Hear what is said, from now on, until this is cancelled; the connection is closed then.

    Raises:
        psycopg.OperationalError: The connection is lost.
    """
    loop, lost = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

    def receive() -> None:
        try:
            _receive(connection, hear)
        except psycopg.OperationalError as error:
            loop.remove_reader(socket)
            lost.set_exception(error)

    socket = connection.pgconn.socket
    try:
        await connection.execute("LISTEN variorum")
        await connection.execute("LISTEN variorum_said")
        loop.add_reader(socket, receive)
        await lost
    finally:
        loop.remove_reader(socket)
        await connection.close()


def _receive(connection: AsyncConnection[TupleRow], hear: Hear) -> None:
    connection.pgconn.consume_input()
    while (heard := connection.pgconn.notifies()) is not None:
        if heard.relname == MOVED and heard.extra.isdigit():
            hear(int(heard.extra))
        elif heard.relname == SAID:
            hear(heard.extra.decode())
