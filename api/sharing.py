"""The routes of sharing: members, links, and handing a draft over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api import schemas
from api.answers import Answer, cursor, json_answer, page, place, receipt_answer
from api.drafts import NOTHING, READ, WRITE, Text
from api.links import ShareLinks
from api.people import People
from api.routing import (
    CallerDep,
    DraftId,
    PartsDep,
    ReaderDep,
    StrictRoute,
    origin_of,
    response,
)
from api.saving import Saving
from api.security import is_name
from domain import access, events, sharing
from domain.access import LINK, Reader
from domain.draft import Draft
from domain.errors import DraftNotFound, Invalid
from domain.origin import Origin
from projections.snapshot import fold
from projections.store.base import Store

router = APIRouter(prefix="/v1/drafts/{draft_id}", tags=["sharing"], route_class=StrictRoute)

NOBODY = ""  # the principal of a name that nobody here ever had


class Sharing:
    """Who else may see or edit a draft."""

    def __init__(self, store: Store, saving: Saving, people: People, links: ShareLinks) -> None:
        self._store, self._saving, self._people, self._links = store, saving, people, links

    async def members(self, draft: UUID, reader: Reader) -> list[dict[str, Any]]:
        """Everybody who has a role by name, in the order of the names."""
        access.require_person(reader)
        held = await self._draft(draft, reader, "read")
        names = await self._people.subs_of([held.owner, *held.members])
        roles = {held.owner: "owner", **held.members}
        found = [{"user": names[key], "role": role} for key, role in roles.items()]
        return sorted(found, key=lambda member: member["user"])

    async def share(self, draft: UUID, user: str, role: sharing.Role, origin: Origin) -> Answer:
        """Give somebody a role."""
        person = await self._person(draft, user, origin)
        command = partial(sharing.share, principal=person, role=role, origin=origin)
        return receipt_answer(await self._saving.decided(draft, command, origin))

    async def unshare(self, draft: UUID, user: str, origin: Origin) -> Answer:
        """Take somebody's role away, or one's own."""
        person = await self._people.key_of(user) or NOBODY
        command = partial(sharing.unshare, principal=person, origin=origin)
        await self._saving.decided(draft, command, origin)
        return Answer(204, [], b"")

    async def hand_over(self, draft: UUID, user: str, origin: Origin) -> Answer:
        """Make somebody else the owner."""
        person = await self._person(draft, user, origin)
        command = partial(sharing.hand_over, principal=person, origin=origin)
        return receipt_answer(await self._saving.decided(draft, command, origin))

    async def links(self, draft: UUID, reader: Reader) -> list[dict[str, Any]]:
        """The links that were not taken back, the oldest first; their tokens nobody shows again."""
        held = await self._draft(draft, reader, "manage")
        names = await self._people.subs_of(link["by"] for link in held.links.values())
        return [
            {
                "id": principal.removeprefix(LINK),
                "role": link["role"],
                "expires_at": link["expires_at"],
                "by": names[link["by"]],
                "created_at": link["at"],
            }
            for principal, link in held.links.items()
        ]

    async def share_by_link(
        self, draft: UUID, wanted: schemas.Link, origin: Origin, base: str
    ) -> Answer:
        """Make a link; asked again, the one that was made."""
        lifetime = wanted.expires_in
        until = None if lifetime is None else origin.at + timedelta(seconds=lifetime)
        command = partial(
            sharing.share_by_link, link=self._links.new(wanted.role, until), origin=origin
        )
        done = await self._saving.decided(draft, command, origin)
        (record,) = await self._store.events(draft, done.version - 1, done.version)
        return json_answer(self._told(cast("events.Shared", record.event()), base), 201)

    def _told(self, event: events.Shared, base: str) -> dict[str, Any]:
        link = event.principal.removeprefix(LINK)
        token = self._links.token_of(link, event.token_hash or "")
        return {
            "id": link,
            "role": event.role,
            "expires_at": event.expires_at,
            "token": token,
            "url": f"{base}drafts/{event.originator_id}#token={token}",
            "version": event.originator_version,
        }

    async def take_link_back(self, draft: UUID, link: str, origin: Origin) -> Answer:
        """End a link."""
        command = partial(sharing.take_link_back, link=link, origin=origin)
        await self._saving.decided(draft, command, origin)
        return Answer(204, [], b"")

    # -- the steps

    async def _draft(self, draft: UUID, reader: Reader, right: access.Right) -> Draft:
        reading = await self._store.read(reader, draft)
        if reading is None:
            raise DraftNotFound
        access.require(reading.role, right)
        return fold(draft, reading)

    async def _person(self, draft: UUID, user: str, origin: Origin) -> str:
        """The person of a name, who is known by it from now on if the caller may share."""
        access.require(await self._store.role(origin.reader, draft), "manage")
        return await self._people.key_for(user)


def _sharing(request: Request) -> Sharing:
    return cast("Sharing", request.app.state.sharing)


def _name(user: Annotated[str, Path()]) -> str:
    if not is_name(user):
        raise Invalid.one("{user}", "Must be the name of a person, as in the sub of tokens.")
    return user


def _holder(user: Annotated[str, Path(max_length=200)]) -> str:
    """Who has a role by name: in a fork that late edits made, that may be the link they came by."""
    return user if access.is_link(user) and user.isprintable() else _name(user)


SharingDep = Annotated[Sharing, Depends(_sharing)]
UserDep = Annotated[str, Depends(_name)]
HolderDep = Annotated[str, Depends(_holder)]
ONE_MEMBER = "/members/{user:rest}"  # a name may have a slash
LinkId = Annotated[str, Path(max_length=200)]


@router.get("/members", responses={**READ, **WRITE})
async def list_members(
    draft: DraftId,
    reader: ReaderDep,
    parts: PartsDep,
    shares: SharingDep,
    cursor: Text = None,
    limit: Annotated[int, Query(ge=1)] = 50,
) -> Response:
    """Who has a role in the draft by name, its owner too."""
    found = await shares.members(draft, reader)
    return response(json_answer(_page(found, "user", cursor, limit, parts.limits.page)))


@router.put(ONE_MEMBER, responses=WRITE)
async def share_draft(
    draft: DraftId,
    user: UserDep,
    wanted: schemas.Member,
    request: Request,
    caller: CallerDep,
    shares: SharingDep,
) -> Response:
    """Let a person see or edit the draft."""
    origin = await origin_of(request, caller, wanted, "share")
    return response(await shares.share(draft, user, wanted.role, origin))


@router.delete(ONE_MEMBER, status_code=204, responses=WRITE)
async def unshare_draft(
    draft: DraftId, user: HolderDep, request: Request, caller: CallerDep, shares: SharingDep
) -> Response:
    """Take a person's role away; a member leaves by its own name."""
    origin = await origin_of(request, caller, NOTHING, "unshare")
    return response(await shares.unshare(draft, user, origin))


@router.put("/owner", responses=WRITE)
async def hand_over_draft(
    draft: DraftId,
    wanted: schemas.Owner,
    request: Request,
    caller: CallerDep,
    shares: SharingDep,
) -> Response:
    """Make somebody else the owner; you stay as an editor."""
    origin = await origin_of(request, caller, wanted, "hand over")
    return response(await shares.hand_over(draft, wanted.user, origin))


@router.get("/links", responses={**READ, **WRITE})
async def list_links(
    draft: DraftId,
    reader: ReaderDep,
    parts: PartsDep,
    shares: SharingDep,
    cursor: Text = None,
    limit: Annotated[int, Query(ge=1)] = 50,
) -> Response:
    """The share links of the draft that were not taken back, without their tokens."""
    found = await shares.links(draft, reader)
    return response(json_answer(_page(found, "id", cursor, limit, parts.limits.page)))


@router.post("/links", status_code=201, responses=WRITE)
async def share_by_link(
    draft: DraftId,
    wanted: schemas.Link,
    request: Request,
    caller: CallerDep,
    shares: SharingDep,
) -> Response:
    """Make a share link: whoever has its token sees or edits the draft, without an account."""
    origin = await origin_of(request, caller, wanted, "link")
    return response(await shares.share_by_link(draft, wanted, origin, str(request.base_url)))


@router.delete("/links/{link}", status_code=204, responses=WRITE)
async def take_link_back(
    draft: DraftId, link: LinkId, request: Request, caller: CallerDep, shares: SharingDep
) -> Response:
    """End a share link, at once and for good."""
    origin = await origin_of(request, caller, NOTHING, "take link back")
    return response(await shares.take_link_back(draft, link, origin))


def _page(
    found: list[dict[str, Any]], key: str, after: str | None, limit: int, most: int
) -> Mapping[str, Any]:
    """A page of a list that lies in the draft as a whole, in the order of a member or as it is."""
    if limit > most:
        raise Invalid.one("?limit", f"Must be from 1 to {most}.")
    start = 0
    if after is not None:
        (last,) = place(after, (str,))
        start = next((n for n, item in enumerate(found, 1) if item[key] == last), len(found))
    return page(found[start : start + limit + 1], limit, lambda item: cursor(item[key]))
