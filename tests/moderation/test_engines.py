"""Optional engines: a real HTTP server that judges, fails, hangs and drips."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from moderation import Guard, ModerationError, Policy, PolicyError
from tests.loopback import QuietHandler, served

BUDGET_MS = 5000
SHORT_MS = 100
"""Budget where nothing comes anyway."""
HANGS = "hangs"
DRIPS = "drips"


@contextmanager
def judge(answer: Callable[[dict[str, Any]], Any], status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    """Serve answers to requests; yields the base URL and what was asked."""
    asked: list[Any] = []
    over = threading.Event()

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, body, self.headers.get("Authorization")))
            said = answer(body)
            if said == HANGS:
                over.wait(10)
                return
            self.send_response(status)
            self.end_headers()
            if said == DRIPS:
                while not over.wait(0.02):
                    try:
                        self.wfile.write(b" ")
                    except OSError:
                        return
                return
            self.wfile.write(said if isinstance(said, bytes) else json.dumps(said).encode())

    with served(Handler, over) as url:
        yield url, asked


def moderation(body: dict[str, Any]) -> dict[str, Any]:
    """Answer as OpenAI's endpoint: "subtle" is harassment, "dark" self-harm, "odd" flagged below a half."""
    rows = []
    for text in body["input"]:
        scores = {
            "harassment": 0.9 if "subtle" in text else 0.01,
            "self-harm/intent": 0.8 if "dark" in text else 0.02,
            "violence": 0.3 if "odd" in text else 0.0,
            "illicit": None,
        }
        flags = {"violence": "odd" in text}
        rows.append({"flagged": False, "categories": flags, "category_scores": scores})
    return {"id": "1", "model": body["model"], "results": rows}


def guard(table: dict[str, Any], **engines: Any) -> Guard:
    return Guard.load(Policy.from_table({"engines": {"embedded": False, **engines, **table}}))


def by_openai(url: str, budget_ms: int = BUDGET_MS, **engines: Any) -> Guard:
    return guard({"openai": {"base_url": url, "api_key_env": "", "budget_ms": budget_ms}}, **engines)


def by_llama(url: str, **engines: Any) -> Guard:
    return guard({"llama_guard": {"base_url": url, "budget_ms": BUDGET_MS}}, **engines)


def test_the_moderation_endpoint_judges_a_batch_in_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    with judge(moderation) as (url, asked):
        judging = guard({"openai": {"base_url": url, "api_key_env": "MY_KEY", "budget_ms": BUDGET_MS}})
        fine, subtle, dark, odd = judging.screen_many(
            ["a lamp", "something subtle", "something dark", "something odd"]
        )
    assert judging.engine == "rules+openai"
    assert (fine.action, fine.rule) == ("allow", "")
    assert (subtle.action, subtle.rule) == ("refuse", "harassment.openai")
    assert (dark.action, dark.rule) == ("escalate", "self_harm.openai")
    assert (odd.action, odd.rule, odd.scores["violence"]) == ("refuse", "violence.openai", 0.5)
    [(path, body, key)] = asked
    assert path == "/v1/moderations"
    assert body["model"] == "omni-moderation-latest"
    assert key == "Bearer secret"


def test_personal_data_and_what_rules_stop_leave_for_no_endpoint() -> None:
    with judge(moderation) as (url, asked):
        judging = by_openai(url)
        judging.screen("my card is 4111 1111 1111 1111")
        stopped = judging.screen("I want to kill myself")
    assert [body["input"] for _, body, _ in asked] == [["my card is …"]]
    assert stopped.rule == "self_harm.intent"


def test_documents_stay_at_home_unless_the_policy_sends_them() -> None:
    with judge(moderation) as (url, asked):
        by_openai(url).screen("something subtle", "document")
        assert not asked
        table = {"base_url": url, "api_key_env": "", "budget_ms": BUDGET_MS} | {"directions": ["document"]}
        guard({"openai": table}).screen("something subtle", "document")
        assert len(asked) == 1


@pytest.mark.parametrize(
    ("said", "action", "rule"),
    [
        ("safe", "allow", ""),
        ("\n\nunsafe\nS10", "refuse", "hate.llama_guard"),
        ("unsafe\nS1,S11", "escalate", "self_harm.llama_guard"),
        ("unsafe S7", "soften", "pii.llama_guard"),
    ],
)
def test_llama_guard_says_safe_or_names_hazards(said: str, action: str, rule: str) -> None:
    with judge(lambda _: {"choices": [{"message": {"content": said}}]}) as (url, asked):
        verdict = by_llama(url).screen("hello there")
    assert (verdict.action, verdict.rule) == (action, rule)
    assert asked[0][1]["messages"] == [{"role": "user", "content": "hello there"}]
    assert asked[0][0] == "/v1/chat/completions"


def test_llama_guard_judges_the_desks_words_as_an_assistants() -> None:
    with judge(lambda _: {"choices": [{"message": {"content": "safe"}}]}) as (url, asked):
        by_llama(url).screen("Good morning.", "output")
    assert asked[0][1]["messages"][-1] == {"role": "assistant", "content": "Good morning."}


FAULTS: list[tuple[Any, int, str]] = [
    (HANGS, 200, "timeout"),
    (DRIPS, 200, "timeout"),
    (b"", 429, "error"),
    (b"{}", 500, "error"),
    (b"not json", 200, "error"),
    (b"[1]", 200, "error"),
    (b'{"results": []}', 200, "error"),
    (b'{"results": [{"categories": {}, "category_scores": {"hate": NaN}}]}', 200, "error"),
    (b"[" * 100_000, 200, "error"),
    (b" " * 1_100_000, 200, "error"),
]


@pytest.mark.parametrize(("said", "status", "kind"), FAULTS, ids=range(len(FAULTS)))
def test_a_fault_is_an_outcome_closed_for_what_may_not_fail(said: Any, status: int, kind: str) -> None:
    with judge(lambda _: said, status) as (url, _):
        budget_ms = SHORT_MS if kind == "timeout" else BUDGET_MS
        closed = by_openai(url, budget_ms).screen("Good morning.", "output")
        open_ = by_openai(url, budget_ms, closed=["injection"]).screen("Good morning.", "output")
    assert (closed.action, closed.rule) == ("refuse", f"engine.{kind}")
    assert (open_.action, open_.rule) == ("allow", f"engine.{kind}")
    assert closed.failed == open_.failed == (f"openai.{kind}",)


def test_a_refused_connection_is_an_outcome() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert by_llama(url).screen("hello").failed == ("llama_guard.error",)


@pytest.mark.parametrize("said", ["", "I cannot help with that.", "unsafe", "unsafe\nS99", None])
def test_what_is_no_verdict_counts_as_a_failure(said: Any) -> None:
    with judge(lambda _: {"choices": [{"message": {"content": said}}]}) as (url, _):
        assert by_llama(url).screen("hello").failed == ("llama_guard.error",)


def test_another_engines_word_stands_for_one_that_failed_unless_it_doubts() -> None:
    def half(body: dict[str, Any]) -> dict[str, Any]:
        score = 0.3 if "doubtful" in body["input"][0] else 0.01
        return {"results": [{"categories": {}, "category_scores": {"self-harm": score, "sexual/minors": 0}}]}

    with judge(half) as (url, _), judge(lambda _: b"", 500) as (broken, _):
        judging = guard(
            {
                "openai": {"base_url": url, "api_key_env": "", "budget_ms": BUDGET_MS},
                "llama_guard": {"base_url": broken, "budget_ms": BUDGET_MS, "categories": {"S14": ""}},
            }
        )
        sure, doubtful = (judging.screen(text, "output") for text in ("Good morning.", "doubtful"))
    assert (sure.action, sure.rule) == ("allow", "engine.error")
    assert (doubtful.action, doubtful.rule) == ("refuse", "engine.error")


def test_a_failing_engine_is_told_of_once_and_left_alone_for_a_while(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING), judge(lambda _: b"", 500) as (url, asked):
        judging = by_openai(url)
        verdicts = [judging.screen("Good morning.", "output") for _ in range(6)]
    assert {verdict.rule for verdict in verdicts} == {"engine.error"}
    assert len(asked) == 3
    assert [record.getMessage() for record in caplog.records] == [
        "the engine openai does not judge: it answered with status 500"
    ]


def test_every_verdict_is_logged_without_the_words(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "moderation"), judge(moderation) as (url, _):
        by_openai(url).screen("something subtle")
        by_openai(url).screen("I want to kill myself")
    told = "\n".join(record.getMessage() for record in caplog.records if record.name == "moderation.decision")
    assert "input: refuse by harassment.openai (harassment); engine rules+openai; failed: none" in told
    assert "input: escalate by self_harm.intent (self_harm); engine rules;" in told
    assert "subtle" not in told
    assert "kill" not in told


@pytest.mark.parametrize(
    ("engines", "remedy"),
    [
        ({"openai": {"api_key_env": "NO_SUCH_KEY"}}, "set it"),
        ({"openai": {"api_key_env": "", "base_url": "localhost"}}, "no address"),
        ({"openai": {"api_key_env": "", "categories": {"hatred": "hate"}}}, "has no such category"),
        ({"llama_guard": {"base_url": "http://x", "categories": {"S15": "hate"}}}, "it has S1, S2"),
    ],
)
def test_an_engine_that_cannot_be_opened_stops_the_start(engines: dict[str, Any], remedy: str) -> None:
    with pytest.raises(ModerationError, match=remedy):
        guard(engines)


@pytest.mark.parametrize(
    ("engines", "key", "remedy"),
    [
        ({"opnai": {}}, "engines.opnai", "Did you mean 'openai'?"),
        ({"openai": {"modell": "x"}}, "engines.openai.modell", "Did you mean 'model'?"),
        ({"llama_guard": {}}, "engines.llama_guard.base_url", "is missing"),
        ({"openai": {"budget_ms": 0}}, "engines.openai.budget_ms", "greater than or equal to 10"),
        ({"openai": {"directions": ["up"]}}, "engines.openai.directions.0", "not one of input, output"),
        ({"openai": {"categories": {"hate": "hatred"}}}, "engines.openai.categories.hate", "not one of hate"),
        ({"onnx": {"path": "x"}}, "engines.onnx.path", "[engines.onnx.NAME]"),
        ({"onnx": {"openai": {"path": "x", "categories": {}}}}, "engines.onnx", "choose another"),
        ({"onnx": {"mine": {"path": "x", "categories": {}, "max_token": 3}}}, "max_token", "max_tokens"),
        ({"closed": ["self_hram"]}, "engines.closed", "is no category"),
        ({"thresholds": {"nobody": {"hate": 0.5}}}, "engines", "there is no such engine"),
    ],
)
def test_an_error_in_the_table_names_key_and_remedy(engines: dict[str, Any], key: str, remedy: str) -> None:
    with pytest.raises(PolicyError) as raised:
        Policy.from_table({"engines": engines})
    assert key in str(raised.value)
    assert remedy in str(raised.value)
