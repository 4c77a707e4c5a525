"""Drafts: every command on a draft; decides by the product's rules and records, saves nothing.

A command checks in this order: gate, repetition, status, If-Match, merge (the token is checked
before it gets here). It either raises and leaves the draft untouched, or answers; what it recorded
are the draft's pending events. What needs neither rules nor a form definition may be a function: so
are the commands of sharing.py, and what the service itself does in ending.py.
"""

from __future__ import annotations

from functools import partial

from domain.draft import Draft
from domain.editing import Editing
from domain.ending import Ending
from domain.form import Form
from domain.joining import Joining
from domain.labelling import Labelling
from domain.mending import Mending
from domain.starting import Starting


class Drafts(Starting, Editing, Joining, Mending, Labelling, Ending):
    """The commands, under an operator's rules and the definitions of the forms."""

    def with_form(self, draft: Draft) -> Drafts:
        """The same commands with no other definition than that of a draft's form."""
        return Drafts(self.rules, partial(_only, self.form(draft)))


def _only(form: Form, _: str) -> Form:
    return form
