"""What gates and chain cost: saves and reads over HTTP, beside a Variorum that has neither.

The gates are the question for a caller's role and the database's row-level security.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

import psycopg
from psycopg import sql

from projections.store.postgres import migrate
from tests import postgres
from tests.benchmarks.load import Generator, Repeat
from tests.benchmarks.serve import Server, on_postgres, token, variorum
from tests.benchmarks.sides import Side, rounds
from tests.benchmarks.traffic import Editor, grow, open_drafts, reads

CONNECTIONS = 16
VERSIONS = 10  # of the drafts that are read
WITH, WITHOUT = "with", "without"


@dataclass(frozen=True)
class Comparison:
    """The two servers, and how long each is measured."""

    generator: Generator
    servers: dict[str, Server]
    number: int
    seconds: float

    def saves(self) -> list[float]:
        """The saves a second of the one beside the other's, round by round."""
        return self._ratios(
            {
                name: Side(server, self._drafts(server, 1), projects=True)
                for name, server in self.servers.items()
            }
        )

    def reads(self) -> list[float]:
        """The same of reads of the current form states."""
        return self._ratios(
            {
                name: Side(
                    server,
                    [
                        Repeat(reads([f"/v1/drafts/{one.draft}"], token()))
                        for one in self._drafts(server, VERSIONS)
                    ],
                )
                for name, server in self.servers.items()
            }
        )

    def _drafts(self, server: Server, version: int) -> list[Editor]:
        opened = open_drafts(self.generator, server.port, token(), CONNECTIONS)
        return grow(self.generator, server.port, opened, version)

    def _ratios(self, sides: dict[str, Side]) -> list[float]:
        runs = rounds(self.generator, sides, self.number, self.seconds)
        pairs = zip(runs[WITH], runs[WITHOUT], strict=True)
        return [one.per_second / other.per_second for one, other in pairs]


@contextmanager
def servers() -> Iterator[dict[str, Server]]:
    """Both on one PostgreSQL with its default durability, each with a database of its own."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres.running_server())
        gated, open_ = (stack.enter_context(postgres.fresh_database(server)) for _ in range(2))
        migrate(open_.owner_url, open_.service_url)
        _open_the_gate(open_)
        yield {
            WITH: stack.enter_context(variorum(on_postgres(gated))),
            WITHOUT: stack.enter_context(variorum(on_postgres(open_), "tests.benchmarks.ungated")),
        }


def _open_the_gate(database: postgres.Database) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        tables = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'variorum'")
        for (name,) in tables.fetchall():
            statement = sql.SQL("ALTER TABLE {} DISABLE ROW LEVEL SECURITY")
            owner.execute(statement.format(sql.Identifier("variorum", name)))


def main() -> None:
    """Print the medians, and how far the rounds lie apart."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.gates", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="how often each side")
    parser.add_argument("--seconds", type=float, default=1.0, help="the length of a round")
    options = parser.parse_args()
    with servers() as both, Generator() as generator:
        comparison = Comparison(generator, both, options.rounds, options.seconds)
        for name, ratios in (("saves", comparison.saves()), ("reads", comparison.reads())):
            least, most = min(ratios), max(ratios)
            print(f"{name}, with / without: {median(ratios):.2f} ({least:.2f} to {most:.2f})")


if __name__ == "__main__":
    main()
