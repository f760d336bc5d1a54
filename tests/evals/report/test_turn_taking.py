from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from agent.line import RATE_HZ
from evals.replay.hearing_probe import CUT_OFF
from evals.replay.record import TurnRecord
from evals.replay.visitor_voice import Utterance
from evals.report import summary_of, write_report
from tests.evals.report.samples import result, results, turn


def spoken(pause_s: float, delay: float, **more: Any) -> TurnRecord:
    timings = {"turn_end": delay, "first_sound": delay + 400}
    return turn(understood="x", began_s=1.0, ended_s=4.0, pauses_s=[0.2, pause_s], timings_ms=timings, **more)


def test_cut_offs_stand_beside_what_a_fixed_silence_would_cut_off(tmp_path: Path) -> None:
    turns = [spoken(0.45, 700.0) for _ in range(10)]
    turns += [spoken(1.1, 700.0, notices=[CUT_OFF]), spoken(1.6, 900.0, reply_began_s=3.2)]
    run = results(result(mode="audio", turns=turns))
    found = summary_of(run)["turn_taking"]
    assert (found["turns"], found["cut_off"], found["delay_ms"]["p50"]) == (12, 2, 700)
    shares = found["fixed_silence"]
    assert (shares["200"], shares["500"], shares["1500"], shares["2000"]) == (1.0, 0.1667, 0.0833, 0.0)
    page = write_report(tmp_path, run)["page"].read_text("utf-8")
    assert "2 (16.7 %) were answered before the visitor was done" in page


def test_few_turns_and_typed_ones_give_no_share() -> None:
    assert summary_of(results(result(mode="audio", turns=[spoken(0.5, 600.0)] * 9)))["turn_taking"] is None
    assert summary_of(results(result(turns=[spoken(0.5, 600.0)] * 20)))["turn_taking"] is None


def test_pauses_are_measured_in_the_voice_alone() -> None:
    voice = np.sin(np.arange(RATE_HZ) / 30).astype(np.float32)
    quiet = [np.zeros(round(RATE_HZ * seconds), np.float32) for seconds in (0.5, 0.6, 0.1)]
    pcm = np.concatenate([quiet[0], voice, quiet[1], voice, quiet[2], voice, quiet[0]])
    assert Utterance(pcm, 0, len(pcm)).pauses_s == [0.6]
