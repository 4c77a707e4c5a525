"""What is written in one turn of the event loop leaves in one piece, and nothing stays behind."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from api.sending import OneWrite


class Wire:
    """A transport that keeps what it was told."""

    def __init__(self) -> None:
        self.said: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.said.append(data)

    def close(self) -> None:
        self.said.append(b"closed")

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


def sending(wire: Wire) -> OneWrite:
    return OneWrite(cast("asyncio.Transport", cast("Any", wire)))


async def test_head_and_body_leave_together() -> None:
    wire = Wire()
    transport = sending(wire)
    transport.write(b"head")
    transport.write(b"body")
    assert wire.said == []
    await asyncio.sleep(0)
    assert wire.said == [b"headbody"]


async def test_a_head_does_not_wait_for_a_body_that_is_still_made() -> None:
    wire = Wire()
    transport = sending(wire)
    for piece in (b"head", b"first", b"second"):
        transport.write(piece)
        await asyncio.sleep(0)
    assert wire.said == [b"head", b"first", b"second"]


async def test_what_was_written_leaves_before_the_connection_closes_and_only_once() -> None:
    wire = Wire()
    transport = sending(wire)
    transport.write(b"last words")
    transport.close()
    await asyncio.sleep(0)
    assert wire.said == [b"last words", b"closed"]


async def test_all_else_is_asked_of_the_connection_itself() -> None:
    assert sending(Wire()).get_extra_info("peername") == "the peername"
