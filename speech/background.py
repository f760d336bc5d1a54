"""What is heard all the time, and what stands out from it: people who talk far away are no visitors."""

from __future__ import annotations

import numpy as np

from speech.timeline import Pcm

ABOVE_DB = 6.0
"""By so much a voice stands out; a visitor who is 5 dB louder than a babble is as good as ever heard."""
HEARD = 188
"""Windows of 32 ms by which the background is known: 6 s, longer than anybody speaks without a breath."""
FEWEST = 31
"""Windows from which it is known, a second; before, everything stands out."""
LOWEST = 10
"""Its level is what so many per cent of the windows do not reach: between two words even a fast speaker
lets it be heard for so long."""
OVER = 2
"""Windows over which a sound's level is taken: one alone may be a click."""
HELD = 9
"""Windows for which a sound stands out after it was loud: 0.3 s, over a soft ending or a closed mouth."""
SILENT = 1e-10
"""Power of what no microphone hears, -100 dBFS."""


class Background:
    """Follows the level of one stream's background; takes the same memory however long it lasts.

    Args:
        above_db: by so much a sound stands out, in dB; 0: everything does.
    """

    def __init__(self, above_db: float) -> None:
        self._above = 10 ** (above_db / 10) if above_db > 0 else 0.0
        self._powers = np.full(HEARD, np.inf)
        self._count = 0
        self._held = 0

    def stands_out(self, window: Pcm) -> bool:
        """Take the next window, float32[n]; tell whether it, or what was just before it, is in front."""
        if not self._above:
            return True
        self._powers[self._count % HEARD] = float(window @ window) / len(window) + SILENT
        self._count += 1
        if self._count < FEWEST:
            return True
        known = min(self._count, HEARD)
        place = known * LOWEST // 100
        floor = float(np.partition(self._powers[:known], place)[place])
        latest = sum(float(self._powers[(self._count - 1 - back) % HEARD]) for back in range(OVER)) / OVER
        self._held = HELD if latest > floor * self._above else max(self._held - 1, 0)
        return self._held > 0
