import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.live.options import ServeOptions
from tests.server.live.serving import Server, desk_in, serving

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[Server, None]:
    front = desk_in(tmp_path / "front", 'origins = ["https://shop.example"]')
    back = desk_in(tmp_path / "back")
    async with serving(front, back) as running:
        yield running


async def test_a_typed_question_is_answered_in_one_document(server: Server) -> None:
    answer = await server.http.post("/v1/chat", json={"text": "May I return it?", "session": "mine"})
    assert answer.status_code == 200
    told = answer.json()
    assert told["transcript"] == "May I return it?"
    assert told["reply"] == "One thing. Two things."
    assert told["outcome"] == "answered"
    assert told["session"] == "mine"
    assert [one["text"] for one in told["sentences"]] == ["One thing.", "Two things."]
    assert set(told["timings_ms"]) == {"first_sentence", "total"}


async def test_a_typed_question_is_answered_as_a_stream(server: Server) -> None:
    headers = {"Accept": "text/event-stream"}
    async with server.http.stream("POST", "/v1/chat", json={"text": "May I?"}, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line async for line in answer.aiter_lines() if line]
    assert all(line.startswith("data: ") for line in lines)
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert [event["type"] for event in events] == ["heard", "sentence", "sentence", "turn"]
    assert events[-1]["heard"] == "One thing. Two things."


async def test_questions_of_one_session_make_a_conversation(server: Server) -> None:
    engines = next(iter(server.service.desks.values())).engines
    asked: list[str] = engines.knowledge.queries  # type: ignore[attr-defined]
    first = (await server.http.post("/v1/chat", json={"text": "Do you deliver to Norway?"})).json()
    await server.http.post("/v1/chat", json={"text": "How much is that?", "session": first["session"]})
    assert any("Norway" in query for query in asked[1:])
    await server.http.post("/v1/chat", json={"text": "How much is that?", "session": "another"})
    assert "Norway" not in asked[-1]


async def test_what_the_guard_refuses_is_refused_over_http_too(server: Server) -> None:
    told = (await server.http.post("/v1/chat", json={"text": "something bad"})).json()
    assert told["outcome"] == "refused"
    masked = (await server.http.post("/v1/chat", json={"text": "card 4111"})).json()
    assert masked["transcript"] == "card [card]"


async def test_questions_that_cannot_be_are_refused(server: Server) -> None:
    for wrong, status, said in (
        ({}, 422, '"text" is missing'),
        ({"text": "  "}, 422, '"text" is empty'),
        ({"text": 5}, 422, '"text" has to be text'),
        ({"text": "x" * 3000}, 413, "the question has 3000 characters"),
        ({"text": "x" * 60_000}, 422, '"text" may have at most 20000 characters'),
        ({"text": "hello", "desk": "nowhere"}, 404, ""),
        ({"text": "hello", "desk": "../etc"}, 422, '"desk" takes up to 64 letters, digits, "_" and "-"'),
        ({"text": "hello", "language": "fr"}, 422, '"language" has to be "en" or "zh", or left out'),
        ({"text": "hello", "more": 1}, 422, '"more" is no field that is known here'),
        (["hello"], 422, "a JSON object is wanted here, over HTTP as application/json"),
    ):
        answer = await server.http.post("/v1/chat", json=wrong)
        assert answer.status_code == status, wrong
        error = answer.json()["error"]
        assert set(error) == {"code", "message", "remedy"}
        assert said in error["message"]
    garbled = await server.http.post("/v1/chat", content=b"{", headers={"Content-Type": "application/json"})
    assert garbled.json()["error"]["message"] == "the body is not valid JSON"


async def test_a_body_that_is_too_long_is_not_read(server: Server) -> None:
    async def unannounced() -> AsyncGenerator[bytes, None]:
        for _ in range(20):
            yield b"x" * 10_000

    for body in (b"x" * 200_000, unannounced()):
        answer = await server.http.post("/v1/chat", content=body)
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "too_large"


async def test_every_error_is_a_document(server: Server) -> None:
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("GET", "/pages/nowhere.js", 404),
        ("GET", "/pages/../app.py", 404),
        ("GET", "/pages/%2e%2e/app.py", 404),
        ("PUT", "/v1/sessions", 405),
        ("GET", "/v1/queue/none", 404),
        ("DELETE", "/v1/sessions/none", 401),
    ):
        answer = await server.http.request(method, path)
        assert answer.status_code == status, path
        assert set(answer.json()["error"]) == {"code", "message", "remedy"}


async def test_pages_carry_headers_that_keep_them_safe(server: Server) -> None:
    answer = await server.http.get("/docs")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self' https://shop.example" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    told = await server.http.post("/v1/chat", json={"text": "hello"})
    assert told.headers["cache-control"] == "no-store"


async def test_the_interface_describes_itself_without_help_from_elsewhere(server: Server) -> None:
    page = (await server.http.get("/docs")).text
    for path in ("/v1/sessions", "/v1/queue/{ticket}", "/v1/chat", "/healthz", "/metrics", "/desks"):
        assert f"<code>{path}</code>" in page
    assert "<code>Offer</code>" in page
    assert "http://" not in page
    assert "https://" not in page
    assert (await server.http.get("/openapi.json")).json()["openapi"].startswith("3.")


async def test_a_page_of_an_allowed_site_may_ask_beforehand(server: Server) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    answer = await server.http.options("/v1/sessions", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    # the other desk does not know that site
    refused = await server.http.post(
        "/v1/sessions", json={"desk": "back"}, headers={"Origin": "https://shop.example"}
    )
    assert refused.status_code == 403


async def test_desks_and_health_are_told(server: Server) -> None:
    desks = (await server.http.get("/desks")).json()
    assert [one["id"] for one in desks] == ["front", "back"]
    health = (await server.http.get("/healthz")).json()
    assert health["status"] == "ok"
    assert health["desks"]["front"]["answering"] == "scripted"
    assert health["desks"]["front"]["face"] == "blank"
    assert health["sessions"] == 0


async def test_desks_of_one_name_get_names_of_their_own(tmp_path: Path) -> None:
    one, two = desk_in(tmp_path / "a" / "my desk"), desk_in(tmp_path / "b" / "my desk")
    async with serving(one, two) as server:
        assert [desk["id"] for desk in (await server.http.get("/desks")).json()] == ["my-desk", "my-desk-2"]


async def test_a_desk_takes_only_as_many_as_it_says(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "front", "max_sessions = 1")
    async with serving(desk, options=ServeOptions(rates={}, max_sessions=9)) as server:
        await server.session()
        assert (await server.http.post("/v1/sessions", json={})).status_code == 503
