"""Answers as bytes: receipts, drafts and lists, with their headers, and how they are sent."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from starlette.types import Send

from domain.errors import Invalid
from domain.receipts import Receipt
from domain.value import find_fault
from projections.wording import Wording

JSON = (b"content-type", b"application/json")
PRIVATE = (b"cache-control", b"private, no-cache")
TIMES = orjson.OPT_UTC_Z

Headers = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """A whole answer, ready to be sent."""

    status: int
    headers: Headers
    body: bytes


def with_length(answer: Answer) -> Headers:
    """The headers with the body's length, which 204 and 304 go without (RFC 9110, section 8.6)."""
    if answer.status in (204, 304):
        return answer.headers
    return [*answer.headers, (b"content-length", b"%d" % len(answer.body))]


async def send_answer(send: Send, answer: Answer) -> None:
    """Send a whole answer over ASGI."""
    headers = with_length(answer)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def etag(version: int) -> tuple[bytes, bytes]:
    """The version as an entity tag."""
    return b"etag", b'"%d"' % version


def receipt_document(receipt: Receipt) -> dict[str, Any]:
    """A receipt, as the contract has it."""
    document: dict[str, Any] = {
        "id": receipt.id,
        "version": receipt.version,
        "recorded": receipt.recorded,
        "merged": receipt.merged,
        "saved_at": receipt.saved_at,
        "expires_at": receipt.expires_at,
        "changes": receipt.changes,
        "conflicts": receipt.conflicts,
    }
    if receipt.outcomes is not None:
        document["outcomes"] = receipt.outcomes
    return document


def in_words(change: Mapping[str, Any], wording: Wording, by: str | None) -> dict[str, Any]:
    """A change with the name of who made it, what its field is called, and a sentence."""
    label, text = wording.label_of(change), wording.sentence(change, by)
    return {**change, "by": by, "label": label, "text": text}


def receipt_answer(receipt: Receipt) -> Answer:
    """200 with a receipt."""
    body = orjson.dumps(receipt_document(receipt), option=TIMES)
    return Answer(200, [JSON, etag(receipt.version)], body)


def with_draft(receipt: Receipt, draft: bytes) -> Answer:
    """200 with a receipt that carries the whole draft, as `Prefer` asked (RFC 7240)."""
    body = orjson.dumps(
        {**receipt_document(receipt), "draft": orjson.Fragment(draft)}, option=TIMES
    )
    applied = (b"preference-applied", b"return=representation")
    return Answer(200, [JSON, etag(receipt.version), applied], body)


def submitted(receipt: Receipt, link: bytes, draft: bytes) -> Answer:
    """200 with the receipt of a finished draft: the final form, and its link in the chain."""
    final = {"head": link.hex(), "draft": orjson.Fragment(draft)}
    body = orjson.dumps({**receipt_document(receipt), **final}, option=TIMES)
    return Answer(200, [JSON, PRIVATE, etag(receipt.version)], body)


def draft_answer(
    body: bytes, version: int, status: int = 200, location: str | None = None
) -> Answer:
    """A draft, not to be kept by anybody between."""
    headers = [JSON, PRIVATE, etag(version)]
    if location is not None:
        headers.append((b"location", location.encode()))
    return Answer(status, headers, body)


def json_answer(
    document: Any, status: int = 200, headers: Sequence[tuple[bytes, bytes]] = ()
) -> Answer:
    """Any other document."""
    return Answer(status, [JSON, PRIVATE, *headers], orjson.dumps(document, option=TIMES))


def page(items: Sequence[Mapping[str, Any]], limit: int, cursor_of: Any) -> dict[str, Any]:
    """One page of a list that was asked for one more than fits: a cursor if there is a next."""
    more = len(items) > limit
    shown = items[:limit]
    return {"items": shown, "next_cursor": cursor_of(shown[-1]) if more else None}


def within(limit: int, largest: int) -> int:
    """The number of lines that is asked for.

    Raises:
        Invalid: It is more than a page may have, or none.
    """
    if not 1 <= limit <= largest:
        raise Invalid.one("?limit", f"Must be from 1 to {largest}.")
    return limit


def cursor(*parts: Any) -> str:
    """A place in a list, as an opaque text."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def place(text: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """The place that a cursor names.

    Raises:
        Invalid: It is not one that this service gave.
    """
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        parts = None
    known = isinstance(parts, list) and [type(part) for part in parts] == list(kinds)
    if not known or find_fault(parts, max_depth=1):
        raise Invalid.one("?cursor", "Take the cursor from the answer before, as it is.")
    return tuple(parts)
