"""The commands `sweep` and `forget`, in this process: what they do and what they say."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner, Result

from api.cli import cli
from api.service import open_store
from api.settings import Settings
from domain.origin import Origin
from tests.commands import KEYS
from tests.domain.scenes import ANN
from tests.projections.histories import desk, started

NOW = datetime.now(UTC)


def runs(settings: Settings, *arguments: str, said: str = "") -> Result:
    """Run a command here, with what somebody types."""
    environment = {"DATABASE_URL": settings.database_url, **KEYS}
    return CliRunner().invoke(cli, arguments, input=said, env=environment)


@pytest.fixture
def drafts(settings: Settings) -> None:
    """Two drafts of Ann's whose time is over."""

    async def open_them() -> None:
        async with started(open_store(settings)) as store, desk(store) as writer:
            await store.people.new_key("ann", ANN)
            for days in (31, 40):
                await writer.open({"n": days}, Origin(ANN, NOW - timedelta(days=days)))

    asyncio.run(open_them())


def test_a_sweep_says_what_it_would_do_and_what_it_did(settings: Settings, drafts: None) -> None:
    dry = "Would have expired 2 drafts, purged 0 drafts.\n"
    assert runs(settings, "sweep", "--dry-run").output == dry
    assert runs(settings, "sweep", "--dry-run").output == dry
    assert runs(settings, "sweep").output == "Expired 2 drafts, purged 0 drafts.\n"
    assert runs(settings, "sweep").output == "Expired 0 drafts, purged 0 drafts.\n"


def test_a_sweep_beside_another_one_does_nothing(settings: Settings, drafts: None) -> None:
    async def hold() -> Result:
        async with started(open_store(settings)) as store, store.trash.alone("sweep") as alone:
            assert alone
            return await asyncio.to_thread(runs, settings, "sweep")

    assert asyncio.run(hold()).output == "Another sweep is at work: nothing was done.\n"
    assert runs(settings, "sweep").output.startswith("Expired 2 drafts")


def test_forgetting_asks_first_and_says_whom_nobody_knows(settings: Settings, drafts: None) -> None:
    refused = runs(settings, "forget", "ann", said="n\n")
    assert refused.exit_code == 1
    assert "Purge all drafts of ann for good?" in refused.output
    assert runs(settings, "forget", "ann", "--yes").output == "Forgot ann; purged 2 drafts.\n"
    unknown = "Nobody called ann is known here, or not any more; nothing was done.\n"
    assert runs(settings, "forget", "ann", "--yes").output == unknown
