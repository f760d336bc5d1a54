"""What the labels of safety sets mean: harmful or not, of which of the policy's categories, or not told."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from evals.moderation_sets import HARMFUL
from evals.suites.figures import SuiteDataError
from evals.suites.tables import LABEL_NAMES, Row, Table
from moderation import Category

KINDS: dict[Category, tuple[str, ...]] = {
    Category.HATE: ("hate", "h", "h2", "hate/threatening", "hate_speech", "identity_hate", "identity_attack",
                    "racism", "sexism", "discrimination", "unfairness_and_discrimination", "仇恨", "歧视"),
    Category.HARASSMENT: ("harassment", "hr", "harassment/threatening", "insult", "insults", "bullying",
                          "abuse", "abusive", "threat", "harassment_bullying", "侮辱", "辱骂", "骚扰"),
    Category.SEXUAL: ("sexual", "s", "sexual_explicit", "sexually_explicit", "sexual_content", "adult",
                      "porn", "色情"),
    Category.SEXUAL_MINORS: ("sexual_minors", "s3", "sexual/minors", "csam"),
    Category.VIOLENCE: ("violence", "v", "v2", "violence/graphic", "violent", "暴力"),
    Category.SELF_HARM: ("self_harm", "sh", "self-harm", "selfharm", "suicide", "自残", "自杀"),
    Category.DANGEROUS: ("dangerous", "illicit", "illegal", "weapons", "drugs", "crime", "terrorism",
                         "drug_abuse", "financial_crime", "crimes_and_illegal_activities",
                         "chemical_biological", "cybercrime_intrusion", "违法"),
    Category.PROFANITY: ("profanity", "obscene", "vulgar", "脏话"),
    Category.INJECTION: ("injection", "prompt_injection", "jailbreak", "jailbreaking", "goal_hijacking",
                         "prompt_leaking", "注入", "越狱"),
    Category.PII: ("pii", "personal_data", "privacy"),
    Category.SECRETS: ("secrets", "secret"),
}  # fmt: skip
"""Category of the policy → what columns and labels of published sets call it."""
_HARMLESS = (
    "0|0.0|false|no|n|safe|benign|neutral|none|normal|clean|ham|ok|neither|not|legitimate|harmless|unharmful"
    "|安全|正常|无"
)
HARMLESS = frozenset(_HARMLESS.split("|"))
"""Labels of what is harmless, without regard to case."""
_PLAIN = (
    "1|1.0|true|yes|y|toxic|unsafe|harmful|hateful|hate|offensive|off|spam|malicious|attack|bad|flagged"
    "|不安全|有害"
)
PLAIN = frozenset(_PLAIN.split("|"))
"""Labels of what is harmful and no more."""
OVERALL = frozenset(
    [
        "toxic",
        "toxicity",
        "severe_toxic",
        "severe_toxicity",
        "offensive",
        "harmful",
        "unsafe",
        "flagged",
        "is_toxic",
    ]
)
"""Columns for harm as such, beside those for its kinds."""
INVERSE = frozenset({"is_safe", "safe", "is_benign"})
"""Columns whose "true" means harmless."""
OF_PROMPTS = ("prompt_harm_label", "prompt_label", "prompt_safety", "is_prompt_harmful")
OF_RESPONSES = ("response_harm_label", "response_label", "is_response_safe", "response_safety")
"""Columns that judge one part of an exchange."""
CONTRAST = "contrast_"
"""Begins the types of a set of pairs: "homonyms" are harmless, "contrast_homonyms" the harmful ones."""
HALF = 0.5
"""From this share of annotators on, a number means harmful."""
Every = Literal["", "harmful", "harmless"]
_KIND: dict[str, Category] = {name: category for category, names in KINDS.items() for name in names}
_NOT = re.compile(r"(?:not?|non|un|in)[\s_-]*(\w+)")
_LAST = frozenset(
    ["harmful", "harmless", "unharmful", "benign", "safe", "unsafe", "toxic", "offensive", "hateful"]
)
"""Ends labels that say more: "adversarial_benign"."""
_BOUND = re.compile(r"(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)")
_ORDER: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip


@dataclass(slots=True)
class Labels:
    """How the labels of a table are read."""

    columns: tuple[str, ...]
    """Several: one for each kind of harm."""
    how: str
    kinds: dict[str, Category] = field(default_factory=dict)
    """Of the columns that stand for one."""
    harmful: tuple[str, ...] = ()
    """Values that mean harmful: patterns such as "contrast_*", or bounds such as ">=3"; empty: guessed."""
    every: Every = ""
    """What all texts are, whatever the columns say."""
    told: frozenset[str] = frozenset()
    """Values that the only column has: where it says "safe" of some, an empty cell says nothing."""
    unclear: dict[str, int] = field(default_factory=dict)
    """Values that cannot be told → the line of the first."""

    def of(self, row: Row) -> tuple[str, ...] | None:
        """Return a row's categories, `HARMFUL` where none is known; None: nobody labelled it."""
        if self.every:
            return self._whole(row) if self.every == "harmful" else ()
        if len(self.columns) > 1:
            return self._by_column(row)
        column = self.columns[0]
        own, inverse = self.kinds.get(column), _plain(column) in INVERSE
        cell = row.values.get(column, "").strip()
        if not cell and not self.harmful and any(one in HARMLESS for one in self.told):
            return None
        found = list[str]()
        for value in (part.strip() for part in cell.split(",")):
            bad = self._is_harmful(value, column) if value else False
            if bad is None:
                self.unclear.setdefault(value, row.line)
            elif bad is not inverse and value:
                found.append(str(own or (None if inverse else _KIND.get(_plain(value))) or HARMFUL))
        return tuple(dict.fromkeys(found))

    def check(self, table: Table) -> None:
        """Raise where it cannot be told what some labels mean.

        Raises:
            SuiteDataError: names the first with its line, and the remedy.
        """
        if self.unclear:
            value, line = next(iter(self.unclear.items()))
            every = list(dict.fromkeys(_short(row.values.get(self.columns[0], "")) for row in table.rows))
            shown = ", ".join(map(repr, every[:12])) + (" …" if len(every) > 12 else "")  # noqa: PLR2004
            raise SuiteDataError(
                f"is {_short(value)!r} in {self.columns[0]!r} harmful? its values are {shown}; name the "
                "harmful ones with --harmful A,B (also 'a*', '>=3'), another column with --label, or say "
                "--all harmful",
                table.file,
                line,
            )

    def _whole(self, row: Row) -> tuple[str, ...]:
        """The categories of a row that is harmful, as far as its columns or their values name them."""
        names = [part for column in self.columns for part in row.values.get(column, "").split(",")]
        known = [str(_KIND[_plain(name)]) for name in names if _plain(name) in _KIND]
        own = [str(kind) for kind in self.kinds.values()]
        return tuple(dict.fromkeys(known or own or [HARMFUL]))

    def _by_column(self, row: Row) -> tuple[str, ...] | None:
        cells = {column: row.values.get(column, "").strip() for column in self.columns}
        numbers = [_number(cell) for cell in cells.values()]
        if not self.harmful and all(number is not None and number < 0 for number in numbers):
            return None
        on = [column for column, cell in cells.items() if self._is_on(column, cell)]
        return tuple(dict.fromkeys(str(self.kinds.get(column, HARMFUL)) for column in on))

    def _is_on(self, column: str, cell: str) -> bool:
        if self.harmful:
            return any(_fits(cell, one) for one in self.harmful)
        number = _number(cell)
        on = number >= HALF if number is not None else bool(cell) and cell.casefold() not in HARMLESS
        return on is not (_plain(column) in INVERSE)

    def _is_harmful(self, value: str, column: str) -> bool | None:
        """Tell what a label means, before its column is looked at; None: it cannot be told."""
        plain, number = value.casefold(), _number(value)
        if self.harmful:
            return any(_fits(value, one) for one in self.harmful) is not (_plain(column) in INVERSE)
        if CONTRAST + plain in self.told:
            return False
        if plain in HARMLESS or (number is not None and 0 <= number < HALF):
            return False
        negated = _NOT.fullmatch(plain)
        if negated and negated[1] in {*PLAIN, *_KIND, "harm"}:
            return False
        if plain in PLAIN or plain == column.casefold() or (number is not None and HALF <= number <= 1):
            return True
        if _plain(value) in _KIND or (plain.startswith(CONTRAST) and plain[len(CONTRAST) :] in self.told):
            return True
        last = plain.rpartition("_")[2]
        if last in _LAST and not negated:
            return last in PLAIN
        return None


def labels_of(
    table: Table,
    text: str,
    *,
    label: str = "",
    harmful: Sequence[str] = (),
    category: str = "",
    every: Every = "",
    of_responses: bool = False,
) -> Labels:
    """Find out which columns are labels, and what they mean.

    Args:
        table: the set.
        text: column of the texts.
        label: columns of the labels, several with commas between; empty: guessed.
        harmful: values of the label that mean harmful; empty: guessed.
        category: of the policy, for which the label's harmful values stand; empty: any.
        every: what all texts are.
        of_responses: the texts are what was answered.

    Raises:
        SuiteDataError: no column can be told to hold labels.
    """
    named = [table.column(name, (), "the labels", "--label") for name in label.split(",")] if label else []
    own = Category(category) if category else None
    patterns = tuple(harmful)
    if every:
        kinds = {"": own} if own else {}
        return Labels(tuple(named), f"all texts are taken for {every}", kinds, patterns, every)
    sure = table.guess(OF_RESPONSES if of_responses else OF_PROMPTS)
    others = [column for column in named or table.columns if column != text]
    kinds = {column: kind for column in others if (kind := _kind_of_column(column))}
    of_harm = [column for column in others if column in kinds or _plain(column) in OVERALL]
    flags = {column.rpartition(".")[0] for column in kinds if "." in column}
    of_harm += [one for one in others if one.rpartition(".")[0] in flags - {""} and one not in of_harm]
    if len(named) > 1 or (not named and not sure and kinds and len(of_harm) > 1):
        columns = tuple(named or of_harm)
        how = "labels by column: " + ", ".join(f"{one} as {kinds.get(one, HARMFUL)}" for one in columns)
        return Labels(columns, how, kinds, patterns)
    column = named[0] if named else sure or table.guess([*LABEL_NAMES, *_KIND])
    if not column and _is_contrast(table):
        column = table.guess(("type",))
    if not column:
        raise SuiteDataError(
            f"no column tells harmful from harmless; there are: {', '.join(table.columns[:20])}; name it "
            "with --label, or say --all harmful (or harmless) where all texts are of one kind",
            table.file,
            1,
        )
    if own is not None:
        kinds[column] = own
    told = frozenset(row.values.get(column, "").strip().casefold() for row in table.rows)
    return Labels((column,), f"labels from {column!r}", kinds, patterns, told=told)


def _is_contrast(table: Table) -> bool:
    """Tell whether a column `type` pairs every kind of harmless text with a harmful one."""
    column = table.guess(("type",))
    types = {row.values.get(column, "").strip().casefold() for row in table.rows}
    return any(one.startswith(CONTRAST) for one in types) and any(CONTRAST + one in types for one in types)


def _kind_of_column(name: str) -> Category | None:
    """The category that a column stands for; of several names between commas the first known one."""
    last = _plain(name.rpartition(".")[2])
    parts = [last, *last.split(",")]
    return next((_KIND[part] for part in parts if part in _KIND), None)


def _fits(value: str, wanted: str) -> bool:
    """Tell whether a value is one that was named: "toxic", "contrast_*", ">=3"."""
    bound, number = _BOUND.fullmatch(wanted.strip()), _number(value)
    if bound:
        return number is not None and _ORDER[bound[1]](number, float(bound[2]))
    return fnmatchcase(value.strip().casefold(), wanted.strip().casefold())


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"  # noqa: PLR2004
