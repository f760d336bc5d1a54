"""When each written word is heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from speech.spoken_text import SpokenText, written_words
from speech.timeline import Phoneme, Word


@dataclass(frozen=True, slots=True)
class Mark:
    """An engine's word: where it stands in the spoken text, and when it is heard."""

    character: int
    """Index of its first character."""
    length: int
    """In characters, at least 1."""
    start_s: float
    end_s: float


def word_times(written: str, said: SpokenText, marks: Sequence[Mark]) -> tuple[Word, ...]:
    """Time the words of the writing.

    Args:
        written: what was asked for.
        said: what was given to the engine.
        marks: the engine's words in time order; several for one stretch of text ("29" → "twenty", "nine")
            count as one.

    Returns:
        Words in the order of writing, which never overlap; what is not heard (emoji, dashes) is left out.
        Within an engine's word time is shared out evenly by characters.
    """
    characters = _character_times(said.text, marks)
    heard: dict[int, tuple[float, float]] = {}
    for index, span in enumerate(characters):
        if span is None:
            continue
        origin = said.origins[index]
        first, last = heard.get(origin, span)
        heard[origin] = (min(first, span[0]), max(last, span[1]))
    words: list[Word] = []
    time_s = 0.0
    for word in written_words(written):
        spans = [heard[index] for index in range(word.first, word.last + 1) if index in heard]
        if not spans:
            continue
        start_s = max(time_s, min(span[0] for span in spans))
        end_s = max(start_s, max(span[1] for span in spans))
        if end_s > start_s:
            words.append(Word(word.text, start_s, end_s))
            time_s = end_s
    return tuple(words)


def share_out(said: SpokenText, timeline: Sequence[Phoneme]) -> tuple[Mark, ...]:
    """Mark the spoken words without the engine's help.

    Word boundaries of the text are laid over the voiced time by the number of characters: good enough for
    captions where an engine tells phonemes only.
    """
    voiced = [phoneme for phoneme in timeline if phoneme.symbol]
    total_s = sum(phoneme.end_s - phoneme.start_s for phoneme in voiced)
    words = written_words(said.text)
    letters = [max(1, sum(character.isalnum() for character in word.text)) for word in words]
    if not voiced or not words:
        return ()
    marks: list[Mark] = []
    passed = 0
    for word, count in zip(words, letters, strict=True):
        start_s = _voiced_time(voiced, total_s * passed / sum(letters), opening=True)
        passed += count
        end_s = _voiced_time(voiced, total_s * passed / sum(letters), opening=False)
        marks.append(Mark(word.first, word.last - word.first + 1, start_s, end_s))
    return tuple(marks)


def _voiced_time(voiced: Sequence[Phoneme], elapsed_s: float, *, opening: bool) -> float:
    """Turn an amount of voiced time into a moment; at a pause's edge, `opening` picks the far side."""
    for phoneme in voiced:
        length_s = phoneme.end_s - phoneme.start_s
        if elapsed_s < length_s - 1e-9 or (not opening and elapsed_s <= length_s + 1e-9):
            return phoneme.start_s + elapsed_s
        elapsed_s -= length_s
    return voiced[-1].end_s


def _character_times(text: str, marks: Sequence[Mark]) -> list[tuple[float, float] | None]:
    """Start and end in seconds of every letter and digit that some mark covers."""
    groups: list[Mark] = []
    for mark in marks:
        if groups and mark.character <= groups[-1].character:
            last = groups[-1]
            groups[-1] = Mark(
                last.character, max(last.length, mark.length), last.start_s, max(last.end_s, mark.end_s)
            )
        else:
            groups.append(mark)
    times: list[tuple[float, float] | None] = [None] * len(text)
    for index, group in enumerate(groups):
        end = groups[index + 1].character if index + 1 < len(groups) else len(text)
        # Up to the next mark, whatever the length: an engine may speak "in the" as one word.
        said = [place for place in range(group.character, min(end, len(text))) if text[place].isalnum()]
        if not said:
            continue
        step_s = (group.end_s - group.start_s) / len(said)
        for count, place in enumerate(said):
            times[place] = (group.start_s + count * step_s, group.start_s + (count + 1) * step_s)
    return times
