"""Whether a sentence says what its sources say: words, numbers, names and negation, in English and Chinese.

Deterministic and quick, so that it stands between a language model and the voice. It does not understand:
what it lets through uses the sources' words, with their numbers and names, and does not turn a "not" around.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.clauses import Clause, Source, keys_of, read
from agent.denying import ways
from agent.names import unknown_address, unknown_name
from agent.overlap import likeness, score_of, supported
from agent.quantities import Quantity
from agent.reversal import turned_around

ENOUGH = 0.6
"""From this score on a sentence counts as supported; `support` says what the score is."""
NEARER = 0.9
"""A number's own clause may be so much less like the sentence than one that has another number there."""
_IDIOM = re.compile(r"\bfeel free\b|\btake care\b(?! of)", re.IGNORECASE)
_OF_IDIOMS = frozenset(("free", "take"))
"""Courtesy only there: "glad to say that it is free" promises something."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A text that sentences may rest on."""

    text: str
    title: str = ""
    """Says what the text is about; it supports words, but is no statement: it may be a question."""


@dataclass(frozen=True, slots=True)
class Support:
    """What speaks for a sentence."""

    score: float
    """0..1: weighted share of its words in the evidence; 0 where a number, name or "not" is wrong."""
    by: tuple[int, ...] = ()
    """Which pieces of evidence carry it, the best first."""
    flaw: str = ""
    """Why the score is 0: "number", "name", "negation", "secret" or "words"."""
    claims: bool = True
    """False for courtesy and questions, which rest on nothing."""
    asks: bool = False
    """It asks the visitor for something; only its numbers and names were looked at."""
    ignorant: bool = False
    """It says that the answer is not known."""
    bare: bool = False
    """A mere "yes" or "you can": it means what stands beside it."""


def support(
    sentence: str, evidence: Sequence[Evidence], *, asked: str = "", known: Sequence[str] = ()
) -> Support:
    """Return how far the evidence supports a sentence.

    Args:
        sentence: what would be said, without Markdown and citation numbers.
        evidence: passages and results of tools.
        asked: the visitor's words; they may be taken up, but prove nothing.
        known: what the desk says of itself: names, contact, fixed lines; evidence that is not cited.
    """
    way = ways()
    if way.mere.fullmatch(sentence):
        return Support(0.0, bare=True)
    said = way.mere_first.sub("", sentence)
    question = bool(re.search(r"[?？][\"”’」）)]*\s*$", said) or way.requests.search(said))
    sources = [read(piece.text, piece.title) for piece in evidence]
    own = [read(line, "") for line in known]
    everything = [*sources, *own]
    wanted = read(said, "")
    about = read(asked, "")

    if unknown_address(said, everything):
        return Support(0.0, flaw="name")
    clauses = [c for c in wanted.clauses if not (_courteous(c, about) or way.mere.fullmatch(c.text))]
    if any(not _has_number(n, wanted, everything, about) for n in wanted.numbers):
        return Support(0.0, flaw="number")
    if unknown_name(said, everything, about, question=question):
        return Support(0.0, flaw="name")
    if way.ignorant.search(said) and not wanted.numbers:
        return Support(1.0, claims=False, ignorant=True)
    if not any(clause.words for clause in clauses) and not wanted.numbers:
        civil = question or way.courtesy.search(said)
        return Support(1.0, claims=False) if civil else Support(0.0, bare=True)
    if question:
        secret = way.secrets.search(said)
        return Support(0.0, flaw="secret") if secret else Support(1.0, claims=False, asks=True)
    if any(turned_around(clause, wanted, everything) for clause in clauses):
        return Support(0.0, flaw="negation")

    words = [word for clause in clauses for word in clause.words]
    if not words:  # numbers alone, all of them there
        by = [n for n, source in enumerate(sources) if all(_holds(source, q) for q in wanted.numbers)]
        return Support(1.0, tuple(by[:1]))
    score, by = score_of(words, said, everything, about)
    by = [n for n in by if n < len(sources)]
    holding = [n for n in by if all(_holds(sources[n], number) for number in wanted.numbers)]
    if score >= ENOUGH and way.absolute.search(said):
        absolute = any(way.absolute.search(source.text) for source in everything)
        score = score if absolute else 0.9 * ENOUGH
    return Support(score, tuple(holding[:1] or by[:2]), "words" if score < ENOUGH else "")


def speaks_to_a_model(text: str) -> bool:
    """Tell whether a text may give orders to an assistant; such a document is no evidence."""
    return orders_a_model(text) or bool(ways().of_users.search(text))


def orders_a_model(text: str) -> bool:
    """Tell whether a text plainly gives orders to an assistant; such a document is not learnt."""
    return bool(ways().orders.search(text))


def _courteous(clause: Clause, about: Source) -> bool:
    """Tell whether a clause is courtesy: it opens so, and has no words of its own."""
    if not clause.words and not clause.numbers:
        return True
    if clause.numbers:
        return False
    doubtful = frozenset[str]() if _IDIOM.search(clause.text) else _OF_IDIOMS
    told = [word for word in clause.words if not {word.stem, word.surface} & ways().address]
    if not told:
        return not clause.negated
    if not ways().courtesy.search(clause.text):
        return False
    asked = keys_of(about.clauses)
    others = [word for word in told if not {word.stem, word.surface} & ways().civil or word.stem in doubtful]
    return not others or (
        not ways().promising.search(clause.text)
        and all(supported(word, asked, about.text) for word in others)
    )


def _holds(source: Source, number: Quantity) -> bool:
    return any(number.agrees(other) for other in source.numbers)


def _has_number(number: Quantity, wanted: Source, sources: Sequence[Source], about: Source) -> bool:
    """Tell whether a number stands in the sources, next to what the sentence says it is of."""
    if not any(_holds(source, number) for source in sources):
        if not _holds(about, number):
            return False
        # The visitor's own number may be said back, but not be agreed to.
        return number.unit == "name" or any(clause.negated for clause in wanted.clauses)
    clause = next((c for c in wanted.clauses if number in c.numbers), None)
    if clause is None or number.unit == "name":
        return True
    all_words = [word for c in wanted.clauses for word in c.words if not word.plain]
    words = [word for word in clause.words if not word.plain] or all_words
    ours = theirs = 0.0
    for source in sources:
        title = tuple(c for c in source.clauses if not c.states)
        for sentence in (*source.sentences, title):
            for other in sentence:
                if not any(n.unit == number.unit or number.agrees(n) for n in other.numbers):
                    continue
                # What else the sentence says of it; what it says with another such number is of that.
                rest = tuple(c for c in sentence if c is not other and not _rivals(c, number))
                near = likeness(words, (other, *title)) + likeness(all_words, (other, *rest, *title))
                if any(number.agrees(n) for n in other.numbers):
                    ours = max(ours, near)
                elif not all(any(n.agrees(m) for m in wanted.numbers) for n in other.numbers):
                    theirs = max(theirs, near)
    return ours >= NEARER * theirs


def _rivals(clause: Clause, number: Quantity) -> bool:
    return any(n.unit == number.unit for n in clause.numbers)
