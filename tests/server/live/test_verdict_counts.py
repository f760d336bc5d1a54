from agent.conversation_events import VerdictGiven
from moderation.verdict import Action, Direction, Verdict
from server.live.metrics import Metrics


def test_verdicts_are_counted_by_category_and_failures_by_engine() -> None:
    metrics = Metrics()
    refused = Verdict(
        Action.REFUSE, "hate.openai", "…", Direction.OUTPUT, "hate", failed=("llama_guard.timeout",)
    )
    for verdict in (refused, refused, Verdict(Action.ALLOW, "", "…")):
        metrics.happened("demo", VerdictGiven(1, verdict))
    text = metrics.text().decode()
    assert 'visavis_verdicts_total{action="refuse",category="hate",direction="output"} 2.0' in text
    assert 'visavis_verdicts_total{action="allow",category="none",direction="input"} 1.0' in text
    assert 'visavis_engine_failures_total{engine="llama_guard",kind="timeout"} 2.0' in text
