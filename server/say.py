"""`visavis avatar say` and `play`: a face says a text or a recording, or plays a captured track."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from agent.caption import Cue, cues_of
from agent.events import Spoken
from agent.face import background_from, find_rig, voice_for
from agent.frames import FPS, LEAD_S, PAUSE_S, TAIL_S, whole_frames
from agent.sentence import REPLY_EMOTIONS, Emotion, Sentence
from agent.splitter import split_sentences
from avatar import Performer, Pose, Renderer, gesture_names, load_renderer, load_rig
from avatar.clip import SOUND_RATE_HZ, Clip
from avatar.framing import FRAMINGS, Framing, frame_of
from avatar.lettering import Lettering
from avatar.neural import NeuralLips, quiet
from avatar.renderer import BLUR
from avatar.rig import read_manifest
from server.boundary import UsageError, check_suffix
from server.film import film
from server.given import check_file, check_place
from server.progress import Stages
from speech.audio import load_audio
from speech.timeline import Pcm, Speech

LONGEST_S = 600.0
"""Of a recording that a face is to speak."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a face is shown."""

    rig: str = "mira"
    size: int = 512
    framing: str = "square"
    background: str = ""
    ai_label: bool = True
    captions: bool = True
    lips: Path | None = None
    """An ONNX model that redraws the mouth."""

    def check(self) -> None:
        """See that rig, framing, size and files are there; loads nothing.

        Raises:
            UsageError: a file is missing, or there is no such framing.
            AvatarError: the rig or the size will not do.
        """
        frame_of(read_manifest(find_rig(self.rig)), self.size, self.framed)
        wall = background_from(self.background)
        if isinstance(wall, str):
            check_file(Path(wall.removeprefix(BLUR)), 'a PNG or JPEG picture, or a colour such as "#e9eef3"')
        check_file(self.lips, "the ONNX file of a Wav2Lip model")

    def open(self) -> tuple[Renderer, Lettering]:
        """The renderer and what writes on its pictures.

        Raises:
            UsageError: there is no such framing.
            AvatarError: the rig, the size or the background will not do.
        """
        renderer = load_renderer(
            load_rig(find_rig(self.rig)),
            size=self.size,
            background=background_from(self.background),
            framing=self.framed,
        )
        lettering = Lettering(
            size=renderer.width, height=renderer.height, ai_label=self.ai_label, captions=self.captions
        )
        return renderer, lettering

    @property
    def framed(self) -> Framing:
        """The framing.

        Raises:
            UsageError: there is no such framing.
        """
        for framing in FRAMINGS:
            if framing == self.framing:
                return framing
        raise UsageError(f"--framing is one of {', '.join(FRAMINGS)}")

    def open_lips(self) -> NeuralLips | None:
        """What redraws the mouth, if anything does.

        Raises:
            AvatarError: the model will not do.
        """
        return NeuralLips(self.lips, load_rig(find_rig(self.rig))) if self.lips else None


@dataclass(frozen=True, slots=True)
class Manner:
    """How something is said."""

    emotion: str = "neutral"
    intensity: float = 1.0
    gesture: str = ""
    language: str | None = None

    def check(self) -> None:
        """See that its words are known.

        Raises:
            UsageError: one is not.
        """
        if self.emotion not in REPLY_EMOTIONS:
            raise UsageError(f"--emotion is one of {', '.join(REPLY_EMOTIONS)}")
        if not 0 <= self.intensity <= 1:
            raise UsageError("--intensity goes from 0 to 1")
        if self.gesture and self.gesture not in gesture_names():
            raise UsageError(f"--gesture is one of {', '.join(gesture_names())}")


def say(
    out: Path, text: str, *, audio: Path | None, manner: Manner, look: Look, stages: Stages
) -> dict[str, Any]:
    """Film a face that says a text with the built-in voice, or a recording with the recording's own sound.

    Args:
        out: the mp4.
        text: what is said; with `audio`, the words of the recording if they are known.
        audio: a recording to speak.
        manner: emotion, gesture, language.
        look: rig, size, framing, background.
        stages: told of the progress.

    Raises:
        UsageError: nothing to say, or an option that is not known.
        SpeechError, AvatarError: a stage failed; nothing is left behind.
    """
    check_suffix(out, ".mp4")
    manner.check()
    if not text.strip() and audio is None:
        raise UsageError('there is nothing to say; give some words: visavis avatar say "Welcome!"')
    check_file(audio, "a recording of any common format")
    check_place(out)
    look.check()
    lips = look.open_lips()
    renderer, lettering = look.open()
    stages.stage("speaking" if audio is None else "listening to the recording")
    speeches = _recorded(audio, text, manner) if audio is not None else _spoken(text, manner, look.rig)
    performer, poses, cues, sounds = Performer(fps=FPS), list[Pose](), list[Cue](), list[Pcm]()
    rate = speeches[0].sample_rate
    poses += performer.idle(round(LEAD_S * FPS))
    sounds.append(np.zeros(round(LEAD_S * FPS) * rate // FPS, np.float32))
    for number, speech in enumerate(speeches):
        start_s = len(poses) / FPS
        if speech.text:
            sentence = Sentence(speech.text, speech.language, Emotion(manner.emotion, manner.intensity))
            cues += cues_of(Spoken(sentence, speech, start_s, 0.0))
        gesture = manner.gesture if number == 0 else ""
        poses += performer.speak(speech, manner.emotion, manner.intensity, gesture=gesture or None)
        sounds.append(speech.pcm)
    poses += performer.rest(round(TAIL_S * FPS))
    pcm, retouch = np.concatenate(sounds), None
    if lips is not None:
        poses = [quiet(pose) for pose in poses]
        retouch = partial(lips.apply_stream, pcm=pcm, sample_rate=rate, fps=FPS, framing=look.framed)
    clip = film(
        out,
        renderer,
        poses,
        fps=FPS,
        lettering=lettering,
        pcm=pcm,
        sample_rate=rate,
        cues=cues,
        retouch=retouch,
        stages=stages,
    )
    return {
        **_about(clip, renderer, look),
        "emotion": manner.emotion,
        "intensity": manner.intensity,
        "gesture": manner.gesture or None,
        "sentences": [speech.text for speech in speeches],
        "engines": {
            "voice": speeches[0].engine,
            "face": renderer.engine,
            "lips": lips.engine if lips else None,
        },
    }


def play(out: Path, track: Path, *, audio: Path | None, look: Look, stages: Stages) -> dict[str, Any]:
    """Film a face that plays a captured track, with the recording's sound if it is given.

    Raises:
        AvatarError: the track or the rig cannot be read.
        AudioError: the sound cannot.
    """
    from avatar.track import load_track

    check_suffix(out, ".mp4")
    check_file(track, "a track that `visavis avatar capture` wrote")
    check_file(audio, "a recording, or a video with sound")
    check_place(out)
    look.check()
    poses = load_track(track).resampled(FPS).poses
    renderer, lettering = look.open()
    pcm = None if audio is None else load_audio(audio, max_s=LONGEST_S, rate_hz=SOUND_RATE_HZ)
    clip = film(
        out, renderer, poses, fps=FPS, lettering=lettering, pcm=pcm, sample_rate=SOUND_RATE_HZ, stages=stages
    )
    return {
        **_about(clip, renderer, look),
        "track": str(track),
    }


def _spoken(text: str, manner: Manner, rig: str) -> list[Speech]:
    """Each sentence with a voice that suits the rig, with a pause after it."""
    from speech.synthesizer import load_synthesizer

    voice = load_synthesizer(voice=voice_for(rig), languages=("en", "zh"))
    try:
        return [
            whole_frames(
                voice.speak(
                    sentence, emotion=manner.emotion, intensity=manner.intensity, language=manner.language
                ),
                pause_s=PAUSE_S,
            )
            for sentence in split_sentences(text)
        ]
    finally:
        voice.close()


def _recorded(audio: Path, text: str, manner: Manner) -> list[Speech]:
    """The recording, with a timeline that was found by listening to it."""
    from speech.recording import speech_from_audio

    pcm = load_audio(audio, max_s=LONGEST_S, rate_hz=SOUND_RATE_HZ)
    speech = speech_from_audio(pcm, SOUND_RATE_HZ, text.strip() or None, manner.language)
    return [whole_frames(speech, pause_s=0.0)]


def _about(clip: Clip, renderer: Renderer, look: Look) -> dict[str, Any]:
    return {
        "path": str(clip.path),
        "frames": clip.frames,
        "fps": clip.fps,
        "duration_s": clip.duration_s,
        "width": renderer.width,
        "height": renderer.height,
        "rig": look.rig,
        "ai_label": look.ai_label,
    }
