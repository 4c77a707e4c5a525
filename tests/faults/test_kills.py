"""The service is killed again and again while a text is written: no acknowledged save is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.benchmarks.traces import Trace, make_trace
from tests.commands import KEYS, Operator

BESIDES = 3  # editors of a second draft, who write all the while
Document = dict[str, Any]


@pytest.fixture
def operator(tmp_path: Path, database_url: str) -> Operator:
    """Somebody with a migrated database of either engine."""
    return Operator(
        tmp_path, {"DATABASE_URL": database_url, "VARIORUM_LOG_LEVEL": "warning", **KEYS}
    )


async def test_a_service_that_is_killed_in_the_middle_loses_no_acknowledged_save(
    operator: Operator,
) -> None:
    await no_save_is_lost(operator, saves=200, kills=5, seed=1)


@pytest.mark.long
async def test_a_service_that_is_killed_thirty_times_loses_no_acknowledged_save(
    operator: Operator,
) -> None:
    await no_save_is_lost(operator, saves=2_000, kills=30, seed=2)


async def no_save_is_lost(operator: Operator, *, saves: int, kills: int, seed: int) -> None:
    """Write a text and a few fields while the service is killed; then read every version again."""
    chance, trace = random.Random(seed), make_trace(seed, saves)
    async with Service.of(operator) as service:
        writer = Editor(service, await service.opens({"text": trace.start}), "trace", "/text")
        together = await service.opens({f"note{n}": "" for n in range(BESIDES)})
        editors = [Editor(service, together, f"mac{n}", f"/note{n}") for n in range(BESIDES)]
        writing = asyncio.create_task(writes(writer, trace))
        noting = [asyncio.create_task(notes(editor, until=writing)) for editor in editors]
        for reached in sorted(chance.sample(range(1, saves - 1), kills)):
            await until(partial(writer.has_saved, reached), writing)
            await asyncio.sleep(chance.uniform(0, 0.01))
            service.crash()
        await asyncio.gather(writing, *noting)

        assert (await service.reads(writer.draft))["data"] == {"text": trace.end}
        assert service.crashes == kills
        for editor in (writer, *editors):
            await editor.finds_what_it_saved()
        await service.has_gapless_versions(writer.draft, saves)
        await service.has_gapless_versions(together, sum(len(e.acknowledged) for e in editors))
        await service.lists_the_newest_versions()
    assert "FAIL" not in operator.succeeds("doctor")


async def writes(writer: Editor, trace: Trace) -> None:
    """Save the text of a trace, second by second."""
    for text in trace.autosaves():
        await writer.saves(text)


async def notes(editor: Editor, until: asyncio.Task[None]) -> None:
    """Save one note after the other, as long as the text is being written."""
    while not until.done():
        await editor.saves(f"{editor.device} {editor.seq}")


async def until(holds: Callable[[], bool], writing: asyncio.Task[None]) -> None:
    """Wait until something holds; what the writer fails with comes out here."""
    while not holds():
        if writing.done():
            await writing
        await asyncio.sleep(0.001)


@dataclass
class Service:
    """A service that can be killed; it is started again at once, on another port."""

    operator: Operator
    token: str
    process: ExitStack
    http: httpx.AsyncClient
    crashes: int = 0

    @classmethod
    @asynccontextmanager
    async def of(cls, operator: Operator) -> AsyncIterator[Service]:
        operator = operator.having(VARIORUM_RATE_USER="off")
        token = operator.succeeds("token", "ann").strip()
        async with httpx.AsyncClient(timeout=30) as http:
            with ExitStack() as process:
                service = cls(operator, token, process, http)
                service._start()
                yield service

    def _start(self) -> None:
        self._serving = self.process.enter_context(self.operator.serves())
        self._drafts = f"{self._serving.url}/v1/drafts"

    def crash(self) -> None:
        """End it as a power cut would, and start it again; nothing else happens meanwhile."""
        assert self._serving.process.poll() is None, self._serving.said()
        self._serving.process.kill()
        self.process.close()
        self.crashes += 1
        self._start()

    async def asks(self, method: str, path: str = "", **more: Any) -> Document:
        """Make a request that must succeed, if it is answered at all.

        Raises:
            httpx.TransportError: It was not answered.
        """
        headers = {"authorization": f"Bearer {self.token}"}
        url = f"{self._drafts}{path}"
        answer = await self.http.request(method, url, headers=headers, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        document: Document = answer.json()
        return document

    async def opens(self, data: Document) -> str:
        draft = await self.asks("POST", json={"form": "trace", "data": data, "another": True})
        return str(draft["id"])

    async def reads(self, draft: str, version: int | None = None) -> Document:
        params = {} if version is None else {"version": version}
        return await self.asks("GET", f"/{draft}", params=params)

    async def has_gapless_versions(self, draft: str, saves: int) -> None:
        """One version for the opening and one for each save, and no other."""
        params, found = {"limit": "200"}, []
        while page := await self.asks("GET", f"/{draft}/versions", params=params):
            found += [line["version"] for line in page["items"]]
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
        assert found == list(range(saves + 1, 0, -1))

    async def lists_the_newest_versions(self) -> None:
        """The drafts page has not lost an event either."""
        for line in (await self.asks("GET"))["items"]:
            assert line["version"] == (await self.reads(line["id"]))["version"]


@dataclass
class Editor:
    """One device that saves one value of a draft, and never gives up before it has a receipt."""

    service: Service
    draft: str
    device: str
    path: str
    seq: int = 0
    acknowledged: dict[int, str] = field(default_factory=dict)  # by version
    _edit: Document = field(default_factory=dict)
    _receipt: Document = field(default_factory=lambda: {"version": 1})

    async def saves(self, value: str) -> None:
        """Save a value, after a crash once more under the same number."""
        self.seq += 1
        change = {"op": "replace", "path": self.path, "value": value}
        numbered = {"based_on": self._receipt["version"], "device": self.device, "seq": self.seq}
        edit = {**numbered, "changes": [change]}
        receipt = await self._until_answered(edit)
        assert receipt["version"] > self._receipt["version"]
        self._edit, self._receipt = edit, receipt
        self.acknowledged[receipt["version"]] = value

    def has_saved(self, number: int) -> bool:
        """Whether so many saves were acknowledged."""
        return len(self.acknowledged) >= number

    async def _until_answered(self, edit: Document) -> Document:
        crashes = self.service.crashes
        while True:
            try:
                if self.service.crashes > crashes:
                    await self._has_the_first_receipt_still()
                return await self._sends(edit)
            except httpx.TransportError:
                await asyncio.sleep(0.01)

    async def _has_the_first_receipt_still(self) -> None:
        if self._edit:
            assert await self._sends(self._edit) == self._receipt

    async def _sends(self, edit: Document) -> Document:
        return await self.service.asks("PATCH", f"/{self.draft}", json=edit)

    async def finds_what_it_saved(self) -> None:
        """Every acknowledged version has exactly what was sent."""
        for version, value in self.acknowledged.items():
            draft = await self.service.reads(self.draft, version)
            assert draft["data"][self.path[1:]] == value
