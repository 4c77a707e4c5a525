"""The commands `variorum webhooks`: what was not taken yet, and delivering it once more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer

from api.operations import Failed, opened
from api.printing import counted
from api.service import now
from api.settings import Settings, load_settings
from projections.store.outbox import Waiting

webhooks = typer.Typer(help="Show what the webhook did not take, and deliver it once more.")


@webhooks.callback(invoke_without_command=True)
def list_webhooks(context: typer.Context) -> None:
    """List messages that are not delivered: id, event, draft, version, attempts, and when next."""
    if context.invoked_subcommand is None:
        for waiting in asyncio.run(_listed(load_settings())):
            typer.echo(_as_line(waiting))


@webhooks.command()
def replay(
    id_: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A message, as the list has it.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
) -> None:
    """Deliver a message once more, at once and as often as a new one; by the service that runs."""
    if (id_ is None) != every:
        raise Failed("Name a message, or --all for those that were given up.")
    count = asyncio.run(_replay(load_settings(), None if id_ is None else _id(id_)))
    if id_ is not None and not count:
        raise Failed(f"There is no message {id_}; `variorum webhooks` lists all.")
    typer.echo(f"{counted(count, 'message')} will be delivered again.")


async def _listed(settings: Settings) -> Sequence[Waiting]:
    async with opened(settings) as store:
        return await store.outbox.listed()


async def _replay(settings: Settings, id_: UUID | None) -> int:
    async with opened(settings) as store:
        return await store.outbox.replay(id_, now())


def _id(text: str) -> UUID:
    try:
        return UUID(text.removeprefix("msg_"))
    except ValueError:
        raise Failed(f"{text} is no id of a message; `variorum webhooks` lists all.") from None


def _as_line(waiting: Waiting) -> str:
    message, due = waiting.message, waiting.due_at
    what = f"{message.event}  draft {message.draft}  version {message.version}"
    when = "given up" if due is None else f"next {due:%Y-%m-%d %H:%M:%S}"
    told = f"{waiting.attempts} attempts" if waiting.attempts != 1 else "1 attempt"
    why = [waiting.problem] if waiting.problem else []
    return "  ".join((f"msg_{message.id.hex}", what, told, when, *why))
