"""What a visitor has done over several turns: what is still to be asked for, corrected or confirmed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from agent.tools import Slot, digits_of

LONGEST_PARTIAL = 24
"""Digits that are gathered over turns; nothing that people dictate is longer."""
LAPSES_S = 180.0
"""An errand that nobody came back to for so long is forgotten: a "yes" then means something else."""
TRIES = 2
"""Answers that did not help, after which the desk gives up."""
ASIDES = 1
"""Other questions in between that an errand outlives."""
HEARD_SHARE = 0.7
"""Share of a question's letters that must have sounded before an interruption for it to count as put."""


class Stage(StrEnum):
    """Where an errand stands."""

    ASKED = "asked"
    """A slot's value was asked for."""
    CONFIRM = "confirm"
    """Whether to do it was asked."""
    DONE = "done"
    """It was done; what was understood wrongly may be corrected."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One tool that the visitor is having run."""

    tool: str
    stage: Stage
    language: str
    """ISO 639-1, of the question."""
    at_s: float
    """Monotonic time of the last turn that was about it."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Slot → value, in the visitor's words."""
    slot: str = ""
    """Which is asked for."""
    partial: str = ""
    """Its digits that were dictated so far."""
    tries: int = 0
    asides: int = 0
    question: str = ""
    """As it was put last."""
    put: bool = True
    """The question sounded and nothing else was talked of since; where not, no "yes" counts."""

    def lapsed(self, now_s: float) -> bool:
        """Tell whether it is too old to go on with."""
        return now_s - self.at_s > LAPSES_S

    def as_heard(self, heard: str) -> Errand:
        """Return it as it stands after an interrupted reply of which only `heard` sounded."""
        if not self.question or not self.put:
            return self
        at = heard.find(self.question[: max(8, int(len(self.question) * HEARD_SHARE))])
        return self if at >= 0 else replace(self, put=False)

    def aside(self) -> Errand | None:
        """Return what is left of it after another question; None: nothing."""
        if self.asides >= ASIDES or self.stage is Stage.DONE:
            return None
        return replace(self, asides=self.asides + 1, put=False)


def said_one_by_one(value: str) -> str:
    """Write a value to be read aloud: digits one by one, anything else as it is."""
    digits = re.sub(r"[\s-]", "", value)
    return " ".join(digits) if re.fullmatch(r"\+?\d{3,}", digits) else value


_GENERAL = re.compile(
    r"^\W*(?:(?:hi|hello|hey|ok|okay|so|and|but|well|um|uh|please|sorry|excuse me)\W+)*"
    r"(?:how (?:do|can|could|would|should|to|much|many|long|does|is|are)"
    r"|what(?! is my|'s my| about my)"
    r"|why|who|which|is there|are there|do you|does|did you|can (?:i|we|one)|could i|may i|should|am i"
    r"|would it|will it|if |is it|are you|tell me (?:about|how))"
    r"|怎么(?!还|没)|如何|怎样|为什么|多少钱|多久|可不可以|可以.{0,12}吗|能(?!不能帮|帮).{0,8}吗"
    r"|是不是|会不会|什么(?!时候)"
    r"|有没有|支持",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"\b(?:i (?:want|need|wish|would like|have to)|i'?d like|please|let'?s"
    r"|(?:can|could|would|will) (?:you|someone|somebody|anyone)"
    r"|help me|i'?m calling to|get me|give me)\b"
    r"|我(?:想|要|需要|得)|请|帮我|给我|替我|麻烦|能不能帮|能帮",
    re.IGNORECASE,
)
_NOT_WISHED = re.compile(
    r"\b(?:don'?t|do not|didn'?t|not|never|already|without)\b|\bi(?:'ve| have)?\s+(?!need)\w+ed\b"
    r"|别|不要|不想|没有|已经|取消了|了吗",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\W*\b(?:because|since)\b.*"
    r"|[,;.]\s*i (?:\w+ )?(?:ordered|bought|picked|chose|selected|clicked|entered)\b.*"
    r"|(?:[，,。；]|\s)*(?:因为.*|(?:我|已经)*(?:不(?:想|需)?要|买错|拍错|下错单|选错)了?[。！]?$)",
    re.IGNORECASE | re.DOTALL,
)
"""Why something is wished: what is denied or done there takes no wish back."""
_OWN = re.compile(r"\b(?:my|mine|our)\b|我的|我们的|我那|我买|我订|查一?下?", re.IGNORECASE)
_FIRST = re.compile(
    r"^\W*(?:(?:hi|hello|hey|ok|okay|so|and|well|um+|uh+|yes|no|then|now|just|好的?|那|那么|嗯)\W*)*",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"[?？]\s*$|^\W*(?:(?:and|but|so|ok|okay|wait|actually|sorry|well|um+)\W+)*(?:what|how|why|when|where|who"
    r"|which|is|are|do|does|did|can|could|may|should|will|would|am)\b|怎么|如何|什么|多少|几[点天个]|哪|吗\W*$|为什么|多久|能不能|可不可以|呢\W*$",
    re.IGNORECASE,
)
_PARDON = re.compile(
    r"^\W*(?:(?:what|pardon(?: me)?|sorry|excuse me|come again|say (?:that|it) again|repeat(?: that)?"
    r"|(?:what|which) (?:number|did you (?:say|ask))|can you (?:repeat|say) (?:that|it)(?: again)?"
    r"|please)\W*)+$"
    r"|^\W*(?:啊|什么|你说什么|您说什么|再说一遍|请再说一[遍次]|没听清楚?)[\W吧呀]*$",
    re.IGNORECASE,
)
_LONG_WORDS = 8
"""An answer with so many words and no digit is about something else than a number."""
_LONG_HAN = 12


def is_general(text: str) -> bool:
    """Tell whether the visitor asks how something is done in general."""
    return bool(_GENERAL.search(text.replace("’", "'")))


def wishes(text: str, about: re.Pattern[str]) -> bool:
    """Tell whether the visitor wants done what a tool is about, rather than asks how that is done."""
    text = text.replace("’", "'")
    if _NOT_WISHED.search(_REASON.sub("", text)) or _GENERAL.search(text):
        return False
    begun = about.match(text, _FIRST.match(text).end())  # type: ignore[union-attr]
    return bool(begun or _WISH.search(text) or len(text.split()) <= 3 and not _QUESTION.search(text))


def asks_of_own(text: str) -> bool:
    """Tell whether the visitor asks about something of their own, which a tool may look up."""
    text = text.replace("’", "'")
    if re.search(r"(?:where|when|what)(?:'s| is| are| was| will| does)?\b.{0,12}\bmy\b", text, re.IGNORECASE):
        return True
    return bool((_OWN.search(text) or _WISH.search(text)) and not _GENERAL.search(text))


def asks_something(text: str) -> bool:
    """Tell whether an answer is none, but a question of its own."""
    return bool(_QUESTION.search(text.replace("’", "'")))


def asks_pardon(text: str) -> bool:
    """Tell whether the visitor did not hear what they were asked."""
    return bool(_PARDON.search(text.replace("’", "'")))


def tells_a_story(text: str) -> bool:
    """Tell whether an answer is too long for one that was not understood."""
    han = len(re.findall(r"[\u3400-\u9fff]", text))
    return han >= _LONG_HAN or len(text.split()) >= _LONG_WORDS


def dictated_in(text: str) -> str:
    """Return the digits of an answer; empty where it holds one by chance, as in "one moment" or "等一下"."""
    digits = digits_of(text)
    return digits if len(digits) > 1 or len(text.split()) == 1 and len(text) <= 6 else ""


def may_grow(slot: Slot, digits: str) -> bool:
    """Tell whether more digits behind these would make a value."""
    return any(slot.read(digits + "0" * more) is not None for more in range(1, LONGEST_PARTIAL - len(digits)))
