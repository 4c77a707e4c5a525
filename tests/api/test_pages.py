"""The pages and the module: what is served where, how long it may be kept, and what it may do."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from api.app import create_app
from api.pages import Pages
from api.settings import Settings
from tests.running import Clock, calling, serving

INDEX = "<!doctype html><title>Variorum</title>"
BUILD = {
    "index.html": INDEX,
    "assets/index-abc.js": "export {};",
    "assets/index-abc.css": "p { margin: 0 }",
    "client/variorum.js": "export const one = 1;",
}
AS_PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def engine() -> str:
    return "sqlite"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    for name, text in BUILD.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
async def site(settings: Settings, clock: Clock, build: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings, clock=clock, pages=build)
    async with serving(app) as service, calling(service) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/drafts/6f1c0e0a-5d0e-4b5e-9f43-0d8a6c1f7b21", "/audit"])
async def test_every_address_of_a_page_shows_the_pages(site: httpx.AsyncClient, path: str) -> None:
    answer = await site.get(path, headers=AS_PERSON)

    assert answer.status_code == 200
    assert answer.text == INDEX
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/v1/nonsense", "/problems/nonsense", "/assets/old.js"])
async def test_other_addresses_stay_unknown_to_people_too(
    site: httpx.AsyncClient, path: str
) -> None:
    answer = await site.get(path, headers=AS_PERSON)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_program_is_told_that_an_address_is_unknown(site: httpx.AsyncClient) -> None:
    assert (await site.get("/nonsense")).status_code == 404
    assert (await site.post("/audit", headers=AS_PERSON)).status_code == 404


async def test_hashed_files_are_kept_for_good_and_others_asked_for_again(
    site: httpx.AsyncClient,
) -> None:
    asset = await site.get("/assets/index-abc.js")
    module = await site.get("/client/variorum.js")

    assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert module.headers["Cache-Control"] == "no-cache"
    assert module.headers["Content-Type"] == "text/javascript; charset=utf-8"
    again = await site.get("/client/variorum.js", headers={"If-None-Match": module.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_nothing_but_the_service_s_own_files_may_run_or_be_asked(
    site: httpx.AsyncClient,
) -> None:
    headers = (await site.get("/", headers=AS_PERSON)).headers

    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


async def test_text_is_sent_zipped_to_those_who_take_it(site: httpx.AsyncClient) -> None:
    async with site.stream("GET", "/", headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    plain = await site.get("/", headers={"Accept-Encoding": "identity"})
    head = await site.head("/", headers={"Accept-Encoding": "identity"})

    assert gzip.decompress(raw) == plain.content == INDEX.encode()
    assert (head.content, head.headers["Content-Length"]) == (b"", str(len(INDEX)))


async def test_the_api_answers_as_ever(site: httpx.AsyncClient) -> None:
    assert (await site.get("/livez", headers=AS_PERSON)).status_code == 200
    assert (await site.get("/openapi.json", headers=AS_PERSON)).json()["info"][
        "title"
    ] == "Variorum"
    assert (await site.get("/docs", headers=AS_PERSON)).status_code == 200
    assert (await site.get("/v1/drafts", headers=AS_PERSON)).status_code == 401


async def test_without_a_build_the_root_leads_to_the_docs(
    settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    app = create_app(settings, clock=clock, pages=tmp_path / "nothing")
    async with serving(app) as service, calling(service) as client:
        answer = await client.get("/", headers=AS_PERSON)
        unknown = await client.get("/audit", headers=AS_PERSON)

    assert (answer.status_code, answer.headers["Location"][-5:]) == (307, "/docs")
    assert unknown.status_code == 404


async def test_files_beside_the_build_cannot_be_had(build: Path) -> None:
    (build.parent / "secret").write_text("secret")

    async def nothing(*_: object) -> None:
        raise LookupError

    app: ASGIApp = Pages(nothing, build)
    async with calling(app) as client:
        for path in ("/../secret", "/%2e%2e/secret", "/assets/../../secret"):
            with pytest.raises((LookupError, KeyError)):
                await client.get(path)
