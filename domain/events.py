"""Everything that may happen to a draft: its events, and what each does to the draft.

Every event is one version. Events are facts: they hold results (what changed, from what, to what),
never intentions, so that a later rule or form definition cannot change the past. They are named for
ever by their TOPIC; its last part is the act that history shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.access import Link, is_link
from domain.event import Beginning, DataEvent, DraftEvent
from domain.moment import rfc3339


class Created(Beginning):
    """Somebody opened a form (the library wants the class to be called so)."""

    TOPIC = "draft.opened"


class Imported(Beginning):
    """A draft of an older system was taken over: from a browser, or a row of a table.

    `imported` says by which id it is known, and what it was; `expires_at` and `created_at` (RFC
    3339) are as they were there, where they were kept.
    """

    TOPIC = "draft.imported"
    imported: Mapping[str, Any] | None = None
    expires_at: str | None = None
    created_at: str | None = None

    def apply(self, aggregate: Any) -> None:
        """Give the draft its first state, and the times that it had."""
        super().apply(aggregate)
        aggregate.take_in(self.imported)
        if self.expires_at is not None:
            aggregate.expires_at = datetime.fromisoformat(self.expires_at)
        if self.created_at is not None:
            aggregate._created_on = datetime.fromisoformat(self.created_at)  # noqa: SLF001


class Forked(Beginning):
    """Somebody began a draft from a version of another."""

    TOPIC = "draft.forked"


class Edited(DataEvent):
    """Somebody saved; nobody else had changed anything since."""

    TOPIC = "draft.edited"


class Merged(DataEvent):
    """Somebody saved; the edit was merged with what others had changed since.

    Or a fork was merged: `fork` is its id, and its version that is now in this draft. Or what
    lay in a browser was taken in: `imported` says what.
    """

    TOPIC = "draft.merged"
    fork: str | None = None
    fork_version: int | None = None
    imported: Mapping[str, Any] | None = None

    def apply(self, aggregate: Any) -> None:
        """Write the data, and remember what of a fork, or which import, is in it."""
        super().apply(aggregate)
        aggregate.take_in(self.imported)
        if self.fork is not None and self.fork_version is not None:
            aggregate.merged_forks = {**aggregate.merged_forks, self.fork: self.fork_version}


class Restored(DataEvent):
    """The data, or some paths of it, became what they were at `version`."""

    TOPIC = "draft.restored"
    version: int = 0
    paths: Sequence[str] | None = None


class Undone(DataEvent):
    """The changes of the versions `version` to `through` were taken back."""

    TOPIC = "draft.undone"
    version: int = 0
    through: int = 0
    outcomes: Sequence[Mapping[str, str]] = ()


class Resolved(DataEvent):
    """Somebody settled conflicts; `taken` says for each whose value was chosen."""

    TOPIC = "draft.resolved"
    taken: Sequence[Mapping[str, Any]] = ()


class Labelled(DraftEvent):
    """A version got a name."""

    TOPIC = "draft.labelled"
    version: int = 0
    label: str = ""

    def apply(self, aggregate: Any) -> None:
        """Remember the name."""
        aggregate.labels = {**aggregate.labels, self.version: self.label}


class Unlabelled(DraftEvent):
    """A version lost its name."""

    TOPIC = "draft.unlabelled"
    version: int = 0

    def apply(self, aggregate: Any) -> None:
        """Forget the name."""
        aggregate.labels = {v: n for v, n in aggregate.labels.items() if v != self.version}


class Extended(DraftEvent):
    """The expiry was put off by hand."""

    TOPIC = "draft.extended"
    expiry_days: int = 0

    def apply(self, aggregate: Any) -> None:
        """Move the expiry."""
        aggregate.put_off_expiry(self.timestamp, self.expiry_days)


class Submitted(DraftEvent):
    """The form was handed in; the draft is finished."""

    TOPIC = "draft.submitted"

    def apply(self, aggregate: Any) -> None:
        """Close the draft."""
        aggregate.leave("submitted", self.timestamp)


class Discarded(DraftEvent):
    """The draft went to the trash."""

    TOPIC = "draft.discarded"

    def apply(self, aggregate: Any) -> None:
        """Close the draft."""
        aggregate.leave("discarded", self.timestamp)


class Expired(DraftEvent):
    """The draft was not saved for so long that it went to the trash by itself."""

    TOPIC = "draft.expired"

    def apply(self, aggregate: Any) -> None:
        """Close the draft."""
        aggregate.leave("expired", self.timestamp)


class Recovered(DraftEvent):
    """The draft came back from the trash."""

    TOPIC = "draft.recovered"
    expiry_days: int = 0
    slot: bool = False

    def apply(self, aggregate: Any) -> None:
        """Open the draft again."""
        aggregate.status, aggregate.slot = "open", self.slot
        aggregate.closed_at = None
        aggregate.put_off_expiry(self.timestamp, self.expiry_days)


class MadeTemplate(DraftEvent):
    """Others may start from the draft now; it keeps no place and never expires."""

    TOPIC = "draft.made_template"

    def apply(self, aggregate: Any) -> None:
        """Be a template."""
        aggregate.template, aggregate.slot, aggregate.expires_at = True, False, None


class UnmadeTemplate(DraftEvent):
    """The template became a draft again, beside any other of its subject."""

    TOPIC = "draft.unmade_template"
    expiry_days: int = 0

    def apply(self, aggregate: Any) -> None:
        """Be a draft, which expires."""
        aggregate.template = False
        aggregate.put_off_expiry(self.timestamp, self.expiry_days)


class Shared(DraftEvent):
    """Somebody may see or edit the draft: a person, or whoever has a link (`link:<id>`).

    Of a link it is told when it expires (RFC 3339), and the SHA-256 of its token.
    """

    TOPIC = "draft.shared"
    principal: str = ""
    role: str = ""
    expires_at: str | None = None
    token_hash: str | None = None

    def apply(self, aggregate: Any) -> None:
        """Give the role."""
        if not is_link(self.principal):
            aggregate.members = {**aggregate.members, self.principal: self.role}
            return
        link = Link(
            role=self.role, expires_at=self.expires_at, by=self.by, at=rfc3339(self.timestamp)
        )
        aggregate.links = {**aggregate.links, self.principal: link}


class Unshared(DraftEvent):
    """A person or a link lost its role."""

    TOPIC = "draft.unshared"
    principal: str = ""

    def apply(self, aggregate: Any) -> None:
        """Take the role away."""
        aggregate.members = _all_but(aggregate.members, self.principal)
        aggregate.links = _all_but(aggregate.links, self.principal)


class HandedOver(DraftEvent):
    """Somebody else became the owner, and who was it before an editor."""

    TOPIC = "draft.handed_over"
    to: str = ""

    def apply(self, aggregate: Any) -> None:
        """Change the owner."""
        others = _all_but(aggregate.members, self.to)
        aggregate.members = {**others, aggregate.owner: "editor"}
        aggregate.owner = self.to


def _all_but(roles: Mapping[str, Any], principal: str) -> dict[str, Any]:
    return {name: role for name, role in roles.items() if name != principal}
