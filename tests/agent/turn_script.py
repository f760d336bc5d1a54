"""Plays conversations with a TurnTaker in virtual time: what happens in, what it commands out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from agent.turn import TurnTaker
from agent.turn_commands import Cancel, Command, Commit, Ignore, Pause, Recognize, Resume, ShowState
from agent.turn_settings import TurnSettings

TICK_S = 0.02
SURE_S = 0.25
"""Voice activity is sure after so much voice."""
SILENT_S = 0.2
"""Voice activity tells silence after so much of it."""
RECOGNITION_S = 0.08
WINDOW_S = 0.032


@dataclass(frozen=True)
class Say:
    """The visitor speaks from one time to another; `text` are the words of the whole utterance by then."""

    start_s: float
    end_s: float
    text: str
    language: str = "en"
    confidence: float = 0.9


@dataclass(frozen=True)
class At:
    """Something else happens."""

    time_s: float
    call: Callable[[TurnTaker, float], list[Command] | None]


def typed(text: str) -> Callable[[TurnTaker, float], list[Command]]:
    return lambda taker, now: taker.typed(now, text)


def stop(taker: TurnTaker, now_s: float) -> list[Command]:
    return taker.stop(now_s)


def began(taker: TurnTaker, now_s: float) -> list[Command]:
    return taker.reply_began(now_s)


def ended(taker: TurnTaker, now_s: float) -> list[Command]:
    return taker.reply_ended(now_s)


@dataclass
class Play:
    """What came of a script.

    Args:
        think_s: from Commit to the reply's first sound; None: it never comes.
        reply_s: length of a reply's sound; None: nobody ever says that it ended.
        answers: whether the recogniser answers.
    """

    think_s: float | None = 0.3
    reply_s: float | None = 5.0
    recognition_s: float | None = RECOGNITION_S
    settings: TurnSettings | None = None
    is_echo: Callable[[str, float], bool] | None = None
    answers_interim: bool = True
    commands: list[tuple[float, Command]] = field(default_factory=list)
    taker: TurnTaker = field(init=False)
    _due: list[tuple[float, int, Callable[[float], list[Command] | None]]] = field(default_factory=list)
    _reply_left_s: float | None = None
    _held: bool = False
    _begun: int = 0
    _last_end_s: float = 0.0
    _count: int = 0
    _asked_first: dict[int, float] = field(default_factory=dict)
    _closed: list[float] = field(default_factory=list)

    def run(self, *script: Say | At, until_s: float = 20.0) -> Play:
        self.taker = TurnTaker(self.settings, is_echo=self.is_echo)
        self._says = sorted((each for each in script if isinstance(each, Say)), key=lambda say: say.start_s)
        for each in script:
            if isinstance(each, At):
                self._at(each.time_s, lambda now, each=each: each.call(self.taker, now))
        self._voice()
        step = 0
        while (now := step * TICK_S) <= until_s:
            self._happen(now)
            if self._reply_left_s is not None and not self._held:
                self._reply_left_s -= TICK_S
                if self._reply_left_s <= 0:
                    self._reply_left_s = None
                    self._follow(now, self.taker.reply_ended(now))
            self._follow(now, self.taker.tick(now, self._silence(now)))
            step += 1
        return self

    def _voice(self) -> None:
        """What voice activity would tell of the visitor's speech: gaps under 0.2 s are none."""
        stretches: list[list[float]] = []
        for say in self._says:
            if stretches and say.start_s - stretches[-1][1] < SILENT_S:
                stretches[-1][1] = say.end_s
            else:
                stretches.append([say.start_s, say.end_s])
        for start, end in stretches:
            if end - start >= SURE_S:
                self._at(start + SURE_S, lambda now, since=start: self.taker.speech_started(now, since))
                self._at(end + SILENT_S, lambda now, last=end: self.taker.speech_ended(now, last))

    def _silence(self, now_s: float) -> float:
        while self._begun < len(self._says) and self._says[self._begun].start_s <= now_s:
            self._last_end_s = max(self._last_end_s, self._says[self._begun].end_s)
            self._begun += 1
        return now_s - min(self._last_end_s, now_s)

    def _at(self, time_s: float, call: Callable[[float], list[Command] | None]) -> None:
        self._count += 1
        heappush(self._due, (time_s, self._count, call))

    def _happen(self, now_s: float) -> None:
        while self._due and self._due[0][0] <= now_s + 1e-9:
            self._follow(now_s, heappop(self._due)[2](now_s) or [])

    def _follow(self, now_s: float, commands: list[Command]) -> None:
        for command in commands:
            self.commands.append((round(now_s, 3), command))
            if isinstance(command, Commit | Ignore):
                self._closed.append(now_s)
            match command:
                case Recognize():
                    self._asked_first.setdefault(command.utterance, now_s)
                    if self.recognition_s is not None and (self.answers_interim or not command.interim):
                        self._at(
                            now_s + self.recognition_s, lambda now, c=command: self._words(now, c, now_s)
                        )
                case Commit():
                    self._reply_left_s, self._held = None, False
                    if self.think_s is not None:
                        self._at(now_s + self.think_s, lambda now, c=command: self._begin(now, c))
                case Pause():
                    self._held = True
                case Resume():
                    self._held = False
                case Cancel():
                    self._reply_left_s, self._held = None, False

    def _begin(self, now_s: float, commit: Commit) -> list[Command]:
        newest = [c for _, c in self.commands if isinstance(c, Commit)][-1]
        if newest is not commit or self.taker.state.value not in ("thinking", "paused"):
            return []
        if self._held:
            self._at(now_s + TICK_S, lambda now: self._begin(now, commit))
            return []
        self._reply_left_s = self.reply_s
        return self.taker.reply_began(now_s)

    def _words(self, now_s: float, command: Recognize, asked_s: float) -> list[Command]:
        """The words of what was said before the question and after the last utterance was closed."""
        first_s = self._asked_first[command.utterance]
        closed_s = (
            max((time for time in self._closed[-3:] if time < first_s), default=0.0) - SURE_S - SILENT_S
        )
        heard = [say for say in self._says if closed_s <= say.start_s < asked_s]
        say = heard[-1] if heard else Say(0.0, 0.0, "", confidence=0.0)
        return self.taker.words(now_s, say.text, say.confidence, say.language, asked=command.asked)

    # What a test asks

    def names(self) -> list[str]:
        """Names of the commands but ShowState, Recognize, Prepare and Discard."""
        quiet = ("ShowState", "Recognize", "Prepare", "Discard")
        return [type(c).__name__ for _, c in self.commands if type(c).__name__ not in quiet]

    def states(self) -> list[str]:
        return [c.state.value for _, c in self.commands if isinstance(c, ShowState)]

    def of(self, kind: type) -> list[tuple[float, Command]]:
        return [(time, c) for time, c in self.commands if isinstance(c, kind)]

    def commits(self) -> list[Commit]:
        return [c for _, c in self.commands if isinstance(c, Commit)]
