"""The wrappers around every answer: ids, lines, metrics, limits, origins, and no bare 500."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.health import Readiness, health_routes
from api.logs import RequestLog, configure_logs
from api.metrics import Metrics
from api.middleware import wrap
from api.problem_routes import install_problems
from api.settings import load_settings
from domain.errors import Busy, StoreUnavailable

DRAFT = "7b2e0000-0000-4000-8000-000000000001"
LIMIT = 1_024
ORIGIN = "https://forms.example"


class Service:
    """A small app in all of the wrappers, with what it logged and counted."""

    def __init__(self, app: ASGIApp | None = None, **settings: Any) -> None:
        given = {"database_url": "sqlite://", "max_body": LIMIT, "log_level": "info"} | settings
        self.settings = load_settings(**given)
        self.stderr, self.metrics, self.ready = io.BytesIO(), Metrics(), Readiness(True)
        configure_logs(self.settings.log_level, self.stderr)
        log = RequestLog(self.settings.log_level, self.stderr)
        self.app = wrap(app or self._routes(), self.settings, self.metrics, log)

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **request)

        return asyncio.run(ask())

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stderr.getvalue().splitlines()]

    def _routes(self) -> FastAPI:
        app, drafts = FastAPI(), APIRouter(prefix="/v1/drafts")

        @drafts.put("/{draft_id}")
        async def write(draft_id: str, request: Request) -> int:
            return len(await request.body())

        @drafts.get("/{draft_id}")
        async def read(draft_id: UUID) -> Response:
            return Response(b"{}", headers={"ETag": '"1"', "Vary": "Prefer"})

        @drafts.post("/boom")
        async def boom() -> None:
            raise KeyError("Kafka")

        async def ready() -> Readiness:
            return self.ready

        app.include_router(drafts)
        app.include_router(health_routes(ready, self.metrics))
        install_problems(app)
        return app


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def run(app: ASGIApp, scope: Scope) -> list[Message]:
    """What the app sends for a scope, without any client in between."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def ask() -> None:
        await app(scope, receive, send)

    asyncio.run(ask())
    return sent


async def in_parts(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def test_an_answer_carries_the_id_of_its_request_and_each_one_another() -> None:
    service = Service()

    ids = {service.call("GET", f"/v1/drafts/{DRAFT}").headers["x-request-id"] for _ in range(3)}

    assert len(ids) == 3
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]+", i) for i in ids)


def test_a_callers_own_id_is_kept_if_it_is_a_sane_one() -> None:
    service = Service()

    answer = service.call("GET", "/nowhere", headers={"X-Request-Id": "page-7.B_3"})

    assert answer.headers["x-request-id"] == "page-7.B_3"
    assert answer.json()["request_id"] == "page-7.B_3"
    assert service.lines[-1]["request_id"] == "page-7.B_3"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, 'a"b', "a\tb", "ä".encode(), "{}"])
def test_any_other_id_of_a_caller_is_replaced(given: str | bytes) -> None:
    answer = Service().call("GET", "/nowhere", headers=[("X-Request-Id", given)])

    assert re.fullmatch(r"[0-9a-f]{8}-1", answer.headers["x-request-id"])


def test_a_request_leaves_one_line_that_says_what_happened() -> None:
    service = Service()

    answer = service.call("PUT", f"/v1/drafts/{DRAFT}", content=b"x")

    (line,) = service.lines
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", line.pop("time"))
    assert line.pop("ms") >= 0
    assert line == {
        "level": "info",
        "event": "request",
        "method": "PUT",
        "route": "/v1/drafts/{draft_id}",
        "draft": DRAFT,
        "status": 200,
        "request_id": answer.headers["x-request-id"],
    }


def test_no_line_holds_a_path_a_query_a_token_or_a_body() -> None:
    service = Service()
    secret = {"headers": {"Authorization": "Bearer Kafka"}, "content": b"Kafka"}

    for path in ("/v1/drafts/Kafka?q=Kafka", "/Kafka?q=Kafka", "/problems/Kafka"):
        service.call("PUT", path, **secret)
    service.call("POST", "/v1/drafts/boom?q=Kafka", **secret)

    assert len(service.lines) == 5
    assert b"Kafka" not in service.stderr.getvalue()


def test_a_route_outside_fastapi_names_itself_for_the_line() -> None:
    async def hot(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["route"] = "/v1/drafts/{draft_id}"
        scope["path_params"] = {"draft_id": DRAFT}
        await Response(b"{}")(scope, receive, send)

    service = Service(hot)
    service.call("GET", f"/v1/drafts/{DRAFT}")

    assert service.lines[0]["route"] == "/v1/drafts/{draft_id}"
    assert service.lines[0]["draft"] == DRAFT


def test_lines_below_the_level_are_not_written() -> None:
    service = Service(log_level="warning")

    service.call("GET", f"/v1/drafts/{DRAFT}")
    service.call("POST", "/v1/drafts/boom")

    assert [line["event"] for line in service.lines] == ["unforeseen", "request"]
    assert {line["level"] for line in service.lines} == {"error"}


def test_what_a_supervisor_asks_every_second_fills_no_log() -> None:
    service = Service()

    for path in ("/livez", "/readyz", "/metrics"):
        assert service.call("GET", path).status_code == 200

    assert service.lines == []


def test_what_nobody_foresaw_is_answered_as_a_problem_and_logged_without_its_message() -> None:
    service = Service()

    answer = service.call("POST", "/v1/drafts/boom")

    found = service.lines[0]
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert found["event"] == "unforeseen"
    assert found["route"] == "/v1/drafts/boom"
    assert found["request_id"] == answer.headers["x-request-id"] == answer.json()["request_id"]
    assert found["causes"][0]["error"] == "builtins.KeyError"
    assert found["causes"][0]["at"][-1].endswith(" boom")
    assert b"Kafka" not in service.stderr.getvalue() + answer.content


def test_an_error_of_ours_raised_outside_fastapi_is_answered_as_its_problem() -> None:
    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        raise Busy("Too much is waiting.", retry_after=2)

    service = Service(busy)
    answer = service.call("PATCH", f"/v1/drafts/{DRAFT}")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert [line["event"] for line in service.lines] == ["request"]


def test_an_error_in_the_middle_of_an_answer_is_logged_and_no_second_answer_sent() -> None:
    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError("Kafka")

    service = Service(half)
    sent = run(service.app, {"type": "http", "method": "GET", "path": "/", "headers": []})

    assert [message["type"] for message in sent] == ["http.response.start"]
    assert [line["event"] for line in service.lines] == ["unforeseen", "request"]


def test_a_caller_who_left_is_no_error() -> None:
    async def left(scope: Scope, receive: Receive, send: Send) -> None:
        raise ClientDisconnect

    service = Service(left)
    scope = {"type": "http", "method": "PUT", "path": "/", "headers": []}
    sent = run(service.app, scope)

    assert sent == []

    assert [(line["level"], line["status"]) for line in service.lines] == [("info", 499)]


def test_a_librarys_log_lines_have_the_same_shape_and_no_message_of_an_exception() -> None:
    service = Service()

    try:
        raise KeyError("Kafka")
    except KeyError:
        logging.getLogger("uvicorn.error").exception("It failed.")

    (line,) = service.lines
    assert (line["level"], line["event"], line["logger"]) == (
        "error",
        "It failed.",
        "uvicorn.error",
    )
    assert line["causes"][0]["error"] == "builtins.KeyError"
    assert b"Kafka" not in service.stderr.getvalue()


def test_of_a_librarys_line_only_its_first_is_kept_and_of_most_only_warnings() -> None:
    service = Service()

    logging.getLogger("asyncio").error("Task failed\nfuture: <Task exception=KeyError('Kafka')>")
    logging.getLogger("httpx").info("GET /Kafka")
    logging.getLogger("uvicorn.error").info("Started.")

    assert [line["event"] for line in service.lines] == ["Task failed", "Started."]


def test_an_error_behind_an_error_is_logged_too() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            raise OSError("Kafka")
        except OSError as error:
            raise RuntimeError("Kafka") from error

    service = Service(failing)
    service.call("GET", "/")

    causes = [cause["error"] for cause in service.lines[0]["causes"]]
    assert causes == ["builtins.RuntimeError", "builtins.OSError"]


def test_a_body_at_the_limit_is_taken() -> None:
    service = Service()

    assert service.call("PUT", f"/v1/drafts/{DRAFT}", content=b"x" * LIMIT).json() == LIMIT


def test_a_body_that_announces_too_much_is_refused_before_it_is_read() -> None:
    answer = Service().call("PUT", f"/v1/drafts/{DRAFT}", content=b"x" * (LIMIT + 1))

    assert (answer.status_code, answer.json()["limit"]) == (413, LIMIT)


@pytest.mark.parametrize("length", [str(LIMIT + 1), "-1", "9" * 400, "x"])
def test_a_length_that_is_none_is_refused_as_too_large(length: str) -> None:
    headers = {"Content-Length": length}

    assert Service().call("PUT", f"/v1/drafts/{DRAFT}", headers=headers).status_code == 413


def test_a_body_of_unknown_length_is_counted_while_it_is_read() -> None:
    service = Service()

    taken = service.call("PUT", f"/v1/drafts/{DRAFT}", content=in_parts(b"x" * 1_000, b"y" * 24))
    refused = service.call("PUT", f"/v1/drafts/{DRAFT}", content=in_parts(b"x" * 1_000, b"y" * 25))

    assert taken.json() == LIMIT
    assert refused.status_code == 413


def test_an_endless_body_is_refused_soon() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100

    assert Service().call("PUT", f"/v1/drafts/{DRAFT}", content=endless()).status_code == 413


def test_without_configured_origins_no_page_may_read_an_answer() -> None:
    answer = Service().call("GET", f"/v1/drafts/{DRAFT}", headers={"Origin": ORIGIN})

    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_page_of_a_configured_origin_may_read_answers_and_their_headers() -> None:
    service = Service(cors_origins=(ORIGIN,))

    answer = service.call("GET", f"/v1/drafts/{DRAFT}", headers={"Origin": ORIGIN})

    assert answer.headers["access-control-allow-origin"] == ORIGIN
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert set(exposed) == {"ETag", "Location", "Link", "Retry-After", "X-Request-Id"}
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["vary"] == "Prefer, Origin"


@pytest.mark.parametrize("path", ["/v1/drafts/boom", f"/v1/drafts/{DRAFT}", "/nowhere"])
def test_a_page_may_read_problems_too(path: str) -> None:
    service = Service(cors_origins=(ORIGIN,))

    answer = service.call("POST", path, headers={"Origin": ORIGIN}, content=b"x" * (LIMIT + 1))

    assert answer.status_code == 413
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("origin", ["https://other.example", "http://forms.example", "null"])
def test_a_page_of_another_origin_may_not_and_caches_know_that_it_depends(origin: str) -> None:
    service = Service(cors_origins=(ORIGIN,))

    answer = service.call("GET", f"/v1/drafts/{DRAFT}", headers={"Origin": origin})

    assert "access-control-allow-origin" not in answer.headers
    assert "Origin" in answer.headers["vary"]


def test_a_preflight_is_answered_for_a_configured_origin_only() -> None:
    service = Service(cors_origins=(ORIGIN,))
    asked = {"Access-Control-Request-Method": "PATCH"}

    known = service.call("OPTIONS", f"/v1/drafts/{DRAFT}", headers={"Origin": ORIGIN} | asked)
    other = service.call("OPTIONS", f"/v1/drafts/{DRAFT}", headers={"Origin": "null"} | asked)

    assert known.status_code == 204
    assert "PATCH" in known.headers["access-control-allow-methods"]
    assert "If-Match" in known.headers["access-control-allow-headers"]
    assert other.status_code == 405
    assert "access-control-allow-origin" not in other.headers


def test_a_star_lets_every_page_in() -> None:
    service = Service(cors_origins=("*",))

    answer = service.call("GET", f"/v1/drafts/{DRAFT}", headers={"Origin": ORIGIN})

    assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_head_is_counted_and_logged_as_what_it_is() -> None:
    service = Service()

    answer = service.call("HEAD", f"/v1/drafts/{DRAFT}")

    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer.headers["etag"], answer.headers["content-length"]) == ('"1"', "2")
    (line,) = service.lines
    assert (line["method"], line["route"]) == ("HEAD", "/v1/drafts/{draft_id}")
    counted = 'method="HEAD",route="/v1/drafts/{draft_id}",status="2xx"} 1.0'
    assert counted in service.call("GET", "/metrics").text


def test_what_fails_inside_is_a_500_for_head_too() -> None:
    async def boom(_: Scope, __: Receive, ___: Send) -> None:
        raise KeyError("Kafka")

    answer = Service(boom).call("HEAD", "/")

    assert (answer.status_code, answer.content) == (500, b"")


def test_requests_are_counted_by_method_route_and_class_of_status() -> None:
    service = Service()

    for path in (f"/v1/drafts/{DRAFT}", f"/v1/drafts/{DRAFT}", "/v1/drafts/x", "/a", "/b"):
        service.call("GET", path)
    service.call("BREW", "/a")

    text = service.call("GET", "/metrics").text
    count = re.compile(r"^variorum_request_seconds_count\{(.*)\} (.*)$", re.MULTILINE)
    counted = dict(count.findall(text))
    route = 'route="/v1/drafts/{draft_id}"'
    assert counted == {
        f'method="GET",{route},status="2xx"': "2.0",
        f'method="GET",{route},status="4xx"': "1.0",
        'method="GET",route="none",status="4xx"': "2.0",
        'method="other",route="none",status="4xx"': "1.0",
    }


def test_a_service_that_is_not_ready_says_so_and_how_far_it_is_behind() -> None:
    service = Service()
    assert service.call("GET", "/readyz").json() == {"status": "ready"}

    service.ready = Readiness(False, {"projections": {"listing": {"behind": 7}}})
    answer = service.call("GET", "/readyz")

    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "projections": {"listing": {"behind": 7}}}
    assert service.call("GET", "/livez").status_code == 200


def test_a_service_whose_database_is_gone_is_not_ready() -> None:
    async def gone() -> Readiness:
        raise StoreUnavailable("The database cannot be reached.")

    app = FastAPI()
    app.include_router(health_routes(gone, Metrics()))
    install_problems(app)

    answer = Service(app).call("GET", "/readyz")

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/store-unavailable")


def test_what_is_no_request_passes_through_untouched() -> None:
    seen: list[str] = []

    async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    service = Service(lifespan, cors_origins=(ORIGIN,))
    run(service.app, {"type": "lifespan"})

    assert seen == ["lifespan"]
    assert service.lines == []
