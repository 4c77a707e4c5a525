"""The hash chain: every event is bound to its place, its content and the event before it.

What: HMAC-SHA256 over the previous link, the draft, the version, the topic and the stored bytes.
Why: an auditor can prove that no event was altered, removed, swapped or inserted.
Else considered: a canonical JSON form (two encoders may disagree; the stored bytes cannot), and the
notification id (it differs between engines and after an import).
Hard to undo: every stored link depends on these bytes; a new layout needs a new key id.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

KEY_ID_BYTES = 4
FIRST = bytes(KEY_ID_BYTES + 32)  # what stands before the first event of a draft
MOST_FLAWS = 20  # of one draft are told one by one


@dataclass(frozen=True)
class ChainKey:
    """A key of the chain; its id stands in front of every link that it made."""

    secret: bytes

    @property
    def id(self) -> bytes:
        """The first four bytes of a hash of the key: names it, tells nothing of it."""
        return hashlib.sha256(b"variorum chain key id" + self.secret).digest()[:KEY_ID_BYTES]


class Chain:
    """Makes links under one key."""

    def __init__(self, key: ChainKey) -> None:
        self._secret, self._id = key.secret, key.id

    def link(self, previous: bytes, draft: UUID, version: int, topic: str, state: bytes) -> bytes:
        """The link of an event: 4 bytes that name the key, then 32 bytes of HMAC-SHA256."""
        head = b"%b%b%d %b\0" % (previous, draft.bytes, version, topic.encode())
        return self._id + hmac.digest(self._secret, head + state, "sha256")


class Seal:
    """A signature over a file, taken line by line, by a key that no link is made with."""

    def __init__(self, key: ChainKey) -> None:
        secret = hmac.digest(key.secret, b"variorum seal", "sha256")
        self._mac = hmac.new(secret, digestmod="sha256")

    def take(self, line: bytes) -> None:
        """The next line, with its end."""
        self._mac.update(line)

    def signature(self) -> str:
        """The signature over all lines so far: 64 hexadecimal digits."""
        return self._mac.hexdigest()


class Keyring:
    """The keys that links and seals may have been made with, by their ids."""

    def __init__(self, keys: Iterable[ChainKey]) -> None:
        self._keys = {key.id: key for key in keys}
        self.chains = {key_id: Chain(key) for key_id, key in self._keys.items()}

    def find(self, key_id: bytes) -> ChainKey | None:
        """The key with this id."""
        return self._keys.get(key_id)


Problem = Literal["altered", "misattributed", "missing", "repeated", "rewritten", "unchecked"]
"""What may be wrong with a version:

- `altered`: its content, its place, its link or the link before it is not what was recorded.
- `misattributed`: the table names another author than the event itself.
- `missing`: it is not there, and a later one is, or a checkpoint or tombstone tells of it.
- `repeated`: it stands there a second time, or out of order.
- `rewritten`: its link is not the one that a checkpoint has.
- `unchecked`: its link was made with a key that is not known here; it may be right or wrong.
"""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A run of versions with which the same is wrong; `key` is the unknown key's id."""

    problem: Problem
    first: int
    last: int
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of checking one draft: how many versions it has, its last link, and the flaws."""

    draft: UUID
    versions: int
    head: bytes
    flaws: tuple[Flaw, ...] = ()

    @property
    def intact(self) -> bool | None:
        """True if all is as it was recorded, False if not, None if it cannot be told."""
        if any(flaw.problem != "unchecked" for flaw in self.flaws):
            return False
        return None if self.flaws else True


class Walk:
    """Goes along one draft's chain, event by event from the first, and notes what does not fit."""

    def __init__(self, keyring: Keyring, draft: UUID) -> None:
        self.draft = draft
        self.version, self.head = 0, FIRST
        self._keyring = keyring
        self._flaws: list[Flaw] = []

    def take(self, version: int, topic: str, state: bytes, link: bytes) -> bool:
        """The next event as it is stored; False if it was altered or does not belong here.

        After a flaw the chain goes on from the stored link, so that each flaw is told once.
        """
        if version <= self.version:
            self.note("repeated", version)
            return False
        if version > self.version + 1:  # the link before it is lost with the event before it
            self.note("missing", self.version + 1, version - 1)
            fits = True
        else:
            fits = self._fits(version, topic, state, link)
        self.version, self.head = version, link
        return fits

    def _fits(self, version: int, topic: str, state: bytes, link: bytes) -> bool:
        chain = self._keyring.chains.get(link[:KEY_ID_BYTES])
        if chain is None and not self._only_names_another_key(version, topic, state, link):
            self.note("unchecked", version, key=link[:KEY_ID_BYTES].hex())
            return True
        if chain is not None and chain.link(self.head, self.draft, version, topic, state) == link:
            return True
        self.note("altered", version)
        return False

    def _only_names_another_key(self, version: int, topic: str, state: bytes, link: bytes) -> bool:
        made = (
            chain.link(self.head, self.draft, version, topic, state)
            for chain in self._keyring.chains.values()
        )
        return any(one[KEY_ID_BYTES:] == link[KEY_ID_BYTES:] for one in made)

    def note(
        self, problem: Problem, first: int, last: int | None = None, key: str | None = None
    ) -> None:
        """Something is wrong with a version, or with a run of them."""
        flaw = Flaw(problem, first, first if last is None else last, key)
        if self._flaws and _follows(self._flaws[-1], flaw):
            self._flaws[-1] = replace(self._flaws[-1], last=flaw.last)
        else:
            self._flaws.append(flaw)
            self._leave_out_some()

    def _leave_out_some(self) -> None:
        """Keep no more than can be told, and of these rather what is wrong than what is unknown."""
        if len(self._flaws) > MOST_FLAWS:
            places = range(len(self._flaws))
            unknown = [place for place in places if self._flaws[place].problem == "unchecked"]
            del self._flaws[unknown[-1] if unknown else -1]

    def verdict(self) -> Verdict:
        """What is known now."""
        return Verdict(self.draft, self.version, self.head, tuple(self._flaws))


def _follows(flaw: Flaw, other: Flaw) -> bool:
    same = (flaw.problem, flaw.key) == (other.problem, other.key)
    return same and other.first == flaw.last + 1
