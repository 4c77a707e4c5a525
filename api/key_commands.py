"""The commands `variorum key`: API keys for machines, made, listed and revoked."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from api import operations
from api.settings import load_settings
from projections.store.api_keys import ApiKey

key = typer.Typer(help="Make and revoke API keys, by which machines call.", no_args_is_help=True)


class Role(StrEnum):
    """What a token or a key may say besides who it is for."""

    auditor = "auditor"
    admin = "admin"


@key.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for; shown in the list.")],
    role: Annotated[Role | None, typer.Option(help="A role to hold.")] = None,
    expires_in: Annotated[
        float | None, typer.Option(help="Days until it ends; never if not given.", min=0.001)
    ] = None,
) -> None:
    """Make a key and print it; it is not kept, so that nobody can print it again."""
    lifetime = None if expires_in is None else timedelta(days=expires_in)
    typer.echo(asyncio.run(operations.create_api_key(load_settings(), name, role, lifetime)))


@key.command(name="list")
def list_keys() -> None:
    """List all keys there ever were, oldest first: id, role, dates, name."""
    for api_key in asyncio.run(operations.list_api_keys(load_settings())):
        typer.echo(_as_line(api_key))


@key.command()
def revoke(id_: Annotated[str, typer.Argument(metavar="ID", help="As the list has it.")]) -> None:
    """End a key at once and for good."""
    asyncio.run(operations.revoke_api_key(load_settings(), id_))
    typer.echo(f"The API key {id_} is revoked.")


def _as_line(api_key: ApiKey) -> str:
    made = f"made {api_key.created_at:%Y-%m-%d}"
    return "  ".join((api_key.id, api_key.role or "-", made, _end(api_key), api_key.name))


def _end(api_key: ApiKey) -> str:
    if api_key.revoked_at is not None:
        return f"revoked {api_key.revoked_at:%Y-%m-%d}"
    return f"ends {api_key.expires_at:%Y-%m-%d}" if api_key.expires_at else "never ends"
