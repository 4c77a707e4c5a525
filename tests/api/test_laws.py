"""What holds for every form and every order of saves, tried over HTTP with random ones."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from domain.value import same
from tests.api.calls import Blocking, Document, add, id_of, remove, without
from tests.api.receiving import received
from tests.domain.strategies import edited, forms
from tests.running import Clock

# psycopg's pool, in the service's thread, uses `random` while Hypothesis draws in this one: as an
# error in the middle of a draw, its warning about that would look like a flaky test.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

# One service for all examples of a test: each example opens a draft of its own.
MODERATE = trying(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def ann(blocking_ann: Blocking) -> Blocking:
    """Somebody who writes."""
    return blocking_ann


class Device:
    """A browser: the copy that it shows, and the version that the copy began from."""

    def __init__(self, ann: Blocking, draft: Document, name: str) -> None:
        self._ann, self._draft, self._name = ann, id_of(draft), name
        self._based_on, self.copy, self._seq = draft["version"], draft["data"], 0

    def save(self, form: Document, *, whole: bool, catches_up: bool) -> None:
        """Save the form; a receipt leads to the server's data, a clash leaves all as it was."""
        before = self._ann.draft(self._draft)
        answer = self._send(self._edit(form, whole=whole))
        if answer.status_code == 409:
            assert self._ann.draft(self._draft) == before
            self._based_on, self.copy = before["version"], before["data"]
            return
        assert answer.status_code == 200, answer.text
        receipt = answer.json()
        held = self._ann.data(self._draft)
        assert same(received(receipt["changes"], form), held)
        self.copy = form
        if catches_up:
            self._based_on, self.copy = receipt["version"], held

    def _edit(self, form: Document, *, whole: bool) -> Document:
        body = {"data": form} if whole else {"changes": _by_member(self.copy, form)}
        return {**body, "based_on": self._based_on, "device": self._name, "seq": self._seq}

    def _send(self, body: Document) -> httpx.Response:
        answer: httpx.Response = self._ann.asks("PATCH", self._draft, json=body)
        if answer.is_success and answer.json()["recorded"]:
            self._seq += 1
            again = self._ann.asks("PATCH", self._draft, json=body)
            assert same(again.json(), answer.json())
        return answer


def _by_member(before: Document, after: Document) -> list[Document]:
    gone = [remove(_path(name)) for name in before if name not in after]
    return gone + [
        add(_path(name), value)
        for name, value in after.items()
        if name not in before or not same(before[name], value)
    ]


def _path(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


@MODERATE
@given(st.data())
def test_a_receipts_changes_lead_from_the_copy_that_was_sent_to_the_servers_data(
    ann: Blocking, data: st.DataObject
) -> None:
    draft = ann.open(data.draw(forms()), another=True)
    devices = [Device(ann, draft, name) for name in ("mac", "ipad")]

    for _ in range(data.draw(st.integers(2, 6))):
        device = data.draw(st.sampled_from(devices))
        form = data.draw(edited(device.copy))
        device.save(form, whole=data.draw(st.booleans()), catches_up=data.draw(st.booleans()))


def _history(ann: Blocking, data: st.DataObject) -> tuple[Document, list[Document]]:
    """A draft with some random versions, and its data at each."""
    draft = ann.open(data.draw(forms()), another=True)
    for _ in range(data.draw(st.integers(1, 5))):
        now = ann.draft(draft)
        form = data.draw(edited(now["data"]))
        ann.save(draft, data=form, based_on=now["version"])
    last = (ann.draft(draft))["version"]
    return draft, [ann.data(draft, version=n) for n in range(1, last + 1)]


@MODERATE
@given(st.data())
def test_restoring_gives_just_what_the_version_shows(ann: Blocking, data: st.DataObject) -> None:
    draft, shown = _history(ann, data)
    version = data.draw(st.integers(1, len(shown)))

    tried = ann.restore(draft, version, dry_run=True)
    assert ann.data(draft) == shown[-1]
    receipt = ann.restore(draft, version)

    assert same(ann.data(draft), shown[version - 1])
    assert same(received(receipt["changes"], shown[-1]), shown[version - 1])
    assert tried["changes"] == receipt["changes"]
    assert receipt["recorded"] == (not same(shown[-1], shown[version - 1]))
    assert [ann.data(draft, version=n) for n in range(1, len(shown) + 1)] == shown


@MODERATE
@given(st.data())
def test_a_comparison_leads_from_one_version_to_the_other(
    ann: Blocking, data: st.DataObject
) -> None:
    draft, shown = _history(ann, data)
    a, b = (data.draw(st.integers(1, len(shown))) for _ in range(2))

    changes = (ann.compare(draft, a, b))["changes"]

    assert same(received(changes, shown[a - 1]), shown[b - 1])


@MODERATE
@given(st.data())
def test_undoing_the_last_version_and_undoing_that_again(
    ann: Blocking, data: st.DataObject
) -> None:
    draft, shown = _history(ann, data)
    before = shown[-2] if len(shown) > 1 else {}

    undone = ann.undo(draft, len(shown))
    assert same(ann.data(draft), before)
    assert {one["outcome"] for one in undone["outcomes"]} <= {"undone"}
    again = ann.undo(draft, undone["version"])

    assert same(ann.data(draft), shown[-1])
    assert undone["recorded"] == again["recorded"] == (not same(before, shown[-1]))


@MODERATE
@given(st.data())
def test_undoing_any_run_does_just_what_was_tried(ann: Blocking, data: st.DataObject) -> None:
    draft, shown = _history(ann, data)
    first = data.draw(st.integers(1, len(shown)))
    run = {"version": first, "through": data.draw(st.integers(first, len(shown)))}

    tried = ann.undo(draft, **run, dry_run=True)
    done = ann.undo(draft, **run)

    assert same(received(done["changes"], shown[-1]), ann.data(draft))
    assert without(tried, *_OF_A_RECORD) == without(done, *_OF_A_RECORD)


_OF_A_RECORD = ("recorded", "version", "saved_at", "expires_at")


@MODERATE
@given(st.data())
def test_every_numbered_request_keeps_its_first_answer(
    ann: Blocking, clock: Clock, data: st.DataObject
) -> None:
    draft = ann.open(data.draw(forms()), another=True)
    first: list[tuple[tuple[str, str, Document], Document]] = []
    for seq in range(data.draw(st.integers(1, 7))):
        clock.tick()
        now = ann.draft(draft)
        request = data.draw(_requests(now))
        request[2].update(device=data.draw(st.sampled_from(["mac", "ipad"])), seq=seq)
        answer = _ask(ann, request)
        assert answer.status_code in (200, 409), answer.text
        if answer.is_success and answer.json()["recorded"]:
            first.append((request, answer.json()))

    for request, receipt in data.draw(st.permutations(first)):
        assert same(_ask(ann, request).json(), receipt)


@st.composite
def _requests(draw: st.DrawFn, now: Document) -> tuple[str, str, Document]:
    """Any request that writes to a draft."""
    draft, last = now["id"], now["version"]
    version = draw(st.integers(1, last))
    kind = draw(st.sampled_from(["edit", "edit", "edit", "restore", "undo", "label", "extend"]))
    if kind == "edit":
        # On an old base this is a merge, or a clash.
        based_on = draw(st.sampled_from([last, version]))
        return "PATCH", draft, {"data": draw(edited(now["data"])), "based_on": based_on}
    if kind == "label":
        return (
            "PUT",
            f"{draft}/versions/{version}/label",
            {"label": draw(st.text("abc", min_size=1))},
        )
    body: dict[str, Any] = {} if kind == "extend" else {"version": version}
    return "POST", f"{draft}/{kind}", body


def _ask(ann: Blocking, request: tuple[str, str, Document]) -> httpx.Response:
    method, path, body = request
    answer: httpx.Response = ann.asks(method, path, json=body)
    return answer
