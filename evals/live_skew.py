"""Sound against picture in a browser's trace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evals.live_browser import Trace
from evals.live_trace import Floats, spans

MARK_LEVEL = 0.12
"""Of the mark's tone; a voice has a tenth of it there."""
MARK_LIGHT = 128
MARK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Skew:
    """Sound against picture."""

    at_s: Floats
    """When, in page time."""
    skew_ms: Floats
    """How much later the sound leaves the loudspeaker than the picture is shown, by the browser's own account
    of both."""

    def after(self, seconds: float) -> Skew:
        """Without the first so many seconds."""
        kept = self.at_s > self.at_s[0] + seconds if len(self.at_s) else np.zeros(0, bool)
        return Skew(self.at_s[kept], self.skew_ms[kept])

    @property
    def drift_ms_per_h(self) -> float:
        """Slope of the skew, by the median of slopes between the first and the second half (Theil, Sen)."""
        return float(np.median(self._slopes())) if len(self.at_s) >= 10 else float("nan")

    @property
    def error_ms_per_h(self) -> float:
        """Standard error of that, from the slopes' quartiles."""
        slopes = self._slopes()
        if len(slopes) < 5:
            return float("nan")
        low, high = np.percentile(slopes, [25, 75])
        return float(1.25 * (high - low) / 1.35 / np.sqrt(len(slopes)))

    def _slopes(self) -> Floats:
        half = len(self.at_s) // 2
        rise = self.skew_ms[half : 2 * half] - self.skew_ms[:half]
        return 3600.0 * rise / (self.at_s[half : 2 * half] - self.at_s[:half])


def skew_of(trace: Trace) -> Skew:
    """Hold each mark's picture against its click."""
    light = trace.frames[:, 5] > MARK_LIGHT
    rises = np.flatnonzero(light[1:] & ~light[:-1]) + 1
    shown_ms = trace.frames[rises, 1]
    clicks = spans(trace.sound_s, trace.mark, MARK_LEVEL, 0.2)[:, 0]
    if not len(trace.clocks) or not len(clicks) or not len(shown_ms):
        return Skew(np.zeros(0), np.zeros(0))
    # the page's time at which a context time is played: the output's own account, smooth over its jitter
    offset_ms = np.interp(clicks, trace.clocks[:, 0], trace.clocks[:, 1] - 1e3 * trace.clocks[:, 0])
    heard_ms = 1e3 * clicks + offset_ms
    nearest = np.argmin(np.abs(heard_ms[None, :] - shown_ms[:, None]), axis=1)
    skew_ms = heard_ms[nearest] - shown_ms
    near = np.abs(skew_ms) < 1e3 * MARK_EVERY_S / 2
    return Skew(shown_ms[near] / 1e3, skew_ms[near])


def playout_skew_ms(trace: Trace) -> Floats:
    """Sound against picture as WebRTC itself estimates it, once a second; positive: the sound is later."""
    found: dict[float, dict[str, float]] = {}
    for ms, report in trace.stats:
        if report.get("estimatedPlayoutTimestamp"):
            found.setdefault(round(ms / 100), {})[report["kind"]] = report["estimatedPlayoutTimestamp"]
    both = [one["video"] - one["audio"] for one in found.values() if len(one) == 2]
    return np.array(both, np.float64)
