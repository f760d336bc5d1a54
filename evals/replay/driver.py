"""The visitor of a replay: says the script's turns when it is time, and waits for what comes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from evals.replay.probe import Probe
from evals.replay.record import MISSED, TurnRecord
from evals.scripts import Script, Turn

SETTLE_S = 0.3
"""After a reply, until what is shown beside it is known, too."""
NOW_S = 1e-6
"""Less than that is no time to wait: a virtual clock may not even move by it."""
UNANSWERED_S = 4.0
"""How long something is listened for that ought to come to nothing: turn taking waits 2.5 s at most."""


class Mouth(Protocol):
    """Brings the visitor's words to the conversation."""

    async def say(self, turn: Turn, words: str, *, over: bool) -> None:
        """Say a turn; returns when its last sound is out.

        Args:
            turn: of the script.
            words: with the customer's facts in them.
            over: a reply is being heard.
        """

    def rest(self) -> None:
        """What was said has come to its end: the microphone may close until more is said."""


class Driver:
    """Plays one script.

    Args:
        script: what is said.
        probe: takes what comes of it.
        mouth: says it.
        clock: the conversation's, in seconds.
    """

    def __init__(self, script: Script, probe: Probe, mouth: Mouth, clock: Callable[[], float]) -> None:
        self._script, self._probe, self._mouth, self._clock = script, probe, mouth, clock

    async def play(self) -> None:
        """Play it to its end."""
        for number, turn in enumerate(self._script.turns):
            await self._play(number, turn)
        await self._until(lambda: self._probe.quiet, self._script.timeout_s)
        await self._pause(SETTLE_S)

    async def _play(self, number: int, turn: Turn) -> None:
        probe, script = self._probe, self._script
        before = probe.turns[-1] if probe.turns else None
        over = turn.barge_in is not None and await self._moment(turn.barge_in.after_s, before)
        if not over:
            await self._until(lambda: probe.quiet, script.timeout_s)
        words = script.said(turn)
        if not words and not turn.wav:
            await self._keep_silent(number, turn)
            return
        if not over:
            await self._pause(turn.pause_s)
        now = probe.begin(number, words)
        if turn.barge_in is not None and not over:
            now.notices.append(MISSED)
        await self._mouth.say(turn, words, over=over)
        probe.asked()
        nothing = turn.expect.silent is True
        if over:
            await self._until(lambda: before is None or before.reply_ended_s is not None, script.timeout_s)
            probe.broke_in(now, before)
        over_s = UNANSWERED_S if nothing or turn.expect.resumed else script.timeout_s
        ended = await self._until(lambda: now.reply_ended_s is not None or self._awaited(), over_s)
        now.timed_out = not ended and not nothing and not turn.expect.resumed
        await self._pause(SETTLE_S if not now.timed_out else 0.0)
        self._mouth.rest()

    async def _keep_silent(self, number: int, turn: Turn) -> None:
        """Play a turn in which nothing is said: what the desk says in it, to a noise or unasked, is its."""
        self._probe.begin(number, "")
        await self._pause(turn.pause_s)
        await self._until(lambda: self._probe.quiet, self._script.timeout_s)

    def _awaited(self) -> bool:
        """Whether the next turn breaks into the reply that is heard now: then its end is not waited for."""
        turns, number = self._script.turns, self._probe.turns[-1].number + 1
        if number >= len(turns) or turns[number].barge_in is None:
            return False
        return self._probe.turns[-1].reply_began_s is not None

    async def _moment(self, after_s: float, before: TurnRecord | None) -> bool:
        """Wait for the moment to break in; False where no reply is heard then."""
        if before is None:  # it is the greeting that is broken into
            await self._until(lambda: bool(self._probe.greeting), UNANSWERED_S)
            await self._pause(after_s)
            return not self._probe.quiet
        if before.reply_began_s is None:
            return False
        at_s = before.reply_began_s + after_s
        while (left_s := at_s - self._clock()) > NOW_S and before.reply_ended_s is None:
            await self._listen(left_s)
        return before.reply_ended_s is None

    async def _until(self, true: Callable[[], bool], longest_s: float) -> bool:
        """Wait until something is so; False where it takes longer."""
        until_s = self._clock() + longest_s
        while not true():
            if (left_s := until_s - self._clock()) <= NOW_S:
                return False
            await self._listen(left_s)
        return True

    async def _pause(self, seconds: float) -> None:
        until_s = self._clock() + seconds
        while (left_s := until_s - self._clock()) > NOW_S:
            await self._listen(left_s)

    async def _listen(self, longest_s: float) -> None:
        """Listen until something happens, or for so long."""
        self._probe.changed.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._probe.changed.wait(), longest_s)
