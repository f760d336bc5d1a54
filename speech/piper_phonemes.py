"""Piper's code points and their lengths → onsets of IPA segments."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

from speech.articulation import PAUSE, Onset
from speech.mnemonics import is_vowel
from speech.timeline import Pcm

_STRESS = {"ˈ": 2, "ˌ": 1}
_BOUNDS = frozenset("^$_")
_PAUSES = frozenset(".,;:!?…—-–\"'()«»。，；：！？、“”‘’")
_LENGTHENED = "ː"

_JOINED = {"tʃ": "tʃ", "dʒ": "dʒ", "tɕ": "tɕ", "dʑ": "dʑ"}
"""What Piper spells with two code points and the lips make in one movement."""

_JOINED_ZH = {
    "ts.h": "ʈʂʰ", "ts.": "ʈʂ", "tsh": "tsʰ", "ts": "ts", "tɕh": "tɕʰ", "tɕ": "tɕ", "s.": "ʂ", "z.": "ʐ",
    "ph": "pʰ", "th": "tʰ", "kh": "kʰ", "nɡ": "ŋ", "i.": "ɨ", "χ": "x",
}  # fmt: skip
"""espeak-ng's makeshift Mandarin IPA, which Piper's Chinese voices were trained on."""

_LONGEST_JOIN = 4

_WEIGHTS = {"vowel": 1.4, "long vowel": 2.0, "consonant": 0.8, "pause": 1.5, "mark": 0.3}
"""Relative lengths where a voice does not tell its own: a vowel is about 110 ms, a consonant 65."""

_SILENT_BELOW = 0.02
"""Share of the loudest 10 ms frame's amplitude under which the edges of a sentence are silence."""


def sentence_onsets(
    points: Sequence[str],
    lengths: Sequence[int] | None,
    pcm: Pcm,
    sample_rate: int,
    start_s: float,
    language: str,
) -> list[Onset]:
    """Place one sentence's sounds on the timeline.

    Args:
        points: Piper's phonemes, one IPA code point each, with stress and length marks among them.
        lengths: samples of each; None spreads them over the voiced part of `pcm` by their class.
        pcm: float32[n], the sentence.
        sample_rate: Hz.
        start_s: when the sentence begins.
        language: ISO 639-1 of the voice.

    Returns:
        Onsets in time order, the last a pause at the sentence's end.
    """
    spread, first_sample = (lengths, 0) if lengths is not None else _by_class(points, pcm, sample_rate)
    # Rounding may leave the lengths a little off the sound they describe.
    scale = len(pcm) / total if lengths is not None and (total := sum(spread)) else 1.0
    joins = _JOINED_ZH if language == "zh" else _JOINED
    onsets: list[Onset] = []
    position = float(first_sample)
    stress = 0
    pending_s: float | None = None  # a stress mark's time belongs to the sound that follows
    index = 0
    while index < len(points):
        symbol, count = _next(points, index, joins)
        begin_s = start_s + position * scale / sample_rate
        position += float(sum(spread[index : index + count]))
        index += count
        if symbol in _STRESS:
            stress = _STRESS[symbol]
            pending_s = begin_s if pending_s is None else pending_s
        elif symbol in _BOUNDS or symbol in _PAUSES:
            onsets.append(Onset(PAUSE, begin_s))
        elif _is_mark(symbol):
            continue  # it prolongs or colours the sound before
        else:
            vowel = is_vowel(symbol)
            onsets.append(Onset(symbol, begin_s if pending_s is None else pending_s, stress if vowel else 0))
            pending_s = None
            stress = 0 if vowel else stress
    onsets.append(Onset(PAUSE, start_s + len(pcm) / sample_rate))
    return onsets


def _next(points: Sequence[str], index: int, joins: dict[str, str]) -> tuple[str, int]:
    for count in range(min(_LONGEST_JOIN, len(points) - index), 0, -1):
        written = "".join(points[index : index + count])
        if written in joins:
            return joins[written], count
    return points[index], 1


def _is_mark(symbol: str) -> bool:
    """Whether a code point is no sound of its own: space, length, aspiration, tone, nasality."""
    return not symbol.strip() or all(
        unicodedata.category(character) in {"Lm", "Mn", "Sk", "Nd", "Zs"} for character in symbol
    )


def _by_class(points: Sequence[str], pcm: Pcm, sample_rate: int) -> tuple[list[int], int]:
    """Lengths in samples by kind of sound, and the first voiced sample."""
    weights: list[float] = []
    for index, point in enumerate(points):
        if point in _BOUNDS:
            weights.append(0.0)
        elif point in _PAUSES:
            # What ends the sentence is silence beyond the voiced part.
            weights.append(_WEIGHTS["pause"] if any(p.isalpha() for p in points[index + 1 :]) else 0.0)
        elif point in _STRESS or _is_mark(point):
            weights.append(0.0 if point in _STRESS else _WEIGHTS["mark"])
        elif is_vowel(point):
            long = index + 1 < len(points) and points[index + 1] == _LENGTHENED
            weights.append(_WEIGHTS["long vowel" if long else "vowel"])
        else:
            weights.append(_WEIGHTS["consonant"])
    first, last = _voiced(pcm, sample_rate)
    total = sum(weights) or 1.0
    edges = np.cumsum([0.0, *weights]) / total * (last - first)
    return [int(b) - int(a) for a, b in zip(edges[:-1], edges[1:], strict=True)], first


def _voiced(pcm: Pcm, sample_rate: int) -> tuple[int, int]:
    """First and last sample of the part that is not silent."""
    hop = max(1, sample_rate // 100)
    count = len(pcm) // hop
    if count == 0:
        return 0, len(pcm)
    loudness = np.abs(pcm[: count * hop]).reshape(count, hop).max(axis=1)
    loud = np.flatnonzero(loudness > _SILENT_BELOW * float(loudness.max()))
    if not len(loud):
        return 0, len(pcm)
    return int(loud[0]) * hop, min(len(pcm), (int(loud[-1]) + 1) * hop)
