"""Whether a sentence says what its sources say: words, numbers, names and negation, in English and Chinese.

Deterministic and quick, so that it stands between a language model and the voice. It does not understand:
what it lets through uses the sources' words, with their numbers and names, and does not turn a "not" around.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import pairwise

from agent.quantities import Quantity, quantities
from agent.splitter import split_sentences
from knowledge.words import Word, words_of

ENOUGH = 0.6
"""From this score on a sentence counts as supported; `support` says what the score is."""
ASKED = 0.5
"""A word of the question alone is half a word of the source: it may be what the source does not say."""
CLOSE = 0.5
"""From this share of a clause's words on, a clause of the source speaks about the same thing."""
NEARER = 0.9
"""A number's own clause may be so much less like the sentence than one that has another number there."""
PLAIN = 0.3
"""Weight of a word that tells little of what a text is about."""

_CLAUSE = re.compile(
    r"[,:](?!\d)|[;—()，、；：（）]|\b(?:but|however|although|whereas|while)\b|但是?|不过|然而|而且"
)
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z0-9&.+'’-]*[A-Za-z0-9]|[A-Z]")
_ADDRESS = re.compile(
    r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b/?\S*"
)

_NAMELESS = frozenset(
    ("i", "i'm", "i'll", "i've", "i'd", "ok", "ai", "mr", "mrs", "ms", "dr", "a", "am", "pm", "faq")
)
"""Written with a capital, and no name."""


@dataclass(frozen=True, slots=True)
class _Wording:
    """`grounding.toml`, read and compiled."""

    no_negation: re.Pattern[str]
    negation: re.Pattern[str]
    either_way: re.Pattern[str]
    opposites: tuple[frozenset[str], ...]
    mere: re.Pattern[str]
    mere_first: re.Pattern[str]
    courtesy: re.Pattern[str]
    civil: frozenset[str]
    promising: re.Pattern[str]
    ignorant: re.Pattern[str]
    orders: re.Pattern[str]
    kinds: frozenset[str]
    places: frozenset[str]


@lru_cache(maxsize=1)
def _wording() -> _Wording:
    data = tomllib.loads((resources.files("agent") / "grounding.toml").read_text(encoding="utf-8"))

    def any_of(patterns: Iterable[str], around: str = "{}") -> re.Pattern[str]:
        return re.compile(around.replace("{}", f"(?:{'|'.join(patterns)})"), re.IGNORECASE)

    denying, courtesy, mere = data["denying"], data["courtesy"], data["agreeing"]["mere"]
    return _Wording(
        no_negation=any_of(denying["none"]),
        negation=any_of(denying["words"]),
        either_way=any_of(denying["either_way"]),
        opposites=tuple(frozenset(pair.split("/")) for pair in denying["opposites"]),
        mere=any_of(mere, r"\s*{}[\s.!。！]*"),
        mere_first=any_of(mere, r"^\s*{}\s*[.!。！]\s*"),
        courtesy=any_of(courtesy["opening"]),
        civil=frozenset(courtesy["words"].split()),
        promising=any_of(courtesy["promising"]),
        ignorant=any_of(data["ignorance"]["said"]),
        orders=any_of(data["orders"]["said"]),
        kinds=frozenset(data["kinds"]["of_a_kind"]),
        places=frozenset(data["kinds"]["places"]),
    )


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
    """Why the score is 0: "number", "name", "negation" or "words"."""
    claims: bool = True
    """False for courtesy and questions, which rest on nothing."""
    bare: bool = False
    """A mere "yes" or "of course": it means what stands behind it."""


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
    if _wording().mere.fullmatch(sentence):
        return Support(0.0, claims=True, bare=True)
    said = _wording().mere_first.sub("", sentence)
    question = bool(re.search(r"[?？][\"”’」）)]*\s*$", said))
    sources = [_read(piece.text, piece.title) for piece in evidence]
    own = [_read(line, "") for line in known]
    everything = [*sources, *own]
    wanted = _read(said, "")
    about = _read(asked, "")

    if any(not _has_address(found, everything) for found in _ADDRESS.findall(said)):
        return Support(0.0, flaw="name")
    clauses = [c for c in wanted.clauses if not (_courteous(c, about) or _wording().mere.fullmatch(c.text))]
    if any(not _has_number(n, wanted, everything, about) for n in wanted.numbers):
        return Support(0.0, flaw="number")
    if _unknown_name(said, everything, about, question=question):
        return Support(0.0, flaw="name")
    if not any(clause.words for clause in clauses) and not wanted.numbers:
        return Support(1.0, claims=False)
    if question or (_wording().ignorant.search(said) and not wanted.numbers):
        return Support(1.0, claims=False)
    if any(_turned_around(clause, everything) for clause in clauses):
        return Support(0.0, flaw="negation")

    words = [word for clause in clauses for word in clause.words]
    if not words:  # numbers alone, all of them there
        by = [n for n, source in enumerate(sources) if all(_holds(source, q) for q in wanted.numbers)]
        return Support(1.0, tuple(by[:1]))
    shares = [(_best_window(words, source, about), n) for n, source in enumerate(everything)]
    best, _ = max(shares, default=(0.0, -1))
    together = _share(words, [clause for source in everything for clause in source.clauses], about)
    ranked = sorted(shares, key=lambda item: (-item[0], item[1]))
    by = [n for share, n in ranked if n < len(sources) and share > 0 and share >= 0.8 * best][:2]
    score = (best + together) / 2
    return Support(score, tuple(by), "words" if score < ENOUGH else "")


def speaks_to_a_model(text: str) -> bool:
    """Tell whether a text gives orders to an assistant; such a document is no evidence."""
    return bool(_wording().orders.search(text))


@dataclass(frozen=True, slots=True)
class _Clause:
    text: str
    words: tuple[Word, ...]
    numbers: tuple[Quantity, ...]
    negated: bool
    either: bool
    states: bool = True
    """False for a title: it supports words, but says neither yes nor no."""


@dataclass(frozen=True, slots=True)
class _Source:
    text: str
    clauses: tuple[_Clause, ...]
    windows: tuple[tuple[_Clause, ...], ...]
    """The clauses of every sentence with those of the next, and the title's."""
    sentences: tuple[tuple[_Clause, ...], ...]
    numbers: tuple[Quantity, ...]
    latin: frozenset[str]


@lru_cache(maxsize=512)
def _read(text: str, title: str) -> _Source:
    heading = _clause(title, states=False)
    sentences = [
        tuple(_clause(part) for part in _CLAUSE.split(sentence) if part and part.strip())
        for sentence in split_sentences(text)
    ]
    start = (heading,) if title else ()
    windows = tuple(start + one + two for one, two in pairwise([*sentences, ()]))
    return _Source(
        f"{title}\n{text}",
        start + tuple(clause for sentence in sentences for clause in sentence),
        windows,
        tuple(sentences),
        tuple(quantities(title)) + tuple(quantities(text)),
        frozenset(word.casefold() for word in _LATIN_WORD.findall(f"{title} {text}")),
    )


_NOTHING = _Source("", (), (), (), (), frozenset())


def _clause(text: str, *, states: bool = True) -> _Clause:
    plain = _wording().no_negation.sub(" ", text)
    return _Clause(
        text,
        tuple(part for word in words_of(text) for part in _parts(word) if not _is_number(part)),
        tuple(quantities(text)),
        len(_wording().negation.findall(plain.replace("’", "'"))) % 2 == 1,
        bool(_wording().either_way.search(text)),
        states,
    )


def _parts(word: Word) -> Iterable[Word]:
    """Return the words of an English phrase that stands for one concept; else the word."""
    if word.parts and not _HAN.match(word.surface):
        return (Word(part, part, plain=word.plain) for part in word.parts)
    return (word,)


def _is_number(word: Word) -> bool:
    if word.surface.isdigit():
        return True
    found = quantities(word.surface)
    return bool(found) and found[0].unit != "weekday" and not word.concepts


def _courteous(clause: _Clause, about: _Source) -> bool:
    """Tell whether a clause is courtesy: it opens so, and has no words of its own."""
    if not clause.words and not clause.numbers:
        return True
    if not _wording().courtesy.search(clause.text) or clause.numbers:
        return False
    asked = _keys(about.clauses)
    others = [
        word
        for word in clause.words
        if word.stem not in _wording().civil and word.surface not in _wording().civil
    ]
    return not others or (
        not _wording().promising.search(clause.text)
        and all(_supported(word, asked, about.text) for word in others)
    )


def _keys(clauses: Iterable[_Clause]) -> frozenset[str]:
    keys = set()
    for clause in clauses:
        for word in clause.words:
            keys.add(word.stem)
            keys.update(word.parts)
            keys.update(name for name in word.concepts if _means(name))
    return frozenset(keys)


def _means(concept: str) -> bool:
    """Tell whether words of a concept say the same; aspects and kinds of goods do not."""
    return not concept.startswith(("#~", "#^")) and concept not in _wording().kinds


def _supported(word: Word, keys: frozenset[str], text: str) -> bool:
    if word.stem in keys or any(_means(name) and name in keys for name in word.concepts):
        return True
    if _HAN.match(word.surface):
        return word.surface in text or (
            len(word.parts) > 1 and sum(part in text for part in word.parts) * 3 >= 2 * len(word.parts)
        )
    return bool(word.parts) and all(part in keys for part in word.parts)


def _share(words: Sequence[Word], clauses: Sequence[_Clause], about: _Source) -> float:
    """Return the weighted share of words that clauses hold, words of the question counting half."""
    keys, text = _keys(clauses), " ".join(clause.text for clause in clauses)
    asked = _keys(about.clauses)
    held = total = 0.0
    for word in words:
        weight = PLAIN if word.plain else 1.0
        total += weight
        if _supported(word, keys, text):
            held += weight
        elif _supported(word, asked, about.text) and not _wording().places.intersection(word.concepts):
            held += ASKED * weight
    return held / total if total else 0.0


def _best_window(words: Sequence[Word], source: _Source, about: _Source) -> float:
    return max((_share(words, window, about) for window in source.windows), default=0.0)


def _holds(source: _Source, number: Quantity) -> bool:
    return any(number.agrees(other) for other in source.numbers)


def _has_number(number: Quantity, wanted: _Source, sources: Sequence[_Source], about: _Source) -> bool:
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
                else:
                    theirs = max(theirs, near)
    return ours >= NEARER * theirs


def _rivals(clause: _Clause, number: Quantity) -> bool:
    return any(n.unit == number.unit for n in clause.numbers)


def _likeness(words: Sequence[Word], clauses: Sequence[_Clause]) -> float:
    """Return the harmonic mean of how much of either side the other has, 0..1."""
    keys, text = _keys(clauses), " ".join(clause.text for clause in clauses)
    there = [word for word in clauses[0].words if not word.plain]
    held = sum(_supported(word, keys, text) for word in words)
    ours = frozenset(
        key for word in words for key in (word.stem, *word.parts, *filter(_means, word.concepts))
    )
    back = sum(_supported(word, ours, "") for word in there)
    return 2.0 * (held + back * 0.5) / (2 * len(words) + len(there) or 1)


def _turned_around(clause: _Clause, sources: Sequence[_Source]) -> bool:
    """Tell whether a clause denies what the sources say, or says what they deny."""
    words = [word for word in clause.words if not word.plain]
    if not words:
        return False
    best: list[tuple[float, bool]] = []
    for source in sources:
        title = tuple(c for c in source.clauses if not c.states)
        answers = any(re.search(r"[?？]\s*$|吗$", c.text) for c in title)
        for other in source.clauses:
            if not other.states or not (other.words or other.numbers):
                continue
            opposite, near = _nearness(clause, words, other)
            if answers and near > 0 and title:
                near = max(near, 0.9 * _share(words, (other, *title), _NOTHING))
            same = clause.either or other.either or (clause.negated == other.negated) != opposite
            best.append((near, same))
    most = max((near for near, _ in best), default=0.0)
    return most >= CLOSE and not any(same for near, same in best if near >= 0.85 * most)


def _nearness(clause: _Clause, words: Sequence[Word], other: _Clause) -> tuple[bool, float]:
    """Tell whether a source's clause uses an opposite word, and how much of a clause it speaks about."""
    ours, theirs = {word.stem for word in clause.words}, {word.stem for word in other.words}
    against = _opposites(ours, theirs)
    keys = _keys((other,))
    held = sum(word.stem in against or _supported(word, keys, other.text) for word in words)
    numbers = sum(2 for number in clause.numbers if any(number.agrees(n) for n in other.numbers))
    return bool(against), (held + numbers) / (len(words) + 2 * len(clause.numbers))


def _opposites(ours: set[str], theirs: set[str]) -> set[str]:
    """Return our words that exclude one of theirs: used, unused; before, after; open, closed."""
    found = set()
    for word in ours - theirs:
        others = {other for pair in _wording().opposites if word in pair for other in pair if other != word}
        others |= {"un" + word, "non" + word, word.removeprefix("un"), word.removeprefix("non")} - {word}
        if others & (theirs - ours):
            found.add(word)
    return found


def _unknown_name(said: str, sources: Sequence[_Source], about: _Source, *, question: bool) -> bool:
    """Tell whether a sentence holds a name that nothing before it held."""
    there = frozenset[str]().union(*(source.latin for source in sources))
    chinese = bool(_HAN.search(said))
    denied = _wording().negation.search(_wording().no_negation.sub(" ", said.replace("’", "'")))
    for match in _LATIN_WORD.finditer(said):
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
        plain = re.sub(r"['’]s?$", "", word.casefold())
        if plain in _NAMELESS or plain in there or plain.rstrip("s") in there or f"{plain}s" in there:
            continue
        if plain in about.latin and (question or denied):
            continue
        return True
    return False


def _has_address(found: str, sources: Sequence[_Source]) -> bool:
    plain = found.rstrip(".,;:!?)。，").casefold()
    return any(plain in source.text.casefold() for source in sources)
