"""A desk made of ABCD's guidelines: what it cites and does when customers' turns are replayed to it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from agent.desk import Desk
from evals.replay.desk import DeskUnderTest
from evals.replay.text import replay_text
from evals.suites.abcd import Abcd, scripts_of
from evals.suites.abcd_values import same_values
from evals.suites.figures import Found, Tick, share
from evals.suites.generated import Model, action_of, write_desk


def measure_abcd_desk(
    data: Abcd, found: Found, *, model: Model | None = None, tick: Tick = lambda *_: None
) -> None:
    """Replay the conversations to a desk, and add to what was found.

    Args:
        data: of `abcd.read_abcd`.
        found: of `abcd.measure_abcd`.
        model: that answers; None: the embedded engines.
        tick: told how far it is.
    """
    flows, taken, with_values = list[bool](), list[bool](), list[bool]()
    scripts = scripts_of(data.conversations)
    conversations = [one for one in data.conversations if one.said]
    with (
        tempfile.TemporaryDirectory(prefix="visavis-abcd-") as scratch,
        DeskUnderTest(desk_of(data, Path(scratch) / "desk", model)) as under,
    ):
        for number, (one, script) in enumerate(zip(conversations, scripts, strict=True)):
            record = replay_text(under, script)
            cited = [
                each["source"] for turn in record.turns for said in turn.sentences for each in said.citations
            ]
            sources = [
                source.partition("#")[0] for source in cited if source.partition("#")[0].endswith(".md")
            ]
            flows.append(sources[:1] == [f"{one.intent}.md"])
            calls = [call for turn in record.turns for call in turn.tools if not call.failed]
            for pressed in one.pressed:
                alike = [call for call in calls if call.tool == pressed.button.replace("-", "_")]
                taken.append(bool(alike))
                with_values.append(any(same_values(_texts(call.arguments), pressed.values) for call in alike))
            tick(number + 1, len(scripts))
    found.figures |= {
        "desk_intent": share(flows), "desk_b_slot": share(taken), "desk_action": share(with_values),
    }  # fmt: skip
    answers = f"answers with {model.name}" if model else "answers without a language model"
    found.notes.append(
        "desk_…: a desk made of the guidelines hears the customer's turns as they were said, whatever it "
        f"says itself, and {answers}; desk_intent: what it cites first is the right subflow"
    )


def desk_of(data: Abcd, folder: Path, model: Model | None = None) -> Desk:
    """Write the desk: a document for each subflow, an action for each button that takes something."""
    pressed = [each for one in data.conversations for each in one.pressed]
    actions = []
    for button, kinds in data.values.slots.items():
        seen = [dict(zip(kinds, each.values, strict=False)) for each in pressed if each.button == button]
        told = "; ".join(
            dict.fromkeys(
                text.split("\n", 1)[0].removeprefix("# ")
                for intent, text in data.guidelines.items()
                if button in data.buttons.get(intent, ())
            )
        )
        name = button.replace("-", " ").capitalize()
        actions.append(action_of(button, seen, f"{name}. Used in: {told[:300]}." if told else f"{name}."))
    return write_desk(
        folder,
        "AcmeBrands",
        documents={f"{intent}.md": text for intent, text in data.guidelines.items()},
        actions=actions,
        model=model,
    )


def _texts(arguments: dict[str, str]) -> Sequence[str]:
    return [value for value in arguments.values() if value]
