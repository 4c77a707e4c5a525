"""Arrays in binary: PostgreSQL takes them for what they were made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from projections.store.postgres.arrays import bigints, byteas, texts, times, uuids
from projections.store.postgres.connections import READER, connect
from projections.store.postgres.lanes import Lane, Statement
from tests import postgres

ID = UUID("7b2e0000-0000-4000-8000-000000000001")
MOMENT = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)
OLD = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "make", "values"),
    [
        ("uuid", uuids, [ID, UUID(int=0)]),
        ("bigint", bigints, [0, -1, None, 2**53, -(2**63)]),
        ("text", texts, ["", None, "Jazz", "ünï ✓", 'a "quote", {braces}\\ NULL', "x" * 70_000]),
        ("bytea", byteas, [b"", b"\x00\xff", b"y" * 70_000]),
        ("timestamptz", times, [MOMENT, OLD, MOMENT.replace(microsecond=0)]),
    ],
)
async def test_an_array_arrives_as_it_was(
    postgres_database: postgres.Database, kind: str, make: Any, values: list[Any]
) -> None:
    lane = Lane(await connect(postgres_database.service_url, READER))
    for some in (values, values[:1], []):
        statement = Statement(f"echo {kind}".encode(), f"SELECT $1::{kind}[]".encode())
        assert await lane.ask(statement, [make(some)]) == [(some,)]
    await lane.close()
