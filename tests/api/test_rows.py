"""Rows of an older table of drafts are taken over: out of a database, JSON lines and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api import moving
from api.operations import Failed
from api.settings import Settings
from projections.rows import RowsImported
from tests import postgres
from tests.api.calls import Caller, Document, replace
from tests.commands import Operator

TABLE = """
    CREATE TABLE gig_drafts (
        id integer PRIMARY KEY, user_id text NOT NULL, gig_id integer, form_data jsonb NOT NULL,
        current_step integer, completed_steps integer[], last_saved_at timestamptz NOT NULL,
        expires_at timestamptz, created_at timestamptz NOT NULL, mood text
    );
    INSERT INTO gig_drafts VALUES
        (1, 'ann', 42, '{"title": "Jazz", "fee": 100}', 2, '{0,1}', '2026-01-05 10:00:00+00',
         '2026-03-05 10:00:00+00', '2026-01-01 09:00:00+00'),
        (2, 'ann', NULL, '{"title": "Blues"}', NULL, NULL, '2026-01-06 10:00+00', NULL, now()),
        (3, 'ben', 42, '{"title": "Soul"}', 1, '{}', '2026-01-07 10:00+00', NULL, now()),
        (4, 'ann', 42, '{"title": "Older"}', 1, '{}', '2026-01-02 10:00+00', NULL, now())
"""


@pytest.fixture
def older(postgres_server: postgres.Server) -> Iterator[str]:
    """The address of a database with an older table of four drafts."""
    with postgres.fresh_database(postgres_server) as database:
        address = postgres_server.url(postgres.OWNER, database.name)
        with psycopg.connect(address) as connection:
            connection.execute(TABLE)
        yield address


class Told(list[str]):
    """What was said of rows, and how far it was."""

    def __init__(self) -> None:
        super().__init__()
        self.progress: list[tuple[int, int]] = []


async def imports(
    settings: Settings, source: object, table: str = "gig_drafts"
) -> tuple[RowsImported, Told]:
    told = Told()
    done = await moving.import_rows(
        settings,
        str(source),
        table,
        "gig",
        told.append,
        lambda done, total: told.progress.append((done, total)),
    )
    return done, told


async def by_title(somebody: Caller) -> dict[str, Document]:
    lines = (await somebody.lists())["items"]
    return {line["title"]: await somebody.draft(line["id"]) for line in lines}


async def test_each_row_becomes_a_draft_of_its_users(
    settings: Settings, older: str, ann: Caller, ben: Caller
) -> None:
    done, told = await imports(settings, older)

    assert done == RowsImported(new=4, beside=1, left_out=("mood",))
    assert told.progress == [(1, 4), (2, 4), (3, 4), (4, 4)]
    mine, his = await by_title(ann), await by_title(ben)
    assert (set(mine), set(his)) == ({"Jazz", "Blues", "Older"}, {"Soul"})
    jazz = mine["Jazz"]
    assert (jazz["subject"], jazz["step"], jazz["completed_steps"]) == ("42", "2", ["0", "1"])
    assert jazz["created_at"] == "2026-01-01T09:00:00Z"
    assert jazz["saved_at"] == "2026-01-05T10:00:00Z"
    assert jazz["expires_at"] == "2026-03-05T10:00:00Z"
    assert mine["Blues"]["subject"] is None
    assert mine["Blues"]["expires_at"] == "2026-02-05T10:00:00Z"
    version = await ann.version(jazz, 1)
    assert (version["act"], version["by"], version["at"]) == ("imported", "ann", jazz["saved_at"])
    assert version["about"]["imported"]["row"] == "1"
    assert told == [f"row 4 stands beside draft {jazz['id']}, open for the same subject"]
    assert (await ann.open(subject="42"))["id"] == jazz["id"]


async def test_once_more_takes_nothing_also_after_edits(
    settings: Settings, older: str, ann: Caller
) -> None:
    await imports(settings, older)
    drafts = await by_title(ann)
    await ann.save(drafts["Jazz"], replace("/title", "Late jazz"))
    await ann.discard(drafts["Blues"])
    await ann.asks("POST", f"{drafts['Blues']['id']}/purge")
    with psycopg.connect(older) as connection:
        connection.execute(
            """UPDATE gig_drafts SET form_data = '{"title": "changed there"}';
            INSERT INTO gig_drafts
                SELECT 9, 'ann', 43, '{"title": "New"}', NULL, NULL, now(), NULL, now()"""
        )

    done, told = await imports(settings, older)

    assert (done.new, done.known, done.refused, told) == (1, 4, 0, [])
    assert set(await by_title(ann)) == {"Late jazz", "Older", "New"}


GOOD: Document = {
    "id": 1,
    "user_id": "ann",
    "gig_id": "42",
    "form_data": {"title": "Jazz"},
    "current_step": "venue",
    "completed_steps": ["basic"],
    "last_saved_at": "2026-01-05T10:00:00Z",
    "created_at": "2026-01-01T09:00:00Z",
}


def lines(folder: Path, *rows: Any) -> Path:
    """A file of JSON lines."""
    file = folder / "rows.jsonl"
    file.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows), "utf-8")
    return file


async def test_json_lines_and_csv_say_the_same(
    settings: Settings, tmp_path: Path, ann: Caller
) -> None:
    table = tmp_path / "rows.csv"
    table.write_text(
        "id,user_id,gig_id,form_data,current_step,completed_steps,last_saved_at,created_at\n"
        '1,ann,42,"{""title"": ""Jazz""}",venue,{basic},2026-01-05 10:00+00,2026-01-01 09:00+00\n'
        '2,ann,,"{""title"": ""Soul""}",,"[""basic"", 2]",2026-01-05 10:00:00.12+00,\n',
        "utf-8",
    )
    done, _ = await imports(settings, table)
    assert (done.new, done.refused) == (2, 0)
    drafts = await by_title(ann)
    assert drafts["Soul"]["completed_steps"] == ["basic", "2"]

    again, _ = await imports(settings, lines(tmp_path, GOOD))

    assert (again.new, again.known) == (0, 1)
    assert drafts["Jazz"]["step"] == "venue"
    other, _ = await imports(settings, lines(tmp_path, GOOD), table="public.drafts")
    assert (other.new, other.beside) == (1, 1)


BAD: list[tuple[Any, str]] = [
    ({**GOOD, "form_data": '{"title":'}, "row 1 is left: its form_data cannot be read"),
    ({**GOOD, "form_data": [1]}, "row 1 is left: its form_data is no JSON object"),
    ({**GOOD, "form_data": None}, "row 1 is left: its form_data is no JSON object"),
    ({**GOOD, "form_data": {"n": 2**60}}, "row 1 is left: its form_data has, at /n, an integer"),
    ({**GOOD, "form_data": {"n": list(range(20_000))}}, "row 1 is left: /data: A draft may have"),
    ({**GOOD, "user_id": None}, "row 1 is left: its user_id names no person"),
    ({**GOOD, "user_id": "link:1"}, "row 1 is left: its user_id names no person"),
    ({**GOOD, "gig_id": "x" * 201}, "row 1 is left: its gig_id has more than 200 characters"),
    ({**GOOD, "last_saved_at": "soon"}, "row 1 is left: its last_saved_at is no time"),
    ({**GOOD, "last_saved_at": None, "created_at": None}, "row 1 is left: it has no last_saved_at"),
    ({**GOOD, "completed_steps": "some"}, "row 1 is left: its completed_steps are no list"),
    ({**GOOD, "id": None}, "the row at place 1 is left: it has no id"),
    ("not JSON", "the row at place 1 is left: it has no id"),
    ("[1, 2]", "the row at place 1 is left: it has no id"),
]


@pytest.mark.parametrize(("bad", "why"), BAD, ids=[why[-20:] for _, why in BAD])
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_row_that_does_not_fit_is_named_and_the_others_are_taken(
    settings: Settings, tmp_path: Path, ann: Caller, bad: Any, why: str
) -> None:
    done, told = await imports(settings, lines(tmp_path, bad, {**GOOD, "id": 2}))

    assert (done.new, done.refused) == (1, 1)
    assert told[0].startswith(why)
    assert len((await ann.lists())["items"]) == 1


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_what_cannot_be_had_is_said_in_a_sentence(
    settings: Settings, tmp_path: Path, older: str
) -> None:
    for source, table, why in (
        (older, "nothing_here", "The table nothing_here cannot be read"),
        ("postgresql://ann:secret@127.0.0.1:1/x", "gig_drafts", "The database of the rows cannot"),
    ):
        with pytest.raises(Failed) as refused:
            await imports(settings, source, table)
        assert str(refused.value).startswith(why)
        assert "secret" not in str(refused.value)
    rubbish = tmp_path / "rows.csv"
    rubbish.write_bytes(b"\xff\xfe\x00 rubbish")
    with pytest.raises(Failed, match="cannot be read"):
        await imports(settings, rubbish)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_command_tells_what_became_of_the_rows(operator: Operator, tmp_path: Path) -> None:
    file = lines(tmp_path, GOOD, {**GOOD, "id": 2, "mood": "x", "form_data": 1})

    done = operator.runs("import-rows", file, "--form", "gig")

    assert done.code == 1
    assert done.out.splitlines() == [
        "row 2 is left: its form_data is no JSON object",
        "Left out, since no draft has them: mood.",
        "Imported 1 draft, 0 of them beside an open one: 0 already here, 1 refused.",
    ]
    assert "cannot be used" in operator.runs("import-rows", "nowhere.csv").refusal
