"""The visitor's microphone: voice, noise, room and echo, mixed and sent to the desk all the time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import numpy as np

from agent.line import MOMENT_S, RATE_HZ, SAMPLES, Sound
from evals.replay.noise import noise_of
from evals.replay.opus_line import PIECES, Line, floats, whole
from evals.replay.probe import Probe
from evals.replay.room import Telephone, reverberant
from evals.replay.visitor_voice import utterance_of
from evals.scripts import Script, Turn
from evals.scripts.script import Voice
from speech.loudness import SPEECH_LEVEL
from speech.timeline import Pcm

PIECE_S = MOMENT_S / PIECES
"""Between two packets: 20 ms."""


class Played(Protocol):
    """Knows what the desk's loudspeaker plays."""

    def between(self, begin_s: float, length: int) -> Sound:
        """Return int16[length] at 48 kHz from a time on; zeros where nothing was played."""


class MicrophoneFeed:
    """Hears for the desk, from `run` on, in the loop's time; the mouth of an audio replay.

    Args:
        script: what is said, and how it sounds.
        repeat: which replay of it.
        probe: told exactly when the voice began and ended.
        line: takes what is heard to the desk.
        played: what comes back as echo.
        clock: seconds.
    """

    def __init__(
        self,
        script: Script,
        repeat: int,
        probe: Probe,
        line: Line,
        played: Played,
        clock: Callable[[], float],
    ) -> None:
        self._script, self._repeat, self._probe = script, repeat, probe
        self._played, self._clock = played, clock
        self._line = line
        self.began_s = 0.0
        """When its first sample was."""
        self.sound: list[Sound] = []
        """What it picked up, 40 ms each, before the line."""
        self.late_s = 0.0
        """How much later than at its time a packet left, at worst: a busy machine's, in real time."""
        self._voices: list[tuple[int, Pcm]] = []
        """What is being said: number of its first sample, and its samples."""
        self._room = Room(script, script.voice, repeat)
        self._saying: tuple[int, str, float, float] = (-1, "", 0.0, 0.0)
        """The latest utterance: number, words, when it begins and ends."""

    def said(self) -> tuple[int, str, float]:
        """Return the latest utterance: its number, its words, and the share of it that has sounded."""
        number, words, begins_s, ends_s = self._saying
        share = (self._clock() - begins_s) / max(ends_s - begins_s, 1e-6)
        return number, words, min(max(share, 0.0), 1.0)

    async def run(self) -> None:
        """Hear until cancelled."""
        self.began_s = self._clock()
        while True:
            # Both packets of 40 ms are made when the first one is full: what is said is known ahead.
            index = len(self.sound)
            await self._until(self.began_s + index * MOMENT_S + PIECE_S)
            mixed = self._mixed(index)
            self.sound.append(mixed)
            for number, packet in enumerate(self._line.packets(mixed, index)):
                await self._until(self.began_s + index * MOMENT_S + (number + 1) * PIECE_S)
                self._line.arrive(packet)

    async def say(self, turn: Turn, words: str, *, over: bool) -> None:
        """Say a turn; see `evals.replay.driver.Mouth`."""
        script = self._script
        number = self._probe.turns[-1].number
        said = utterance_of(script, number, words, self._repeat)
        voice = turn.voice or script.voice
        if self._room.voice != voice:
            self._room = Room(script, voice, self._repeat)
        pcm = reverberant(said.pcm[said.first :], voice.room_s, f"{script.fixtures.seed + self._repeat}")
        begin = max(len(self.sound) * SAMPLES, round((self._clock() - self.began_s) * RATE_HZ))
        self._voices.append((begin, pcm))
        self._probe.turns[-1].began_s = round(self._time(begin), 4)
        self._probe.turns[-1].pauses_s = said.pauses_s
        ends_s = self._time(begin + said.last - said.first)
        self._saying = (number, words, self._time(begin), ends_s)
        await self._until(ends_s)

    def rest(self) -> None:
        """The microphone stays open, as microphones do."""

    def _mixed(self, index: int) -> Sound:
        begin = index * SAMPLES
        mix = np.zeros(SAMPLES, np.float32)
        for first, pcm in self._voices:
            low, high = max(first, begin), min(first + len(pcm), begin + SAMPLES)
            if low < high:
                mix[low - begin : high - begin] += pcm[low - first : high - first]
        self._voices = [(first, pcm) for first, pcm in self._voices if first + len(pcm) > begin + SAMPLES]
        return whole(self._room.heard(mix, begin, self._echo))

    def _echo(self, begin: int, delay_s: float) -> Pcm:
        return floats(self._played.between(self._time(begin) - delay_s, SAMPLES))

    def _time(self, sample: int) -> float:
        return self.began_s + sample / RATE_HZ

    async def _until(self, at_s: float) -> None:
        if (left_s := at_s - self._clock()) > 0:
            await asyncio.sleep(left_s)
        self.late_s = max(self.late_s, self._clock() - at_s)


def prepare(script: Script, repeat: int) -> None:
    """Make all voices and noises of a script, which are then at hand: in real time nobody waits for them.

    Raises:
        ScriptError: what it names is missing, or cannot be said.
    """
    for number, turn in enumerate(script.turns):
        if words := script.said(turn) or turn.wav:
            utterance_of(script, number, words, repeat)
            Room(script, turn.voice or script.voice, repeat)


class Room:
    """What a microphone hears beside the voice, and how the line narrows it.

    Args:
        script: names the noise.
        voice: of the script, or of a turn.
        repeat: which replay.
    """

    def __init__(self, script: Script, voice: Voice, repeat: int) -> None:
        self.voice = voice
        self._noise: Pcm | None = None
        if voice.noise is not None:
            level = SPEECH_LEVEL * 10 ** (-voice.noise.snr_db / 20)
            self._noise = noise_of(voice.noise, script, repeat) * np.float32(level)
        self._telephone = Telephone() if voice.telephone else None

    def heard(self, mix: Pcm, begin: int, echo: Callable[[int, float], Pcm]) -> Pcm:
        """Add to a voice's float32[n] at 48 kHz what else is heard.

        Args:
            mix: the voice.
            begin: number of its first sample.
            echo: gives what the loudspeaker played so many seconds before such a sample.
        """
        if self._noise is not None:
            place = (np.arange(len(mix)) + begin) % len(self._noise)
            mix = mix + self._noise[place]
        if (back := self.voice.echo) is not None:
            # its packet is made 20 ms before its last sample: nothing comes back sooner
            delay_s = max(back.delay_ms / 1e3, PIECE_S)
            mix = mix + echo(begin, delay_s) * np.float32(10 ** (back.level_db / 20))
        return self._telephone.carry(mix) if self._telephone is not None else mix
