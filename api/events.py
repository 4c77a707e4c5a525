"""The routes of what happens at a draft now: the event stream, and who is present."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response

from api import schemas
from api.answers import Answer
from api.drafts import READ, Text
from api.problems import problems
from api.routing import CallerDep, DraftId, ReaderDep, StrictRoute, response
from api.stream import EventStream, Reader, Watching

router = APIRouter(prefix="/v1/drafts/{draft_id}", tags=["live"], route_class=StrictRoute)

_TEXT = {"type": "string"}
_EVENT = {"type": "object", "properties": {"event": _TEXT, "id": _TEXT, "data": _TEXT}}
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "The stream.", "content": {"text/event-stream": {"schema": _EVENT}}},
    **READ,
}
PRESENT = problems(400, 401, 403, 404, 413, 415, 422, 503)


def _watching(request: Request) -> Watching:
    watching: Watching = request.app.state.watching
    return watching


WatchingDep = Annotated[Watching, Depends(_watching)]


@router.get("/events", status_code=200, response_class=EventStream, responses=STREAM)
async def stream_events(
    draft: DraftId,
    caller: CallerDep,
    reader: ReaderDep,
    watching: WatchingDep,
    header: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
    last_event_id: Text = None,
    device: Text = None,
) -> Response:
    """What happens at the draft from now on, or since an event: `version`, `status`, `presence`.

    A version's `changes` lead from the data of the version before to its own; `draft` is the draft
    without its data. `device` names the one whose presence ends with the stream.
    """
    last = last_event_id if header is None else header
    await watching.live.require_reader(draft, reader)
    return EventStream(watching, Reader(draft, reader, caller, last, device))


@router.put("/presence", status_code=204, responses=PRESENT)
async def come(
    draft: DraftId, wanted: schemas.Present, reader: ReaderDep, watching: WatchingDep
) -> Response:
    """Say that a device is at the draft, and at which field; it is believed for 45 seconds."""
    await watching.live.come(draft, reader, wanted.device, wanted.path, idle=wanted.idle)
    return response(GONE)


@router.delete("/presence", status_code=204, responses=PRESENT)
async def leave(
    draft: DraftId, reader: ReaderDep, watching: WatchingDep, device: Text = None
) -> Response:
    """Say that a device is no longer at the draft; without a name, that none of the caller's is."""
    await watching.live.leave(draft, reader, device)
    return response(GONE)


GONE = Answer(204, [], b"")
