"""Names that visitors tell of themselves, English and Chinese: finding them, and hiding them.

A name may be a common word, too: "My name is Will" must not hide every "will".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from moderation.names import name_spans

_COMMON_WORDS = """
will may mark rose grace hope faith joy bill rob art jack pat sue dawn april june august summer autumn
frank chase grant drew rich guy miles dean chance angel ray skip wade young long short white brown black
green gray grey king price page day field stone wood woods cook baker small best good ivy lily daisy iris
violet olive holly hazel heather jasmine sky skye star sunny sandy rocky rusty dusty buddy max ace cash
chip cliff colt dale dash dell dirk don earl ford forest gene glen hank harp heath hunter jade jean jewel
journey lane lee levy lance link lord love luck major marina mason mercy miller misty nick noble norm
paige paris parker pearl penny pepper piper porter rain ranger reed reef ridge river robin rod roman
royal ruby sage sailor scout sterling storm taylor trace trip tripp tucker victor victory ward west north
south wolf wren bell bird bishop bond brooks bush butler carpenter carter church clay coach cross duke
east fisher fox gardener glass hall hammer hands hill house hunt knight lake law little march marsh mills
moon nails park pike poole pope power rice root sharp shepherd silver singer snow spring steel stock
strong swan tailor temple tent walker wall water waters weaver webb wells winter wise christian dick
randy
"""
_COMMON = frozenset(_COMMON_WORDS.split())
"""Words that are names as well."""
_COMMON_ZH_WORDS = """
高兴 方便 明白 安静 温柔 时间 平安 周到 成功 和平 高级 方法 方式 任何 马上 金额
余额 安全 包装 程度 周末 周一 周日 向前 简单 容易 许多 严重 白天 夏天 黄金 白金
江西 江苏 武汉 高明 平常 常见 文明 安心 安装 解决 万一 金牌 谢谢 高度 高大
"""
_COMMON_ZH = frozenset(_COMMON_ZH_WORDS.split())
_TITLES_ZH = "先生|女士|小姐|太太|老师|师傅|总"
_EDGE = r"(?<![^\W\u4e00-\u9fff])"
"""Where a name in Latin letters begins; Chinese has no spaces before it, nor behind."""
_END = r"(?![^\W\u4e00-\u9fff])"
_SENTENCE_ENDS = ".!?。！？\n:：;"


def names_of(text: str) -> list[str]:
    """Return the names that a visitor says are theirs."""
    found = (text[start:end] for start, end in name_spans(text))
    return list(dict.fromkeys(name if name != name.lower() else name.title() for name in found))


def without_names(text: str, names: Sequence[str], label: str) -> str:
    """Return a text in which names are hidden.

    Args:
        text: of anybody.
        names: as `names_of` found them.
        label: what stands in their place.
    """
    for name in sorted(names, key=len, reverse=True):
        text = (
            _hidden_zh(text, name, label)
            if not name.isascii() and _is_chinese(name)
            else _hidden(text, name, label)
        )
    return text


def _hidden(text: str, name: str, label: str) -> str:
    words = [word for word in re.split(r"\s+", name) if word]
    text = _said_of_oneself(text, name, label)
    if len(words) > 1 or name.lower() not in _COMMON:
        text = re.sub(rf"{_EDGE}{re.escape(name)}{_END}", lambda _: label, text, flags=re.IGNORECASE)
    parts: Iterable[str] = (word for word in words if len(word) > 2 or len(words) == 1)
    for part in parts:
        for form in {part, part.title(), part.upper()} - {part.lower()}:
            text = re.sub(rf"{_EDGE}{re.escape(form)}{_END}", lambda hit: _name_or_word(hit, label), text)
    return text


def _name_or_word(hit: re.Match[str], label: str) -> str:
    """Leave a common word that begins a sentence and addresses nobody: "Will it rain?", not "Will, …"."""
    word = hit.group()
    if word.lower() not in _COMMON:
        return label
    before = hit.string[: hit.start()].rstrip(" \t\"'“‘")
    begins = not before or before[-1] in _SENTENCE_ENDS
    follows = hit.string[hit.end() :].lstrip(" \t")[:1]
    return word if begins and follows not in ("", ",", ".", "!") else label


def _said_of_oneself(text: str, name: str, label: str) -> str:
    before = (
        r"\b(?:my (?:full |first |last )?name(?: is|'s|’s)|i(?:'m|’m| am)(?: called)?|name(?:'s|’s| is)"
        r"|this is|people call me)"
    )
    return re.sub(rf"({before}\s+){re.escape(name)}{_END}", rf"\1{label}", text, flags=re.IGNORECASE)


def _hidden_zh(text: str, name: str, label: str) -> str:
    said = (
        rf"(我叫做?\s*|我是\s*|我姓\s*|免贵姓\s*|姓名[是为叫：:]?\s*|名字[是叫]?\s*|姓\s*){re.escape(name)}"
    )
    text = re.sub(said, rf"\1{label}", text)
    if len(name) == 1:
        return re.sub(rf"{re.escape(name)}(?={_TITLES_ZH})", label, text)
    if name in _COMMON_ZH:
        return text
    text = text.replace(name, label)
    return re.sub(rf"{re.escape(name[0])}(?={_TITLES_ZH})", label, text) if len(name) < 4 else text


def _is_chinese(name: str) -> bool:
    return all("\u4e00" <= sign <= "\u9fff" or sign == "·" for sign in name)
