"""Replays in sound: a voice into the microphone, the desk's real ears, voice and face, in virtual time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from agent.clock import MediaClock
from agent.conversation import Conversation
from agent.conversation_events import ConversationEvent, HeardWords, TurnEnded
from agent.ears import Ears
from agent.events import Spoken
from agent.painter import Painter
from agent.stage import Stage
from evals.replay.course import begun, measured, played
from evals.replay.desk import DeskUnderTest
from evals.replay.driver import UNANSWERED_S
from evals.replay.media_probe import MediaProbe, Through
from evals.replay.microphone_feed import MicrophoneFeed
from evals.replay.probe import OWN_CLOCK, Probe
from evals.replay.record import ConversationRecord, TurnRecord
from evals.replay.tape import Tape
from evals.replay.transcribing import transcribe_replies
from evals.replay.virtual_time import VirtualLoop
from evals.scripts import Script, ScriptError

NO_SOUND, CUT_OFF = "no_sound", "cut_off"
"""Notices: nothing of a reply was audible; the visitor was answered before they were done."""
FADE_S = 0.08
"""How much longer than to its end a reply that was cut may sound: in that moment it fades."""


def replay_audio(
    desk: DeskUnderTest,
    script: Script,
    *,
    repeat: int = 0,
    folder: Path | None = None,
    video: bool = False,
    transcribe: bool = False,
    through: Through = lambda renderer: renderer,
) -> ConversationRecord:
    """Replay a script in sound.

    Args:
        desk: opened with mode "audio".
        script: what is said.
        repeat: which replay of it, from 0.
        folder: where sound, and video, are kept; None: nowhere.
        video: draw the face, and measure the pictures; else lips are measured by the poses.
        transcribe: recognise the replies' sound, too.
        through: put around what draws the face: planted faults.

    Raises:
        ScriptError: what the script names is missing, or this machine cannot hear its language.
        AvatarError: the face cannot be drawn, or the video not be written.
    """
    check_hearing(desk, script)
    record = begun(desk, script, "audio", repeat)
    with measured(desk, script, record) as loop:
        replay = _Replay(loop, desk, script, repeat)
        with MediaProbe.of(desk, script, repeat, folder, video=video, through=through) as media:
            loop.run_until_complete(replay.run(record, media))
            record.media = media.measured(replay.tape, replay.feed)
        record.media.silent_replies = sum(NO_SOUND in turn.notices for turn in record.turns)
        record.engines["lips"] = media.lips
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

    def __init__(self, loop: VirtualLoop, desk: DeskUnderTest, script: Script, repeat: int) -> None:
        self._loop, self._desk, self._script, self._repeat = loop, desk, script, repeat
        self.probe = HearingProbe(loop, desk, script)

    async def run(self, record: ConversationRecord, media: MediaProbe) -> None:
        """Replay it."""
        loop, desk, script, probe = self._loop, self._desk, self._script, self.probe
        engines = desk.engines
        self.tape = tape = Tape(loop.time, media.see)
        stage = _NotingStage(media.painter, probe, seed=script.fixtures.seed + self._repeat)
        conversation = Conversation(
            engines,
            stage,
            ears=Ears(engines.recognizer, turn_end=engines.turn_end),
            on_event=probe.take,
            language=script.language,
            clock=loop.time,
        )
        conversation.people.staff = probe.staff
        self.feed = feed = MicrophoneFeed(script, self._repeat, probe, conversation.hear, tape, loop.time)
        clock = MediaClock(now=loop.time, sleep=asyncio.sleep)
        running = [asyncio.create_task(clock.run(stage, lambda: (tape,))), asyncio.create_task(feed.run())]
        try:
            await played(conversation, probe, feed, script, record)
        finally:
            for task in running:
                task.cancel()
            for task in running:
                with suppress(asyncio.CancelledError):
                    await task
        for number, turn in enumerate(probe.turns):
            listen(tape, turn, probe.turns[number - 1] if number else None)


class HearingProbe(Probe):
    """A probe whose times count from the visitor's last voiced sample.

    Args:
        loop: of the replay.
        desk: whose calls are written down.
        script: being replayed.
    """

    def __init__(self, loop: VirtualLoop, desk: DeskUnderTest, script: Script) -> None:
        super().__init__(loop.time, loop.lived, desk.calls, script.fixtures.people)
        self._loop = loop
        self._ready: tuple[float, float] | None = None

    def asked(self) -> None:
        """The visitor has fallen silent; what was answered before belongs to a part of what they say."""
        super().asked()
        turn = self.turns[-1]
        if (ended_s := turn.reply_ended_s) is None:
            return
        turn.reply_ended_s = None

        def restore() -> None:
            """Nothing more came of it: that was the answer."""
            if turn.reply_ended_s is None and self.quiet:
                turn.reply_ended_s = ended_s
                self.changed.set()

        self._loop.call_later(UNANSWERED_S, restore)

    def take(self, event: ConversationEvent) -> None:
        """Take an event; see `Probe.take`."""
        if isinstance(event, HeardWords) and event.final and self.turns:
            turn = self._turn(event.turn)
            if turn is self.turns[-1] and turn.reply_began_s is not None:
                # the desk answered a part of it, and now takes the whole
                turn.notices.append(CUT_OFF)
                turn.reply_began_s = turn.reply_ended_s = None
                turn.timings_ms.clear()
        super().take(event)

    def first_said(self) -> None:
        """The first sentence of a reply is there: what is computed from now on delays it no more."""
        self._ready = self._loop.time(), self._since_asked()

    def _first_sound_ms(self) -> float:
        if self._ready is None:
            return self._since_asked()
        at_s, since_ms = self._ready
        return round(since_ms + (self._loop.time() - at_s) * 1e3, 1)

    def _ended(self, event: TurnEnded) -> None:
        super()._ended(event)
        turn = self._turn(event.turn)
        own = event.timings_ms.get("first_sound")
        if turn is None or own is None or turn.reply_began_s is None:
            return
        # The conversation counts from where it believes that the voice ended.
        late_ms = (turn.reply_began_s - turn.ended_s) * 1e3 - own
        for name in OWN_CLOCK:
            if name in turn.timings_ms:
                turn.timings_ms[name] = round(turn.timings_ms[name] + late_ms, 1)


class _NotingStage(Stage):
    """A stage that tells when a reply's first sentence came."""

    def __init__(self, painter: Painter, probe: HearingProbe, *, seed: int) -> None:
        super().__init__(painter, seed=seed)
        self._probe = probe

    def say(self, spoken: Spoken) -> None:
        """Append a sentence; see `Stage.say`."""
        if not self.replying:
            self._probe.first_said()
        super().say(spoken)


def listen(tape: Tape, turn: TurnRecord, before: TurnRecord | None) -> None:
    """Correct a turn's times by what was heard: by samples, not by moments and events.

    Args:
        tape: of the replay.
        turn: to be corrected.
        before: the turn before it.
    """
    if turn.reply_began_s is not None:
        end_s = turn.reply_ended_s if turn.reply_ended_s is not None else tape.time(tape.count)
        first_s = tape.first_audible_s(turn.reply_began_s, end_s)
        if first_s is None:
            turn.notices.append(NO_SOUND)
            turn.timings_ms.pop("first_sound", None)
        elif "first_sound" in turn.timings_ms:
            turn.timings_ms["first_sound"] += round((first_s - turn.reply_began_s) * 1e3, 1)
    if turn.yielded_ms is not None and before is not None and before.reply_ended_s is not None:
        begin_s = before.reply_began_s if before.reply_began_s is not None else turn.began_s
        until_s = min(before.reply_ended_s + FADE_S, turn.reply_began_s or float("inf"))
        last_s = tape.last_audible_s(begin_s, until_s)
        turn.yielded_ms = round(max((last_s or turn.began_s) - turn.began_s, 0.0) * 1e3, 1)
