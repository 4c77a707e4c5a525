"""HEAD: the answer that GET would have, without its body (RFC 9110, section 9.3.2)."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.asgi import BODY, START


async def head(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let the app answer as it would to GET, and send the head of that.

    Of an answer in several parts, which may be long or never end, only the first is made.
    """
    state = {**scope.get("state", {}), "method": scope["method"]}
    started = False

    async def head_only(message: Message) -> None:
        nonlocal started
        if message["type"] == START:
            await send(message)
            started = True
        elif message.get("more_body"):
            answering.cancel()
            await asyncio.get_running_loop().create_future()  # this may be a task of its own

    async def answer() -> None:
        await app({**scope, "method": "GET", "state": state}, receive, head_only)

    async with asyncio.TaskGroup() as group:
        answering = group.create_task(answer())
    if started:
        await send({"type": BODY, "body": b""})
