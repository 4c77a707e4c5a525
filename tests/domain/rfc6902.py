"""Runs the cases of json-patch-tests: `python -m tests.domain.rfc6902 --cases FILE`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from domain.errors import CannotApply
from domain.patch import apply_operations
from domain.value import same

Case: TypeAlias = dict[str, Any]


def passes(case: Case) -> bool:
    """Whether a case gives what it expects, or is refused if it expects an error."""
    try:
        result = apply_operations(case["doc"], case["patch"])
    except CannotApply:
        return "error" in case
    return "error" not in case and same(result, case.get("expected", result))


def run(files: Sequence[Path]) -> int:
    """Print what failed and the counts; the exit code is 1 if anything failed."""
    cases = [case for file in files for case in json.loads(file.read_text("utf-8"))]
    enabled = [case for case in cases if "patch" in case and not case.get("disabled")]
    failed = [case for case in enabled if not passes(case)]
    for case in failed:
        sys.stdout.write(f"failed: {json.dumps(case)}\n")
    passed = len(enabled) - len(failed)
    sys.stdout.write(f"passed {passed}, failed {len(failed)}, of {len(cases)} cases\n")
    return 1 if failed else 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="RFC 6902 conformance")
    parser.add_argument("--cases", type=Path, nargs="+", required=True, metavar="FILE")
    return run(parser.parse_args().cases)


if __name__ == "__main__":
    sys.exit(main())
