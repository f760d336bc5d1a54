"""Results made by hand, of which the tests know what their report must say."""

from __future__ import annotations

from collections.abc import Sequence

from evals.checks import Check
from evals.replay.record import ConversationRecord, MediaRecord, Said, TurnRecord
from evals.results import Result, Results, Run


def turn(
    number: int = 0,
    said: str = "Where is my parcel?",
    reply: str = "It is on its way.",
    *,
    language: str = "en",
    first_sound: float = 400.0,
    **more: object,
) -> TurnRecord:
    made = TurnRecord(
        number,
        said,
        sentences=[Said(reply, language, "happy", 0.5, "answered", [{"source": "en/parcels.md"}])],
        heard_reply=reply,
        answered=True,
        outcome="answered",
        timings_ms={"first_sound": first_sound},
    )
    for name, value in more.items():
        setattr(made, name, value)
    return made


def result(
    script: str = "parcel",
    *,
    passed: bool = True,
    repeat: int = 0,
    error: str = "",
    mode: str = "text",
    tags: Sequence[str] = ("orders",),
    turns: Sequence[TurnRecord] | None = None,
    checks: Sequence[Check] | None = None,
    first_sound: float = 400.0,
    media: MediaRecord | None = None,
    **more: object,
) -> Result:
    made = ConversationRecord(
        script,
        "demo",
        "audio" if mode == "audio" else "text",
        repeat,
        tags=list(tags),
        title="A parcel is late",
        file=f"scripts/{script}.yaml",
        turns=list(turns) if turns is not None else [turn(first_sound=first_sound)],
        media=media,
        lasted_s=10.0,
        took_s=0.5,
        cpu_s=0.5,
        error=error,
    )
    for name, value in more.items():
        setattr(made, name, value)
    usual = (
        Check("answered", True, "", 0, 4),
        Check("contains", passed, "" if passed else 'the reply lacks "Monday"', 0, 7),
    )
    return Result(made, () if error else tuple(checks) if checks is not None else usual)


def results(*those: Result, repeat: int = 1, wrong: Sequence[str] = (), complete: bool = True) -> Results:
    run = Run("demo", "text", repeat, "f", "2026-11-21T21:00:00+00:00", {"voice": "scripted"}, tuple(wrong))
    return Results(run, those, complete)


def suite(
    rates: Sequence[float], *, repeat: int = 1, first_sound: float = 400.0, mode: str = "text"
) -> Results:
    """Return a run of one script for each rate, of whose repeats that share passes, the first ones."""
    return results(
        *(
            result(
                f"s{number}",
                passed=again < round(rate * repeat),
                repeat=again,
                first_sound=first_sound,
                mode=mode,
            )
            for number, rate in enumerate(rates)
            for again in range(repeat)
        ),
        repeat=repeat,
    )
