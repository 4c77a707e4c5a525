"""Changes, versions, sessions and conflicts as sentences: for page, export and screen reader."""

from __future__ import annotations

from domain.conflict import Conflict
from domain.form import Form
from domain.value import Data
from projections.wording import changes, conflicts, lines, versions
from projections.wording.changes import Served
from projections.wording.lines import By
from projections.wording.people import LONGEST, capital, sentence
from projections.wording.places import Places
from projections.wording.values import cut
from projections.wording.versions import Session, Version

__all__ = ["LONGEST", "By", "Served", "Session", "Version", "Wording"]


class Wording:
    """The sentences about one form, from its values before some changes to those after them.

    Whatever speaks of one state only takes it for both. Every sentence is one line of at most
    `LONGEST` characters, and nothing of a sensitive field's value is ever in one.
    """

    def __init__(self, form: Form, before: Data, after: Data) -> None:
        self._form, self._places = form, Places(form, before, after)

    def label(self, path: str) -> str:
        """What a field or item is called: `Fee of 'Foo Fighters'`."""
        return self._places.at(path).label

    def label_of(self, change: Served) -> str:
        """What the field or item of a change is called; one that is gone, as it was."""
        return changes.place_of(change, self._places).label

    def sentence(self, change: Served, by: str | None) -> str:
        """Who changed what: `Ann changed Fee from 100 to 250`."""
        return sentence(by, changes.did(change, self._places))

    def difference(self, change: Served) -> str:
        """A change that nobody in particular made: `Changed Fee from 100 to 250`."""
        return cut(capital(changes.did(change, self._places)), LONGEST)

    def headline(self, version: Version) -> str:
        """A version in one line: `Ann changed Fee and 2 other fields`."""
        return versions.headline(version, self._form, self._places)

    def line(self, version: Version, change: Served) -> str:
        """A change and how it came about: `Ann changed Fee from 1 to 2 (restored version 3)`."""
        return lines.line(version, change, self._places)

    def blame(self, path: str, last: By, first: By, until: By | None = None) -> str:
        """Who set a value and who wrote it: `Ann set Fee in version 6; first written by …`."""
        return lines.blame(self.label(path), last, first, until)

    def session(self, session: Session) -> str:
        """An editing session in one line: `Ann changed Fee and Title in 14 saves on mac-ann`."""
        return versions.session_line(session, self._places)

    def conflict(self, conflict: Conflict) -> str:
        """A conflict in one line: `Ben's edit of Fee clashed with Ann's: 250 or 300`."""
        return conflicts.clash(conflict, self._places)
