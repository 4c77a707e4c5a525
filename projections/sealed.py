"""Files of JSON lines under a signature: the first line says what it is, the last one seals it.

What: a header `{"variorum": kind, "format": …, "key": …}`, then the lines, then `{"signature": …}`
over every byte before it (domain/chain.py, Seal).
Why: a link proves one event; only a seal proves that a file has all of its lines, and its names.
Hard to undo: exports and checkpoints are kept for years; a new layout is a new format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Literal

import orjson

from domain.chain import ChainKey, Keyring, Seal

Kind = Literal["export", "checkpoint"]

FORMATS: dict[Kind, int] = {"export": 2, "checkpoint": 1}
LONGEST = 2**26  # bytes of a line; an event holds a form twice at most
_LAST = b'{"signature":'


class NotSealed(Exception):
    """The file is not what it should be; `str()` is a sentence without its name."""


class Sealing:
    """Writes a sealed file, line by line."""

    def __init__(
        self, write: Callable[[bytes], Any], kind: Kind, key: ChainKey, **header: Any
    ) -> None:
        self._write, self._seal = write, Seal(key)
        about = {"variorum": kind, "format": FORMATS[kind], "key": key.id.hex()}
        self.line(orjson.dumps({**about, **header}))

    def line(self, line: bytes) -> None:
        """Write a line of JSON, given without its end."""
        line += b"\n"
        self._seal.take(line)
        self._write(line)

    def close(self) -> None:
        """Write the signature."""
        self._write(orjson.dumps({"signature": self._seal.signature()}) + b"\n")


class Sealed:
    """A sealed file: gives its lines, and after the last one knows whether the seal holds.

    Raises:
        NotSealed: The file is of another kind, of a format that this release does not know, or no
            file of lines at all.
    """

    def __init__(self, file: BinaryIO, kind: Kind, keyring: Keyring) -> None:
        self._file = file
        first = file.readline(LONGEST)
        self.header = _header(first, kind)
        self._seal = _seal(self.header, keyring)
        if self._seal is not None:
            self._seal.take(first)
        self.fault: str | None = "it is cut: the line with its signature is missing"

    def __iter__(self) -> Iterator[bytes]:
        """The lines between the first and the last."""
        while line := self._file.readline(LONGEST):
            if line.startswith(_LAST):
                self.fault = self._judge(line)
                return
            if self._seal is not None:
                self._seal.take(line)
            yield line

    def _judge(self, last: bytes) -> str | None:
        if self._file.read(1):
            return "it goes on after the line with its signature"
        if self._seal is None:
            return f"its signature cannot be checked: the key {self.header['key']} is not known"
        if _signature(last) == self._seal.signature():
            return None
        return "its signature does not hold: lines were altered, added or removed"


def _header(line: bytes, kind: Kind) -> dict[str, Any]:
    try:
        header = orjson.loads(line)
        found, number = header["variorum"], header["format"]
    except (ValueError, TypeError, KeyError):
        found = number = None
    if found != kind:
        raise NotSealed(f"is no {kind} of Variorum")
    if number != FORMATS[kind]:
        raise NotSealed(f"has format {number}, and this release reads {FORMATS[kind]}")
    return dict(header)


def _seal(header: dict[str, Any], keyring: Keyring) -> Seal | None:
    try:
        key = keyring.find(bytes.fromhex(header["key"]))
    except (ValueError, TypeError, KeyError):
        raise NotSealed("does not name the key of its signature") from None
    return None if key is None else Seal(key)


def _signature(line: bytes) -> Any:
    try:
        return orjson.loads(line)["signature"]
    except ValueError:
        return None
