"""A plain virtual environment that holds the service and nothing else, used by nobody."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import IO, Any

from packaging.requirements import Requirement

from tests import nobody

TOP = Path(__file__).parents[1]

_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
# Most of Python's own library, and no service needs it.
_UNNEEDED = ("site-packages", "test", "tests", "idlelib", "tkinter", "config-*", "__pycache__")
_NOT_PACKAGED = shutil.ignore_patterns("node_modules", "__pycache__")


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and the variables without which its Python does not start."""

    folder: Path
    variables: Mapping[str, str]

    def start(
        self, command: Sequence[str], variables: Mapping[str, str], log: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start a command of this environment in a folder where nobody may write."""
        everything = self._as(variables)
        return subprocess.Popen(self._path(command), stdout=log, stderr=log, **everything)

    def succeeds(self, command: Sequence[str]) -> bool:
        """Run a command of this environment to its end; whether it exits with 0."""
        done = subprocess.run(self._path(command), capture_output=True, **self._as({}))
        return done.returncode == 0

    def _path(self, command: Sequence[str]) -> list[str]:
        return [str(self.folder / "bin" / command[0]), *command[1:]]

    def _as(self, variables: Mapping[str, str]) -> dict[str, Any]:
        return {"env": {**self.variables, **variables}, "cwd": "/", **nobody.identity()}


def make_environment(folder: Path) -> Environment:
    """Make what `pip install .` makes of a fresh environment, out of what is installed here."""
    python, variables = _python(folder / "python")
    made = folder / "environment"
    create = [str(python), "-m", "venv", "--without-pip", str(made)]
    subprocess.run(create, check=True, env={**os.environ, **variables})
    packages = made / "lib" / _VERSION / "site-packages"
    for installed in _needed(_project()["dependencies"]):
        _copy_distribution(installed, packages)
    for name in _packages():
        shutil.copytree(TOP / name, packages / name, ignore=_NOT_PACKAGED)
    _write_scripts(made / "bin")
    nobody.owns(folder)
    return Environment(made, variables)


def _python(copy: Path) -> tuple[Path, dict[str, str]]:
    """A Python that nobody can run: the one that runs this, or else a copy of it."""
    python = Path(sys.base_prefix) / "bin" / _VERSION
    if nobody.can_run(python):
        return python, {}
    (copy / "bin").mkdir(parents=True)
    shutil.copy(python, copy / "bin")
    unneeded = shutil.ignore_patterns(*_UNNEEDED)
    shutil.copytree(sysconfig.get_path("stdlib"), copy / "lib" / _VERSION, ignore=unneeded)
    for shared in (python.parents[1] / "lib").glob("libpython*.so*"):
        shutil.copy(shared, copy / "lib", follow_symlinks=False)
    return copy / "bin" / _VERSION, {"LD_LIBRARY_PATH": str(copy / "lib")}


def _needed(requirements: Sequence[str]) -> list[Distribution]:
    """What is installed here of some requirements, and of theirs in turn."""
    found: dict[tuple[str, frozenset[str]], Distribution] = {}
    waiting = [Requirement(one) for one in requirements]
    while waiting:
        wanted = waiting.pop()
        key = (wanted.name, frozenset(wanted.extras))
        if key not in found:
            found[key] = distribution(wanted.name)
            waiting += _requirements(found[key], wanted.extras)
    return list(found.values())


def _requirements(installed: Distribution, extras: set[str]) -> Iterator[Requirement]:
    for one in map(Requirement, installed.requires or ()):
        if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in extras or {""}):
            yield one


def _copy_distribution(installed: Distribution, packages: Path) -> None:
    for file in installed.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            (packages / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(str(file.locate())), packages / file)


def _write_scripts(folder: Path) -> None:
    for name, target in _project()["scripts"].items():
        module, _, function = target.partition(":")
        script = folder / name
        script.write_text(
            f"#!{folder / 'python'}\nimport sys\nfrom {module} import {function}\n"
            f"sys.exit({function}())\n"
        )
        script.chmod(0o755)


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((TOP / "pyproject.toml").read_text())


def _project() -> dict[str, Any]:
    project: dict[str, Any] = _pyproject()["project"]
    return project


def _packages() -> list[str]:
    packages: list[str] = _pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return packages
