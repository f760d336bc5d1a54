"""Tables: rows of questions and answers, of articles, or of things with properties."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from knowledge.document import Section
from knowledge.words import language_of


def _names(words: str) -> tuple[str, ...]:
    return tuple(words.split())


QUESTION = _names(
    "question q query prompt instruction ask faq user usersays utterance title_question standardquestion "
    "问题 问 提问 标准问题 标准问 标准问法 用户问题 常见问题 问句 題 問題 提問"
)
ANSWER = _names(
    "answer a completion response responses reply answers output bot standardanswer answertext "
    "acceptedanswer 答案 答 回答 回复 答复 标准答案 解答 答案内容 回覆 解決方案 解决方案"
)
TITLE = _names("title name heading subject headline 标题 名称 题目 主题")
TEXT = _names("text content body description article paragraph passage 内容 正文 文本 说明 详情 段落")
OTHERS = _names(
    "questions alternatives alternativequestions alternatequestions similarquestions similar variants "
    "paraphrases aliases utterances patterns 相似问题 相似问 相似问法 扩展问 扩展问题 其他问法 同义问"
)
TAGS = _names("tags tag category categories topic topics label 标签 分类 类别 类目 主题分类")
LANGUAGE = _names("language lang locale 语言")
URL = _names("url link href source_url sourceurl 链接 网址")
UPDATED = _names("updated lastupdated updatedat lastmodified modified date 更新时间 更新日期 修改时间 日期")

_LIST = re.compile(r"\s*(?:\n|;|；|\|)\s*")
_NUMBER = re.compile(r"^[\s\d.,:%€$£¥+/-]+$")
MOST_LEAD = 8
"""Rows above a table's header."""
MOST_COLUMN_NAME = 60
"""Characters; a longer first row is data, no header."""

Row = Mapping[str, object]


def sections_of_rows(rows: Sequence[Sequence[str]], *, anchor: str = "row") -> tuple[list[Section], bool]:
    """Make sections of a table's rows.

    Args:
        rows: cells, as text; the first row may be a header.
        anchor: what the row's number is written after.

    Returns:
        The sections, and whether they are questions with answers.
    """
    filled = [(at, [cell.strip() for cell in row]) for at, row in enumerate(rows, start=1)]
    filled = [(at, row[: max(n for n, cell in enumerate(row, 1) if cell)]) for at, row in filled if any(row)]
    if not filled:
        return [], False
    lead = _lead(filled)
    filled, before = filled[lead:], filled[:lead]
    said = [Section("", "\n\n".join(next(filter(None, row)) for _, row in before))] if before else []
    found, faq = _body(filled, anchor)
    return said + found, faq


def _lead(rows: Sequence[tuple[int, Sequence[str]]]) -> int:
    """Return how many rows stand above a table: its title, and notes, of one cell each."""
    widths = [sum(map(bool, row)) for _, row in rows]
    first = next((at for at, width in enumerate(widths) if width > 1), 0)
    return first if first <= MOST_LEAD else 0


def _body(filled: Sequence[tuple[int, Sequence[str]]], anchor: str) -> tuple[list[Section], bool]:
    header = filled[0][1]
    if _is_header(header, [row for _, row in filled[1:]]):
        records = [(at, dict(_named(header, row))) for at, row in filled[1:]]
        known = is_faq(header)
        found = [record_section(record, known, f"{anchor}-{at}") for at, record in records]
        return [section for section in found if section], known
    if _asks(filled):
        pairs = [row for _, row in filled]
        return [Section(q, a, language=language_of(q + a), kind="faq") for q, a, *_ in pairs], True
    return [
        Section("", ", ".join(cell for cell in row if cell), anchor=f"{anchor}-{at}") for at, row in filled
    ], False


def is_faq(names: Sequence[str]) -> bool:
    """Tell whether fields of these names are a question and its answer."""
    keys = {_key(name) for name in names}
    return bool(keys & set(QUESTION)) and bool(keys & set(ANSWER))


def record_section(record: Row, faq: bool, anchor: str) -> Section | None:
    """Make a section of one row with named cells; None where it says nothing."""
    fields = {_key(name): value for name, value in record.items()}
    text = text_of(_first(fields, ANSWER if faq else TEXT))
    heading = text_of(_first(fields, QUESTION if faq else TITLE))
    whole = faq or bool(text)
    if not whole:
        text = _spoken(record)
        heading = heading or next((v for v in map(text_of, record.values()) if _is_name(v)), "")
    if not text or faq and not heading:
        return None
    others = _listed(_first(fields, OTHERS)) if faq else ()
    asked = fields.get(next((name for name in QUESTION if name in fields), ""))
    if faq and isinstance(asked, list | tuple) and asked:
        heading, others = text_of(asked[0]), (*map(text_of, asked[1:]), *others)
    declared = text_of(_first(fields, LANGUAGE)).lower()[:2]
    return Section(
        heading,
        text,
        anchor="" if whole and heading else anchor,
        language=declared if re.fullmatch("[a-z]{2}", declared) else language_of(f"{heading} {text}"),
        questions=tuple(other for other in others if other and other != heading),
        tags=_listed(_first(fields, TAGS)) if whole else (),
        url=_web(text_of(_first(fields, URL))) if whole else "",
        updated=text_of(_first(fields, UPDATED)) if whole else "",
        kind="faq" if faq else "article",
    )


def text_of(value: object) -> str:
    """Return a cell or a JSON value as text; lists line by line."""
    if value is None or isinstance(value, bool):
        return "" if value is None else "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "\n".join(filter(None, map(text_of, value)))
    if isinstance(value, Mapping):
        for name in ("text", "content", "value", "answer"):
            if name in value:
                return text_of(value[name])
        return _spoken(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _spoken(record: Row) -> str:
    """Return "column: value" pairs, as one sentence."""
    cells = [(name.strip(), " ".join(text_of(value).split())) for name, value in record.items()]
    cells = [(name, value) for name, value in cells if value]
    chinese = language_of("".join(name + value for name, value in cells)) == "zh"
    colon, comma, stop = ("：", "，", "。") if chinese else (": ", ", ", ".")
    said = comma.join(f"{name}{colon}{value}" if name else value for name, value in cells)
    return said + stop if said and said[-1] not in ".!?。！？" else said


def _named(header: Sequence[str], row: Sequence[str]) -> list[tuple[str, object]]:
    wide = [*header, *("" for _ in range(len(row) - len(header)))]
    named: dict[str, object] = {}
    for name, cell in zip(wide, row, strict=False):
        # Columns of the same name stand side by side.
        unique = name
        while unique in named:
            unique += " "
        if cell:
            named[unique] = cell
    return list(named.items())


def _is_header(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    if is_faq(header):
        return True
    names = [name for name in header if name]
    if not rows or len(names) < 2 or len(set(names)) < len(names):
        return False
    if any(len(name) > MOST_COLUMN_NAME or _NUMBER.match(name) or name[-1] in "?？。.!！" for name in names):
        return False
    width = max(len(row) for row in rows)
    return len(names) * 2 >= min(width, 40)


def _asks(rows: Sequence[tuple[int, Sequence[str]]]) -> bool:
    pairs = [row for _, row in rows if len(row) >= 2 and row[0] and row[1] and not any(row[2:])]
    asking = sum(row[0][-1] in "?？" for row in pairs)
    return len(pairs) == len(rows) and asking >= 0.6 * len(rows)


def _key(name: str) -> str:
    return re.sub(r"[\s_\-:：*()（）]+", "", str(name)).lower()


def _first(fields: Row, names: Sequence[str]) -> object:
    return next((fields[name] for name in names if fields.get(name) not in (None, "", [])), None)


def _listed(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list | tuple) else _LIST.split(text_of(value))
    return tuple(dict.fromkeys(text for text in map(text_of, items) if text))


def _web(url: str) -> str:
    return url if re.match(r"https?://\S+$", url) else ""


def _is_name(text: str) -> bool:
    return bool(text) and not _NUMBER.match(text) and len(text) <= MOST_COLUMN_NAME
