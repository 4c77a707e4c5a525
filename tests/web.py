"""The browser side in tests: npm, one at a time, and a build as new as its sources."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.environments import TOP

WEB = TOP / "api" / "web"
_SOURCES = ("src", "index.html", "public", "vite.config.ts", "package-lock.json")


def npm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run npm to its end, while no other test process does."""
    with _alone():
        return _npm(*arguments)


def build() -> None:
    """Build pages and module, unless that is done."""
    with _alone():
        if _newest(WEB / "dist") < max(_newest(WEB / source) for source in _SOURCES):
            done = _npm("run", "build")
            assert done.returncode == 0, done.stdout + done.stderr


def _npm(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(WEB / "npm.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@contextmanager
def _alone() -> Iterator[None]:
    with (WEB / "package.json").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _newest(path: Path) -> float:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return max((file.stat().st_mtime for file in files), default=0.0)
