"""What visitors say about being passed on to a person, in English and Chinese."""

from __future__ import annotations

import re

NOT_HELPED = re.compile(
    r"\b(?:that'?s|that is|this is|it'?s) not (?:what i (?:asked|meant|want(?:ed)?)|my question|an answer"
    r"|helpful)"
    r"|\byou (?:did not|didn'?t|haven'?t|have not) (?:answer|answered|help|helped)\b"
    r"|\b(?:does not|doesn'?t|did not|didn'?t) (?:help|answer)\b"
    r"|\bi (?:did not|didn'?t) ask (?:that|for that|about)"
    r"|答非所问|不是我(?:问|要|想问)的|没有?回答我|没(?:有)?帮(?:到|上)|没用啊|我(?:问|说)的不是",
    re.IGNORECASE,
)
NO_PERSON = re.compile(
    r"\b(?:(?:do not|don'?t|won'?t|no longer|not) (?:\w+ ){0,2}(?:need|want|have to|wait|like|talk|speak)"
    r"|no need|not necessary)\b(?:(?!\b(?:bots?|robots?|machines?|computers?|ai|you)\b)[^,.;:!?]){0,40}"
    r"\b(?:person|human|someone|somebody|agent|colleague|operator|representative|anyone|anybody|any ?more)\b"
    r"|(?:不用|不要|不必|不想|不需要|别|先不|取消)(?:再|了)?(?:(?!机器|AI|ai)[^，。！？,]){0,5}(?:人工|真人|客服|同事)"
    r"|不(?:用|想)?等了|不转了|不找(?:人|他们)?了",
    re.IGNORECASE,
)
HOW_LONG = re.compile(
    r"\b(?:how (?:much )?long(?:er)?|when|where)\b.{0,30}"
    r"\b(?:wait\b(?!\s+for\s+(?:the|my|an?)\s+(?!person|human|colleague|agent|operator))"
    r"|(?:colleague|person|human|someone|somebody|agent)\b)"
    r"|\b(?:my|which) place in (?:the )?(?:line|queue)\b|\bis (?:anyone|anybody|someone) coming\b"
    r"|(?:还要|要|得)等多久|排(?:到|在)?(?:第)?几|(?:同事|人工|客服).{0,6}(?:什么时候|怎么还|还没|来了?吗)",
    re.IGNORECASE,
)
DROPS = re.compile(
    r"\b(?:never ?mind|forget (?:it|about it|that)|i changed my mind|cancel)\b"
    r"|算了|没事了|取消|不转了|不找了",
    re.IGNORECASE,
)
LETS_GO = re.compile(
    r"(?:(?:ok(?:ay)?|oh|ah|well|no|right|fine|actually|sorry|then|so|you know what|please)[\s,.!]+){0,4}"
    r"(?:never ?mind(?: (?:it|that))?|forget (?:about )?(?:it|that|this)|(?:leave|drop) it"
    r"|cancel(?: (?:it|that|this))?|i(?:'ve| have)? changed my mind)"
    r"(?:[\s,.!]+(?:then|please|now|thanks|thank you|bye|goodbye|anyway)){0,3}[\s.!]*"
    r"|(?:好吧|哦|那|那就|嗯|唉|还是)?[，,。\s]*(?:算了|没事了|取消|不等了|作罢)(?:吧|啦)?"
    r"(?:[，,。！!\s]*(?:谢谢您?|再见|谢了))*[。！!～~\s]*",
    re.IGNORECASE,
)
"""The whole of what who waits for a person says when they want none any more."""
KEEPS = re.compile(
    r"\b(?:rather (?:you )?(?:not|didn'?t)|prefer (?:you )?(?:not|didn'?t)"
    r"|(?:don'?t|do not) (?:tell|share|pass|give)"
    r"|keep (?:it|that|them|those|this) (?:private|to yourself|secret)|anonym\w+"
    r"|without (?:it|that|them|my))\b"
    r"|(?:不|别)(?:要|用|想|必|行|方便|同意|可以|愿意)?(?:告诉|说|给|透露|提供|转告)|不方便|不同意|不行|保密|匿名",
    re.IGNORECASE,
)
"""Of what was told, nothing is to be passed on."""
