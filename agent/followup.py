"""Questions that lean on what was said before, made to stand alone: "and for abroad?", "那要多久?"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from agent.followup_chinese import LONGEST as LONGEST_CHINESE
from agent.followup_chinese import standalone_chinese
from agent.followup_words import (
    BE,
    BEFORE_VERBS,
    DUMMY_IT,
    ENDS_IN_IT,
    FINITE,
    FIRST,
    FRAMES,
    GENERIC,
    LEAD,
    NAMES,
    NO_NAME,
    OFFERED,
    PLACE_NOUN,
    PREPOSITIONS,
    PRONOUNS,
    QUESTION_WORDS,
    SECOND,
    VAGUE,
    VERBS,
    kind_of,
    plain,
)
from agent.history import Exchange
from agent.sentence import Outcome
from agent.smalltalk import small_talk
from knowledge.passage import Passage
from knowledge.words import tokens_of, words_of

FEW = 3
"""Passages that are looked at for what a follow-up adds."""
LOOKED_BACK = 6
"""Exchanges that a question may lean on."""
LONGEST = 14
"""Words of a question that may still lean on another one."""
SHORT = 5
"""Words of a question whose words are all vague."""
MOST_OWN = 3
"""Content words behind "what about": with more it is a question of its own."""
MOST_WORDS = 18
"""Content words of what is made: more blur the search."""

_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[A-Za-z0-9]+(?:['’-][A-Za-z0-9]+)*")


def standalone(question: str, history: Sequence[Exchange]) -> str:
    """Return a question with what it leaves to the conversation put in, for the search.

    Args:
        question: the visitor's words.
        history: what was said before, the oldest first.

    Returns:
        The question itself where it stands by itself or nothing was said before; else words of both.
    """
    answered = [
        one
        for one in history[-LOOKED_BACK:]
        if one.question and one.outcome is not Outcome.REFUSED and small_talk(one.question) is None
    ]
    if not answered or small_talk(question) is not None:
        return question
    last = answered[-1]
    if last.outcome is Outcome.CLARIFIED and (chosen := _chosen(question, last.reply)):
        earlier = _resolved(last.question, tuple((one.question, one.reply) for one in answered[:-1]))
        return f"{earlier.rstrip(' ?？。.')}{'，' if _HAN.search(chosen) else ', '}{chosen}"
    return _resolved(question, tuple((one.question, one.reply) for one in answered))


def on_topic(question: str, history: Sequence[Exchange]) -> str:
    """Return a short question with what the one before was about, though it does not say that it leans on it.

    Args:
        question: the visitor's words.
        history: what was said before, the oldest first.

    Returns:
        The question itself where nothing was said just before, or it is too long to leave something out.
    """
    last = history[-1] if history else None
    if last is None or not last.question or last.outcome is not Outcome.ANSWERED or small_talk(question):
        return question
    words, chinese = _WORD.findall(question), bool(_HAN.search(question))
    if len(words) > LONGEST or len(question) > LONGEST_CHINESE and chinese:
        return question
    earlier = standalone(last.question, history[:-1]).strip(" ?？。.!！")
    return f"{earlier}，{question}" if chinese else _with_topic(question, words, earlier)


def _chosen(answer: str, reply: str) -> str:
    """Return which of the two topics that were asked back about is meant; empty where none is."""
    offered = OFFERED.search(reply)
    if offered is None:
        return ""
    if SECOND.fullmatch(answer):
        return offered.group(2).strip()
    return offered.group(1).strip() if FIRST.fullmatch(answer) else ""


@lru_cache(maxsize=256)
def _resolved(question: str, before: tuple[tuple[str, str], ...]) -> str:
    if not before:
        return question
    chinese = bool(_HAN.search(question))
    earlier, reply = _resolved(before[-1][0], before[:-1]), before[-1][1]
    if chinese:
        return standalone_chinese(question, earlier)
    return _english(question, earlier, reply, tuple(before))


def _english(question: str, earlier: str, reply: str, before: tuple[tuple[str, str], ...]) -> str:
    words = [word.replace("’", "'") for word in _WORD.findall(question)]
    lead = 0
    while lead < len(words) and words[lead].casefold() in LEAD:
        lead += 1
    opened, rest = _without_frame(words)
    rest = [word for word in rest if word.casefold() not in ("too", "then", "also", "as", "well", "please")]
    own = [word for word in rest if not plain(word)]
    if not words or len(words) > LONGEST or opened and len(own) > MOST_OWN:
        return question
    if _names_another(words, question) and (name := _last_name(reply, before)):
        return f"{question.rstrip(' ?')}, {name}?"
    if opened and rest and not _full(rest):
        return _put_in(rest, own, earlier)
    vague = all(word.casefold() in GENERIC | VAGUE for word in own) and len(words) <= SHORT
    if (
        not own or vague or words[0].casefold() == "what" and words[1:2] == ["if"]
    ):  # "how long?", "how much is that?", "why?"
        return _with_topic(question, rest or words, earlier)
    if _leans(words, rest):
        return _with_topic(question, rest, earlier)
    if lead and not _full(rest):
        return _put_in(rest, own, earlier)
    if len(words) <= 4 and not _full(words) and (kind_of(own[0]) or words[0].casefold() in PREPOSITIONS):
        return _put_in(words, own, earlier)
    return question


def _without_frame(words: list[str]) -> tuple[bool, list[str]]:
    """Take "and", "what about", "how about", "same for" away from the beginning."""
    said = " ".join(words).casefold()
    found = FRAMES.match(said)
    if not found or not found.end():
        return False, words
    return True, words[len(found.group().split()) :]


def _full(words: Sequence[str]) -> bool:
    """Tell whether words make a question of their own: a question word first, or a verb's helper."""
    low = [word.casefold() for word in words]
    return bool(low) and (low[0] in QUESTION_WORDS or any(word in FINITE for word in low))


def _leans(words: Sequence[str], rest: Sequence[str]) -> bool:
    """Tell whether a pronoun stands before any noun that it could mean."""
    said = " ".join(words).casefold()
    if ENDS_IN_IT.search(said):
        return True
    if DUMMY_IT.search(said):
        return False
    low = [word.casefold() for word in rest]
    for at, word in enumerate(low):
        if word in PRONOUNS:
            more = [one for one in low[at + 1 :] if not plain(one)]
            points = (
                word in ("this", "that", "these", "those") and at + 1 < len(low) and not plain(low[at + 1])
            )
            predicate = at and low[at - 1] in BE and (len(more) == 1 or points and low[at + 1] in VERBS)
            names_it = points and not predicate
            return not names_it or low[at + 1] in ("one", "ones")
        verb = bool(at) and low[at - 1] in BEFORE_VERBS or low[max(at - 1, 0)] == "how"
        if word not in GENERIC and not plain(word) and not verb:
            return False
    return False


def _put_in(rest: list[str], own: list[str], earlier: str) -> str:
    """Return the earlier question with what stands in the same place replaced: "and for Spain?"."""
    if _HAN.search(earlier):
        return f"{earlier} {' '.join(rest)}"
    before = _WORD.findall(earlier)
    kinds = {kind for word in own if (kind := kind_of(word))}
    kept = before
    if kinds:
        kept = [word for word in before if kind_of(word) not in kinds]
    elif own and rest[0].casefold() not in PREPOSITIONS:
        kept = _without_last_noun(before)
    elif own and rest[0].casefold() in ("with", "without", "by", "via", "on", "as"):
        same = {"with": ("with", "by", "via"), "by": ("with", "by", "via")}.get(rest[0].casefold(), ())
        kept = _without_phrase(before, same)
    while kept and kept[-1].casefold() in PREPOSITIONS | {"the", "a", "an", "and", "or"}:
        kept = kept[:-1]
    return _trimmed([*kept, *rest]) + "?"


def _without_phrase(before: list[str], prepositions: Sequence[str]) -> list[str]:
    for at in range(len(before) - 1, 0, -1):
        if before[at].casefold() in prepositions:
            return before[:at]
    return before


def _without_last_noun(before: list[str]) -> list[str]:
    """Take the last noun phrase away, if something that tells the topic is left."""
    end = len(before)
    while end and (plain(before[end - 1]) or kind_of(before[end - 1])):
        end -= 1
    begin = end
    while begin and not plain(before[begin - 1]) and before[begin - 1].casefold() not in GENERIC:
        begin -= 1
    if end - begin > 1 and begin and before[begin - 1].casefold() in ("i", "you", "we", "to", "they"):
        begin += 1  # the first word is the verb
    left = before[:begin] + before[end:]
    telling = [
        word for word in left if not plain(word) and word.casefold() not in GENERIC and not kind_of(word)
    ]
    return left if telling else before


def _with_topic(question: str, rest: Sequence[str], earlier: str) -> str:
    """Return the question with the words that the earlier one was about."""
    if _HAN.search(earlier):
        return f"{earlier} {question}"
    have = {word.casefold() for word in rest}
    topic = [word for word in _WORD.findall(earlier) if not plain(word) and word.casefold() not in have]
    telling = [word for word in topic if word.casefold() not in GENERIC] or topic
    if not telling:
        return question
    return f"{question.rstrip(' ?!.')}, {_trimmed(telling)}?"


def _names_another(words: Sequence[str], question: str) -> bool:
    """Tell whether a question speaks of a place that was named before: "does the hotel …", "do they …"."""
    if any(
        word[0].isupper() and len(word) > 2 and word.casefold() not in ("i'm", "i'd", "wifi")
        for word in words[1:]
    ):
        return False
    return bool(
        PLACE_NOUN.search(question) or re.search(r"\b(?:they|their|them|there)\b", question, re.IGNORECASE)
    )


def _last_name(reply: str, before: tuple[tuple[str, str], ...]) -> str:
    """Return the name that was spoken of last; empty where there is none."""
    for text in (reply, *(part for asked, said in reversed(before) for part in (asked, said))):
        for pattern in NAMES:
            for found in pattern.finditer(text):
                name = found.group(1).strip()
                words = [word.casefold() for word in name.split()]
                if not NO_NAME.search(name) and not any(
                    kind_of(word) or plain(word) and word not in ("the", "and", "of") for word in words
                ):
                    return name
    return ""


def _trimmed(words: Sequence[str]) -> str:
    telling = 0
    kept: list[str] = []
    for word in words:
        telling += not plain(word)
        if telling > MOST_WORDS:
            break
        kept.append(word)
    return " ".join(kept)


def follows(question: str, passages: Sequence[Passage]) -> bool:
    """Whether what a follow-up adds is spoken of in what was found for the whole of it.

    Args:
        question: the visitor's words, without what went before.
        passages: found for the question as it stands alone.
    """
    # "how much" is spoken of where anything costs something
    added = {name for word in words_of(question) if not word.plain for name in (word.key, *word.concepts)}
    found = {token for passage in passages[:FEW] for token in tokens_of(f"{passage.title}. {passage.text}")}
    return not added or bool(added & found)
