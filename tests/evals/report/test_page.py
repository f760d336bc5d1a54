from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evals.checks import Check
from evals.replay.record import Called, MediaRecord
from evals.report import write_report
from evals.report.page import steps_of
from evals.results import Results
from tests.evals.report.samples import result, results, suite, turn

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"' onclick=alert(1) {{7*7}} javascript:x"
)


class Seen(HTMLParser):
    """Reads a page: its elements with attributes, and what is read in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._in = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "script":
            self.scripts[-1] += data
        elif self._in != "style":
            self.text += data

    def all(self, tag: str, part: str = "") -> list[dict[str, str | None]]:
        return [has for name, has in self.elements if name == tag and part in (has.get("class") or "")]


def seen(folder: Path, run: Results, **more: object) -> Seen:
    files = write_report(folder, run, **more)  # type: ignore[arg-type]
    return Seen(files["page"].read_text("utf-8"))


def test_nothing_that_was_said_becomes_part_of_the_page(tmp_path: Path) -> None:
    hostile = result(
        "a",
        title=HOSTILE,
        tags=[HOSTILE],
        file=HOSTILE,
        greeting=HOSTILE,
        language=HOSTILE,
        desk=HOSTILE,
        checks=[Check(HOSTILE, False, HOSTILE, 0, 3), Check(HOSTILE, False, HOSTILE), Check(HOSTILE, True)],
        turns=[
            turn(
                0,
                HOSTILE,
                HOSTILE,
                language=HOSTILE,
                heard=HOSTILE + "1",
                understood=HOSTILE + "2",
                outcome=HOSTILE,
                interrupted=True,
                transcribed=HOSTILE,
                handoff=HOSTILE,
                notices=[HOSTILE],
                tools=[Called(HOSTILE, {HOSTILE: HOSTILE}, HOSTILE)],
                cards=[{"kind": HOSTILE, "title": HOSTILE, "url": "javascript:alert(1)"}],
                suggestions=[HOSTILE],
                timings_ms={"first_sound": 300.0, HOSTILE: 1.0},
                visitor_emotion=HOSTILE,
            )
        ],
        media=MediaRecord(sound=HOSTILE, video="../../etc/passwd"),
    )
    bad = results(hostile, result(HOSTILE, error=HOSTILE), wrong=[HOSTILE])
    page = seen(tmp_path, bad, baseline=bad, other=bad, names=(HOSTILE, HOSTILE))
    assert len(page.scripts) == 1
    assert "alert" not in page.scripts[0]
    assert not page.all("img")
    assert not page.all("audio")
    assert not page.all("video")
    for _, has in page.elements:
        assert not any(name.startswith("on") for name in has)
        assert not (has.get("href") or "#").startswith("javascript:")
    assert HOSTILE in page.text
    assert "49" not in re.findall(r"\b49\b", page.text)


def test_the_page_may_load_nothing_and_run_its_own_script_alone(tmp_path: Path) -> None:
    page = seen(tmp_path, results(result()))
    (policy,) = [
        has["content"] for has in page.all("meta") if has.get("http-equiv") == "Content-Security-Policy"
    ]
    digest = base64.b64encode(hashlib.sha256(page.scripts[0].encode()).digest()).decode()
    assert policy is not None
    assert f"default-src 'none'; script-src 'sha256-{digest}'" in policy
    assert not page.all("link")
    assert not [
        has for _, has in page.elements if re.match("https?:|//", has.get("src") or has.get("href") or "")
    ]


def test_a_failed_check_stands_in_its_turn_with_the_scripts_line(tmp_path: Path) -> None:
    page = seen(
        tmp_path,
        results(
            result("good"),
            result("bad", passed=False, turns=[turn(0), turn(1)]),
            result("short", checks=[Check("answered", False, "the conversation was over before it", 7, 30)]),
        ),
    )
    assert "scripts/bad.yaml:7" in page.text
    assert len(page.all("li", "hit")) == 1
    assert "scripts/short.yaml:30" in page.text
    states = [has["data-state"] for has in page.all("details", "conversation")]
    assert states == ["failed", "failed", "passed"]
    assert ["open" in has for has in page.all("details", "conversation")] == [True, True, False]
    assert "2 of 3 conversations failed" in page.text


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (results(), "No conversation was replayed."),
        (results(wrong=["a.yaml:2: not YAML"]), "a.yaml:2: not YAML"),
        (results(result(error="the server died", turns=[])), "The replay itself failed: the server died"),
        (results(result(turns=[]), complete=False), "the run broke off"),
    ],
)
def test_runs_with_little_in_them_have_a_page_too(tmp_path: Path, run: Results, said: str) -> None:
    assert said in seen(tmp_path, run).text
    assert json.loads((tmp_path / "summary.json").read_text())["desk"] == "demo"


def test_small_media_stand_in_the_page_and_large_ones_are_linked(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "small one.wav").write_bytes(b"RIFF")
    (tmp_path / "large#1.mp4").write_bytes(bytes(2_100_000))
    page = seen(
        tmp_path,
        results(
            result("a", media=MediaRecord(sound="clips/small one.wav")),
            result("b", media=MediaRecord(sound="clips/small one.wav", video="large#1.mp4")),
            result("c", media=MediaRecord(sound="gone.wav", video="../large.mp4")),
        ),
    )
    assert [has["src"] for has in page.all("audio")] == ["data:audio/wav;base64,UklGRg=="]
    assert [has["src"] for has in page.all("video")] == ["large%231.mp4"]
    assert "The sound gone.wav is not in the report's folder." in page.text
    assert len(page.all("button", "from")) == 2


def test_regression_comparison_and_trend_are_shown(tmp_path: Path) -> None:
    now, before = suite([1.0] * 5 + [0.0] * 7), suite([1.0] * 12, repeat=2)
    write_report(tmp_path / "first", before)
    page = seen(tmp_path, now, baseline=before, other=before, names=("new", "old"))
    assert "7 scripts newly failing: s5, s6, s7 …." in page.text
    assert "old is better on conversations passed" in page.text
    assert "old passes more often: s5 (0 %, 100 %), s6" in page.text
    assert "new: 5 of 12 conversations passed. old: 24 of 24 conversations passed." in page.text
    other_way = seen(tmp_path / "turned", before, other=now, names=("new", "old"))
    assert 's5 (100 %, 0 %; old fails turn 1: contains: the reply lacks "Monday")' in other_way.text
    assert (tmp_path / "compare.json").is_file()
    targets = {has["id"] for has in page.all("details") if "id" in has}
    links = {(has["href"] or "")[1:] for has in page.all("a") if (has["href"] or "").startswith("#s")}
    assert links <= targets
    assert len(links) == 7


def test_plots_say_in_words_what_they_show(tmp_path: Path) -> None:
    page = seen(tmp_path, suite([1.0, 0.5], repeat=2))
    labels = [has["aria-label"] or "" for has in page.all("div", "plot")]
    assert "first sound: half within 400 ms, 95 % within 400 ms" in labels[1]
    assert "pass^k: 75.0% at 1, 50.0% at 2" in labels[0]
    assert len({has["id"] for _, has in page.elements if "id" in has}) == len(
        [has for _, has in page.elements if "id" in has]
    )


def test_a_waterfall_begins_each_bar_where_the_one_before_ended() -> None:
    steps = steps_of({"first_sound": 400.0, "turn_end": 100.0, "transcript": 0.0, "reply_end": 9000.0}, 800.0)
    assert [(one.name, one.ms, one.left, one.width) for one in steps] == [
        ("turn_end", 100.0, 0.0, 0.125),
        ("first_sound", 400.0, 0.125, 0.375),
    ]


def test_half_characters_do_not_keep_a_report_from_being_written(tmp_path: Path) -> None:
    page = seen(tmp_path, results(result(turns=[turn(0, "\ud800", "\udfff")], title="\ud83d")))
    assert "\ufffd" in page.text


def test_of_too_many_conversations_those_that_did_not_pass_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evals.report.page.MOST_SHOWN", 2)
    page = seen(
        tmp_path, results(result("a"), result("b"), result("c", error="x"), result("d", passed=False))
    )
    assert [has["data-state"] for has in page.all("details", "conversation")] == ["failed", "error"]
    assert "2 more conversations, of those that passed, are in results.jsonl only." in page.text
