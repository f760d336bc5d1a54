"""Clips: frames and their sound as an H.264/AAC mp4 with a caption track."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from avatar.errors import ClipError

SOUND_RATE_HZ = 48_000
"""What every player takes, and what WebRTC sends."""
SOUND_BITRATE = 96_000
_AAC_FRAME = 1024
_CRF = "21"
"""Visually clean at 512 pixels; about 250 kbit/s for a talking face."""
_PRESET = "veryfast"
_STYLE_FIELDS = (
    "Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
    "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, "
    "MarginL, MarginR, MarginV, Encoding"
)
_CAPTION_HEADER = "\r\n".join(
    (
        "[Script Info]",
        "ScriptType: v4.00+",
        "",
        "[V4+ Styles]",
        f"Format: {_STYLE_FIELDS}",
        "Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0",
        "",
        "[Events]",
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
        "",
    )
).encode()
"""The subtitle encoder takes its captions as ASS events under such a header."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that was written."""

    path: Path
    frames: int
    fps: int
    duration_s: float


class ClipWriter:
    """Writes one clip; a context manager that leaves either a whole file or none.

    Sound and frames may be given in any order and amount; both begin at 0. The file appears under its name
    when the clip is complete: until then it is a hidden file beside it, removed on any error.
    Not thread-safe; the methods block (encode in a thread, not on an event loop).
    """

    def __init__(self, path: Path, *, width: int, height: int, fps: int = 25) -> None:
        """Open the file.

        Raises:
            ClipError: the place cannot be written.
        """
        self.path = path
        self._fps = fps
        self._part = path.with_name(f".{path.name}.{os.getpid()}.part.mp4")
        self._frames = 0
        self._resampler: Any = None
        self._rate = 0
        self._waiting: Any = None
        self._encoded = 0
        if path.is_dir():
            raise ClipError(f"{path} is a folder; name a file, for example {path / 'reply.mp4'}")
        with _mapped(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Tell at once, and in the system's words, whether the place can be written.
            self._part.touch()
            self._open(width, height)

    def _open(self, width: int, height: int) -> None:
        import av

        try:
            self._container: Any = av.open(str(self._part), "w", options={"movflags": "+faststart"})
            video = self._container.add_stream("libx264", rate=self._fps)
            video.width, video.height, video.pix_fmt = width, height, "yuv420p"
            video.options = {"preset": _PRESET, "crf": _CRF, "tune": "zerolatency"}
            video.thread_count = 1
            video.codec_context.time_base = Fraction(1, self._fps)
            for name in ("colorspace", "color_primaries", "color_trc"):
                setattr(video.codec_context, name, 1)  # BT.709
            video.codec_context.color_range = 1
            sound = self._container.add_stream("aac", rate=SOUND_RATE_HZ)
            sound.layout, sound.bit_rate = "mono", SOUND_BITRATE
            captions = self._container.add_stream("mov_text")
            captions.codec_context.subtitle_header = _CAPTION_HEADER
            captions.time_base = Fraction(1, 1000)
            self._video, self._audio, self._captions = video, sound, captions
        except BaseException:
            self._part.unlink(missing_ok=True)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.discard()

    def frame(self, picture: NDArray[np.uint8]) -> None:
        """Append a frame, RGB[H, W, 3].

        Raises:
            ClipError: the disk is full or cannot be written.
        """
        import av

        with _mapped(self.path):
            image = av.VideoFrame.from_ndarray(picture, format="rgb24")
            image = image.reformat(format="yuv420p", dst_colorspace="ITU709")
            image.pts, image.time_base = self._frames, Fraction(1, self._fps)
            self._frames += 1
            self._container.mux(self._video.encode(image))

    def sound(self, pcm: NDArray[np.float32], sample_rate: int) -> None:
        """Append sound, mono float32[n] in [-1, 1]; engines of different rates may take turns.

        Raises:
            ClipError: the disk is full or cannot be written.
        """
        import av

        if len(pcm) == 0:
            return
        with _mapped(self.path):
            if sample_rate != self._rate:
                self._convert(None)
                self._rate = sample_rate
                self._resampler = av.AudioResampler("fltp", "mono", SOUND_RATE_HZ)
            samples = np.ascontiguousarray(np.clip(pcm, -1, 1), dtype=np.float32)
            block = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
            block.sample_rate = sample_rate
            self._convert(block)
            self._encode_sound(last=False)

    def caption(self, text: str, start_s: float, end_s: float) -> None:
        """Write a caption; captions are given in time order and do not overlap."""
        from av.subtitles.subtitle import SubtitleSet

        with _mapped(self.path):
            start_ms, length_ms = round(start_s * 1e3), max(1, round((end_s - start_s) * 1e3))
            line = b"0,0,Default,,0,0,0,," + text.replace("\n", r"\N").encode()
            packet = self._captions.codec_context.encode_subtitle(
                SubtitleSet.create(text=line, start=0, end=length_ms, pts=start_ms)
            )
            packet.stream, packet.time_base = self._captions, Fraction(1, 1000)
            packet.pts = packet.dts = start_ms
            packet.duration = length_ms
            self._container.mux(packet)

    def finish(self) -> Clip:
        """Complete the file and give it its name.

        Raises:
            ClipError: the disk is full or cannot be written.
        """
        try:
            with _mapped(self.path):
                if self._resampler is not None:
                    self._convert(None)
                    self._encode_sound(last=True)
                    self._container.mux(self._audio.encode(None))
                self._container.mux(self._video.encode(None))
                self._container.close()
                os.replace(self._part, self.path)
        except BaseException:
            self.discard()
            raise
        return Clip(self.path, self._frames, self._fps, self._frames / self._fps)

    def discard(self) -> None:
        """Throw away what was written."""
        with suppress(Exception):  # whatever is wrong with it, it goes away
            self._container.close()
        self._part.unlink(missing_ok=True)

    def _convert(self, block: Any) -> None:
        """Bring a block to the clip's rate, or with None what the resampler still holds."""
        import av

        if self._resampler is None:
            return
        if self._waiting is None:
            self._waiting = av.AudioFifo()
        for frame in self._resampler.resample(block):
            frame.pts = None
            self._waiting.write(frame)

    def _encode_sound(self, *, last: bool) -> None:
        """Encode what fills whole AAC frames; at the end, the rest."""
        while (frame := self._waiting.read(_AAC_FRAME, last)) is not None:
            frame.pts, frame.time_base = self._encoded, Fraction(1, SOUND_RATE_HZ)
            self._encoded += frame.samples
            self._container.mux(self._audio.encode(frame))


class _mapped:  # noqa: N801 - reads as a statement
    """Turn the system's errors into `ClipError`s that say what to do."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, OSError):
            return
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ClipError(
                f"{self._path}: no space left on the disk; free some, or write elsewhere"
            ) from error
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise ClipError(
            f"{self._path}: cannot be written ({reason.lower()}); choose another place"
        ) from error
