"""Changes with their words, as versions and comparisons show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from api.answers import in_words
from domain import diff
from domain.conflict import Conflict
from domain.diff import Change
from domain.form import Form
from domain.value import Data
from projections.wording import Session, Version, Wording


def version_in_words(
    form: Form, before: Data, changes: Sequence[Change], number: int, version: Version
) -> dict[str, Any]:
    """A version's line, and each change that it made to the data `before` it."""
    wording = Wording(form, before, diff.apply(changes, before))
    served = diff.serve(changes, before)
    return {
        "text": wording.headline(replace(version, changes=served)),
        "changes": [
            in_words({**change, "version": number}, wording, version.by) for change in served
        ],
    }


def difference_in_words(form: Form, before: Data, after: Data) -> list[dict[str, Any]]:
    """What differs between two states of a form; nobody in particular made these changes."""
    wording = Wording(form, before, after)
    return [
        {**change, "label": wording.label_of(change), "text": wording.difference(change)}
        for change in diff.serve(diff.diff(before, after, form.keys), before)
    ]


def conflicts_in_words(
    form: Form, data: Data, conflicts: Sequence[Conflict]
) -> list[dict[str, Any]]:
    """Open conflicts, each with a sentence; people are called by their names already."""
    wording = Wording(form, data, data)
    return [{**conflict, "text": wording.conflict(conflict)} for conflict in conflicts]


def sessions_in_words(
    form: Form, data: Data, lines: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Editing sessions, each with the paths that it changed and a sentence."""
    wording = Wording(form, data, data)
    return [_session(line, wording) for line in lines]


def _session(line: Mapping[str, Any], wording: Wording) -> dict[str, Any]:
    paths = sorted(filter(None, set((line["paths"] or "").split("\n"))))
    acts = sorted(line["acts"].split(","))
    session = Session(line["by"], line["device"], line["versions"], paths, acts)
    return {
        "from": line["from_version"],
        "to": line["to_version"],
        "from_at": line["from_at"],
        "to_at": line["to_at"],
        "by": line["by"],
        "device": line["device"],
        "versions": line["versions"],
        "acts": acts,
        "paths": paths,
        "text": wording.session(session),
    }
