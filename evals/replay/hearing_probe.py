"""A probe of conversations in sound: times are those of what was said and heard, by samples."""

from __future__ import annotations

import asyncio

from agent.conversation_events import ConversationEvent, HeardWords, TurnEnded
from evals.replay.driver import UNANSWERED_S
from evals.replay.probe import OWN_CLOCK, Probe
from evals.replay.record import TurnRecord
from evals.replay.tape import Heard

NO_SOUND, CUT_OFF = "no_sound", "cut_off"
"""Notices: nothing of a reply was audible; the visitor was answered before they were done."""
NOTHING_HEARD = "nothing_to_break_into"
"""Notice of the driver, too: no reply was heard when the visitor broke in."""
FADE_S = 0.08
"""How much longer than to its end a reply that was cut may sound: in that moment it fades."""


class HearingProbe(Probe):
    """Takes a conversation's events; see `Probe`."""

    _ready: tuple[float, float] | None = None

    def asked(self) -> None:
        """The visitor has fallen silent; what was answered before belongs to a part of what they say."""
        super().asked()
        if not self.turns or (ended_s := self.turns[-1].reply_ended_s) is None:
            return
        turn = self.turns[-1]
        turn.reply_ended_s = None

        def restore() -> None:
            """Nothing more came of it: that was the answer."""
            if turn.reply_ended_s is None and self.quiet:
                turn.reply_ended_s = ended_s
                self.changed.set()

        asyncio.get_running_loop().call_later(UNANSWERED_S, restore)

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
        self._ready = self._clock(), self._since_asked()

    def _first_sound_ms(self) -> float:
        if self._ready is None:
            return self._since_asked()
        at_s, since_ms = self._ready
        return round(since_ms + (self._clock() - at_s) * 1e3, 1)

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


def listen(heard: Heard, turns: list[TurnRecord], within_s: float = 0.0) -> None:
    """Correct turns' times by what was heard: by samples, not by moments and events.

    Args:
        heard: the desk's sound.
        turns: to be corrected.
        within_s: how much sooner than its event a sound may have come.
    """
    for number, turn in enumerate(turns):
        if turn.reply_began_s is not None:
            _begun(heard, turn, within_s)
        if turn.yielded_ms is not None and number:
            _yielded(heard, turn, turns[number - 1])


def _begun(heard: Heard, turn: TurnRecord, within_s: float) -> None:
    assert turn.reply_began_s is not None
    end_s = turn.reply_ended_s if turn.reply_ended_s is not None else heard.time(heard.count)
    begin_s = max(turn.reply_began_s - within_s, min(turn.ended_s, turn.reply_began_s))
    first_s = heard.first_audible_s(begin_s, end_s + within_s)
    if first_s is None:
        turn.notices.append(NO_SOUND)
        turn.timings_ms.pop("first_sound", None)
    elif "first_sound" in turn.timings_ms:
        later_ms = (first_s - turn.reply_began_s) * 1e3
        turn.timings_ms["first_sound"] = round(turn.timings_ms["first_sound"] + later_ms, 1)
        for name in OWN_CLOCK if later_ms < 0 else ():  # its event came late, and the others with it
            if name in turn.timings_ms:
                turn.timings_ms[name] = round(max(turn.timings_ms[name] + later_ms, 0.0), 1)


def _yielded(heard: Heard, turn: TurnRecord, before: TurnRecord) -> None:
    if before.reply_ended_s is None:
        return
    begin_s = before.reply_began_s if before.reply_began_s is not None else turn.began_s
    until_s = min(before.reply_ended_s + FADE_S, turn.reply_began_s or float("inf"))
    last_s = heard.last_audible_s(begin_s, until_s)
    if last_s is None or last_s < turn.began_s:
        # it had fallen silent before anything was said to it: by an echo, or for good
        turn.notices.append(NOTHING_HEARD)
        turn.yielded_ms = turn.resumed = None
        return
    turn.yielded_ms = round((last_s - turn.began_s) * 1e3, 1)
