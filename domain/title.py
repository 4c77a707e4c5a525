"""The title of a draft: a text in its data."""

from __future__ import annotations

from domain.path import find
from domain.value import Data


def title_of(data: Data, title_path: str | None) -> str | None:
    """The text at the title path, else at `/title`, else at `/name`."""
    return None if (path := title_at(data, title_path)) is None else find(data, path)


def title_at(data: Data, title_path: str | None) -> str | None:
    """Where the title is: the first of these paths that leads to a text."""
    for path in (title_path, "/title", "/name"):
        if path is not None and isinstance(find(data, path), str):
            return path
    return None
