"""When sounds begin → the gapless timeline of phonemes that drives the lips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from speech.timeline import Pcm, Phoneme

PAUSE = ""
"""The symbol of a pause on the timeline."""

SHORTEST_PAUSE_S = 0.03
"""A shorter silence between two sounds is the seam of syllables: it belongs to the sound before."""

_CLOSING = frozenset("pbtdkɡcɟqɢʈɖʔ")
"""First letters of stops and affricates, which begin with the mouth or throat shut."""

_CLOSURE_MAX_S = 0.11
"""Longest silence before a release that is still one closure."""

_CLOSURE_AFTER_PAUSE_S = 0.07
"""How long before its release a stop after a pause is shut: the usual hold of a stop at normal speed."""

_CLOSURE_DEPTH_DB = 14.0
"""How far below the sound before the closure is: voiced closures and fading vowels stay above."""

_KEPT_SHARE = 0.4
"""A closure leaves at least this share of its time to the sound before."""

_HOP_S = 0.005


@dataclass(frozen=True, slots=True)
class Onset:
    """A sound and when it begins; it ends where the next begins."""

    symbol: str
    """IPA without stress marks, or `PAUSE`."""
    start_s: float
    stress: int = 0


def phonemes(onsets: Sequence[Onset], duration_s: float) -> tuple[Phoneme, ...]:
    """Lay sounds end to end from 0 to `duration_s`.

    What begins before the one in front of it is moved behind it, what has no length is left out, pauses
    join, and seams shorter than `SHORTEST_PAUSE_S` close.
    """
    starts: list[Onset] = [] if onsets and onsets[0].start_s <= 0.0 else [Onset(PAUSE, 0.0)]
    time_s = 0.0
    for onset in onsets:
        time_s = min(max(time_s, onset.start_s), duration_s)
        starts.append(replace(onset, start_s=time_s))
    ends = [*(onset.start_s for onset in starts[1:]), duration_s]
    laid: list[Phoneme] = []
    for index, (onset, end_s) in enumerate(zip(starts, ends, strict=True)):
        length_s = end_s - onset.start_s
        if length_s <= 0.0:
            continue
        before = laid[-1] if laid else None
        seam = onset.symbol == PAUSE and length_s < SHORTEST_PAUSE_S and index < len(starts) - 1
        if before is not None and (seam or (onset.symbol == PAUSE and before.symbol == PAUSE)):
            laid[-1] = replace(before, end_s=end_s)
        else:
            laid.append(Phoneme(onset.symbol, onset.start_s, end_s, onset.stress))
    return tuple(laid)


def with_closures(onsets: Sequence[Onset], pcm: Pcm, sample_rate: int) -> list[Onset]:
    """Begin each stop with the silence in front of its release.

    espeak-ng reports a voiceless stop when it bursts; the silence of the shut mouth before it counts as the
    end of the sound before. For lips that is too late: at the burst they already part. The silence is
    looked for in the samples, so that the stop spans closure and release.

    Args:
        onsets: in time order; a diphthong must still be one sound, named by its first segment.
        pcm: float32[n], the sound they belong to.
        sample_rate: Hz.

    Returns:
        As many onsets, stops begun earlier.
    """
    closed = list(onsets)
    for index, stop in enumerate(closed):
        if stop.symbol[:1] not in _CLOSING:
            continue
        before = closed[index - 1] if index else Onset(PAUSE, 0.0)
        if before.symbol == PAUSE:
            hold_s = min(_CLOSURE_AFTER_PAUSE_S, stop.start_s - before.start_s)
        else:
            hold_s = _closure_s(before.start_s, stop.start_s, pcm, sample_rate)
        if hold_s > 0.0:
            closed[index] = replace(stop, start_s=stop.start_s - hold_s)
    return closed


def _closure_s(start_s: float, end_s: float, pcm: Pcm, sample_rate: int) -> float:
    """How long the end of a sound is silent, compared with its own loudest part, in seconds."""
    hop = max(1, int(_HOP_S * sample_rate))
    end = min(int(end_s * sample_rate), len(pcm))
    count = (end - int(start_s * sample_rate)) // hop
    if count < 2:
        return 0.0
    frames = pcm[end - count * hop : end].astype(np.float64)
    power = (frames.reshape(count, hop) ** 2).mean(axis=1)
    level_db = 10.0 * np.log10(power + 1e-12)
    silent = level_db < level_db.max() - _CLOSURE_DEPTH_DB
    run = int(np.argmin(silent[::-1]))
    return float(min(run * hop / sample_rate, _CLOSURE_MAX_S, (1.0 - _KEPT_SHARE) * (end_s - start_s)))
