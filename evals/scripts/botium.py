"""Botium's conversations: `.convo.txt` with sections #me and #bot, and lists of utterances beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evals.scripts.draft import Draft, one_line
from evals.scripts.errors import ScriptError

MOST_VARIANTS = 20
"""Scripts that one conversation becomes where its visitor's words are lists of utterances."""
INCLUDE = "INCLUDE "
"""Names a partial conversation within a section, after whose other lines it stands."""
MOST_DEPTH = 5
"""Partial conversations within each other."""
_SECTION = re.compile(r"#([A-Za-z]\w*)\s*(.*)")
_TEXT_ASSERTER = re.compile(r"TEXT(?:_(CONTAINS|EQUALS|REGEXP|WILDCARD(?:_?EXACT)?))?(?:_(ANY|ALL))?(?:_IC)?")
_BAR = re.compile(r"(?<!\\)\|")
_CALL = re.compile(r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)(?:[ \t]+(.*))?")
_VARIABLE = re.compile(r"\$\{?[A-Za-z_]\w*(?:\([^)]*\))?\}?")
_OTHERS = re.compile(
    r"BUTTONS?|MEDIA|CARDS?|FORMS?|INTENT(?:_\w+)?|ENTIT\w+|JSON_PATH\w*|RESPONSE_LENGTH|HYPERLINK|LINK|INCLUDE"
    r"|CONDITIONAL_\w+|\w+_SCRIPTING_MEMORY|UPDATE_CUSTOM|ORDERED_LIST_TO_BUTTON|WAITFORBOT|NOT_EMPTY"
)
"""Asserters, inputs and hooks of Botium's that have no counterpart here."""


@dataclass(slots=True)
class _Section:
    """What follows a line "#me", "#bot" …"""

    who: str
    line: int
    lines: list[tuple[int, str]] = field(default_factory=list)
    """Number, from 1, and text."""


@dataclass(slots=True)
class _Convo:
    """A conversation while it is taken over."""

    file: str
    utterances: Mapping[str, Sequence[str]]
    left_out: dict[str, None]
    variant: int
    draft: Draft
    pause_s: float | None = None

    def leave_out(self, line: int, what: str) -> None:
        """Tell what was not taken over."""
        self.left_out[f"{self.file}:{line}: {what}"] = None


def read_convo(file: Path, left_out: list[str]) -> list[Draft]:
    """Read a conversation; a list of utterances in the visitor's place makes a script of each utterance.

    Args:
        file: `.convo.txt`; utterances are looked for in the `.utterances.txt` of its folder.
        left_out: takes what was not taken over, with its line.

    Raises:
        ScriptError: it is no text, or has no section "#me".
    """
    title, sections = _sections(_text(file))
    partial = dict(_sections(_text(one)) for one in sorted(file.parent.glob("*.pconvo.txt")))
    sections = _included(sections, partial, MOST_DEPTH)
    if not any(one.who == "me" for one in sections):
        raise ScriptError('no section "#me": nobody says anything', file, 1)
    utterances = _utterances(file.parent)
    told = dict[str, None]()
    lists = [
        len(utterances[text])
        for one in sections
        if one.who == "me"
        for _, text in one.lines
        if text in utterances
    ]
    variants = max(lists, default=1)
    if variants > MOST_VARIANTS:
        told[
            f"{file.name}:1: {variants - MOST_VARIANTS} of {variants} utterances: no more scripts are made"
        ] = None
    name = file.name[: -len(".convo.txt")]
    drafts = list[Draft]()
    for variant in range(min(variants, MOST_VARIANTS)):
        head = {"title": title} if title else {}
        draft = Draft(name if variants == 1 else f"{name}-{variant + 1}", f"{file.name}:1", head)
        convo = _Convo(file.name, utterances, told, variant, draft)
        for section in sections:
            _take(convo, section)
        drafts.append(draft)
    left_out += told
    return drafts


def _text(file: Path) -> str:
    from knowledge.errors import DocumentError
    from knowledge.readers.encoding import decode

    try:
        return decode(file.read_bytes(), file.name)
    except DocumentError as error:
        raise ScriptError(str(error).removeprefix(f"{file.name}: "), file) from None


def _sections(text: str) -> tuple[str, list[_Section]]:
    """Return the conversation's name, and its sections."""
    sections, head = list[_Section](), list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        found = _SECTION.fullmatch(line.strip())
        if found:
            sections.append(_Section(found[1].lower(), number))
            if found[2]:
                sections[-1].lines.append((number, found[2].strip()))
        elif line.strip() and sections:
            sections[-1].lines.append((number, line.strip()))
        elif line.strip():
            head.append(line.strip())
    return (head[0] if head else ""), sections


def _included(
    sections: Sequence[_Section], partial: Mapping[str, Sequence[_Section]], depth: int
) -> list[_Section]:
    """Return sections with the partial conversations that they name in their place, where those are known."""
    found = list[_Section]()
    for one in sections:
        lines = list[tuple[int, str]]()
        inner = list[_Section]()
        for number, text in one.lines:
            name = text if one.who == "include" else text.removeprefix(INCLUDE) if INCLUDE in text else ""
            if name.strip() in partial and depth:
                inner += [_Section(each.who, one.line, each.lines) for each in partial[name.strip()]]
            else:
                lines.append((number, text))
        if lines or not inner and one.who not in ("begin", "end"):
            found.append(_Section(one.who, one.line, lines))
        found += _included(inner, partial, depth - 1)
    return found


def _utterances(folder: Path) -> dict[str, list[str]]:
    """Return the lists of utterances of a folder, by their names."""
    found = dict[str, list[str]]()
    for file in sorted(folder.glob("*.utterances.txt")):
        lines = [line.strip() for line in _text(file).splitlines() if line.strip()]
        if len(lines) > 1:
            found.setdefault(lines[0], []).extend(lines[1:])
    return found


def _take(convo: _Convo, section: _Section) -> None:
    if section.who == "me":
        _take_words(convo, section)
    elif section.who != "bot":
        what = f" with {one_line(section.lines[0][1])!r}" if section.lines else ""
        convo.leave_out(section.line, f"#{section.who}{what} has no counterpart here")
    elif not convo.draft.turns:
        texts = " ".join(text for _, text in section.lines)
        convo.leave_out(
            section.line, f"what is said before the visitor speaks is not checked: {one_line(texts)!r}"
        )
    else:
        _take_reply(convo, section)


def _take_words(convo: _Convo, section: _Section) -> None:
    said = list[str]()
    for line, text in section.lines:
        if text in convo.utterances:
            options = convo.utterances[text]
            said.append(options[convo.variant % len(options)])
        elif (call := _call(text)) is None:
            if _VARIABLE.search(text):
                convo.leave_out(line, f"the variable in {one_line(text)!r}: write what it stands for")
            said.append(text)
        elif call[0] == "BUTTON" and call[1]:
            said.append(call[1].split("|")[-1])
            convo.leave_out(line, f"{text!r} is said in words")
        elif call[0] == "PAUSE":
            convo.pause_s = _seconds(call[1])
        elif not call[0].startswith("WAITFORBOT"):
            convo.leave_out(line, f"{one_line(text)!r} has no counterpart here")
    if said:
        convo.draft.say(" ".join(said), **({} if convo.pause_s is None else {"pause_s": convo.pause_s}))
        convo.pause_s = None


def _take_reply(convo: _Convo, section: _Section) -> None:
    plain = list[tuple[int, str]]()
    for line, text in section.lines:
        optional, bare = text.startswith(("?", "!?")), text.lstrip("?!")
        negated = text.startswith(("!", "?!")) and bool(bare)
        bare = bare.strip() or text
        call = None if bare in convo.utterances else _call(bare)
        if optional and bare != text:
            convo.leave_out(line, f"{one_line(bare)!r} may be said or not: nothing to check")
        elif call is not None and call[0] == "PAUSE":
            convo.pause_s = _seconds(call[1])
        elif call is not None:
            _assert(convo, line, call, negated=negated)
        elif negated or bare in convo.utterances:
            options = convo.utterances.get(bare, (bare,))
            parts = [part for one in options for part in _literal(convo, line, one)]
            if negated:
                convo.draft.expect("must_not", *parts)
            else:
                convo.draft.expect_any(parts)
        else:
            plain.append((line, text))
    if plain:  # several lines are one message
        text = " ".join(one for _, one in plain)
        if parts := _literal(convo, plain[0][0], text):
            convo.draft.expect("contains", *parts)


def _literal(convo: _Convo, line: int, text: str) -> list[str]:
    """Return the parts of a text between its variables."""
    if not _VARIABLE.search(text):
        return [text]
    convo.leave_out(line, f"the variables in {one_line(text)!r}: only the words between them are looked for")
    parts = (one.strip(" .,:;!?。，") for one in _VARIABLE.split(text))
    return [one for one in parts if len(one) > 2]


def _call(text: str) -> tuple[str, str] | None:
    """Return name and arguments of an asserter, an input or a hook; None: it is a text."""
    found = _CALL.fullmatch(text.lstrip("!"))
    if found is None:
        return None
    name, rest = found[1], found[2] or ""
    known = _OTHERS.fullmatch(name) or name == "PAUSE" or (_TEXT_ASSERTER.fullmatch(name) and rest)
    return (name, rest) if known or ("_" in name and len(name) > 4) else None


def _assert(convo: _Convo, line: int, call: tuple[str, str], *, negated: bool) -> None:
    name, rest = call
    found = _TEXT_ASSERTER.fullmatch(name)
    if found is None:
        what = (
            "is not known here, or the list of utterances is missing"
            if not _OTHERS.fullmatch(name)
            else ("has no counterpart here")
        )
        convo.leave_out(line, f"{one_line(' '.join(call).strip())!r} {what}")
        return
    kind, any_of = found[1] or "CONTAINS", found[2] == "ANY"
    pieces = [one.strip().replace("\\|", "|") for one in _BAR.split(rest) if one.strip()]
    if kind == "REGEXP" and not all(map(_compiles, pieces)):
        pieces = [rest.strip()]  # "(ok|fine)" is one pattern
        if not _compiles(pieces[0]):
            convo.leave_out(line, f"{one_line(rest)!r} is no regular expression")
            return
    options = [part for one in pieces for part in convo.utterances.get(one, [one])]
    if kind.startswith("WILDCARD"):
        options = [".*".join(re.escape(part) for part in one.split("*")) for one in options]
    if kind in ("CONTAINS", "EQUALS"):
        if negated:
            convo.draft.expect("must_not", *options)
        elif any_of:
            convo.draft.expect_any(options)
        else:
            convo.draft.expect("contains", *options)
    elif negated:
        convo.draft.expect("regex", rf"^(?!.*(?:{'|'.join(options)}))")
    else:
        convo.draft.expect("regex", *(["|".join(options)] if any_of else options))


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _seconds(milliseconds: str) -> float | None:
    return int(milliseconds) / 1000 if milliseconds.strip().isdigit() else None
