"""Builds the browser side while the package is built, with node from a wheel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebBuild(BuildHookInterface[Any]):
    """Leaves the built files in `api/web/dist`, for wheels and for editable installs alike."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run the build; hatchling picks the files up as artifacts."""
        del version, build_data
        npm = Path(self.root) / "api" / "web" / "npm.py"
        subprocess.run([sys.executable, npm, "run", "build", "--silent"], check=True)  # noqa: S603
