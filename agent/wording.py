"""What is said of an errand's values: read back digit by digit, and asked about before anything is done."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.phrases import Phrases
from agent.slots import said_one_by_one
from agent.tools import Tool


def read_back(phrases: Phrases, values: Mapping[str, str]) -> str:
    """Return the line that says digits back one by one; empty where there are none."""
    spelt = [said_one_by_one(value) for value in values.values() if re.fullmatch(r"\+?[\d\s-]{3,}", value)]
    return phrases.read_back.replace("{value}", ", ".join(spelt)) if spelt else ""


def confirmation(phrases: Phrases, language: str, tool: Tool, values: Mapping[str, str]) -> str:
    """Return the question whether to run a tool, with its values said one by one."""
    said = {name: said_one_by_one(value) for name, value in values.items()}
    line = tool.confirm.get(language, "")
    if not line:
        what = tool.description.split("\n", 1)[0].rstrip(".") or tool.name.replace("_", " ")
        line = phrases.confirm.replace("{what}", ", ".join([what, *said.values()]))
    return re.sub(r"\{(\w+)\}", lambda name: said.get(name.group(1), name.group()), line)
