"""Gigs as the pages show them: begun by one person, worked on by two, clashing once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.api.calls import Document

Asks = Callable[..., Document]
"""A request to the service: who, method, path, body; the answer's document."""

LONG = (
    "Two sets of standards and a late jam. Doors at eight, food until ten. "
    "Bring an instrument if you like."
)
LONGER = LONG.replace(" Bring", " The back room stays open for those who want to sit. Bring")
GIG = {
    "title": "Jazz night",
    "date": "2026-12-11",
    "start": "20:30",
    "tags": ["jazz", "live"],
    "venue": {"name": "The Blue Room", "city": "Hamburg", "capacity": 120},
    "acts": [
        {"id": "a1", "name": "Foo Trio", "fee": 100, "start": "20:30"},
        {"id": "a2", "name": "Solo Sax", "fee": 80, "start": "21:30"},
    ],
    "description": LONG,
}


def change(op: str, path: str, value: object = None) -> Document:
    """One change, as an edit has it."""
    return {"op": op, "path": path} | ({} if op == "remove" else {"value": value})


def begun(asks: Asks, user: str, title: str = "Jazz night") -> str:
    """A gig of somebody's, on its third step; its id."""
    opening = {
        "form": "gig",
        "another": True,
        "device": "MacBook",
        "data": {**GIG, "title": title},
        "step": "lineup",
        "completed_steps": ["basic", "venue"],
    }
    return str(asks(user, "POST", "/drafts", **opening)["id"])


def worked_on(asks: Asks, draft: str, *, owner: str, editor: str, member: str) -> None:
    """A name for the first version, then edits of two people; version 6 is the last."""
    at = f"/drafts/{draft}"
    label = f"{at}/versions/1/label"
    asks(owner, "PUT", label, label="Sent to agency")
    asks(owner, "PUT", f"{at}/members/{member}", role="editor")
    saved(asks, owner, draft, 3, "iPhone", change("replace", "/description", LONGER))
    buses = {"id": "a3", "name": "The Night Buses", "fee": 400, "start": "22:00"}
    saved(
        asks,
        editor,
        draft,
        4,
        "iPad",
        change("add", "/acts/0", buses),
        change("remove", "/acts/id:a2"),
        change("add", "/pay", {"price": 12, "currency": "EUR"}),
    )
    saved(asks, owner, draft, 5, "MacBook", change("replace", "/title", "Jazz night, late"))


def clashed(asks: Asks, draft: str, *, owner: str, editor: str, base: int) -> None:
    """Two people change a fee and a sentence without seeing each other."""
    saved(
        asks,
        editor,
        draft,
        base,
        "iPad",
        change("replace", "/acts/id:a1/fee", 300),
        change("replace", "/description", LONGER.replace("eight", "seven")),
        reason="agency quote",
    )
    saved(
        asks,
        owner,
        draft,
        base,
        "MacBook",
        change("replace", "/acts/id:a1/fee", 250),
        change("replace", "/description", LONGER.replace("eight", "nine")),
        change("add", "/end", "23:30"),
    )


def saved(
    asks: Asks, user: str, draft: str, base: int, device: str, *changes: Document, **more: Any
) -> Document:
    """An edit of somebody's, on a device."""
    edit = {"based_on": base, "device": device, "changes": list(changes), **more}
    return asks(user, "PATCH", f"/drafts/{draft}", **edit)
