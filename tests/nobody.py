"""Who runs what must not run as root, when root runs the tests: the user who owns nothing."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path
from typing import Any

_NAME = "nobody"


def identity() -> dict[str, Any]:
    """What to pass to `subprocess` so that a command runs as somebody who is not root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(_NAME)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def owns(folder: Path) -> None:
    """Hand a folder and all in it over to whoever `identity` names."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(_NAME)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def can_run(program: Path) -> bool:
    """Whether that user reaches a program: it may lie below a folder that only root may enter."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, **identity())
    except PermissionError:
        return False
    return done.returncode == 0
