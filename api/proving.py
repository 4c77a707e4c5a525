"""What an operator does with whole histories: verify, checkpoint, export and import them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from os import SEEK_END
from pathlib import Path
from typing import Any
from uuid import UUID

from api.operations import Failed, explained, forms_of, opened
from api.settings import ConfigurationError, Settings
from domain.chain import ChainKey, Keyring
from projections import checkpoint as checkpoints
from projections import export as exporting
from projections import importing, verify
from projections.checkpoint import Checkpoint
from projections.sealed import NotSealed
from projections.verify import Progress, Tally, Tell

Write = Callable[[bytes], Any]


def keyring(settings: Settings) -> Keyring:
    """The key that links are made with now, and all that they may have been made with."""
    return Keyring(map(ChainKey, (settings.keys.chain, *settings.known_chain_keys)))


def known_keyring(settings: Settings) -> Keyring:
    """The keys that are there, for whoever has a file and no database.

    Raises:
        ConfigurationError: There is none.
    """
    if not settings.known_chain_keys:
        raise ConfigurationError("Set VARIORUM_CHAIN_KEY to the key that the file was made with.")
    return Keyring(map(ChainKey, settings.known_chain_keys))


async def verify_log(
    settings: Settings, against: Path | None, tell: Tell, progress: Progress
) -> Tally:
    """Check every draft in the database."""
    async with opened(settings) as store:
        ring = keyring(settings)
        with explained(settings), _checkpoint(against, ring) as checkpoint:
            return await verify.verify_log(store, ring, tell, progress, checkpoint)


def verify_file(
    settings: Settings, file: Path, against: Path | None, tell: Tell, progress: Progress
) -> Tally:
    """Check every draft in an export; needs the key and no database."""
    ring = known_keyring(settings)
    with _sealed(file), file.open("rb") as lines, _checkpoint(against, ring) as checkpoint:
        size = lines.seek(0, SEEK_END)
        lines.seek(0)
        return verify.verify_file(lines, size, ring, tell, progress, checkpoint)


async def checkpoint(settings: Settings, at: datetime, write: Write) -> int:
    """Write the heads of all drafts; answers how many there were."""
    async with opened(settings) as store:
        key = ChainKey(settings.keys.chain)
        return await checkpoints.write_checkpoint(store, key, at, write)


async def export(
    settings: Settings, drafts: Sequence[str], write: Write, progress: Progress
) -> int:
    """Write the history of some drafts, or of all; answers how many events there were."""
    async with opened(settings) as store:
        key = ChainKey(settings.keys.chain)
        try:
            return await exporting.export(store, list(map(_id, drafts)), key, write, progress)
        except exporting.NoSuchDraft as unknown:
            raise Failed(str(unknown)) from None


async def import_drafts(
    settings: Settings, file: Path, tell: Tell, progress: Progress, *, unverified: bool
) -> importing.Imported:
    """Take over the drafts of an export."""
    with _sealed(file), file.open("rb") as lines:
        async with opened(settings) as store:
            ring, forms = keyring(settings), await forms_of(settings, store)
            size = lines.seek(0, SEEK_END)
            lines.seek(0)
            return await importing.import_drafts(
                store, lines, size, ring, tell, progress, unverified=unverified, forms=forms
            )


@contextmanager
def _checkpoint(file: Path | None, ring: Keyring) -> Iterator[Checkpoint | None]:
    if file is None:
        yield None
        return
    with file.open("rb") as lines:
        with _sealed(file):
            checkpoint = Checkpoint(lines, ring)
        yield checkpoint


@contextmanager
def _sealed(file: Path) -> Iterator[None]:
    """Say in a sentence which file is not what it should be."""
    try:
        yield
    except NotSealed as wrong:
        raise Failed(f"{file} {wrong}.") from None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Failed(f"{text} is not the id of a draft.") from None
