"""Words said while another speaks: those that mean "go on", and those that mean "stop"."""

from __future__ import annotations

import re
from collections.abc import Callable

from agent.heard_words import heard_words

MOST_WORDS = 12
"""Whoever says more, says something."""


def _phrases(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(heard_words(line) for line in re.split(r"[|\n]", text) if line.strip())


_HUM = re.compile(
    r"(?:m+h*m*|h+m+|mhm+|hu+h|u+h|u+hu+h|a+ha+|a+h+|o+h+|e+r+m?|u+m+|[嗯哼呃唔噢哦喔啊哎诶欸额呵])"
)

_AGREEING = _phrases(
    """yeah|yep|yup|yes|ya|yah|okay|ok|o k|kay|right|sure|alright|all right|i see|got it|good|great|nice
cool|fine
    of course|exactly|indeed|true|wow|really|interesting|understood|i understand|makes sense
    that makes sense
    gotcha|go on|go ahead|thats right|thats true|thats good|thats great|thats fine|sounds good|perfect
    i know
    oh no|lovely
    对|对啊|对呀|对的|对吧|是|是啊|是的|是呀|是吗|好|好的|好吧|好啊|好呀|好嘞|行|行吧|行啊|可以|没错
    明白|明白了
    知道|知道了|我知道|我知道了|懂|懂了|我懂|了解|了解了|清楚|清楚了|原来如此|这样|这样啊|这样子|是这样
    没问题|当然
    真的|真的吗|不错|太好了|继续|你继续|请继续|你说|您说|请讲|收到|哈|哈哈|我明白|我明白了|那好|那行|也是
有道理"""
)
_WAITING = _phrases(
    """wait|wait a minute|wait a moment|wait a second|wait a sec|wait up|hold on|hold it|hold up|hang on
    one moment|one second|one sec|one minute|just a moment|just a second|just a sec|just a minute|a moment
    give me a second|give me a moment|give me a minute|let me think|let me see
    等|等等|等一下|等一等|等下|等一会|等一会儿|等会|等会儿|稍等|稍等一下|慢着|且慢|让我想想|让我想一下
    我想想|我想一下|等我一下"""
)
_STOPPING = _phrases(
    """stop|stop it|stop that|stop this|stop now|stop talking|stop speaking|stop there|stop right there|quiet
    be quiet|silence|shut up|shush|sh|shh|shhh|pause|halt|let me speak|let me talk|let me finish
    停|停下|停下来|停一下|停住|停止|别说|别说了|别说话|别讲|别讲了|别念了|别再说了|不要说|不要说了|不要讲了
    不用说了|不要念了|打住|闭嘴|安静|安静一下|安静点|住口|住嘴|暂停|暂停一下|先停|先停一下|打断一下|先别说
    先别说了|先别讲|不说了|听我说|让我说|我先说"""
)
_DECLINING = _phrases(
    """enough|thats enough|thats all|thats it|nevermind|never mind|forget it|forget about it|forget that
    not now|skip it|skip this|skip that|i get it
    够了|可以了|行了|好了|算了|不用了"""
)
_POLITE = _phrases(
    """please|okay|ok|oh|hey|no|well|now|sorry|so|and|uh|um|yes|just|thanks|thank you|right|yeah
    请|你|您|先|那|那个|哦|好|嗯|啊|呃|吧|啦|了|哎|诶|喂|不|不是|不好意思|谢谢|对不起"""
)
_NONE: frozenset[tuple[str, ...]] = frozenset()


def is_hum(text: str, language: str = "") -> bool:
    """Whether it is all sounds like "mm-hm", "uh-huh", "嗯": never an answer while another speaks."""
    return _made_of(text, _NONE, _NONE, hums=True)


def is_backchannel(text: str, language: str = "") -> bool:
    """Whether it tells a speaker to go on: hums, "yeah, okay", "对对对", "明白了".

    The same words answer a question once the speaker has ended; so ask only of what was said over a reply.

    Args:
        text: as recognised.
        language: ISO 639-1; the words of both languages are looked for, visitors mix them.
    """
    return _made_of(text, _AGREEING, _NONE, hums=True)


def is_stop(text: str, language: str = "") -> bool:
    """Whether it asks a speaker to stop or to wait, and nothing more: "stop", "okay, wait", "别说了"."""
    return _made_of(text, _STOPPING | _DECLINING | _WAITING, _POLITE)


def is_hush(text: str, language: str = "") -> bool:
    """Whether it asks for silence, and can be no answer: "stop", but not "never mind", "不用了"."""
    return _made_of(text, _STOPPING | _WAITING, _POLITE)


def is_wait(text: str, language: str = "") -> bool:
    """Whether it asks for a moment, and nothing more: "just a second", "稍等"."""
    return _made_of(text, _WAITING, _POLITE)


def _made_of(
    text: str, core: frozenset[tuple[str, ...]], around: frozenset[tuple[str, ...]], *, hums: bool = False
) -> bool:
    """Whether a text is a row of such phrases, one of them from the core, and nothing else."""
    words = heard_words(text[: MOST_WORDS * 16])
    if not 0 < len(words) <= MOST_WORDS:
        return False
    is_core: Callable[[tuple[str, ...]], bool] = core.__contains__
    # best[n]: the first n words can be read so; True where one of them is from the core.
    best: list[bool | None] = [False] + [None] * len(words)
    for end in range(1, len(words) + 1):
        for start in range(max(0, end - 5), end):
            if best[start] is None:
                continue
            piece = words[start:end]
            if is_core(piece) or (hums and len(piece) == 1 and _HUM.fullmatch(piece[0])):
                best[end] = True
            elif piece in around:
                best[end] = bool(best[end]) or bool(best[start])
    return bool(best[-1])
