"""Form definitions: what the fields of a form are called, how they merge, which belong together.

A definition says how to read and merge, never what may be saved: an incomplete draft is a draft.
Events hold results, so another definition never changes the past.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Final, Literal

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
from domain.path import join, parse

ANY_ITEM: Final = "*"
"""In a pattern: every item of a list, or every member of an object."""


def _parsed(pattern: str) -> str:
    try:
        parse(pattern)
    except CannotApply as misfit:
        raise ValueError(misfit.detail) from None
    return pattern


Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Pattern = Annotated[
    str, StringConstraints(max_length=2_000, pattern=r"^/"), AfterValidator(_parsed)
]
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

    __slots__ = ("any", "groups", "members", "rule")

    def __init__(self) -> None:
        self.rule: FieldRule = NO_RULE
        self.members: dict[str, Node] = {}
        self.any: Node | None = None
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


NO_RULE: Final = FieldRule()
NOWHERE: Final = Node()
"""A place that no definition says anything about."""


class Form(BaseModel):
    """The definition of one kind of form, as in the contract; what it leaves out is by default."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    form: Name
    label: Name | None = None
    title: Pattern | None = None
    steps: tuple[Step, ...] = ()
    fields: dict[Pattern, FieldRule] = {}
    groups: tuple[tuple[Pattern, ...], ...] = ()
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")

    @model_validator(mode="after")
    def _groups_are_groups(self) -> Form:
        seen: set[str] = set()
        for group in self.groups:
            if len(set(group)) < 2 or seen.intersection(group):
                raise ValueError("A merge group has at least two paths, each in one group only.")
            tokens = [parse(path) for path in group]
            shared = _common_start(tokens)
            if any(ANY_ITEM in one[shared:] for one in tokens):
                raise ValueError("The paths of a merge group lie in the same object or list item.")
            seen.update(group)
        return self

    @cached_property
    def root(self) -> Node:
        """The definition as a tree to walk beside the data."""
        root = Node()
        for pattern, rule in self.fields.items():
            root.make(parse(pattern)).rule = rule
        for group in self.groups:
            tokens = [parse(path) for path in group]
            shared = _common_start(tokens)
            root.make(tokens[0][:shared]).groups.append([one[shared:] for one in tokens])
        return root

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
        return Form.model_validate(definition)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise Invalid(
            [Fault(join(*map(str, e["loc"])), _sentence(e["msg"])) for e in found]
        ) from None


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".") + "."


def undefined(form: str) -> Form:
    """A form without a definition: every rule is the default."""
    return Form.model_construct(form=form)
