"""Video frames and the sound that fills them: how long things last on a reply's timeline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from speech.timeline import Phoneme, Speech

FPS = 25
"""Video frames a second; every sentence's sound is padded to whole frames."""
LEAD_S = 0.2
"""A living face before the first sound, so that a clip does not begin in the middle of a breath."""
PAUSE_S = 0.28
"""Between sentences: about what people leave."""
TAIL_S = 0.6
"""After the last: the mouth closes and the face settles."""


def whole_frames(speech: Speech, *, pause_s: float) -> Speech:
    """Return the speech with a pause at its end that makes it a whole number of video frames long."""
    per_frame = speech.sample_rate // FPS
    wanted = int(np.ceil((len(speech.pcm) + pause_s * speech.sample_rate) / per_frame)) * per_frame
    pcm = np.concatenate([speech.pcm, np.zeros(wanted - len(speech.pcm), np.float32)])
    end = wanted / speech.sample_rate
    last = speech.phonemes[-1] if speech.phonemes else None
    if last and not last.symbol:
        phonemes = (*speech.phonemes[:-1], replace(last, end_s=end))
    else:
        phonemes = (*speech.phonemes, Phoneme("", speech.duration_s, end))
    return replace(speech, pcm=pcm, phonemes=phonemes)
