"""Names of versions: given, changed and taken off."""

from __future__ import annotations

import pytest

from domain.errors import VersionNotFound
from domain.receipts import receipt
from tests.domain.scenes import DRAFTS, opened, origin, saved, told, with_history


def test_a_version_gets_a_name_another_name_and_loses_it() -> None:
    draft = opened()
    DRAFTS.label(draft, 1, "first", origin())
    DRAFTS.label(draft, 1, "1st", origin())
    DRAFTS.label(draft, 2, "named", origin())
    DRAFTS.unlabel(draft, 1, origin())
    assert told(draft) == [
        {"act": "labelled", "version": 1, "label": "first"},
        {"act": "labelled", "version": 1, "label": "1st"},
        {"act": "labelled", "version": 2, "label": "named"},
        {"act": "unlabelled", "version": 1},
    ]
    assert draft.labels == {2: "named"}


def test_the_name_that_a_version_has_and_the_loss_of_none_record_nothing() -> None:
    draft = opened()
    DRAFTS.label(draft, 1, "first", origin())
    saved(draft)
    assert DRAFTS.label(draft, 1, "first", origin()) == receipt(draft)
    assert DRAFTS.unlabel(draft, 2, origin()) == receipt(draft)
    assert told(draft) == []


@pytest.mark.parametrize("version", [0, -1, 3])
def test_a_version_that_is_not_there_gets_no_name(version: int) -> None:
    draft = with_history([{}, {"a": 1}])
    with pytest.raises(VersionNotFound) as refused:
        DRAFTS.label(draft, version, "x", origin())
    assert refused.value.last_version == 2
