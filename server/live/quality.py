"""How good a picture the network and this machine can carry now; sound always comes first.

Two pure parts, fed once a second: `Bandwidth` says how many bits a second the video may use, from what
the receiver estimates, what was lost and what was really sent; `Ladder` chooses the picture's size and
rate from that and from how late the encoder was.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of the ladder.

    Attributes:
        name: as statistics show it.
        scale: of width and height, 0 to 1.
        every: send each n-th picture of the 25 a second; 0: a still, only when asked for a key frame.
        least_bps: video bits a second below which this rung looks worse than the next.
    """

    name: str
    scale: float
    every: int
    least_bps: int


STEPS = (
    Step("full", 1.0, 1, 300_000),
    Step("three-quarters", 0.75, 1, 200_000),
    Step("half", 0.5, 1, 110_000),
    Step("half-slow", 0.5, 2, 60_000),
    Step("half-slower", 0.5, 4, 40_000),
    Step("still", 0.5, 0, 0),
)
"""Best first. The rates are for 512x512; a talking face at 25 pictures a second still looks whole there."""

BASE_PIXELS = 512 * 512
"""What the rates of the rungs are for; larger pictures need more in proportion to pixels to the 0.75."""


@dataclass(frozen=True, slots=True)
class QualitySettings:
    """The numbers of both parts.

    Attributes:
        start_bps: video bits a second before anything is known.
        least_bps: never ask the encoder for less.
        most_bps: never ask for more: a talking face does not gain from it.
        binding: the receiver's estimate counts as a limit only below this many times what is sent: it never
            exceeds 1.5 times what arrives, so above that it says only that little was sent.
        lossy: share of packets lost above which the network is taken to be full (as in Google's congestion
            control, draft-ietf-rmcat-gcc); a fifth of it supports an estimate.
        swollen_ms: a round trip this much longer than the shortest of late means that a queue has built up.
        trips: how many seconds back the shortest round trip is looked for; a new way may be longer for good.
        retreat: share of what arrived that is used next, so that the network's queue empties.
        soft_retreat: the least share that an estimate can bring it to in a second.
        hard_retreat: the same where much is lost or the queue is three times as long.
        growth: a second without a limit raises the rate by this factor.
        creep: the same where the receiver's estimate stands against it, but nothing confirms that.
        late_share: share of the last second's pictures that came late at which the machine is too slow.
        sparse_share: the same where the next rung sends every other picture only: that is worse than to lose
            a few.
        hopeless_share: the same where the next rung is a still, which is for networks: a machine is hardly
            helped by it.
        down_after_s: seconds of trouble before a step down: two reports, so one hiccup does not count.
        up_after_s: seconds without trouble before a step up; doubles whenever a step up did not last.
        up_after_most_s: the longest such wait.
        headroom: a step up needs this many times its least rate.
    """

    start_bps: int = 330_000
    least_bps: int = 40_000
    most_bps: int = 1_500_000
    binding: float = 1.25
    lossy: float = 0.10
    swollen_ms: float = 60.0
    trips: int = 30
    retreat: float = 0.85
    soft_retreat: float = 0.7
    hard_retreat: float = 0.5
    growth: float = 1.08
    creep: float = 1.02
    late_share: float = 0.2
    sparse_share: float = 0.5
    hopeless_share: float = 0.9
    down_after_s: float = 2.0
    up_after_s: float = 8.0
    up_after_most_s: float = 120.0
    headroom: float = 1.3


DEFAULTS = QualitySettings()


@dataclass(slots=True)
class Bandwidth:
    """Estimates the video bits a second that may be sent.

    The receiver's estimate (REMB) alone is not believed: Chromium's begins at a fifth of what a free network
    carries, and falls when its own machine is busy. It is followed where loss or a growing round trip
    say the same.

    Attributes:
        settings: the numbers.
        allowed_bps: the estimate.
    """

    settings: QualitySettings = DEFAULTS
    allowed_bps: float = field(default=0.0, init=False)
    _settling: bool = field(default=False, init=False)
    _trips_ms: deque[float] = field(default_factory=deque, init=False)

    def __post_init__(self) -> None:
        self.allowed_bps = float(self.settings.start_bps)
        self._trips_ms = deque(maxlen=self.settings.trips)

    def observe(
        self,
        *,
        audio_bps: float,
        video_bps: float,
        estimate_bps: float | None = None,
        lost: float = 0.0,
        rtt_ms: float | None = None,
    ) -> float:
        """Take in one second.

        Args:
            audio_bps: bits of sound sent in it.
            video_bps: bits of pictures sent in it.
            estimate_bps: the receiver's newest estimate (REMB) of what its network carries, sound and
                picture together; None where there was none in this second.
            lost: share of packets the receiver missed, 0 to 1.
            rtt_ms: round trip; None where it is not known yet.

        Returns:
            `allowed_bps`, between the settings' least and most.
        """
        use = self.settings
        shortest = min(self._trips_ms, default=rtt_ms)
        swell_ms = 0.0
        if rtt_ms is not None and shortest is not None:
            newest = self._trips_ms[-1] if self._trips_ms else rtt_ms
            swell_ms = min(rtt_ms, newest) - shortest  # twice running: once, it was a busy machine
            self._trips_ms.append(rtt_ms)
        sent = audio_bps + video_bps
        binding = estimate_bps is not None and estimate_bps < use.binding * sent
        trouble = lost > use.lossy or swell_ms > use.swollen_ms or (binding and lost > use.lossy / 5)
        settling, self._settling = self._settling, False
        if trouble and settling:
            pass  # the client's report still tells of the time before the last step back
        elif trouble and video_bps >= use.least_bps / 4:  # else it is none of the picture's doing
            arrived = sent * (1.0 - lost)
            hard = lost > use.lossy or swell_ms > 3 * use.swollen_ms
            wanted = use.retreat * arrived
            if binding and estimate_bps is not None:
                wanted = min(wanted, estimate_bps)
            # What arrived was carried, whatever the estimate says.
            wanted = max(wanted, (use.hard_retreat if hard else use.soft_retreat) * arrived)
            self.allowed_bps = min(self.allowed_bps, wanted - audio_bps)
            self._settling = True
        elif not trouble:
            self.allowed_bps *= use.creep if binding else use.growth
        self.allowed_bps = float(min(max(self.allowed_bps, use.least_bps), use.most_bps))
        return self.allowed_bps


@dataclass(slots=True)
class Ladder:
    """Chooses the rung; steps down quickly, up slowly, and more slowly where the last step up failed.

    Attributes:
        pixels: of the full picture.
        settings: the numbers.
        rung: index into `STEPS`, at first that of the first picture.
    """

    pixels: int = BASE_PIXELS
    settings: QualitySettings = DEFAULTS
    rung: int = 0
    _trouble_since_s: float | None = field(default=None, init=False)
    _calm_since_s: float | None = field(default=None, init=False)
    _rose_at_s: float | None = field(default=None, init=False)
    _patience_s: float = field(default=0.0, init=False)

    @property
    def step(self) -> Step:
        """The rung in use."""
        return STEPS[self.rung]

    def least_bps(self, rung: int) -> float:
        """Return a rung's least rate for this picture's size, bits a second."""
        return float(STEPS[rung].least_bps * (self.pixels / BASE_PIXELS) ** 0.75)

    def observe(self, now_s: float, *, allowed_bps: float, late_share: float, best: int = 0) -> Step:
        """Take in one second.

        Args:
            now_s: any clock that only goes forward, seconds.
            allowed_bps: from `Bandwidth`.
            late_share: share of this second's pictures that had to wait for the encoder or were left out.
            best: the best rung that may be used: where many share a machine, it is not the first.

        Returns:
            The rung to use from now on.
        """
        use = self.settings
        self.rung = max(self.rung, best)
        slow = late_share >= self._most_late()
        narrow = allowed_bps < self.least_bps(self.rung)
        if slow or narrow:
            self._calm_since_s = None
            if self._trouble_since_s is None:
                self._trouble_since_s = now_s
            if now_s - self._trouble_since_s >= use.down_after_s and self.rung < len(STEPS) - 1:
                self._go_down(now_s)
            return self.step
        self._trouble_since_s = None
        if self._calm_since_s is None:
            self._calm_since_s = now_s
        patience = max(self._patience_s, use.up_after_s)
        roomy = self.rung > best and allowed_bps >= use.headroom * self.least_bps(self.rung - 1)
        if roomy and now_s - self._calm_since_s >= patience:
            self.rung -= 1
            self._rose_at_s = self._calm_since_s = now_s
        return self.step

    def _most_late(self) -> float:
        """Share of late pictures at which a step down makes things better."""
        below = STEPS[min(self.rung + 1, len(STEPS) - 1)]
        if not below.every:
            return self.settings.hopeless_share
        same = below.every == self.step.every
        return self.settings.late_share if same else self.settings.sparse_share

    def _go_down(self, now_s: float) -> None:
        use = self.settings
        self.rung += 1
        self._trouble_since_s = now_s
        waited = max(self._patience_s, use.up_after_s)
        if self._rose_at_s is not None and now_s - self._rose_at_s < 2 * waited:
            self._patience_s = min(2 * waited, use.up_after_most_s)
        elif self._rose_at_s is None or now_s - self._rose_at_s > 4 * waited:
            self._patience_s = use.up_after_s
        self._rose_at_s = None
