"""Streams of a real server: readers who never read, and the end of the process."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.calls import Caller, Document, id_of, replace
from tests.commands import KEYS, Operator, Serving

PATIENCE = 1  # seconds for a client to take anything of what it is sent
LARGE = 500_000  # characters


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Somebody with SQLite, who is not patient."""
    bounds = {"VARIORUM_REQUEST_TIMEOUT": str(PATIENCE), "VARIORUM_RATE_USER": "off"}
    return Operator(tmp_path, {**KEYS, **bounds})


@pytest.fixture
def serving(operator: Operator) -> Iterator[Serving]:
    with operator.serves() as serving:
        yield serving


@pytest.fixture
async def ann(operator: Operator, serving: Serving) -> AsyncIterator[Caller]:
    async with serving.called_by(operator.succeeds("token", "ann").strip()) as ann:
        yield ann


async def streams(serving: Serving) -> int:
    """How many streams are open."""
    async with httpx.AsyncClient() as client:
        return int((await client.get(f"{serving.url}/readyz")).json()["streams"])


async def until_streams(serving: Serving, number: int) -> None:
    async with asyncio.timeout(20):
        while await streams(serving) != number:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


@asynccontextmanager
async def listening(serving: Serving, who: Caller, draft: Document) -> AsyncIterator[list[str]]:
    """A reader of a stream; the lines that came, the last of them None when it has ended."""
    lines: list[str] = []

    async def read() -> None:
        headers = {"authorization": f"Bearer {who.token}"}
        async with httpx.AsyncClient(base_url=serving.url, timeout=30) as client:
            path = f"/v1/drafts/{id_of(draft)}/events"
            async with client.stream("GET", path, headers=headers) as answer:
                lines.extend([line async for line in answer.aiter_lines()])
        lines.append("over")

    task = asyncio.create_task(read())
    yield lines
    await asyncio.wait_for(task, 20)


def deaf(serving: Serving, who: Caller, draft: Document) -> socket.socket:
    """A connection that asks for a stream and never reads."""
    where = urlsplit(serving.url)
    asking = socket.socket()
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    asking.connect((where.hostname, where.port))
    asking.sendall(
        f"GET /v1/drafts/{id_of(draft)}/events HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {who.token}\r\n\r\n".encode()
    )
    return asking


async def flood(who: Caller, draft: Document) -> None:
    """More than fits into the buffers on the way."""
    for number in range(12):
        await who.save(draft, replace("/text", str(number) * LARGE))


async def test_a_reader_that_never_reads_is_cut_off_and_the_others_go_on(
    serving: Serving, ann: Caller
) -> None:
    draft = await ann.open({"text": ""})
    with closing(deaf(serving, ann, draft)):
        await until_streams(serving, 1)
        await flood(ann, draft)
        await until_streams(serving, 0)
    assert (await ann.draft(draft))["version"] == 13


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_streams_at_once_and_then_the_process(
    serving: Serving, ann: Caller, how: signal.Signals
) -> None:
    draft = await ann.open({"n": 0})
    async with AsyncExitStack() as stack:
        read = [await stack.enter_async_context(listening(serving, ann, draft)) for _ in range(3)]
        await until_streams(serving, 3)
        began = time.monotonic()
        assert await asyncio.to_thread(serving.ends, how) == 0, serving.said()
        assert time.monotonic() - began < 10
    assert [lines[-1] for lines in read] == ["over"] * 3
    assert "Traceback" not in serving.said()


@pytest.mark.long
async def test_a_reader_that_never_reads_does_not_keep_the_process_from_its_end(
    operator: Operator,
) -> None:
    patient = operator.having(VARIORUM_REQUEST_TIMEOUT="30")
    with patient.serves() as serving:
        async with serving.called_by(operator.succeeds("token", "ann").strip()) as ann:
            draft = await ann.open({"text": ""})
            with closing(deaf(serving, ann, draft)):
                await until_streams(serving, 1)
                await flood(ann, draft)
                assert await streams(serving) == 1
                began = time.monotonic()
                assert await asyncio.to_thread(serving.ends) == 0, serving.said()
                assert time.monotonic() - began < 15
