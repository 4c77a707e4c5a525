"""Structured logs: JSON lines on stderr, of what happened and never of what was in it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime
from traceback import extract_tb
from typing import Any, BinaryIO

import orjson
import structlog

_LINE = orjson.OPT_UTC_Z


def configure_logs(level: str, stream: BinaryIO | None = None) -> None:
    """Once per process: structlog and the libraries' own logging write to the same stream.

    Of libraries only the server may say more than warnings: others log addresses and statements.
    """
    stream = stream or sys.stderr.buffer
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(stream),
        processors=[structlog.processors.add_log_level, _add_time, _render],
    )
    handler = logging.StreamHandler(stream=_Text(stream))
    handler.setFormatter(_LibraryLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(level.upper())


class RequestLog:
    """One line per request, past structlog's chain: that costs thrice as much, on every request.

    `threshold` is the severity, in `logging`'s numbers, below which no line is wanted.
    """

    def __init__(self, level: str, stream: BinaryIO | None = None) -> None:
        self.threshold = logging.getLevelNamesMapping()[level.upper()]
        stream = stream or sys.stderr.buffer
        # A line is one write, which neither waits in a buffer nor mixes with another process's.
        self._write = getattr(stream, "raw", stream).write

    def line(self, **fields: Any) -> None:
        """Write the time and the fields as one line, at once."""
        fields["time"] = datetime.now(UTC)
        self._write(orjson.dumps(fields, option=_LINE | orjson.OPT_APPEND_NEWLINE))


def log_unforeseen(error: BaseException, **fields: Any) -> None:
    """Where an error came from; not its message, which may quote what somebody wrote."""
    structlog.get_logger().error("unforeseen", causes=causes(error), **fields)


def causes(error: BaseException) -> list[dict[str, Any]]:
    """An error and those behind it, newest first: their classes and the lines they passed."""
    return [
        {"error": _name(e), "at": [f"{f.filename}:{f.lineno} {f.name}" for f in _frames(e)]}
        for e in _chain(error)
    ]


def _frames(error: BaseException) -> list[Any]:
    return list(extract_tb(error.__traceback__))


def _name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _add_time(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
    event["time"] = datetime.now(UTC)
    return event


def _render(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> bytes:
    return orjson.dumps(dict(event), default=repr, option=_LINE)


class _LibraryLines(logging.Formatter):
    """What libraries log by `logging`, in the same shape; exceptions as their causes only."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            # The first line only: asyncio adds the repr of what failed, message and all.
            "event": record.getMessage().partition("\n")[0],
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[1]:
            line["causes"] = causes(record.exc_info[1])
        return orjson.dumps(line, default=repr, option=_LINE).decode()


class _Text:
    """A byte stream as the text stream that `logging` writes to."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        self._stream.write(text.encode())

    def flush(self) -> None:
        self._stream.flush()
