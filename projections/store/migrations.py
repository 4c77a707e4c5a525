"""The numbered .sql files of a schema, and which of them a database still lacks."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file: applied once, never changed after a release."""

    number: int
    name: str
    sql: str


class SchemaTooOld(Exception):
    """The database lacks migrations; says which command applies them."""

    def __init__(self, has: int, wants: int) -> None:
        super().__init__(
            f"The database has schema {has}, this release wants {wants}; run `variorum migrate` first."
        )


class SchemaTooNew(Exception):
    """The database was migrated by a later release."""

    def __init__(self, has: int, wants: int) -> None:
        super().__init__(
            f"The database has schema {has}, this release knows {wants}; run the newer release."
        )


def migrations(engine: str) -> list[Migration]:
    """All migrations of an engine, in order."""
    folder = files("projections.store") / engine / "schema"
    found = [item for item in folder.iterdir() if item.name.endswith(".sql")]
    return sorted(
        (Migration(int(item.name[:3]), item.name, item.read_text("utf-8")) for item in found),
        key=lambda migration: migration.number,
    )


def must_be_current(engine: str, has: int) -> None:
    """Refuse a schema that is not this release's.

    Raises:
        SchemaTooOld: Migrations are missing.
        SchemaTooNew: A later release has been here.
    """
    wants = migrations(engine)[-1].number
    if has < wants:
        raise SchemaTooOld(has, wants)
    if has > wants:
        raise SchemaTooNew(has, wants)
