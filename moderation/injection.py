"""Prompt injection and jailbreaks: phrases, cues that add up, and forms that no customer writes.

A visitor's text is judged as an attempt to command the desk. A document or a tool result is data: there, text
that addresses an assistant or tells what to tell customers counts as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod

from moderation.encoded import encoded
from moderation.lexicon import Lexicon, entries
from moderation.screener import Finding, Subject
from moderation.verdict import Direction

_CUE = "injection.cue_"
_PASSIVE = "injection.passive"
_MIN_CUES = 3
"""Different cues before they add up to anything: a single one stands in honest sentences."""

_DELIMITERS = re.compile(
    r"<\|{0,1}(?:im_start|im_end|endoftext|system|user|assistant|begin_of_text|start_header_id|eot_id)\|{0,1}>"
    r"|\[/?(?:inst|system|assistant|sys)\]|<</?sys>>"
    r"|</?(?:system|system_prompt|instructions?|assistant|admin|prompt|developer)>"
    r"|(?:^|\n)[ \t#*>\-=]{0,12}(?:system|assistant|developer)"
    r"(?: (?:prompt|message|instruction|override))?[ \t*#]{0,6}[:\]]"
    r"|(?:^|\n)#{2,6} ?(?:instructions?|system|new instructions?|response)\b"
    r"|(?:^|[.!?\n] ?)(?:new|updated|your new|real|additional|system) (?:instructions?|prompt|directive) ?:"
    r"|-{3,20} ?(?:end|begin|start) (?:of )?(?:system|user|prompt|instructions?|context|document|text)"
    r"|(?:^|\n)[ \t]*[【\[(（]?(?:系统|助手|开发者|管理员)(?:提示|消息|指令|通知|命令)?(?:[】\])）]|[：:])"
    r"|【(?:新的?|最新|重要|隐藏)?(?:系统|指令|命令)[^】]{0,12}】"
)
_ORDER = re.compile(
    r"\b(?:you|your|ignore|disregard|forget|reveal|always|never|must|reply|respond|answer|say|tell|call|output|print"
    r"|act|pretend|obey|do not|recommend|from now on)\b"
    r"|你|您|忽略|无视|必须|回答|回复|告诉|推荐|从现在|调用|不要"
)
"""What follows a label that gives an order, in a document, rather than names something."""
_QUICKLY = "delivery|shipping|shipment|dispatch|service|payment|refund|collection|reply|response|option"
"""What is "prompt" where that means quick."""
_PROMPT = re.compile(rf"\bprompt(?= (?:{_QUICKLY})s?\b)", re.IGNORECASE)
_ASKED_RULES = re.compile(
    r" what (?:is|are|were|was) (?:all )?your (?:[a-z]{2,12} ){0,2}?(?:instructions?|programming|prompt) "
    r"(?!(?:for|on|to|regarding|about|when|if|in|with|how|of|concerning|around"
    rf"|{_QUICKLY}) )"
)
"""Asking what the desk was told, unless the question goes on: "what are your instructions for returns"."""
_DECODE = re.compile(
    r"\b(?:decode|decipher|decrypt|rot ?13|base ?64|caesar cipher|morse code|hexadecimal)\b[^\n]{0,60}"
    r"\b(?:follow|execute|obey|do what|answer|respond|instruction|message|run)\b"
    r"|(?:解码|解密)[^\n]{0,30}(?:执行|遵循|照做|回答)"
)
_HIDDEN_TEXT = re.compile(
    r"<!--[\s\S]{0,2000}?-->|\[//\]: ?#[^\n]{3,2000}"
    r"|<[a-z]{1,10}\b[^>]{0,300}\b(?:hidden|aria-hidden=.?true)[^>]{0,200}>[^<]{3,2000}"
    r"|(?:display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0"
    r"|color\s{0,3}:\s{0,3}(?:white|#fff(?:fff)?)|opacity\s{0,3}:\s{0,3}0)[^>]{0,200}>[^<]{3,2000}"
)
_INVISIBLE = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u00ad\U000e0020-\U000e007f]"
)
_TAG_CHARACTERS = re.compile("[\U000e0020-\U000e007e]{4,}")
_MAX_INVISIBLE = 12
"""Characters: a pasted text has a few; hidden instructions and split words have many."""
_INSTRUCTING = re.compile(
    r"\b(?:ignore|instruct|system|assistant|prompt|must|always|never|tell|reveal|respond|reply|output|send)\b|忽略|指令|提示|必须|告诉"
)


_COMMAND = re.compile(
    r"\b(?:ignore|instruction|system prompt|reveal|password|disregard|execute|bomb|kill|hack|steal|jailbreak"
    r"|developer mode|send (?:all|the|me)|delete all)|忽略|系统提示|指令|炸弹|密码"
)
_YOUR_ANSWER = (
    r"(?:your|the|this|every|each|any)(?: (?:final|whole|entire|next))? (?:answer|response|reply|output)s?"
)
_TO_ANSWERER = re.compile(
    r"\b(?:add|insert|integrate|embed|incorporate|modify|adjust|alter|replace|rearrange|scramble|anagram|encode|encrypt|encipher"
    r"|convert|translate|reverse|misspell|substitute|remove|group|swap|shift|introduce|append|prepend|express|render|format"
    r"|rewrite|rephrase|present|provide|deliver|craft|write|give|produce|generate|structure|conclude|end|start"
    r"|begin|finish)\b"
    rf"[^.!?\n]{{0,140}}?\b{_YOUR_ANSWER}\b"
    rf"|\b(?:in|of|to|for|with|throughout|within) {_YOUR_ANSWER}, ?"
    r"(?:add|include|mention|suggest|promote|insert"
    r"|recommend|use|say|tell|ask|urge|encourage|claim|state|hint|highlight|embed|incorporate)\b"
    r"|\b(?:use|include|mention|highlight|claim|suggest|say)\b[^.!?\n]{0,120}?"
    rf"\b(?:in|throughout|for) {_YOUR_ANSWER}\b"
    r"|\b(?:your|every|each) (?:answer|response|reply|output)s? (?:must|should|shall|has to|needs to)"
    r" (?:be|include|contain|start|end|begin|mention|only|not|always)\b"
    r"|\b(?:every|each) (?:second|third|fourth|fifth|other) (?:word|letter|sentence)\b"
    r"|(?:在|把|将)?(?:你的|您的|这个|每个|所有)(?:回答|回复|答复|输出)(?:中|里|前|后|末尾|结尾|开头)?[^。！？\n]{0,24}"
    r"(?:加入|添加|插入|包含|提到|推荐|宣传|附上|写上|改成|翻译|替换|倒过来|加密|编码|必须|只能|都要)"
)
"""What tells an answerer how to shape its answer: in a document, nobody else is there to."""
_NUMBER_ASKED = re.compile(
    r"\b(?:order|reference|customer|ticket|case|account|phone|invoice) (?:number|id|no)|\bsubject line"
)
"""Letters ask people, too, for something in their reply."""


class InjectionScreener:
    """Finds `injection.*`."""

    def __init__(self) -> None:
        self._phrases = Lexicon(entries("injection"))

    def screen(self, subject: Subject) -> Iterator[Finding]:
        """Findings `injection.*`: phrases, added-up cues, delimiters, encoded and hidden text."""
        foreign = subject.direction in (Direction.DOCUMENT, Direction.TOOL)
        cues: dict[str, Finding] = {}
        for finding in self._phrases.screen(subject):
            if finding.rule.startswith(_CUE):
                cues.setdefault(finding.rule, finding)
            elif foreign or finding.rule != _PASSIVE:
                yield finding
        if len(cues) >= _MIN_CUES:
            score = 1.0 - prod(1.0 - cue.score for cue in cues.values())
            first = min(cue.start for cue in cues.values())
            last = max(cue.end for cue in cues.values())
            yield Finding("injection.jailbreak", score, first, last)
        yield from self._forms(subject, foreign=foreign)

    def _commands(self, plain: str) -> bool:
        """True where what stands behind a code commands something."""
        if _COMMAND.search(plain.lower()):
            return True
        subject = Subject(plain, Direction.DOCUMENT, "en")
        return any(not finding.rule.startswith(_CUE) for finding in self._phrases.screen(subject))

    def _forms(self, subject: Subject, *, foreign: bool) -> Iterator[Finding]:
        text, folded = subject.text, subject.folded
        if any(sign in folded.text for sign in "<[#:-【"):
            for delimiter in _DELIMITERS.finditer(folded.text):
                label = delimiter[0].rstrip()[-1:] in ":：" and not set(delimiter[0]) & set("<[")
                if (
                    foreign
                    and label
                    and not _ORDER.search(folded.text, delimiter.end(), delimiter.end() + 80)
                ):
                    continue  # "System: Android 12 or later"
                yield Finding("injection.delimiter", 0.8, *folded.original(*delimiter.span()))
        for asked in _ASKED_RULES.finditer(subject.words.text):
            yield Finding(
                "injection.extraction", 0.75, *subject.words.original(asked.start() + 1, asked.end())
            )
        match = _DECODE.search(folded.text)
        if match is not None:
            yield Finding("injection.encoded", 0.7, *folded.original(*match.span()))
        for plain, start, end in encoded(text):
            if self._commands(plain):
                yield Finding("injection.encoded", 0.85, start, end)
        if not text.isascii():
            yield from _invisible(text)
        if foreign:
            for match in _TO_ANSWERER.finditer(folded.text):
                if not _NUMBER_ASKED.search(match.group()):
                    yield Finding("injection.passive", 0.7, *folded.original(*match.span()))
        if foreign and ("<" in text or "[//]" in text):
            for hidden in _HIDDEN_TEXT.finditer(folded.text):
                if _INSTRUCTING.search(hidden.group()):
                    yield Finding("injection.hidden", 0.8, *folded.original(*hidden.span()))


def unambiguous(text: str) -> str:
    """Read "prompt delivery" as quick delivery: a classifier takes the word for what a model is told."""
    return _PROMPT.sub("quick", text) if "rompt" in text else text


def _invisible(text: str) -> Iterator[Finding]:
    for match in _TAG_CHARACTERS.finditer(text):
        yield Finding("injection.hidden", 0.9, *match.span())
    found = _INVISIBLE.findall(text)
    if len(found) > _MAX_INVISIBLE and len(found) * 20 > len(text):
        yield Finding("injection.hidden", 0.6, 0, len(text))
