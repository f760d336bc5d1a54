"""The figures of the live conversation for `visavis bench live`, measured at the visitor's end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from evals.figure import Figure, NotHere
from evals.live_runs import LiveRuns, percentile
from evals.live_skew import playout_skew_ms
from evals.live_trace import Answer, audio_gaps, first_frame_ms, pictures_of

SLOPE_MARKS = 600
"""Ten minutes: browsers' buffers move sound and picture by 30 ms to and fro, which in less is a slope."""
SETTLED_S = 30.0
"""Browsers bring sound and picture together slowly; by then they have."""


def live_sound_ms_p50(live: LiveRuns) -> Figure:
    """Question's last sound at the microphone to the reply's first at the loudspeaker."""
    return _sound(live, 50)


def live_sound_ms_p95(live: LiveRuns) -> Figure:
    """Question's last sound at the microphone to the reply's first at the loudspeaker."""
    return _sound(live, 95)


def live_turn_end_ms_p50(live: LiveRuns) -> Figure:
    """The server's part of it: until the turn was over, and until the first sound left."""
    answers = _answers(live)
    told = [one.server_ms for one in answers if "first_sound" in one.server_ms]
    ends = [one["turn_end"] for one in told]
    sounds = [one["first_sound"] for one in told]
    note = f"first sound sent {percentile(sounds, 50):.0f}, p95 {percentile(sounds, 95):.0f}; {_spread(ends)}"
    return Figure(_rounded(percentile(ends, 50)), "ms", len(ends), note)


def interrupt_ms_p50(live: LiveRuns) -> Figure:
    """Interruption's first sound to the reply's last at the loudspeaker."""
    return _interrupt(live, 50)


def interrupt_ms_p95(live: LiveRuns) -> Figure:
    """Interruption's first sound to the reply's last at the loudspeaker."""
    return _interrupt(live, 95)


def av_skew_ms_p95(live: LiveRuns) -> Figure:
    """Size of the difference between a mark's click and its picture."""
    skew = live.skew
    if not len(skew.skew_ms):
        raise NotHere("no mark was seen and heard: the machine was too busy")
    late = skew.skew_ms[skew.at_s > skew.at_s[0] + SETTLED_S]
    own = playout_skew_ms(live.marked)
    note = (
        f"sound minus picture: median {np.median(skew.skew_ms):+.0f}, p5 {percentile(skew.skew_ms, 5):+.0f}, "
        f"p95 {percentile(skew.skew_ms, 95):+.0f}; after {SETTLED_S:.0f} s {_range(late)}; the browser's own "
        f"estimate {_range(own)}"
    )
    return Figure(_rounded(percentile(np.abs(skew.skew_ms), 95)), "ms", len(skew.skew_ms), note)


def av_drift_ms_per_h(live: LiveRuns) -> Figure:
    """Slope of sound against picture, once the browser has settled."""
    skew = live.skew
    settled = skew.after(SETTLED_S)
    if len(settled.at_s) < SLOPE_MARKS:
        raise NotHere(
            f"too short for a slope, give --runs 11 or more; it is {settled.drift_ms_per_h:.0f} ms/h"
        )
    minutes = (settled.at_s[-1] - settled.at_s[0]) / 60
    note = f"over {minutes:.1f} minutes; the error is {settled.error_ms_per_h:.0f}"
    return Figure(_rounded(settled.drift_ms_per_h), "ms/h", len(settled.at_s), note)


def live_fps(live: LiveRuns) -> Figure:
    """Frames a second that the browser showed."""
    seen = pictures_of(live.trace)
    p5 = percentile(seen.second_fps, 5)
    note = f"worst second {seen.second_fps.min():.0f}, p5 {p5:.0f}; widths {seen.widths}"
    return Figure(_rounded(seen.fps), "frames/s", len(seen.second_fps), note)


def live_freezes(live: LiveRuns) -> Figure:
    """Gaps of more than 200 ms between frames."""
    seen = pictures_of(live.trace)
    note = f"in {len(seen.second_fps) / 60:.1f} minutes; the longest gap {seen.longest_ms:.0f} ms"
    return Figure(float(seen.freezes), "freezes", len(seen.second_fps), note)


def live_concealed_ms(live: LiveRuns) -> Figure:
    """Sound that the browser had to invent."""
    trace = live.trace
    gaps = audio_gaps(trace)
    if not gaps:
        raise NotHere("the sound did not come over WebRTC")
    minutes = (trace.sound_s[-1] - trace.sound_s[0]) / 60
    buffer = f"jitter buffer {gaps['buffer_ms']:.0f} ms, output latency {trace.output_ms:.0f} ms"
    note = f"in {minutes:.1f} minutes; {buffer}"
    return Figure(_rounded(gaps["concealed_ms"]), "ms", 1, note)


def live_first_frame_ms(live: LiveRuns) -> Figure:
    """The page's wish to talk to its first picture."""
    return Figure(_rounded(first_frame_ms(live.trace)), "ms", 1, "session, microphone, WebSocket and WebRTC")


def live_sessions_24fps(live: LiveRuns) -> Figure:
    """Visitors who talk at once, each with 24 frames a second and unbroken sound; one process."""
    held = [one.sessions for one in live.load if one.holds]
    each = "; ".join(
        f"{one.sessions}: {min(c.fps for c in one.clients):.1f} frames/s at worst, "
        f"{sum(c.gaps for c in one.clients)} gaps in the sound, "
        f"{'/'.join(str(w) for w in sorted({w for c in one.clients for w in c.widths}))} px, "
        f"{sum(c.turns for c in one.clients)} replies"
        for one in live.load
    )
    return Figure(
        float(max(held, default=0)), "sessions", len(live.load), f"{each}; clients on the same machine"
    )


def cpu_per_session(live: LiveRuns) -> Figure:
    """Processor time of one talking visitor on the server."""
    held = [one for one in live.load if one.holds] or live.load[:1]
    load = held[-1]
    where = ", ".join(
        f"{what} {100 * share / load.sessions:.1f}"
        for what, share in sorted(load.cpu.items(), key=lambda item: -item[1])
    )
    others = 100 * load.clients_cpu / load.sessions
    note = f"of one core, with {load.sessions}: {where}; the clients {others:.1f}"
    return Figure(_rounded(100 * load.cpu_per_session), "%", load.sessions, note)


LIVE_FIGURES: dict[str, Callable[[LiveRuns], Figure]] = {
    function.__name__: function
    for function in (
        live_sound_ms_p50,
        live_sound_ms_p95,
        live_turn_end_ms_p50,
        interrupt_ms_p50,
        interrupt_ms_p95,
        live_fps,
        live_freezes,
        live_concealed_ms,
        live_first_frame_ms,
        av_skew_ms_p95,
        av_drift_ms_per_h,
        live_sessions_24fps,
        cpu_per_session,
    )
}


def _answers(live: LiveRuns) -> tuple[Answer, ...]:
    answers = live.talk.answers
    if not answers:
        raise NotHere("nothing was answered in time")
    return answers


def _sound(live: LiveRuns, share: float) -> Figure:
    answers, talk = _answers(live), live.talk
    values = [one.sound_ms for one in answers]
    quiet = [one.sound_ms for one in answers if not one.over]
    note = (
        f"p99 {percentile(values, 99):.0f}, {_spread(values)}; {len(quiet)} asked in silence: "
        f"p50 {percentile(quiet, 50):.0f}, p95 {percentile(quiet, 95):.0f}, the others over a reply"
    )
    missed = {"not heard": talk.lost, "without an answer": talk.unanswered, "answered too early": talk.cut}
    note += "".join(f"; {len(those)} {what}" for what, those in missed.items() if those)
    return Figure(_rounded(percentile(values, share)), "ms", len(values), note)


def _interrupt(live: LiveRuns, share: float) -> Figure:
    talk = live.talk
    if not talk.breaks:
        raise NotHere("nothing was said over a reply")
    values = [one.silence_ms for one in talk.breaks]
    again = sum(one.resumed_ms is not None for one in talk.breaks)
    note = f"{_spread(values)}; in {again} the old reply sounded again while the visitor spoke"
    return Figure(_rounded(percentile(values, share)), "ms", len(values), note)


def _spread(values: Sequence[float]) -> str:
    return f"{min(values):.0f} to {max(values):.0f}" if values else "none"


def _range(values: NDArray[np.float64]) -> str:
    if not len(values):
        return "none"
    return f"{percentile(values, 5):+.0f} to {percentile(values, 95):+.0f}"


def _rounded(value: float) -> float:
    return round(value, 1)
