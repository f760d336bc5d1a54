"""Whether a sentence says what its sources say: words, numbers, names and negation, in English and Chinese.

Deterministic and quick, so that it stands between a language model and the voice. It does not understand:
what it lets through uses the sources' words, with their numbers and names, and does not turn a "not" around.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.clauses import HAN, LATIN_WORD, NOTHING, Clause, Source, keys_of, means, read
from agent.denying import ways
from agent.quantities import Quantity, quantities
from knowledge.words import Word, language_of

ENOUGH = 0.6
"""From this score on a sentence counts as supported; `support` says what the score is."""
ASKED = 0.5
"""A word of the question is worth half a word of the source, and all of them half of what the source has:
they may be just what it does not say."""
CLOSE = 0.5
"""From this share of a clause's words on, a clause of the source speaks about the same thing."""
NEARER = 0.9
"""A number's own clause may be so much less like the sentence than one that has another number there."""
BRIEF = 2
"""A denial of so few words is about what they say, wherever they are said."""
PLAIN = 0.3
"""Weight of a word that tells little of what a text is about."""

_ADDRESS = re.compile(
    r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b/?\S*"
)

_NAMELESS = frozenset(
    ("i", "i'm", "i'll", "i've", "i'd", "ok", "ai", "mr", "mrs", "ms", "dr", "a", "am", "pm", "faq")
)
"""Written with a capital, and no name."""


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

    if any(not _has_address(found, everything) for found in _ADDRESS.findall(said)):
        return Support(0.0, flaw="name")
    clauses = [c for c in wanted.clauses if not (_courteous(c, about) or way.mere.fullmatch(c.text))]
    if any(not _has_number(n, wanted, everything, about) for n in wanted.numbers):
        return Support(0.0, flaw="number")
    if _unknown_name(said, everything, about, question=question):
        return Support(0.0, flaw="name")
    if way.ignorant.search(said) and not wanted.numbers:
        return Support(1.0, claims=False, ignorant=True)
    if not any(clause.words for clause in clauses) and not wanted.numbers:
        civil = question or way.courtesy.search(said)
        return Support(1.0, claims=False) if civil else Support(0.0, bare=True)
    if question:
        secret = way.secrets.search(said)
        return Support(0.0, flaw="secret") if secret else Support(1.0, claims=False, asks=True)
    if any(_turned_around(clause, wanted, everything) for clause in clauses):
        return Support(0.0, flaw="negation")

    words = [word for clause in clauses for word in clause.words]
    if not words:  # numbers alone, all of them there
        by = [n for n, source in enumerate(sources) if all(_holds(source, q) for q in wanted.numbers)]
        return Support(1.0, tuple(by[:1]))
    score, by = _score(words, said, everything, about)
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
    if not ways().courtesy.search(clause.text) or clause.numbers:
        return False
    asked = keys_of(about.clauses)
    others = [
        word for word in clause.words if word.stem not in ways().civil and word.surface not in ways().civil
    ]
    return not others or (
        not ways().promising.search(clause.text)
        and all(_supported(word, asked, about.text) for word in others)
    )


def _supported(word: Word, keys: frozenset[str], text: str) -> bool:
    if word.stem in keys or any(means(name) and name in keys for name in word.concepts):
        return True
    if HAN.match(word.surface):
        return word.surface in text or (
            len(word.parts) > 1 and sum(part in text for part in word.parts) * 3 >= 2 * len(word.parts)
        )
    return bool(word.parts) and all(part in keys for part in word.parts)


def _score(
    words: Sequence[Word], said: str, sources: Sequence[Source], about: Source
) -> tuple[float, list[int]]:
    """Return the share of words that the sources have, and which of them carry it, the best first."""
    language = language_of(said)
    shares = []
    for n, source in enumerate(sources):
        foreign = bool(source.text.strip()) and language_of(source.text) != language
        # Between languages only words of known concepts can be compared.
        comparable = [w for w in words if any(map(means, w.concepts))] if foreign else words
        window = max((_share(comparable, window, about) for window in source.windows), default=0.0)
        whole = window if foreign else _share(words, source.clauses, about)
        shares.append(((window + whole) / 2, n))
    best, _ = max(shares, default=(0.0, -1))
    together = _share(words, [clause for source in sources for clause in source.clauses], about)
    ranked = sorted(shares, key=lambda item: (-item[0], item[1]))
    by = [n for share, n in ranked if share > 0 and share >= 0.8 * best]
    return max(best, (best + together) / 2), by


def _share(words: Sequence[Word], clauses: Sequence[Clause], about: Source) -> float:
    """Return the weighted share of words that clauses hold; those of the question help a little."""
    keys, text = keys_of(clauses), " ".join(clause.text for clause in clauses)
    asked = keys_of(about.clauses)
    held = taken_up = total = 0.0
    counted: set[str] = set()
    for word in words:
        same = set(filter(means, word.concepts))
        if same and same <= counted:
            continue  # "the warranty covers": said twice, it proves no more
        counted |= same
        weight = PLAIN if word.plain else 1.0
        total += weight
        if _supported(word, keys, text):
            held += weight
        elif _supported(word, asked, about.text) and not ways().places.intersection(word.concepts):
            taken_up += ASKED * weight
    return (held + min(taken_up, ASKED * held)) / total if total else 0.0


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
                near = _likeness(words, (other, *title)) + _likeness(all_words, (other, *rest, *title))
                if any(number.agrees(n) for n in other.numbers):
                    ours = max(ours, near)
                elif not all(any(n.agrees(m) for m in wanted.numbers) for n in other.numbers):
                    theirs = max(theirs, near)
    return ours >= NEARER * theirs


def _rivals(clause: Clause, number: Quantity) -> bool:
    return any(n.unit == number.unit for n in clause.numbers)


def _likeness(words: Sequence[Word], clauses: Sequence[Clause]) -> float:
    """Return the harmonic mean of how much of either side the other has, 0..1."""
    keys, text = keys_of(clauses), " ".join(clause.text for clause in clauses)
    there = [word for word in clauses[0].words if not word.plain]
    held = sum(_supported(word, keys, text) for word in words)
    ours = frozenset(key for word in words for key in (word.stem, *word.parts, *filter(means, word.concepts)))
    back = sum(_supported(word, ours, "") for word in there)
    return 2.0 * (held + back * 0.5) / (2 * len(words) + len(there) or 1)


def _turned_around(clause: Clause, wanted: Source, sources: Sequence[Source]) -> bool:
    """Tell whether a clause denies what the sources say, or says what they deny."""
    words = [word for word in clause.words if not word.plain]
    if not words:
        return False
    denied = any(c.negated for c in wanted.clauses)
    best: list[tuple[float, bool]] = []
    for source in sources:
        title = tuple(c for c in source.clauses if not c.states)
        answers = any(re.search(r"[?？]\s*$|吗$", c.text) for c in title)
        nearest: dict[int, float] = {}
        for other in source.clauses:
            if other.states:
                told = _told(clause, words, other, title if answers else (), clause.negated)
                nearest[id(other)] = told[0]
                best.append(told)
        for whole, its in source.wholes:
            told = _told(clause, words, whole, (), denied)
            if told[0] > max(nearest[id(one)] for one in its):  # what spreads over the clauses
                best.append(told)
    most = max((near for near, _ in best), default=0.0)
    return most >= CLOSE and not any(same for near, same in best if near >= 0.85 * most)


def _told(
    clause: Clause, words: Sequence[Word], other: Clause, title: tuple[Clause, ...], negated: bool
) -> tuple[float, bool]:
    """Return how near a source's clause is to what is said, and whether it denies as that does."""
    if not (other.words or other.numbers):
        return 0.0, True
    opposite, near = _nearness(clause, words, other)
    if near > 0 and title:
        near = max(near, 0.9 * _share(words, (other, *title), NOTHING))
    return near, clause.either or other.either or (negated == other.negated) != opposite


def _nearness(clause: Clause, words: Sequence[Word], other: Clause) -> tuple[bool, float]:
    """Tell whether a source's clause uses an opposite word, and how near it is to what a clause says."""
    ours, theirs = {word.stem for word in clause.words}, {word.stem for word in other.words}
    against = _opposites(ours, theirs)
    held = sum(word.stem in against or _supported(word, other.keys, other.text) for word in words)
    numbers = sum(2 for number in clause.numbers if any(number.agrees(n) for n in other.numbers))
    near = (held + numbers) / (len(words) + 2 * len(clause.numbers))
    telling = [word for word in other.words if not word.plain]
    if near and len(telling) <= BRIEF and (clause.negated or other.negated):
        # "You do not have to register" is about registering, however much else a sentence says of it.
        back = sum(_supported(word, clause.keys, clause.text) for word in telling) / max(1, len(telling))
        near = max(near, (near + back) / 2)
    return bool(against), near


def _opposites(ours: set[str], theirs: set[str]) -> set[str]:
    """Return our words that exclude one of theirs: used, unused; before, after; open, closed."""
    found = set()
    for word in ours - theirs:
        others = {other for pair in ways().opposites if word in pair for other in pair if other != word}
        others |= {"un" + word, "non" + word, word.removeprefix("un"), word.removeprefix("non")} - {word}
        if others & (theirs - ours):
            found.add(word)
    return found


def _unknown_name(said: str, sources: Sequence[Source], about: Source, *, question: bool) -> bool:
    """Tell whether a sentence holds a name that nothing before it held."""
    there = frozenset[str]().union(*(source.latin for source in sources))
    chinese = bool(HAN.search(said))
    denied = ways().negation.search(ways().no_negation.sub(" ", said.replace("’", "'")))
    for match in LATIN_WORD.finditer(said):
        word = match.group()
        first = (
            not said[: match.start()].strip(" \"'“‘(") or said[: match.start()].rstrip()[-1:] in ".!?:。！？"
        )
        capital = word[0].isupper() and (
            not first or sum(c.isupper() for c in word) > 1 or any(map(str.isdigit, word))
        )
        if not (capital or chinese):
            continue
        if quantities(f"1 {word}")[:1] and quantities(f"1 {word}")[0].unit or quantities(word):
            continue
        plain = re.sub(r"'s?$", "", word.casefold().replace("’", "'"))
        if plain in _NAMELESS or plain in there or plain.rstrip("s") in there or f"{plain}s" in there:
            continue
        if plain in about.latin and (question or denied):
            continue
        return True
    return False


def _has_address(found: str, sources: Sequence[Source]) -> bool:
    plain = found.rstrip(".,;:!?)。，").casefold()
    return any(plain in source.text.casefold() for source in sources)
