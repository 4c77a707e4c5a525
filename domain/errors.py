"""Everything that can go wrong, as a tree; a class says what, its attributes say it to programs.

VariorumError
├── BadInput                 the request itself cannot be taken
│   ├── BadJson                not JSON, or JSON that two readers could take differently
│   ├── Invalid                well-formed, but a member is wrong; names each by its pointer
│   ├── CannotApply            a change does not fit the data that it is based on
│   ├── NotItsFork             the draft to merge was not forked from this one
│   ├── TooLarge               the body is over the limit
│   └── UnsupportedMediaType   the body is of a kind that this address does not take
├── Unauthenticated          no token, or one that does not hold
├── Forbidden                known draft, but beyond the caller's role
├── NotFound                 as if it were not there
│   ├── DraftNotFound
│   ├── VersionNotFound
│   ├── FormNotFound           the form has no definition
│   └── ConflictNotFound
├── Refused                  the draft, as it is now, does not allow it
│   ├── DraftClosed            submitted, discarded or expired
│   ├── DraftOpen              only a finished draft, or one in the trash, can be purged
│   ├── Clash                  both sides changed the same, differently
│   ├── ConflictClosed         the conflict is settled already
│   ├── SeqReused              this device's number was used for another request
│   ├── SeqSkipped             this device's number lies below its last one
│   ├── IdTaken                the client's id belongs to another draft
│   └── SlotTaken              another open draft holds this form and subject
├── DraftPurged              it was the caller's own, and only a tombstone is left
├── VersionMismatch          If-Match names another version
└── Unavailable              nothing is wrong with the request: try again
    ├── Busy                   the draft or the queue is too busy
    ├── RateExceeded           the caller asks too often
    ├── TooManyStreams         the caller has too many streams open
    ├── IssuerUnavailable      nobody can say whether the token holds
    └── StoreUnavailable       the database cannot be reached
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID


class VariorumError(Exception):
    """Base of every error that a caller may meet; `str()` is a sentence for a person."""

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is from process to process; its class makes its sentence of other arguments."""
        return _as_it_was, (type(self), self.args, vars(self))


def _as_it_was(kind: type[VariorumError], args: Any, known: dict[str, Any]) -> VariorumError:
    error = kind.__new__(kind, *args)
    vars(error).update(known)
    return error


class BadInput(VariorumError):
    """The request itself cannot be taken; nothing was changed."""


class BadJson(BadInput):
    """The body is not JSON, or is JSON that two readers could take differently.

    `errors` names the member, where there is one.
    """

    def __init__(self, detail: str, *, errors: Sequence[Fault] = ()) -> None:
        self.errors = tuple(errors)
        super().__init__(detail)


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a request: a JSON Pointer into it, and a sentence."""

    pointer: str
    detail: str


class Invalid(BadInput):
    """The request is well-formed but some of its members are wrong."""

    def __init__(self, errors: Sequence[Fault]) -> None:
        self.errors = tuple(errors)
        said = (f"{e.pointer or 'the body'}: {e.detail.rstrip('.')}" for e in self.errors)
        super().__init__(f"{'; '.join(said)}.")

    @classmethod
    def one(cls, pointer: str, detail: str) -> Invalid:
        """The common case: a single fault."""
        return cls([Fault(pointer, detail)])


class CannotApply(BadInput):
    """A change does not fit the data that it is based on.

    `index` counts from 0 in the list of changes; `path` is the path as the caller wrote it.
    """

    def __init__(self, detail: str, *, index: int = 0, path: str = "") -> None:
        self.index, self.path, self.detail = index, path, detail
        super().__init__(f"Change {index} at {path!r} cannot be applied: {detail}.")


class NotItsFork(BadInput):
    """The draft to merge was not forked from this one."""

    def __init__(self) -> None:
        super().__init__("That is no fork of this draft; only a fork can be brought back.")


class TooLarge(BadInput):
    """The body is over the limit, in bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"The body is over the limit of {limit} bytes; send it in smaller edits.")


class UnsupportedMediaType(BadInput):
    """The body's media type, or its charset, is not one of those that this address takes."""

    def __init__(self, accepted: Sequence[str]) -> None:
        self.accepted = tuple(accepted)
        super().__init__(f"Send the body in UTF-8 as one of: {', '.join(self.accepted)}.")


class Unauthenticated(VariorumError):
    """No token, or one that does not hold."""


class Forbidden(VariorumError):
    """The draft is known to the caller, but this is beyond the caller's role."""


class NotFound(VariorumError):
    """It is not there, or must look as if it were not."""


class DraftNotFound(NotFound):
    """There is no such draft for this caller."""

    def __init__(self) -> None:
        super().__init__("There is no such draft, or it is not yours.")


class VersionNotFound(NotFound):
    """The draft has no such version, or none at that moment."""

    def __init__(self, wanted: object, last: int | None = None) -> None:
        self.last_version = last
        known = f"; its last version is {last}" if last is not None else ""
        super().__init__(f"The draft has no version {wanted}{known}.")


class FormNotFound(NotFound):
    """The form has no definition; drafts of it go by the defaults."""

    def __init__(self, form: str) -> None:
        super().__init__(f"The form {form} has no definition, and merges by the defaults.")


class ConflictNotFound(NotFound):
    """The draft never had such a conflict."""

    def __init__(self, conflict: str) -> None:
        self.conflict = conflict
        super().__init__("The draft has no such conflict; fetch those that are open.")


class Refused(VariorumError):
    """The draft, as it is now, does not allow it."""


class DraftClosed(Refused):
    """A submitted, discarded or expired draft takes no edits."""

    def __init__(self, status: str) -> None:
        self.draft_status = status
        way = "fork it" if status == "submitted" else "recover or fork it"
        super().__init__(f"The draft is {status} and takes no edits; {way} to go on.")


class DraftOpen(Refused):
    """An open draft is not purged: it could still be recovered from the trash."""

    def __init__(self) -> None:
        super().__init__("The draft is open; discard it first, then purge it.")


class Clash(Refused):
    """Both sides changed the same, differently; every clash is listed."""

    def __init__(self, conflicts: Sequence[Any]) -> None:
        self.conflicts = list(conflicts)
        paths = ", ".join(path for conflict in self.conflicts for path in conflict["paths"])
        super().__init__(
            f"Somebody else changed {paths} since your version; look at both and send your choice."
        )


class ConflictClosed(Refused):
    """The conflict is not open any more."""

    def __init__(self, conflict: str) -> None:
        self.conflict = conflict
        super().__init__(f"The conflict {conflict} is closed; history shows how.")


class SeqReused(Refused):
    """The device sent another request under this number before."""

    def __init__(self, last_seq: int) -> None:
        self.last_seq = last_seq
        super().__init__(f"This seq was used for another request; send again above {last_seq}.")


class SeqSkipped(Refused):
    """The number lies below the device's last one and was never recorded."""

    def __init__(self, last_seq: int) -> None:
        self.last_seq = last_seq
        super().__init__(f"This seq is below the last, {last_seq}; send again under a new one.")


class IdTaken(Refused):
    """The client's id belongs to another draft."""

    def __init__(self) -> None:
        super().__init__("This id is taken; choose a new random UUID.")


class SlotTaken(Refused):
    """Another open draft of this owner holds the form and subject."""

    def __init__(self, draft: UUID) -> None:
        self.draft = str(draft)
        super().__init__("Another open draft holds this form and subject; finish that one first.")


class DraftPurged(VariorumError):
    """The draft was the caller's own and was ended for good; its tombstone says when, by whom."""

    def __init__(self, tombstone: Mapping[str, Any]) -> None:
        self.tombstone = dict(tombstone)
        super().__init__("The draft was purged, and nothing of it is left to bring back.")


class VersionMismatch(VariorumError):
    """If-Match names another version than the draft's."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(f"The draft is at version {version}; fetch it and look before you save.")


class Unavailable(VariorumError):
    """Nothing is wrong with the request: try again after `retry_after` seconds."""

    def __init__(self, detail: str, retry_after: int = 1) -> None:
        self.retry_after = retry_after
        super().__init__(detail)


class Busy(Unavailable):
    """The draft stays contended, or too much is waiting."""


class RateExceeded(Unavailable):
    """The caller asks more often than this service allows."""

    def __init__(self, rate: str, retry_after: int) -> None:
        super().__init__(
            f"That is more than {rate}; go on after {retry_after} seconds.", retry_after
        )


class TooManyStreams(Unavailable):
    """The caller has as many streams open as this service allows."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"You have {limit} streams open; close one, then open this one.", 5)


class IssuerUnavailable(Unavailable):
    """The keys of the tokens' issuer cannot be had: nobody can say whether a token holds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "Your token cannot be checked now: its issuer does not answer; keep it, try again.",
            retry_after,
        )


class StoreUnavailable(Unavailable):
    """The database cannot be reached; nothing was changed."""
