"""The store on SQLite: one file, one process; to start with, and for small installations."""

from projections.store.sqlite.migrations import migrate
from projections.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "migrate"]
