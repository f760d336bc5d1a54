"""Does it sound finished? What speaks for a visitor's going on: rules, and a small model, of how words end.

The score is no probability but a measure of what is missing: about 0.05 for "my order number is", 0.95 for
"where is my order". Recognisers may or may not write punctuation: a comma or dots at the end count, a full
stop does not make a half sentence whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.endings import whole_probability
from agent.finished_chinese import finished_chinese
from agent.heard_words import heard_words, is_chinese
from agent.sounding import (
    ANSWERED,
    CLAUSE,
    FINISHED,
    GREETED,
    HALFWAY,
    HANGING,
    HESITANT,
    OPEN,
    WHOLE,
    Sounding,
    number_score,
)

_TRAILING = re.compile(r"(?:\.{2,}|…|—|--?|[,，、:：;；])\s*$")
_FULL_STOP = re.compile(r"[.!。！]\s*$")
_QUESTION = re.compile(r"[?？]\s*$")


FEWEST_WORDS = 3
FEWEST_CHARACTERS = 4
"""What is shorter may be an answer, of which the model of ends knows little: it is waited for at most 1.4 s
on the model's account."""

SURE = 0.5
"""Words that are as likely a whole sentence as the beginning of one are answered soon."""
FULL_STOP = 2.0
"""How many times likelier a full stop makes a whole sentence: recognisers like to write one."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(lines: Iterable[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(phrase.split()) for line in lines for phrase in line.split("|"))


_HESITATIONS = _words("um umm uh uhh uhm er erm hmm hm mm ah eh well like basically actually anyway")
_HANGING = _words(
    "a an the my your our their its his and or but so because cause if unless although though since"
    " while whereas"
    " whether until till than as of for to from with without into onto about between against during per"
    " via by at"
    " im ive id ill were weve wed youre youve youd youll theyre theyve theyd hes shes its thats theres"
    " whos whats"
    " wheres hows lets i we he she they who which whose every each another any very too quite really"
    " is are was be been being am has had have could would should might must may will shall cannot"
    " gonna wanna"
    " please also then plus regarding concerning mr mrs ms dr number called named"
)
_ANSWERS = _words("please really none no very have")
"""Hang at the end of more; alone, they are answers."""
_PREPOSITIONS = _words("of for to from with without about at by into like as via in on than")
"""Questions may end in them: "what is it for", "where do you ship to"."""
_WEAK = _words(
    "only even in on over under after before around near off up out through what when where how why that this"
    " these those"
)
"""May end a sentence, mostly do not."""
_ASKING = _words(
    "what where when who whom whose which why how whats wheres whos hows"
    " do does did is are can could will would should"
)
_PRONOUNS = _words("i you we he she it they this that there these those my your the a an our")
_AUXILIARIES = _words(
    "do does did is are was were can could will would should may shall has have had"
    " dont doesnt didnt cant isnt arent wont"
)
_TURNED = _AUXILIARIES - _words("have has had")
"""Before a pronoun they begin a main clause: "if it is late can I"; but "if you have it"."""
_SUBJECTS = _words("i you we it they ill youll ive im id hes shes theyre weve")
_OBJECTS = _words("it you")
"""May be what is spoken of, too: "if I send it back"."""
_OPENERS = _words("if since although though unless while once after before whenever")
"""Of clauses that wait for another; "because it is broken" is an answer."""
_MAIN = _words("what how where who which please then why")
_STARTS = _words("so well and but ok okay yes um uh hi hello")
_GREETINGS = _words("hi hello hey good morning afternoon evening there dear sir madam")
_ENDS_OPEN = _phrases(
    [
        "how much|how many|how long|how often|how far|how do|how does|how can|how about|what about",
        "what is|what are",
        "what if|what kind|what time|what do|what does|where is|where are|where do|where can|when is",
        "when are|when do",
        "when will|who is|why is|why are|why do|why does|why did|can i|can you|can we|could i|could you",
        "could we",
        "do i|do you|do we|do they|does it|does this|does that|would you|will you|will it|will i|is it",
        "is there",
        "is this|is that|are you|are there|there is|there are|it is|this is|that is|you know|i mean",
        "lets see",
        "let me see|let me think|tell me|show me|give me|i want|i need|i have|i bought|i ordered|i got",
        "i wanted|i was",
        "i just|i think|i guess|i cant|i dont|i didnt|i am|we want|we need|we have|we bought|we ordered",
        "we are",
        "would like|id like|im looking|im calling|im trying|im wondering|im going|im having|im not",
        "was wondering",
        "am looking|am calling|am trying|am wondering|want to|need to|have to|going to|try to|trying to",
        "able to",
        "used to|like to|looking for|waiting for|asking for|the new|the old|a new|my new|my old",
        "a little|a few|one of",
    ]
)
_ENDS_WHOLE = _phrases(
    f"{asked} {verb} {what}"
    for asked in ("what", "who", "where", "how", "much", "many", "long", "far", "why", "when")
    for verb in ("is", "are", "was", "does", "do")
    for what in ("it", "there", "this", "that", "you")
)
_ABOUT_TO_ASK = re.compile(
    r"\b(?:want|wanted|like|love|need|needed|going|hoping|trying|calling|have) to"
    r" (?:ask|know|see if|say|check|check if|find out|tell you|understand|clarify|let you know)$"
)
_TOLD_ALREADY = re.compile(r"\b(?:what|all|everything|thing|nothing|whatever) (?:i|we|you|they|he|she)\b")
"""Before what would else be about to be asked: "that is all I wanted to know"."""
_PREFACES = _phrases(
    [
        "first of all|on the one hand|on the other hand|by the way|to be honest|in that case|for example",
        "for instance|as far as i know|as i said|like i said|in fact|in other words|at the moment|at first",
        "to start with|just to be clear|the thing is|the problem is|the question is|the point is|in my case",
        "what i mean is|what happened was|what happened is|long story short|speaking of which",
    ]
)
"""Something follows them, whatever went before."""
_HALF_ASKED = re.compile(
    r"^(?:how|what|when|where|why|who|which) (?:.* )?(?:would|will|can|could|should|did|does|do)"
    r" (?:it|i|you|we|they|he|she)$"
)
_HELPS = _words(
    "want need get got have had has pay paid send sent buy bought order take keep go come know think"
)
"""Verbs after which "it" and "you" were subjects, as after an auxiliary."""
_ASKED_WHOLE = re.compile(
    r"^(?:and |but |so |okay )?(?:what|how|how much|when|where|why) (?:does|do|did|would|will|can) .*\b"
    r"(?:costs?|covers?|includes?|contains?|means?|weighs?|offers?|sells?|works?|opens?|closes?|arrives?|ends?"
    r"|happens?)$|^(?:when|until when|what time) (?:are|do) you (?:open|close|closed)$"
)
"""Questions whose last word elsewhere asks for more: "what does delivery cost", but not "the cost"."""
_MAIL = re.compile(r"\b(?:e ?mail|gmail|hotmail|outlook|yahoo)\b")
_MAIL_GOES_ON = _words("at dot underscore dash hyphen gmail hotmail outlook yahoo is")
_MAIL_WHOLE = re.compile(
    r"@\S+\.[a-z]{2,}$|\b(?:dot|point) (?:com|net|org|edu|gov|de|uk|cn|co|io|eu|fr|info|biz)$"
)


def sounds_finished(text: str, language: str = "") -> float:
    """Tell how finished a visitor's words sound.

    Args:
        text: as recognised so far, with or without punctuation.
        language: ISO 639-1; Chinese characters are read by Chinese rules whatever it is.

    Returns:
        0..1: `TurnSettings.end_delay_s` makes a wait of it.
    """
    words = heard_words(text)
    if not words:
        return HALFWAY.score
    chinese = is_chinese(text, language)
    sounding = finished_chinese(words) if chinese else _english(text, words)
    score = sounding.score
    if sounding.odds is not None and len(words) > 1:
        odds = sounding.odds * (FULL_STOP if _FULL_STOP.search(text) else 1.0)
        modelled = _modelled(whole_probability(words, "zh" if chinese else "en"), odds)
        short = len(words) < (FEWEST_CHARACTERS if chinese else FEWEST_WORDS)
        score = min(score, max(modelled, HALFWAY.score)) if short else modelled
    if _TRAILING.search(text):
        return min(score, OPEN.score)
    if _QUESTION.search(text) and sounding not in (HANGING, HESITANT):
        return max(score, HALFWAY.score) if sounding in (OPEN, CLAUSE) else WHOLE.score
    return score


def _modelled(probability: float, odds: float) -> float:
    """A score made of the model's probability and of what rules add to it."""
    odds *= probability / max(1.0 - probability, 1e-9)
    return WHOLE.score * min(1.0, odds / (1.0 + odds) / SURE)


def _english(text: str, words: tuple[str, ...]) -> Sounding:
    plain, last = " ".join(words), words[-1]
    if (number := number_score(plain, words)) is not None:
        return number
    if _MAIL_WHOLE.search(text.casefold().rstrip(" .!?")) or _MAIL_WHOLE.search(plain):
        return WHOLE
    opened = words
    while len(opened) > 1 and opened[0] in _STARTS:
        opened = opened[1:]
    if any(opened[-length:] in _PREFACES for length in range(2, 6)):
        return HESITANT
    if _ABOUT_TO_ASK.search(plain) and not _TOLD_ALREADY.search(plain):
        return CLAUSE
    if last in _HESITATIONS or (last in _MAIL_GOES_ON and _MAIL.search(plain)):
        return HESITANT
    if all(word in _GREETINGS for word in words):
        return GREETED
    if len(words) == 1:
        return OPEN if last in _ASKING else HANGING if last in _HANGING - _ANSWERS else FINISHED
    asking = words[0] in _ASKING or any(word in ("what", "where", "which", "who") for word in words[:-2])
    if _ASKED_WHOLE.search(plain):
        return WHOLE
    if _HALF_ASKED.search(plain):
        return CLAUSE
    if plain.endswith("not really"):
        return ANSWERED
    if last in _PREPOSITIONS and asking and len(words) > 3:
        return HALFWAY
    if last in _HANGING:
        turned = asking and len(words) > 4 and last in ("is", "are", "it", "was", "have")
        return FINISHED if last == "please" else HALFWAY if turned else HANGING
    if _ends_in(words, _ENDS_OPEN) and not _ends_in(words, _ENDS_WHOLE):
        return HALFWAY if asking and len(words) > 8 else OPEN
    if last in _WEAK:
        return HALFWAY
    return CLAUSE if _waits_for_main_clause(words) else FINISHED


def _ends_in(words: tuple[str, ...], phrases: frozenset[tuple[str, ...]]) -> bool:
    return any(words[-length:] in phrases for length in (2, 3))


def _waits_for_main_clause(words: tuple[str, ...]) -> bool:
    """Whether it is a clause that opens another: "if my parcel is late", "when I bought it"."""
    while words and words[0] in _STARTS:
        words = words[1:]
    if len(words) < 2 or not (words[0] in _OPENERS or (words[0] == "when" and words[1] in _PRONOUNS)):
        return False
    # A main clause begins with a question word, a verb turned round, or another subject before its verb.
    rest = words[3:]
    if any(word in _MAIN for word in rest):
        return False
    if any(one in _TURNED and two in _PRONOUNS for one, two in zip(rest, rest[1:], strict=False)):
        return False
    return not any(
        word in _SUBJECTS - _OBJECTS or (word in _OBJECTS and (after in _AUXILIARIES or after in _HELPS))
        for word, after in zip(rest, rest[1:], strict=False)
    )
