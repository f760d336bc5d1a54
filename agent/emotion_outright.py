"""Feelings that need no guess: told outright ("I am furious", "气死我了"), or none in a plain question."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.emotion_clauses import POLITE, asks
from agent.slots import asks_something
from agent.smalltalk import Talk, small_talk
from knowledge.words import words_of

SURE, LIKELY = 0.9, 0.6
"""Least score of a feeling that is named, and of one that a verdict on the desk's work tells."""
MISREAD = 0.3
"""Highest score of what a verdict, or a calm question, sounds like besides."""
MAYBE_CALM = 0.2
"""Score of "neutral" from which a question about the desk's own matters is a calm one."""

_I_AM = (
    r"(?<!if )(?<!when )(?<!think )(?<!thinks )(?<!say )(?<!before )"
    r"\b(?:i am|i'm|im|i feel|i'm feeling|we are|we're|(?:makes?|made|making|has) (?:me|us))"
    r"(?: (?:so|very|really|absolutely|extremely|totally|completely|beyond|just|quite|pretty|rather|truly"
    r"|incredibly"
    r"|getting|now|still|utterly|deeply|simply|honestly|bloody|actually|more than a bit|a (?:bit|little)))* "
)
_ME = (
    r"(?:^|[，,。！!？?；;\s啊呀]|我|我们|咱|真的|实在|人|都|快要?)"
    r"(?:真的|实在|都|快要?|现在|已经|非常|特别|十分|相当|超级?|有点儿?|挺|很|太|好|真|简直|让我|让人|令人"
    r"|也)*"
)
_SO = r"(?=[了啦啊呀哦呢]?(?:[，,。！!；;…\s]|$|我的|怎么|为什么|请|帮)|死了|极了|得)"
"""Behind a feeling that is felt, not part of a name ("开心果") or of what is spoken of."""
_ANGRY = re.compile(
    _I_AM
    + r"(?:furious|angry|livid|outraged|enraged|fuming|irate|infuriated|incensed|seething|annoyed|frustrated"
    r"|irritated|pissed(?: off)?|fed up|sick (?:and tired )?of (?:you|this|your|it|waiting|being)"
    r"|(?:mad|cross)(?= with| at|[.!,]|$))(?!\w)"
    r"|"
    + _ME
    + r"(?:生气|愤怒|恼火|气愤|火大|来气|窝火)"
    + _SO
    + r"|(?<!不要)(?<![别不])(?:气死我|气死人|气坏|气炸|气疯|烦死(?:我|人|了)|火冒三丈|忍无可忍|忍不了了"
    r"|受够了|欺人太甚|(?:好|真|太|超级?)烦(?:人|啊|呀)?(?=[，,。！!；;…\s]|$)"
    r"|[你您]们?(?:也|真是)?太过分)",
    re.IGNORECASE,
)
_GLAD = re.compile(
    _I_AM + r"(?:happy|delighted|thrilled|overjoyed|over the moon|ecstatic)(?! (?:to|if|for you to)\b)(?!\w)"
    r"|"
    + _ME
    + r"(?:开心|高兴|欣慰|激动|惊喜)"
    + _SO
    + r"|(?:五星|必须|给个?|给你们?)?好评(?=[了啦！!，,。\s]|$)|点个?赞(?=[！!，,。\s]|$)",
    re.IGNORECASE,
)
_WORK = (
    r"(?:(?:customer|delivery|after.?sales) )?(?:service|shop|store|company|support|website|web ?site"
    r"|delivery"
    r"|experience|quality|product|app|staff|treatment|customer care)"
)
_BAD = r"(?:terrible|horrible|awful|dreadful|appalling|atrocious|lousy|abysmal|shameful|disgraceful|worst)"
_VERDICT = re.compile(
    rf"\b{_BAD} (?:\w+ )?{_WORK}\b|\b{_WORK} (?:is|was|has been|are|were|'s) (?:\w+ ){{0,2}}{_BAD}\b"
    rf"|\b(?:{_WORK}|this|you) sucks?\b|\bare you (?:\w+ )?kidding(?: me)?\b"
    r"|\bi(?: have|'ve)? had (?:it|enough) (?:with|of)\b|无语(?:了|死|至极)|真是?无语"
    r"|(?:^|[，,。！!？?\s])[你他]?妈的(?=[，,。！!\s]|$)|真他妈|操你|傻[逼比叉]|\btmd\b"
    r"|(?:服务|态度|质量|体验|客服|物流|售后|你们|这家?店|这公司)\w{0,3}(?:太差|真差|很差|极差|太烂|真烂"
    r"|垃圾)"
    r"|(?:太|真是?|实在|也太)(?:差劲|差了|烂了|垃圾|离谱|过分|不像话|坑人|坑了|气人)",
    re.IGNORECASE,
)
_THANKS = re.compile(r"\bthank(?:s| you)\b|谢", re.IGNORECASE)
_STARTLED = re.compile(
    r"[!！]|\b(?:really|wow|what the|omg|oh|seriously|no way|how come|why|already|again"
    r"|so (?:much|late|expensive|soon))\b|\bwhat[?,]"
    r"|居然|竟然|怎么(?:会|可能|还|又)|真的|这么|那么|已经|天哪|天啊|啊[?？]",
    re.IGNORECASE,
)
_MISUNDERSTOOD = re.compile(
    r"\W*(?:(?:no|oh|ah|wait|well|um+)\W+)*(?:i'?m |i am )?sorry\W+(?:but )?"
    r"(?:i (?:mean|meant|said|misread)\b|i (?:do not|don't|did not|didn't|can't|cannot|couldn't)"
    r" (?:\w+ )?(?:understand|follow|hear|get|catch)\b"
    r"|(?:that|this|it)(?:'s| is| was) (?:not|wrong)\b)",
    re.IGNORECASE,
)
"""An apology that is a courtesy, where something is put right."""
_PARTS = re.compile(r"[?？.,，。;；]")
_DENIED = re.compile(
    r"\b(?:not|isn'?t|wasn'?t|aren'?t|never|no|hardly)\s+(?:(?:a|an|the|that|so|really|even)\s+)*$"
    r"|[不没别]\w{0,2}$",
    re.IGNORECASE,
)


def corrected(text: str, scores: Mapping[str, float]) -> dict[str, float]:
    """Return the scores of feelings with those that a text tells outright.

    Args:
        text: one utterance.
        scores: label → 0..1, as they were guessed.
    """
    text, found = text.replace("’", "'"), dict(scores)
    if POLITE.match(text) and asks(text) or _MISUNDERSTOOD.match(text):
        found["sadness"] = min(found["sadness"], MISREAD)
        found["neutral"] = max(found["neutral"], LIKELY)
    if _said(_ANGRY, text):
        found["anger"] = max(found["anger"], SURE)
    elif found["joy"] < LIKELY and _said(_VERDICT, text):
        found["anger"] = max(found["anger"], LIKELY)
        found.update({label: min(found[label], MISREAD) for label in ("fear", "disgust", "surprise")})
    elif _said(_GLAD, text):
        found["joy"] = max(found["joy"], LIKELY)
    elif (talk := small_talk(text)) is Talk.THANKS and _THANKS.search(text):
        found["joy"] = max(found["joy"], LIKELY, found["neutral"])
        found["neutral"] = min(found["neutral"], MISREAD)
    elif max(found, key=found.__getitem__) != "joy" and _calm(text, talk, found):
        found["neutral"] = max(found.values())
        found.update({each: min(found[each], MISREAD) for each in ("surprise", "anger")})
    return found


def _calm(text: str, talk: Talk | None, scores: Mapping[str, float]) -> bool:
    """Tell whether an utterance is a greeting or a plain question, which may sound surprised and is not."""
    if scores["anger"] < LIKELY and talk in (Talk.GREETING, Talk.GOODBYE, Talk.IDENTITY):
        return True
    sounds = scores["surprise"] == max(scores.values()) and scores["neutral"] >= MAYBE_CALM
    if not sounds or _STARTLED.search(text) or not any(map(asks_something, _PARTS.split(text))):
        return False  # a mark alone asks nothing: "You are closed?" is surprised
    return any(word.concepts for word in words_of(text))


def _said(pattern: re.Pattern[str], text: str) -> bool:
    return any(not _DENIED.search(text[: match.start()]) for match in pattern.finditer(text))
