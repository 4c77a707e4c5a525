"""Settling a conflict: whose value somebody chose, and the data with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from domain.conflict import Conflict, Side, Values, put
from domain.errors import CannotApply, Invalid
from domain.identity import Keys
from domain.path import ABSENT
from domain.value import Data


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody decided on one conflict.

    `which` tells several entries of `theirs` apart: a device, or a place in the list. `value` is
    the value itself, or, for a conflict of several paths, an object of values by path.
    """

    id: str
    take: Literal["ours", "theirs", "base", "value"]
    which: str | int | None = None
    value: Any = ABSENT

    def settle(
        self, data: Data, conflict: Conflict, pointer: str, keys: Keys | None = None
    ) -> Data:
        """The data with the conflict settled so; `pointer` leads to this choice in the request.

        Raises:
            Invalid: The choice names no value.
            CannotApply: The place for the value is gone.
        """
        values = self._values(conflict, pointer)
        try:
            return put(data, conflict["paths"], values, keys)
        except CannotApply as misfit:
            raise CannotApply(misfit.detail, path=conflict["paths"][0]) from None

    def told(self) -> dict[str, Any]:
        """The choice as history keeps it."""
        told: dict[str, Any] = {"id": self.id, "take": self.take}
        return told if self.which is None else {**told, "which": self.which}

    def _values(self, conflict: Conflict, pointer: str) -> Values:
        if self.take == "ours":
            return conflict["ours"]["values"]
        if self.take == "base":
            return conflict["base"]
        if self.take == "theirs":
            return self._entry(conflict["theirs"], pointer)["values"]
        return self._own(conflict["paths"], pointer)

    def _entry(self, theirs: Sequence[Side], pointer: str) -> Side:
        if isinstance(self.which, int):
            found = [theirs[self.which]] if 0 <= self.which < len(theirs) else []
        else:
            found = [s for s in theirs if self.which is None or s["device"] == self.which]
        if len(found) != 1:
            raise Invalid.one(
                f"{pointer}/which",
                f"Name one of the {len(theirs)} entries of theirs: a device, or a place from 0.",
            )
        return found[0]

    def _own(self, paths: Sequence[str], pointer: str) -> Values:
        if self.value is ABSENT:
            raise Invalid.one(f"{pointer}/value", "To take a value, send it.")
        if len(paths) == 1:
            return {paths[0]: self.value}
        if type(self.value) is not dict or not set(self.value) <= set(paths):
            raise Invalid.one(
                f"{pointer}/value", f"Send an object of values by path: {', '.join(paths)}."
            )
        return cast("Values", self.value)
