"""A text whose characters are told apart, wherever they stand, as two devices write it."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from domain.sequence import hunks


@dataclass
class Copy:
    """A text as a list of characters that are told apart, wherever they stand."""

    letters: list[str] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)  # 0: a character of unknown origin
    _near: int = 0

    @property
    def text(self) -> str:
        return "".join(self.letters)

    def place_of(self, mark: int) -> int | None:
        """Where the character with this mark is; most are where the last one was."""
        around = self.marks[max(self._near - 3, 0) : self._near + 4]
        if mark in around:
            self._near = max(self._near - 3, 0) + around.index(mark)
            return self._near
        try:
            self._near = self.marks.index(mark)
        except ValueError:
            return None
        return self._near

    def stretches(self, marks: Set[int]) -> list[str]:
        """The text in which these characters stand, one after the other, in whole words."""
        found: list[str] = []
        end = 0
        for at, mark in enumerate(self.marks):
            if mark in marks and at >= end:
                end = at
                while end < len(self.marks) and self.marks[end] in marks:
                    end += 1
                found.append(self._in_whole_words(at, end))
        return found

    def _in_whole_words(self, start: int, end: int) -> str:
        while 0 < start and (self.letters[start - 1] + self.letters[start]).isalnum():
            start -= 1
        while end < len(self.letters) and (self.letters[end - 1] + self.letters[end]).isalnum():
            end += 1
        return "".join(self.letters[start:end])

    def put(self, at: int, letters: str, marks: Sequence[int]) -> None:
        """Type characters in front of a place."""
        self.letters[at:at] = letters
        self.marks[at:at] = marks

    def drop(self, at: int) -> None:
        """Take one character out."""
        del self.letters[at], self.marks[at]

    def take(self, text: str, known: Copy) -> None:
        """Become this text; what it has in common with a known copy has the marks of that one."""
        letters = list(text)
        marks = [0] * len(letters)
        here = there = 0
        for hunk in [*hunks(known.letters, letters), None]:
            end = len(known.letters) if hunk is None else hunk.a_start
            marks[there : there + end - here] = known.marks[here:end]
            if hunk is not None:
                here, there = hunk.a_end, hunk.b_end
        self.letters, self.marks = letters, marks
