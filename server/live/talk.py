"""What a session needs of a conversation, and of what takes its moments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.attending import People
    from agent.history import History
    from agent.stage import LiveMoment


class Sink(Protocol):
    """Takes what leaves the stage."""

    def take(self, moment: LiveMoment) -> None:
        """Take a moment; never waits."""


class Talk(Protocol):
    """What a session needs of `agent.conversation.Conversation`."""

    async def run(self) -> None:
        """Converse until `close`."""

    def hear(self, pcm: NDArray[Any]) -> None:
        """Take sound, float32[n] at 16 kHz."""

    def type(self, text: str) -> None:
        """Take a typed question."""

    def stop(self) -> None:
        """Be quiet."""

    def replay(self) -> None:
        """Say the last reply again."""

    def pick(self, turn: int, number: int) -> None:
        """Ask a question that was suggested after a turn."""

    def suggest(self, wanted: bool) -> None:
        """Suggest questions, or do not."""

    def see(self, blendshapes: Mapping[str, float]) -> None:
        """Take how the visitor's face moves."""

    def mute(self, muted: bool) -> None:
        """Stop hearing, or hear again."""

    def speak_language(self, language: str) -> None:
        """Go on in a language."""

    async def greet(self) -> None:
        """Say hello."""

    async def close(self, *, finish_sentence: bool = False) -> None:
        """End it."""


@runtime_checkable
class Attended(Protocol):
    """What passing on to people needs of `agent.conversation.Conversation`."""

    history: History
    people: People
