"""What people do to a gig's form, at random: each stroke leaves a word that nobody else types."""

from __future__ import annotations

import random
from typing import Any

from domain.path import ABSENT, find
from domain.value import Data
from tests.domain.scenes import put
from tests.domain.syncing import Device

NOTE = "The doors open at eight.\nThe band plays at nine, or so.\nThe bar closes at ten.\n" * 2
GIG: Data = {
    "title": "Jazz",
    "fee": 100,
    "public": True,
    "venue": {"city": "Ghent", "hall": {"seats": 90}},
    "acts": [{"id": n, "name": f"act {n}", "fee": 1} for n in "abcd"],
    "tags": ["jazz", "late", "free"],
    "note": NOTE,
    "rows": [{"what": "beer", "price": 3}, {"what": "wine", "price": 5}],
    "contact": {"name": "Zoë", "at": {"phone": "12"}},
    "start": 20,
    "end": 23,
    "roles": ["bar", "door"],
}
PLAIN = ("/title", "/fee", "/public", "/venue/city", "/venue/hall/seats")
VALUES = [100, 250, 300, 1, True, False, "Jazz", "Blues"]


def type_something(chance: random.Random, live: Data, word: str) -> list[dict[str, Any]]:
    """Something that a person does to the form; what is new in it carries the word."""
    kinds = [plain, plain, plain, in_text, in_text, in_item, in_item, tag, list_of_acts]
    kinds += [row, whole, period, role]
    return chance.choice(kinds)(chance, live, word)


def period(chance: random.Random, live: Data, word: str) -> list[dict[str, Any]]:
    """Fields that belong together, one of them or both."""
    start = put("/start", chance.choice([word, 20, 23]), "add")
    end = put("/end", chance.choice([f"{word[:-1]}00000z", 20, 23]), "add")
    return chance.choice([[start], [end], [start, end]])


def role(chance: random.Random, live: Data, word: str) -> list[dict[str, Any]]:
    """A list whose order means nothing."""
    roles = live["roles"]
    if roles and chance.random() < 0.4:
        return [{"op": "remove", "path": f"/roles/{chance.randrange(len(roles))}"}]
    return [put("/roles/-", chance.choice([word, "bar", "light"]), "add")]


def row(chance: random.Random, live: Data, word: str) -> list[dict[str, Any]]:
    """Items without ids."""
    if type(rows := live["rows"]) is not list or not rows or chance.random() < 0.3:
        return [put("/rows", [*(rows or []), {"what": word, "price": 1}], "add")]
    place = chance.randrange(len(rows))
    return chance.choice(
        [
            [put(f"/rows/{place}/what", word, "add")],
            [put(f"/rows/{place}/price", word, "add")],
            [put(f"/rows/{place}", {"what": word}, "add")],
            [{"op": "remove", "path": f"/rows/{place}"}],
        ]
    )


def whole(chance: random.Random, live: Data, word: str) -> list[dict[str, Any]]:
    """An object edited inside, or put in another's place, or another kind of value."""
    anew = chance.choice([{"name": word}, {"name": "Zoë", "at": {"phone": word}}, word, [word]])
    if type(held := live.get("contact")) is not dict or chance.random() < 0.3:
        return [put("/contact", anew, "add")]
    if chance.random() < 0.2:
        return [{"op": "remove", "path": "/contact"}]
    inside = "/contact/at/phone" if type(held.get("at")) is dict else "/contact/name"
    return [put(inside, word, "add")]


def plain(chance: random.Random, live: Data, word: str) -> list[dict[str, Any]]:
    path = chance.choice(PLAIN)
    if chance.random() < 0.1 and find(live, path) is not ABSENT:
        return [{"op": "remove", "path": path}]
    return [put(path, chance.choice(VALUES), "add")]


def in_text(chance: random.Random, live: Data, word: str) -> list[dict[str, Any]]:
    text = live.get("note", "")
    start = chance.randint(0, len(text))
    end = min(len(text), start + chance.choice([0, 0, 0, 4, 30]))
    new = chance.choice([f"{word} ", f" {word} ", f"{word} and more.\n", word, ""])
    return [put("/note", text[:start] + new + text[end:], "add")]


def in_item(chance: random.Random, live: Data, word: str) -> list[dict[str, Any]]:
    if not (acts := live["acts"]):
        return list_of_acts(chance, live, word)
    path = f"/acts/id:{chance.choice(acts)['id']}/{chance.choice(['name', 'fee'])}"
    return [put(path, word, "add")]


def tag(chance: random.Random, live: Data, word: str) -> list[dict[str, Any]]:
    tags = live["tags"]
    if tags and chance.random() < 0.4:
        place = chance.randrange(len(tags))
        return [
            chance.choice([put(f"/tags/{place}", word), {"op": "remove", "path": f"/tags/{place}"}])
        ]
    return [put(f"/tags/{chance.randint(0, len(tags))}", word, "add")]


def list_of_acts(chance: random.Random, live: Data, word: str) -> list[dict[str, Any]]:
    acts = live["acts"]
    if not acts or chance.random() < 0.4:
        free = [id_ for id_ in [word, word, "a", "b"] if all(act["id"] != id_ for act in acts)]
        item = {"id": chance.choice(free), "name": f"act {word}", "fee": 1}
        return [put(f"/acts/{chance.randint(0, len(acts))}", item, "add")]
    path = f"/acts/id:{chance.choice(acts)['id']}"
    if chance.random() < 0.5:
        return [{"op": "remove", "path": path}]
    to = f"/acts/{chance.randrange(len(acts))}"
    return [{"op": "move", "from": path, "path": to}]


def some_paths(chance: random.Random) -> tuple[str, ...] | None:
    paths = [*PLAIN, "/venue", "/note", "/tags", "/acts", "/acts/id:a", "/rows", "/contact"]
    return chance.choice([None, (chance.choice(paths),), tuple(chance.sample(paths[:4], 2))])


def save(chance: random.Random, device: Device) -> None:
    """An autosave of what was typed: changes or the whole form, now and then with a hard stop."""
    conditions: list[dict[str, Any]] = [
        {},
        {"on_conflict": "reject"},
        {"if_match": (device.based_on,)},
    ]
    condition = {} if device.outbox else chance.choice(conditions)
    device.save(chance.choice(["changes", "changes", "data"]), **condition)
