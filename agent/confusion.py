"""Whether a visitor does not follow: they say so, ask the same again, or were asked back twice."""

from __future__ import annotations

import re

from agent.confirming import Nod, nod
from agent.history import Memory
from agent.sentence import Outcome
from agent.slots import Stage
from knowledge.words import words_of

ALIKE = 0.8
"""Share of the words that two questions have in common from which they are the same question."""
LOOKED_BACK = 2
"""Exchanges in which the same question counts as asked again: later it may have slipped their mind."""
FEWEST_WORDS = 2
"""Of a question that can be asked again; one word alone, such as "returns", is asked again for no reason."""

_SAYS_SO = re.compile(
    r"\bi(?:'m| am)? (?:still |really |just |so |do |am |a (?:bit|little) )*"
    r"(?:(?:don'?t|do not|didn'?t|did not|can'?t|cannot|couldn'?t)(?: \w+){0,2}? (?:understand|follow"
    r"|get (?:it|this|that|you))"
    r"|confused|lost (?:here|now|me)|puzzled|not (?:sure|clear) (?:i understand|what (?:you|that"
    r"|this) means?)"
    r"|have no (?:idea|clue) what)"
    r"|\b(?:i'm|i am) (?:\w+ )?lost[.!?]*$"
    r"|\bwhat (?:do|did|does) (?:you|that|this|it) (?:even |actually |really )?mean\b(?! (?:for|when|by|if"
    r"|in)\b)"
    r"|\bwhat are you (?:talking about|saying|trying to say)\b|\byou(?:'ve|'re| have| are)? (?:lost|losing"
    r"|confus\w+) me\b"
    r"|\b(?:that|this|it) (?:makes no sense|does not make (?:any )?sense|doesn'?t make (?:any )?sense"
    r"|is (?:so |too |very |really |all )?(?:confusing|complicated)|confuses me)"
    r"|\b(?:too|so) (?:confusing|complicated)\b|\bin (?:plain|simple|simpler) (?:english|words|terms)\b"
    r"|\b(?:explain|say|put) (?:that|it|this)(?: to me)? (?:again|more (?:simply|slowly|clearly)"
    r"|differently|in other words)"
    r"|\b(?:could|can|would) you (?:please )?(?:explain|rephrase|clarify)(?: (?:that|it"
    r"|this))?[ ,]*(?:please|again)?[?.!]*$"
    r"|\b(?:come|run (?:that|it) by me) again\b|\bslow(?:er| down)\b.{0,12}$|^(?:huh|what|sorry what"
    r"|wait what)[?!. ]*$"
    r"|(?:没|沒)(?:有)?(?:太)?(?:听|看|弄|搞)?(?:懂|明白)|(?:听|看|弄|搞)(?:不|得不太)(?:太)?(?:懂|明白|清楚)"
    r"|(?<!不)不(?:太|是很|是太|怎么)?(?:懂(?![英中外法日德汉粤]|规)|明白)|(?:^|[。！？])(?:什么|啥)意思"
    r"|(?:^|[，,。])(?:你|您|这|那)(?:话|个|句话|句)?(?:是)?(?:什么|啥)意思"
    r"|(?:你|您)(?:说的|的)?(?:这|那)?(?:话|个)?(?:是)?(?:什么|啥)意思|(?:越听|越说|听|搞|弄|绕)(?:得我)?(?:越来越)?(?:糊涂|晕|迷糊)"
    r"|(?:一头雾水|太复杂|好复杂|太绕|说人话|简单(?:点|一点|些)说|说(?:得)?(?:简单|慢|清楚)(?:点|一点|些))"
    r"|(?:再|能|可以|麻烦|请)(?:\w{0,3})(?:解释|说明|讲解)(?:一下|一遍|下)?(?:吗|吧|好吗)?[？?。！!]*$",
    re.IGNORECASE | re.MULTILINE,
)
_AROUND = frozenset(
    [
        "sorry",
        "please",
        "simply",
        "simple",
        "simpler",
        "simplified",
        "easier",
        "easy",
        "plain",
        "short",
        "shorter",
        "slowly",
        "slower",
        "clearly",
        "differently",
        "word",
        "words",
        "term",
        "terms",
        "english",
        "explain",
        "understand",
        "follow",
        "get",
        "say",
        "said",
        "mean",
        "means",
        "way",
        "again",
        "bit",
        "sense",
        "answer",
        "什么",
        "意思",
        "简单",
        "说",
        "讲",
        "解释",
        "明白",
        "懂",
        "一点",
        "一些",
        "点",
        "再",
        "一遍",
        "一下",
        "能",
        "可以",
        "请",
        "麻烦",
        "不好意思",
        "抱歉",
        "话",
        "说明",
        "太",
        "有点",
        "啊",
        "复杂",
    ]
)
"""What people say around it."""
_FOLLOWS = re.compile(
    r"\b(?:not|no longer|isn'?t|wasn'?t|never) (?:\w+ )?(?:confused|confusing|lost|complicated)\b"
    r"|\bnow i (?:understand|see|get it)\b|\bi (?:do )?understand\b(?! (?:nothing|none))"
    r"|\bdon'?t get (?:me wrong|it (?:yet|by|until|delivered|before))"
    r"|(?:不|没那么|并不)(?:复杂|糊涂)|(?:这下|现在|终于)(?:懂|明白)了|听(?:懂|明白)了"
    r"|(?:没|沒)(?:有)?什么(?:不明白|不懂)",
    re.IGNORECASE,
)
"""What looks like it and is not."""


def says_no_more(text: str) -> bool:
    """Tell whether who does not follow says that and nothing else: what was said is to be said once more."""
    said = text.replace("’", "'").strip()
    if not _SAYS_SO.search(_FOLLOWS.sub(" ", said)):
        return False
    rest = _SAYS_SO.sub(" ", said)
    return all(word.plain or word.surface.casefold() in _AROUND for word in words_of(rest))


def is_confused(text: str, memory: Memory) -> bool:
    """Tell whether a visitor does not follow.

    Args:
        text: their words, as the guard lets them through.
        memory: the conversation before them.
    """
    said = _FOLLOWS.sub(" ", text.replace("’", "'").strip())
    return bool(_SAYS_SO.search(said)) or _asks_again(text, memory) or _asked_back_twice(memory)


def _asks_again(text: str, memory: Memory) -> bool:
    """Tell whether it was asked just before, and the answer was heard to its end."""
    own = [one for one in memory.exchanges if one.question and not one.by][-LOOKED_BACK:]
    heard = [one for one in own if not one.interrupted and one.outcome is not Outcome.REFUSED]
    if not heard or nod(text) is not Nod.UNCLEAR or _busy(memory):
        return False
    asked = _words(text)
    return len(asked) >= FEWEST_WORDS and any(_alike(asked, _words(one.question)) for one in heard)


def _asked_back_twice(memory: Memory) -> bool:
    """Tell whether the desk had to ask back in both of the last turns, not counting an errand's questions."""
    last = [one for one in memory.exchanges if not one.by][-LOOKED_BACK:]
    back = all(one.outcome is Outcome.CLARIFIED and one.question for one in last)
    return len(last) == LOOKED_BACK and back and not _busy(memory)


def _busy(memory: Memory) -> bool:
    """Tell whether the visitor is having something done: an order number is asked for, and said, twice."""
    return memory.errand is not None and memory.errand.stage is not Stage.DONE


def _words(text: str) -> frozenset[str]:
    return frozenset(word.key for word in words_of(text) if not word.plain)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one | other) and len(one & other) / len(one | other) >= ALIKE
