"""What a language model writes, made fit to be said: no thoughts, no Markdown, tags read."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from agent.sentence import REPLY_EMOTIONS, Emotion, Outcome
from agent.splitter import SentenceSplitter

LONGEST_SENTENCE = 200
"""Characters; about 12 seconds of speech. A longer one is cut at a clause."""
UNKNOWN_MARK = "[unknown]"
CLARIFY_MARK = "[clarify]"
HANDOFF_MARK = "[handoff]"
_MARKS = {
    UNKNOWN_MARK: Outcome.ABSTAINED,
    CLARIFY_MARK: Outcome.CLARIFIED,
    HANDOFF_MARK: Outcome.HANDOFF,
}
_ONE_NUMBER = r"[\[【](?:passages? ?|sources? ?|段落)?\d{1,2}(?:\s*[,，、]\s*\d{1,2})*[\]】](?!\()"
_TAG = re.compile(rf"{_ONE_NUMBER}|\[[a-z]+\](?!\()", re.IGNORECASE)
_NUMBERS = re.compile(rf"(?:\s*{_ONE_NUMBER})+", re.IGNORECASE)
_MAYBE_NUMBER = re.compile(r"\s*(?:[\[【][^\]】]{0,14})?$")
"""What waits may yet become a number that belongs to the sentence before it."""

_THOUGHT = re.compile(r"<(?:think|thinking|reasoning)>", re.IGNORECASE)
_THOUGHT_ENDS = re.compile(r"</(?:think|thinking|reasoning)>", re.IGNORECASE)
_OPENING = ("<think>", "<thinking>", "<reasoning>")
_LONGEST_TAG = 12
_HEADING = re.compile(r"^\s*(?:#{1,6}\s.*|[-*_=]{3,}|`{3}\w*|\|?[\s:|-]+\|)\s*$")
_EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\u20e3]+")
_MARKDOWN = (
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),
    (re.compile(r"`{3}\w*|`"), ""),
    (re.compile(r"(\*\*\*|\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<!\w)_(?=\S)([^_\n]+?)(?<=\S)_(?!\w)"), r"\1"),
    (re.compile(r"\*\*|__(?=\s|$)|^\s*>+\s*", re.MULTILINE), ""),
    (re.compile(r"^\s*(?:[-*+•·▪]\s+|\d{1,2}[.)、]\s+|#{1,6}\s+)", re.MULTILINE), ""),
    (re.compile(r"^\s*\|\s*|\s*\|\s*$"), ""),
    (re.compile(r"\s+\|\s+"), ", "),
    (re.compile(r"<\/?[a-z][^<>]{0,60}>", re.IGNORECASE), ""),
)
_ENDS = re.compile(r"[.!?…。！？；:：]['\"”’」）)]*$")


@dataclass(slots=True)
class Thoughts:
    """Takes a reasoning model's thoughts out of a stream: what stands between <think> and </think>."""

    _held: str = field(default="", init=False)
    _inside: bool = field(default=False, init=False)

    def feed(self, piece: str) -> str:
        """Take the next piece; return what of it, and of what waited, is not thought."""
        self._held += piece
        ready = ""
        while True:
            found = (_THOUGHT_ENDS if self._inside else _THOUGHT).search(self._held)
            if found is None:
                break
            if not self._inside:
                ready += self._held[: found.start()]
            self._held, self._inside = self._held[found.end() :], not self._inside
        if self._inside:
            self._held = self._held[-_LONGEST_TAG:]
            return ready
        cut = self._held.rfind("<")
        if cut < 0 or not any(tag.startswith(self._held[cut:].lower()) for tag in _OPENING):
            cut = len(self._held)
        ready, self._held = ready + self._held[:cut], self._held[cut:]
        return ready

    def flush(self) -> str:
        """Return what waits at the end of the stream; an unfinished thought is none."""
        rest, self._held = "" if self._inside else self._held, ""
        return rest


@dataclass(frozen=True, slots=True)
class Marked:
    """A sentence with its tags read."""

    text: str
    emotion: Emotion
    outcome: Outcome | None
    cited: tuple[int, ...]
    """Numbers of passages and results, from 1."""


def read_tags(written: str, emotion: Emotion) -> Marked:
    """Take the tags out of a sentence, and what is not fit to be said.

    Args:
        written: as the model wrote it.
        emotion: of the sentence before, which goes on.
    """
    outcome: Outcome | None = None
    cited: list[int] = []
    for tag in _TAG.findall(written):
        inside = tag[1:-1].casefold()
        if numbers := re.findall(r"\d+", inside):
            cited += map(int, numbers)
        elif inside in REPLY_EMOTIONS:
            emotion = Emotion(inside, 0.7)
        elif f"[{inside}]" in _MARKS:
            outcome = _MARKS[f"[{inside}]"]
    return Marked(spoken(_TAG.sub("", written)), emotion, outcome, tuple(dict.fromkeys(cited)))


def spoken(text: str) -> str:
    """Return a text without Markdown, headings and emoji, ending as sentences end; links are kept."""
    text = "\n".join(line for line in text.splitlines() if not _HEADING.match(line))
    for pattern, instead in _MARKDOWN:
        text = pattern.sub(instead, text)
    text = _EMOJI.sub("", text)
    text = re.sub(r"\s+([.!?,;])", r"\1", text)
    text = re.sub(r"\s{2,}|\n", " ", text).strip(" \t\n*_|")
    if not any(character.isalnum() for character in text):
        return ""
    if not _ENDS.search(text):
        text = text.rstrip(",，、") + ("。" if re.search(r"[\u3400-\u9fff]$", text) else ".")
    return text


async def numbered_sentences(pieces: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """Yield sentences, each with the passage numbers that stand in it or right behind it."""
    # Each sentence is judged by itself, however short: "可以退货。" must not fall with what follows it.
    splitter, thoughts = SentenceSplitter(first_letters=1, later_chars=LONGEST_SENTENCE), Thoughts()
    held: str | None = None
    async with aclosing(pieces):
        async for piece in pieces:
            for sentence in splitter.feed(thoughts.feed(piece)):
                if held is not None:
                    own = _NUMBERS.match(sentence)
                    if own:
                        held, sentence = held + own.group(), sentence[own.end() :].strip()
                    yield held
                held = sentence
            if held is not None and not _MAYBE_NUMBER.match(splitter.waiting):
                yield held + splitter.take(_NUMBERS)
                held = None
    rest = splitter.feed(thoughts.flush()) if held is None else []
    for sentence in rest:
        yield sentence
    if held is not None:
        yield held + splitter.take(_NUMBERS)
    for sentence in splitter.flush():
        yield sentence
