"""Drafts: every command on a draft; decides by the product's rules and records, saves nothing.

A command checks in this order: gate, repetition, status, If-Match, merge (the token is checked
before it gets here). It either raises and leaves the draft untouched, or answers; what it recorded
are the draft's pending events.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from domain import access, conflicts, diff, events
from domain.admission import admit, envelope, happen
from domain.asked import Edit, Opening, Step
from domain.authors import Writers, by_authors, next_author
from domain.choices import Choice
from domain.clash import Clash as MergeClash
from domain.conflict import NO_TURN, Conflict, Met, Reason, Turn, Write
from domain.devices import device_copy, is_own_edit
from domain.draft import Draft
from domain.errors import (
    Busy,
    Clash,
    ConflictClosed,
    ConflictNotFound,
    DraftClosed,
    Invalid,
    NotItsFork,
    VariorumError,
    VersionNotFound,
)
from domain.event import Beginning, DataEvent, DraftEvent
from domain.filling import filling
from domain.form import Form
from domain.masking import (
    hides_now,
    hides_past,
    with_sensitive_of,
    without_sensitive,
)
from domain.merge import Merged, merge
from domain.moment import rfc3339
from domain.origin import Origin
from domain.receipts import Answer, Receipt, Several, receipt, told
from domain.recording import Recording
from domain.restore import restore
from domain.undo import undo
from domain.value import Data, count_members, depth_of

Copies: TypeAlias = dict[tuple[str | None, int | None], Data]
"""What a device held after its last edit on a version, in one queue."""


class Drafts(Recording):
    """The commands, under an operator's rules and the definitions of the forms."""

    def with_form(self, draft: Draft) -> Drafts:
        """The same commands with no other definition than that of a draft's form."""
        return Drafts(self.rules, partial(_only, self.form(draft)))

    # -- beginning

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

    # -- writing data

    def fill(self, draft: Draft, opening: Opening, origin: Origin) -> Answer:
        """Add the members of the opening's data that the draft lacks; empty ones change nothing.

        Where both have a value of their own, that is a conflict. The step is set if there is none.
        An import is recorded even if nothing comes of it, and then never again.
        """
        if (earlier := admit(draft, origin)) is not None:
            return earlier
        imported = opening.imported
        if imported is not None and imported.id in draft.imports:
            return receipt(draft)
        self._must_not_mask(self.form(draft), opening.data, draft.data)
        merged = filling(draft.data, opening.data, self.form(draft))
        turn = NO_TURN
        if merged.clashes or draft.conflicts:
            write = self._write(draft, origin, merged.data, seen=0)
            since = draft.since(0) if merged.clashes else ()
            turn = draft.standing.follow(write, _met(merged.clashes, since))
        facts: dict[str, Any] = {} if imported is None else {"imported": imported.told()}
        return self._record(
            draft,
            events.Merged if merged.clashes or imported else events.Edited,
            self._diff(draft, merged.data),
            origin,
            turn=turn,
            step=None if draft.step is not None else opening.step,
            completed_steps=None
            if draft.completed_steps
            else tuple(opening.completed_steps) or None,
            **facts,
        )

    def edit(
        self, draft: Draft, edit: Edit, origin: Origin, copies: Copies | None = None
    ) -> Answer:
        """Save what changed, merged with what others changed since `based_on`.

        `copies` tells the edits of a queue what their device held after the one before.

        Raises:
            Clash: Both sides changed the same, differently, and the edit asks to be rejected then.
            CannotApply: A change does not fit the data that it is based on.
        """
        if (earlier := admit(draft, origin, edit.if_match)) is not None:
            return earlier
        if edit.based_on is None or edit.based_on == draft.version:
            return self._save(draft, edit, origin)
        if edit.based_on > draft.version:
            raise Invalid.one("/based_on", f"The draft is only at version {draft.version}.")
        since = [e for e in draft.since(edit.based_on) if isinstance(e, DataEvent)]
        if all(is_own_edit(event, origin.device) for event in since):
            return self._save(draft, edit, origin)
        return self._merge(draft, edit, origin, since, {} if copies is None else copies)

    def edit_all(self, draft: Draft, edits: Sequence[tuple[Edit, Origin]]) -> Several:
        """Save an offline queue, in order; what is refused leaves the others as they are."""
        _must_remember(draft, edits)
        copies: Copies = {}
        return Several([self._answer(draft, edit, origin, copies) for edit, origin in edits])

    def _answer(self, draft: Draft, edit: Edit, origin: Origin, copies: Copies) -> Any:
        try:
            return self.edit(draft, edit, origin, copies)
        except VariorumError as refusal:
            return refusal

    def merge(
        self,
        draft: Draft,
        fork: Draft,
        base: Data,
        since: int,
        origin: Origin,
        *,
        if_match: Collection[int] | None = None,
    ) -> Answer:
        """Bring back what a fork changed since `base`, its data at version `since`.

        That is the version which was merged last; of a fork never merged, its first.

        Raises:
            NotItsFork: The fork was made from another draft.
            Busy: The fork was merged meanwhile.
        """
        if (earlier := admit(draft, origin, if_match)) is not None:
            return earlier
        if not fork.forked_from or fork.forked_from["draft"] != str(draft.id):
            raise NotItsFork
        if draft.merged_forks.get(str(fork.id), 1) != since:
            raise Busy("The fork is being merged by another request; try again.")
        merged = self._merged(draft, base, fork.data)
        author = next_author(draft, origin, fork=str(fork.id))
        form = self.form(draft)
        write = Write(draft.data, merged.data, base, fork.data, author, seen=0, form=form)
        meanwhile = draft.since(fork.forked_from["version"]) if merged.clashes else ()
        turn = self._turn(draft, write, _met(merged.clashes, meanwhile))
        changes = self._diff(draft, merged.data)
        if not changes and not turn:
            return receipt(draft)
        return self._record(
            draft,
            events.Merged,
            changes,
            origin,
            turn=turn,
            merged=True,
            tell=True,
            fork=str(fork.id),
            fork_version=fork.version,
        )

    def restore(
        self,
        draft: Draft,
        version: int,
        then: Data,
        origin: Origin,
        *,
        paths: Sequence[str] | None = None,
        dry_run: bool = False,
        if_match: Collection[int] | None = None,
    ) -> Answer:
        """Bring back the data, or some paths of it, as they were `then`, at `version`."""
        if (earlier := admit(draft, origin, if_match)) is not None:
            return earlier
        form = self.form(draft)
        if hides_past(form, _role(draft, origin)):
            then = with_sensitive_of(draft.data, then, form)
        restored = restore(draft.data, then, paths, form.keys)
        return self._record(
            draft,
            events.Restored,
            self._diff(draft, restored),
            origin,
            turn=self._turn(draft, self._write(draft, origin, restored, reason="restored")),
            dry_run=dry_run,
            tell=True,
            version=version,
            paths=None if paths is None else tuple(paths),
        )

    def undo(
        self,
        draft: Draft,
        step: Step,
        origin: Origin,
        *,
        paths: Sequence[str] | None = None,
        dry_run: bool = False,
        if_match: Collection[int] | None = None,
    ) -> Answer:
        """Take back what some versions changed, with the conflicts they opened; keep the rest."""
        if (earlier := admit(draft, origin, if_match)) is not None:
            return earlier
        form = self.form(draft)
        if hides_past(form, _role(draft, origin)):
            step = step.without_sensitive(form)
        undone = undo(step.before, step.after, draft.data, paths, form)
        outcomes = tuple({"path": path, "outcome": outcome} for path, outcome in undone.outcomes)
        turn = self._turn(draft, self._write(draft, origin, undone.data, reason="undone"))
        return self._record(
            draft,
            events.Undone,
            self._diff(draft, undone.data),
            origin,
            turn=turn.then(
                conflicts.undone(
                    turn.of(draft.conflicts), *step.within(paths), undone.data, form.keys
                )
            ),
            dry_run=dry_run,
            tell=True,
            version=step.version,
            through=step.through,
            outcomes=outcomes,
        )

    def resolve(
        self,
        draft: Draft,
        choices: Mapping[str, Choice],
        origin: Origin,
        *,
        dry_run: bool = False,
        if_match: Collection[int] | None = None,
    ) -> Answer:
        """Settle conflicts, as one version; each choice by the pointer to it in the request.

        Raises:
            ConflictClosed: One is settled already.
            ConflictNotFound: There never was such a conflict.
        """
        if (earlier := admit(draft, origin, if_match)) is not None:
            return earlier
        data, keys = draft.data, self.form(draft).keys
        for pointer, choice in choices.items():
            data = choice.settle(data, _open_conflict(draft, choice.id), pointer, keys)
        self._must_not_mask(self.form(draft), data, draft.data)
        ids = [choice.id for choice in choices.values()]
        settled: dict[str, Reason] = dict.fromkeys(ids, "resolved")
        if len(settled) < len(choices):
            raise Invalid.one("/items", "Each conflict may be settled once.")
        turn = self._turn(draft, self._write(draft, origin, data))
        return self._record(
            draft,
            events.Resolved,
            self._diff(draft, data),
            origin,
            turn=turn.then(Turn((), settled)),
            dry_run=dry_run,
            tell=True,
            taken=tuple(choice.told() for choice in choices.values()),
        )

    # -- all that leaves the data as it is

    def label(self, draft: Draft, version: int, label: str, origin: Origin) -> Answer:
        """Name a version; naming it the same again records nothing."""
        if (earlier := admit(draft, origin, closed_too=True)) is not None:
            return earlier
        if not 1 <= version <= draft.version:
            raise VersionNotFound(version, draft.version)
        if draft.labels.get(version) == label:
            return receipt(draft)
        return happen(draft, events.Labelled, origin, version=version, label=label)

    def unlabel(self, draft: Draft, version: int, origin: Origin) -> Answer:
        """Take the name off a version, if it has one."""
        if (earlier := admit(draft, origin, closed_too=True)) is not None:
            return earlier
        if version not in draft.labels:
            return receipt(draft)
        return happen(draft, events.Unlabelled, origin, version=version)

    def extend(self, draft: Draft, origin: Origin) -> Answer:
        """Put the expiry off to the full time from now; a template never expires anyway."""
        if (earlier := admit(draft, origin)) is not None:
            return earlier
        if draft.template:
            return receipt(draft)
        return happen(draft, events.Extended, origin, expiry_days=self.rules.expiry_days)

    def template(self, draft: Draft, origin: Origin, *, on: bool) -> Answer:
        """Make the draft a template, or a draft again; what it is already records nothing."""
        if (earlier := admit(draft, origin, right="manage")) is not None:
            return earlier
        if draft.template == on:
            return receipt(draft)
        if on:
            return happen(draft, events.MadeTemplate, origin)
        return happen(draft, events.UnmadeTemplate, origin, expiry_days=self.rules.expiry_days)

    def submit(
        self, draft: Draft, origin: Origin, *, if_match: Collection[int] | None = None
    ) -> Answer:
        """Finish the draft."""
        if (earlier := admit(draft, origin, if_match, right="manage")) is not None:
            return earlier
        return happen(draft, events.Submitted, origin)

    def discard(
        self, draft: Draft, origin: Origin, *, if_match: Collection[int] | None = None
    ) -> Answer:
        """Put the draft in the trash."""
        if (earlier := admit(draft, origin, if_match, right="manage")) is not None:
            return earlier
        return happen(draft, events.Discarded, origin)

    def recover(self, draft: Draft, origin: Origin) -> Answer:
        """Take the draft out of the trash; it is open again and takes the slot that it had."""
        if (earlier := admit(draft, origin, right="manage", closed_too=True)) is not None:
            return earlier
        if draft.status == "submitted":
            raise DraftClosed(draft.status)
        if draft.status == "open":
            return receipt(draft)
        days = self.rules.expiry_days
        return happen(draft, events.Recovered, origin, expiry_days=days, slot=draft.slot)

    # -- the steps of every command

    def _save(self, draft: Draft, edit: Edit, origin: Origin) -> Receipt:
        """Record an edit made on what the draft holds."""
        form = self.form(draft)
        keys, sent = form.keys, edit.applied_to(draft.data, form.keys)
        self._must_not_mask(form, sent, draft.data)
        turn = NO_TURN
        if draft.conflicts:
            turn = self._turn(draft, self._write(draft, origin, sent, seen=edit.based_on))
        return self._record(
            draft,
            events.Edited,
            diff.diff(draft.data, sent, keys),
            origin,
            turn=turn,
            based_on=edit.based_on,
            step=_news(edit.step, draft.step),
            completed_steps=_news(edit.completed_steps, draft.completed_steps),
        )

    def _merge(
        self,
        draft: Draft,
        edit: Edit,
        origin: Origin,
        since: Sequence[DataEvent],
        copies: Copies,
    ) -> Receipt:
        """Record an edit merged with what happened since its base."""
        form = self.form(draft)
        base = copies.get((origin.device, edit.based_on))
        if base is None:
            base = device_copy(draft.data, since, origin.device, form)
        sent = edit.applied_to(base, form.keys)
        self._must_not_mask(form, sent, base)
        merged = self._merged(draft, base, sent)
        met = _met(merged.clashes, since)
        if met and edit.on_conflict == "reject":
            raise Clash(conflicts.listed(met, next_author(draft, origin)))
        assert edit.based_on is not None
        author = next_author(draft, origin)
        write = Write(draft.data, merged.data, base, sent, author, edit.based_on, form=form)
        turn = self._turn(draft, write, met)
        changes, as_sent = self._diff(draft, merged.data), diff.diff(base, sent, form.keys)
        # A queue's next edits go on from what was sent: that counts even if others had made the
        # same change before, so that nothing in the draft changes.
        in_vain = not changes and not turn and origin.seq is None
        done = self._record(
            draft,
            events.Merged,
            changes,
            origin,
            turn=turn,
            based_on=edit.based_on,
            sent=None if as_sent == changes or in_vain else as_sent,
            step=_news(edit.step, draft.step),
            completed_steps=_news(edit.completed_steps, draft.completed_steps),
        )
        copies.clear()
        if done.recorded and origin.device is not None:
            copies[origin.device, edit.based_on] = sent
        news = by_authors(told(sent, draft.data, form.keys), since)
        between = (sent, draft.data)
        return receipt(draft, recorded=done.recorded, merged=True, changes=news, between=between)

    def _merged(self, draft: Draft, base: Data, theirs: Data) -> Merged:
        return merge(base, draft.data, theirs, self.form(draft))


def _beginning(opening: Opening) -> tuple[type[Beginning], dict[str, Any]]:
    """What kind of first event an opening has, and what it says besides."""
    if (imported := opening.imported) is None:
        return events.Created, {}
    times = {"expires_at": imported.expires_at, "created_at": imported.created_at}
    kept = {name: rfc3339(at) for name, at in times.items() if at is not None}
    return events.Imported, {"imported": imported.told(), **kept}


def _only(form: Form, _: str) -> Form:
    return form


def _must_remember(draft: Draft, edits: Sequence[tuple[Edit, Origin]]) -> None:
    """Ask for old events before the first edit is recorded, never in the middle."""
    bases = [edit.based_on for edit, _ in edits if edit.based_on is not None]
    if bases and min(bases) < draft.version:
        draft.since(min(bases))


def _role(draft: Draft, origin: Origin) -> str:
    """The role of somebody who was admitted."""
    return access.require(draft.role_for(origin), "write")


def _news(value: Any, held: Any) -> Any:
    return None if value is None or value == held else value


def _met(clashes: Sequence[MergeClash], since: Sequence[DraftEvent]) -> list[Met]:
    """Clashes, each with whoever wrote last what the draft holds there."""
    if not clashes:
        return []
    writers = Writers(since)
    return [Met(clash, writers.last(clash.paths)) for clash in clashes]


def _open_conflict(draft: Draft, wanted: str) -> Conflict:
    for conflict in draft.conflicts:
        if conflict["id"] == wanted:
            return conflict
    number = wanted.removeprefix("c")
    if number.isascii() and number.isdigit() and 1 <= int(number[:18]) <= draft.conflicts_ever:
        raise ConflictClosed(wanted)
    raise ConflictNotFound(wanted)
