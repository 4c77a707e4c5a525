"""What a store keeps of form definitions: every one that was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FormRow:
    """A form definition as somebody sent it; `number` rises with every one."""

    number: int
    form: str
    definition: str


class Forms(Protocol):
    """The form definitions in one database."""

    async def keep(self, form: str, definition: str, by: str, at: datetime) -> None:
        """Keep a definition as the newest of its form; earlier ones stay.

        The form's drafts are at rest no more: what is known of them was by an earlier one.
        """

    async def unrest(self, form: str) -> None:
        """Forget what is known of a form's quiet drafts, so that they come to rest again.

        What searches see of them is made anew with it.
        """

    async def hide(self, form: str) -> None:
        """The same, and no titles are shown of the drafts until then."""

    async def newest(self, after: int) -> Sequence[FormRow]:
        """The newest definition of each form kept after a number, in the order of their numbers."""
