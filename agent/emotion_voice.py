"""What a voice tells of feeling: pitch, loudness, pace and pauses, against the visitor's own manner.

Louder, higher, livelier and quicker than usual speaks for anger, joy, surprise or fear; quieter, lower,
flatter and slower for sadness (Banse and Scherer 1996; Juslin and Laukka 2003). A voice alone hardly tells
anger from joy: words do. How well this tells feelings was not measured on felt speech, of which none is at
hand; it is therefore weak evidence beside words, and hardly any in the first turn of a voice.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import median

import numpy as np
from numpy.typing import NDArray

from agent.sentence import Emotion
from moderation.feelings import FEELINGS
from speech.timeline import Pcm

RATE_HZ = 16_000
HOP = 160
"""10 ms, in samples."""
WINDOW = 640
"""40 ms: three periods of the lowest voice."""
SLOWED = 4
"""Pitch is looked for at 4 kHz: nothing of it lies above half of that."""
SPECTRUM = 512
"""Of a window at 4 kHz, padded for the longest lag."""
HIGHEST_PARTIAL_HZ = 900.0
"""What lies above tells vowels, not pitch."""
LOWEST_HZ, HIGHEST_HZ = 70.0, 450.0
VOICED = 0.5
"""Normalised autocorrelation from which on a frame is a voice's."""
STEADY = 1.5
"""Semitones within which both neighbours of a voiced frame lie: a voice glides, mistakes jump."""
FEWEST_VOICED = 0.15
"""Of the frames that are heard: noise has fewer."""
LONGEST_S = 20.0
"""Of a turn: what was said last tells how it is felt now."""
SHORTEST_S = 0.4
"""Of voiced sound: less tells nothing."""
QUIET_DB = 25.0
"""Frames so far below the loudest are pauses."""
TURNS = 12
"""Of a visitor that tell how they usually speak: robust medians over them."""
FIRST = 0.1
"""Confidence in a first turn."""


@dataclass(frozen=True, slots=True)
class VoiceFeatures:
    """How one turn was spoken."""

    pitch: float
    """Median, in semitones above 100 Hz."""
    pitch_range: float
    """Semitones between the 10th and the 90th percentile."""
    loudness: float
    """dB of the median voiced frame, full scale being 0."""
    pace: float
    """Syllables a second of speech, without pauses."""
    pauses: float
    """Share of the time between first and last sound that is silent."""
    voiced_s: float
    """Seconds in which there was a pitch."""


@dataclass(frozen=True, slots=True)
class VoiceFeeling:
    """What a voice tells."""

    arousal: float
    """-1 weary … 1 agitated."""
    confidence: float
    """0..1: grows with the turns and with how long was spoken."""
    evidence: tuple[float, ...] = (0.0,) * len(FEELINGS)
    """Added to the logit of each label, confidence included."""

    @property
    def emotion(self) -> Emotion:
        """What the voice alone would be taken for; neutral where that is nothing much."""
        strongest = max(self.evidence)
        label = FEELINGS[self.evidence.index(strongest)] if strongest >= TELLING else "neutral"
        scores = {
            each: round(1 / (1 + math.exp(-one)), 4)
            for each, one in zip(FEELINGS, self.evidence, strict=True)
        }
        return Emotion(label, round(min(abs(self.arousal), 1.0) * self.confidence, 3), scores)


SPREAD = {"pitch": 2.5, "pitch_range": 3.0, "loudness": 4.0, "pace": 1.2, "pauses": 0.15}
"""How much each varies from turn to turn of one calm visitor, in its own unit."""
AROUSAL = {"pitch": 0.35, "pitch_range": 0.2, "loudness": 0.3, "pace": 0.15, "pauses": -0.1}
"""Share of each in arousal."""
EVIDENCE: dict[str, dict[str, float]] = {
    "neutral": {},
    "joy": {"pitch": 0.35, "pitch_range": 0.4, "loudness": 0.15, "pace": 0.1},
    "sadness": {"pitch": -0.3, "pitch_range": -0.3, "loudness": -0.3, "pace": -0.3, "pauses": 0.2},
    "anger": {"pitch": 0.3, "pitch_range": 0.2, "loudness": 0.45, "pace": 0.15},
    "fear": {"pitch": 0.5, "pitch_range": -0.15, "pace": 0.3, "loudness": -0.05},
    "surprise": {"pitch": 0.35, "pitch_range": 0.5, "pauses": 0.0},
    "disgust": {"pitch": -0.15, "pace": -0.2},
}
"""Weight of each measure's distance from the visitor's manner, in spreads, for a label's logit."""
TELLING = 0.4
"""Evidence for a label from which a voice alone tells it."""
MOST_EVIDENCE = 1.2
"""Of one label: a voice may decide between two readings of the words, not overrule clear ones."""


def voice_features(pcm: Pcm, text: str = "") -> VoiceFeatures | None:
    """Measure how one turn was spoken; to be called off the event loop (about 10 ms for 10 s).

    Args:
        pcm: mono float32[n] at 16 kHz.
        text: what was said, for the pace; without it the pace comes from the sound's swells.

    Returns:
        None where too little voice is in it.
    """
    sound = np.nan_to_num(np.asarray(pcm, np.float32)[-int(LONGEST_S * RATE_HZ) :])
    if len(sound) < WINDOW:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    level = 10 * np.log10(np.einsum("nk,nk->n", frames, frames) / WINDOW + 1e-10)
    heard = level > max(float(level.max()) - QUIET_DB, -60.0)
    if heard.sum() * HOP / RATE_HZ < SHORTEST_S:
        return None
    pitch = _pitch(sound, heard)
    semitones = 12 * np.log2(np.maximum(pitch, 1.0) / 100.0)
    voiced = (pitch > 0) & _steady(semitones)
    voiced_s = float(voiced.sum() * HOP / RATE_HZ)
    if voiced_s < SHORTEST_S or voiced.mean() < FEWEST_VOICED:
        return None
    low, middle, high = np.percentile(semitones[voiced], (10, 50, 90))
    places = np.flatnonzero(heard)
    whole = int(places[-1] - places[0] + 1)
    spoken_s = len(places) * HOP / RATE_HZ
    count = syllables(text) if text else _swells(level, heard)
    return VoiceFeatures(
        float(middle),
        float(high - low),
        float(np.median(level[heard][voiced])),
        min(count / spoken_s, 12.0),
        1.0 - len(places) / whole,
        voiced_s,
    )


def _pitch(sound: Pcm, heard: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the pitch of each frame that is heard, in Hz; 0 where there is none.

    The first high peak of the normalised autocorrelation, its place refined by a parabola.
    """
    rate, width = RATE_HZ // SLOWED, WINDOW // SLOWED
    box = np.ones(SLOWED, np.float32) / SLOWED
    slow = np.convolve(np.convolve(sound, box, "same"), box, "same")[::SLOWED].astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(slow, width)[:: HOP // SLOWED]
    frames = frames[: len(heard)][heard[: len(frames)]]
    window = np.hanning(width).astype(np.float32)
    spectrum = np.fft.rfft((frames - frames.mean(axis=1, keepdims=True)) * window, SPECTRUM, axis=1)
    spectrum[:, int(HIGHEST_PARTIAL_HZ / rate * SPECTRUM) :] = 0
    likeness = np.fft.irfft(np.square(np.abs(spectrum)), SPECTRUM, axis=1)
    own = np.fft.irfft(np.square(np.abs(np.fft.rfft(window, SPECTRUM))), SPECTRUM)
    shortest, longest = int(rate / HIGHEST_HZ), int(rate / LOWEST_HZ) + 1
    span = likeness[:, : longest + 2] / np.maximum(likeness[:, :1], 1e-9) / (own / own[0])[: longest + 2]
    inner = span[:, 1:-1]
    peaks = (inner >= span[:, :-2]) & (inner > span[:, 2:])
    peaks[:, : shortest - 1] = False
    best = np.where(peaks, inner, -1.0).max(axis=1)
    # an octave too low is the usual mistake: the first peak that is nearly as high as the best counts
    first = (peaks & (inner >= 0.9 * best[:, None])).argmax(axis=1) + 1
    rows = np.arange(len(span))
    left, top, right = span[rows, first - 1], span[rows, first], span[rows, first + 1]
    bend = left - 2 * top + right
    shift = np.where(np.abs(bend) > 1e-9, 0.5 * (left - right) / np.where(bend == 0, 1, bend), 0.0)
    return np.where(best >= VOICED, rate / (first + np.clip(shift, -0.5, 0.5)), 0.0)


def _steady(semitones: NDArray[np.float64]) -> NDArray[np.bool_]:
    jumps = np.abs(np.diff(semitones, prepend=-99.0, append=-99.0)) > STEADY
    return ~(jumps[:-1] | jumps[1:])


def _swells(level: NDArray[np.float32], heard: NDArray[np.bool_]) -> int:
    """Count syllables by the swells of loudness."""
    smooth = np.convolve(level, np.hanning(9) / np.hanning(9).sum(), "same")
    peaks = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:]) & heard[1:-1]
    count, valley, last = 0, -np.inf, -np.inf
    for place in range(len(smooth)):
        valley = min(valley, smooth[place]) if count else smooth[place]
        if 0 < place < len(smooth) - 1 and peaks[place - 1] and (not count or smooth[place] - valley > 2.0):
            count, valley, last = count + 1, smooth[place], smooth[place]
    return count if last > -np.inf else 0


def syllables(text: str) -> int:
    """Return about how many syllables a text has: Chinese characters, and groups of vowels."""
    words = re.findall(r"[a-z']+", text.lower())
    english = sum(
        max(1, len(re.findall(r"[aeiouy]+", word)) - (word.endswith("e") and not word.endswith("le")))
        for word in words
    )
    return english + len(re.findall(r"[\u3400-\u9fff]", text)) + 2 * len(re.findall(r"\d", text))


def voice_feeling(features: VoiceFeatures | None, before: Sequence[VoiceFeatures]) -> VoiceFeeling | None:
    """Tell what a turn's voice means beside how the visitor usually speaks.

    Args:
        features: of the turn.
        before: of the visitor's turns before it, at most the latest `TURNS` count. With none there is nothing
            to compare with: what is unusual of anybody tells a little, with little confidence.

    Returns:
        None where nothing was measured.
    """
    if features is None:
        return None
    if not before:
        return compared(features, POPULATION, confidence=FIRST)
    lately = before[-TURNS:]
    usual = VoiceFeatures(*(median(getattr(one, part.name) for one in lately) for part in fields(features)))
    sure = min(len(lately) / 3.0, 1.0) * min(features.voiced_s / 1.5, 1.0)
    return compared(features, usual, confidence=sure)


POPULATION = VoiceFeatures(
    pitch=math.nan, pitch_range=9.0, loudness=math.nan, pace=5.0, pauses=0.2, voiced_s=2.0
)
"""How people speak; NaN: nothing can be said of it, as men, women and microphones differ too much."""


def compared(features: VoiceFeatures, usual: VoiceFeatures, *, confidence: float) -> VoiceFeeling:
    """Tell what a turn means that was spoken otherwise than usual.

    Args:
        features: of the turn.
        usual: of the visitor, or of people.
        confidence: 0..1, how well `usual` is known.
    """
    far: dict[str, float] = {}
    for name, spread in SPREAD.items():
        distance = (getattr(features, name) - getattr(usual, name)) / spread
        far[name] = float(np.clip(np.nan_to_num(distance), -3.0, 3.0))
    arousal = float(np.tanh(sum(share * far[name] for name, share in AROUSAL.items())))
    evidence = [
        sum(weight * _beyond(far[name]) for name, weight in EVIDENCE[label].items()) for label in FEELINGS
    ]
    evidence[0] = -0.5 * max(evidence)  # the more the voice moves, the less it is neutral
    bounded = tuple(
        round(float(np.clip(confidence * one, -MOST_EVIDENCE, MOST_EVIDENCE)), 4) for one in evidence
    )
    return VoiceFeeling(round(arousal, 3), round(confidence, 3), bounded)


def _beyond(distance: float) -> float:
    """Return how far a measure is beyond what varies anyway."""
    return float(np.sign(distance) * max(abs(distance) - 0.7, 0.0))
