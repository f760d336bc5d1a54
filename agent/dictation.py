"""Whether a reply asks for something that people dictate in pieces: numbers, e-mail and postal addresses."""

from __future__ import annotations

import re

_DICTATED = re.compile(
    r"\b(?:(?:order|customer|phone|telephone|mobile|account|ticket|reference|tracking|invoice|serial|post)"
    r"[- ]?(?:number|code|id)|number of your \w+|e-?mail|address|postcode|zip code|spell)\b"
    r"|订单号|单号|号码|电话|手机号|邮箱|邮件地址|地址|邮编|编号|卡号",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"[?？]\s*$|\b(?:tell me|give me|say|spell|read out|i need)\b|请(?:您)?(?:告诉|提供|说|报|念|输入)",
    re.IGNORECASE,
)


def asks_to_dictate(text: str) -> bool:
    """Tell whether a sentence asks for a number, an e-mail or a postal address, in English or Chinese."""
    return bool(_DICTATED.search(text) and _ASKS.search(text))
