"""ABCD: which button an agent pressed next in recorded conversations, foretold from the guidelines.

The published figures of Action State Tracking, with the guidelines as the only knowledge and nothing learnt:

* Intent: the subflow whose guidelines the search finds for what the customer said so far.
* B-Slot: the next button of that subflow's list that was not pressed yet; also with the right subflow given.
* Value: what that button is given, found in the customer's words.
* Action: button and values together.

Beside them, the customer's turns are replayed to a desk made of the guidelines, with the buttons as actions.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.retrieval import knowledge_of
from evals.scripts import Script, Turn
from evals.scripts.expectations import ConversationExpectation, ToolCall
from evals.suites.abcd_values import Values, same_values
from evals.suites.exporting import script_id
from evals.suites.figures import Found, SuiteDataError, Tick, macro_and_weighted_f1, share
from evals.suites.tables import read_json, read_text

LEAST_WORDS = 3
"""A customer's turn with fewer says hello or yes; the search is asked from the first longer one on."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button that the agent pressed, and what the customer had said by then."""

    conversation: str
    intent: str
    button: str
    values: tuple[str, ...]
    said: tuple[str, ...]
    before: tuple[str, ...]
    """Buttons that were pressed before."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One recorded conversation."""

    id: str
    flow: str
    intent: str
    """The subflow, as the ontology names it."""
    said: tuple[str, ...]
    """By the customer, what they said in a row together."""
    pressed: tuple[Pressed, ...]
    other: int
    """Steps of the agent that press no button: replies, and the end."""


@dataclass(frozen=True, slots=True)
class Abcd:
    """A folder of the data set."""

    conversations: tuple[Conversation, ...]
    guidelines: dict[str, str]
    """Subflow → what agents are told to do in it."""
    buttons: dict[str, tuple[str, ...]]
    """Subflow → its buttons, in order."""
    values: Values


def read_abcd(folder: Path, *, split: str = "", limit: int | None = None) -> Abcd:
    """Read guidelines.json, kb.json, ontology.json and the conversations of a folder.

    Args:
        folder: of the data set.
        split: "train", "dev" or "test" of a file that has them; empty: test.
        limit: at most so many conversations.

    Raises:
        SuiteDataError: a file is missing or not as the data set has it.
    """
    if not folder.is_dir():
        raise SuiteDataError(
            "no folder; give the one with guidelines.json, kb.json and ontology.json", folder
        )
    ontology, kb = read_json(folder / "ontology.json"), read_json(folder / "kb.json")
    try:
        texts = _guidelines(read_json(folder / "guidelines.json"), ontology["intents"]["subflows"])
        values = Values.of(ontology)
        buttons = {intent: tuple(names) for intent, names in kb.items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise SuiteDataError(
            f"guidelines, kb or ontology are not as ABCD has them ({type(error).__name__}: {error})",
            folder,
        ) from error
    file = _conversations_file(folder)
    items = _items(file, split)[:limit]
    conversations = tuple(_conversation(file, item, texts) for item in items)
    return Abcd(conversations, texts, buttons, values)


def measure_abcd(data: Abcd, *, tick: Tick = lambda *_: None) -> Found:
    """Foretell every button."""
    found = Found("abcd")
    steps = [(one, pressed) for one in data.conversations for pressed in one.pressed]
    texts = list(data.guidelines.items())
    first = list[bool]()
    with knowledge_of(texts) as base:

        def subflows(said: Sequence[str]) -> list[str]:
            told = [text for text in said if len(text.split()) >= LEAST_WORDS] or list(said)
            passages = base.search(" ".join(told), k=5) if told else []
            return list(dict.fromkeys(passage.id for passage in passages))

        for one in data.conversations:
            opening = next((text for text in one.said if len(text.split()) >= LEAST_WORDS), "")
            first.append(bool(opening) and subflows([opening])[:1] == [one.intent])
        for number, (one, pressed) in enumerate(steps):
            guessed = subflows(pressed.said)
            intent = guessed[0] if guessed else ""
            button = _next(data, intent, pressed.before)
            told = data.values.find(pressed.button, pressed.said)
            right = button == pressed.button
            values_right = same_values(told, pressed.values)
            found.rows.append(
                {"conversation": one.id, "intent": one.intent, "given_intent": intent,
                 "intent_right": int(intent == one.intent), "intent_in_5": int(one.intent in guessed),
                 "button": pressed.button, "given_button": button, "button_right": int(right),
                 "button_right_known_intent": int(_next(data, one.intent, pressed.before) == pressed.button),
                 "values": "; ".join(pressed.values), "given_values": "; ".join(told),
                 "values_right": int(values_right), "action_right": int(right and values_right)}
            )  # fmt: skip
            tick(number + 1, len(steps))
    rows = found.rows
    found.figures |= {
        "conversations": len(data.conversations), "actions": len(rows),
        "intent_first_request": share(first),
        "intent": share([row["intent_right"] for row in rows]),
        "intent_in_5": share([row["intent_in_5"] for row in rows]),
        "b_slot": share([row["button_right"] for row in rows]),
        "b_slot_known_intent": share([row["button_right_known_intent"] for row in rows]),
        "value": share([row["values_right"] for row in rows if row["values"]]),
        "action": share([row["action_right"] for row in rows]),
        "b_slot_f1": macro_and_weighted_f1(
            [row["button"] for row in rows], [row["given_button"] for row in rows]
        )[1],
    }  # fmt: skip
    for button in sorted({row["button"] for row in rows}):
        part = [row for row in rows if row["button"] == button]
        found.parts.setdefault("buttons", {})[button] = {
            "pressed": len(part), "b_slot": share([row["button_right"] for row in part]),
            "value": share([row["values_right"] for row in part]),
        }  # fmt: skip
    found.not_measured["next step, utterance recall, cascading score"] = (
        "when an agent presses a button, and which of 100 replies follows, is learnt from the training "
        "conversations"
    )
    found.notes.append(
        "b_slot, value and action are those of Action State Tracking, with nothing learnt: guidelines are "
        "found by search; value counts buttons that take one; "
        f"{sum(one.other for one in data.conversations)} steps without a button are left out"
    )
    return found


def scripts_of(conversations: Iterable[Conversation]) -> list[Script]:
    """Return the conversations as scripts: the customer's turns, and the buttons that were pressed."""
    return [
        Script(
            id=script_id("abcd", one.id),
            title=f"ABCD conversation {one.id}: {one.flow}, {one.intent}",
            tags=("abcd", f"flow:{one.flow}", f"subflow:{one.intent}"),
            turns=tuple(Turn(user=text) for text in one.said),
            expect=ConversationExpectation(
                tools=tuple(
                    ToolCall(name=re.sub(r"\W", "_", name), times=times)
                    for name, times in _counted(one).items()
                )
                or None
            ),
        )
        for one in conversations
        if one.said
    ]


def _counted(one: Conversation) -> dict[str, int]:
    names = [pressed.button for pressed in one.pressed]
    return {name: names.count(name) for name in dict.fromkeys(names)}


def _next(data: Abcd, intent: str, before: Sequence[str]) -> str:
    """The first button of a subflow that was not pressed yet; its last where all were."""
    left = [button for button in data.buttons.get(intent, ()) if button not in before]
    return left[0] if left else (data.buttons.get(intent) or ("",))[-1]


def _guidelines(told: dict[str, Any], intents: dict[str, list[str]]) -> dict[str, str]:
    """Subflow as the ontology names it → its guidelines; flows and subflows are matched by their words."""
    found: dict[str, str] = {}
    for flow, subflows in intents.items():
        title = max(told, key=lambda name: _alike(name, flow))
        parts = told[title]["subflows"]
        names = list(parts)
        for place, intent in enumerate(subflows):
            same_place = names[place] if len(names) == len(subflows) else ""
            name = max(names, key=lambda one: (_alike(one, intent), one == same_place))  # noqa: B023
            if same_place and _alike(name, intent) == _alike(same_place, intent):
                name = same_place
            lines = [*parts[name].get("instructions", [])]
            for action in parts[name].get("actions", []):
                lines += [action["text"], *action.get("subtext", [])]
            lines = [re.sub(r"\[[^\]]*\]", "", line) for line in lines]
            found[intent] = f"# {title}: {name}\n\n{told[title].get('description', '')}. " + " ".join(lines)
    return found


def _alike(name: str, other: str) -> float:
    a, b = (set(re.findall(r"[a-z0-9]+", one.casefold())) for one in (name, other))
    return len(a & b) / max(len(a | b), 1)


def _conversations_file(folder: Path) -> Path:
    for pattern in ("abcd_v*.json", "abcd_v*.json.gz", "abcd*.json", "abcd*.json.gz"):
        there = sorted(folder.glob(pattern))
        if there:
            return there[-1]
    raise SuiteDataError(
        "holds no conversations: abcd_v1.1.json, abcd_v1.1.json.gz or abcd_sample.json", folder
    )


def _items(file: Path, split: str) -> list[Any]:
    if file.suffix == ".gz":
        try:
            document = json.loads(gzip.decompress(file.read_bytes()))
        except (OSError, EOFError, ValueError) as error:
            raise SuiteDataError("not JSON packed by gzip; fetch it again", file) from error
    else:
        document = json.loads(read_text(file)) if file.stat().st_size else None
    if isinstance(document, dict):
        name = split or ("test" if "test" in document else next(iter(document), ""))
        if name not in document:
            raise SuiteDataError(f"has no split {name!r}; there are: {', '.join(document)}", file)
        document = document[name]
    if not isinstance(document, list) or not document:
        raise SuiteDataError("holds no list of conversations; fetch it again", file)
    return document


def _conversation(file: Path, item: Any, guidelines: dict[str, str]) -> Conversation:
    try:
        id_, scenario = str(item["convo_id"]), item["scenario"]
        words, steps = item["original"], item["delexed"]
        aligned = len(words) == len(steps)
        intent = next((step["targets"][0] for step in steps if step["targets"][0] in guidelines), "")
        said, told, pressed, other = list[str](), list[str](), list[Pressed](), 0
        last = ""
        for place, step in enumerate(steps):
            speaker, targets = step["speaker"], step["targets"]
            text = (words[place][1] if aligned else step["text"]).strip()
            if speaker == "customer":
                told.append(text)
                if last == "customer" and said:
                    said[-1] = f"{said[-1]} {text}"
                else:
                    said.append(text)
            elif targets[1] == "take_action":
                before = tuple(one.button for one in pressed)
                pressed.append(
                    Pressed(id_, intent, targets[2], tuple(map(str, targets[3])), tuple(told), before)
                )
            elif targets[1]:
                other += 1
            last = speaker
        return Conversation(id_, str(scenario["flow"]), intent, tuple(said), tuple(pressed), other)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        name = item.get("convo_id", "?") if isinstance(item, dict) else "?"
        raise SuiteDataError(
            f"conversation {name} is not as ABCD has it ({type(error).__name__}: {error}); fetch it again",
            file,
        ) from error
