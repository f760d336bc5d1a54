"""Figures of the whole chain and of each stage, for `visavis bench`.

Figures are medians of several runs after one that is not counted. A real-time factor is the time spent
divided by the length of the sound or clip: below 1 is faster than real time. The spread between the fastest
and the slowest run is noted, since machines are noisy.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psutil

from agent.desk import Desk
from avatar import Pose
from evals.figure import Figure, NotHere
from server.ask import Counter
from server.boundary import UsageError
from server.progress import Silent, Stages
from server.recorder import Record
from server.speak import write_wav
from speech.audio import to_mono_16k
from speech.timeline import Pcm

QUESTION = "How many days do I have to send something back, and who pays for the return of a lamp?"
"""Five seconds when a voice says it."""
TALK = (
    "Good morning, and thank you for asking. You have thirty days to send something back, and we pay for the "
    "parcel if the fault is ours. Please pack the lamp in its box, print the label, and take both to a post "
    "office; most people hear from us within five working days."
)
"""Fifteen seconds when a voice says it: every viseme occurs."""
TALK_S = 60.0
"""How long the face talks while its frames are measured."""
_FRESH_DRAW = """
import sys, time
from avatar import Pose, load_renderer, load_rig
renderer = load_renderer(load_rig(sys.argv[1]), size=512)
began = time.perf_counter()
renderer.draw(Pose())
print((time.perf_counter() - began) * 1e3)
"""
POLL_S = 0.02
"""Between two looks at a process's memory."""


@dataclass
class Bench:
    """The measured desk; what several figures need is made once."""

    runs: int
    stages: Stages
    _turns: list[Record] = field(default_factory=list)

    @cached_property
    def counter(self) -> Counter:
        """The demo desk, open."""
        return Counter.open(Desk.load(), hearing=True, face=True, stages=Silent())

    @property
    def rig(self) -> str:
        """The demo desk's rig."""
        return self.counter.desk.settings.avatar.rig

    @cached_property
    def question(self) -> Pcm:
        """The spoken question, made by the desk's own voice, at 16 kHz."""
        speech = self.counter.engines.synthesizer.speak(QUESTION, language="en")
        return to_mono_16k(speech.pcm, speech.sample_rate)

    @property
    def turns(self) -> list[Record]:
        """Whole spoken turns with clips: sound in, mp4 out."""
        if not self._turns:
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / "reply.mp4"
                ask = self.counter.ask
                results = [
                    asyncio.run(ask(self.question, out=out, stages=Silent())) for _ in range(self.runs + 1)
                ]
            self._turns = results[1:]
        return self._turns

    def timed(self, work: Callable[[], object], *, cpu: bool = False) -> list[float]:
        """Return the seconds of each run: of the wall clock, or of this thread's processor time."""
        clock = time.thread_time if cpu else time.perf_counter
        work()
        seconds = []
        for _ in range(self.runs):
            began = clock()
            work()
            seconds.append(clock() - began)
        return seconds

    def close(self) -> None:
        """End the workers."""
        if "counter" in self.__dict__:
            self.counter.close()


def _figure(values: Iterable[float], unit: str, note: str) -> Figure:
    measured = list(values)
    spread = f"; {min(measured):.3g} to {max(measured):.3g}"
    return Figure(round(statistics.median(measured), 4), unit, len(measured), note + spread)


def first_sound_ms(bench: Bench) -> Figure:
    """Spoken question to the reply's first sound."""
    length = len(bench.question) / 16_000
    note = f"after the end of a {length:.1f} s question, without the turn-end pause; {_heard_by(bench)}"
    return _figure((turn.first_sound_ms or 0.0 for turn in bench.turns), "ms", note)


def first_frame_ms(bench: Bench) -> Figure:
    """Spoken question to the first drawn frame of the speaking face."""
    note = f"after the end of the question, without the turn-end pause; {_heard_by(bench)}"
    return _figure((turn.first_frame_ms or 0.0 for turn in bench.turns), "ms", note)


def clip_realtime_factor(bench: Bench) -> Figure:
    """Time from the question's end to the finished mp4, over the clip's length."""
    factors = [t.total_ms / 1e3 / t.clip.duration_s for t in bench.turns if t.clip]
    cores = len(os.sched_getaffinity(0))
    return _figure(factors, "s/s", f"512 px, H.264 and AAC, {cores} cores")


def ask_peak_rss_mb(bench: Bench) -> Figure:
    """Memory of a whole `visavis ask`, its worker processes included."""
    with tempfile.TemporaryDirectory() as folder:
        sound, clip = Path(folder) / "question.wav", Path(folder) / "reply.mp4"
        write_wav(sound, bench.counter.engines.synthesizer.speak(QUESTION, language="en"))
        command = [sys.executable, "-m", "server", "ask", "--audio", str(sound), "--out", str(clip), "--json"]
        peaks = [_peak_mb(command) for _ in range(3)]
    return _figure(peaks, "MB", "resident, a spoken question, summed over the process and its workers")


def frame_ms_512(bench: Bench) -> Figure:
    """Processor time of one speaking frame at 512 px."""
    return _frame(bench, 512, speaking=True)


def frame_ms_720(bench: Bench) -> Figure:
    """Processor time of one speaking frame at 720 px."""
    return _frame(bench, 720, speaking=True)


def idle_frame_ms_512(bench: Bench) -> Figure:
    """Processor time of one idle frame at 512 px."""
    return _frame(bench, 512, speaking=False)


def rig_load_ms(bench: Bench) -> Figure:
    """Reading the built-in rig."""
    from avatar import load_rig

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "rig"
        shutil.copytree(load_rig(bench.rig).folder, copy)

        def load() -> None:
            # A rig is kept in memory until its manifest changes.
            os.utime(copy / "rig.json")
            load_rig(copy)

        return _figure((s * 1e3 for s in bench.timed(load)), "ms", "warm disk cache")


def fresh_draw_ms(bench: Bench) -> Figure:
    """The first frame of a fresh process, once the renderer is made."""
    command = [sys.executable, "-c", _FRESH_DRAW, bench.rig]
    milliseconds = []
    for _ in range(max(3, bench.runs) + 1):
        told = subprocess.run(command, capture_output=True, text=True, check=True)
        milliseconds.append(float(told.stdout))
    return _figure(milliseconds[1:], "ms", "512 px, machine code from the cache")


def gpu_frames_per_s_512(bench: Bench) -> Figure:
    """Frames drawn a second on a GPU, in batches that stay there."""
    from avatar import AvatarError, load_renderer, load_rig
    from avatar.torch_renderer import BATCH, TorchRenderer, frames_per_second

    try:
        renderer = load_renderer(load_rig(bench.rig), size=512, device="cuda")
    except AvatarError as error:
        raise NotHere(str(error)) from error
    assert isinstance(renderer, TorchRenderer)
    poses = _minute(bench)
    rates = [frames_per_second(renderer, poses) for _ in range(bench.runs)]
    return _figure(rates, "frames/s", f"{renderer.engine}, batches of {BATCH}")


def synthesis_realtime_factor(bench: Bench) -> Figure:
    """Speaking a sentence, over its length."""
    voice = bench.counter.engines.synthesizer
    length = voice.speak(QUESTION, language="en").duration_s
    seconds = bench.timed(lambda: voice.speak(QUESTION, language="en"))
    return _figure((s / length for s in seconds), "s/s", voice.engine)


def recognition_realtime_factor(bench: Bench) -> Figure:
    """Recognising a question that is there as a whole, over its length."""
    recognizer = bench.counter.engines.recognizer
    assert recognizer is not None
    length = len(bench.question) / 16_000
    seconds = bench.timed(lambda: recognizer.transcribe(bench.question, 16_000))
    return _figure((s / length for s in seconds), "s/s", recognizer.engine)


def search_ms(bench: Bench) -> Figure:
    """Searching the demo desk's knowledge."""
    engines = bench.counter.engines
    seconds = bench.timed(lambda: engines.look_up(QUESTION, "en"))
    return _figure((s * 1e3 for s in seconds), "ms", f"{engines.knowledge.count} passages")


FIGURES: dict[str, Callable[[Bench], Figure]] = {
    function.__name__: function
    for function in (
        first_sound_ms,
        first_frame_ms,
        clip_realtime_factor,
        ask_peak_rss_mb,
        frame_ms_512,
        frame_ms_720,
        idle_frame_ms_512,
        rig_load_ms,
        fresh_draw_ms,
        gpu_frames_per_s_512,
        synthesis_realtime_factor,
        recognition_realtime_factor,
        search_ms,
    )
}


def _minute(bench: Bench) -> list[Pose]:
    """A talking minute: one face's poses, emotions included."""
    from avatar import Performer

    voice = bench.counter.engines.synthesizer
    performer, poses = Performer(), list[Pose]()
    for emotion in itertools.cycle(("neutral", "happy", "empathetic")):
        poses += performer.speak(voice.speak(TALK, emotion=emotion, language="en"), emotion, 0.7)
        if len(poses) >= TALK_S * performer.fps:
            break
    return poses[: int(TALK_S * performer.fps)]


def _frame(bench: Bench, size: int, *, speaking: bool) -> Figure:
    from avatar import Performer, load_renderer, load_rig

    renderer = load_renderer(load_rig(bench.rig), size=size)
    poses = _minute(bench) if speaking else list(Performer().idle(round(TALK_S * 25)))
    for pose in poses[:3]:
        renderer.draw(pose)
    milliseconds = []
    for pose in poses:
        began = time.thread_time()
        renderer.draw(pose)
        milliseconds.append((time.thread_time() - began) * 1e3)
    doing = "talking" if speaking else "idle"
    return _figure(milliseconds, "ms", f"processor time on one core, one {doing} minute, rig {bench.rig}")


def _heard_by(bench: Bench) -> str:
    engines = bench.counter.engines
    assert engines.recognizer is not None
    return f"{engines.recognizer.engine}, {engines.answerer.engine}, {engines.synthesizer.engine}"


def _peak_mb(command: list[str]) -> float:
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            total = 0
            try:
                for one in [watched, *watched.children(recursive=True)]:
                    total += one.memory_info().rss
            except psutil.NoSuchProcess:
                pass
            peak = max(peak, total)
            time.sleep(POLL_S)
    if process.returncode:
        raise UsageError("`visavis ask` failed while it was measured; run it by hand to see why")
    return peak / 2**20
