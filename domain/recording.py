"""How a command records what it decided: the changes, the conflicts' turn and the step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from domain import diff
from domain.admission import trigger
from domain.asked import Rules
from domain.authors import by_author, next_author
from domain.change import members_added
from domain.conflict import EVERYTHING, NO_TURN, Met, Reason, Turn, Write
from domain.diff import Change
from domain.draft import Draft
from domain.errors import Invalid
from domain.event import DataEvent
from domain.form import Form, undefined
from domain.masking import masks
from domain.origin import Origin
from domain.path import parse
from domain.receipts import Receipt, receipt
from domain.value import Data, depth_of


class Recording:
    """What every command records by: an operator's rules and the definitions of the forms."""

    def __init__(self, rules: Rules, forms: Callable[[str], Form] = undefined) -> None:
        self.rules, self._forms = rules, forms

    def form(self, draft: Draft) -> Form:
        """The definition of a draft's form."""
        return self._forms(draft.form)

    def form_named(self, form: str) -> Form:
        """The definition of a form."""
        return self._forms(form)

    def _diff(self, draft: Draft, after: Data) -> list[Change]:
        return diff.diff(draft.data, after, self.form(draft).keys)

    def _write(
        self,
        draft: Draft,
        origin: Origin,
        after: Data,
        *,
        seen: int | None = None,
        reason: Reason = "overwritten",
    ) -> Write:
        """A write made on what the draft holds; without `seen` its author saw every conflict."""
        known = EVERYTHING if seen is None else seen
        author = next_author(draft, origin)
        form = self.form(draft)
        return Write(draft.data, after, draft.data, after, author, known, reason, form)

    def _turn(self, draft: Draft, write: Write, met: Sequence[Met] = ()) -> Turn:
        return draft.standing.follow(write, met) if draft.conflicts or met else NO_TURN

    def _record(
        self,
        draft: Draft,
        event: type[DataEvent],
        changes: list[Change],
        origin: Origin,
        *,
        turn: Turn = NO_TURN,
        merged: bool = False,
        dry_run: bool = False,
        tell: bool = False,
        **facts: Any,
    ) -> Receipt:
        """Record what alters anything: the changes, conflicts, the step or what a device holds.

        `tell` lists the changes in the receipt.
        """
        self._must_stay_within(draft, changes)
        shown: Sequence[dict[str, Any]] = ()
        between = None
        if tell and changes:
            shown = by_author(diff.serve(changes, draft.data), next_author(draft, origin))
            between = (draft.data, diff.apply(changes, draft.data))
        after = turn.of(draft.conflicts) if turn else draft.conflicts
        news = (facts.get(name) for name in ("sent", "step", "completed_steps", "imported"))
        alters = bool(changes) or bool(turn) or any(one is not None for one in news)
        recorded = alters and not dry_run
        if recorded:
            if turn:
                facts |= {"conflicts": turn.altered or None, "closed": turn.closed or None}
            trigger(
                draft, event, origin, changes=changes, expiry_days=self._new_expiry(draft), **facts
            )
        outcomes = facts.get("outcomes")
        return receipt(
            draft,
            recorded=recorded,
            merged=merged,
            changes=shown,
            between=between,
            outcomes=outcomes,
            conflicts=after,
        )

    def _must_not_mask(self, form: Form, sent: Data, held: Data) -> None:
        """Refuse a mask that comes back as if it were a value."""
        if form.root.hides and (wrong := sorted(set(masks(sent, form)) - set(masks(held, form)))):
            raise Invalid.one(
                "/data", f"A mask is no value: send {', '.join(wrong)} as it is, or not at all."
            )

    def _new_expiry(self, draft: Draft) -> int | None:
        days = self.rules.expiry_days
        return None if days == draft.expiry_days else days

    def _must_stay_within(self, draft: Draft, changes: Sequence[Change]) -> None:
        depth = max((_depth(change) for change in changes), default=0)
        self._must_fit(draft.member_count + members_added(changes), depth)

    def _must_fit(self, members: int, depth: int) -> None:
        if depth > self.rules.max_depth:
            raise Invalid.one(
                "/data", f"The data may be nested {self.rules.max_depth} deep at most."
            )
        if members > self.rules.max_members:
            raise Invalid.one(
                "/data", f"A draft may have {self.rules.max_members} members and items at most."
            )


def _depth(change: Change) -> int:
    return len(parse(change["path"])) + depth_of(change.get("after"))
