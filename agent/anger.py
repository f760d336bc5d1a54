"""How angry a visitor's words are, by the words alone; in English and Chinese.

What a detector of emotions says can take the place of `anger`: the number is all that is asked of it.
"""

from __future__ import annotations

import re

from moderation.verdict import Action, Category, Verdict

FURIOUS = 0.7
"""From here on a person is offered at once."""
CROSS = 0.35
"""From here on when it was as much the turn before."""

_FURIOUS = re.compile(
    r"\b(?:furious|outrage(?:d|ous)|livid|disgust(?:ed|ing)|infuriat\w+|fed up|sick (?:and tired )?of"
    r"|(?:had|have had|'ve had) (?:enough|it with)|this is (?:a joke|ridiculous|unacceptable|absurd|insane)"
    r"|complete(?:ly)? (?:joke|useless|waste)|waste of (?:my )?time|worst (?:service|company|support|ever)"
    r"|never (?:buy|order|shop)\w* (?:from|with|here|again)|(?:useless|stupid|dumb|idiotic) "
    r"(?:bot|machine|robot|thing|computer|service|company|assistant)"
    r"|(?:you|you are|you're|are you) (?:so |really |completely |totally |just |an? )*"
    r"(?:useless|stupid|idiots?|dumb|hopeless|pathetic|incompetent|crooks|thie(?:f|ves)|liars?)"
    r"|rip[- ]?off|scam(?:med|mers?)?|i(?:'m| am| will|'ll) (?:going to )?(?:sue|report) you|shut up)\b"
    r"|气死|气炸|受够了|忍无可忍|太过分|太离谱|岂有此理|骗子|坑人|坑钱|垃圾(?:公司|客服|服务|机器人|平台|东西)"
    r"|(?:你|你们)(?:真|太|简直|就是|都是)?(?:是)?(?:废物|没用|蠢|笨|傻|垃圾|智障|白痴)|什么(?:破|烂|鬼|狗屁|垃圾)"
    r"|(?:我要|我会|我去)(?:曝光|起诉|告你|举报)|滚|闭嘴|再也不(?:买|来|用)|(?:最差|最烂)的",
    re.IGNORECASE,
)
_CROSS = re.compile(
    r"\b(?:angry|annoy(?:ed|ing)|upset|frustrat\w+|mad|terrible|awful|horrible|ridiculous|unacceptable|useless"
    r"|pathetic|nonsense|disappoint\w*|rude|a joke|hopeless|absurd|disgrace\w*|shame(?:ful)?|incompetent"
    r"|worst|unbelievable|seriously|complain(?:t|ing)?|hate|crap|rubbish)\b"
    r"|\b(?:third|fourth|fifth|tenth|hundredth|3rd|4th|5th) time\b|how many times|still (?:not|no|nothing)"
    r"|you (?:don'?t|do not|didn'?t|never) (?:understand|listen|answer|help)|are you (?:even )?listening"
    r"|生气|失望|投诉|差劲|太差|恼火|郁闷|态度|不满|无语|糟糕|烦死|讨厌|搞什么|怎么回事[啊呀！!]|第[三四五六七八九十]次"
    r"|说了(?:多少|几|好几)[遍次]|听不懂(?:人话|吗)|到底(?:能不能|会不会|管不管|有没有)|还没(?:解决|处理|到|收到)[！!啊]",
    re.IGNORECASE,
)
_CALM = re.compile(
    r"\b(?:not|isn'?t|aren'?t|wasn'?t|never|no longer|don'?t get|won'?t be) (?:\w+ ){0,2}"
    r"(?:angry|annoyed|upset|mad|furious|disappointed|rude|useless|terrible|complaining)\b"
    r"|(?:不|没有?|别|没那么)(?:是)?(?:生气|失望|投诉|不满)"
    r"|\bhow (?:do|can|could|would|should|to)\b.{0,30}\bcomplain(?:t|ing)?\b"
    r"|\bcomplaints? (?:form|policy|process|team)\b"
    r"|(?:怎么|如何|哪里|在哪).{0,6}投诉|投诉(?:电话|渠道|流程|部门)|\bno worries\b|\bseriously good\b",
    re.IGNORECASE,
)
_SHOUTS = re.compile(r"[!！]{2,}|[?？][!！]|[!！][?？]|[?？]{3,}")


def anger(text: str, verdict: Verdict | None = None) -> float:
    """Return how angry a visitor's words sound, 0..1.

    Args:
        text: the visitor's words.
        verdict: what the guard thinks of them: insults and swear words count.
    """
    said = _CALM.sub(" ", text.replace("’", "'"))
    score = 0.75 * bool(_FURIOUS.search(said)) + 0.4 * min(len(_CROSS.findall(said)), 2)
    if verdict is not None and verdict.category == Category.HARASSMENT:
        score += 0.7
    elif verdict is not None and verdict.action is Action.SOFTEN:
        score += 0.35
    letters = [letter for letter in said if letter.isalpha() and letter.isascii()]
    loud = len(letters) >= 12 and sum(map(str.isupper, letters)) > 0.8 * len(letters)
    if score:
        score += 0.2 * bool(_SHOUTS.search(said)) + 0.2 * loud
    elif loud and _SHOUTS.search(said):
        score = CROSS
    return min(score, 1.0)
