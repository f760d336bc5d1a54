"""How a visitor is to be answered in this turn: the row of the desk's table that fits what they feel."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agent.confusion import is_confused
from agent.history import Memory
from agent.hurry import is_hurried
from agent.manner_settings import TROUBLED, Feelings, MannerRow
from agent.news import is_grief
from agent.sentence import Emotion
from moderation.verdict import Category, Verdict

SURE = 0.35
"""Intensity of a feeling from which the desk answers to it: below, every visitor is answered alike."""
OPENS = 0.5
"""Intensity from which that is said in words too: an apology to who is not angry is odd."""
STRONG = 0.7
"""Intensity from which fear, sadness or disgust counts for more than that a visitor does not follow."""
LATELY = 2
"""Exchanges after which a death is no longer what is spoken of."""

_SOUNDS = {
    "joy": "glad", "sadness": "sad", "anger": "angry", "fear": "worried", "surprise": "surprised",
    "disgust": "put off", "confused": "confused: they do not follow", "hurried": "in a hurry",
}  # fmt: skip
_HAPPENED = re.compile(
    r"\b(?:my|our|mine|ours|me|us|(?:i|we)(?:'ve|'m|'re| have| had| got| received| ordered| bought| paid"
    r"| was| were"
    r"| am| are| did| didn'?t| lost| never| still| can'?t| cannot)|it(?:'s| is| was| arrived| came| broke"
    r"| does))\b"
    r"|我|咱|了|坏|没(?:有)?收到",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:if|in case|suppose|supposing|what happens when|whenever)\b"
    r"|\bhow (?:do|can|would|should) (?:i|we|one|you) (?:\w+ ){0,2}(?:complain\w*|report|file|claim|make)\b"
    r"|如果|要是|假如|假使|万一|若是?(?!干)|(?:怎么|如何|哪里|在哪)(?:\w{0,3})?(?:投诉|举报|申诉)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How this turn's reply is said."""

    feeling: str
    """Name of a row: what the visitor feels, or "confused" or "hurried"."""
    row: MannerRow
    language: str
    """ISO 639-1, of the visitor."""
    opening: str = ""
    """Said before the answer; empty: nothing."""
    solemn: bool = False
    """Somebody died, or the visitor is in danger: nothing is said with a smile."""
    at_fault: bool = True
    """Something happened to the visitor; False: they only ask, and nobody has to be sorry."""

    @property
    def troubled(self) -> bool:
        """Whether a smile would mock the visitor."""
        return self.solemn or self.feeling in TROUBLED

    def told(self) -> str:
        """Return what a language model is told of it, one line; empty where there is nothing to tell."""
        row, words = self.row, []
        if self.solemn:
            words.append("The visitor speaks of something grave: be gentle and plain, and not cheerful.")
        if self.feeling in _SOUNDS:
            words.append(f"The visitor sounds {_SOUNDS[self.feeling]}.")
        if row.style:
            words.append(f"Answer so: {row.style.rstrip('.')}.")
        if row.sentences:
            words.append(f"At most {row.sentences} sentences.")
        if self.opening:
            words.append(f'"{self.opening}" is said before your answer: do not say the like again.')
        elif self.feeling in ("anger", "disgust"):
            words.append("You have apologised before: do not do it again.")
        return " ".join(words)


def manner_of(
    felt: Emotion, verdict: Verdict, memory: Memory, table: Feelings, language: str
) -> Manner | None:
    """Choose how to answer.

    Args:
        felt: the visitor's feeling.
        verdict: the guard's, on the visitor's words.
        memory: the conversation before them.
        table: the desk's.
        language: ISO 639-1, of the reply.

    Returns:
        None where the desk answers every visitor alike.
    """
    text = verdict.text
    lately = [text, *(one.question for one in memory.exchanges[-LATELY:])]
    grave = verdict.category == Category.SELF_HARM or any(one.grave for one in memory.exchanges[-LATELY:])
    solemn = grave or any(map(is_grief, lately))
    if not table.on:
        return None
    feeling = _row_for(felt, text, memory)
    row = table.row(feeling)
    opening = next((line for each, line in row.opening.items() if each == language), "")
    sure = feeling in ("confused", "hurried") or felt.intensity >= OPENS
    if not sure or not verdict.passes or _said_before(row.opening.values(), memory):
        opening = ""
    at_fault = bool(_HAPPENED.search(text)) and not _SUPPOSED.search(text)
    return Manner(feeling, row, language, opening, solemn, at_fault or feeling in TROUBLED)


def _row_for(felt: Emotion, text: str, memory: Memory) -> str:
    label = felt.label if felt.intensity >= SURE else "neutral"
    if label == "anger" or label in TROUBLED and felt.intensity >= STRONG:
        return label
    if is_confused(text, memory):
        return "confused"
    if label in TROUBLED:
        return label
    return "hurried" if is_hurried(text) else label


def _said_before(lines: Iterable[str], memory: Memory) -> bool:
    """Tell whether the visitor heard one of these lines in this conversation."""
    return any(line and line in one.reply for line in lines for one in memory.exchanges)
