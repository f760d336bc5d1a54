"""English words by what they do in a question: lead in, stand for something, name a place or a day."""

from __future__ import annotations

import re


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


LEAD = _set(
    """
and or but so also then plus ok okay well oh
"""
)
FRAMES = re.compile(
    r"^(?:(?:and|or|but|so|ok|okay|oh|well|hm+|um+|yes|no|right|alright|great|thanks)\s+)*"
    r"(?:(?:what|how) about|same (?:thing )?(?:for|with)"
    r"|is (?:it|that) the same (?:for|with)"
    r"|does (?:that|it|this) (?:also )?(?:apply|go|hold|count|work) (?:to|for|with)"
    r"|i meant?|also|and|or|but|not|only|even)\s*(?=\S)",
    re.IGNORECASE,
)
PRONOUNS = _set(
    """
it its they them their theirs this that these those there one ones he she him her both either neither
it's that's they're there's
"""
)
_JUDGED = r"(?:possible|ok|okay|allowed|true|necessary|safe|easy|worth)"
DUMMY_IT = re.compile(
    r"\bit (?:possible|rains?|snows?|matters?|late|early)\b"
    rf"|\bit'?s? (?:is )?{_JUDGED} (?:to|that|for|if)\b|\bis it {_JUDGED} (?:to|that|for|if)\b"
    r"|\b(?:is|are|was|were|will|if|does|do) there (?!cost|take|work)"
    r"|\bhow long does it take (?:to|for|until)\b|\bwhat (?:does|would) it cost (?:to|if)\b"
    r"|\bhow much (?:does|would) it cost (?:to|for me to)\b|\bwhat time is it\b",
    re.IGNORECASE,
)
"""It and there, where they stand for nothing."""
ENDS_IN_IT = re.compile(
    r"\b(?:of|for|with|on|about|to|from|without) (?:it|them|that|those|this|these)"
    r"(?: (?:too|then|please|again|as well))*$"
)
VERBS = frozenset(
    (
        "include",
        "apply",
        "cover",
        "cost",
        "mean",
        "work",
        "count",
        "take",
        "need",
        "require",
        "help",
        "happen",
    )
)
"""What "that" does in "does that include …?", where it points at nothing that follows."""
BEFORE_VERBS = frozenset(
    ("i", "you", "we", "they", "to", "please", "can", "could", "should", "will", "would", "do", "does", "did")
)
VAGUE = frozenset(
    (
        "number",
        "address",
        "phone",
        "email",
        "link",
        "deadline",
        "limit",
        "fee",
        "reason",
        "conditions",
        "try",
        "again",
    )
)
"""Nouns and verbs that are of something, which was said before."""
FINITE = frozenset(
    (
        "is",
        "are",
        "was",
        "were",
        "has",
        "have",
        "can",
        "will",
        "does",
        "do",
        "did",
        "don't",
        "doesn't",
        "isn't",
        "can't",
    )
)
BE = frozenset(("is", "was", "are", "were", "does", "will", "would"))
NAMES = (
    re.compile(
        r"\b(?:called|named) ((?:the )?[\w'&]+(?: (?!in\b|at\b|for\b|to\b|please\b)[\w'&]+){0,3})",
        re.IGNORECASE,
    ),
    re.compile(r"\b((?:The )?[A-Z][\w'&]+(?: (?:and |of |the |& )?[A-Z][\w'&]+)+)"),
    re.compile(
        r"(?:^|[.!?,] +)((?:the )?[a-z'&]+(?: [a-z'&]+){0,3}) "
        r"(?:is (?=an?\b|in\b|located|the\b|expensive|cheap)|has|offers|serves)\b",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:at|about|recommend|suggest|try|the|for|of|book|be|is) ([A-Z][\w'&]{2,})\b"),
)
"""How people bring a name up, the surest first."""
NO_NAME = re.compile(
    r"\b(?:road|street|avenue|lane|square|centre|center|reference|wi-?fi|number|phone|address|postcode|duration|price"
    r"|booking|reservation|table|everything|okay|sure|great|hotel|restaurant|guesthouse|cambridge|\w+(?:ese|ian|ish|can|ean)"
    r"|thai|french|greek|tr\d+|monday|hi|hello|yes|no|thanks)\b$",
    re.IGNORECASE,
)
"""What looks like a name and is none."""
OFFERED = re.compile(
    r"(?:do you mean|是想问|是指) ?(.{2,120}?)(?:,? or |，?还是)(.{2,120}?)[?？]", re.IGNORECASE
)
"""How the desk asks which of two topics is meant."""
_CHOICE = (
    r"\W*(?:(?:um+|well|yes|ok|okay|i mean|i meant|是|对"
    r"|我(?:是)?(?:想问|指|要)?(?:的是)?)\W*)*(?:the )?(?:{})"
    r"(?: (?:one|option|of them))?(?: please)?(?:个|种|项)?(?:吧|的)?\W*"
)
FIRST = re.compile(_CHOICE.format("first|former|1st|number one|第一|前者|前一?|前面"), re.IGNORECASE)
SECOND = re.compile(_CHOICE.format("second|latter|last|2nd|number two|第二|后者|后一?|后面"), re.IGNORECASE)
PREPOSITIONS = _set(
    """
for to in from with without by on at within outside after before during via inside until near into
through
"""
)
QUESTION_WORDS = _set(
    """
what when where who which why how is are do does did can could may will would should am was were has have
i we you if please tell show
"""
)
PLACE_NOUN = re.compile(
    r"\b(?:the|this|that) (?:hotel|restaurant|guest ?house|place|bar|pub|venue|lodge|cafe|property)\b",
    re.IGNORECASE,
)
GENERIC = _set(
    """
cost costs charge fee pay get take takes work works have has need needs long much many time times
day days know tell want like way thing things something go come happen happens mean offer use possible
free extra
"""
)
_PLAIN = _set(
    """
a an the and or but so of for to in on at by with from about into as if then than also too very really
just only even still yet again now please thanks thank you your yours i me my mine we us our they them
their he she his her it its this that these those there here one ones is are am was were be been being do
does did done doing have has had having can could may might must shall should will would ought what when
where who whom which why how not no yes ok okay well oh um uh much many long far often soon some any all
both each every either neither more most less other another same such own i'm i'd i'll i've you're it's
that's what's how's where's there's they're don't doesn't didn't isn't aren't can't won't else without
within after before during until via let me know tell say mean
"""
)
_PLACES = _set(
    """
abroad overseas domestic domestically international internationally europe eu uk britain england scotland
wales northern ireland irish germany german france french spain italy netherlands holland belgium austria
switzerland swiss norway sweden denmark finland poland portugal greece czechia hungary iceland luxembourg
usa us america canada mexico brazil china chinese japan korea india australia zealand singapore russia
ukraine turkey israel egypt africa asia dublin cork galway limerick belfast london paris berlin madrid
rome vienna zurich geneva amsterdam rotterdam brussels munich hamburg oslo stockholm copenhagen beijing
shanghai shenzhen guangzhou tokyo islands island mainland countryside city rural local locally
"""
)
_DAYS = _set(
    """
monday mondays tuesday tuesdays wednesday wednesdays thursday thursdays friday fridays saturday saturdays
sunday sundays weekend weekends weekday weekdays today tomorrow tonight yesterday morning mornings
evening evenings afternoon night holiday holidays christmas easter january february march april june july
august september october november december summer winter spring autumn
"""
)


def plain(word: str) -> bool:
    """Tell whether a word says nothing of what a question is about."""
    return word.casefold().replace("’", "'") in _PLAIN


def kind_of(word: str) -> str:
    """Return "place" or "day" where a word names one; else empty."""
    low = word.casefold().removesuffix("'s")
    return "place" if low in _PLACES else "day" if low in _DAYS else ""
