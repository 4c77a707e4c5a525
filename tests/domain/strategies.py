"""Random forms, and random edits of them, as Hypothesis strategies."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from domain.form import Form, read_form, undefined
from domain.path import join

names = st.sampled_from(["title", "fee", "venue", "a/b", "~t", "", "0", "id:1", "é"])
# A busy machine is no reason to fail.
LAWS = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
THOUSANDS = settings(LAWS, max_examples=5_000)
MANY = settings(LAWS, max_examples=2_000)

VOCABULARY = ["jazz", "night", "the", "fee", "\n", "é", "👩‍👧", "250", "a", "."]
words = st.sampled_from(VOCABULARY)
allowed = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
short_texts = st.text(allowed, max_size=4) | words


def _poem(seed: int) -> str:
    # Drawing each word costs Hypothesis more than all that is done with the text.
    chance = random.Random(seed)
    return " ".join(chance.choices(VOCABULARY, k=chance.randint(50, 90)))


long_texts = st.integers(0, 99).map(_poem)
numbers = st.integers(-3, 3) | st.sampled_from([0.5, 1.0, -0.0, 2.0])
scalars = st.none() | st.booleans() | numbers | short_texts
ids = st.integers(0, 6) | st.sampled_from(["1", "2", "a", "b", "c/d", "e~"])
ID_KEYS = ["id", "key", "_key", "uuid", "code"]
id_keys = st.sampled_from(["id", "id", "id", "key", "_key", "uuid", "code", "code"])


def forms(leaves: int = 12) -> SearchStrategy[dict[str, Any]]:
    """Forms with objects, lists with ids and without, long texts and every scalar."""
    return st.dictionaries(names, values(leaves), max_size=5)


def values(leaves: int = 12) -> SearchStrategy[Any]:
    return st.recursive(scalars | long_texts, _containers, max_leaves=leaves)


def _containers(inner: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return (
        st.dictionaries(names, inner, max_size=4)
        | st.lists(inner, max_size=5)
        | st.lists(st.sampled_from(["a", "b", "c", 1, True]), max_size=6)
        | item_lists(inner)
        | st.lists(_items(inner), max_size=4)
    )


def item_lists(inner: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Lists of objects that each have an id of their own."""
    return st.builds(
        lambda items, key: [{**item, key: id_} for id_, item in items.items()],
        st.dictionaries(ids, st.dictionaries(names, inner, max_size=2), max_size=6),
        id_keys,
    )


def _items(inner: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Objects whose ids may be doubled, missing, of other types, or under several keys."""
    identities = st.dictionaries(id_keys, ids | st.booleans() | st.just(""), max_size=2)
    return st.builds(lambda a, b: {**a, **b}, st.dictionaries(names, inner, max_size=2), identities)


@st.composite
def edited(draw: st.DrawFn, value: Any) -> Any:
    """The form after a few edits, such as a person makes."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    for _ in range(draw(st.integers(0, 3))):
        value = _edited(draw, value, chance)
    return value


def _edited(draw: st.DrawFn, value: Any, chance: random.Random) -> Any:
    if type(value) is dict:
        return _edited_object(draw, value, chance)
    if type(value) is list:
        return _edited_list(draw, value, chance)
    if type(value) is str and len(value) > 40:
        return _edited_text(value, chance)
    return draw(values(3))


def _edited_object(draw: st.DrawFn, value: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    result = dict(value)
    if not value or chance.random() < 0.15:
        result[draw(names)] = draw(values(3))
        return result
    name = chance.choice(sorted(value))
    if chance.random() < 0.15:
        del result[name]
    elif name not in ID_KEYS or chance.random() < 0.1:
        result[name] = _edited(draw, value[name], chance)
    return result


def _edited_list(draw: st.DrawFn, value: list[Any], chance: random.Random) -> list[Any]:
    result = list(value)
    kind = chance.choice(["add", "remove", "move", "edit", "edit", "shuffle"])
    place = chance.randrange(len(result)) if result else 0
    if kind == "add" or not result:
        result.insert(place + chance.randint(0, 1), draw(_new_item(value)))
    elif kind == "remove":
        del result[place]
    elif kind == "move":
        result.insert(chance.randrange(len(result)), result.pop(place))
    elif kind == "shuffle":
        chance.shuffle(result)
    else:
        result[place] = _edited(draw, result[place], chance)
    return result


def _new_item(siblings: list[Any]) -> SearchStrategy[Any]:
    """An item like the others."""
    if siblings and type(siblings[0]) is dict:
        shared = [k for k in ID_KEYS if k in siblings[0]] or ["id"]
        return st.builds(lambda id_, value: {shared[0]: id_, "v": value}, ids, values(2))
    return st.sampled_from(["a", "b", "c", 1, True]) | values(2)


def _edited_text(value: str, chance: random.Random) -> str:
    start = chance.randrange(len(value))
    end = min(len(value), start + chance.randint(0, 20))
    return value[:start] + chance.choice(["", "new", "two words", "\n", "é "]) + value[end:]


@st.composite
def edits(draw: st.DrawFn, sides: int = 1) -> tuple[Any, ...]:
    """A form, and as many edited copies of it as `sides` says."""
    base = draw(forms())
    return (base, *(draw(edited(base)) for _ in range(sides)))


@dataclass(frozen=True)
class Defined:
    """Forms of one kind, one edited into the others, and the kind's definition."""

    form: Form
    data: tuple[dict[str, Any], ...]


tokens = st.lists(names | st.just("*"), min_size=1, max_size=3)
rules = st.fixed_dictionaries(
    {}, optional={"merge": st.sampled_from(["text", "set", "atomic"]), "key": id_keys}
)


@st.composite
def definitions(draw: st.DrawFn) -> Form:
    """Rules at random places, with merge groups of members of the form or of a list's items."""
    patterns = draw(st.lists(tokens, max_size=6))
    grouped = draw(st.lists(names, unique=True, max_size=4))
    above = draw(st.sampled_from([[], [], ["venue"], ["fee", "*"]]))
    pairs = [grouped[start : start + 2] for start in range(0, len(grouped) - 1, 2)]
    return read_form(
        {
            "form": "random",
            "fields": {join(*pattern): draw(rules) for pattern in patterns},
            "groups": [[join(*above, name) for name in pair] for pair in pairs],
        }
    )


@st.composite
def defined_edits(draw: st.DrawFn, sides: int = 2) -> Defined:
    """Any form edited, with a definition made for others, or with none."""
    form = draw(st.just(undefined("random")) | definitions())
    return Defined(form, draw(edits(sides)))


GIG = read_form(
    {
        "form": "gig",
        "fields": {
            "/title": {"merge": "text"},
            "/tags": {"merge": "set"},
            "/contact": {"merge": "atomic"},
            "/acts": {"key": "code"},
            "/acts/*/name": {"merge": "text"},
            "/acts/*/shifts": {"key": "key"},
            "/acts/*/roles": {"merge": "set"},
        },
        "groups": [
            ["/start", "/end"],
            ["/price", "/venue/currency"],
            ["/acts/*/from", "/acts/*/to"],
            ["/rows", "/total"],
        ],
    }
)
"""A definition in which everything is declared that can be."""

few = st.integers(0, 3)
sentences = st.lists(words, min_size=1, max_size=5).map(" ".join)
tags = st.lists(st.sampled_from(["a", "b", "c", 1, True]), max_size=4)
people = st.fixed_dictionaries({}, optional={"name": sentences, "phone": few})
shifts = st.lists(st.fixed_dictionaries({"key": ids, "hours": few}), max_size=3)
acts = st.lists(
    st.fixed_dictionaries(
        {"code": ids},
        optional={
            "id": ids,
            "name": sentences,
            "from": few,
            "to": few,
            "roles": tags,
            "shifts": shifts,
        },
    ),
    max_size=4,
    unique_by=lambda act: str(act["code"]),
)


def gigs() -> SearchStrategy[dict[str, Any]]:
    """Forms that fit the definition `GIG`."""
    return st.fixed_dictionaries(
        {},
        optional={
            "title": sentences,
            "tags": tags,
            "contact": people,
            "acts": acts,
            "start": few,
            "end": few,
            "price": few,
            "venue": st.fixed_dictionaries({}, optional={"currency": few, "city": few}),
            "rows": st.lists(people, max_size=3),
            "total": few,
            "fee": few,
        },
    )


@st.composite
def gig_edits(draw: st.DrawFn, sides: int = 2) -> Defined:
    """A gig, and edited copies of it, some of them written anew."""
    base = draw(gigs())
    anew = gigs().map(lambda new: {**base, **new})
    copies = (draw(edited(base) | anew | gigs()) for _ in range(sides))
    return Defined(GIG, (base, *copies))
