"""Looks at what leaves a replayed desk: pictures, lips against sound, freezes; keeps it as wav and mp4."""

from __future__ import annotations

import wave
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from agent.face import face_of
from agent.line import MOMENT_S, RATE_HZ, SAMPLES, Sound
from agent.painter import Easels, Painter, Picture
from avatar import Pose, load_rig
from avatar.clip import ClipWriter
from avatar.lipcheck import CLOSED_MM, lip_gap_mm
from avatar.rig import Rig
from evals.replay.desk import DeskUnderTest
from evals.replay.drawn_face import AtOncePainter, Through, drawn_face
from evals.replay.lip_measure import LipMeasure, closed_below_mm
from evals.replay.lip_sync import closures, offset_ms
from evals.replay.microphone_feed import MicrophoneFeed
from evals.replay.opus_line import floats, whole
from evals.replay.record import MediaRecord
from evals.replay.tape import Heard
from speech.audio import Resampler

WAV_RATE_HZ = 24_000
"""Of what is kept: all that the voices have."""
MOVED_EVERY = 8
"""Pixels between those by which is told whether a picture is another one."""
CODED_PX = 64
"""Side of the grey picture by which that is told of one that a codec has changed."""
CODED_LEVELS = 3.0
"""By how much of 255 a pixel of it differs in another picture. Through VP8 at 300 and 1500 kbit/s a face that
only breathes passes it every 0.3 s; a picture that stands still never does."""
SILENT_DBFS = -90.0
"""What is quieter than the last bit of 16 counts as true silence."""


class MediaProbe:
    """Looks at one replay; a context manager that leaves a whole video or none.

    Args:
        name: of the files.
        folder: where they are kept; None: nowhere.
        measure: measures pictures; None: there are none, or nobody knows the face.
        rig: of the face whose poses the painter knows, where it draws nothing.
        painter: draws for a stage; None: pictures come from elsewhere.
        coded: they have been through a codec.
    """

    def __init__(
        self,
        name: str,
        folder: Path | None,
        measure: LipMeasure | None,
        rig: Rig | None = None,
        painter: AtOncePainter | None = None,
        *,
        coded: bool = False,
    ) -> None:
        self._coded = coded
        self._name, self._folder, self._measure, self._rig = name, folder, measure, rig
        self._painter = painter
        self._openings: dict[int, float] = {}
        self._poses: dict[int, Pose] = {}
        self._looked = self._faces = self._drawn = 0
        self._first = self._index = self._moved = -1
        self._still = 0
        self._shown: Picture | Pose | None = None
        self._clip: ClipWriter | None = None

    @classmethod
    def of(
        cls,
        desk: DeskUnderTest,
        name: str,
        folder: Path | None,
        *,
        video: bool,
        through: Through = lambda renderer: renderer,
    ) -> MediaProbe:
        """Make the probe of a replay in this process.

        Raises:
            AvatarError: the face cannot be drawn.
        """
        if not video:
            return cls(name, folder, None, load_rig(face_of(desk.desk).rig), AtOncePainter(None))
        face = drawn_face(desk)
        easels = Easels(through(face.renderer), ai_label=face.ai_label)
        return cls(name, folder, face.measure, None, AtOncePainter(easels))

    @property
    def painter(self) -> Painter:
        """Draws for the stage."""
        assert self._painter is not None
        return self._painter

    @property
    def lips(self) -> str:
        """By what they are measured."""
        return "pixels" if self._measure else "poses" if self._rig else "nothing"

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
        """Look at a moment's picture; None: it repeats the last one. Moments may be left out.

        Raises:
            ClipError: the video cannot be written.
        """
        if index <= self._index:
            return
        missed, self._index = index - max(self._index, self._first) - 1, index
        if self._first < 0:
            self._first = self._moved = index
            missed = 0
        if picture is None:
            self._film(None, missed + 1)
            return
        self._drawn += 1
        self._film(picture, missed)
        if self._rig is None:
            self._look(index, picture)
            shown: Picture | Pose | None = _small(picture) if self._coded else _some(picture)
            same = self._still_shows(np.asarray(shown))
        else:
            shown = self._painter.pose_of(picture) if self._painter is not None else None
            if shown is not None:
                self._poses[index] = shown
            same = shown == self._shown
        if not same:
            self._still = max(self._still, index - self._moved - 1)
            self._moved, self._shown = index, shown

    def _still_shows(self, small: Picture) -> bool:
        before = np.asarray(self._shown)
        if not self._coded:
            return np.array_equal(small, before)
        return before.shape == small.shape and float(np.abs(small - before).max()) <= CODED_LEVELS

    def _look(self, index: int, picture: Picture) -> None:
        if self._measure is None:
            return
        look = self._measure.look(picture)
        self._looked += 1
        self._faces += look.face
        if look.face:
            self._openings[index] = look.opening_mm

    def _film(self, picture: Picture | None, missed: int) -> None:
        """Append to the video: the last picture as often as it stood, then this one."""
        if self._folder is None or self._rig is not None:
            return
        if picture is not None and self._clip is None:
            height, width = picture.shape[:2]
            self._clip = ClipWriter(self._folder / f"{self._name}.mp4", width=width, height=height)
            missed, self._last = self._first, np.zeros_like(picture)
        if self._clip is None:
            return
        for _ in range(missed):
            self._clip.frame(self._last)
        if picture is not None:
            self._clip.frame(picture)
            self._last = picture

    def measured(self, tape: Heard, feed: MicrophoneFeed) -> MediaRecord:
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
        last = max(self._index, tape.count - 1)  # pictures that stop coming stand still, too
        record = MediaRecord(frames=last - max(self._first, 0) + 1, drawn=self._drawn)
        still = max(self._still, last - self._moved)
        stood_s = (still + 1) * MOMENT_S if still else 0.0  # each picture is there for a moment itself
        record.longest_freeze_s = round(stood_s, 2) if self._drawn else None
        if self._measure is not None:
            record.face_present = round(self._faces / self._looked, 4) if self._looked else 0.0
        elif self._rig is not None and self._poses:
            gaps = lip_gap_mm(self._rig, tuple(self._poses.values()))
            self._openings = dict(zip(self._poses, gaps.tolist(), strict=True))
        offset, record.lips_apart = offset_ms(self._openings, desk)
        record.av_offset_ms = None if offset is None else round(offset, 1)
        below = closed_below_mm(tuple(self._openings.values())) if self._measure else CLOSED_MM
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


def _some(picture: Picture) -> Picture:
    return picture[::MOVED_EVERY, ::MOVED_EVERY].copy()


def _small(picture: Picture) -> Any:
    """A grey picture, float32, in which what a codec adds averages out."""
    import cv2

    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (CODED_PX, CODED_PX), interpolation=cv2.INTER_AREA).astype(np.float32)


def _beside(feed: MicrophoneFeed, tape: Heard, length: int) -> Sound:
    """What the microphone picked up, on the tape's timeline, int16[length] at 48 kHz."""
    heard = np.concatenate(feed.sound) if feed.sound else np.zeros(0, np.int16)
    late = round((feed.began_s - tape.time(0)) * RATE_HZ)
    out = np.zeros(length, np.int16)
    begin = max(late, 0)
    piece = heard[begin - late :][: max(length - begin, 0)]
    out[begin : begin + len(piece)] = piece
    return out


def _noise_db(tape: Heard) -> float | None:
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
