"""Whether a visitor has no time: in their words, in English and Chinese."""

from __future__ import annotations

import re

_NO_TIME = re.compile(
    r"\b(?:i(?:'m| am)|we(?:'re| are)) (?:\w+ ){0,2}?(?:in a (?:\w+ )?(?:hurry|rush)|running late|late for"
    r"|pressed for time)\b"
    r"|\b(?:i|we) (?:don'?t|do not) have (?:\w+ ){0,2}time\b(?! (?:zone|limit|frame|slot)|-)|\b(?:i"
    r"|we) have no time\b|\bno time (?:for"
    r"|to lose)\b"
    r"|\b(?:hurry up|(?:answer|tell me|reply|say it) quickly|quickly please|real quick|quick (?:question"
    r"|answer|one)|make it (?:quick|short|brief)"
    r"|keep it (?:short|brief)"
    r"|be (?:quick|brief)|short answer)\b"
    r"|\b(?:my|our) (?:train|flight|bus|plane|taxi|boat|ferry|meeting|gate) (?:is )?(?:leav|depart"
    r"|clos|start|board)\w+"
    r"(?: in|[.!?,]|$| now| soon)"
    r"|赶时间|赶(?:飞机|火车|高铁|车|路)|没(?:有)?(?:那么多|什么)?(?:时间|空)(?!限|段)(?:等|听|了|啊|[，。！!,]|$)|来不及"
    r"|(?:快|赶紧|麻烦快)(?:点儿?|一点)(?:说|回答|告诉|处理|[，。！!,]|$)|长话短说|简短(?:点|一点|些)|急(?:着|需|用)|着急[，。！!]?$|很急|十万火急",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b(?:not|no|isn'?t|never) (?:\w+ ){0,2}(?:hurry|rush)\b|\btake your time\b"
    r"|\bhow (?:quickly|soon|fast)\b|\b(?:deliver|ship|send|refund|arriv|com|dry|charg|grow"
    r"|work)\w* (?:\w+ ){0,2}quickly\b"
    r"|不(?:着)?急|别着急|不赶时间|多快",
    re.IGNORECASE,
)
"""What looks like it and is not: it is no hurry to ask how quickly something comes."""


def is_hurried(text: str) -> bool:
    """Tell whether a visitor says that they have no time."""
    return bool(_NO_TIME.search(_TIME.sub(" ", text.replace("’", "'"))))
