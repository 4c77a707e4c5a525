"""A filter by path finds every version that altered what is there, be it from above."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.asked import Edit
from domain.diff import apply
from domain.event import Beginning, DataEvent
from domain.form import read_form
from domain.path import find, join, parse
from domain.value import Data, Json, same
from projections.inside import ANYWHERE, Inside, inside_of
from projections.store.base import Store, VersionFilter
from tests.domain.scenes import ANN, DRAFTS, origin
from tests.projections.histories import Desk, desk, log_of

NAMES = ("a", "b/c", "~d", "id:x", "0", "-1", "Été")
PATHS = (
    *("", "/a", "/b~1c", "/~0d", "/id:x", "/0", "/-1", "/Été", "/list", "/list/id:5", "/gone"),
    *("/a/a", "/a/b~1c", "/a/0", "/a/-1", "/a/01", "/a/id:x", "/list/id:5/a", "/list/id:x/a/0"),
    *("/list/id:1.5", "/list/id:", "/list/0", "/a/list/id:x/b~1c", "//"),
)


@pytest.fixture
async def ann(store: Store) -> AsyncIterator[Desk]:
    """Ann's desk."""
    await store.people.new_key("ann", ANN)
    async with desk(store) as opened:
        yield opened


def value(chance: random.Random, depth: int) -> Json:
    """Some value, with objects, lists and lists of items with ids in it."""
    kind = chance.randint(0, 3 if depth else 1)
    if kind < 2:
        return chance.choice([None, True, False, 0, 1, 1.0, "", "x", "1"])
    if kind == 2:
        return [value(chance, depth - 1) for _ in range(chance.randint(0, 3))]
    return form(chance, depth - 1)


def form(chance: random.Random, depth: int) -> Data:
    names = chance.sample(NAMES, chance.randint(0, 4))
    made: Data = {name: value(chance, depth) for name in names}
    if depth and chance.random() < 0.7:
        ids = chance.sample([5, "x", 1.5, "y"], chance.randint(0, 4))
        made["list"] = [{**form(chance, depth - 1), "id": id_} for id_ in ids]
    return made


@pytest.mark.parametrize("seed", range(12))
async def test_every_version_that_altered_a_path_is_found_by_it(
    store: Store, ann: Desk, seed: int
) -> None:
    chance = random.Random(seed)
    draft = await ann.open(form(chance, 3))
    version = 1
    for _ in range(12):
        edit = Edit(version, data=form(chance, 3))
        version = (await ann.run(draft, DRAFTS.edit, edit, origin())).version
    told = [record.event() for record in await log_of(store, draft)]
    for path in PATHS:
        wanted = VersionFilter(path=path, limit=99)
        found = {line[0] for line in await store.versions(ANN, draft, wanted)}
        altered, shifted, data = set[int](), set[int](), dict[str, Any]()
        for event in told:
            before, data = data, after(event, data)
            if named(event, path) or not same(find(before, path), find(data, path)):
                # What moves to another place in a list did not alter by that.
                by_place = goes_by_place(before, path) or goes_by_place(data, path)
                (shifted if by_place else altered).add(event.originator_version)
        assert altered <= found <= altered | shifted, path


def after(event: Any, data: Data) -> Data:
    return event.data or {} if isinstance(event, Beginning) else apply(event.changes, data)


def goes_by_place(data: Data, path: str) -> bool:
    """Whether a path leads to an item of a list by its place there."""
    tokens = parse(path)
    around = (find(data, join(*tokens[:n])) for n in range(len(tokens)))
    return any(
        type(one) is list and not token.startswith("id:")
        for one, token in zip(around, tokens, strict=True)
    )


def named(event: Any, path: str) -> bool:
    """Whether a change names the path, or one in it: an item that was moved, say."""
    changes = event.changes if isinstance(event, DataEvent) else ()
    return any(f"{change['path']}/".startswith(f"{path}/") for change in changes)


@pytest.mark.parametrize("path", ["a", "/~9", "/a/~"])
async def test_what_is_no_path_finds_nothing(store: Store, ann: Desk, path: str) -> None:
    draft = await ann.open({"a": {"~": 1}, "~9": 2})
    assert list(await store.versions(ANN, draft, VersionFilter(path=path))) == []


async def test_items_go_by_declared_keys_and_sensitive_values_are_not_looked_into(
    store: Store, ann: Desk
) -> None:
    gig = read_form(
        {
            "form": "gig",
            "fields": {
                "/acts": {"key": "code"},
                "/contact": {"merge": "atomic", "sensitive": True},
            },
        }
    )
    draft = await ann.open(
        {"acts": [{"code": "q", "fee": 1}], "contact": {"phone": 1, "tags": [{"id": "secret"}]}}
    )

    async def found(path: str, inside: Inside) -> int:
        wanted = VersionFilter(path=path, inside=inside)
        return len(await store.versions(ANN, draft, wanted))

    shown = inside_of([gig], "/acts/id:q/fee", hides=True)
    assert await found("/acts/id:q/fee", shown) == 1
    assert await found("/acts/id:q/fee", ANYWHERE) == 0
    for path in ("/contact/phone", "/contact/fax", "/contact/tags/id:secret", "/contact/tags/id:x"):
        mine, theirs = (inside_of([gig], path, hides=hides) for hides in (False, True))
        assert theirs.depth == len(parse("/contact"))
        there = path in ("/contact/phone", "/contact/tags/id:secret")
        assert await found(path, mine) == there
        assert await found(path, theirs) == 1
