"""What the webhook is told: a stretch of the log as messages, saves grouped by editing session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import orjson

from projections.store.outbox import Buried, Message, News, Session, SessionKey
from projections.store.records import Record

PAUSE = timedelta(minutes=30)  # after which a session is over, as in the history
SAVES = ("draft.edited", "draft.merged", "draft.restored", "draft.undone", "draft.resolved")
ENDS = ("draft.submitted", "draft.discarded", "draft.expired")


def concerns(record: Record) -> bool:
    """Whether the webhook is told of such an event."""
    return record.topic in SAVES or record.topic in ENDS


class Gathering:
    """Goes through the log once; the sessions that went on before are given."""

    def __init__(self, going_on: Iterable[Session]) -> None:
        self._going_on = {session.key: session for session in going_on}
        self._over: list[SessionKey] = []
        self._messages: list[Message] = []

    def take(self, record: Record) -> None:
        """The next event that concerns the webhook."""
        if record.topic in SAVES:
            self._save(record)
        else:
            for key in [key for key in self._going_on if key.draft == record.draft]:
                self._end(key)
            event, at = record.topic.rpartition(".")[2], _facts(record)[1]
            self._messages.append(message(record.draft, event, record.version, at))

    def _save(self, record: Record) -> None:
        device, at = _facts(record)
        key = SessionKey(record.draft, record.by, device)
        session = self._going_on.get(key)
        if session is not None and at - session.at > PAUSE:
            self._end(key)
            session = None
        first = session.first_version if session else record.version
        self._going_on[key] = Session(key, first, record.version, at)

    def _end(self, key: SessionKey) -> None:
        self._messages.append(saved(self._going_on.pop(key)))
        self._over.append(key)

    def news(self) -> News:
        """What it came to."""
        return News(tuple(self._going_on.values()), tuple(self._over), tuple(self._messages))


def of_quiet(sessions: Sequence[Session]) -> News:
    """Sessions that are over since nothing was saved for a while."""
    return News((), [session.key for session in sessions], [saved(one) for one in sessions])


def of_purged(buried: Sequence[Buried]) -> News:
    """Drafts of which a tombstone is left."""
    return News((), (), [message(b.draft, "purged", b.version, b.at) for b in buried])


def saved(session: Session) -> Message:
    """One message for all saves of a session."""
    first, version = session.first_version, session.version
    return message(session.key.draft, "saved", version, session.at, first)


def message(
    draft: UUID, event: str, version: int, at: datetime, first_version: int | None = None
) -> Message:
    """A message, whose id is the same whenever it is made of the same."""
    first = version if first_version is None else first_version
    return Message(uuid5(draft, f"{event} {first} {version}"), draft, event, first, version, at)


def _facts(record: Record) -> tuple[str, datetime]:
    """The device and the time of an event, without all else in it."""
    state = orjson.loads(record.state)
    return state.get("device") or "", datetime.fromisoformat(state["timestamp"])
