"""Mouth movement from timed phonemes: dominance functions after Cohen and Massaro (1993)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import BLENDSHAPE_INDEX
from avatar.pose import ARKIT_BLENDSHAPES
from avatar.style import Style
from avatar.viseme import BILABIALS, VOWELS, WEAK_SOUNDS, visemes_of, weights_of_sound
from speech.timeline import Phoneme

F32 = NDArray[np.float32]

LIPS_BEFORE_S, LIPS_AFTER_S = 0.055, 0.045
"""Time constants of the lips toward a sound and away from it: it is felt about 100 ms ahead."""
JAW_BEFORE_S, JAW_AFTER_S = 0.085, 0.080
"""The jaw is heavier."""
CORE = 0.25
"""Share of a sound's length on each side of its middle where its shape is held."""
CLOSING_S = 0.052
"""Lips need this long to close for /p b m/ and to open again."""
HOLD_S = 0.024
"""Half of the closed time: longer than half a frame at 25 frames/s, so that one frame always shows it."""
CONTACT = {"ou": 0.50, "TH": 0.75, "FF": 0.94}
"""Sounds whose shape must be seen, however short they are, and how much of it: round lips, the tongue
between the teeth, teeth on the lip."""
CONTACT_S = 0.070
"""Time in which such a shape comes and goes."""
SHORT_BILABIAL_S = 0.060
"""Below this length lips narrow to `SHORT_CLOSURE` instead of closing."""
SHORT_CLOSURE = 0.85
PAUSE_S = 0.12
"""A pause of this length closes the mouth; shorter ones are passed over."""
REST_S = 0.10
"""Time to close into a pause and to prepare the first sound after it."""
KEPT_ROUNDING = 0.6
"""Share of the rounding that stays in a closure between rounded vowels, as in "zoom" or "both"."""
CLOSED_JAW = 0.10
"""Most that the jaw stays open behind closed lips."""
BLOCK = 256
"""Frames computed at once: bounds memory for long speeches."""
REACH_S = 0.7
"""Sounds farther away than this have no influence."""

# strength of each viseme over lips and jaw: rounding and closure resist their neighbours, /k h n/ give way
_LIPS = {
    "sil": 1.0, "PP": 1.2, "FF": 2.2, "TH": 1.4, "DD": 0.7, "kk": 0.4, "CH": 2.0, "SS": 1.0,
    "nn": 0.6, "RR": 1.0, "aa": 1.1, "E": 1.0, "ih": 1.0, "oh": 1.6, "ou": 2.2,
}  # fmt: skip
_JAW = {
    "sil": 1.0, "PP": 0.8, "FF": 1.2, "TH": 1.0, "DD": 0.8, "kk": 0.5, "CH": 1.2, "SS": 1.6,
    "nn": 0.7, "RR": 0.7, "aa": 1.6, "E": 1.2, "ih": 1.0, "oh": 1.4, "ou": 1.1,
}  # fmt: skip
_PUCKER = BLENDSHAPE_INDEX["mouthPucker"]
_JAW_SHAPES = [BLENDSHAPE_INDEX["jawOpen"]]
_OPEN_SHAPES = [
    BLENDSHAPE_INDEX[n]
    for n in ("mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight")
]
_SPREAD_SHAPES, _ROUND_SHAPES = (
    [i for i, name in enumerate(ARKIT_BLENDSHAPES) if name.startswith(prefixes)]
    for prefixes in (("mouthSmile", "mouthStretch"), ("mouthPucker", "mouthFunnel"))
)


def _vector(viseme: str, sound: str = "") -> F32:
    out = np.zeros(len(ARKIT_BLENDSHAPES), np.float32)
    for name, weight in weights_of_sound(viseme, sound).items():
        out[BLENDSHAPE_INDEX[name]] = weight
    return out


_CLOSED = _vector("PP")
_PLAIN = Style()


@dataclass(frozen=True, slots=True)
class _Sounds:
    """Phonemes as arrays, diphthongs split into their two shapes."""

    start: F32
    end: F32
    target: F32
    lips: F32
    jaw: F32
    closure: F32
    """1 where the lips must close, `SHORT_CLOSURE` where they must nearly close, 0 elsewhere."""
    contact: dict[str, F32]
    """Viseme of `CONTACT` → how surely each sound must show it, 0 for the others."""


def mouth_track(
    phonemes: Sequence[Phoneme], times: F32, gain: F32 | float = 1.0, style: Style = _PLAIN
) -> tuple[F32, F32]:
    """Mouth shapes over time, computed for all frames at once.

    Args:
        phonemes: IPA with start and end in seconds, in order.
        times: float[n], the seconds to look at, ascending.
        gain: float[n] or one number, how wide the mouth opens (1: as in the viseme table).
        style: manner of articulation; closures are the same in every manner.

    Returns:
        Weights float32[n, 52] in [0, 1], and float32[n] in [0, 1]: how firmly /p b m/ close the lips.
    """
    times = np.asarray(times, np.float32)
    gains = np.broadcast_to(np.asarray(gain, np.float32), times.shape)
    weights = np.zeros((len(times), len(ARKIT_BLENDSHAPES)), np.float32)
    closure = np.zeros(len(times), np.float32)
    sounds = _sounds(phonemes, style)
    if sounds is None:
        return weights, closure
    active = _activity(phonemes, times)
    for first in range(0, len(times), BLOCK):
        part = slice(first, first + BLOCK)
        t = times[part]
        near = (sounds.end > t[0] - REACH_S) & (sounds.start < t[-1] + REACH_S)
        if near.any():
            weights[part], closure[part] = _blend(sounds, near, t, gains[part], style.reach)
    return np.clip(weights * active[:, None], 0, 1), closure * (active > 0)


def _blend(s: _Sounds, near: NDArray[np.bool_], t: F32, gain: F32, reach: float) -> tuple[F32, F32]:
    middle, half = (s.start[near] + s.end[near]) / 2, (s.end[near] - s.start[near]) * CORE
    away = t[:, None] - middle[None]
    outside = np.maximum(np.abs(away) - half, 0)
    before = away < 0
    lips = s.lips[near] * np.exp(-outside / np.where(before, reach * LIPS_BEFORE_S, reach * LIPS_AFTER_S))
    jaw = s.jaw[near] * np.exp(-outside / np.where(before, reach * JAW_BEFORE_S, reach * JAW_AFTER_S))
    target = s.target[near]
    weights = (lips @ target) / (lips.sum(1, keepdims=True) + 1e-6)
    weights[:, _JAW_SHAPES] = (jaw @ target[:, _JAW_SHAPES]) / (jaw.sum(1, keepdims=True) + 1e-6)
    weights[:, _JAW_SHAPES] *= gain[:, None]
    weights[:, _OPEN_SHAPES] *= (0.5 + 0.5 * gain)[:, None]
    far = np.maximum(np.abs(away) - np.maximum(HOLD_S, half * 0.5), 0)
    reached = _ramp(1 - far / CONTACT_S)
    for surely in s.contact.values():
        grip = reached * surely[near]
        strongest = grip.argmax(axis=1)
        share = np.take_along_axis(grip, strongest[:, None], axis=1)
        weights += (_round(target[strongest], weights) - weights) * share
    # /p b m/: whatever the neighbours want, the lips meet in the middle of the sound
    closure = np.max(_ramp(1 - far / CLOSING_S) * s.closure[near], axis=1, initial=0.0)
    closed = _round(_CLOSED, weights)
    kept = np.minimum(weights[:, _JAW_SHAPES], CLOSED_JAW)
    closed[:, _JAW_SHAPES] = kept
    closed[:, BLENDSHAPE_INDEX["mouthClose"]] += kept[:, 0]
    return np.asarray(weights + (closed - weights) * closure[:, None], np.float32), closure.astype(np.float32)


def _ramp(x: F32) -> F32:
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)


def _round(target: F32, weights: F32) -> F32:
    """The target float32[n, 52], as far rounded as the neighbours leave it: lips close and round at once."""
    out = np.broadcast_to(target, weights.shape).copy()
    out[:, _PUCKER] = np.maximum(out[:, _PUCKER], KEPT_ROUNDING * weights[:, _PUCKER])
    return out


def _sounds(phonemes: Sequence[Phoneme], style: Style) -> _Sounds | None:
    rows: list[tuple[float, float, float, float, float]] = []
    targets: list[F32] = []
    contacts: list[tuple[str, float]] = []
    for phoneme in phonemes:
        pairs = visemes_of(phoneme.symbol)
        length = phoneme.end_s - phoneme.start_s
        if length <= 0:
            continue
        # a diphthong stays on its first vowel a little longer than on its glide
        cuts = np.linspace(0, 1, len(pairs) + 1) if len(pairs) != 2 else np.array([0, 0.55, 1])
        for i, (viseme, sound) in enumerate(pairs):
            vowel, weak = viseme in VOWELS, sound in WEAK_SOUNDS
            size = (0.88 + 0.11 * phoneme.stress) * (0.6 if weak else 1.0) if vowel else 1.0
            grip = 0.35 if weak else 1.0
            surely = 1.0 if length > SHORT_BILABIAL_S else SHORT_CLOSURE
            start, end = phoneme.start_s + length * cuts[i], phoneme.start_s + length * cuts[i + 1]
            closes = surely if sound in BILABIALS else 0.0
            rows.append((start, end, _LIPS[viseme] * grip, _JAW[viseme] * grip, closes))
            targets.append(_styled(_vector(viseme, sound) * size, style))
            contacts.append((viseme, surely * CONTACT.get(viseme, 0.0)))
    if not rows:
        return None
    table = np.array(rows, np.float32)
    contact = {
        name: np.array([surely if viseme == name else 0.0 for viseme, surely in contacts], np.float32)
        for name in CONTACT
        if any(viseme == name for viseme, _ in contacts)
    }
    start, end, lips, jaw, closure = table.T
    return _Sounds(start, end, np.stack(targets), lips, jaw, closure, contact)


def _styled(target: F32, style: Style) -> F32:
    out = target.copy()
    out[_JAW_SHAPES] *= style.opening
    out[_OPEN_SHAPES] *= 0.5 + 0.5 * style.opening
    out[_SPREAD_SHAPES] *= style.spread
    out[_ROUND_SHAPES] *= style.rounding
    return np.minimum(out, 1.0)


def _activity(phonemes: Sequence[Phoneme], times: F32) -> F32:
    """1 while speaking, 0 in pauses and outside the speech, with soft edges."""
    spans: list[list[float]] = []
    for phoneme in phonemes:
        if visemes_of(phoneme.symbol)[0][0] == "sil":
            continue
        if spans and phoneme.start_s - spans[-1][1] < PAUSE_S:
            spans[-1][1] = phoneme.end_s
        else:
            spans.append([phoneme.start_s, phoneme.end_s])
    activity = np.zeros(len(times), np.float32)
    for i, (start, end) in enumerate(spans):
        room = start - spans[i - 1][1] if i else 1.0
        after = spans[i + 1][0] - end if i + 1 < len(spans) else 1.0
        # in a short pause closing and preparing share the time, so that the mouth does close between them
        lead, trail = min(REST_S, room * 0.4), min(REST_S, after * 0.4)
        rise = np.clip((times - (start - lead)) / lead, 0, 1)
        fall = np.clip(((end + trail) - times) / trail, 0, 1)
        ramp = np.minimum(rise, fall)
        activity = np.maximum(activity, ramp * ramp * (3 - 2 * ramp))
    return activity.astype(np.float32)


def loudness_gain(pcm: F32, sample_rate: int, times: F32) -> F32:
    """How wide the mouth opens at `times`, float32[n] 0.75 to 1.15: the level in 60 ms windows."""
    if len(pcm) == 0:
        return np.ones(len(times), np.float32)
    window = max(1, int(0.060 * sample_rate))
    energy = np.concatenate([[0.0], np.cumsum(np.asarray(pcm, np.float64) ** 2)])
    middle = (np.asarray(times) * sample_rate).astype(int)
    low, high = np.clip(middle - window // 2, 0, len(pcm)), np.clip(middle + window // 2, 0, len(pcm))
    level = np.sqrt(np.maximum(energy[high] - energy[low], 0) / np.maximum(high - low, 1))
    loud = float(np.percentile(level, 90)) if len(level) else 0.0
    if not np.isfinite(loud) or loud < 1e-5:
        return np.ones(len(times), np.float32)
    return np.asarray(0.75 + 0.40 * np.clip(level / loud, 0, 1), np.float32)
