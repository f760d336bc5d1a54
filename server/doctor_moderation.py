"""What `visavis doctor` finds of a desk's guard: engines that may fail are asked one sentence."""

from __future__ import annotations

import time

from agent.desk import Desk
from moderation import Direction, Guard
from moderation.panel import Engine
from moderation.policy_lines import at
from server.finding import Finding

ASKED = "Where is my order?"
"""A sentence that harms nobody; it holds nothing of a visitor's."""


def find_moderation(desk: Desk) -> Finding:
    """Open the guard, and have each engine that may fail judge a sentence."""
    guard = desk.guard()
    where = str(desk.policy_file or "the default policy")
    said: list[str] = []
    faults: list[str] = []
    for engine in guard.engines:
        if engine.inline:
            continue
        began = time.perf_counter()
        try:
            engine.ask([ASKED], Direction.INPUT)
        except Exception as error:  # whatever an engine raises, it does not judge
            faults.append(f"{_setting(guard, engine)}: {engine.name} does not judge: {error}")
            continue
        took_ms = (time.perf_counter() - began) * 1e3
        said.append(f"{engine.name} answers in {took_ms:.0f} ms")
        if took_ms > engine.budget_s * 1e3:
            faults.append(f"{engine.name} may take {engine.budget_s * 1e3:.0f} ms; raise its budget_ms")
    if faults and (closed := guard.policy.engines.closed):
        faults.append(f"meanwhile doubt counts against a text in {', '.join(closed)}")
    return Finding(
        "moderation",
        not faults,
        guard.engine,
        "; ".join((where, *said)),
        "; ".join(faults),
        f"start that server, mend the address in {where}, or remove its table there" if faults else "",
    )


def _setting(guard: Guard, engine: Engine) -> str:
    settings = guard.policy.engines
    table = ("engines", "onnx", engine.name) if engine.name in settings.onnx else ("engines", engine.name)
    key = "path" if engine.name in settings.onnx else "base_url"
    return at(guard.policy.source, (*table, key))
