"""Form definitions: what the fields of a form are called, how they merge, which belong together.

A definition says how to read and merge, never what may be saved: an incomplete draft is a draft.
Events hold results, so another definition never changes the past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
    model_validator,
)

from domain.errors import CannotApply, Fault, Invalid
from domain.identity import ANY_ITEM as ANY_ITEM
from domain.identity import KEYS, Keys
from domain.path import declared_keys, join, parse
from domain.schema import schema_faults


def _parsed(pattern: str) -> str:
    if not pattern.startswith("/"):
        raise ValueError("A path begins with '/'")
    try:
        parse(pattern)
    except CannotApply as misfit:
        raise ValueError(misfit.detail) from None
    return pattern


Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Pattern = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_parsed)]
"""A JSON Pointer in which `*` stands for any item or member: `/acts/*/fee`."""

_STRICT = ConfigDict(extra="forbid", frozen=True)


class FieldRule(BaseModel):
    """What a definition says of the values at one pattern.

    `merge`: `text` by words, `set` as a list without order, `atomic` whole. `key` is the member
    that gives each item of a list its id; `item` leads from an item to the name it is called by.
    """

    model_config = _STRICT

    label: Name | None = None
    format: Name | None = None
    merge: Literal["text", "set", "atomic"] | None = None
    key: Name | None = None
    item: Pattern | None = None
    sensitive: StrictBool = False


class Step(BaseModel):
    """One page of a form in several steps, and the paths that are filled in there."""

    model_config = _STRICT

    id: Name
    label: Name | None = None
    paths: tuple[Pattern, ...] = ()


class Node:
    """What a definition says at one place of a form, and the way further down."""

    __slots__ = ("any", "groups", "hides", "members", "rule")

    def __init__(self) -> None:
        self.rule: FieldRule = NO_RULE
        self.members: dict[str, Node] = {}
        self.any: Node | None = None
        self.hides = False
        """Whether this place is sensitive, or one below it."""
        self.groups: list[Sequence[tuple[str, ...]]] = []
        """The merge groups whose nearest common place this is, as tokens from here."""

    def below(self, token: str) -> Node:
        """The place that one token leads to; an exact name goes before `*`."""
        found = self.members.get(token) or self.any
        return NOWHERE if found is None else found

    def make(self, tokens: Sequence[str]) -> Node:
        """The node at a pattern, with all that lead to it."""
        node = self
        for token in tokens:
            if token == ANY_ITEM:
                node.any = node.any or Node()
                node = node.any
            else:
                node = node.members.setdefault(token, Node())
        return node

    def hide(self, tokens: Sequence[str]) -> None:
        """Mark the way to a sensitive place."""
        for depth in range(len(tokens) + 1):
            self.make(tokens[:depth]).hides = True


Fields: TypeAlias = dict[str, "Fields"]
"""Members by their names, each with those in it; one without any is a field."""

NO_RULE: Final = FieldRule()
NOWHERE: Final = Node()
"""A place that no definition says anything about."""


class Form(BaseModel):
    """The definition of one kind of form, as in the contract; what it leaves out is by default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: Name
    label: Name | None = None
    title: Pattern | None = None
    steps: tuple[Step, ...] = Field(default=(), max_length=200)
    fields: dict[Pattern, FieldRule] = Field(default={}, max_length=2_000)
    groups: tuple[tuple[Pattern, ...], ...] = Field(default=(), max_length=500)
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")

    @model_validator(mode="after")
    def _steps_are_apart(self) -> Form:
        if len({step.id for step in self.steps}) < len(self.steps):
            raise ValueError("Each step has an id of its own.")
        return self

    @model_validator(mode="after")
    def _groups_are_groups(self) -> Form:
        every = [path for group in self.groups for path in group]
        if any(len(group) < 2 for group in self.groups) or _overlap(map(parse, every)):
            raise ValueError("A merge group has at least two paths, each in one group only.")
        for group in self.groups:
            tokens = [parse(path) for path in group]
            shared = _common_start(tokens)
            if any(ANY_ITEM in one[shared:] for one in tokens):
                raise ValueError("The paths of a merge group lie in the same object or list item.")
        return self

    @cached_property
    def root(self) -> Node:
        """The definition as a tree to walk beside the data."""
        root = Node()
        for pattern, rule in self.fields.items():
            root.make(parse(pattern)).rule = rule
        for pattern in self.sensitive:
            root.hide(parse(pattern))
        for group in self.groups:
            tokens = [parse(path) for path in group]
            shared = _common_start(tokens)
            root.make(tokens[0][:shared]).groups.append([one[shared:] for one in tokens])
        return root

    @cached_property
    def keys(self) -> Keys | None:
        """The list keys that `id:` tokens follow besides the usual ones; None if there are none."""
        declared = {pattern: rule.key for pattern, rule in self.fields.items() if rule.key}
        # The first of the usual keys goes first anyway, and is not worth naming in every change.
        return declared_keys({p: key for p, key in declared.items() if key != KEYS[0]})

    @cached_property
    def known(self) -> Fields:
        """The fields that the definition names, in a tree of members; a list is one field."""
        known: Fields = {}
        for path in (*self.fields, *(path for step in self.steps for path in step.paths)):
            self._know(known, parse(path))
        for tokens in _properties(self.json_schema or {}):
            self._know(known, tokens)
        return known

    @cached_property
    def how_many(self) -> int:
        """How many fields the definition names."""
        return _count(self.known)

    def _know(self, known: Fields, tokens: Sequence[str]) -> None:
        node = self.root
        for token in tokens:
            if token == ANY_ITEM:
                return
            known = known.setdefault(token, {})
            node = node.below(token)
            if node.rule.merge == "atomic" or node.any is not None:
                return

    @cached_property
    def places(self) -> dict[str | None, tuple[int, str | None]]:
        """The steps by their ids: each with its number, from 1, and its label."""
        return {step.id: (n, step.label) for n, step in enumerate(self.steps, 1)}

    def at(self, path: str) -> FieldRule:
        """What the definition says of the value at a path."""
        node = self.root
        for token in parse(path):
            node = node.below(token)
        return node.rule

    def default(self, name: str) -> Any:
        """What the form's JSON Schema gives as the default of a member; None if nothing."""
        properties = (self.json_schema or {}).get("properties")
        about = properties.get(name) if isinstance(properties, dict) else None
        return about.get("default") if isinstance(about, dict) else None

    @property
    def sensitive(self) -> Iterator[str]:
        """The patterns of the sensitive fields."""
        return (pattern for pattern, rule in self.fields.items() if rule.sensitive)


def _count(known: Fields) -> int:
    return sum(_count(below) if below else 1 for below in known.values())


def _properties(schema: Mapping[str, Any], depth: int = 8) -> Iterator[tuple[str, ...]]:
    """The members that a schema names, and those in them, as far as it says so on the spot."""
    named = schema.get("properties")
    for name, about in named.items() if isinstance(named, dict) and depth else ():
        inner = list(_properties(about, depth - 1)) if isinstance(about, dict) else []
        yield from ((name, *below) for below in inner) if inner else [(name,)]


def _overlap(patterns: Iterable[tuple[str, ...]]) -> bool:
    """Whether one pattern is another, or leads into it; in order, such two are neighbours."""
    return any(other[: len(one)] == one for one, other in pairwise(sorted(patterns)))


def _common_start(paths: Sequence[tuple[str, ...]]) -> int:
    shared = 0
    for tokens in zip(*(path[:-1] for path in paths), strict=False):
        if len(set(tokens)) > 1:
            break
        shared += 1
    return shared


def read_form(definition: Mapping[str, Any]) -> Form:
    """A definition as it was sent or lies in a file.

    Raises:
        Invalid: Each thing wrong with it, with the pointer to it.
    """
    try:
        return checked(Form.model_validate(definition))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise Invalid([Fault(_pointer(e["loc"]), _sentence(e["msg"])) for e in found]) from None


def checked(form: Form) -> Form:
    """The form, if its JSON Schema can be applied.

    Raises:
        Invalid: Each thing wrong with the schema, with the pointer to it.
    """
    if form.json_schema is not None and (wrong := schema_faults(form.json_schema, "/schema")):
        raise Invalid(wrong)
    return form


def _pointer(loc: Sequence[int | str]) -> str:
    return join(*(str(step) for step in loc if step != "[key]"))


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".") + "."


Definitions: TypeAlias = Callable[[str], Form]
"""The definition in force of a form, by its name."""


@lru_cache(maxsize=1_000)
def undefined(form: str) -> Form:
    """A form without a definition: every rule is the default."""
    return Form.model_construct(form=form)
