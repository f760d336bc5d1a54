"""The visitor of a replay waits, and what the desk says meanwhile counts where it belongs."""

import asyncio
from pathlib import Path

from agent.conversation_events import SentenceBegan, StateChanged, TurnEnded
from agent.sentence import Outcome, Sentence
from evals.checks.conversation import check_conversation
from evals.replay.driver import Driver
from evals.replay.probe import Probe
from evals.replay.record import ConversationRecord
from evals.replay.virtual_time import virtual_loop
from evals.scripts import Turn, read_script

PAUSE = """turns:
  - user: hello
  - pause_s: 30
    expect: {silent: true}
"""


class Desk:
    """Answers what is said at once, and says something unasked after some seconds."""

    def __init__(self, probe: Probe, unasked_s: float) -> None:
        self._probe, self._unasked_s = probe, unasked_s

    async def say(self, turn: Turn, words: str, *, over: bool) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, self._reply, 1, "Hello.")
        loop.call_later(self._unasked_s, self._reply, 2, "Are you still there?")

    def rest(self) -> None:
        pass

    def _reply(self, turn: int, line: str) -> None:
        take = self._probe.take
        take(StateChanged("speaking"))
        take(SentenceBegan(turn, Sentence(line)))
        asyncio.get_running_loop().call_later(2.0, self._over, turn, line)

    def _over(self, turn: int, line: str) -> None:
        self._probe.take(TurnEnded(turn, "", line, Outcome.ANSWERED, interrupted=False))
        self._probe.take(StateChanged("listening"))


def replayed(unasked_s: float) -> ConversationRecord:
    script = read_script(PAUSE, Path("pause.yaml"))
    with virtual_loop() as loop:
        probe = Probe(loop.time, loop.time, [])
        desk = Desk(probe, unasked_s)
        loop.run_until_complete(Driver(script, probe, desk, loop.time).play())
    return ConversationRecord("pause", "demo", "text", turns=probe.turns)


def test_what_is_said_while_a_visitor_is_silent_is_that_turns() -> None:
    script = read_script(PAUSE, Path("pause.yaml"))
    for unasked_s in (10.0, 33.0):  # in the pause, and about its end: a reply is heard out
        record = replayed(unasked_s)
        assert [turn.reply for turn in record.turns] == ["Hello.", "Are you still there?"]
        (failed,) = (one for one in check_conversation(script, record) if not one.passed)
        assert (failed.name, failed.turn, failed.line) == ("silent", 1, 4)
