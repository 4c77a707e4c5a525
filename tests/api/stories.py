"""Drafts to which much happened, and all that can be read of them."""

from __future__ import annotations

from tests.api.calls import Caller, Document, replace


async def some_history(ann: Caller, ben: Caller) -> list[tuple[Caller, str]]:
    """Drafts of two people with most acts, a text that is stored compressed, and an open slot."""
    gig = await ann.open({"title": "Jazz", "fee": 100, "acts": [{"id": "a", "name": "Zoë"}]})
    for fee in range(101, 140):
        await ann.save(gig, replace("/fee", fee), device="mac", seq=fee)
    await ann.label(gig, 3, "asked the agency")
    await ann.undo(gig, 5)
    await ann.restore(gig, 2)
    fork = await ann.fork(gig, version=4)
    await ann.submit(fork)
    long = await ben.open({"text": "naïve 🎷 " * 2_000}, subject="42", step="text")
    await ben.save(long, replace("/text", "naïve 🎷 " * 2_000 + "!"), device="phone")
    thrown = await ben.open({"title": "Old"}, another=True)
    await ben.discard(thrown)
    return [(ann, gig["id"]), (ben, long["id"]), (ann, fork["id"]), (ben, thrown["id"])]


async def everything_about(caller: Caller, draft: str) -> list[Document]:
    """All that can be read of a draft, and the caller's list."""
    versions = await caller.versions(draft, limit=200)
    return [
        await caller.draft(draft),
        versions,
        *[await caller.draft(draft, version=line["version"]) for line in versions["items"]],
        *[await caller.version(draft, line["version"]) for line in versions["items"]],
        await caller.versions(draft, grouped="true"),
        await caller.lists(),
        await caller.lists(q="zoë"),
    ]
