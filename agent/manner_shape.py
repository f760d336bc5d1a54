"""A reply's sentences, said as the visitor's feeling asks for: words, voice and face together."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from agent.events import Event, Felt, Screened, Written
from agent.history import Memory
from agent.manner import Manner, manner_of
from agent.manner_settings import SMILES, Feelings
from agent.news import is_bad_news, is_good_news
from agent.phrases import Phrases
from agent.sentence import Emotion, Outcome, Sentence
from agent.shortening import shorter
from moderation.verdict import Verdict

AFTER = 0.6
"""Share of the first sentence's intensity that those after it have: a feeling comes, and settles."""
GRAVE = Emotion("concerned", 0.7)
"""How everything is said where somebody died or is in danger: even a face at rest smiles a little."""
REGRET, MILD = 0.5, 0.4
"""Intensity of regret at bad news: where a smile was asked for, and where nothing was."""
PLEASED = 0.5
"""Intensity of joy at good news."""
REGRETTED = ("anger", "sadness", "disgust")
"""Feelings to which the opening is said also where the desk does not know an answer, or something failed."""
UNSAID = Emotion()
"""What a sentence has for which nobody chose an emotion."""

_SMILING = ("greet", "agree", "farewell", "welcome", "attend", "listen", "reassure", "ask", "confirm")
"""Gestures with a smile in them."""
_BEAMING = _SMILING[:4]
"""... and those that a troubled visitor is spared; the others' is a hint of one."""
_SORRY = re.compile(
    r"\W*(?:i am|i'm|we are|we're|oh)?,? ?(?:so |very |really )?(?:sorry|apologi[sz]e|my apologies)\b"
    r"|\W*(?:我们?|非常|实在|真的|很|十分)*(?:抱歉|对不起|不好意思|致歉)",
    re.IGNORECASE,
)
_SORRY_BEFORE = re.compile(
    r"\W*(?:i am|i'm|we are|we're)? ?(?:so |very |really )?sorry(?:,? but|[,.!:]| [-–—])\s+(?=\w)"
    r"|\W*(?:我们?|非常|实在|真的|很|十分)*(?:抱歉|对不起|不好意思)[，,。！!]\s*(?=\w)",
    re.IGNORECASE,
)
"""An apology before what matters, that can be left out where one was just made."""
_MATTERS = re.compile(
    r"\b(?:never|do not|don't|must not|danger\w*|careful\w*|warning)\b"
    r"|^(?:but|however|unless|except|otherwise|only)\b|切勿|不要|千万|危险|禁止|小心|^(?:但|不过|除非|除了|否则|只有)",
    re.IGNORECASE,
)
"""Sentences that are said however short the answer is to be: without them the rest may be wrong."""


class Shaping:
    """Shapes the sentences of one reply, in their order.

    Args:
        manner: of the turn.
        upset: the desk's own apology to angry visitors, which is left out where the opening was one.
    """

    def __init__(self, manner: Manner, upset: str = "") -> None:
        self._manner, self._upset = manner, upset
        self._said = 0
        """Sentences of the answer itself."""
        self._begun = self._opened = False

    def shape(self, sentence: Sentence) -> list[Sentence]:
        """Return what is said for a sentence: nothing, or one, or several."""
        if sentence.person:
            return [sentence]
        row = self._manner.row
        answers = sentence.outcome is Outcome.ANSWERED and not any(
            one.source.startswith("tool:") for one in sentence.citations
        )
        if self._opened and sentence.text in self._upset:
            return []
        if answers and self._too_much(sentence):
            return []
        self._said += answers
        opening = self._opening(sentence)
        if opening and _SORRY.match(opening[0].text):
            sentence = replace(sentence, text=_without_sorry(sentence.text))
        first = not self._begun and not opening
        shaped = replace(
            sentence,
            emotion=self._emotion(sentence, first=first),
            pace=row.pace if sentence.pace == 1.0 else sentence.pace,
            gesture=self._gesture(sentence, first=first),
        )
        self._begun = True
        texts = shorter(sentence.text) if row.short and answers else [sentence.text]
        rest = [replace(shaped, text=text, gesture="") for text in texts[1:]]
        return [*opening, replace(shaped, text=texts[0]), *rest]

    def _opening(self, sentence: Sentence) -> list[Sentence]:
        """Return what goes before the first sentence of a reply."""
        manner = self._manner
        fits = sentence.outcome is not Outcome.REFUSED and self._fits(sentence)
        if self._begun or not manner.opening or not fits or sentence.text in self._upset:
            return []
        self._opened = True
        text = Sentence(manner.opening, manner.language, UNSAID, sentence.outcome, pace=manner.row.pace)
        gesture = self._gesture(replace(text, outcome=Outcome.ANSWERED), first=True)
        return [replace(text, emotion=self._emotion(text, first=True), gesture=gesture)]

    def _fits(self, sentence: Sentence) -> bool:
        """Tell whether the opening may go before a sentence: one apology, and no promise where help ends."""
        if not _SORRY.match(sentence.text):
            return True
        if self._manner.feeling not in REGRETTED:
            return False
        return not _SORRY.match(self._manner.opening) or bool(_SORRY_BEFORE.match(sentence.text))

    def _too_much(self, sentence: Sentence) -> bool:
        most, text = self._manner.row.sentences, sentence.text
        return 0 < most <= self._said and not (_MATTERS.search(text) or is_bad_news(text))

    def _emotion(self, sentence: Sentence, *, first: bool) -> Emotion:
        """Choose how a sentence is said: as its writer wanted within limits, else as the table says."""
        manner, emotion, text = self._manner, sentence.emotion, sentence.text
        row = manner.row
        wanted = Emotion(row.reply, row.intensity * (1.0 if first else AFTER))
        if manner.solemn:
            return GRAVE
        unsaid = emotion == UNSAID
        if unsaid and row.reply != "neutral":
            emotion = wanted
        elif unsaid and is_good_news(text):
            emotion = Emotion("happy", PLEASED)
        if manner.troubled and emotion.label in SMILES:
            emotion = wanted
        only_asks = not manner.at_fault and sentence.outcome is Outcome.ANSWERED
        if only_asks and emotion.label == "apologetic" and not _SORRY.match(text):
            emotion = UNSAID
        sad = sentence.outcome in (Outcome.ABSTAINED, Outcome.REFUSED) or is_bad_news(text)
        if sad and emotion.label in SMILES:
            return Emotion("apologetic", REGRET)
        if is_bad_news(text) and (emotion == UNSAID or emotion.label == "empathetic"):
            return Emotion("apologetic", max(MILD, emotion.intensity if emotion != UNSAID else 0.0))
        return emotion

    def _gesture(self, sentence: Sentence, *, first: bool) -> str:
        manner, gesture = self._manner, sentence.gesture
        if manner.solemn:
            return "nod" if first or gesture else ""
        if gesture in _BEAMING and manner.troubled:
            gesture = ""
        if not gesture and first and sentence.outcome is Outcome.ANSWERED:
            gesture = manner.row.gesture
        if first and not gesture and is_bad_news(sentence.text):
            return "apologise" if sentence.emotion.label == "apologetic" else "nod"
        return gesture


def _without_sorry(text: str) -> str:
    rest = _SORRY_BEFORE.sub("", text, count=1) if _SORRY_BEFORE.match(text) else text
    return rest[:1].upper() + rest[1:]


async def mannered(
    events: AsyncGenerator[Event, None],
    memory: Memory,
    table: Feelings,
    phrases: Phrases,
    language: str,
) -> AsyncGenerator[Event, None]:
    """Yield a reply's events, its sentences shaped by what the visitor feels.

    Args:
        events: of the reply; `Screened` and `Felt` come before its sentences, or nothing is shaped.
        memory: the conversation before it.
        table: the desk's.
        phrases: the desk's lines in `language`.
        language: ISO 639-1, of the reply.
    """
    verdict: Verdict | None = None
    shaping: Shaping | None = None
    felt = False
    async with aclosing(events) as inner:
        async for event in inner:
            if isinstance(event, Screened) and verdict is None and event.verdict.direction.value == "input":
                verdict = event.verdict
                shaping = _shaping(Emotion(), verdict, memory, table, phrases, language)
            elif isinstance(event, Felt) and verdict is not None and not felt:
                felt = True  # by all of their words; what comes later is by a part of them
                shaping = _shaping(event.emotion, verdict, memory, table, phrases, language)
            if not isinstance(event, Written) or shaping is None:
                yield event
                continue
            for sentence in shaping.shape(event.sentence):
                yield replace(event, sentence=sentence)


def _shaping(
    felt: Emotion, verdict: Verdict, memory: Memory, table: Feelings, phrases: Phrases, language: str
) -> Shaping | None:
    manner = manner_of(felt, verdict, memory, table, language)
    return Shaping(manner, phrases.upset) if manner is not None else None
