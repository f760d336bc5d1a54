"""Replays in sound: a voice into the microphone, the desk's real ears, voice and face, in virtual time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from agent.clock import MediaClock
from agent.conversation import Conversation
from agent.ears import Ears
from agent.events import Spoken
from agent.painter import Painter
from agent.stage import Stage
from evals.replay.course import begun, measured, played
from evals.replay.desk import DeskUnderTest
from evals.replay.drawn_face import Through
from evals.replay.hearing_probe import NO_SOUND, HearingProbe, listen
from evals.replay.media_probe import MediaProbe
from evals.replay.microphone_feed import MicrophoneFeed
from evals.replay.opus_line import LineIn
from evals.replay.record import ConversationRecord
from evals.replay.sounded import Sounded
from evals.replay.tape import Tape
from evals.replay.told_words import ToldEars, ToldWords
from evals.replay.transcribing import transcribe_replies
from evals.replay.virtual_time import VirtualLoop
from evals.scripts import Script, ScriptError
from evals.scripts.script import LONGEST_AUDIO_S


def replay_audio(
    desk: DeskUnderTest,
    script: Script,
    *,
    repeat: int = 0,
    folder: Path | None = None,
    label: str = "",
    video: bool = False,
    transcribe: bool = False,
    told: bool = False,
    through: Through = lambda renderer: renderer,
) -> ConversationRecord:
    """Replay a script in sound.

    Args:
        desk: opened with mode "audio".
        script: what is said.
        repeat: which replay of it, from 0.
        folder: where sound, and video, are kept; None: nowhere.
        label: put behind the files' names, where several desks say the same script.
        video: draw the face, and measure the pictures; else lips are measured by the poses.
        transcribe: recognise the replies' sound, too.
        told: take the script's words for what was heard: only the recogniser is left out.
        through: put around what draws the face: planted faults.

    Raises:
        ScriptError: what the script names is missing, or this machine cannot hear its language.
        AvatarError: the face cannot be drawn, or the video not be written.
    """
    if not told:
        check_hearing(desk, script)
    record = begun(desk, script, "audio", repeat)
    name = f"{script.id}-{repeat}{label}"
    with measured(desk, script, record) as loop:
        replay = _Replay(loop, desk, script, repeat, told=told)
        with MediaProbe.of(desk, name, folder, video=video, through=through) as media:
            loop.run_until_complete(replay.run(record, media))
            record.media = media.measured(replay.tape, replay.feed)
        record.media.silent_replies = sum(NO_SOUND in turn.notices for turn in record.turns)
        record.engines["lips"] = media.lips
        if told:
            record.engines["recognition"] = ToldWords.engine
        if transcribe:
            transcribe_replies(record, replay.tape, desk.engines.recognizer)
    return record


def check_hearing(desk: DeskUnderTest, script: Script) -> None:
    """Refuse a script that cannot be heard here.

    Raises:
        ScriptError: the desk's recogniser does not know the language.
    """
    recognizer = desk.engines.recognizer
    if recognizer is None or script.language in recognizer.languages:
        return
    raise ScriptError(
        f"{recognizer.engine} hears {', '.join(recognizer.languages)}, not {script.language}: run "
        "`visavis models pull whisper-base`, or replay it with --mode text",
        script.file,
        script.line("language"),
    )


class _Replay:
    """One script on one loop."""

    def __init__(
        self, loop: VirtualLoop, desk: DeskUnderTest, script: Script, repeat: int, *, told: bool
    ) -> None:
        self._told = told
        self._loop, self._desk, self._script, self._repeat = loop, desk, script, repeat
        self.probe = HearingProbe(loop.time, loop.lived, desk.calls, script.fixtures.people)

    async def run(self, record: ConversationRecord, media: MediaProbe) -> None:
        """Replay it."""
        loop, desk, script, probe = self._loop, self._desk, self._script, self.probe
        engines = desk.engines
        self.tape = tape = Tape(loop.time, media.see)
        stage = _NotingStage(media.painter, probe, seed=script.fixtures.seed + self._repeat)
        conversation = Conversation(
            engines,
            stage,
            ears=self._ears(),
            on_event=probe.take,
            language=script.language,
            clock=loop.time,
        )
        conversation.people.staff = probe.staff
        line = LineIn(conversation.hear, loop.time)
        self.feed = feed = MicrophoneFeed(script, self._repeat, probe, line, tape, loop.time)
        clock = MediaClock(now=loop.time, sleep=asyncio.sleep)
        running = [asyncio.create_task(clock.run(stage, lambda: (tape,))), asyncio.create_task(feed.run())]
        try:
            async with asyncio.timeout(LONGEST_AUDIO_S):
                await played(conversation, probe, feed, script, record)
        except TimeoutError:
            most = f"{LONGEST_AUDIO_S:,.0f} s of its own time"
            raise ScriptError(f"it lasts longer than {most}: split it", script.file) from None
        finally:
            for task in running:
                task.cancel()
            for task in running:
                with suppress(asyncio.CancelledError):
                    await task
        listen(tape, probe.turns)
        stage.sounded.listen(tape)
        stage.sounded.judge(probe.turns)

    def _ears(self) -> Ears:
        engines = self._desk.engines
        above_db = engines.desk.settings.hearing.above_background_db
        if not self._told:
            return Ears(engines.recognizer, turn_end=engines.turn_end, above_background_db=above_db)
        words = ToldWords(lambda: self.feed.said(), self._script.language)
        return ToldEars(words, turn_end=engines.turn_end, above_background_db=above_db)


class _NotingStage(Stage):
    """A stage that tells when a reply's first sentence came."""

    def __init__(self, painter: Painter, probe: HearingProbe, *, seed: int) -> None:
        super().__init__(painter, seed=seed)
        self._probe = probe
        self.sounded = Sounded()

    def say(self, spoken: Spoken) -> None:
        """Append a sentence; see `Stage.say`."""
        if not self.replying:
            self._probe.first_said()
        self.sounded.say(spoken, first=not self.replying)
        super().say(spoken)
