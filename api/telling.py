"""Changes with their words, as versions and comparisons show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from api.answers import in_words
from domain import diff
from domain.diff import Change
from domain.form import Form
from domain.value import Data
from projections.wording import Version, Wording


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
