"""Labelling: the names of versions."""

from __future__ import annotations

from domain import events
from domain.admission import admit, happen
from domain.draft import Draft
from domain.errors import VersionNotFound
from domain.origin import Origin
from domain.receipts import Answer, receipt


class Labelling:
    """The commands that name a version, or take its name off."""

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
