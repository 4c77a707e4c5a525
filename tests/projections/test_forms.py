"""Form definitions in force: shipped ones, a folder's, and those that an admin has sent."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from domain.errors import FormNotFound, StoreUnavailable
from domain.form import Form, read_form, undefined
from projections.forms import BrokenForm, Forms, document
from projections.store.base import Store
from projections.store.postgres.connections import WORKER, connect
from projections.store.sqlite import SqliteStore
from tests import postgres
from tests.domain.scenes import ANN, BEN, MONDAY
from tests.projections.conftest import Ask

GIG = Path(__file__).parents[2] / "domain" / "forms" / "gig.json"


UNUSED = SqliteStore(Path("unused.db"))  # files are read without it


def form(name: str = "venue", **members: Any) -> Form:
    return read_form({"form": name, **members})


@asynccontextmanager
async def started(forms: Forms) -> AsyncIterator[Forms]:
    """Forms that look for more, until the end of the `with`."""
    await forms.start()
    try:
        yield forms
    finally:
        await forms.stop()


async def until(met: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not met():  # noqa: ASYNC110 - it happens in another task
            await asyncio.sleep(0.01)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An operator's folder of definitions."""
    made = tmp_path / "forms"
    made.mkdir()
    return made


def put_file(folder: Path, name: str, definition: Any) -> Path:
    file = folder / name
    file.write_bytes(definition if isinstance(definition, bytes) else orjson.dumps(definition))
    return file


# -- what is in force


def test_the_gig_form_comes_with_the_service() -> None:
    forms = Forms(UNUSED)
    assert forms.of("gig") == forms.named("gig") == read_form(orjson.loads(GIG.read_bytes()))
    assert [(known.form.form, known.source) for known in forms.listed("", 9)] == [
        ("gig", "shipped")
    ]


def test_a_form_that_nobody_defined_goes_by_the_defaults() -> None:
    forms = Forms(UNUSED)
    assert forms.of("venue") == undefined("venue")
    assert forms.of("venue").root is forms.of("venue").root
    with pytest.raises(FormNotFound, match="venue"):
        forms.named("venue")


def test_a_folder_adds_definitions_and_replaces_shipped_ones(folder: Path) -> None:
    put_file(folder, "any-name.json", {"form": "venue", "label": "Venue"})
    put_file(folder, "gig.json", {"form": "gig", "label": "Ours"})
    put_file(folder, "notes.txt", b"no definition")
    forms = Forms(UNUSED, folder)
    assert [(known.form.label, known.source) for known in forms.listed("", 9)] == [
        ("Ours", "folder"),
        ("Venue", "folder"),
    ]


async def test_what_an_admin_sends_goes_before_all_files(store: Store, folder: Path) -> None:
    put_file(folder, "gig.json", {"form": "gig", "label": "Ours"})
    forms = Forms(store, folder)
    await forms.put(form("gig", label="Sent"), ANN, MONDAY)
    assert forms.of("gig").label == "Sent"
    again = Forms(store, folder)
    assert again.of("gig").label == "Ours"
    async with started(again):
        assert [(known.form.label, known.source) for known in again.listed("", 9)] == [
            ("Sent", "stored")
        ]


async def test_a_definition_comes_back_as_it_was_sent(store: Store) -> None:
    sent = orjson.loads(GIG.read_bytes())
    forms = Forms(store)
    await forms.put(read_form(sent), ANN, MONDAY)
    again = Forms(store)
    await again.refresh()
    assert document(again.of("gig")) == sent


async def test_every_definition_that_was_sent_stays_with_who_and_when(
    store: Store, ask: Ask
) -> None:
    forms = Forms(store)
    for label, by in (("A", ANN), ("A", BEN), ("B", BEN), ("A", ANN)):
        await forms.put(form(label=label), by, MONDAY)
    rows = ask("SELECT form, definition, by FROM forms ORDER BY number")
    assert rows == [
        ("venue", '{"form":"venue","label":"A"}', ANN),
        ("venue", '{"form":"venue","label":"B"}', BEN),
        ("venue", '{"form":"venue","label":"A"}', ANN),
    ]
    ((at,),) = ask("SELECT DISTINCT at FROM forms")
    assert str(at).replace("T", " ").startswith("2026-03-02 09:00:00")


def test_definitions_are_listed_by_name_from_any_name_on(folder: Path) -> None:
    for name in ("b", "a", "c"):
        put_file(folder, f"{name}.json", {"form": name})
    forms = Forms(UNUSED, folder)
    assert [known.form.form for known in forms.listed("", 2)] == ["a", "b"]
    assert [known.form.form for known in forms.listed("b", 9)] == ["c", "gig"]


# -- several processes


async def test_another_process_learns_of_a_definition_within_a_second(store: Store) -> None:
    async with started(Forms(store)) as here, started(Forms(store)) as there:
        await here.put(form(label="A"), ANN, MONDAY)
        await until(lambda: there.of("venue").label == "A", seconds=1)
        await there.put(form(label="B"), BEN, MONDAY)
        assert there.of("venue").label == "B"
        await until(lambda: here.of("venue").label == "B", seconds=1)


async def test_an_older_answer_of_the_store_never_undoes_a_newer_definition(store: Store) -> None:
    slow = Slow(store)
    forms = Forms(slow)  # type: ignore[arg-type]
    await store.forms.keep("venue", '{"form": "venue", "label": "A"}', ANN, MONDAY)
    late = asyncio.create_task(forms.refresh())
    await slow.asked.wait()
    await store.forms.keep("venue", '{"form": "venue", "label": "B"}', ANN, MONDAY)
    slow.open.set()
    slow.hold = False
    await forms.refresh()
    await late
    assert forms.of("venue").label == "B"


class Slow:
    """A store whose first answer comes late."""

    def __init__(self, store: Store) -> None:
        self._store, self.forms = store, self  # nothing else is asked of it
        self.asked, self.open, self.hold = asyncio.Event(), asyncio.Event(), True

    async def newest(self, after: int) -> Any:
        rows = await self._store.forms.newest(after)
        if self.hold:
            self.asked.set()
            await self.open.wait()
            await asyncio.sleep(0.05)
        return rows

    async def unrest(self, form: str) -> None:
        await self._store.forms.unrest(form)


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
async def test_numbers_follow_the_order_of_commits(
    store: Store, postgres_database: postgres.Database
) -> None:
    writing = await connect(postgres_database.service_url, WORKER)
    async with writing.transaction():
        await writing.execute("SELECT pg_advisory_xact_lock(8602219)")
        other = asyncio.create_task(store.forms.keep("b", "{}", ANN, MONDAY))
        await asyncio.sleep(0.2)
        await writing.execute(
            "INSERT INTO forms (form, definition, by, at) SELECT 'a', '{}', '', now()"
        )
    await other
    await writing.close()
    assert [row.form for row in await store.forms.newest(0)] == ["a", "b"]


async def test_looking_goes_on_when_the_store_could_not_be_reached(store: Store) -> None:
    flaky = Flaky(store)
    async with started(Forms(flaky)) as forms:  # type: ignore[arg-type]
        flaky.problem = StoreUnavailable("no")
        await until(lambda: flaky.refused > 0)
        flaky.problem = ZeroDivisionError("a bug")
        await until(lambda: flaky.refused > 1)
        flaky.problem = None
        await store.forms.keep("venue", '{"form": "venue", "label": "A"}', ANN, MONDAY)
        await until(lambda: forms.of("venue").label == "A")


class Flaky:
    """A store that does not answer while it has a problem."""

    def __init__(self, store: Store) -> None:
        self._store, self.forms = store, self  # nothing else is asked of it
        self.refused = 0
        self.problem: Exception | None = None

    async def newest(self, after: int) -> Any:
        if self.problem is not None:
            self.refused += 1
            raise self.problem
        return await self._store.forms.newest(after)


async def test_a_stored_definition_that_this_release_cannot_use_is_logged_and_left_out(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await store.forms.keep("gig", '{"form": "gig", "colour": "red"}', ANN, MONDAY)
    await store.forms.keep("venue", '{"form": "venue", "label": "A"}', ANN, MONDAY)
    with caplog.at_level(logging.ERROR):
        async with started(Forms(store)) as forms:
            assert forms.of("gig").label == "Gig"
            assert forms.of("venue").label == "A"
    assert "/colour" in caplog.text


# -- broken files


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ({"form": "a", "colour": "red"}, "at /colour"),
        ({"form": "a", "fields": {"fee": {}}}, "at /fields/fee"),
        ({"form": "a", "fields": {"/fee": {"merge": "x"}}, "label": 1}, "at /fields/~1fee/merge"),
        ({"form": "a", "schema": {"type": "text"}}, "at /schema/type"),
        ({"label": "A"}, "at /form"),
        ([], "at /:"),
        (b"{", "is not JSON: EOF"),
        (b'{"form": "a", "form": "b"}', "is not JSON: Detected duplicate key"),
        (b'{"form": NaN}', "is not JSON"),
        (b"\xff", "is not JSON"),
    ],
)
def test_a_broken_file_is_named_with_the_place(folder: Path, definition: Any, words: str) -> None:
    put_file(folder, "fine.json", {"form": "fine"})
    file = put_file(folder, "broken.json", definition)
    with pytest.raises(BrokenForm, match=re.escape(f"{file} ")) as broken:
        Forms(UNUSED, folder)
    assert words in str(broken.value)
    assert str(broken.value).endswith(".")


def test_two_files_of_one_form_are_refused(folder: Path) -> None:
    put_file(folder, "a.json", {"form": "venue"})
    second = put_file(folder, "b.json", {"form": "venue"})
    with pytest.raises(BrokenForm, match=rf"{re.escape(str(second))} defines the form venue"):
        Forms(UNUSED, folder)


def test_a_folder_that_is_not_there_is_refused(folder: Path) -> None:
    with pytest.raises(BrokenForm, match="nowhere is no folder"):
        Forms(UNUSED, folder / "nowhere")


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "venue.json").mkdir()
    with pytest.raises(BrokenForm, match=r"venue\.json cannot be read: Is a directory"):
        Forms(UNUSED, folder)
