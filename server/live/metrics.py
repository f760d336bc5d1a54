"""What the operators see on /metrics: sessions, turns, where the time goes, errors by code."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agent.conversation_events import ConversationEvent, Notice, TurnEnded, VerdictGiven
from moderation.verdict import Verdict
from server.live.ports import NO_PORT
from server.live.protocol import Report

if TYPE_CHECKING:
    from server.live.rtc import PeerStats

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STAGES = ("turn_end", "transcript", "first_sentence", "first_sound", "first_frame", "browser_sound")
"""Since the last voiced sample, or since it was typed; the last is what the browser says it played."""
ASKED = ("spoken", "typed")
TYPED_S = 0.1
"""A turn that ended sooner was typed: to tell the end of speech takes twice that silence."""
RECENT = 1000
"""Turns that the quantiles look back on."""
QUANTILES = (0.5, 0.95, 0.99)
Recent = dict[tuple[str, str], deque[float]]
"""Stage and how it was asked → seconds of the recent turns."""
_SECONDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)


class Metrics:
    """The figures of one server, in a registry of their own."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody reads
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.sessions = Gauge("visavis_sessions", "Sessions now", ["desk"], registry=self.registry)
        self.waiting = Gauge("visavis_waiting", "Visitors in the queue", registry=self.registry)
        self.loop_lag = Gauge(
            "visavis_loop_lag_seconds", "How late the event loop ran lately, at worst", registry=self.registry
        )
        self.opened = Counter(
            "visavis_sessions_opened", "Sessions given out", ["desk"], registry=self.registry
        )
        self.ended = Counter(
            "visavis_sessions_ended", "Sessions ended", ["desk", "reason"], registry=self.registry
        )
        self.turns = Counter(
            "visavis_turns",
            "Turns by how they ended",
            ["desk", "outcome", "interrupted"],
            registry=self.registry,
        )
        self.chats = Counter(
            "visavis_chats", "Questions over HTTP", ["desk", "outcome"], registry=self.registry
        )
        self.verdicts = Counter(
            "visavis_verdicts",
            "What the guard decided",
            ["direction", "action", "category"],
            registry=self.registry,
        )
        self.engine_failures = Counter(
            "visavis_engine_failures",
            "Engines that did not judge",
            ["engine", "kind"],
            registry=self.registry,
        )
        self.notices = Counter("visavis_notices", "What went another way", ["code"], registry=self.registry)
        self.errors = Counter("visavis_errors", "Errors told to clients", ["code"], registry=self.registry)
        self.no_port = Counter(
            "visavis_udp_ports_taken", "Offers for which no UDP port was left", registry=self.registry
        )
        self.dropped = Counter(
            "visavis_sound_dropped_bytes",
            "Sound that came faster than it can be spoken",
            registry=self.registry,
        )
        self.latency = Histogram(
            "visavis_turn_latency_seconds",
            "From the end of a question to each stage",
            ["stage", "asked"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.interruption = Histogram(
            "visavis_browser_interruption_seconds",
            "From the visitor's first sound to silence, as browsers measured it",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.skew = Histogram(
            "visavis_browser_skew_seconds",
            "Sound minus picture, as browsers measured it",
            buckets=(-0.2, -0.1, -0.08, -0.06, -0.04, -0.02, 0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.2),
            registry=self.registry,
        )
        self.frames = Histogram(
            "visavis_browser_fps",
            "Frames a second, as browsers measured them",
            buckets=(5.0, 10.0, 15.0, 20.0, 22.0, 24.0, 24.5, 25.0, 25.5, 30.0),
            registry=self.registry,
        )
        self._recent: Recent = {(stage, asked): deque(maxlen=RECENT) for stage in STAGES for asked in ASKED}
        self.registry.register(_Quantiles(self._recent))

    def happened(self, desk: str, event: ConversationEvent) -> None:
        """Count what happened in a conversation."""
        if isinstance(event, TurnEnded):
            self.turns.labels(desk, event.outcome.value, str(event.interrupted).lower()).inc()
            asked = _asked(event)
            for stage, after_ms in event.timings_ms.items():
                if asked and stage in STAGES:
                    self.took(stage, asked, after_ms / 1e3)
        elif isinstance(event, VerdictGiven):
            self.judged(event.verdict)
        elif isinstance(event, Notice):
            self.notices.labels(event.code).inc()

    def judged(self, verdict: Verdict) -> None:
        """Count what the guard decided, and the engines that did not judge."""
        category = verdict.category or "none"
        self.verdicts.labels(verdict.direction.value, verdict.action.value, category).inc()
        for failed in verdict.failed:
            self.engine_failures.labels(*failed.split(".", 1)).inc()

    def failed(self, code: str) -> None:
        """Count an error that a client is told."""
        self.errors.labels(code).inc()
        if code == NO_PORT:
            self.no_port.inc()

    def no_ports(self) -> float:
        """Return how many offers found no UDP port."""
        return self.registry.get_sample_value("visavis_udp_ports_taken_total") or 0.0

    def reported(self, report: Report) -> None:
        """Count what a browser measured."""
        if report.first_sound_ms is not None:
            self.took("browser_sound", "spoken", report.first_sound_ms / 1e3)
        if report.interrupt_ms is not None:
            self.interruption.observe(report.interrupt_ms / 1e3)
        if report.skew_ms is not None:
            self.skew.observe(report.skew_ms / 1e3)
        if report.fps is not None:
            self.frames.observe(report.fps)

    def took(self, stage: str, asked: str, seconds: float) -> None:
        """Note how long one of the `STAGES` took after a question that was "spoken" or "typed"."""
        self.latency.labels(stage, asked).observe(seconds)
        self._recent[stage, asked].append(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)


class MediaFigures(Collector):
    """What the WebRTC connections carry now, all together.

    Args:
        connections: returns the figures of each.
    """

    def __init__(self, connections: Callable[[], list[PeerStats]]) -> None:
        self._connections = connections

    def collect(self) -> Iterable[Metric]:
        """Yield the figures."""
        live = [one for one in self._connections() if one.state == "connected"]
        steps = GaugeMetricFamily(
            "visavis_media_connections", "WebRTC connections, by quality of picture", labels=["step"]
        )
        for step in sorted({one.step for one in live}):
            steps.add_metric([step or "sound"], sum(one.step == step for one in live))
        yield steps
        bits = GaugeMetricFamily("visavis_media_bits_per_second", "Sent and received", labels=["what"])
        bits.add_metric(["sound"], sum(one.audio_bps for one in live))
        bits.add_metric(["picture"], sum(one.video_bps for one in live))
        bits.add_metric(["received"], sum(one.received_bps for one in live))
        yield bits
        if live:
            yield GaugeMetricFamily(
                "visavis_media_fps_least", "Pictures a second, the slowest", min(one.fps for one in live)
            )
            yield GaugeMetricFamily(
                "visavis_media_encode_seconds_most",
                "Time for a picture's encoding, the slowest",
                max(one.encode_ms for one in live) / 1e3,
            )
            yield GaugeMetricFamily(
                "visavis_media_lost_most", "Share of packets lost, the worst", max(one.lost for one in live)
            )


def _asked(event: TurnEnded) -> str:
    """How a turn's question came; "" where there was none, as with a greeting."""
    end_ms = event.timings_ms.get("turn_end")
    if end_ms is None or not event.question:
        return ""
    return "typed" if end_ms < TYPED_S * 1e3 else "spoken"


class _Quantiles(Collector):
    """Quantiles of the recent turns: what a histogram's buckets only bracket."""

    def __init__(self, recent: Recent) -> None:
        self._recent = recent

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(
            "visavis_turn_latency_recent_seconds",
            f"Quantiles of the last {RECENT} turns, by stage",
            labels=["stage", "asked", "quantile"],
        )
        for (stage, asked), values in self._recent.items():
            if values:
                for quantile, value in zip(QUANTILES, np.quantile(list(values), QUANTILES), strict=True):
                    family.add_metric([stage, asked, f"{quantile:g}"], float(value))
        yield family
