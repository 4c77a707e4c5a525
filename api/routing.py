"""What the ordinary routes share: strict JSON bodies, the caller, answers as responses."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.convertors import PathConvertor, register_url_convertor

from api import schemas
from api.addresses import UNKNOWN, id_in_address, to_id
from api.headers import Wishes, wishes_of
from api.hot import Hot
from api.origins import digest_of, origin
from api.parts import Parts
from api.problem_routes import response as response
from api.requests import JSON, media_type, parse_json
from api.security import Principal
from domain.access import Reader
from domain.errors import DraftNotFound, Fault, Invalid, VariorumError
from domain.origin import Origin


class Rest(PathConvertor):
    """What follows in an address, as `{name:rest}`; Starlette's `path` stops at a line break."""

    regex = "(?s:.*)"


register_url_convertor("rest", Rest())


class StrictRequest(Request):
    """A request whose JSON is what `parse_json` takes, and nothing else."""

    parsed: Any = None

    async def parse(self) -> None:
        """Parse the body, if there is one."""
        if body := await self.body():
            media_type(self.headers.get("content-type", "").encode("latin-1"), (JSON,))
            self.parsed = parse_json(body, parts_of(self).limits)

    async def json(self) -> Any:
        """The value that was parsed."""
        return self.parsed


class StrictRoute(APIRoute):
    """A route that parses strictly, before FastAPI looks at the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, behind our parser."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            parsing = StrictRequest(request.scope, request.receive)
            await parts_of(parsing).callers.of(parsing.scope)
            self._must_know(parsing)
            await parsing.parse()
            try:
                answer = await handler(parsing)
            except DraftNotFound as missing:
                raise await _instead(missing, parsing) from None
            await parts_of(parsing).reads.after(parsing.scope, answer.status_code)
            return answer

        return strict

    def _must_know(self, request: Request) -> None:
        """Refuse parameters that would be ignored."""
        extra = (self.openapi_extra or {}).get("parameters", [])
        known = {parameter.alias for parameter in self.dependant.query_params}
        known |= {parameter["name"] for parameter in extra if parameter["in"] == "query"}
        given = [name for name, _ in request.query_params.multi_items()]
        if wrong := [name for name in given if name not in known or given.count(name) > 1]:
            raise Invalid([Fault(f"?{name[:50]}", UNKNOWN) for name in wrong])


async def _instead(missing: DraftNotFound, request: Request) -> VariorumError:
    """What to say of the draft in the address, which may have been the caller's own."""
    draft = to_id(request.path_params.get("draft_id", ""))
    if draft is None:
        return missing
    parts = parts_of(request)
    caller = await parts.callers.of(request.scope)
    return await parts.tombstones.instead(missing, draft, caller.sub)


def parts_of(request: Request) -> Parts:
    """What the app was made of."""
    return cast("Parts", request.app.state.parts)


def _hot(request: Request) -> Hot:
    """The hot routes."""
    return cast("Hot", request.app.state.hot)


_BEARER = HTTPBearer(auto_error=False, description="A JWT, whose `sub` is the user; or an API key.")


async def _caller(request: Request, _: Annotated[Any, Depends(_BEARER)]) -> Principal:
    return await parts_of(request).callers.of(request.scope)


CallerDep = Annotated[Principal, Depends(_caller)]


async def _reader(request: Request, caller: CallerDep) -> Reader:
    return await parts_of(request).people.reader(caller)


def _wishes(
    request: Request,
    _: Annotated[str | None, Header(alias="If-Match")] = None,
    __: Annotated[str | None, Header(alias="Prefer")] = None,
) -> Wishes:
    """The two headers stand in the OpenAPI by being asked for; they are read as they came."""
    return wishes_of(dict(request.scope["headers"]))


def _draft(draft_id: str) -> UUID:
    return id_in_address(draft_id)


SIGNED_IN = Depends(_caller)
DraftId = Annotated[UUID, Depends(_draft)]
PartsDep = Annotated[Parts, Depends(parts_of)]
HotDep = Annotated[Hot, Depends(_hot)]
ReaderDep = Annotated[Reader, Depends(_reader)]
WishesDep = Annotated[Wishes, Depends(_wishes)]


async def origin_of(
    request: Request, caller: Principal, model: schemas.Repeatable, act: str
) -> Origin:
    """Where a writing request comes from; `act` keeps equal bodies of two routes apart."""
    address = request.url.path.removeprefix("/v1/drafts/")
    said = {**model.model_dump(exclude_unset=True), "address": address}
    digest = digest_of(act, said) if model.seq is not None else None
    return await origin(parts_of(request), model, caller, request.scope, digest)


def parameter(name: str, schema: dict[str, Any], where: str = "query") -> dict[str, Any]:
    """A parameter of a hot route, for the OpenAPI."""
    return {"name": name, "in": where, "required": False, "schema": schema}
