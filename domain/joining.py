"""Joining: what another opening of the form, or a fork, holds comes into the draft."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from domain import events
from domain.admission import admit
from domain.asked import Opening
from domain.authors import met, next_author
from domain.conflict import Write
from domain.draft import Draft
from domain.errors import Busy, NotItsFork
from domain.filling import filling
from domain.merge import merge
from domain.origin import Origin
from domain.receipts import Answer, receipt
from domain.recording import Recording
from domain.value import Data


class Joining(Recording):
    """The commands that bring in another's data."""

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
        found = met(merged.clashes, draft.since(0) if merged.clashes else ())
        turn = self._turn(draft, self._write(draft, origin, merged.data, seen=0), found)
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
        begun, form = _forked_at(draft, fork, since), self.form(draft)
        merged = merge(base, draft.data, fork.data, form)
        found = met(merged.clashes, draft.since(begun) if merged.clashes else ())
        author = next_author(draft, origin, fork=str(fork.id))
        write = Write(draft.data, merged.data, base, fork.data, author, seen=0, form=form)
        turn = self._turn(draft, write, found)
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


def _forked_at(draft: Draft, fork: Draft, since: int) -> int:
    """The draft's version that the fork began with, if it is its fork and merged up to `since`."""
    if not fork.forked_from or fork.forked_from["draft"] != str(draft.id):
        raise NotItsFork
    if draft.merged_forks.get(str(fork.id), 1) != since:
        raise Busy("The fork is being merged by another request; try again.")
    begun: int = fork.forked_from["version"]
    return begun
