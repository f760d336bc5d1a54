"""Turn taking: when the visitor's turn ends, and what to do when they speak over a reply.

A state machine without I/O and without a clock. It is told what happens and when (`now_s`, seconds of one
monotonic clock), and answers with commands, to be followed in their order.

While somebody speaks or may go on, an utterance is open. Exactly one of `Commit` and `Ignore` closes it. A
reply lasts from `Commit` (a greeting: from its first sound) until `reply_ended`, a `Cancel`, or a `Commit`
that is joined to it. While it is held (`Pause`), the visitor's words decide what becomes of it, or a timer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.finished import sounds_finished
from agent.overheard import reason_to_ignore
from agent.turn_commands import (
    CancelReason,
    Command,
    Commit,
    Discard,
    Ignore,
    IgnoreReason,
    Prepare,
    Recognize,
    ShowState,
    TurnState,
)
from agent.turn_end import TurnEnd
from agent.turn_records import Questions, Utterance, Words
from agent.turn_reply import ReplyTurn
from agent.turn_settings import TurnSettings


class TurnTaker:
    """Decides whose turn it is; see the module. Not thread-safe, needs no clean-up.

    Args:
        settings: how long it waits.
        finished: how finished a text in a language sounds, 0..1.
        is_echo: whether words that began to be heard at a time are the avatar's own.
    """

    def __init__(
        self,
        settings: TurnSettings | None = None,
        *,
        finished: Callable[[str, str], float] = sounds_finished,
        is_echo: Callable[[str, float], bool] | None = None,
    ) -> None:
        self.settings = settings or TurnSettings()
        self._is_echo = is_echo
        self._utterance: Utterance | None = None
        self._utterances = 0
        self._questions = Questions()
        self._commands: list[Command] = []
        self._shown = TurnState.LISTENING
        self._avatar = ReplyTurn(self.settings, self._give)
        self._end = TurnEnd(self.settings, finished)

    @property
    def state(self) -> TurnState:
        """Whose turn it is."""
        return self._avatar.state

    @property
    def utterance(self) -> int | None:
        """Number of the utterance that is open."""
        return self._utterance.number if self._utterance is not None else None

    # What happens

    def speech_started(self, now_s: float, since_s: float) -> list[Command]:
        """Somebody speaks, since `since_s`; to be told as soon as it is sure."""
        since_s = min(since_s, now_s)
        utterance = self._utterance
        if utterance is None:
            self._utterances += 1
            joins = self._avatar.joins(since_s)
            self._utterance = Utterance(self._utterances, since_s, since_s, since_s, joins=joins)
        elif not utterance.voiced and not utterance.capped:
            utterance.voiced, utterance.waved = True, False
            utterance.since_s = max(since_s, utterance.last_s)
            utterance.end_s = utterance.prepare_at_s = None
        return self._done(now_s)

    def speech_ended(self, now_s: float, last_s: float) -> list[Command]:
        """It is silent again, since `last_s`. To be told, too, when the microphone is muted."""
        utterance = self._utterance
        if utterance is None:
            self._give(Ignore(IgnoreReason.OVERLONG))
        elif utterance.voiced:
            utterance.pause(min(last_s, now_s))
            self._ask(now_s, utterance)
        return self._done(now_s)

    def words(
        self,
        now_s: float,
        text: str,
        confidence: float,
        language: str,
        *,
        asked: int | None = None,
        ending: float | None = None,
        voice: float | None = None,
    ) -> list[Command]:
        """The recogniser's answer to `Recognize`: all words of the utterance so far.

        Args:
            now_s: now.
            text: empty where there are none.
            confidence: 0..1.
            language: ISO 639-1.
            asked: the number that came with the question; None where each is answered, in their order.
            ending: how surely the last words were heard, 0..1; None: as surely as the others.
            voice: how finished the voice sounds, 0..1, by `speech.smart_turn`; None: not told.
        """
        number, owner = self._questions.answered(asked)
        utterance = self._utterance
        if utterance is not None and utterance.number == owner:
            newest = number == utterance.asked
            if newest:
                utterance.asked_s, utterance.heard_s = None, now_s
            certain = confidence if ending is None else ending
            words = Words(" ".join(text.split()), language, confidence, certain, voice)
            reason = self._reason_to_ignore(now_s, utterance, words)
            if reason is IgnoreReason.ECHO:
                self._avatar.echoes += not utterance.voiced
            elif reason is None and self._avatar.reply is not None:
                self._avatar.echoes = 0
            if newest and not utterance.voiced:
                self._hear(now_s, utterance, words, reason)
            else:
                self._overhear(now_s, utterance, words, reason)
        return self._done(now_s)

    def reply_began(self, now_s: float) -> list[Command]:
        """The first sound of the reply left."""
        self._avatar.began(now_s)
        return self._done(now_s)

    def reply_lasts(self, now_s: float, until_s: float, *, last: bool) -> list[Command]:
        """The reply's sound, as far as there is any, lasts until `until_s`; `last`: it is complete."""
        self._avatar.lasts(until_s, last=last)
        return self._done(now_s)

    def reply_ended(self, now_s: float) -> list[Command]:
        """The last sound of the reply left, or nothing comes any more."""
        if self._avatar.reply is not None and self._utterance is not None:
            self._utterance.reply_over_s = now_s
        self._avatar.ended(now_s)
        return self._done(now_s)

    def typed(self, now_s: float, text: str) -> list[Command]:
        """The visitor wrote something; what they had begun to say comes before it."""
        text = " ".join(text.split())
        if not text:
            return self._done(now_s)
        utterance, joined, language = self._utterance, self._avatar.thinking, ""
        if utterance is not None:
            if utterance.text:
                text, language = f"{utterance.text} {text}", utterance.language
                joined = joined or self._joined(utterance)
            self._close(utterance, IgnoreReason.TYPED)
        if not joined:
            self._avatar.cancel(now_s, CancelReason.TYPED)
        self._utterances += 1
        self._commit(now_s, Commit(self._utterances, text, language, joined))
        return self._done(now_s)

    def stop(self, now_s: float) -> list[Command]:
        """The stop button: no reply any more, and nothing of what was being said."""
        if self._utterance is not None:
            self._close(self._utterance, IgnoreReason.STOPPED)
        self._avatar.cancel(now_s, CancelReason.STOPPED)
        return self._done(now_s)

    def expect_dictation(self, on: bool) -> None:
        """A number, an e-mail or a postal address is about to be given, or was: wait longer for its end."""
        self._end.dictation = on

    def tick(self, now_s: float, silence_s: float | None = None) -> list[Command]:
        """Look at the timers; to be called every 20 to 40 ms.

        Args:
            now_s: now.
            silence_s: since the last voice, sure or not: a turn does not end in the middle of a sound that
                may be the beginning of a word. None: not known.
        """
        self._end.silence_s = silence_s
        return self._done(now_s)

    # What words mean

    def _reason_to_ignore(self, now_s: float, utterance: Utterance, words: Words) -> IgnoreReason | None:
        if self._is_echo is not None and self._is_echo(words.text, utterance.began_s):
            return IgnoreReason.ECHO
        said = self._avatar.overheard(now_s, utterance, words)
        return reason_to_ignore(said, self.settings)

    def _hear(self, now_s: float, utterance: Utterance, words: Words, reason: IgnoreReason | None) -> None:
        """Take the words of an utterance that may be over."""
        if reason is IgnoreReason.NO_WORDS and utterance.text:
            # they were heard before
            reason, words = None, replace(words, text=utterance.text, language=utterance.language)
        if reason is not None:
            if reason is IgnoreReason.STOP:
                self._avatar.cancel(now_s, CancelReason.STOPPED)
            self._close(utterance, reason)
            return
        self._mean(now_s, utterance, words)
        if utterance.prepared is not None and not utterance.prepared_for(words.text):
            self._discard(utterance)
        self._end.expect(now_s, utterance, words)

    def _overhear(
        self, now_s: float, utterance: Utterance, words: Words, reason: IgnoreReason | None
    ) -> None:
        """Take words of an utterance that goes on: they may end a reply, never a turn."""
        if reason is None:
            self._mean(now_s, utterance, words)
        elif reason is IgnoreReason.STOP:
            self._avatar.cancel(now_s, CancelReason.STOPPED)
        elif utterance.voiced and self._avatar.doubted_s(now_s, utterance) >= self.settings.false_alarm_s:
            self._avatar.wave(now_s, utterance)

    def _mean(self, now_s: float, utterance: Utterance, words: Words) -> None:
        """Words that mean something: they end a reply, or hold the one that they belong to."""
        utterance.text, utterance.language = words.text, words.language
        if not utterance.joins:
            self._avatar.cancel(now_s, CancelReason.INTERRUPTED)
        else:
            self._avatar.hold(now_s)

    # Timers

    def _done(self, now_s: float) -> list[Command]:
        """Do what is due; returns the commands given since the last time."""
        self._questions.forget(now_s - 2 * self.settings.words_timeout_s)
        self._avatar.watch(now_s)
        utterance = self._utterance
        if utterance is not None:
            if not utterance.capped and now_s - utterance.began_s >= self.settings.longest_s:
                self._cap(now_s, utterance)
            if utterance.voiced:
                if self._avatar.spoken_over(now_s, utterance):
                    self._ask(now_s, utterance, interim=True)
            elif utterance.asked_s is not None:
                self._wait(now_s, utterance, utterance.asked_s)
            else:
                self._finish(now_s, utterance)
        if self._utterance is None:
            self._avatar.resume(now_s)  # whatever held it has come to nothing
        if self.state is not self._shown:
            self._shown = self.state
            self._give(ShowState(self._shown))
        commands, self._commands = self._commands, []
        return commands

    def _cap(self, now_s: float, utterance: Utterance) -> None:
        """End an overlong utterance, as soon as its words are known."""
        utterance.capped = True
        if utterance.voiced:
            utterance.pause(now_s)
            self._ask(now_s, utterance)
        elif utterance.end_s is not None:
            utterance.end_s = now_s

    def _wait(self, now_s: float, utterance: Utterance, asked_s: float) -> None:
        """The voice has stopped, its words are not yet known."""
        settings = self.settings
        doubted_s = min(self._avatar.doubted_s(now_s, utterance), now_s - utterance.last_s)
        if doubted_s >= settings.false_alarm_s:
            self._avatar.wave(now_s, utterance)
        if now_s - asked_s >= settings.words_timeout_s:
            if utterance.text:
                utterance.asked_s, utterance.end_s = None, now_s
                self._finish(now_s, utterance)
            else:
                self._close(utterance, IgnoreReason.UNANSWERED)

    def _finish(self, now_s: float, utterance: Utterance) -> None:
        """The words are known: prepare an answer, and end the turn, each in its time."""
        if utterance.prepare_at_s is not None and now_s >= utterance.prepare_at_s:
            utterance.prepare_at_s = None
            utterance.preparations += 1
            utterance.prepared = utterance.text
            self._give(Prepare(utterance.number, utterance.text, self._joined(utterance)))
        if not self._end.due(now_s, utterance):
            return
        joined = self._joined(utterance)
        if not joined:
            self._avatar.cancel(now_s, CancelReason.INTERRUPTED)  # a greeting that began meanwhile
        self._utterance = None
        self._end.learn(utterance, joined=joined)
        self._commit(now_s, Commit(utterance.number, utterance.text, utterance.language, joined))

    # Steps

    def _joined(self, utterance: Utterance) -> bool:
        """Tell whether an utterance belongs to the turn that is being answered."""
        return utterance.joins and self._avatar.reply is not None

    def _ask(self, now_s: float, utterance: Utterance, *, interim: bool = False) -> None:
        utterance.asked = self._questions.ask(utterance.number, now_s)
        utterance.asked_s = now_s
        self._give(Recognize(utterance.number, utterance.asked, interim))

    def _commit(self, now_s: float, commit: Commit) -> None:
        self._give(commit)
        self._end.committed(now_s)
        self._avatar.ask(now_s)

    def _close(self, utterance: Utterance, reason: IgnoreReason) -> None:
        """Forget an utterance; a reply that it held goes on, unless something else ends it."""
        if utterance.prepared is not None:
            self._discard(utterance)
        self._utterance = None
        self._give(Ignore(reason))

    def _discard(self, utterance: Utterance) -> None:
        utterance.prepared = None
        self._give(Discard(utterance.number))

    def _give(self, command: Command) -> None:
        self._commands.append(command)
