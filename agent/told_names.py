"""Names that visitors tell of themselves, English and Chinese: finding them, and hiding them.

A name may be a common word, too: "My name is Will" must not hide every "will".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_NAMED = re.compile(
    r"\b(?:my (?:full |first |last )?name(?: is|'s)|i(?:'m| am) called|the name(?: is|'s)|name(?:'s| is)"
    r"|people call me)\s+"
    r"((?:(?:mr|mrs|ms|miss|dr)\.?\s+)?[^\W\d_][\w'-]*(?:\s+[^\W\d_][\w'-]*){0,2})",
    re.IGNORECASE,
)
_SPEAKING = re.compile(
    r"\b[Tt]his is\s+([^\W\d_][\w'-]*(?:\s+[^\W\d_][\w'-]*){0,2})\s+(?:speaking|calling|here)\b"
)
_I_AM = re.compile(r"\bI(?:'m| am)\s+([A-Z][a-z'-]+\s+[A-Z][\w'-]+)\b")
_I_AM_ONE = re.compile(
    r"\bI(?:'m| am)\s+([A-Z][a-z]+(?:-[A-Z][a-z]+)?)"
    r"(?=\s*(?:[.,;!?]|$)|\s+(?:and|from|here|calling|speaking|by)\b)"
)
_NAMED_ZH = re.compile(
    r"(?:我叫做?|我(?:的)?(?:名字|姓名)(?:是|叫)|姓名[是为：:])\s*"
    r"((?![你您他她它])[\u4e00-\u9fff·]{2,4}?)(?=[\s，,。.！!、；;]|想|要|是|的|我|电话|手机|订单|邮箱|$)"
    r"|(?:我|免贵)姓([\u4e00-\u9fff])"
)
_NAMED_LATIN_ZH = re.compile(
    r"(?:我叫做?|我的?(?:名字|姓名)(?:是|叫)|我是)\s*([A-Z][a-z]+(?:\s+[A-Z][a-z]+)?)(?![a-z])"
)
_FAMILIES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆"
    "汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_I_AM_ZH = re.compile(
    rf"我(?:是|就是)\s*((?:欧阳|司马|上官|诸葛|[{_FAMILIES}])[\u4e00-\u9fff]{{1,2}}?)"
    r"(?=[\s，,。.！!、；;]|想|要|来自|来|电话|手机|的?订单|$)"
)
_NOT_I_AM_ZH = re.compile(
    r"高中|高级|高管|高考|高三|高个|高手|高兴|程序|程度|金牌|金卡|金融|金华|黄金|黄牛|白金|白领|白天|白痴|顾客|顾问|江苏|江西|江南|石家|石油"
    r"|安卓|安徽|马上|马来|马虎|武汉|武警|武器|夏天|任何|任务|方便|方法|方式|万科|万一|钱包|向来|向您|向你|向导|于是|何时|何况|严重|严格"
    r"|周[一二三四五六日天末]|许多|曾经|付费|付款|毛病|田径|韩国|史上|林业|陆军|唐人|张家|孟加|莫名|钟点|段子|余额|徐州|苏州|苏宁|郑州"
    r"|贺卡|胡说|谢谢|罗马|雷锋|孔子|汤圆"
)
"""What begins like a family name and is none."""
_NO_END_ZH = "了的人吗呢吧啊"
_NOT_OF_A_NAME = re.compile(
    r"\s+(?:and|but|i|my|from|with|the|order|phone|number|not|on|here|speaking|calling|please|at|in|for|it|so)\b.*$",
    re.IGNORECASE | re.DOTALL,
)
_NO_NAME_WORDS = """
not on in the a an it wrong correct spelled spelt misspelled different missing
"""
_NO_NAME = frozenset(_NO_NAME_WORDS.split())
_NO_PERSON_WORDS = """
sorry ok okay fine happy sad angry furious upset good well great sure certain ready done back here there
interested confused lost late new old busy tired sick ill free afraid glad grateful disappointed waiting
looking trying calling asking just still also very so really only now not no yes moving living staying
travelling german french english irish scottish welsh british american canadian australian italian
spanish portuguese dutch belgian swiss austrian polish czech russian ukrainian greek turkish chinese
japanese korean indian vietnamese thai mexican brazilian african european asian swedish norwegian danish
finnish hungarian romanian muslim jewish catholic buddhist hindu vegan vegetarian autistic deaf blind
pregnant gold silver premium prime
"""
_NO_PERSON = frozenset(_NO_PERSON_WORDS.split())
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
    found = []
    for pattern in (_NAMED, _SPEAKING, _I_AM, _I_AM_ONE):
        for name in pattern.findall(text):
            name = _NOT_OF_A_NAME.sub("", name).strip(" '-")
            first = name.split()[0].lower() if name else ""
            if name and first not in _NO_NAME and not (pattern in (_I_AM, _I_AM_ONE) and first in _NO_PERSON):
                found.append(name if name != name.lower() else name.title())
    for full, family in _NAMED_ZH.findall(text):
        found.append(full or family)
    found += _NAMED_LATIN_ZH.findall(text)
    for name in _I_AM_ZH.findall(text):
        if not _NOT_I_AM_ZH.match(name) and name[-1] not in _NO_END_ZH:
            found.append(name)
    return list(dict.fromkeys(found))


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
