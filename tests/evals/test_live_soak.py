from dataclasses import replace

import numpy as np
import pytest

from agent.events import Spoken
from agent.frames import LEAD_S, PAUSE_S, whole_frames
from agent.sentence import Sentence
from agent.stage import LiveMoment
from evals.bench import run_bench
from evals.live import main
from evals.live_figures import LIVE_FIGURES
from evals.live_hours import talked
from evals.live_server import MARK_EVERY, MARK_PX, Marks, inside
from evals.live_soak import Look, Soak
from server.boundary import UsageError
from server.progress import Silent
from speech.timeline import Phoneme, Speech


class Grey:
    """Draws nothing: what is tested is the time."""

    width = height = 96
    engine = "grey"

    def draw(self, pose: object) -> np.ndarray:
        return np.full((96, 96, 3), 120, np.uint8)

    def draw_many(self, poses: list[object]) -> np.ndarray:
        return np.stack([self.draw(pose) for pose in poses])


def spoken(seconds: float) -> Spoken:
    speech = Speech(np.full(int(seconds * 8000), 0.1, np.float32), 8000, (Phoneme("a", 0.0, seconds),))
    return Spoken(Sentence("Yes."), whole_frames(speech, pause_s=PAUSE_S), LEAD_S, 0.0)


async def test_talk_in_given_time_keeps_the_clock_and_goes_through_everything() -> None:
    found = await talked(Grey(), [spoken(2.0), spoken(6.0)], 0.04, seed=3)
    assert found.moments == pytest.approx(0.04 * 3600 * 25, rel=0.05)
    assert found.replies > 2
    assert found.interrupted > 0
    assert abs(found.drift_ms) < 40.0 + 500.0
    assert found.rss_mb[0] > 0


def test_growth_counts_from_the_middle_on_and_what_is_left_over_is_told() -> None:
    looks = [Look(number, mb, 4, 25, 9, 1000) for number, mb in ((0, 100), (5, 200), (10, 210))]
    soak = Soak(1.0, tuple(looks), ())
    assert soak.growth == pytest.approx(0.05)
    assert soak.clean
    assert not replace(soak, looks=(*looks, replace(looks[-1], tasks=5))).clean
    assert not replace(soak, looks=(*looks, replace(looks[-1], descriptors=40))).clean


def test_a_mark_is_in_picture_and_sound_of_the_same_moment() -> None:
    class Kept:
        moments: list[LiveMoment] = []  # noqa: RUF012

        def take(self, moment: LiveMoment) -> None:
            self.moments.append(moment)

    kept = Kept()
    marks = Marks(lambda: (kept,))
    frame = np.full((128, 128, 3), 90, np.uint8)
    for index in range(MARK_EVERY - 1, MARK_EVERY + 2):
        late = index == MARK_EVERY
        marks.take(LiveMoment(index, None if late else frame, np.zeros(1920, np.int16), "", False))
    before, on, after = kept.moments
    assert before.frame is not None
    assert on.frame is not None
    assert after.frame is not None
    assert [int(one.frame[:MARK_PX, :MARK_PX].max()) for one in (before, on, after)] == [0, 255, 0]
    assert [bool(one.pcm.any()) for one in (before, on, after)] == [False, True, False]
    assert int(frame.max()) == 90
    assert (on.frame[MARK_PX:] == 90).all()


async def test_a_look_inside_names_threads_and_counts_what_is_held() -> None:
    seen = inside()
    assert seen["tasks"] >= 1
    assert seen["rss_mb"] > 1
    assert "MainThread" in {one["name"] for one in seen["threads"]}
    assert seen["descriptors"] > 2


def test_live_figures_are_known_by_name_and_asked_for_all_at_once() -> None:
    assert {"live_sound_ms_p50", "live_sound_ms_p95", "interrupt_ms_p95", "av_skew_ms_p95"} <= set(
        LIVE_FIGURES
    )
    assert {"live_sessions_24fps", "cpu_per_session"} <= set(LIVE_FIGURES)
    with pytest.raises(UsageError, match="live_sound_ms_p95"):
        run_bench(["live_sound"], runs=1, stages=Silent())


def test_without_a_browser_the_figures_are_skipped_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    from evals import live_figures, live_runs
    from evals.figure import NotHere
    from evals.live_browser import NoBrowser
    from evals.live_runs import LiveRuns

    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("VISAVIS_CHROMIUM", raising=False)

    def nowhere(*_: object, **__: object) -> None:
        from evals.live_browser import browser_path

        browser_path()

    class Server:
        def __init__(self, **_: object) -> None: ...

        def __enter__(self) -> "Server":
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(live_runs, "converse", nowhere)
    monkeypatch.setattr(live_runs, "LiveServer", Server)
    monkeypatch.setattr(
        LiveRuns, "_recorded", lambda *_: pytest.importorskip("evals.live_script").arranged([])
    )
    with pytest.raises(NotHere, match="Chromium"):
        live_figures.live_sound_ms_p50(LiveRuns(1))
    with pytest.raises(NoBrowser):
        nowhere()


def test_a_kind_that_is_not_there_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dance"])
    assert ended.value.code == 2
    assert "talk" in capsys.readouterr().err
