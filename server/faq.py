"""FAQ entries to be filled in, in the forms that `visavis learn` reads; what has no answer is not learnt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from server.boundary import UsageError
from server.printable import printable
from server.unanswered import Matter

SUFFIXES = (".md", ".jsonl")
HEADING_CHARS = 200
_WORDS = {
    "en": {
        "title": "Questions that visitors asked",
        "how": "Write the answer under each question, delete the questions that need none, then run:",
        "rest": "What has no answer is not learnt.",
        "asked": "asked {times} times by {visitors} visitors, last on {last}: {kinds}",
        "also": "also asked:",
        "said": "was answered:",
        "abstained": "not known",
        "handoff": "passed on",
        "clarified": "asked back",
        "low_rated": "rated low",
    },
    "zh": {
        "title": "访客问过的问题",
        "how": "请在每个问题下面写答案，不需要的问题请删掉，然后运行：",
        "rest": "没有答案的问题不会被学习。",
        "asked": "{visitors} 位访客问过 {times} 次，最近一次 {last}：{kinds}",
        "also": "还这样问：",
        "said": "曾回答：",
        "abstained": "不知道",
        "handoff": "转人工",
        "clarified": "反问",
        "low_rated": "差评",
    },
}


def write_faq(file: Path, found: Sequence[Matter], desk: str) -> list[Path]:
    """Write entries to be filled in; in Markdown a file for each language.

    Args:
        file: whose suffix says the form: Markdown or JSON lines.
        found: what was asked.
        desk: as the command that learns them names it.

    Returns:
        The files that were written.

    Raises:
        UsageError: the suffix is another, or a file is there already.
        OSError: they cannot be written.
    """
    check(file)
    if file.suffix.lower() == ".jsonl":
        written = {file: "".join(_line(one) for one in found)}
    else:
        times: dict[str, int] = {}
        for one in found:
            times[one.language] = times.get(one.language, 0) + one.times
        written = {}
        for number, language in enumerate(sorted(times, key=lambda each: -times[each])):
            target = file if number == 0 else file.with_name(f"{file.stem}.{language}{file.suffix}")
            written[target] = _markdown([one for one in found if one.language == language], target, desk)
    for target in written:
        check(target)
    for target, text in written.items():
        with target.open("x", encoding="utf-8") as opened:
            opened.write(text)
    return list(written)


def check(file: Path) -> None:
    """See that a file may be written.

    Raises:
        UsageError: it is of another kind, or there already.
    """
    if file.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--faq writes Markdown or JSON lines; name the file {file.with_suffix('.md').name}")
    if file.exists():
        raise UsageError(f"{file} is there already, perhaps with answers; choose another name")
    if not file.parent.is_dir():
        raise UsageError(f"{file.parent} is no folder; make it, or choose another place")


def told_kinds(one: Matter, language: str = "en") -> str:
    """Return why a question stands in the list: "not known 4, rated low 1"."""
    words = _WORDS[language]
    return ("，" if language == "zh" else ", ").join(f"{words[kind]} {n}" for kind, n in one.kinds.items())


def day_of(at: float) -> str:
    """Return a time's day, ISO 8601, UTC."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _markdown(found: Iterable[Matter], file: Path, desk: str) -> str:
    found = list(found)
    language = found[0].language if found[0].language in _WORDS else "en"
    words = _WORDS[language]
    parts = [
        f"---\ntitle: {words['title']}\nkind: faq\nlanguage: {language}\n---",
        f"# {words['title']}",
        f"<!-- {words['how']} visavis learn {_remark(desk)} {_remark(str(file))}\n{words['rest']} -->",
    ]
    for one in found:
        kinds = told_kinds(one, language)
        asked = words["asked"].format(
            times=one.times, visitors=one.visitors, last=day_of(one.last), kinds=kinds
        )
        remarks = [asked]
        if one.phrasings:
            remarks.append(f"{words['also']} {' | '.join(_remark(each) for each in one.phrasings)}")
        remarks += [f"{words['said']} {_remark(each)}" for each in one.answers]
        if one.sources:
            remarks[-1] += f" ({_remark(', '.join(one.sources))})"
        parts += [f"## {_heading(one.question)}", "<!-- " + "\n".join(remarks) + " -->"]
    return "\n\n".join(parts) + "\n"


def _line(one: Matter) -> str:
    entry = {
        "question": _heading(one.question),
        "similar_questions": [_heading(each) for each in one.phrasings],
        "answer": "",
        "language": one.language,
    }
    return json.dumps(entry, ensure_ascii=False) + "\n"


def _heading(text: str) -> str:
    """Return a visitor's words as a heading: one line, no markup."""
    plain = " ".join(re.sub(r"[<>`*_|\\\[\]]+|^[#\s>-]+|[#\s]+$", " ", printable(text)).split())
    return plain[:HEADING_CHARS] or "?"


def _remark(text: str) -> str:
    """Return words that end no comment."""
    return " ".join(re.sub(r"[<>]+|-{2,}", " ", printable(text)).split())
