"""Utterances that ask for nothing and tell a feeling: praise, and anger or grief let out."""

from __future__ import annotations

import re
from enum import Enum

from agent.confirming import Nod, nod
from agent.emotion import detect_emotion
from agent.emotion_clauses import asks, only_feels
from agent.emotion_irony import Irony, irony
from agent.manner_settings import TROUBLED

GLAD = 0.3
"""Score of joy, the highest of all, from which words that ask for nothing are praise."""
LONGEST = 200
"""Characters of praise: longer words tell more."""

_PRAISES = re.compile(
    r"\b(?:is|are|was|were|has been|have been)\b|'(?:s|re|m)\b|\b(?:love[ds]?|like[ds]?|enjoy(?:ed|ing)?"
    r"|works?|worked|did"
    r"|made|makes|looks?|feels?|thanks?|thank you|what an?|such an?|so (?:good|great|nice|happy)|well done"
    r"|good job|great job)\b"
    r"|[太真很超好挺]\w{0,2}(?:好|棒|赞|美|喜欢|满意|舒服|漂亮|完美|厉害|给力|实用|开心|高兴|感谢|方便|快"
    r"|值)"
    r"|(?:非常|特别|十分|超级?|相当)\w{0,2}(?:好|棒|美|喜欢|满意|舒服|漂亮|完美|厉害|给力|实用|开心|高兴"
    r"|感谢|方便)|喜欢|满意|点赞|好评|谢",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?:want|need|would like|i'd (?:like|love)|looking for|please|can|could|help|cancel|return|refund"
    r"|exchange|track"
    r"|recommend|tell|show|send|but|however|except|although|though|only|if|unfortunately|problem)\b|\d{4}"
    r"|想(?!不到)|[我要]要|需要|帮|请|麻烦|怎么|退|换|取消|推荐|但|不过|可惜|就是|只是|如果|要是|问题"
    r"|的(?:帐篷|商品|东西)$",
    re.IGNORECASE,
)
"""Words by which praise goes on to something else."""


class Telling(Enum):
    """What an utterance that asks nothing is."""

    PRAISE = "glad"
    """The visitor is pleased; the value is the name of the desk's phrase."""
    DISTRESS = "distress"
    """The visitor lets out anger, grief or fear, and does not say of what."""


def telling(text: str) -> Telling | None:
    """Tell whether an utterance only tells a feeling, and which; None where it asks or tells more."""
    if len(text) > LONGEST or asks(text) or nod(text) is Nod.NO:
        return None
    feels = only_feels(text)
    praises = _PRAISES.search(text) and not _MORE.search(text)
    if not feels and not praises:
        return None
    felt = detect_emotion(text)
    if felt.label == "joy" and felt.scores["joy"] >= GLAD and irony(text) is Irony.NONE:
        return Telling.PRAISE
    return Telling.DISTRESS if feels and felt.label in TROUBLED else None


def complains(text: str) -> bool:
    """Tell whether a visitor is troubled by what they tell, and asks for nothing."""
    return not asks(text) and detect_emotion(text).label in TROUBLED
