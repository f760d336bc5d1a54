"""Acting: speech, emotion, gestures and life become a run of poses, with no jump between two calls."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from avatar.attention import Attention, Glance, glances, pauses
from avatar.coarticulation import loudness_gain, mouth_track
from avatar.emphasis import beats
from avatar.errors import AvatarError
from avatar.expression import ARRIVE_S, SUSTAIN, expression, head_tilt, speak_over
from avatar.follower import Follower
from avatar.geometry import BLENDSHAPE_INDEX
from avatar.gesture import GAZE, HEAD, SHAPES
from avatar.gesturing import Gesturing, known_gesture
from avatar.life import Life, Moment
from avatar.pose import ARKIT_BLENDSHAPES, Pose
from avatar.style import rate_of, style_of
from speech.timeline import Speech

F32 = NDArray[np.float32]
Look = Literal["idle", "listening", "thinking"]

LIPS_LEAD_S = 0.020
"""The lips move a little before the sound, as they do in people: so opening and loudness agree best."""
MOUTH_RATE, ONSET_RATE = 26.0, 48.0
"""1/s, how fast the mouth leaves the shape in which the last call ended: nine tenths in 0.15 s, and in half
of that where it rested, for the first sound may come at once."""
RESTING = 0.03
"""A mouth below this weight is at rest."""
SPEAKING_RISE_S, BEAT_RISE_S, FOLLOW_RISE_S, ENERGY_RISE_S = 0.12, 0.17, 0.5, 1.0
"""Seconds in which speech takes the mouth, the head takes up a beat, follows the eyes, and calms down."""
FOLLOW = 0.2
"""Share of a look aside that the head does."""
ENERGY = {"idle": 1.0, "listening": 0.75, "thinking": 0.85, "speaking": 1.3}
"""How much the head moves about."""
HEAD_LIMIT_DEG = (11.0, 9.0, 8.0)
"""Yaw, pitch and roll that are never reached, whatever adds up."""
GAZE_LIMIT_DEG = (30.0, 20.0)
REACTIONS: dict[str, tuple[tuple[float, float], tuple[str, ...], tuple[float, float]]] = {
    "listening": ((2.0, 5.0), ("listen", "listen", "nod", "nod", "agree", "attend"), (0.4, 0.75)),
    "idle": ((8.0, 20.0), ("attend", "listen", "welcome"), (0.25, 0.5)),
}
"""What a face does of itself in a state: seconds between two gestures, which ones, and how strongly."""
LOOKS: dict[str, tuple[str, float]] = {
    "idle": ("neutral", 1.0),
    "listening": ("empathetic", 0.22),
    "thinking": ("thinking", 0.8),
}
"""Look → emotion and intensity."""
SHIFT_DEG, SHIFT_BLINK, PAUSE_BLINK, END_BLINK, TURN_BLINK = 5.0, 0.5, 0.35, 0.5, 0.3
"""Chances of a blink: at a shift of gaze of at least so many degrees, in a pause, at the end of a sentence,
and when the conversation changes hands."""
LONGEST_BLINK_S, OPEN_EYES = 0.8, 0.15
"""A double blink is over after so many seconds; eyes that are less closed than this count as open."""
SMALLEST_WEIGHT = 1e-3
"""Weights below this are left out of a pose."""

_BLINKS = [BLENDSHAPE_INDEX["eyeBlinkLeft"], BLENDSHAPE_INDEX["eyeBlinkRight"]]
_WIDES = [BLENDSHAPE_INDEX["eyeWideLeft"], BLENDSHAPE_INDEX["eyeWideRight"]]
_BROWS = [BLENDSHAPE_INDEX[n] for n in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")]


def frame_count(duration_s: float, fps: float) -> int:
    """Frames of a sound: its length × fps, rounded; frame i shows the time (i + ½) / fps."""
    return int(duration_s * fps + 0.5)


def perform(
    speech: Speech,
    emotion: str = "neutral",
    intensity: float = 1.0,
    fps: float = 25.0,
    seed: int = 0,
    start_s: float = 0.0,
    gesture: str | None = None,
) -> list[Pose]:
    """Poses of a face that speaks: `frame_count(speech.duration_s, fps)` of them, frame i at (i + ½) / fps.

    Args:
        speech: sound with its phoneme timeline.
        emotion: one of the seven labels; an unknown one is neutral.
        intensity: 0..1.
        fps: frames a second.
        seed: same seed, same blinks.
        start_s: place of the speech in the face's life, so that consecutive speeches join.
        gesture: one of `gesture_names()`, made while the speech begins.

    Raises:
        AvatarError: there is no such gesture.
    """
    return list(Performer(fps, seed, start_s).speak(speech, emotion, intensity, gesture))


@dataclass(frozen=True, slots=True)
class _Score:
    """What is planned for the frames of one call."""

    mouth: F32
    """float32[n, 53]: mouth weights, and how firmly the lips must close."""
    speaking: F32
    beats: F32
    glances: list[Glance] = field(default_factory=list)
    blinks: list[tuple[float, float]] = field(default_factory=list)
    """Times at which a blink is welcome, and their chances."""


class Performer:
    """One face over time; each call goes on where the last one ended. One session, one performer."""

    def __init__(self, fps: float = 25.0, seed: int = 0, start_s: float = 0.0) -> None:
        self.fps = fps
        self.life = Life(seed)
        self._attention = Attention(seed)
        self._gesturing = Gesturing(seed)
        self._rng = np.random.default_rng([seed, 8])
        self._frame = 0
        self._start_s = start_s
        self._face = Follower(expression("neutral"))
        self._tilt = Follower(np.zeros(3, np.float32))
        self._beat = Follower(np.zeros(4, np.float32))
        self._turn = Follower(np.zeros(2, np.float32))
        self._speaking = Follower(np.zeros(1, np.float32))
        self._energy = Follower(np.ones(1, np.float32))
        self._mouth = np.zeros(SHAPES + 1, np.float32)
        self._mouth_speed = np.zeros(SHAPES + 1, np.float32)
        self._emotion, self._since_s = ("neutral", 1.0), start_s
        self._manner = "idle"
        self._reaction_s = start_s + self._patience_s()

    @property
    def time_s(self) -> float:
        """Seconds of this face's life at the next frame's start."""
        return self._start_s + self._frame / self.fps

    def speak(
        self,
        speech: Speech,
        emotion: str = "neutral",
        intensity: float = 1.0,
        gesture: str | None = None,
    ) -> Iterator[Pose]:
        """Poses of one speech; see `perform`. Closed early, the next call goes on from there."""
        if not math.isfinite(intensity):
            raise AvatarError(f"an intensity of {intensity} cannot be: give 0 to 1")
        if gesture is not None:
            known_gesture(gesture)
        return self._speak(speech, emotion, intensity, gesture)

    def idle(self, n_frames: int, look: Look = "idle") -> Iterator[Pose]:
        """Poses of a face that waits, listens or thinks; in pieces it is the same as in one."""
        none = np.zeros(n_frames, np.float32)
        score = _Score(
            np.zeros((n_frames, SHAPES + 1), np.float32), none, np.zeros((n_frames, 4), np.float32)
        )
        return self._act(score, *LOOKS.get(look, LOOKS["idle"]), look)

    def rest(self, n_frames: int) -> Iterator[Pose]:
        """At least `n_frames` of an idle face, and as many more (a double blink's) as open its eyes.

        What ends here may stand still as a picture: nobody should be caught in a blink.
        """
        shut = 0.0
        for pose in self.idle(n_frames):
            shut = pose.blendshapes.get("eyeBlinkLeft", 0.0)
            yield pose
        for _ in range(int(LONGEST_BLINK_S * self.fps)):
            if shut <= OPEN_EYES:
                return
            for pose in self.idle(1):
                shut = pose.blendshapes.get("eyeBlinkLeft", 0.0)
                yield pose

    def gesture(self, name: str, strength: float = 1.0, after_s: float = 0.0) -> None:
        """Begin a gesture over whatever goes on: speech keeps the lips, an older gesture gives way.

        Args:
            name: one of `gesture_names()`.
            strength: 0..1.5, 1 as designed.
            after_s: seconds from the next frame on.

        Raises:
            AvatarError: there is no such gesture, or a number that is none.
        """
        if not (math.isfinite(strength) and math.isfinite(after_s)):
            raise AvatarError(f"a gesture of strength {strength} after {after_s} s cannot be: give numbers")
        self._gesturing.begin(name, self.time_s + max(after_s, 0.0), strength)

    def _speak(self, speech: Speech, emotion: str, intensity: float, gesture: str | None) -> Iterator[Pose]:
        count = frame_count(speech.duration_s, self.fps)
        times = ((np.arange(count) + 0.5) / self.fps).astype(np.float32)
        gain = loudness_gain(speech.pcm, speech.sample_rate, times)
        style = style_of(emotion, intensity, rate_of(speech.phonemes))
        mouth, closure = mouth_track(speech.phonemes, times + np.float32(LIPS_LEAD_S), gain, style)
        speaking = np.clip(mouth.max(axis=1, initial=0.0) / 0.12, 0, 1)
        # what speaks now still speaks between two sounds: hold over a fifth of a second
        speaking = _held(speaking, max(1, int(0.2 * self.fps)))
        ends = [(p.start_s + 0.02, PAUSE_BLINK) for p in pauses(speech.phonemes)]
        ends += [(p.end_s, END_BLINK) for p in speech.phonemes if p.symbol][-1:]
        away = glances(speech.phonemes, emotion, self._rng)
        if gesture is not None:
            self.gesture(gesture)
            # who greets or confirms does not look away; a gesture that does has a gaze of its own
            away = [glance for glance in away if glance.start_s >= known_gesture(gesture).end_s]
        moved = beats(speech, times, emotion, self._rng)
        score = _Score(np.column_stack([mouth, closure]), speaking, moved, away, ends)
        yield from self._act(score, emotion, intensity, "speaking")

    def _act(self, score: _Score, emotion: str, intensity: float, manner: str) -> Iterator[Pose]:
        if not len(score.mouth):
            return
        if (emotion, intensity) != self._emotion:
            self._emotion, self._since_s = (emotion, intensity), self.time_s
        if manner != self._manner:
            self._manner = manner
            self.life.cue_blink(self.time_s, TURN_BLINK)
            self._reaction_s = self.time_s + 0.6 * self._patience_s()
        begin_s = self.time_s
        first, next_ = score.mouth[0], score.mouth[min(1, len(score.mouth) - 1)]
        gap = self._mouth - (2 * first - next_)
        gap_speed = self._mouth_speed - (next_ - first) * self.fps
        rate = ONSET_RATE if self._mouth.max() < RESTING else MOUTH_RATE
        for i, planned in enumerate(score.mouth):
            # the difference to the last shape dies away like a critically damped spring: no kink in the lips
            since = (i + 1) / self.fps
            rest = (gap + (gap_speed + rate * gap) * since) * math.exp(-rate * since)
            # nothing left over may hold the lips open where they must close
            rest *= 1.0 - float(planned[-1]) * min(since / 0.12, 1.0)
            mouth = np.clip(planned + rest, 0, 1).astype(np.float32)
            self._mouth_speed, self._mouth = (mouth - self._mouth) * self.fps, mouth
            now = (i + 0.5) / self.fps
            glance = next((g for g in score.glances if g.start_s <= now < g.end_s), None)
            for cue_s, chance in score.blinks:
                if now - 1 / self.fps < cue_s <= now:
                    self.life.cue_blink(begin_s + now, chance)
            pose = self._pose(float(score.speaking[i]), score.beats[i], glance)
            self._frame += 1
            yield pose

    def _pose(self, speaking: float, beat: F32, glance: Glance | None) -> Pose:
        step = 1 / self.fps
        now = self._start_s + (self._frame + 0.5) * step
        self._react(now)
        overlay = self._gesturing.at(now)
        left, up = self._attention.look(now, self._manner, glance)
        if self._attention.shift_deg >= SHIFT_DEG:
            self.life.cue_blink(now, SHIFT_BLINK)
        moment = self.life.at(now)

        emotion, intensity = self._worn(now, moment)
        rise_s = ARRIVE_S.get(emotion, ARRIVE_S["neutral"])
        face = self._face.step(expression(emotion, intensity), step, rise_s)
        # a gesture takes its share of what is still free: a smile upon a smile is no grimace
        face = face + overlay[:SHAPES] * (1 - face)
        spoken = self._speaking.step(np.array([speaking], np.float32), step, SPEAKING_RISE_S)
        moved = self._beat.step(beat, step, BEAT_RISE_S)
        mouth, closure = self._mouth[:SHAPES], self._mouth[SHAPES:]
        weights = speak_over(face[None], mouth[None], spoken, closure)[0]
        weights[_BROWS] += moved[3]
        weights[_BLINKS] = np.maximum(weights[_BLINKS], moment.blink)
        # a closing lid takes the widened eye with it
        weights[_WIDES] *= 1 - weights[_BLINKS]
        weights = np.clip(weights, 0, 1)

        left, up = left + float(overlay[GAZE][0]), up + float(overlay[GAZE][1])
        turn = self._turn.step(np.array([left, up], np.float32) * FOLLOW, step, FOLLOW_RISE_S)
        energy = float(self._energy.step(np.full(1, ENERGY.get(self._manner, 1.0)), step, ENERGY_RISE_S)[0])
        tilt = self._tilt.step(head_tilt(emotion, intensity), step, rise_s)
        free = tilt + moved[:3] + overlay[HEAD] + np.array([turn[0], -turn[1], 0.0])
        free += energy * np.array(moment.head)
        yaw, pitch, roll = (
            limit * math.tanh(float(angle) / limit) for angle, limit in zip(free, HEAD_LIMIT_DEG, strict=True)
        )
        # the eyes stay on what they look at while the head moves
        left, up = left + moment.gaze[0] - yaw, up + moment.gaze[1] + pitch
        return Pose(
            blendshapes={
                n: float(w) for n, w in zip(ARKIT_BLENDSHAPES, weights, strict=True) if w >= SMALLEST_WEIGHT
            },
            head=(yaw, pitch, roll),
            gaze=(_within(left, GAZE_LIMIT_DEG[0]), _within(up, GAZE_LIMIT_DEG[1])),
            breath=moment.breath,
        )

    def _worn(self, now: float, moment: Moment) -> tuple[str, float]:
        """The emotion and how strongly it is worn just now: it comes fully, settles, and lives."""
        emotion, intensity = self._emotion
        keeps, after_s, fall_s = SUSTAIN.get(emotion, SUSTAIN["neutral"])
        settled = 1.0 - math.exp(-max(now - self._since_s - after_s, 0.0) / fall_s)
        return emotion, intensity * (1.0 - (1.0 - keeps) * settled) * (0.95 + 0.05 * moment.vigour)

    def _react(self, now: float) -> None:
        """While the visitor speaks, a nod or a smile; while nobody does, a look up now and then."""
        if now < self._reaction_s:
            return
        self._reaction_s = now + self._patience_s()
        _, names, size = REACTIONS[self._manner]
        if not self._gesturing.busy(now):
            name = names[int(self._rng.integers(len(names)))]
            self._gesturing.begin(name, now, float(self._rng.uniform(*size)))

    def _patience_s(self) -> float:
        if self._manner not in REACTIONS:
            return math.inf
        return float(self._rng.uniform(*REACTIONS[self._manner][0]))


def _within(angle: float, limit: float) -> float:
    return min(max(angle, -limit), limit)


def _held(values: F32, frames: int) -> F32:
    """Running maximum over the last and next `frames`, then smoothed as long."""
    if len(values) < frames:
        return values
    padded = np.pad(values, frames, mode="constant")
    highest = np.max(np.lib.stride_tricks.sliding_window_view(padded, 2 * frames + 1), axis=1)
    return np.convolve(highest, np.ones(frames) / frames, mode="same").astype(np.float32)
