"""Mending: data is restored, undone or settled, as a new version that can be tried before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from domain import access, conflicts, events
from domain.admission import admit
from domain.asked import Step
from domain.choices import Choice
from domain.conflict import Conflict, Reason, Turn
from domain.draft import Draft
from domain.errors import ConflictClosed, ConflictNotFound, Invalid
from domain.masking import hides_past, with_sensitive_of
from domain.origin import Origin
from domain.receipts import Answer
from domain.recording import Recording
from domain.restore import restore
from domain.undo import undo
from domain.value import Data


class Mending(Recording):
    """The commands that choose among what was written before."""

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


def _role(draft: Draft, origin: Origin) -> str:
    """The role of somebody who was admitted."""
    return access.require(draft.role_for(origin), "write")


def _open_conflict(draft: Draft, wanted: str) -> Conflict:
    for conflict in draft.conflicts:
        if conflict["id"] == wanted:
            return conflict
    number = wanted.removeprefix("c")
    if number.isascii() and number.isdigit() and 1 <= int(number[:18]) <= draft.conflicts_ever:
        raise ConflictClosed(wanted)
    raise ConflictNotFound(wanted)
