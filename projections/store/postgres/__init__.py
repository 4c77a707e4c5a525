"""The store on PostgreSQL: for production, with several workers and row-level security."""

from projections.store.postgres.migrations import migrate
from projections.store.postgres.store import PostgresStore

__all__ = ["PostgresStore", "migrate"]
