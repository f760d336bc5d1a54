"""JSON and JSON Lines: questions with answers, or articles, in the shapes that exports have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from knowledge.document import Document
from knowledge.errors import DocumentError
from knowledge.readers.encoding import decode
from knowledge.readers.given import Given, document
from knowledge.readers.table import TEXT, is_faq, record_section, text_of

MOST_DEPTH = 12
"""Lists and objects within each other; exports nest two or three."""


def read(given: Given) -> Document:
    """Read a JSON file or one of JSON lines.

    Raises:
        DocumentError: it is not JSON, or nothing in it is a question with an answer or an article.
    """
    text = decode(given.data, given.source, given.charset).lstrip("\ufeff")
    try:
        values = _values(text, given)
        records = [record for value in values for record in _records(value, 0)]
    except RecursionError:
        raise DocumentError(f"{given.source}: nested too deep; export a plain list of entries") from None
    faq = bool(records) and sum(is_faq(list(record)) for record in records) * 2 >= len(records)
    sections = [
        section
        for at, record in enumerate(records, start=1)
        if (section := record_section(record, is_faq(list(record)), f"entry-{at}"))
    ]
    if not sections:
        raise DocumentError(
            f'{given.source}: no entries found; write a list of {{"question": …, "answer": …}} objects'
        )
    title = next((text_of(v.get("title")) for v in values if isinstance(v, Mapping) and len(values) == 1), "")
    if len(sections) == 1 and not faq:
        return document(given, sections, title=sections[0].heading or given.stem)
    return document(given, sections, title=title or given.stem, kind="faq" if faq else "article")


def _values(text: str, given: Given) -> list[Any]:
    if given.suffix == ".json":
        try:
            return [json.loads(text)]
        except json.JSONDecodeError as error:
            first = error
    else:
        first = None
    values = []
    for number, line in enumerate(text.split("\n"), start=1):  # texts may hold other ends of lines
        if line.strip():
            try:
                values.append(json.loads(line))
            except json.JSONDecodeError as error:
                wrong, at = (first, first.lineno) if first else (error, number)
                raise DocumentError(
                    f"{given.source}: not JSON at line {at} ({wrong.msg}); mend that line"
                ) from None
    return values


def _records(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Yield what may be entries, from the outside in."""
    if depth > MOST_DEPTH:
        raise RecursionError
    if isinstance(value, list):
        for item in value:
            yield from _records(item, depth + 1)
    elif isinstance(value, dict):
        messages = value.get("messages") or value.get("conversations")
        if isinstance(messages, list) and messages and isinstance(messages[0], dict):
            yield from _exchange(messages)
        elif isinstance(value.get("responses"), list) and isinstance(value.get("patterns"), list):
            yield {"question": value["patterns"], "answer": value["responses"][:1], "tags": value.get("tag")}
        elif is_faq(list(value)):
            yield value
        elif any(
            isinstance(inner, list) and inner and isinstance(inner[0], dict) for inner in value.values()
        ):
            # What stands beside a list of entries describes the file.
            for inner in value.values():
                if isinstance(inner, list | dict):
                    yield from _records(inner, depth + 1)
        elif any(str(name).lower() in TEXT for name in value if value[name]):
            yield value
        elif any(isinstance(inner, list | dict) for inner in value.values()):
            for inner in value.values():
                if isinstance(inner, list | dict):
                    yield from _records(inner, depth + 1)
        elif _maps_questions(value):
            yield from ({"question": name, "answer": answer} for name, answer in value.items())
        else:
            yield value


def _exchange(messages: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield the first question and answer of a conversation, as fine-tuning data has them."""
    said = [
        (str(one.get("role") or one.get("from") or ""), text_of(one.get("content") or one.get("value")))
        for one in messages
        if isinstance(one, dict)
    ]
    question = next((text for role, text in said if role in ("user", "human")), "")
    answer = next((text for role, text in said if role in ("assistant", "gpt", "bot")), "")
    if question and answer:
        yield {"question": question, "answer": answer}


def _maps_questions(value: Mapping[str, Any]) -> bool:
    texts = [isinstance(answer, str) for answer in value.values()]
    asking = sum(name.rstrip().endswith(("?", "？")) for name in value)
    return bool(texts) and all(texts) and asking * 2 > len(texts)
