"""The audit's side of a store: versions over many drafts, and the log of what auditors read."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest

from projections.store.audit import AuditRead
from projections.store.base import Store
from tests.domain.scenes import ANN, BEN, MONDAY
from tests.projections.conftest import Ask


async def test_what_auditors_read_only_grows(store: Store, ask: Ask) -> None:
    read = AuditRead(MONDAY, ANN, "/v1/audit", "{}", None, "r1", "127.0.0.1")
    await store.audit.note_read(read)
    await store.audit.note_read(read._replace(request="r2"))
    for statement in ("UPDATE audit_reads SET path = ''", "DELETE FROM audit_reads"):
        with pytest.raises((sqlite3.IntegrityError, psycopg.errors.InsufficientPrivilege)):
            ask(statement)
    noted = await store.audit.reads_noted(f"auditor:{BEN}", None, 9)
    assert [(number, row.request, row.at) for number, row in noted] == [
        (2, "r2", MONDAY),
        (1, "r1", MONDAY),
    ]
    assert await store.audit.reads_noted(f"auditor:{BEN}", 2, 9) == noted[1:]
    assert list(await store.audit.reads_noted(ANN, None, 9)) == []
