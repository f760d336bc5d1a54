"""The avatar's own voice in the microphone, known by its sound.

What was played is held against what is heard. Where a browser cannot cancel echoes, the loudspeaker reaches
the microphone weaker, later, and with a room's reverberation, but as the same wave. A visitor who speaks at
the same time makes it another one.
"""

from __future__ import annotations

import numpy as np

from agent.line import RATE_HZ as PLAYED_HZ
from agent.line import Sound
from speech.recognizer import RECOGNITION_RATE_HZ as HEARD_HZ
from speech.timeline import Pcm

HZ = 8_000
"""What both are compared at: voices are strongest below 4 kHz."""
LATEST_S = 1.0
"""An echo comes at most so much after its sound left: network, sound card, the room."""
COMPARED_S = 0.5
"""Of what is heard last: half a syllable more would be surer, but later."""
ALIKE = 0.6
"""Correlation from which it is an echo. Measured over 0.5 s: 0.73 and more with a room's reverberation; at
most 0.5 where a visitor is twice as loud as the echo, 0.3 where much louder."""
AUDIBLE = 1e-4
"""RMS below which nothing was played: no digital silence is compared."""
KEPT = round((LATEST_S + 2 * COMPARED_S) * HZ)


class OwnSound:
    """Remembers the last two seconds of what was played; used on the event loop."""

    def __init__(self) -> None:
        self._played: Pcm = np.zeros(KEPT, np.float32)
        self._until_s = float("-inf")
        self._audible_s = float("-inf")

    def played(self, pcm: Sound, now_s: float) -> None:
        """Take what leaves now, int16[n] at 48 kHz; to be told of silence, too."""
        step = PLAYED_HZ // HZ
        piece = pcm[: len(pcm) // step * step].reshape(-1, step).mean(axis=1).astype(np.float32) / 32768
        if len(piece) and float(np.sqrt(piece @ piece / len(piece))) > AUDIBLE:
            self._audible_s = now_s
        missed_s = min(max(now_s - self._until_s, 0.0), KEPT / HZ) if self._until_s > 0 else 0.0
        missed = round(missed_s * HZ) if missed_s > LATEST_S / 10 else 0
        self._played = np.concatenate([self._played, np.zeros(missed, np.float32), piece])[-KEPT:]
        self._until_s = now_s + len(piece) / HZ

    def is_all_of(self, heard: Pcm, now_s: float) -> bool:
        """Tell whether what was heard last is the avatar's own sound, and nobody else's.

        Args:
            heard: float32[n] at 16 kHz; its last `COMPARED_S` count.
            now_s: when its last sample arrived.
        """
        if now_s - self._audible_s > LATEST_S + COMPARED_S:
            return False
        step = HEARD_HZ // HZ
        latest = heard[-round(COMPARED_S * HEARD_HZ) :]
        mine = latest[: len(latest) // step * step].reshape(-1, step).mean(axis=1)
        since = max(round((self._until_s - now_s) * HZ), 0)
        played = self._played[: KEPT - since][-(len(mine) + round(LATEST_S * HZ)) :]
        return len(played) >= len(mine) > 0 and _correlation(mine, played) >= ALIKE


def _correlation(part: Pcm, whole: Pcm) -> float:
    """Return how alike a sound is to the place in another that is most like it, 0..1."""
    size = 1 << (len(part) + len(whole) - 1).bit_length()
    spectrum = np.fft.rfft(whole, size) * np.conj(np.fft.rfft(part, size))
    products = np.abs(np.fft.irfft(spectrum, size)[: len(whole) - len(part) + 1])
    sums = np.concatenate([[0.0], np.cumsum(whole.astype(np.float64) ** 2)])
    energies = np.maximum(sums[len(part) :] - sums[: -len(part)], 0.0)
    # Where next to nothing was played, rounding would be like anything.
    scale = np.sqrt(float(part @ part) * (energies + 1e-3 * float(energies.max()))) + 1e-9
    return float((products / scale).max())
