import numpy as np
import pytest

from evals.live_browser import QUANTUM, Trace, trace_of
from evals.live_script import Kind, Said
from evals.live_skew import playout_skew_ms, skew_of
from evals.live_trace import audio_gaps, first_frame_ms, pictures_of, spans, talk_of

RATE = 48_000.0
LATE = 0.2
"""The browser begins so much later than the recording."""


def trace(
    local: list[tuple[float, float]],
    remote: list[tuple[float, float]],
    *,
    seconds: float = 60.0,
    marks: list[float] = [],  # noqa: B006
    frames: np.ndarray | None = None,
    said: tuple = (),
    stats: tuple = (),
) -> Trace:
    times = np.arange(0, seconds, QUANTUM / RATE)

    def level(when: list[tuple[float, float]], loud: float, quiet: float) -> np.ndarray:
        heard = np.full(len(times), quiet, np.float32)
        for begin, end in when:
            heard[(times >= begin) & (times < end)] = loud
        return heard

    clocks = np.stack([times, 1e3 * times + 500.0, times + 0.03, 1e3 * times + 530.0], axis=1)[::100]
    return Trace(
        times,
        level(local, 0.1, 0.0004),
        level(remote, 0.1, 0.0),
        level([(at, at + 0.02) for at in marks], 0.3, 0.0),
        np.zeros((0, 7)) if frames is None else frames,
        clocks,
        said,
        stats,
        30.0,
        RATE,
    )


def said(*when: tuple[str, Kind, float, float]) -> list[Said]:
    return [Said(kind, text, begin, end) for text, kind, begin, end in when]


def shown(at_ms: np.ndarray, light: np.ndarray | None = None) -> np.ndarray:
    rows = np.zeros((len(at_ms), 7))
    rows[:, :3] = at_ms[:, None]
    rows[:, 5] = -1 if light is None else light
    rows[:, 6] = 512
    return rows


def test_spans_bridge_short_pauses_only() -> None:
    seen = trace([], [(1.0, 2.0), (2.1, 3.0), (4.0, 4.5)])
    found = spans(seen.sound_s, seen.remote, 0.01, 0.2)
    assert np.allclose(found, [[1.0, 3.0], [4.0, 4.5]], atol=0.005)


def test_no_sound_has_no_spans() -> None:
    seen = trace([], [])
    assert spans(seen.sound_s, seen.remote, 0.01, 0.2).shape == (0, 2)


def test_an_answer_is_timed_from_the_end_of_its_question() -> None:
    asked = said(("a", "question", 10.0, 12.0), ("b", "question", 30.0, 31.0))
    talk = talk_of(
        trace([(10 + LATE, 12 + LATE), (30 + LATE, 31 + LATE)], [(12.8, 16.0), (31.7, 33.0)]), asked
    )
    assert [round(one.sound_ms) for one in talk.answers] == pytest.approx([600, 500], abs=6)
    assert not any(one.over for one in talk.answers)
    assert talk.breaks == talk.lost == talk.unanswered == talk.cut == ()


def test_an_answer_brings_the_servers_own_times() -> None:
    told = (
        (12_800.0, 12.8, "sentence", {"turn": 3}),
        (16_000.0, 16.0, "turn", {"turn": 3, "timings_ms": {"turn_end": 400.0}}),
    )
    talk = talk_of(trace([(10, 12)], [(12.8, 16.0)], said=told), said(("a", "question", 10.0, 12.0)))
    assert talk.answers[0].server_ms == {"turn_end": 400.0}


def test_a_question_over_a_reply_is_an_interruption_too() -> None:
    asked = said(("a", "question", 10.0, 12.0), ("b", "interruption", 15.0, 17.0))
    heard = trace([(10, 12), (15, 17)], [(12.6, 13.8), (14.3, 15.45), (17.7, 20.0)])
    talk = talk_of(heard, asked)
    assert [round(one.silence_ms) for one in talk.breaks] == pytest.approx([450], abs=6)
    assert talk.breaks[0].resumed_ms is None
    assert [one.over for one in talk.answers] == [False, True]


def test_a_reply_between_two_sentences_is_interrupted_by_who_speaks_then() -> None:
    heard = trace([(15, 17)], [(12.6, 14.6), (15.15, 15.4), (17.7, 20.0)])
    talk = talk_of(heard, said(("b", "question", 15.0, 17.0)))
    assert [round(one.silence_ms) for one in talk.breaks] == pytest.approx([400], abs=6)
    assert talk.cut == ()


def test_a_reply_is_over_where_another_turns_reply_follows_soon() -> None:
    """A short word over a reply is answered in less time than lies between some sentences."""
    told = tuple(
        (1e3 * at, at, "sentence", {"turn": turn})
        for at, turn in ((12.5, 1), (14.0, 1), (15.85, 2), (19.0, 2))
    )
    heard = trace([(15, 15.5)], [(12.6, 13.9), (14.2, 15.4), (16.0, 18.8), (19.2, 22.0)], said=told)
    talk = talk_of(heard, said(("b", "interruption", 15.0, 15.5)))
    assert [round(one.silence_ms) for one in talk.breaks] == pytest.approx([400], abs=6)
    assert [round(one.sound_ms) for one in talk.answers] == pytest.approx([500], abs=6)


def test_an_old_reply_that_sounds_again_is_told() -> None:
    heard = trace([(15, 19)], [(12.6, 15.4), (17.0, 17.5), (19.6, 20.0)])
    talk = talk_of(heard, said(("b", "interruption", 15.0, 19.0)))
    assert talk.breaks[0].resumed_ms == pytest.approx(1600, abs=6)
    assert talk.cut == ("b",)


def test_a_question_that_is_answered_before_its_end_is_cut() -> None:
    talk = talk_of(trace([(10, 13)], [(12.0, 16.0)]), said(("a", "question", 10.0, 13.0)))
    assert talk.cut == ("a",)
    assert talk.answers == ()


def test_a_question_without_an_answer_is_told() -> None:
    asked = said(("a", "question", 10.0, 12.0), ("b", "question", 16.0, 17.0))
    talk = talk_of(trace([(10, 12), (16, 17)], [(17.5, 18.0)]), asked)
    assert talk.unanswered == ("a",)
    assert [one.said.text for one in talk.answers] == ["b"]


def test_a_torn_utterance_is_not_measured() -> None:
    asked = said(("a", "question", 10.0, 12.0), ("b", "question", 30.0, 31.0))
    talk = talk_of(trace([(10, 10.6), (11.3, 12), (30, 31)], [(12.5, 15), (31.5, 33)]), asked)
    assert talk.lost == ("a",)
    assert len(talk.answers) == 1


def marked(skew_ms: float, drift_ms_a_mark: float = 0.0) -> Trace:
    marks = np.arange(2, 58)
    frames_ms = 1e3 * np.arange(0, 60, 0.04) + 500.0
    light = np.where(np.arange(len(frames_ms)) % 25 == 0, 255, 0)
    clicks = [at + (skew_ms + number * drift_ms_a_mark) / 1e3 for number, at in enumerate(marks)]
    return trace([], [], marks=clicks, frames=shown(frames_ms, light))


@pytest.mark.parametrize("skew_ms", [-120.0, 0.0, 37.0, 180.0])
def test_marks_tell_how_much_later_the_sound_is(skew_ms: float) -> None:
    skew = skew_of(marked(skew_ms))
    assert len(skew.skew_ms) >= 55
    assert np.median(skew.skew_ms) == pytest.approx(skew_ms, abs=3)


def test_drift_is_the_slope_of_the_skew() -> None:
    assert skew_of(marked(20.0)).drift_ms_per_h == pytest.approx(0, abs=120)
    skew = skew_of(marked(20.0, drift_ms_a_mark=1.0))
    assert skew.drift_ms_per_h == pytest.approx(3600, abs=200)
    assert 0 <= skew.error_ms_per_h < 200
    assert len(skew.after(30.0).at_s) < len(skew.at_s)


def test_without_marks_there_is_no_skew() -> None:
    assert len(skew_of(trace([], [])).skew_ms) == 0


def test_the_browsers_own_skew_is_the_pictures_time_less_the_sounds() -> None:
    stats = tuple(
        (1e3 * second + (0.1 if kind == "video" else 0.0), {"kind": kind, "estimatedPlayoutTimestamp": at})
        for second in range(5)
        for kind, at in (("audio", 9e3 + 1e3 * second), ("video", 9025.0 + 1e3 * second))
    )
    assert playout_skew_ms(trace([], [], stats=stats)).tolist() == [25.0] * 5


def test_frames_are_counted_and_freezes_found() -> None:
    at_ms = np.concatenate([np.arange(0, 10_000, 40.0), np.arange(10_300, 20_000, 40.0)])
    seen = pictures_of(trace([], [], frames=shown(at_ms)))
    assert seen.freezes == 1
    assert seen.longest_ms == pytest.approx(340)
    assert seen.fps == pytest.approx(24.6, abs=0.1)
    assert seen.widths == (512,)
    assert len(seen.second_fps) == 16


def test_a_page_without_a_picture_has_no_frames() -> None:
    seen = trace([], [], said=((100.0, 0.0, "opening", {}),))
    assert pictures_of(seen).fps == 0.0
    assert first_frame_ms(seen) == float("inf")


def test_the_first_frame_counts_from_the_wish_to_talk() -> None:
    seen = trace([], [], frames=shown(np.array([700.0, 740.0])), said=((100.0, 0.0, "opening", {}),))
    assert first_frame_ms(seen) == 600.0


def test_invented_sound_is_counted_but_silence_is_not() -> None:
    first = {"kind": "audio", "concealedSamples": 960, "silentConcealedSamples": 960}
    last = {
        "kind": "audio",
        "concealedSamples": 960 + 4800,
        "silentConcealedSamples": 960 + 2400,
        "totalSamplesReceived": 480_000,
        "jitterBufferDelay": 50_000,
        "jitterBufferEmittedCount": 1_000_000,
    }
    gaps = audio_gaps(trace([], [], stats=((0.0, first), (10_000.0, last))))
    assert gaps == {"concealed_ms": 50.0, "share": 0.005, "buffer_ms": 50.0}


def test_what_the_page_sent_is_joined() -> None:
    import base64

    kept = base64.b64encode(np.arange(6, dtype="<f4").tobytes()).decode()
    part = {
        "rate": 48_000,
        "sound": [[1.0, kept]],
        "frames": [[1, 2, 3, 4, 5, 6, 512]],
        "clocks": [[0, 1, 2, 3]],
        "said": [[5, 0.5, "state", {"state": "listening"}]],
        "stats": [],
        "output_ms": [30, 32],
    }
    joined = trace_of([part, part])
    assert joined.local.tolist() == [0, 3, 0, 3]
    assert joined.mark.tolist() == [2, 5, 2, 5]
    assert joined.sound_s[1] - joined.sound_s[0] == pytest.approx(128 / 48_000)
    assert joined.output_ms == 31.0
    assert joined.of("state")[0][2] == {"state": "listening"}


def test_a_page_that_heard_nothing_says_what_it_told() -> None:
    part = {"rate": 48_000, "sound": [], "frames": [], "clocks": [], "stats": [], "output_ms": []}
    with pytest.raises(ValueError, match="mic_refused"):
        trace_of([{**part, "said": [[1, 0, "microphone", {"code": "mic_refused"}]]}])
