"""Manner of articulation: how far the mouth moves, by emotion, rate and loudness of the speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from avatar.viseme import visemes_of
from speech.timeline import Phoneme

USUAL_RATE = 12.5
"""Sounds a second of calm speech, pauses left out: what the viseme table was drawn for."""
SLOWEST, FASTEST = 0.7, 1.6
"""Rates beyond these, in units of the usual one, count as these."""
HURRY_OPENING, HURRY_REACH = 0.35, 0.30
"""How much of its opening a mouth loses, and how much farther sounds reach into each other, at twice the
usual rate: fast speech undershoots."""


@dataclass(frozen=True, slots=True)
class Style:
    """Factors on the mouth's movement; 1 is the viseme table as it stands."""

    opening: float = 1.0
    """On the jaw, and in half on the lips' parting."""
    spread: float = 1.0
    """On smile and stretch: the width of the mouth."""
    rounding: float = 1.0
    """On pucker and funnel."""
    reach: float = 1.0
    """On the time over which a sound is prepared and left: above 1 sounds run together."""


STYLES: dict[str, Style] = {
    "neutral": Style(),
    "happy": Style(opening=1.10, spread=1.35, rounding=0.92),
    "empathetic": Style(opening=0.90, spread=0.95, reach=1.08),
    "apologetic": Style(opening=0.80, spread=0.80, reach=1.10),
    "concerned": Style(opening=0.90, spread=0.85),
    "surprised": Style(opening=1.15, spread=1.0, rounding=1.08, reach=0.95),
    "thinking": Style(opening=0.84, spread=0.90, reach=1.12),
}
"""Emotion → manner at intensity 1: joy speaks wide, sorrow hardly opens its mouth."""


def style_of(emotion: str, intensity: float = 1.0, rate: float = 1.0) -> Style:
    """The manner of a speech.

    Args:
        emotion: one of the seven; an unknown one is neutral.
        intensity: 0..1.
        rate: speed in units of the usual one, see `rate_of`.
    """
    full, plain = STYLES.get(emotion, STYLES["neutral"]), STYLES["neutral"]
    strength = min(max(intensity, 0.0), 1.0)
    mixed = {
        f.name: getattr(plain, f.name) + (getattr(full, f.name) - getattr(plain, f.name)) * strength
        for f in fields(Style)
    }
    hurry = min(max(rate, SLOWEST), FASTEST) - 1.0
    mixed["opening"] *= 1.0 - HURRY_OPENING * hurry
    mixed["rounding"] *= 1.0 - 0.5 * HURRY_OPENING * max(hurry, 0.0)
    mixed["reach"] *= 1.0 + HURRY_REACH * hurry
    return Style(**mixed)


def rate_of(phonemes: Sequence[Phoneme]) -> float:
    """How fast a speech is, pauses left out: 1 is calm; 1 also where nothing is said."""
    sounds = [p for p in phonemes if p.end_s > p.start_s and visemes_of(p.symbol)[0][0] != "sil"]
    length_s = sum(p.end_s - p.start_s for p in sounds)
    return len(sounds) / length_s / USUAL_RATE if length_s > 0.2 else 1.0
