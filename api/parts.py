"""What the service is made of, as far as its routes need it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from api.auditing import Auditing
from api.beginning import Beginning
from api.blaming import Blaming
from api.callers import Callers
from api.ending import Ending
from api.people import People
from api.reading import Reading
from api.reads import Reads
from api.saving import Saving
from api.settings import Limits
from api.tombstones import Tombstones

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Parts:
    """What routes work with."""

    callers: Callers
    people: People
    beginning: Beginning
    saving: Saving
    reading: Reading
    ending: Ending
    tombstones: Tombstones
    auditing: Auditing
    blaming: Blaming
    reads: Reads
    limits: Limits
    clock: Clock
