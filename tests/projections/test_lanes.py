"""Lanes: who asks gets the own answer, whatever becomes of the others and of the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from projections.store.postgres.connections import READER, connect
from projections.store.postgres.lanes import Lane, Lanes, Statement
from tests import postgres
from tests.projections.wire import Cut, wire_to

ECHO = Statement(b"echo", b"SELECT $1::text, $2::bigint, $3::uuid")
LENGTH = Statement(b"length", b"SELECT length($1::text)::bigint, $1::text")
SLOW = Statement(b"slow", b"SELECT 1 FROM pg_sleep(0.2)")
BROKEN = Statement(b"broken", b"SELECT 1 / length($1::text)")
NAME = Statement(b"name", b"SELECT set_config('variorum.user', $1::text, true)")
NAMED = Statement(b"named", b"SELECT current_setting('variorum.user', true)")


@asynccontextmanager
async def opened(url: str, size: int = 1) -> AsyncIterator[Lanes]:
    """Lanes to a database, from their opening to their close."""
    lanes = Lanes(url, READER, size)
    await lanes.open()
    try:
        yield lanes
    finally:
        await lanes.close()


@pytest.fixture
async def lanes(postgres_database: postgres.Database) -> AsyncIterator[Lanes]:
    async with opened(postgres_database.service_url) as lanes:
        yield lanes


async def echo(lanes: Lanes, text: str) -> str:
    ((said, number, nobody),) = await lanes.rows(ECHO, (text, len(text), None))
    assert (number, nobody) == (len(text), None)
    return str(said)


async def test_everybody_gets_the_own_answer(postgres_database: postgres.Database) -> None:
    questions = [f"question {n}" * (n % 7) for n in range(300)]
    async with opened(postgres_database.service_url, size=3) as lanes:
        answers = await asyncio.gather(*(echo(lanes, question) for question in questions))
    assert answers == questions


async def test_what_does_not_fit_into_the_buffers_arrives_too(lanes: Lanes) -> None:
    texts = [letter * 3_000_000 for letter in "abcdef"]
    answers = await asyncio.gather(*(lanes.rows(LENGTH, (text,)) for text in texts))
    assert answers == [[(len(text), text)] for text in texts]


async def test_an_error_is_that_of_who_asked_for_it(lanes: Lanes) -> None:
    asked = [echo(lanes, "before"), lanes.rows(BROKEN, ("",)), echo(lanes, "after")]
    before, error, after = await asyncio.gather(*asked, return_exceptions=True)
    assert (before, after) == ("before", "after")
    assert isinstance(error, psycopg.errors.DivisionByZero)
    assert await lanes.rows(BROKEN, ("a",)) == [(1,)]


async def test_a_statement_that_cannot_be_prepared_can_be_asked_again(lanes: Lanes) -> None:
    for _ in range(2):
        with pytest.raises(psycopg.errors.UndefinedTable):
            await lanes.rows(Statement(b"nonsense", b"SELECT * FROM nowhere"), ())


async def test_who_goes_away_takes_nobodys_answer_along(lanes: Lanes) -> None:
    gone = asyncio.create_task(lanes.rows(SLOW, ()))
    stays = asyncio.create_task(echo(lanes, "still here"))
    await asyncio.sleep(0.05)
    gone.cancel()
    assert await stays == "still here"
    assert await echo(lanes, "and again") == "and again"


async def test_every_statement_is_a_transaction_of_its_own(lanes: Lanes) -> None:
    named, found = await asyncio.gather(lanes.rows(NAME, ("ann",)), lanes.rows(NAMED, ()))
    assert named == [("ann",)]
    assert found in ([(None,)], [("",)])


@pytest.mark.parametrize("cut", ["statement", "answer"])
async def test_a_lost_connection_is_replaced_and_all_are_asked_again(
    postgres_database: postgres.Database, cut: Cut
) -> None:
    url = postgres_database.service_url
    async with wire_to(url) as wire, opened(wire.url(url)) as lanes:
        assert await echo(lanes, "all is well") == "all is well"
        wire.cut = cut
        texts = [f"question {n}" for n in range(20)]
        assert await asyncio.gather(*(echo(lanes, text) for text in texts)) == texts


async def test_a_server_that_hangs_up_on_an_idle_lane_is_asked_on_a_new_one(
    postgres_server: postgres.Server, postgres_database: postgres.Database, lanes: Lanes
) -> None:
    superuser = postgres_server.url(postgres.SUPERUSER, "postgres")
    async with await psycopg.AsyncConnection.connect(superuser, autocommit=True) as above:
        await above.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            (postgres_database.name,),
        )
    await asyncio.sleep(0.1)
    assert await echo(lanes, "hello") == "hello"


async def test_a_lane_that_is_closed_twice_lets_others_have_its_socket(
    postgres_database: postgres.Database,
) -> None:
    """The number of a closed socket is given to the next connection."""
    url = postgres_database.service_url
    old = Lane(await connect(url, READER))
    await old.close()
    new = Lane(await connect(url, READER))
    await old.close()
    async with asyncio.timeout(10):
        assert await new.ask(LENGTH, ("four",)) == [(4, "four")]
    await new.close()


async def test_nobody_waits_on_a_lane_that_was_closed(lanes: Lanes) -> None:
    waiting = asyncio.create_task(lanes.rows(SLOW, ()))
    await asyncio.sleep(0.05)
    (lane,) = lanes._lanes
    assert lane is not None
    await lane.close()
    assert lane.closed
    assert await waiting == [(1,)]  # asked again, on a new one
