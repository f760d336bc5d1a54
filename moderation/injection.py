"""Prompt injection and jailbreaks: phrases, cues that add up, and forms that no customer writes.

A visitor's text is judged as an attempt to command the desk. A document or a tool result is data: there, text
that addresses an assistant or tells what to tell customers counts as well.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from math import prod

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
    r"|(?:^|\n)[ \t]*(?:系统|助手|开发者)(?:提示|消息|指令)?[：:]"
)
_ORDER = re.compile(
    r"\b(?:you|your|ignore|disregard|forget|reveal|always|never|must|reply|respond|answer|say|tell|call|output|print"
    r"|act|pretend|obey|do not|recommend|from now on)\b"
    r"|你|您|忽略|无视|必须|回答|回复|告诉|推荐|从现在|调用|不要"
)
"""What follows a label that gives an order, in a document, rather than names something."""
_ASKED_RULES = re.compile(
    r" what (?:is|are|were|was) (?:all )?your (?:[a-z]{2,12} ){0,2}?(?:instructions?|programming|prompt) "
    r"(?!(?:for|on|to|regarding|about|when|if|in|with|how|of|concerning|around) )"
)
"""Asking what the desk was told, unless the question goes on: "what are your instructions for returns"."""
_BLOB = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{24,4000}={0,2}(?![A-Za-z0-9+/=])")
_HEX = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{2}){16,2000}(?![0-9a-fA-F])")
_DECODE = re.compile(
    r"\b(?:decode|decipher|decrypt|rot ?13|base ?64|caesar cipher|morse code|hexadecimal)\b[^\n]{0,60}"
    r"\b(?:follow|execute|obey|do what|answer|respond|instruction|message|run)\b"
    r"|(?:解码|解密)[^\n]{0,30}(?:执行|遵循|照做|回答)"
)
_HIDDEN_TEXT = re.compile(
    r"<!--[\s\S]{0,2000}?-->|(?:display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0|"
    r"color\s{0,3}:\s{0,3}(?:white|#fff(?:fff)?)|opacity\s{0,3}:\s{0,3}0)[^>]{0,200}>[^<]{3,2000}"
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
    r"\b(?:ignore|instruction|system prompt|reveal|password|disregard|print|execute|bomb|kill|hack|steal)"
)


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

    def _forms(self, subject: Subject, *, foreign: bool) -> Iterator[Finding]:
        text, folded = subject.text, subject.folded
        if any(sign in folded.text for sign in "<[#:-"):
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
        if len(text) >= 24:
            yield from _encoded(text)
        if not text.isascii():
            yield from _invisible(text)
        if foreign and ("<" in text):
            for hidden in _HIDDEN_TEXT.finditer(folded.text):
                if _INSTRUCTING.search(hidden.group()):
                    yield Finding("injection.hidden", 0.8, *folded.original(*hidden.span()))


def _encoded(text: str) -> Iterator[Finding]:
    """Base64 or hexadecimal text that reads as a command when decoded."""
    for match in _BLOB.finditer(text):
        blob = match.group().replace("-", "+").replace("_", "/").rstrip("=")
        try:
            plain = base64.b64decode(blob + "=" * (-len(blob) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue
        if _commands(plain):
            yield Finding("injection.encoded", 0.85, *match.span())
    for match in _HEX.finditer(text):
        if _commands(bytes.fromhex(match.group())):
            yield Finding("injection.encoded", 0.85, *match.span())


def _commands(data: bytes) -> bool:
    try:
        plain = data.decode("utf-8").lower()
    except UnicodeDecodeError:
        return False
    return _COMMAND.search(plain) is not None


def _invisible(text: str) -> Iterator[Finding]:
    for match in _TAG_CHARACTERS.finditer(text):
        yield Finding("injection.hidden", 0.9, *match.span())
    found = _INVISIBLE.findall(text)
    if len(found) > _MAX_INVISIBLE and len(found) * 20 > len(text):
        yield Finding("injection.hidden", 0.6, 0, len(text))
