"""What columns of tables are called, and what stands in them, in English, Chinese and German."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches

from agent.sentence import Outcome


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


HEADS = {
    "conversation": _words(
        "conversation|conversation id|dialogue|dialog|dialogue id|session|session id|scenario"
        "|story|case|case id|test case|test case id|test|test id|tc|tc id|id|对话|对话编号|会话|会话编号|场景"
        "|用例|测试用例|用例编号|编号"
        "|gespräch|dialognummer|unterhaltung|sitzung|testfall|szenario|cas de test|conversación"
    ),
    "turn": _words("turn|turn id|step|order|no|轮次|步骤|序号|schritt|reihenfolge|nr|étape|paso"),
    "title": _words("title|name|description|标题|名称|描述|说明|titel|bezeichnung|beschreibung|titre|título"),
    "role": _words(
        "role|speaker|sender|who|from|author|角色|说话人|发言人|发送者|rolle|sprecher|rôle|locuteur|rol"
    ),
    "text": _words(
        "text|message|content|utterance|文本|内容|消息|话语|nachricht|äußerung|inhalt|texte|mensaje|texto"
    ),
    "user": _words(
        "user|visitor|customer|question|user says|user message|user input|customer message"
        "|query|input|prompt|用户|客户|访客|顾客|问题|提问|用户输入|用户问题|用户说|客户问题"
        "|kunde|kundin|besucher|nutzer|benutzer|frage|eingabe|anliegen"
        "|utilisateur|client|usuario|cliente|pregunta"
    ),
    "bot": _words(
        "bot|expected|expected answer|expected reply|expected response|expected output|answer"
        "|reply|response|assistant|agent|bot says|bot response|output|机器人|期望|预期"
        "|期望回复|预期回复|期望回答|预期回答|预期结果|答案|标准答案|回答|回复|客服"
        "|erwartete antwort|antwort|erwartung|erwartet|erwartetes ergebnis|sollantwort"
        "|expected result|réponse|réponse attendue|respuesta|respuesta esperada"
    ),
    "contains": _words(
        "contains|must contain|contains all|keywords|包含|必须包含|关键词|关键字"
        "|muss enthalten|enthält|stichwörter|doit contenir|debe contener"
    ),
    "contains_any": _words("contains any|any of|one of|包含任一|任一|包含其一|eines von|enthält eines von"),
    "must_not": _words(
        "must not|must not contain|not contains|does not contain|forbidden|不得包含|不能包含|不应包含|禁止"
        "|darf nicht|darf nicht enthalten|verboten|enthält nicht|ne doit pas contenir|no debe contener"
    ),
    "regex": _words("regex|regexp|pattern|正则|正则表达式"),
    "cites": _words(
        "cites|cite|source|sources|citation|citations|document|documents|来源|引用|文档|出处"
        "|quelle|quellen|dokument|beleg|fuente"
    ),
    "outcome": _words(
        "outcome|expected outcome|result|结局|处理结果|结果|ausgang|ergebnis|ausgang des gesprächs"
    ),
    "handoff": _words("handoff|hand off|transfer|human|转人工|人工|weiterleitung|übergabe|mensch"),
    "tools": _words(
        "tools|tool|tool call|expected tools|expected tool|action|actions|工具|操作|动作"
        "|werkzeug|werkzeuge|aktion|aktionen"
    ),
    "emotion": _words("emotion|reply emotion|情绪|表情|gefühl|ausdruck"),
    "visitor_emotion": _words(
        "visitor emotion|user emotion|customer emotion|用户情绪|客户情绪|gefühl des kunden|stimmung"
    ),
    "language": _words("language|lang|locale|语言|语种|sprache|langue|idioma"),
    "tags": _words(
        "tags|tag|labels|label|category|topic|suite|标签|类别|分类|主题"
        "|thema|kategorie|schlagwort|schlagwörter|thème|catégorie|categoría|tema"
    ),
    "mode": _words("mode|模式"),
    "pause_s": _words("pause|pause s|pause seconds|wait|停顿|等待|pause s|wartezeit"),
    "barge_in": _words(
        "barge in|bargein|interrupt|interrupts|打断|插话|unterbricht|unterbrechung|fällt ins wort"
    ),
    "within_ms": _words("within ms|latency ms|max latency ms|延迟|时延|höchstens ms|antwortzeit ms"),
    "comment": _words(
        "comment|comments|note|notes|remark|remarks|备注|注释"
        "|bemerkung|bemerkungen|kommentar|anmerkung|notiz|commentaire|comentario"
    ),
}
"""Key → what its column may be called."""
NUMBERS = frozenset(_words("no|nr|order|序号"))
"""Headings of a turn's number that may as well be a case's."""
_FIELDS = {head: key for key, heads in HEADS.items() for head in heads}
_ENDINGS = {
    Outcome.ANSWERED: _words("answered|answer|ok|回答|已回答|已解答|回复"),
    Outcome.CLARIFIED: _words("clarified|clarify|clarification|ask back|澄清|反问|追问"),
    Outcome.ABSTAINED: _words(
        "abstained|abstain|unknown|not known|fallback|no answer|不知道|无法回答|未知|兜底"
    ),
    Outcome.REFUSED: _words("refused|refuse|decline|declined|reject|rejected|blocked|拒绝|拒答|拦截"),
    Outcome.HANDOFF: _words(
        "handoff|hand off|handover|hand over|escalate|escalated|transfer|human|agent|转人工|人工"
    ),
}
OUTCOMES = {word: outcome for outcome, words in _ENDINGS.items() for word in words}
USERS = frozenset(_words("user|customer|visitor|client|caller|human|me|用户|客户|访客|顾客|我"))
BOTS = frozenset(_words("bot|assistant|agent|ai|avatar|system reply|机器人|客服|助手|坐席|智能客服"))
YES = frozenset(_words("yes|y|true|1|x|✓|ja|wahr|是|对|有"))
NO = frozenset(_words("no|n|false|0|nein|falsch|否|不|无"))
LANGUAGES = (
    dict.fromkeys(_words("english|englisch|英语|英文"), "en")
    | dict.fromkeys(_words("chinese|mandarin|chinesisch|中文|汉语|普通话"), "zh")
    | dict.fromkeys(_words("german|deutsch|德语"), "de")
)


def plain(head: str) -> str:
    """Return a heading, or a word of a cell, as it is compared."""
    words = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", head).casefold()).strip()
    return words.removeprefix("the ")


def columns_of(row: Sequence[str]) -> dict[str, int]:
    """Return key → column of a row's headings; of two for one key the one that is named more plainly."""
    found = dict[str, tuple[int, int]]()
    for number, cell in enumerate(row):
        head = plain(cell)
        if (key := _FIELDS.get(head)) is not None:
            rank = HEADS[key].index(head)
            if key not in found or rank < found[key][0]:
                found[key] = (rank, number)
    return {key: number for key, (_, number) in found.items()}


def meant(cell: str) -> str:
    """Return the heading that an unknown one is like; empty: none."""
    return next(iter(get_close_matches(plain(cell), _FIELDS, n=1, cutoff=0.8)), "")
