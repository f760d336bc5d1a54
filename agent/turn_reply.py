"""The reply that is under way, as turn taking sees it: made, heard, held, and over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.overheard import Overheard
from agent.turn_commands import Cancel, CancelReason, Command, Pause, Resume, TurnState
from agent.turn_records import Utterance, Words
from agent.turn_settings import TurnSettings


@dataclass(slots=True)
class LiveReply:
    """A reply, from the turn that asked for it to its last sound."""

    limit_s: float
    """When it is taken for stuck."""
    asked: bool = True
    """It answers somebody; a greeting does not."""
    told: bool = False
    """Somebody told how long it lasts."""
    began_s: float | None = None
    """When its first sound left."""
    ends_s: float | None = None
    """When its last sound should leave, once that is known."""
    held_s: float | None = None
    """Since when it is held."""


class ReplyTurn:
    """The avatar's side of turn taking: at most one reply; without a clock.

    Args:
        settings: how long it waits.
        give: takes commands.
    """

    def __init__(self, settings: TurnSettings, give: Callable[[Command], None]) -> None:
        self._settings, self._give = settings, give
        self.reply: LiveReply | None = None
        """None: nobody waits for one, and none is heard."""
        self.over_s = float("-inf")
        """When the last one ended."""
        self.echoes = 0
        """Of its words that were heard since the visitor last spoke over one."""

    @property
    def state(self) -> TurnState:
        """Whose turn it is."""
        if self.reply is None:
            return TurnState.LISTENING
        if self.reply.held_s is not None:
            return TurnState.PAUSED
        return TurnState.THINKING if self.reply.began_s is None else TurnState.SPEAKING

    @property
    def thinking(self) -> bool:
        """Whether somebody waits for an answer of which nothing was heard yet."""
        return self.reply is not None and self.reply.asked and self.reply.began_s is None

    def joins(self, since_s: float) -> bool:
        """Tell whether who speaks since then goes on with the question, rather than answers the reply."""
        reply = self.reply
        if reply is None or not reply.asked:
            return False
        return reply.began_s is None or since_s <= reply.began_s + self._settings.reaction_s

    # What happens to it

    def ask(self, now_s: float) -> None:
        """One is asked for."""
        self.reply = LiveReply(now_s + self._settings.answer_timeout_s)

    def began(self, now_s: float) -> None:
        """Its first sound left; of one that nobody asked for, this is the first that is known."""
        if self.reply is None:
            self.reply = LiveReply(now_s, asked=False)
        if self.reply.began_s is None:
            self.reply.began_s = now_s
            if not self.reply.told:
                self.reply.limit_s = now_s + self._settings.longest_reply_s

    def lasts(self, until_s: float, *, last: bool) -> None:
        """As far as there is any, its sound lasts until then; `last`: it is complete."""
        settings = self._settings
        if self.reply is not None:
            slack_s = settings.playback_slack_s if last else settings.answer_timeout_s
            self.reply.limit_s = until_s + slack_s
            self.reply.ends_s = until_s if last else None
            self.reply.told = True

    def ended(self, now_s: float) -> None:
        """Its last sound left, or nothing comes any more."""
        self.reply, self.over_s = None, now_s

    # What is said over it

    def overheard(self, now_s: float, utterance: Utterance, words: Words) -> Overheard:
        """Return an utterance's words, with what they were said over."""
        reply = self.reply
        return Overheard(
            text=words.text,
            language=words.language,
            confidence=words.confidence,
            ending=words.ending,
            began_s=utterance.began_s,
            voiced_s=utterance.length_s(now_s),
            over_reply=reply is not None,
            reply_ends_s=reply.ends_s if reply is not None else utterance.reply_over_s,
            lately_over_s=self.over_s,
        )

    def spoken_over(self, now_s: float, utterance: Utterance) -> bool:
        """Hold it while somebody speaks, until it is known what they say; among echoes, find out first.

        Returns:
            Whether to ask for their words so far.
        """
        settings, reply = self._settings, self.reply
        if reply is None or utterance.waved:
            return False
        if reply.held_s is None:
            asked_s = utterance.asked_s
            due_s = settings.pause_s + utterance.since_s
            if self.echoes < settings.wary_echoes:
                if now_s >= due_s:
                    self.hold(now_s)
            elif asked_s is None:
                return now_s >= max(due_s, utterance.heard_s + settings.peek_s)
            elif now_s - asked_s >= settings.peek_s:
                self.hold(now_s)  # nobody tells what it is
            return False
        doubted_s = self.doubted_s(now_s, utterance)
        unheard_s = now_s - max(utterance.since_s, utterance.heard_s)
        if doubted_s >= settings.doubt_s:
            self.wave(now_s, utterance)
            return False
        return utterance.asked_s is None and min(doubted_s, unheard_s) >= settings.peek_s

    def doubted_s(self, now_s: float, utterance: Utterance) -> float:
        """Return how long it has been held by an utterance of which no words are known; 0.0 for none."""
        if self.reply is None or self.reply.held_s is None or utterance.text:
            return 0.0
        return now_s - self.reply.held_s

    def wave(self, now_s: float, utterance: Utterance) -> None:
        """Take a stretch of voice for a false alarm, as long as no words of it are known."""
        utterance.waved = True
        self.resume(now_s)

    # What is done with it

    def hold(self, now_s: float) -> None:
        """Stop its sound, or do not begin it."""
        if self.reply is not None and self.reply.held_s is None:
            self.reply.held_s = now_s
            self._give(Pause())

    def resume(self, now_s: float) -> None:
        """Let it go on, if it is held."""
        reply = self.reply
        if reply is None or reply.held_s is None:
            return
        held_s = now_s - reply.held_s
        reply.held_s = None
        reply.limit_s += held_s + self._settings.resume_slack_s
        if reply.ends_s is not None:
            reply.ends_s += held_s
        self._give(Resume())

    def cancel(self, now_s: float, reason: CancelReason) -> None:
        """End it early, if there is one."""
        if self.reply is not None:
            self.ended(now_s)
            self._give(Cancel(reason))

    def watch(self, now_s: float) -> None:
        """End one that is stuck."""
        reply = self.reply
        if reply is not None and reply.held_s is None and now_s >= reply.limit_s:
            self.cancel(now_s, CancelReason.NO_ANSWER if reply.began_s is None else CancelReason.STUCK)
