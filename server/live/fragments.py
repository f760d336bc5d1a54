"""A clip that can be played while it is written, and after its writer was killed: a fragmented mp4."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FPS = 25
SOUND_HZ = 48_000
FRAGMENT_FRAMES = 2 * FPS
"""A fragment reaches the disk when the next one begins, so that a crash costs the last 2 s."""
_PRESET = "superfast"
"""Less work than avatar.clip's veryfast: a recording runs beside the conversation."""
_CRF = "24"
_SOUND_BITRATE = 96_000
_AAC_FRAME = 1024
_BT601 = 6
"""SMPTE 170M, in the numbers of H.264's headers."""


class FragmentedClip:
    """Writes H.264 and stereo AAC. Not thread-safe; the methods block."""

    def __init__(self, path: Path, *, width: int, height: int) -> None:
        """Open the file, replacing what is there.

        Args:
            path: of the mp4.
            width: of the picture in pixels, even.
            height: of the picture in pixels, even.

        Raises:
            OSError: the place cannot be written.
        """
        import av

        self._path, self._width, self._height = path, width, height
        flags = "frag_keyframe+empty_moov+default_base_moof"
        self._container: Any = av.open(
            str(path), "w", format="mp4", options={"movflags": flags, "flush_packets": "1"}
        )
        video = self._container.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        # zerolatency: no frames wait in the encoder, where a crash would find them.
        # Key frames, each of which begins a fragment, come by the clock alone, see `frame`.
        keys = {"g": str(10 * FRAGMENT_FRAMES), "sc_threshold": "0"}
        video.options = {"preset": _PRESET, "crf": _CRF, "tune": "zerolatency", **keys}
        video.thread_count = 1
        context = video.codec_context
        context.time_base = Fraction(1, FPS)
        context.color_primaries = context.color_trc = 1  # BT.709
        context.colorspace = _BT601  # what OpenCV converts to, in a sixth of swscale's time
        context.color_range = 1
        sound = self._container.add_stream("aac", rate=SOUND_HZ)
        sound.layout, sound.bit_rate = "stereo", _SOUND_BITRATE
        sound.options = {"aac_coder": "fast"}  # the default coder takes more time than the picture
        self._video, self._audio = video, sound
        self._fifo = av.AudioFifo()
        self._pictures: deque[tuple[int, Any]] = deque()
        self._key = -FRAGMENT_FRAMES
        self._sounded = self._heard = 0
        self.frames = 0

    def frame(self, picture: NDArray[np.uint8], index: int) -> None:
        """Add a frame; it reaches the disk with the sound of its time, however much later that comes.

        Args:
            picture: RGB[H, W, 3]; another size is scaled.
            index: its time in 1/25 s; grows, and may leave some out.

        Raises:
            OSError: the disk is full or gone.
        """
        import av
        import cv2
        from av.video.frame import PictureType

        if picture.shape[:2] != (self._height, self._width):
            size = self._width, self._height
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)
        image = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        image.pts, image.time_base = index, Fraction(1, FPS)
        if index - self._key >= FRAGMENT_FRAMES:
            image.pict_type = PictureType.I
            self._key = index
        self._pictures.extend((index, packet) for packet in self._video.encode(image))
        self.frames += 1

    def sound(self, left: NDArray[np.float32], right: NDArray[np.float32]) -> None:
        """Add sound, float32[n] in [-1, 1] at 48 kHz each.

        Raises:
            OSError: the disk is full or gone.
        """
        import av

        self._show(self._heard * FPS // SOUND_HZ)
        self._heard += len(left)
        block = av.AudioFrame.from_ndarray(np.stack((left, right)), format="fltp", layout="stereo")
        block.sample_rate = SOUND_HZ
        self._fifo.write(block)
        self._encode_sound(last=False)

    def close(self) -> None:
        """Complete the file; whatever happens, it is closed.

        Raises:
            OSError: the disk is full or gone; what was written before can be played.
        """
        try:
            last = self._heard * FPS // SOUND_HZ
            self._pictures.extend((last, packet) for packet in self._video.encode(None))
            self._show(None)
            self._encode_sound(last=True)
            self._mux_sound(None)
        finally:
            self._container.close()

    def _show(self, until: int | None) -> None:
        """Write the pictures up to a time, in frames; all for None."""
        while self._pictures and (until is None or self._pictures[0][0] <= until):
            self._container.mux(self._pictures.popleft()[1])

    def _encode_sound(self, *, last: bool) -> None:
        while (frame := self._fifo.read(_AAC_FRAME, last)) is not None:
            frame.pts, frame.time_base = self._sounded, Fraction(1, SOUND_HZ)
            self._sounded += frame.samples
            self._mux_sound(frame)

    def _mux_sound(self, frame: Any) -> None:
        for packet in self._audio.encode(frame):
            # AAC begins with a packet of no sound before time 0. A fragmented file cannot say so, and every
            # time in it would be moved by 21 ms; without it nothing is missing.
            if packet.pts is not None and packet.pts >= 0:
                self._container.mux(packet)


def index(path: Path) -> None:
    """Rewrite a fragmented clip as one that has its index in front: players know its length, and can seek.

    Sound and pictures are copied as they are. On any error the file stays as it was.

    Raises:
        OSError: there is no space for a second file, or it cannot be written.
    """
    import av

    part = path.with_name(f".{path.name}.part")
    os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600))
    try:
        with (
            av.open(str(path)) as old,
            av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as new,
        ):
            streams = {each.index: new.add_stream_from_template(each) for each in old.streams}
            for packet in old.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream.index]
                    new.mux(packet)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
