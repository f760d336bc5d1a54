"""What a browser's trace says: latency, interruption, frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evals.live_browser import Trace
from evals.live_script import Said

LOCAL_RMS = 0.012
"""Loudness from which the microphone's sound is somebody speaking: 30 dB above the room."""
REMOTE_RMS = 0.002
"""Loudness from which the assistant is heard; between sentences its line is silent."""
LOCAL_HANG_S = 0.5
"""Pauses up to here lie within an utterance: recordings have none longer."""
REMOTE_HANG_S = 0.06
"""Pauses from here on part the assistant's sounds."""
SILENCE_S = 0.8
"""Silence that lasts so long ends a reply; between its sentences there is half a second."""
TURN_GAP_S = 0.2
"""Silence between the replies of two turns at least: the second one's words had to be understood first."""
AHEAD_S = 0.4
"""A sentence is announced so long before its sound at most: browsers hold sound back to smooth it."""
FIND_S = 1.5
"""How far an utterance may lie from where the recording says, for a browser that stumbled as it began."""
LONGEST_S = 8.0
"""A first sound later than this answers nothing any more."""
FREEZE_MS = 200.0

Floats = NDArray[np.float64]
Spans = NDArray[np.float64]
"""float64[n, 2]: begin and end in seconds."""


def spans(times_s: Floats, level: NDArray[np.float32], least: float, hang_s: float) -> Spans:
    """Where it is loud; pauses up to `hang_s` are bridged.

    Args:
        times_s: when each block begins, evenly spaced but for gaps.
        level: its loudness.
        least: loudness that counts.
        hang_s: longest pause within a span.
    """
    loud = np.flatnonzero(level > least)
    if not len(loud):
        return np.zeros((0, 2))
    block_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    begins, ends = times_s[loud], times_s[loud] + block_s
    breaks = np.flatnonzero(begins[1:] - ends[:-1] > hang_s)
    return np.stack([begins[np.r_[0, breaks + 1]], ends[np.r_[breaks, len(loud) - 1]]], axis=1)


@dataclass(frozen=True, slots=True)
class Answer:
    """One utterance and when its answer was heard."""

    said: Said
    sound_ms: float
    """From its last sound at the microphone to the reply's first on its way to the loudspeaker."""
    over: bool
    """Whether it was spoken over an earlier reply."""
    server_ms: dict[str, float] = field(default_factory=dict)
    """The server's own times for the same turn."""


@dataclass(frozen=True, slots=True)
class Break:
    """One utterance over a reply, and when there was silence."""

    said: Said
    silence_ms: float
    """From its first sound to the reply's last."""
    resumed_ms: float | None
    """From there until the old reply went on while the visitor still spoke, None where it did not."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What came of a recording's utterances."""

    answers: tuple[Answer, ...]
    breaks: tuple[Break, ...]
    lost: tuple[str, ...]
    """Utterances that were not found at the microphone: the browser stumbled."""
    unanswered: tuple[str, ...]
    """Utterances after which nothing was said in time."""
    cut: tuple[str, ...]
    """Utterances that were answered before they were over."""
    shift_s: float = 0.0
    """How much later the browser's clock is than the recording's."""


def talk_of(trace: Trace, said: Sequence[Said]) -> Talk:
    """Find every utterance at the microphone, and what the loudspeaker did about it."""
    local = spans(trace.sound_s, trace.local, LOCAL_RMS, LOCAL_HANG_S)
    remote = spans(trace.sound_s, trace.remote, REMOTE_RMS, REMOTE_HANG_S)
    shift_s = _shift(local, said)
    starts = _starts(trace)
    answers, breaks = list[Answer](), list[Break]()
    lost, unanswered, cut = list[str](), list[str](), list[str]()
    for number, one in enumerate(said):
        span = _found(local, one, shift_s)
        if span is None:
            lost.append(one.text)
            continue
        begin, end = span
        until = said[number + 1].start_s + shift_s if number + 1 < len(said) else np.inf
        broken = _broken(remote, one, begin, end, starts)
        if broken is not None:
            breaks.append(broken)
            silent_s = begin + broken.silence_ms / 1e3
        else:
            silent_s = begin
        within = (remote[:, 0] > silent_s) & (remote[:, 0] < end)
        if silent_s > end or within.any():
            cut.append(one.text)
            continue
        after = remote[(remote[:, 0] >= end) & (remote[:, 0] < min(until, end + LONGEST_S)), 0]
        if not len(after):
            unanswered.append(one.text)
            continue
        sound_s = float(after[0])
        server_ms = _timings(trace, sound_s)
        answers.append(Answer(one, 1e3 * (sound_s - end), broken is not None, server_ms))
    return Talk(tuple(answers), tuple(breaks), tuple(lost), tuple(unanswered), tuple(cut), shift_s)


def _shift(local: Spans, said: Sequence[Said]) -> float:
    """How much later the browser's clock is than the recording's."""
    if not len(local) or not said:
        return 0.0
    shifts = [local[np.argmin(np.abs(local[:, 0] - one.start_s)), 0] - one.start_s for one in said]
    return float(np.median(shifts))


def _found(local: Spans, one: Said, shift_s: float) -> tuple[float, float] | None:
    near = np.abs(local[:, 0] - one.start_s - shift_s) < FIND_S
    if not near.any():
        return None
    begin, end = local[np.flatnonzero(near)[0]]
    length_s = one.end_s - one.start_s
    # a stumble of the browser tears an utterance apart: then nothing can be said of its end
    return (float(begin), float(end)) if abs(end - begin - length_s) < max(0.3, 0.15 * length_s) else None


def _starts(trace: Trace) -> Floats:
    """When each turn's first sentence was announced."""
    first: dict[int, float] = {}
    for _, s, detail in trace.of("sentence"):
        first.setdefault(detail["turn"], s)
    return np.array(sorted(first.values()), np.float64)


def _broken(remote: Spans, one: Said, begin: float, end: float, starts: Floats) -> Break | None:
    """When the reply that was being said fell silent; None where nothing was being said."""
    if not len(remote):
        return None
    # pauses between words belong to what is being said, unless another turn's reply follows them
    after, before = remote[1:, 0], remote[:-1, 1]
    anew = ((starts > before[:, None] - AHEAD_S) & (starts < after[:, None])).any(axis=1)
    breaks = np.flatnonzero((after - before >= SILENCE_S) | (anew & (after - before >= TURN_GAP_S)))
    begins, ends = remote[np.r_[0, breaks + 1], 0], remote[np.r_[breaks, len(remote) - 1], 1]
    saying = np.flatnonzero((begins < begin) & (ends > begin))
    if not len(saying):
        return None
    silent_s = float(ends[saying[0]])
    again = remote[(remote[:, 0] > silent_s) & (remote[:, 0] < end), 0]
    return Break(one, 1e3 * (silent_s - begin), 1e3 * float(again[0] - silent_s) if len(again) else None)


def _timings(trace: Trace, first_s: float) -> dict[str, float]:
    """The server's times of the turn whose first sentence was announced next to a sound."""
    turns = {d["turn"]: d["timings_ms"] for _, _, d in trace.of("turn")}
    near = [(abs(s - first_s), d["turn"]) for _, s, d in trace.of("sentence")]
    if not near or min(near)[0] > 1.0:
        return {}
    return dict(turns.get(min(near)[1], {}))


@dataclass(frozen=True, slots=True)
class Pictures:
    """How the picture moved."""

    fps: float
    """Over the whole."""
    second_fps: Floats
    """Of each second."""
    freezes: int
    """Gaps between frames of more than 200 ms."""
    longest_ms: float
    widths: tuple[int, ...]
    """Widths that were sent, in pixels: a smaller one is a step down in quality."""


def pictures_of(trace: Trace, *, after_ms: float = 3000.0) -> Pictures:
    """Count the frames, from some time after the first one: the start is slow for its own reasons."""
    shown = trace.frames[:, 0]
    shown = shown[shown > shown[0] + after_ms] if len(shown) else shown
    if len(shown) < 2:
        return Pictures(0.0, np.zeros(0), 0, float("inf"), ())
    gaps = np.diff(shown)
    seconds = np.bincount(((shown - shown[0]) / 1e3).astype(int))[:-1].astype(np.float64)
    widths = tuple(sorted({int(width) for width in trace.frames[-len(shown) :, 6]}))
    return Pictures(
        1e3 * len(gaps) / float(shown[-1] - shown[0]),
        seconds,
        int(np.sum(gaps > FREEZE_MS)),
        float(gaps.max()),
        widths,
    )


def first_frame_ms(trace: Trace) -> float:
    """From the page's wish to talk to its first picture; infinite where there was none."""
    opening = trace.of("opening")
    return float(trace.frames[0, 0] - opening[0][0]) if len(trace.frames) and opening else float("inf")


def audio_gaps(trace: Trace) -> dict[str, float]:
    """What the browser had to invent of the assistant's sound while it was speaking.

    Returns:
        concealed_ms: of sound made up, silence left out; share: of all; buffer_ms: mean of the jitter buffer.
    """
    reports = [report for _, report in trace.stats if report["kind"] == "audio"]
    if not reports:
        return {}
    first, last = reports[0], reports[-1]

    def since(name: str) -> float:
        return float(last.get(name, 0) - first.get(name, 0))

    concealed = since("concealedSamples") - since("silentConcealedSamples")
    total, emitted = since("totalSamplesReceived"), since("jitterBufferEmittedCount")
    return {
        "concealed_ms": 1e3 * concealed / 48_000,
        "share": concealed / total if total else 0.0,
        "buffer_ms": 1e3 * since("jitterBufferDelay") / emitted if emitted else 0.0,
    }
