"""Names that people say are theirs, English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator

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
    r"((?![你您他她它])[\u4e00-\u9fff·]{2,4}?)(?=[\s，,。.！!、；;]|想|要|是|的|我|电话|手机|订单|邮箱|先生|女士|小姐|$)"
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
    r"(?=[\s，,。.！!、；;]|想|要|来自|来|电话|手机|的?订单|先生|女士|小姐|$)"
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
_LABELLED = re.compile(
    r"(?:^|[\n,;|(] ?)(?:(?:[Ff]ull|[Ff]irst|[Ll]ast|[Cc]ustomer|[Cc]ontact) )?[Nn]ame ?[:=]\s{0,3}"
    r"([A-Z][\w'-]+(?: [A-Z][\w'.-]*){0,3})"
    r"|\b(?:[Cc]ard ?holder|[Aa]ccount holder|[Rr]ecipient|[Pp]assenger|[Pp]atient)(?:'s name)? ?(?:is|:) ?"
    r"((?:(?:Mr|Mrs|Ms|Dr)\.? )?[A-Z][\w'-]+(?: [A-Z][\w'-]+){0,2})"
)
_LABELLED_ZH = re.compile(
    rf"(?:收件人|收货人|联系人|持卡人|姓名|户名|客户)[是为：:\s]{{1,3}}((?:欧阳|司马|上官|诸葛|[{_FAMILIES}])[\u4e00-\u9fff]{{1,2}})"
    r"(?![\u4e00-\u9fff])"
)
_HINT = re.compile(
    r"name|call|this is|\bI(?:'m|’m| am)\b|[我姓免]|[人名户][是为：:]|holder|recipient|passenger|patient",
    re.IGNORECASE,
)
"""One of these stands before every name that is told."""


def name_spans(text: str) -> Iterator[tuple[int, int]]:
    """Where names stand that a person says are theirs, in a text as it was written; capitals count."""
    if not _HINT.search(text):
        return
    for pattern in (_NAMED, _SPEAKING, _I_AM, _I_AM_ONE):
        for match in pattern.finditer(text):
            name = _NOT_OF_A_NAME.sub("", match[1])
            start = match.start(1) + len(name) - len(name.lstrip(" '-"))
            name = name.strip(" '-")
            first = name.split()[0].lower() if name else ""
            if name and first not in _NO_NAME and not (pattern in (_I_AM, _I_AM_ONE) and first in _NO_PERSON):
                yield start, start + len(name)
    for match in _LABELLED.finditer(text):
        yield match.span(match.lastindex or 1)
    for match in _LABELLED_ZH.finditer(text):
        yield match.span(1)
    for match in _NAMED_ZH.finditer(text):
        yield match.span(1) if match[1] else match.span(2)
    for match in _NAMED_LATIN_ZH.finditer(text):
        yield match.span(1)
    for match in _I_AM_ZH.finditer(text):
        if not _NOT_I_AM_ZH.match(match[1]) and match[1][-1] not in _NO_END_ZH:
            yield match.span(1)
