"""The secret beside a SQLite file, so that tokens outlive a restart without any configuration."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

KEY_BYTES = 32  # what HS256 needs at least: RFC 7518, section 3.2


def read_or_create(file: Path) -> bytes:
    """The secret in the file, which is made at the first use with mode 0600.

    Raises:
        OSError: The file cannot be written or read, or is too short to be a secret.
    """
    if not file.exists():
        _create(file, secrets.token_hex(KEY_BYTES))
    secret = file.read_bytes().strip()
    if len(secret) < KEY_BYTES:
        raise OSError("it is damaged; restore it, or remove it and every token with it")
    return secret


def _create(file: Path, content: str) -> None:
    """Whole or not at all, and the first of several processes wins: a link replaces nothing."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(content + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.link(temporary, file)
    except FileExistsError:
        pass
    finally:
        Path(temporary).unlink()
