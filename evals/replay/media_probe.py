"""Looks at what leaves a replayed desk: pictures, lips against sound, freezes; keeps it as wav and mp4."""

from __future__ import annotations

import wave
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakKeyDictionary

import numpy as np

from agent.face import face_of
from agent.line import MOMENT_S, RATE_HZ, SAMPLES, Sound
from agent.painter import Easels, Painter, Picture
from avatar import Pose, Renderer, load_rig
from avatar.clip import ClipWriter
from avatar.lipcheck import CLOSED_MM, lip_gap_mm
from avatar.rig import Rig
from evals.replay.desk import DeskUnderTest
from evals.replay.lip_measure import LipMeasure, closed_below_mm
from evals.replay.lip_sync import closures, offset_ms
from evals.replay.microphone_feed import MicrophoneFeed
from evals.replay.opus_line import floats, whole
from evals.replay.record import MediaRecord
from evals.replay.tape import Tape
from evals.replay.timed_stage import TINY
from evals.scripts import Script
from speech.audio import Resampler

PICTURE_PX = 384
"""Width of the pictures that are drawn and measured, where the desk wants larger ones."""
WAV_RATE_HZ = 24_000
"""Of what is kept: all that the voices have."""
MOVED_EVERY = 8
"""Pixels between those by which is told whether a picture is another one."""
SILENT_DBFS = -90.0
"""What is quieter than the last bit of 16 counts as true silence."""

Through = Callable[[Renderer], Renderer]
"""Puts something around what draws the face: planted faults do."""


@dataclass(slots=True)
class DrawnFace:
    """What draws a desk's face, and measures it."""

    rig: Rig
    renderer: Renderer
    ai_label: bool
    measure: LipMeasure


_FACES: WeakKeyDictionary[DeskUnderTest, DrawnFace] = WeakKeyDictionary()


def drawn_face(desk: DeskUnderTest) -> DrawnFace:
    """Return what draws a desk's face; made once for each desk.

    Raises:
        AvatarError: it cannot be drawn.
    """
    if desk not in _FACES:
        face = face_of(desk.desk)
        scale = min(1.0, PICTURE_PX / face.size)
        renderer, rig = face.renderers((scale,))[scale], load_rig(face.rig)
        _FACES[desk] = DrawnFace(rig, renderer, face.ai_label, LipMeasure(rig, renderer, face.framing))
    return _FACES[desk]


class AtOncePainter:
    """Draws when asked, on the caller's thread: so a replay takes the same course every time.

    Args:
        easels: draw; None: pictures are tiny, grey and all the same.
    """

    def __init__(self, easels: Easels | None) -> None:
        self.size = easels.size if easels else TINY
        self._easels = easels
        self._poses: dict[int, tuple[Pose, Picture]] = {}

    def paint(self, pose: Pose, scale: float) -> Future[tuple[Picture, float]]:
        """Draw; see `agent.painter.Painter`."""
        done: Future[tuple[Picture, float]] = Future()
        try:
            picture = self._easels.draw(pose, scale)[0] if self._easels else _grey()
        except Exception as error:  # told where the picture is taken, as by any painter
            done.set_exception(error)
            return done
        if self._easels is None:
            self._poses[id(picture)] = pose, picture  # held, so that its id stays its own
        done.set_result((picture, 0.0))
        return done

    def pose_of(self, picture: Picture) -> Pose | None:
        """Return what a tiny picture shows, and forget it."""
        found = self._poses.pop(id(picture), None)
        return found[0] if found else None


def _grey() -> Picture:
    return np.full((TINY[1], TINY[0], 3), 128, np.uint8)


class MediaProbe:
    """Looks at one replay; a context manager that leaves a whole video or none.

    Args:
        name: of the files.
        folder: where they are kept; None: nowhere.
        rig: of the face, by which poses are measured.
        face: draws and measures pictures; None: there are none.
        through: put around what draws.
    """

    def __init__(
        self,
        name: str,
        folder: Path | None,
        rig: Rig | None,
        face: DrawnFace | None,
        through: Through = lambda renderer: renderer,
    ) -> None:
        self._name, self._folder, self._rig, self._face = name, folder, rig, face
        easels = Easels(through(face.renderer), ai_label=face.ai_label) if face else None
        self._painter = AtOncePainter(easels)
        self._openings: dict[int, float] = {}
        self._poses: dict[int, Pose] = {}
        self._looked = self._faces = self._frames = self._drawn = 0
        self._before: Picture | Pose | None = None
        self._still = self._longest = 0
        self._clip: ClipWriter | None = None
        if folder is not None and easels is not None:
            self._clip = ClipWriter(folder / f"{name}.mp4", width=easels.size[0], height=easels.size[1])
        self._last = np.zeros((easels.size[1], easels.size[0], 3), np.uint8) if easels else None

    @classmethod
    def of(
        cls,
        desk: DeskUnderTest,
        script: Script,
        repeat: int,
        folder: Path | None,
        *,
        video: bool,
        through: Through = lambda renderer: renderer,
    ) -> MediaProbe:
        """Make the probe of a replay.

        Raises:
            AvatarError: the face cannot be drawn, or the video not be written.
        """
        face = drawn_face(desk) if video else None
        rig = face.rig if face else load_rig(face_of(desk.desk).rig)
        return cls(f"{script.id}-{repeat}", folder, rig, face, through)

    @property
    def painter(self) -> Painter:
        """Draws for the stage."""
        return self._painter

    @property
    def lips(self) -> str:
        """By what they are measured."""
        return "pixels" if self._face else "poses"

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Throw away a video that is not whole."""
        if self._clip is not None:
            self._clip.discard()

    def see(self, index: int, picture: Picture | None) -> None:
        """Look at a moment's picture; None: it repeats the last one."""
        self._frames += 1
        self._drawn += picture is not None
        shown: Picture | Pose | None
        if self._face is None:
            shown = self._painter.pose_of(picture) if picture is not None else None
            if shown is not None:
                self._poses[index] = shown
            moved = shown is not None and shown != self._before
        else:
            shown = picture[::MOVED_EVERY, ::MOVED_EVERY].copy() if picture is not None else None
            moved = shown is not None and not np.array_equal(shown, np.asarray(self._before))
            if picture is not None:
                look = self._face.measure.look(picture)
                self._looked += 1
                self._faces += look.face
                if look.face:
                    self._openings[index] = look.opening_mm
                self._last = picture
        self._before = shown if shown is not None else self._before
        self._still = 0 if moved else self._still + 1
        self._longest = max(self._longest, self._still)
        if self._clip is not None and self._last is not None:
            self._clip.frame(self._last)

    def measured(self, tape: Tape, feed: MicrophoneFeed) -> MediaRecord:
        """Return what was measured, and write the files.

        Args:
            tape: what the visitor heard.
            feed: what the microphone picked up.

        Raises:
            ClipError: the video cannot be written.
            OSError: the sound cannot be written.
        """
        desk = tape.sound()
        visitor = _beside(feed, tape, len(desk))
        record = MediaRecord(frames=self._frames, drawn=self._drawn)
        record.longest_freeze_s = round(self._longest * MOMENT_S, 2)
        if self._face is not None:
            record.face_present = round(self._faces / self._looked, 4) if self._looked else 0.0
        elif self._rig is not None and self._poses:
            gaps = lip_gap_mm(self._rig, tuple(self._poses.values()))
            self._openings = dict(zip(self._poses, gaps.tolist(), strict=True))
        offset = offset_ms(self._openings, desk)
        record.av_offset_ms = None if offset is None else round(offset, 1)
        below = closed_below_mm(tuple(self._openings.values())) if self._face else CLOSED_MM
        closed = closures(self._openings, tape, below)
        record.bilabials = len(closed)
        record.lip_closure = round(sum(closed) / len(closed), 4) if closed else None
        record.silent_noise_db = _noise_db(tape)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write_wav(self._folder / f"{self._name}.wav", visitor, desk)
            record.sound = f"{self._folder.name}/{self._name}.wav"
        if self._clip is not None and self._folder is not None:
            self._clip.sound(floats(desk) + floats(visitor), RATE_HZ)
            self._clip.finish()
            self._clip = None
            record.video = f"{self._folder.name}/{self._name}.mp4"
        return record


def _beside(feed: MicrophoneFeed, tape: Tape, length: int) -> Sound:
    """What the microphone picked up, on the tape's timeline, int16[length] at 48 kHz."""
    heard = np.concatenate(feed.sound) if feed.sound else np.zeros(0, np.int16)
    late = round((feed.began_s - tape.time(0)) * RATE_HZ)
    out = np.zeros(length, np.int16)
    begin = max(late, 0)
    piece = heard[begin - late :][: max(length - begin, 0)]
    out[begin : begin + len(piece)] = piece
    return out


def _noise_db(tape: Tape) -> float | None:
    """Level of what arrives while nothing is said, dBFS; moments next to speech are left out."""
    silent = [
        index
        for index, moment in tape.moments.items()
        if not any(
            near.speaking or near.spoken is not None
            for near in (tape.moments.get(index - 1), moment, tape.moments.get(index + 1))
            if near is not None
        )
    ]
    if not silent:
        return None
    power = [float((floats(tape.between(tape.time(index), SAMPLES)) ** 2).mean()) for index in silent]
    level = 10 * np.log10(max(float(np.mean(power)), 1e-12))
    return round(float(level), 1) if level > SILENT_DBFS else None


def _write_wav(path: Path, visitor: Sound, desk: Sound) -> None:
    def kept(pcm: Sound) -> Sound:
        resampler = Resampler(RATE_HZ, WAV_RATE_HZ)
        return whole(np.concatenate([resampler.feed(floats(pcm)), resampler.flush()]))

    left, right = kept(visitor), kept(desk)
    both = np.stack([left, right], axis=1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(WAV_RATE_HZ)
        file.writeframes(both.astype("<i2").tobytes())
