"""A real Chromium with a recorded voice as its microphone, and what it saw and heard."""

from __future__ import annotations

import base64
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from evals.figure import NotHere
from evals.live_server import LiveServer

COLLECT_S = 5.0
"""How often what the page recorded is fetched, so that it need not keep much."""
QUANTUM = 128
"""Samples of one value of the probe."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


class NoBrowser(NotHere):
    """There is nothing to browse with; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What the page recorded. Times of sound are seconds of its one AudioContext, unless told otherwise.

    Attributes:
        sound_s: when each block of 128 samples began, float64[n].
        local: loudness of the microphone, RMS, float32[n].
        remote: loudness of the assistant, float32[n].
        mark: loudness of the marks' tone in it, float32[n].
        frames: float64[m, 7]: callback, expected display, presentation and receive time (ms of the page's
            clock), RTP time, lightness of the mark (-1: not looked at) and width.
        clocks: float64[k, 4]: context time (s) and page time (ms) of what is played now; of what is made now.
        said: (page time in ms, context time in s, kind, detail) of every event.
        stats: (page time in ms, inbound-rtp report), once a second for each kind.
        output_ms: the output's latency as the browser gives it, median.
        rate: of the AudioContext, Hz.
    """

    sound_s: NDArray[np.float64]
    local: NDArray[np.float32]
    remote: NDArray[np.float32]
    mark: NDArray[np.float32]
    frames: NDArray[np.float64]
    clocks: NDArray[np.float64]
    said: tuple[tuple[float, float, str, dict[str, Any]], ...]
    stats: tuple[tuple[float, dict[str, Any]], ...]
    output_ms: float
    rate: float

    def of(self, kind: str) -> list[tuple[float, float, dict[str, Any]]]:
        """The events of a kind: page time (ms), context time (s), detail."""
        return [(ms, s, detail) for ms, s, told, detail in self.said if told == kind]


def trace_of(parts: list[dict[str, Any]]) -> Trace:
    """Join what was fetched from the page.

    Raises:
        ValueError: nothing was recorded; the page's messages are in the error.
    """
    rate = float(parts[-1]["rate"]) if parts else 0.0
    starts, values = list[NDArray[np.float64]](), list[NDArray[np.float32]]()
    for part in parts:
        for at, text in part["sound"]:
            kept = np.frombuffer(base64.b64decode(text), "<f4").reshape(-1, 3)
            starts.append(at + np.arange(len(kept)) * QUANTUM / rate)
            values.append(kept)
    said = tuple((ms, s, kind, detail) for part in parts for ms, s, kind, detail in part["said"])
    if not values:
        raise ValueError(f"the page recorded no sound; it told: {[one[2:] for one in said][-10:]}")
    sound = np.concatenate(values)
    frames = [frame for part in parts for frame in part["frames"]]
    clocks = [clock for part in parts for clock in part["clocks"]]
    output = [ms for part in parts for ms in part["output_ms"]]
    return Trace(
        np.concatenate(starts),
        sound[:, 0],
        sound[:, 1],
        sound[:, 2],
        np.array(frames, np.float64).reshape(-1, 7),
        np.array(clocks, np.float64).reshape(-1, 4),
        said,
        tuple((ms, report) for part in parts for ms, report in part["stats"]),
        float(np.median(output)) if output else 0.0,
        rate,
    )


def browser_path() -> str:
    """Where Chromium is.

    Raises:
        NoBrowser: it is not installed.
    """
    named = os.environ.get("VISAVIS_CHROMIUM", "")
    found = named or next((path for name in BROWSERS if (path := shutil.which(name))), "")
    if not found:
        raise NoBrowser("no Chromium is installed; install it, or name it in VISAVIS_CHROMIUM")
    return found


def converse(
    server: LiveServer,
    microphone: Path,
    seconds: float,
    *,
    marks: bool = False,
    hold_ms: Mapping[str, float] | None = None,
    told: Callable[[str], None] = lambda _: None,
    picture: Path | None = None,
) -> Trace:
    """Open the bench's page and let it converse.

    Args:
        server: running.
        microphone: wav, played once from the moment the microphone is opened.
        seconds: how long.
        marks: look for the server's marks.
        hold_ms: "audio" and "video" → how long the browser is asked to hold what came, at least.
        told: called with how far it is.
        picture: where to write how the page looks at the end.

    Raises:
        NoBrowser: there is none, or no playwright to drive it.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise NoBrowser("playwright is not installed: pip install 'visavis[dev]'") from error

    flags = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}%noloop",
        "--autoplay-policy=no-user-gesture-required",
        "--no-sandbox",
    ]
    parts = list[dict[str, Any]]()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path(), args=flags)
        try:
            context = browser.new_context(bypass_csp=True, viewport={"width": 640, "height": 560})
            page = context.new_page()
            complaints = list[str]()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            asked = {f"{kind}_ms": str(ms) for kind, ms in (hold_ms or {}).items()}
            page.goto(f"{server.address}/bench?{urlencode(asked | ({'marks': '1'} if marks else {}))}")
            page.wait_for_function("globalThis.take !== undefined", timeout=20_000)
            began = time.monotonic()
            while (passed := time.monotonic() - began) < seconds:
                page.wait_for_timeout(1e3 * min(COLLECT_S, seconds - passed))
                parts.append(page.evaluate("take()"))
                told(f"{min(passed + COLLECT_S, seconds):.0f} of {seconds:.0f} s")
                if complaints:
                    raise RuntimeError(f"the page failed: {complaints[0]}")
            if picture is not None:
                page.screenshot(path=picture)
            page.evaluate("live.end()")
        finally:
            browser.close()
    return trace_of(parts)
