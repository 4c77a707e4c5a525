"""Bodies of requests: strict JSON, their media types, and what is wrong with them by pointer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import jiter
from pydantic import TypeAdapter, ValidationError

from api.settings import Limits
from domain.errors import BadJson, Fault, Invalid, UnsupportedMediaType
from domain.path import join
from domain.value import find_fault

T = TypeVar("T")

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"  # RFC 6902
MERGE_PATCH = "application/merge-patch+json"  # RFC 7396

# What may lie around `data`, as in {"edits": [{"changes": [{"value": …}]}]}; the depth of the
# data itself is the domain's to check, once the changes are applied.
ENVELOPE_DEPTH = 5
_ANY_DEPTH = 1_000  # beyond what the parser takes, which is 200


def parse_json(body: bytes, limits: Limits) -> Any:
    """The JSON value in a body, which every reader would take the same.

    Raises:
        BadJson: It is none, or holds what is lost on the way: see the contract's limits.
        Invalid: It nests too deep.
    """
    try:
        value = jiter.from_json(body, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError as error:
        raise _refusal(body, str(error), limits) from None
    max_depth = limits.depth + ENVELOPE_DEPTH
    if found := find_fault(value, max_depth=max_depth):
        raise _fault(value, found, limits)
    return value


def load(adapter: TypeAdapter[T], value: Any) -> T:
    """A parsed body as the model that it should be.

    Raises:
        Invalid: Each thing wrong, with the pointer to it.
    """
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise Invalid([_body_fault(e, e["loc"], value) for e in found]) from None


def request_faults(errors: Iterable[Any], body: Any = None) -> list[Fault]:
    """The faults in what FastAPI found wrong anywhere in a request.

    Pointers lead into the body; `?name` is a query parameter, `{name}` a part of the path, and a
    bare name a header.
    """
    return [_request_fault(e, body) for e in errors]


@lru_cache(maxsize=256)
def media_type(header: bytes | None, accepted: tuple[str, ...]) -> str:
    """Which of the accepted media types a `Content-Type` names.

    >>> media_type(b"Application/JSON; charset=UTF-8", (JSON,))
    'application/json'

    Raises:
        UnsupportedMediaType: None of them, none at all, or a charset other than UTF-8.
    """
    name, *parameters = (header or b"").decode("latin-1").lower().split(";")
    if name.strip() not in accepted or not all(map(_is_harmless, parameters)):
        raise UnsupportedMediaType(accepted)
    return name.strip()


def _is_harmless(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() != "charset" or value.strip().strip('"') == "utf-8"


def _fault(value: Any, found: tuple[str, str], limits: Limits) -> BadJson | Invalid:
    """Too much depth is a limit, all else is no JSON: looked at again, only depth goes away."""
    worse = find_fault(value, max_depth=_ANY_DEPTH)
    if worse is None:
        return Invalid.one(found[0], _too_deep(limits))
    sentence = f"{worse[1][0].upper()}{worse[1][1:]}."
    return BadJson(sentence, errors=[Fault(worse[0], sentence)])


def _too_deep(limits: Limits) -> str:
    return f"Nested deeper than the {limits.depth} levels that data may have."


def _refusal(body: bytes, message: str, limits: Limits) -> BadJson | Invalid:
    """The parser's message in our words: some of its own quote a member's name."""
    if message.startswith("recursion limit"):
        return Invalid.one("", _too_deep(limits))
    return BadJson(_encoding_fault(body) or _syntax_fault(message))


def _encoding_fault(body: bytes) -> str | None:
    if not body.strip():
        return "The body is empty; send JSON."
    if body.startswith(b"\xef\xbb\xbf"):
        return "The body begins with a byte order mark; send UTF-8 without one."
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return f"The body is not UTF-8, at byte {error.start}."
    return None


def _syntax_fault(message: str) -> str:
    place = _PLACE.search(message)
    at = f" at line {place[1]}, column {place[2]}" if place else ""
    reason = next((text for start, text in _REASONS if message.startswith(start)), _NO_JSON)
    return reason.format(at=at)


_PLACE = re.compile(r" at line (\d+) column (\d+)$")
_NO_JSON = "The body is not JSON{at}; what JSON cannot say, as NaN, send as text or null."
_REASONS = (
    ("Detected duplicate key", "An object has the same member twice{at}; send it once."),
    ("number out of range", "A number has too many digits{at}; send long numbers as text."),
    ("lone leading surrogate", "Half a surrogate pair{at} is no character."),
    ("unexpected end of hex escape", "Half a surrogate pair{at} is no character."),
    ("control character", "A text has a bare control character{at}; escape it, as \\n."),
    ("EOF while parsing", "The body ends too early{at}; it may have been cut off."),
    ("trailing characters", "Something follows the JSON value{at}; send one value only."),
)


def _request_fault(error: Mapping[str, Any], body: Any) -> Fault:
    where, *rest = error["loc"]
    if where == "body":
        return _body_fault(error, rest, body)
    name = str(rest[0]) if rest else where
    pointer = {"query": f"?{name}", "path": f"{{{name}}}"}.get(where, name)
    return Fault(pointer, _sentence(error))


def _body_fault(error: Mapping[str, Any], loc: Sequence[int | str], body: Any) -> Fault:
    return Fault(_pointer(loc, body), _sentence(error))


def _pointer(loc: Sequence[int | str], body: Any) -> str:
    """Where in the body; a step that is not there names a union's branch, unless it is the last."""
    tokens: list[str] = []
    for i, step in enumerate(loc):
        if _has(body, step):
            body = body[step]
        elif i < len(loc) - 1 or step == "[key]":  # the name before it is what is wrong
            continue
        tokens.append(str(step))
    return join(*tokens)


def _has(value: Any, step: int | str) -> bool:
    if isinstance(value, list):
        return isinstance(step, int) and step < len(value)
    return isinstance(value, dict) and step in value


def _sentence(error: Mapping[str, Any]) -> str:
    if known := _SENTENCES.get(error["type"]):
        return known
    text = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{text}."


# Where the library's own words quote what was sent, or say it from the inside.
_SENTENCES = {
    "missing": "This must be there.",
    "extra_forbidden": "There is no such member here.",
    "union_tag_invalid": "This is none of the kinds that may stand here.",
    "union_tag_not_found": "This does not say which kind it is.",
    "uuid_parsing": "This must be a UUID.",
    "model_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
    "dict_type": "This must be an object.",
}
