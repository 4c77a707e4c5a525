"""Versions and comparisons in words over HTTP, with the labels of the form's definition."""

from __future__ import annotations

import pytest

from tests.api.calls import Caller, Document, add, replace

GIG: Document = {
    "title": "Jazz night",
    "fee": 100,
    "acts": [{"id": "a5", "name": "Foo Fighters", "fee": 100}, {"id": "a6", "name": "Bar"}],
    "contact": {"email": "zed@example.org"},
}
SECRET = "zed@example.org"


@pytest.fixture
async def draft(ann: Caller) -> Document:
    """A gig of Ann's, at version 1."""
    return await ann.open(GIG)


async def texts(ann: Caller, draft: Document, version: int) -> list[str]:
    """The line of a version, and the sentence of each of its changes."""
    shown = await ann.version(draft, version)
    return [shown["text"], *(change["text"] for change in shown["changes"])]


async def test_a_change_has_the_label_and_the_sentence_of_the_contract(
    ann: Caller, draft: Document
) -> None:
    await ann.save(draft, replace("/acts/id:a5/fee", 250))

    assert (await ann.version(draft, 2))["changes"] == [
        {
            "op": "replace",
            "path": "/acts/id:a5/fee",
            "before": 100,
            "after": 250,
            "by": "ann",
            "version": 2,
            "label": "Fee of 'Foo Fighters'",
            "text": "Ann changed Fee of 'Foo Fighters' from €100 to €250",
        }
    ]


async def test_several_changes_are_one_line_and_a_sentence_each(
    ann: Caller, draft: Document
) -> None:
    bus = {"id": "a7", "name": "The Night Buses"}
    await ann.save(draft, replace("/title", "Blues"), add("/acts/-", bus), add("/tags", ["late"]))

    assert await texts(ann, draft, 2) == [
        "Ann changed Title and 2 other fields",
        "Ann changed Title from 'Jazz night' to 'Blues'",
        "Ann added Act 'The Night Buses' to Line-up",
        "Ann added Tags: 'late'",
    ]


async def test_a_conflict_is_told_where_it_was_opened_and_where_it_was_settled(
    ann: Caller, draft: Document
) -> None:
    await ann.save(draft, replace("/fee", 250), device="mac", based_on=1)
    clashing = [replace("/fee", 300), replace("/title", "Blues")]
    await ann.save(draft, *clashing, device="ipad", based_on=1)
    decision = {"take": "theirs", "which": "ipad"}
    await ann.asks("POST", f"{draft['id']}/conflicts/c1/resolve", json=decision)

    assert await texts(ann, draft, 3) == [
        (
            "Ann merged edits from ipad: changed Title from 'Jazz night' to 'Blues';"
            " waiting for a decision: Fee"
        ),
        "Ann changed Title from 'Jazz night' to 'Blues'",
    ]
    assert await texts(ann, draft, 4) == [
        "Ann settled the conflict on Fee: took €300 (Ann's)",
        "Ann changed Fee from €250 to €300",
    ]
    assert (await ann.version(draft, 4))["about"]["taken"] == [{"id": "c1", **decision}]


async def test_a_merged_fork_is_told_as_such(ann: Caller, draft: Document) -> None:
    fork = await ann.fork(draft)
    await ann.save(fork, replace("/fee", 250))
    await ann.asks("POST", f"{draft['id']}/merge", json={"fork": fork["id"]})

    merged = await ann.version(draft, 2)
    assert merged["text"] == "Ann merged a fork: changed Fee from €100 to €250"
    assert merged["about"] == {"fork": fork["id"], "fork_version": 2}


async def test_an_undo_tells_what_stayed(ann: Caller, draft: Document) -> None:
    await ann.save(draft, replace("/fee", 250), replace("/title", "Blues"))
    await ann.save(draft, replace("/fee", 300))
    await ann.undo(draft, 2)

    assert await texts(ann, draft, 4) == [
        "Ann undid version 2 (Fee stayed, changed again since)",
        "Ann changed Title from 'Blues' to 'Jazz night'",
    ]


async def test_nothing_of_a_sensitive_field_is_in_any_words(ann: Caller, draft: Document) -> None:
    await ann.save(draft, replace("/contact/email", f"new-{SECRET}"))
    await ann.restore(draft, 1, paths=["/contact"])
    compared = await ann.compare(draft, 1, 2)

    said = [line for n in (1, 2, 3) for line in await texts(ann, draft, n)]
    assert "Ann restored Contact from version 1" in said
    assert [change["text"] for change in compared["changes"]] == ["Changed Contact"]
    assert not any(SECRET in line for line in said)
