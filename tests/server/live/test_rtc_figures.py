"""Figures of a connection."""

from __future__ import annotations

import pytest
from aiortc.rtcrtpsender import RTT_ALPHA

from server.live.figures import newest_trip


def test_the_newest_round_trip_is_what_was_smoothed_in() -> None:
    assert newest_trip(None, None) is None
    assert newest_trip(None, 0.05) == 0.05
    smoothed = RTT_ALPHA * 0.05 + (1 - RTT_ALPHA) * 0.4
    assert newest_trip(0.05, smoothed) == pytest.approx(0.4)
    assert newest_trip(smoothed, smoothed) is None
    assert newest_trip(0.5, 0.1) == 0.0
