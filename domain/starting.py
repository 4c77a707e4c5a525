"""Starting a draft: opened, from a template, or as a fork of another; and what is a template."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from domain import access, events
from domain.admission import admit, envelope, happen
from domain.asked import Opening
from domain.draft import Draft
from domain.errors import Invalid
from domain.event import Beginning
from domain.masking import hides_now, hides_past, without_sensitive
from domain.moment import rfc3339
from domain.origin import Origin
from domain.receipts import Answer, receipt
from domain.recording import Recording
from domain.value import Data, count_members, depth_of


class Starting(Recording):
    """The commands that make a draft, or make it one that others start from."""

    def open(
        self, opening: Opening, origin: Origin, *, slot: bool, new: UUID | None = None
    ) -> Draft:
        """A new draft; with `slot` it is the one open draft for its owner, form and subject."""
        access.require_person(origin.by)
        self._must_not_mask(self._forms(opening.form), opening.data, {})
        self._must_fit(count_members(opening.data), depth_of(opening.data))
        kind, facts = _beginning(opening)
        return Draft._create(  # noqa: SLF001 - the library's way to choose the first event
            kind,
            id=new or uuid4(),
            **envelope(origin),
            form=opening.form,
            subject=opening.subject,
            data=opening.data,
            step=opening.step,
            completed_steps=tuple(opening.completed_steps),
            expiry_days=self.rules.expiry_days,
            slot=slot,
            from_template=opening.from_template,
            title_path=self._forms(opening.form).title,
            **facts,
        )

    def from_template(self, opening: Opening, template: Draft, reader: str) -> Opening:
        """The opening with what the template holds under it; what it hides stays with its owner.

        Raises:
            Invalid: The draft is no template, or one of another form.
        """
        if not template.template:
            raise Invalid.one("/from_template", "That draft is no template; fork it instead.")
        if template.form != opening.form:
            raise Invalid.one("/from_template", f"That template is of the form {template.form}.")
        data = template.data
        if reader != template.owner:
            data = without_sensitive(data, self.form(template))
        lineage = {"draft": str(template.id), "version": template.version}
        return replace(opening, data={**data, **opening.data}, from_template=lineage)

    def fork(
        self, source: Draft, origin: Origin, *, new: UUID, role: str | None, past: bool = False
    ) -> Draft:
        """A new draft of the caller's that begins with the data of `source` at its version.

        `role` is the caller's now, whatever it was then; what is hidden from it stays behind, and
        of a `past` version more is than of the current one.
        """
        access.require_person(origin.by)
        hides = hides_past if past else hides_now
        hidden = hides(self.form(source), access.require(role, "fork"))
        return self.forked(source, source.data, origin, new=new, hidden=hidden)

    def forked(
        self,
        source: Draft,
        data: Data,
        origin: Origin,
        *,
        new: UUID,
        hidden: bool,
        owner: str | None = None,
    ) -> Draft:
        """A draft that begins with this data of `source`, without what is `hidden`."""
        form = self.form(source)
        return Draft._create(  # noqa: SLF001 - the library's way to choose the first event
            events.Forked,
            id=new,
            **envelope(origin),
            form=source.form,
            subject=source.subject,
            data=without_sensitive(data, form) if hidden else data,
            step=source.step,
            completed_steps=tuple(source.completed_steps),
            expiry_days=self.rules.expiry_days,
            forked_from={"draft": str(source.id), "version": source.version},
            owner=owner,
            title_path=source.title_path,
        )

    def template(self, draft: Draft, origin: Origin, *, on: bool) -> Answer:
        """Make the draft a template, or a draft again; what it is already records nothing."""
        if (earlier := admit(draft, origin, right="manage")) is not None:
            return earlier
        if draft.template == on:
            return receipt(draft)
        if on:
            return happen(draft, events.MadeTemplate, origin)
        return happen(draft, events.UnmadeTemplate, origin, expiry_days=self.rules.expiry_days)


def _beginning(opening: Opening) -> tuple[type[Beginning], dict[str, Any]]:
    """What kind of first event an opening has, and what it says besides."""
    if (imported := opening.imported) is None:
        return events.Created, {}
    times = {"expires_at": imported.expires_at, "created_at": imported.created_at}
    kept = {name: rfc3339(at) for name, at in times.items() if at is not None}
    return events.Imported, {"imported": imported.told(), **kept}
