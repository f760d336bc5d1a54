"""A film of a face: poses and sound in, a clip out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.caption import Cue, caption_at
from agent.presence import drawing_pool, drawn_ahead
from avatar import Pose, Renderer
from avatar.clip import Clip, ClipWriter
from avatar.errors import ClipError
from avatar.lettering import Lettering
from server.progress import Stages
from speech.timeline import Pcm

Drawn = tuple[NDArray[np.uint8], Pose]
Retouch = Callable[[Iterable[Drawn]], Iterator[NDArray[np.uint8]]]
"""Goes over the frames before words are written on them; gives back as many, in order."""


def film(
    out: Path,
    renderer: Renderer,
    poses: Sequence[Pose],
    *,
    fps: int,
    lettering: Lettering,
    pcm: Pcm | None = None,
    sample_rate: int = 0,
    cues: Iterable[Cue] = (),
    retouch: Retouch | None = None,
    stages: Stages,
) -> Clip:
    """Draw poses and write them, with their sound and captions, as an mp4; both begin at 0.

    Args:
        out: the file; it appears when it is whole.
        renderer: draws them, in several threads.
        poses: one a frame.
        fps: frames a second.
        lettering: captions and label.
        pcm: mono float32[n], cut or filled with silence to the poses' length; None for silence.
        sample_rate: of the sound, Hz.
        cues: captions in order.
        retouch: for example neural lips.
        stages: told of each frame.

    Raises:
        ClipError: there are no poses, or the file cannot be written; nothing is left behind.
    """
    if not poses:
        raise ClipError(f"{out}: there is nothing to film; give a track or a text that lasts a frame")
    captions = list(cues)
    sound = _fitted(pcm, sample_rate, len(poses) / fps) if pcm is not None else None
    stages.stage("drawing")
    with (
        drawing_pool() as pool,
        closing(drawn_ahead(renderer, poses, pool)) as drawn,
        ClipWriter(out, width=renderer.width, height=renderer.height, fps=fps) as writer,
    ):
        for cue in captions:
            writer.caption(cue.text, cue.start_s, cue.end_s)
        pictures = retouch(drawn) if retouch else (picture for picture, _ in drawn)
        for number, picture in enumerate(pictures):
            at = (number + 0.5) / fps
            writer.frame(lettering.draw(picture, caption_at(captions, at)))
            if sound is not None:
                first, end = (round(edge * sample_rate / fps) for edge in (number, number + 1))
                writer.sound(sound[first:end], sample_rate)
            stages.advance(number + 1, len(poses))
        return writer.finish()


def _fitted(pcm: Pcm, sample_rate: int, length_s: float) -> Pcm:
    wanted = round(length_s * sample_rate)
    return np.pad(pcm[:wanted], (0, max(0, wanted - len(pcm)))).astype(np.float32)
