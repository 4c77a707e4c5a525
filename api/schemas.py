"""The shapes of requests, as the contract has them; an unknown member is an error, by name."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)
from typing_extensions import TypedDict

from api.security import is_name

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Reason = Annotated[str, StringConstraints(max_length=1_000)]
Key = Annotated[str, StringConstraints(max_length=1_000)]
Path = Annotated[str, StringConstraints(max_length=2_000)]
Version = Annotated[int, Field(ge=1, le=2**53 - 1)]
Seq = Annotated[int, Field(ge=0, le=2**53 - 1)]
Form = dict[str, Any]

STRICT = ConfigDict(extra="forbid", strict=True)


class Operation(TypedDict):
    """One change as a client sends it (RFC 6902); a list item may be addressed as `id:<id>`."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[misc]

    op: Literal["add", "remove", "replace", "move", "copy", "test"]
    path: Path
    value: NotRequired[Any]


Operation.__annotations__["from"] = NotRequired[Path]


def _named(user: str) -> str:
    if not is_name(user):
        raise ValueError("Must be the name of a person, as in the sub of tokens")
    return user


class Repeatable(BaseModel):
    """What any writing request may carry: who sends it, its number there, and why."""

    model_config = STRICT

    device: Name | None = None
    seq: Seq | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _numbered_by_device(self) -> Repeatable:
        if self.seq is not None and self.device is None:
            raise ValueError("A seq counts per device: send the device too.")
        return self


class Edit(Repeatable):
    """An edit: `changes`, or the whole form as `data`, made on the version `based_on`."""

    based_on: Version | None = None
    on_conflict: Literal["keep", "reject"] = "keep"
    on_closed: Literal["reject", "fork"] = "reject"
    changes: list[Operation] | None = None
    data: Form | None = None
    step: Name | None = None
    completed_steps: Annotated[list[Name], Field(max_length=200)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Edit:
        if self.data is not None and self.changes is not None:
            raise ValueError("Send either changes or data, not both.")
        if self.data is not None and self.based_on is None:
            raise ValueError("With data, say which version it is based_on.")
        if self.on_closed == "fork" and self.device is None:
            raise ValueError("A fork is made per device: send the device too.")
        return self


class Edits(BaseModel):
    """An offline queue, in order."""

    model_config = STRICT

    edits: Annotated[list[Edit], Field(max_length=10_000)]


class Opening(Repeatable):
    """What opens a draft, or finds the one that is open."""

    form: Name
    subject: Name | None = None
    data: Form = Field(default_factory=dict)
    step: Name | None = None
    completed_steps: Annotated[list[Name], Field(max_length=200)] = Field(default_factory=list)
    from_template: Annotated[UUID, Field(strict=False)] | None = None
    another: bool = False
    id: Annotated[UUID, Field(strict=False)] | None = None


class Present(BaseModel):
    """Where a device is: at which field of the draft, and whether anybody is at the device."""

    model_config = STRICT

    device: Name
    path: Annotated[str, StringConstraints(max_length=1_000)] | None = None
    idle: bool = False


class Restore(Repeatable):
    """Which version to bring back; without `paths` all of its data."""

    version: Version
    paths: Annotated[list[Path], Field(min_length=1, max_length=1_000)] | None = None
    dry_run: bool = False


class Undo(Repeatable):
    """Which version, or run of versions, to take back; without `paths` all that it changed."""

    version: Version
    through: Version | None = None
    paths: Annotated[list[Path], Field(min_length=1, max_length=1_000)] | None = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Undo:
        if self.through is not None and self.through < self.version:
            raise ValueError("through may not lie before version.")
        return self


def _device_or_place(which: Any) -> str | int | None:
    if which is None or type(which) is int or (type(which) is str and 0 < len(which) <= 200):
        return which
    raise ValueError("Name a device, or a place in theirs, from 0")


Which = Annotated[
    Any,
    AfterValidator(_device_or_place),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}),
]


class Decision(BaseModel):
    """Whose value is taken; `which` names an entry of theirs by its device or place (from 0)."""

    model_config = STRICT

    take: Literal["ours", "theirs", "base", "value"]
    which: Which = None
    value: Any = None

    @model_validator(mode="after")
    def _fits(self) -> Decision:
        if (self.take == "value") != ("value" in self.model_fields_set):
            raise ValueError("Send a value to take a value, and only then.")
        if self.which is not None and self.take != "theirs":
            raise ValueError("which names one of theirs: send it to take theirs only.")
        return self


class Settled(Decision):
    """What somebody decided on one of several conflicts."""

    id: Name


class Resolving(Repeatable):
    """What settles conflicts; with `dry_run` it is only tried."""

    dry_run: bool = False


class Resolve(Resolving, Decision):
    """What somebody decided on one conflict."""


class ResolveSeveral(Resolving):
    """Several conflicts, settled as one version."""

    items: Annotated[list[Settled], Field(min_length=1, max_length=1_000)]


class Merge(Repeatable):
    """Which fork to bring back."""

    fork: Annotated[UUID, Field(strict=False)]


class Label(Repeatable):
    """A name for a version."""

    label: Name


class LocalStorage(BaseModel):
    """The entries of a browser's localStorage, as they lie there: each a text by its key."""

    model_config = STRICT

    entries: Annotated[dict[Key, str], Field(max_length=1_000)]
    device: Name | None = None
    reason: Reason | None = None


class Template(Repeatable):
    """Whether others may start from the draft."""

    on: bool


class Member(Repeatable):
    """What somebody may do with a draft."""

    role: Literal["editor", "viewer"]


class Owner(Repeatable):
    """Who the draft shall belong to."""

    user: Annotated[str, AfterValidator(_named)]


class Link(Repeatable):
    """What whoever has the link may do, and for how many seconds; without these, until revoked."""

    role: Literal["editor", "viewer"]
    expires_in: Annotated[int, Field(ge=1, le=315_360_000)] | None = None


class Fork(Repeatable):
    """Which version to start from; the current one if none is named."""

    version: Version | None = None


EDIT = TypeAdapter(Edit)
MERGE_PATCH = TypeAdapter(Form)
JSON_PATCH = TypeAdapter(list[Form])
