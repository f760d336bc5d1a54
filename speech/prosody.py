"""Emotion → how a voice moves: rate, pitch, range and volume."""

from __future__ import annotations

from dataclasses import dataclass

from speech.errors import SpeechError


@dataclass(frozen=True, slots=True)
class Prosody:
    """A manner of speaking, relative to the voice's own."""

    rate: float = 1.0
    """Times the voice's own speed."""
    pitch: float = 0.0
    """Semitones above the voice's own pitch."""
    range: float = 1.0
    """Times the voice's own pitch movement."""
    volume_db: float = 0.0
    """Decibels above the voice's own level."""

    @property
    def gain(self) -> float:
        """`volume_db` as a factor on samples."""
        return float(10.0 ** (self.volume_db / 20.0))


EMOTIONS: dict[str, Prosody] = {
    "neutral": Prosody(),
    "happy": Prosody(rate=1.08, pitch=1.8, range=1.5, volume_db=1.0),
    "empathetic": Prosody(rate=0.93, pitch=-0.7, range=0.9, volume_db=-1.5),
    "apologetic": Prosody(rate=0.91, pitch=-1.2, range=0.8, volume_db=-2.0),
    "concerned": Prosody(rate=0.95, pitch=-0.4, range=1.1, volume_db=-0.5),
    "surprised": Prosody(rate=1.05, pitch=2.8, range=1.7, volume_db=1.5),
    "thinking": Prosody(rate=0.87, pitch=-0.5, range=0.75, volume_db=-1.0),
}
"""At full intensity. Kept within what sounds like one person: a fifth slower to a tenth faster, a quarter of
an octave up and a semitone down."""

ESPEAK_RATE_WPM = 165
"""Words a minute of a calm telephone agent; espeak-ng's own 175 sounds hurried."""

ESPEAK_PITCH = 50
"""espeak-ng's own middle of 0..100."""

ESPEAK_RANGE = 50
"""espeak-ng's own middle of 0..100."""

_ESPEAK_PITCH_STEPS_PER_SEMITONE = 4.2
"""Measured with en-us: from 50 to 62 the median pitch rises from 98 to 116 Hz, 2.9 semitones."""


SLOWEST, FASTEST = 0.75, 1.2
"""Times the voice's own speed, emotion and pace together: beyond them speech sounds put on, or is missed."""


def prosody(emotion: str, intensity: float = 1.0, pace: float = 1.0) -> Prosody:
    """How a voice sounds in an emotion.

    Args:
        emotion: a key of `EMOTIONS`.
        intensity: 0 (the voice as it is) to 1; values outside are clipped.
        pace: factor on the emotion's speed; together they stay within `SLOWEST` and `FASTEST`.

    Raises:
        SpeechError: there is no such emotion.
    """
    if emotion not in EMOTIONS:
        raise SpeechError(f"there is no emotion {emotion!r}; use one of {', '.join(EMOTIONS)}")
    full = EMOTIONS[emotion]
    strength = min(max(intensity, 0.0), 1.0)
    return Prosody(
        rate=min(max((1.0 + (full.rate - 1.0) * strength) * pace, SLOWEST), FASTEST),
        pitch=full.pitch * strength,
        range=1.0 + (full.range - 1.0) * strength,
        volume_db=full.volume_db * strength,
    )


@dataclass(frozen=True, slots=True)
class EspeakSettings:
    """The three numbers that espeak-ng takes; loudness is set on the samples instead."""

    rate: int
    """Words a minute, 80 to 450."""
    pitch: int
    """0 to 99."""
    range: int
    """0 to 100."""


def espeak_settings(
    manner: Prosody, *, rate: int = ESPEAK_RATE_WPM, pitch: int = ESPEAK_PITCH
) -> EspeakSettings:
    """Translate a manner of speaking for an espeak-ng voice with this speed and pitch of its own."""
    return EspeakSettings(
        rate=_clip(rate * manner.rate, 80, 450),
        pitch=_clip(pitch + manner.pitch * _ESPEAK_PITCH_STEPS_PER_SEMITONE, 0, 99),
        range=_clip(ESPEAK_RANGE * manner.range, 0, 100),
    )


@dataclass(frozen=True, slots=True)
class PiperSettings:
    """What a Piper voice can vary: it has no pitch, so liveliness comes from its noise."""

    length_scale: float
    """Times the voice's own length."""
    noise_scale: float
    """Variation of the sound, times the voice's own."""
    noise_w_scale: float
    """Variation of the rhythm, times the voice's own."""


def piper_settings(manner: Prosody) -> PiperSettings:
    """Translate a manner of speaking for a Piper voice, as factors on the voice's configuration."""
    # Half of the range's change: beyond about 1.4 times its own noise a voice begins to slur.
    liveliness = 1.0 + (manner.range - 1.0) * 0.5
    return PiperSettings(length_scale=1.0 / manner.rate, noise_scale=liveliness, noise_w_scale=liveliness)


def _clip(value: float, low: int, high: int) -> int:
    return int(min(max(round(value), low), high))
