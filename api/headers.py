"""Headers of requests: what `If-Match`, `If-None-Match` and `Prefer` ask for."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from api.answers import Answer

Headers = dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a request's headers ask for: the versions of If-Match, and the whole draft back."""

    if_match: Collection[int] | None = None
    whole: bool = False


def wishes_of(headers: Headers) -> Wishes:
    """What `If-Match` and `Prefer` ask for."""
    match, prefer = headers.get(b"if-match"), headers.get(b"prefer")
    if match is None and prefer is None:
        return _NO_WISHES
    whole = prefer is not None and b"return=representation" in prefer.replace(b" ", b"").lower()
    versions = None if match is None or match.strip() == b"*" else _versions(match)
    return Wishes(versions, whole)


_NO_WISHES = Wishes()
_ETAG = re.compile(rb'(W/)?"([^"]*)"')


def _versions(tags: bytes, *, weak: bool = False) -> frozenset[int]:
    """The versions that entity tags name; tags that are none of ours match nothing."""
    found = [tag for is_weak, tag in _ETAG.findall(tags) if weak or not is_weak]
    return frozenset(int(tag) for tag in found if tag.isdigit() and len(tag) < 18)


def unless_known(answer: Answer, known: bytes | None) -> Answer:
    """The answer, or 304 if the caller has it by its `If-None-Match`."""
    if known is None:
        return answer
    tag = dict(answer.headers)[b"etag"]
    if known.strip() != b"*" and int(tag.strip(b'"')) not in _versions(known, weak=True):
        return answer
    return Answer(304, [h for h in answer.headers if h[0] != b"content-type"], b"")
