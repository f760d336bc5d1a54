"""What a sentence tells the visitor: good news, bad news; and words at which nobody smiles."""

from __future__ import annotations

import re

_BAD = re.compile(
    r"\b(?:sorry|unfortunately|regret(?:tably|fully)?|sadly|afraid)\b"
    r"|\b(?:sold out|out of stock|discontinued|unavailable|cancel+ed|declined|rejected|refused|expired"
    r"|overdue|closed|lost"
    r"|failed|damaged|not (?:\w+ )?(?:possible|available|eligible|covered|accepted|allowed|refund\w*"
    r"|deliver\w*|in stock))\b"
    r"|\b(?:we|you|it|they|this|that|i) (?:can ?not|can'?t|could not|couldn'?t|won'?t|will not|no longer"
    r"|are not able to|are unable to)\b"
    r"|\b(?:is|are|was|were|has been|have been) (?:no longer|not yet)\b|\bno (?:refunds?|returns?"
    r"|exchanges?)\b"
    r"|抱歉|对不起|遗憾|可惜|售罄|卖完|缺货|无货|没货|断货|停产|下架|无法|不能|不可以|不予|不支持|不提供|不接受|不在范围"
    r"|拒绝|过期|逾期|已?关闭|已经关门|取消了|已取消|失败|丢失|损坏|没有(?:库存|名额|票)|不退",
    re.IGNORECASE,
)
_NOT_BAD = re.compile(
    r"\b(?:never|not|isn'?t|aren'?t|wasn'?t|no longer|nothing is|hardly ever) (?:\w+ )?"
    r"(?:sold out|out of stock|closed|cancel+ed|declined|lost|expired|refused|rejected|damaged)\b"
    r"|\b(?:if|when|unless|should|in case)\b[^.!?;]*?(?=,)|\bif you (?:can ?not|can'?t|won'?t)\b[^.!?;]*"
    r"|\b(?:before|until|after) \w+ (?:is|are) closed\b|\bwe can(?:'t|not) wait\b|\bcan(?:'t"
    r"|not) go wrong\b|\bno problem\b"
    r"|(?:如果|要是|若|假如|一旦|万一)[^，。！？]*，|(?:没有?|未|不会|并未)(?:被)?(?:取消|拒绝|过期|丢失|损坏|关闭)|不能(?:更|再)好|忍不住",
    re.IGNORECASE,
)
"""Words of bad news that tell none: denied, or a condition."""
_GOOD = re.compile(
    r"\b(?:good|great|wonderful|excellent) news\b|\bcongratulations\b|\b(?:is|are|was|has been"
    r"|have been) (?:approved|delivered|confirmed|refunded)\b"
    r"|\bon (?:its|their) way\b|\bfor free\b|\bfree of charge\b|\byou(?:'ve| have) (?:won|earned)\b"
    r"|好消息|恭喜|已(?:经)?(?:批准|送达|到账|确认|退款|发货)|免费|祝贺",
    re.IGNORECASE,
)
_GRIEF = re.compile(
    r"\b(?:my|our|his|her|their) (?:\w+ ){0,2}(?:passed away|funeral|miscarriage)\b"
    r"|\b(?:passed away|funeral|bereave\w*|condolence\w*|miscarr\w+|stillb\w+|in mourning|terminal(?:ly)? ill"
    r"|hospice|widow\w*)\b"
    r"|\b(?:i|we) (?:just |recently )?lost (?:my|our) (?:\w+ )?(?:mother|father|mum|mom|dad|wife|husband|son"
    r"|daughter|child|baby|brother|sister|grand\w+|friend|partner|dog|cat)\b(?!['-])"
    r"|\b(?:mother|father|mum|mom|dad|wife|husband|son|daughter|child|baby|brother|sister|grand\w+|friend"
    r"|partner|dog|cat) (?:just |recently |has |had )?(?:died|passed(?: away| on)|is dying)\b"
    r"|去世(?!界)|过世|逝世|离世|葬礼|丧(?:事|亲|偶|子|葬)|遗体|追悼|流产|病逝|绝症|癌症晚期|永远离开",
    re.IGNORECASE,
)


def is_bad_news(text: str) -> bool:
    """Tell whether a sentence of a reply tells the visitor what they would rather not hear."""
    return bool(_BAD.search(_NOT_BAD.sub(" ", text.replace("’", "'"))))


def is_good_news(text: str) -> bool:
    """Tell whether a sentence of a reply is pleasant to hear."""
    return bool(_GOOD.search(text.replace("’", "'"))) and not is_bad_news(text)


def is_grief(text: str) -> bool:
    """Tell whether a visitor speaks of a death or the like."""
    return bool(_GRIEF.search(text.replace("’", "'")))
