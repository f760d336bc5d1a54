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
from agent.overheard import Overheard, reason_to_ignore
from agent.turn_commands import (
    Cancel,
    CancelReason,
    Command,
    Commit,
    Discard,
    Ignore,
    IgnoreReason,
    Pause,
    Prepare,
    Recognize,
    Resume,
    ShowState,
    TurnState,
)
from agent.turn_records import LiveReply, Questions, Utterance, Words
from agent.turn_settings import TurnSettings

JUST_VOICED_S = 0.1
"""Three windows of voice activity: with voice so recently, a word may be beginning."""


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
        self._finished, self._is_echo = finished, is_echo
        self._utterance: Utterance | None = None
        self._reply: LiveReply | None = None
        self._questions = Questions()
        self._commands: list[Command] = []
        self._shown = TurnState.LISTENING
        self._utterances = 0
        self._dictation = False
        self._patience_s = 0.0
        self._committed_s = float("-inf")
        self._silence_s: float | None = None
        self._over_s = float("-inf")
        self._echoes = 0  # since the visitor last spoke over a reply

    @property
    def state(self) -> TurnState:
        """Whose turn it is."""
        if self._reply is None:
            return TurnState.LISTENING
        if self._reply.held_s is not None:
            return TurnState.PAUSED
        return TurnState.THINKING if self._reply.began_s is None else TurnState.SPEAKING

    @property
    def utterance(self) -> int | None:
        """Number of the utterance that is open."""
        return self._utterance.number if self._utterance is not None else None

    # What happens

    def speech_started(self, now_s: float, since_s: float) -> list[Command]:
        """Somebody speaks, since `since_s`; to be told as soon as it is sure."""
        since_s = min(since_s, now_s)
        utterance, reply = self._utterance, self._reply
        if utterance is None:
            self._utterances += 1
            joins = (
                reply is not None
                and reply.asked
                and (reply.began_s is None or since_s <= reply.began_s + self.settings.reaction_s)
            )
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
            self._commands.append(Ignore(IgnoreReason.OVERLONG))
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
                self._echoes += not utterance.voiced
            elif reason is None and self._reply is not None:
                self._echoes = 0
            if newest and not utterance.voiced:
                self._hear(now_s, utterance, words, reason)
            else:
                self._overhear(now_s, utterance, words, reason)
        return self._done(now_s)

    def reply_began(self, now_s: float) -> list[Command]:
        """The first sound of the reply left."""
        if self._reply is None:
            self._reply = LiveReply(now_s, asked=False)
        if self._reply.began_s is None:
            self._reply.began_s = now_s
            if not self._reply.told:
                self._reply.limit_s = now_s + self.settings.longest_reply_s
        return self._done(now_s)

    def reply_lasts(self, now_s: float, until_s: float, *, last: bool) -> list[Command]:
        """The reply's sound, as far as there is any, lasts until `until_s`; `last`: it is complete."""
        settings = self.settings
        if self._reply is not None:
            slack_s = settings.playback_slack_s if last else settings.answer_timeout_s
            self._reply.limit_s = until_s + slack_s
            self._reply.ends_s = until_s if last else None
            self._reply.told = True
        return self._done(now_s)

    def reply_ended(self, now_s: float) -> list[Command]:
        """The last sound of the reply left, or nothing comes any more."""
        if self._reply is not None and self._utterance is not None:
            self._utterance.reply_over_s = now_s
        self._reply, self._over_s = None, now_s
        return self._done(now_s)

    def typed(self, now_s: float, text: str) -> list[Command]:
        """The visitor wrote something; what they had begun to say comes before it."""
        text = " ".join(text.split())
        if not text:
            return self._done(now_s)
        utterance, reply = self._utterance, self._reply
        joined = reply is not None and reply.asked and reply.began_s is None
        language = ""
        if utterance is not None:
            if utterance.text:
                text, language = f"{utterance.text} {text}", utterance.language
                joined = joined or (utterance.joins and reply is not None)
            self._close(utterance, IgnoreReason.TYPED)
        if not joined:
            self._cancel(now_s, CancelReason.TYPED)
        self._utterances += 1
        self._commit(now_s, Commit(self._utterances, text, language, joined))
        return self._done(now_s)

    def stop(self, now_s: float) -> list[Command]:
        """The stop button: no reply any more, and nothing of what was being said."""
        if self._utterance is not None:
            self._close(self._utterance, IgnoreReason.STOPPED)
        self._cancel(now_s, CancelReason.STOPPED)
        return self._done(now_s)

    def expect_dictation(self, on: bool) -> None:
        """A number, an e-mail or a postal address is about to be given, or was: wait longer for its end."""
        self._dictation = on

    def tick(self, now_s: float, silence_s: float | None = None) -> list[Command]:
        """Look at the timers; to be called every 20 to 40 ms.

        Args:
            now_s: now.
            silence_s: since the last voice, sure or not: a turn does not end in the middle of a sound that
                may be the beginning of a word. None: not known.
        """
        self._silence_s = silence_s
        return self._done(now_s)

    # What words mean

    def _reason_to_ignore(self, now_s: float, utterance: Utterance, words: Words) -> IgnoreReason | None:
        if self._is_echo is not None and self._is_echo(words.text, utterance.began_s):
            return IgnoreReason.ECHO
        said = Overheard(
            text=words.text,
            language=words.language,
            confidence=words.confidence,
            began_s=utterance.began_s,
            voiced_s=utterance.length_s(now_s),
            over_reply=self._reply is not None,
            reply_ends_s=self._reply.ends_s if self._reply is not None else utterance.reply_over_s,
            lately_over_s=self._over_s,
        )
        return reason_to_ignore(said, self.settings)

    def _hear(self, now_s: float, utterance: Utterance, words: Words, reason: IgnoreReason | None) -> None:
        """Take the words of an utterance that may be over."""
        settings = self.settings
        if reason is IgnoreReason.NO_WORDS and utterance.text:
            # they were heard before
            reason, words = None, replace(words, text=utterance.text, language=utterance.language)
        if reason is not None:
            if reason is IgnoreReason.STOP:
                self._cancel(now_s, CancelReason.STOPPED)
            self._close(utterance, reason)
            return
        self._mean(now_s, utterance, words)
        score = self._finished(words.text, words.language)
        wait_s = settings.wait_s(score, words.ending, words.voice)
        delay_s = min(wait_s + self._patience_s, settings.slow_end_s)
        if self._dictation:
            delay_s = max(delay_s, settings.dictation_end_s)
        utterance.end_s = now_s if utterance.capped else utterance.last_s + delay_s
        if utterance.prepared is not None and not _same(utterance.prepared, words.text):
            self._discard(utterance)
        if utterance.prepared is None and utterance.preparations < settings.most_prepared:
            likely = score >= settings.likely_score
            utterance.prepare_at_s = now_s if likely else utterance.end_s - settings.prepare_s

    def _overhear(
        self, now_s: float, utterance: Utterance, words: Words, reason: IgnoreReason | None
    ) -> None:
        """Take words of an utterance that goes on: they may end a reply, never a turn."""
        if reason is None:
            self._mean(now_s, utterance, words)
        elif reason is IgnoreReason.STOP:
            self._cancel(now_s, CancelReason.STOPPED)
        elif utterance.voiced and self._doubted_s(now_s, utterance) >= self.settings.false_alarm_s:
            self._wave(now_s, utterance)

    def _mean(self, now_s: float, utterance: Utterance, words: Words) -> None:
        """Words that mean something: they end a reply, or hold the one that they belong to."""
        utterance.text, utterance.language = words.text, words.language
        if not utterance.joins:
            self._cancel(now_s, CancelReason.INTERRUPTED)
        else:
            self._hold(now_s)

    # Timers

    def _done(self, now_s: float) -> list[Command]:
        """Do what is due; returns the commands given since the last time."""
        self._questions.forget(now_s - 2 * self.settings.words_timeout_s)
        reply = self._reply
        if reply is not None and reply.held_s is None and now_s >= reply.limit_s:
            self._cancel(now_s, CancelReason.NO_ANSWER if reply.began_s is None else CancelReason.STUCK)
        utterance = self._utterance
        if utterance is not None:
            if not utterance.capped and now_s - utterance.began_s >= self.settings.longest_s:
                self._cap(now_s, utterance)
            if utterance.voiced:
                self._doubt(now_s, utterance)
            elif utterance.asked_s is not None:
                self._wait(now_s, utterance, utterance.asked_s)
            else:
                self._finish(now_s, utterance)
        if self._utterance is None:
            self._resume(now_s)  # whatever held it has come to nothing
        if self.state is not self._shown:
            self._shown = self.state
            self._commands.append(ShowState(self._shown))
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

    def _doubt(self, now_s: float, utterance: Utterance) -> None:
        """Somebody is speaking: hold a reply and find out what they say; among echoes, find out first."""
        settings, reply = self.settings, self._reply
        if reply is None or utterance.waved:
            return
        if reply.held_s is None:
            asked_s, heard_s = utterance.asked_s, utterance.heard_s
            due_s = settings.pause_s + utterance.since_s
            if self._echoes < settings.wary_echoes:
                if now_s >= due_s:
                    self._hold(now_s)
            elif asked_s is not None and now_s - asked_s >= settings.peek_s:
                self._hold(now_s)  # nobody tells what it is
            elif asked_s is None and now_s >= max(due_s, heard_s + settings.peek_s):
                self._ask(now_s, utterance, interim=True)
            return
        doubted_s = self._doubted_s(now_s, utterance)
        unheard_s = now_s - max(utterance.since_s, utterance.heard_s)
        if doubted_s >= settings.doubt_s:
            self._wave(now_s, utterance)
        elif utterance.asked_s is None and min(doubted_s, unheard_s) >= settings.peek_s:
            self._ask(now_s, utterance, interim=True)

    def _wait(self, now_s: float, utterance: Utterance, asked_s: float) -> None:
        """The voice has stopped, its words are not yet known."""
        settings = self.settings
        doubted_s = min(self._doubted_s(now_s, utterance), now_s - utterance.last_s)
        if doubted_s >= settings.false_alarm_s:
            self._wave(now_s, utterance)
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
            joined = utterance.joins and self._reply is not None
            self._commands.append(Prepare(utterance.number, utterance.text, joined))
        end_s = utterance.end_s
        if end_s is None or now_s < end_s:
            return
        beginning = self._silence_s is not None and self._silence_s < JUST_VOICED_S
        if beginning and not utterance.capped and now_s < end_s + self.settings.hold_s:
            return
        joined = utterance.joins and self._reply is not None
        if not joined:
            self._cancel(now_s, CancelReason.INTERRUPTED)  # a greeting that began meanwhile
        self._utterance = None
        if joined and utterance.began_s - self._committed_s < self.settings.cut_off_s:
            self._patience_s = min(
                self._patience_s + self.settings.patience_step_s, self.settings.patience_most_s
            )
        elif not joined:
            self._patience_s *= self.settings.patience_fade
        self._commit(now_s, Commit(utterance.number, utterance.text, utterance.language, joined))

    # Steps

    def _doubted_s(self, now_s: float, utterance: Utterance) -> float:
        """How long a reply has been held by an utterance of which no words are known; 0.0 for none."""
        if self._reply is None or self._reply.held_s is None or utterance.text:
            return 0.0
        return now_s - self._reply.held_s

    def _ask(self, now_s: float, utterance: Utterance, *, interim: bool = False) -> None:
        utterance.asked = self._questions.ask(utterance.number, now_s)
        utterance.asked_s = now_s
        self._commands.append(Recognize(utterance.number, utterance.asked, interim))

    def _commit(self, now_s: float, commit: Commit) -> None:
        self._commands.append(commit)
        self._committed_s = now_s
        self._reply = LiveReply(now_s + self.settings.answer_timeout_s)

    def _close(self, utterance: Utterance, reason: IgnoreReason) -> None:
        """Forget an utterance; a reply that it held goes on, unless something else ends it."""
        if utterance.prepared is not None:
            self._discard(utterance)
        self._utterance = None
        self._commands.append(Ignore(reason))

    def _discard(self, utterance: Utterance) -> None:
        utterance.prepared = None
        self._commands.append(Discard(utterance.number))

    def _hold(self, now_s: float) -> None:
        if self._reply is not None and self._reply.held_s is None:
            self._reply.held_s = now_s
            self._commands.append(Pause())

    def _wave(self, now_s: float, utterance: Utterance) -> None:
        """Take a stretch of voice for a false alarm, as long as no words of it are known."""
        utterance.waved = True
        self._resume(now_s)

    def _resume(self, now_s: float) -> None:
        reply = self._reply
        if reply is None or reply.held_s is None:
            return
        held_s = now_s - reply.held_s
        reply.held_s = None
        reply.limit_s += held_s + self.settings.resume_slack_s
        if reply.ends_s is not None:
            reply.ends_s += held_s
        self._commands.append(Resume())

    def _cancel(self, now_s: float, reason: CancelReason) -> None:
        if self._reply is not None:
            self._reply, self._over_s = None, now_s
            self._commands.append(Cancel(reason))


def _same(one: str, other: str) -> bool:
    """Whether two texts differ in nothing but punctuation and case."""
    return _letters(one) == _letters(other)


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
