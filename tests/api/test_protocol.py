"""Slow, endless and numerous: what a real server does with clients that mean no good."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from api.protocol import LONGEST_HEAD
from tests.commands import KEYS, Operator, Serving

PATIENCE = 1  # seconds for a request to come in
CONNECTIONS = 20
PIECE = b"a" * 16_384
MUCH, ENDLESSLY = 20_000_000, 100_000_000  # bytes; some MB fit into the buffers on the way

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Somebody who allows little, on SQLite."""
    bounds = {
        "VARIORUM_REQUEST_TIMEOUT": str(PATIENCE),
        "VARIORUM_MAX_CONNECTIONS": str(CONNECTIONS),
        "VARIORUM_RATE_ADDRESS": "off",
    }
    return Operator(tmp_path_factory.mktemp("bounded"), {**KEYS, **bounds})


@pytest.fixture(scope="module")
def serving(operator: Operator) -> Iterator[Serving]:
    with operator.serves() as serving:
        yield serving


@pytest.fixture(scope="module")
def token(operator: Operator, serving: Serving) -> str:
    return operator.succeeds("token", "ann").strip()


@asynccontextmanager
async def connected(serving: Serving) -> AsyncIterator[Stream]:
    """A connection of its own."""
    where = urlsplit(serving.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def all_said(reader: asyncio.StreamReader) -> bytes:
    """What the server says before it hangs up."""
    said = b""
    with suppress(OSError):
        while piece := await asyncio.wait_for(reader.read(65_536), 10):
            said += piece
    return said


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The status and body of one answer."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    lines = head.lower().split(b"\r\n")
    (length,) = [int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")]
    return int(head.split()[1]), await reader.readexactly(length)


async def is_served(serving: Serving) -> bool:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{serving.url}/livez")).status_code == 200


# -- too long

ENDLESS = {
    "one header": (b"GET /livez HTTP/1.1\r\nHost: x\r\nA: ", PIECE),
    "one header's name": (b"GET /livez HTTP/1.1\r\nHost: x\r\n", PIECE),
    "many headers": (b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"a: b\r\n" * 2_000),
    "an address": (b"GET /", PIECE),
    "a method": (b"", PIECE),
    "trailers": (
        b"PATCH /v1/drafts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ",
        PIECE,
    ),
    "a chunk's extension": (
        b"PATCH /v1/drafts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;",
        PIECE,
    ),
    "empty lines": (b"", b"\r\n" * 8_192),
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_what_never_ends_is_cut_off_before_it_is_much(serving: Serving, what: str) -> None:
    begin, more = ENDLESS[what]
    async with connected(serving) as (reader, writer):
        saying = asyncio.create_task(all_said(reader))
        writer.write(begin)
        sent = 0
        with suppress(OSError):
            while not saying.done() and sent < ENDLESSLY:
                writer.write(more)
                await asyncio.wait_for(writer.drain(), 10)
                sent += len(more)
        said = await saying

    assert sent < MUCH
    assert said == b"" or said.split()[1] in (b"431", b"400", b"401", b"404", b"405", b"408")
    assert await is_served(serving)


async def test_a_head_that_is_too_long_is_answered_431(serving: Serving) -> None:
    async with connected(serving) as (reader, writer):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\nA: " + b"a" * LONGEST_HEAD)
        said = await all_said(reader)

    assert said.startswith(b"HTTP/1.1 431 ")
    assert b"connection: close" in said


async def test_a_long_head_that_is_not_too_long_is_taken(serving: Serving) -> None:
    async with connected(serving) as (reader, writer):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 30_000)
        await asyncio.sleep(0.1)
        writer.write(b"a" * 30_000 + b"\r\n\r\n")
        assert (await answer(reader))[0] == 200


async def test_a_large_body_is_no_long_head(serving: Serving, token: str) -> None:
    async with serving.called_by(token) as ann:
        draft = await ann.open({"text": "x" * 900_000})
        assert len((await ann.data(draft))["text"]) == 900_000


# -- too slow

HELD = b"POST /v1/drafts HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n"
SLOW = {
    "nothing": (b"", b""),
    "half a head": (b"GET /livez HTTP/1.1\r\nHost: x\r\n", b""),
    "a head, byte by byte": (b"GET /livez HTTP/1.1\r\nHost: x\r\nA: ", b"a"),
    "empty lines": (b"", b"\r\n"),
    "half a body": (HELD + b"\r\n{", b""),
    "a body, byte by byte": (
        HELD + b"Content-Type: application/json\r\nAuthorization: Bearer %b\r\n\r\n",
        b" ",
    ),
}


# An idle connection that was used before may rest for longer.
CASES = [
    (what, again) for what in SLOW for again in (False, True) if what != "nothing" or not again
]


@pytest.mark.parametrize(("what", "again"), CASES)
async def test_a_request_that_does_not_come_to_an_end_is_ended(
    serving: Serving, token: str, what: str, again: bool
) -> None:
    begin, more = SLOW[what]
    async with connected(serving) as (reader, writer):
        if again:
            writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await answer(reader))[0] == 200
        began = time.perf_counter()
        saying = asyncio.create_task(all_said(reader))
        writer.write(begin.replace(b"%b", token.encode()))
        with suppress(OSError):
            while not saying.done() and time.perf_counter() - began < 10 * PATIENCE:
                writer.write(more)
                await writer.drain()
                await asyncio.sleep(0.05)
        said, seconds = await saying, time.perf_counter() - began

    assert seconds < 4 * PATIENCE
    assert said == b"" or said.split()[1] in (b"408", b"401")


EDIT = b'{"changes": [{"op": "replace", "path": "/fee", "value": 2}]}'
CUT = {
    "no body": (b"POST", b"/fork", b"Content-Length: 2", b""),
    "a body": (b"POST", b"/fork", b"Content-Length: 9", b"{}"),
    "a chunk": (b"POST", b"/fork", b"Transfer-Encoding: chunked", b"2\r\n{}\r\n"),
    "an edit": (b"PATCH", b"", b"Content-Length: %d" % (len(EDIT) + 1), EDIT),
    "an edit in a chunk": (
        b"PATCH",
        b"",
        b"Transfer-Encoding: chunked",
        b"%x\r\n%b\r\n" % (len(EDIT), EDIT),
    ),
}


@pytest.mark.parametrize("what", CUT)
async def test_half_a_body_is_never_taken_for_a_whole_one(
    serving: Serving, token: str, what: str
) -> None:
    """What came of these could be taken, and was not all that was meant."""
    method, path, framing, body = CUT[what]
    async with serving.called_by(token) as ann:
        draft = await ann.open({"fee": 1}, another=True)
        before = len((await ann.lists(limit=200))["items"])
        async with connected(serving) as (_, writer):
            where = b"/v1/drafts/" + draft["id"].encode() + path
            writer.write(
                b"%b %b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n"
                b"Content-Type: application/json\r\n%b\r\n\r\n%b"
                % (method, where, token.encode(), framing, body)
            )
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)

        assert len((await ann.lists(limit=200))["items"]) == before
        assert (await ann.draft(draft))["version"] == 1


async def test_a_connection_that_was_used_may_rest(serving: Serving) -> None:
    async with connected(serving) as (reader, writer):
        for _ in range(2):
            writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await answer(reader))[0] == 200
            await asyncio.sleep(2 * PATIENCE)


async def test_requests_in_a_row_and_in_pieces_are_all_answered(serving: Serving) -> None:
    async with connected(serving) as (reader, writer):
        one = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
        for piece in (one * 3, one[:10], one[10:] + one[:30], one[30:]):
            writer.write(piece)
            await asyncio.sleep(0.1)
        assert [(await answer(reader))[0] for _ in range(5)] == [200] * 5


# -- too many


async def test_when_it_is_full_newcomers_are_refused_and_those_inside_go_on(
    serving: Serving,
) -> None:
    async with AsyncExitStack() as stack:
        inside = await stack.enter_async_context(connected(serving))
        inside[1].write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await answer(inside[0]))[0] == 200
        for _ in range(5 * CONNECTIONS):
            await stack.enter_async_context(connected(serving))
        late = await stack.enter_async_context(connected(serving))

        said = await all_said(late[0])
        inside[1].write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")

        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 5" in said
        assert (await answer(inside[0]))[0] == 200
        await asyncio.sleep(2 * PATIENCE)  # the others asked nothing, and are gone
        assert await is_served(serving)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc here")
async def test_a_flood_of_connections_leaves_nothing_behind(serving: Serving) -> None:
    before = memory_of(serving)
    for _ in range(10):
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(connected(serving)) for _ in range(200)]
            for _, writer in streams:
                writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 10_000)
    await asyncio.sleep(2 * PATIENCE)

    assert await is_served(serving)
    assert memory_of(serving) < before + 20_000


def memory_of(serving: Serving) -> int:
    """What the service's process holds, in KiB."""
    status = Path(f"/proc/{serving.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1])
