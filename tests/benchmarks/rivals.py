"""What saves are measured against: plain FastAPI endpoints that keep whole forms, written well."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, LiteralString

import jwt
import orjson
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from psycopg_pool import AsyncConnectionPool

# The form is text to the database: it was JSON when it came, and it leaves as it came. (json and
# jsonb were tried: each parses every form again.)
TABLES: LiteralString = """
CREATE TABLE IF NOT EXISTS forms (
    id text PRIMARY KEY,
    owner text NOT NULL,
    body text NOT NULL,
    version int NOT NULL DEFAULT 1,
    saved_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS form_versions (
    form text NOT NULL,
    version int NOT NULL,
    saved_at timestamptz NOT NULL,
    by text NOT NULL,
    device text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (form, version)
);
"""

_UPSERT: LiteralString = """
INSERT INTO forms (id, owner, body) VALUES (%s, %s, %s)
ON CONFLICT (id) DO UPDATE SET body = excluded.body, saved_at = now()
WHERE forms.owner = excluded.owner
RETURNING 1
"""

_UPSERT_WITH_VERSION: LiteralString = """
WITH saved AS (
    INSERT INTO forms (id, owner, body) VALUES (%s, %s, %s)
    ON CONFLICT (id) DO UPDATE
    SET body = excluded.body, version = forms.version + 1, saved_at = now()
    WHERE forms.owner = excluded.owner
    RETURNING id, version, saved_at, owner, body
)
INSERT INTO form_versions (form, version, saved_at, by, device, body)
SELECT id, version, saved_at, owner, %s, body FROM saved
RETURNING version
"""

_READ: LiteralString = "SELECT body FROM forms WHERE id = %s AND owner = %s"

_VERSIONS: LiteralString = """
SELECT (SELECT coalesce(json_agg(line), '[]')::text FROM (
    SELECT version, saved_at, by, device FROM form_versions
    WHERE form = forms.id ORDER BY version DESC LIMIT %s
) AS line)
FROM forms WHERE id = %s AND owner = %s
"""

_VERSION: LiteralString = """
SELECT form_versions.body FROM form_versions JOIN forms ON forms.id = form_versions.form
WHERE form_versions.form = %s AND form_versions.version = %s AND forms.owner = %s
"""

_TOKEN_IS_REMEMBERED = 60.0  # seconds
_CONNECTIONS = 16  # tried: 4, 8 and 16; the commits of 16 share their waits for the disk best


class Bearer:
    """Who is calling; a token's signature is checked once a minute, not with every request."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._known: dict[str, tuple[str, float]] = {}

    async def __call__(self, authorization: Annotated[str, Header()]) -> str:
        by, until = self._known.get(authorization, ("", 0.0))
        return by if time.time() < until else self._check(authorization)

    def _check(self, authorization: str) -> str:
        try:
            claims = jwt.decode(
                authorization.removeprefix("Bearer "), self._secret, algorithms=["HS256"]
            )
        except jwt.InvalidTokenError as error:
            raise HTTPException(401) from error
        until = min(claims["exp"], time.time() + _TOKEN_IS_REMEMBERED)
        self._known[authorization] = claims["sub"], until
        return str(claims["sub"])


Caller = Annotated[str, Depends(Bearer(os.environ.get("VARIORUM_JWT_SECRET", "")))]


def upsert() -> FastAPI:
    """The app that keeps each form as it is now, and no history."""
    app = _create_app()

    @app.put("/forms/{form}")
    async def save(form: str, by: Caller, request: Request) -> Response:
        await _one(request, _UPSERT, form, by, (await request.body()).decode())
        return Response(status_code=204)

    return app


def whole_versions() -> FastAPI:
    """The app that also keeps each version, as a copy of the whole form."""
    app = _create_app()

    @app.put("/forms/{form}")
    async def save(
        form: str, by: Caller, request: Request, device: Annotated[str, Header()] = ""
    ) -> Response:
        body = (await request.body()).decode()
        version = await _one(request, _UPSERT_WITH_VERSION, form, by, body, device)
        return _json(orjson.dumps({"version": version}))

    @app.get("/forms/{form}/versions")
    async def versions(form: str, by: Caller, request: Request, limit: int = 50) -> Response:
        return _json(await _one(request, _VERSIONS, limit, form, by))

    @app.get("/forms/{form}/versions/{version}")
    async def version(form: str, version: int, by: Caller, request: Request) -> Response:
        return _json(await _one(request, _VERSION, form, version, by))

    return app


def _create_app() -> FastAPI:
    app = FastAPI(lifespan=_lifespan)

    @app.get("/livez")
    async def livez() -> Response:
        return _json("{}")

    @app.get("/forms/{form}")
    async def read(form: str, by: Caller, request: Request) -> Response:
        return _json(await _one(request, _READ, form, by))

    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    # One statement is one transaction, prepared when first seen: one round trip for each save.
    options = {"autocommit": True, "prepare_threshold": 0}
    async with AsyncConnectionPool(
        os.environ["DATABASE_URL"], min_size=_CONNECTIONS, max_size=_CONNECTIONS, kwargs=options
    ) as pool:
        async with pool.connection() as connection:
            await connection.execute(TABLES, prepare=False)
        app.state.pool = pool
        yield


async def _one(request: Request, statement: LiteralString, *values: object) -> Any:
    pool: AsyncConnectionPool = request.app.state.pool
    async with pool.connection() as connection:
        row = await (await connection.execute(statement, values)).fetchone()
    if row is None:
        raise HTTPException(404)
    return row[0]


def _json(content: str | bytes) -> Response:
    return Response(content, media_type="application/json")
