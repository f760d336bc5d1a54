"""Checks of one turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.sentence import Outcome
from evals.checks.errors_of_words import word_error_rate
from evals.checks.grounding import Grounding
from evals.checks.matching import argument_fits, like, quoted, words_wrong
from evals.replay.record import MISSED, Called, Judged, Said, TurnRecord
from evals.scripts.expectations import ToolCall, TurnExpectation, VerdictGiven
from knowledge.words import language_of
from moderation.verdict import Action

LEAST_LETTERS = 12
"""Of a sentence that is in another language for its letters: a name or "OK" stands in any."""
KEEPS_BACK = (Action.REFUSE.value, Action.ESCALATE.value, Action.END.value)
"""What the guard does with words that it keeps back."""

BROKEN = {
    "engine_failed": "what answers failed, or hung, and the visitor was put off",
    "endless_answer": "what answers came to no end, and was cut off",
    "failed": "the conversation itself failed",
    "hearing_failed": "what hears failed",
    "voice_failed": "what speaks failed",
    "picture_failed": "what draws failed",
}
"""Notices of a desk that is not in order, whatever it says."""
NOT_MET = "there was no reply to break into: it was over, or never began; break in sooner, or ask for more"

Told = Callable[[str, str], None]
"""Takes an expectation's name and what is wrong; "": nothing is."""


def check_turn(
    wanted: TurnExpectation,
    turn: TurnRecord,
    mode: str,
    language: str,
    grounding: Grounding,
    tell: Told,
    *,
    people: bool = False,
) -> None:
    """Compare a turn with what is expected of it.

    Args:
        wanted: by the script.
        turn: what came.
        mode: "text" or "audio"; what cannot be known in it is not looked at.
        language: that the visitor speaks.
        grounding: judges whether sentences are supported.
        tell: told of every expectation.
        people: the company has people who take conversations over.
    """
    answered(wanted, turn, tell)
    for name, wrong in words_wrong(wanted, turn.reply).items():
        tell(name, wrong)
    sources = sources_of(turn)
    if wanted.cites is not None:
        tell("cites", cites_wrong(wanted.cites, sources))
    if wanted.cites_any:
        none = not any(cited(one, sources) for one in wanted.cites_any)
        tell("cites_any", f"{_named(sources)} cited, not {_either(wanted.cites_any)}" if none else "")
    if wanted.outcome:
        outcomes = tuple(one.value for one in wanted.outcome)
        tell("outcome", _unlike(turn.outcome, outcomes, f"; said: {quoted(turn.reply)}"))
    if wanted.tools is not None:
        tell("tools", tools_wrong(wanted.tools, turn.tools))
    if wanted.handoff is not None:
        tell("handoff", handoff_wrong(wanted.handoff, passed_on(turn, people=people)))
    if wanted.refused is not None:
        tell("refused", refused_wrong(wanted.refused, turn.verdicts))
    if wanted.language is not None:
        other = sorted({_language(one) for one in turn.sentences} - {wanted.language})
        tell(
            "language", f"{_named(other)} instead of {wanted.language}: {quoted(turn.reply)}" if other else ""
        )
    if wanted.emotion:
        tell("emotion", _unlike(turn.emotion, wanted.emotion))
    if wanted.visitor_emotion:
        sure = f" (confidence {turn.confidence:.2f})"
        tell("visitor_emotion", _unlike(turn.visitor_emotion, wanted.visitor_emotion, sure))
    if wanted.verdicts is not None:
        tell("verdicts", verdicts_wrong(wanted.verdicts, turn.verdicts))
    for name, most in wanted.within_ms.items():
        tell(f"within_ms.{name}", late(turn.timings_ms.get(name), most))
    course(wanted, turn, tell)
    for name, words, text in (
        ("heard_reply", wanted.heard_reply, turn.heard_reply),
        ("understood", wanted.understood, turn.understood),
        ("cards", wanted.cards, " ".join(f"{card['title']} {card['url']}" for card in turn.cards)),
        ("suggestions", wanted.suggestions, " ".join(turn.suggestions)),
    ):
        for part, wrong in words_wrong(words, text).items() if words is not None else ():
            tell(f"{name}.{part}", wrong)
    if wanted.grounded is not None:
        wrong = grounding.unsupported(turn.sentences)
        tell("grounded", wrong if wanted.grounded else "" if wrong else "every sentence is supported")
    if mode == "audio":
        sound(wanted, turn, language, tell)


def answered(wanted: TurnExpectation, turn: TurnRecord, tell: Told) -> None:
    """A turn is answered, unless nothing is to be said to it."""
    if wanted.silent:
        tell("silent", f"said {quoted(turn.reply)}" if turn.answered else "")
    elif turn.timed_out:
        tell("answered", f"no end of a reply came in time; so far: {quoted(turn.reply)}")
    elif wanted.silent is False or (turn.said and not wanted.resumed):
        tell("answered", "" if turn.answered else "nothing was said to it")
    if broken := [BROKEN[one] for one in dict.fromkeys(turn.notices) if one in BROKEN]:
        tell("engines", f"{'; '.join(broken)}; said: {quoted(turn.reply)}")


def course(wanted: TurnExpectation, turn: TurnRecord, tell: Told) -> None:
    """Who spoke over whom, and what became of it."""
    if wanted.interrupted is not None:
        told = "was broken into" if turn.interrupted else "was heard to its end"
        tell("interrupted", "" if turn.interrupted == wanted.interrupted else f"the reply {told}")
    missed = NOT_MET if MISSED in turn.notices else ""
    if wanted.yielded_ms is not None:
        if missed:
            wrong = missed
        elif turn.yielded_ms is None:
            wrong = "the reply before did not yield"
        else:
            wrong = late(turn.yielded_ms, wanted.yielded_ms)
        tell("yielded_ms", wrong)
    if wanted.resumed is not None:
        told = "went on" if turn.resumed else "did not go on"
        wrong = "" if bool(turn.resumed) == wanted.resumed else f"the reply before {told}"
        if wanted.resumed and turn.resumed and turn.resumed_wrong:
            wrong = f"the reply before went on, but {turn.resumed_wrong}"
        tell("resumed", missed or wrong)


def sound(wanted: TurnExpectation, turn: TurnRecord, language: str, tell: Told) -> None:
    """What was heard, and whether the reply's sound can be understood."""
    if wanted.wer is not None:
        tell("wer", _errors(turn.said, turn.heard or turn.understood, language, wanted.wer))
    if wanted.reply_wer is not None:
        tell("reply_wer", _errors(turn.heard_reply, turn.transcribed, language, wanted.reply_wer))


def _language(said: Said) -> str:
    """The language of a sentence: as the desk has it, but what is written in Chinese letters is Chinese."""
    written = language_of(said.text)
    return written if written == "zh" or (said.language == "zh" and _is_latin(said.text)) else said.language


def _is_latin(text: str) -> bool:
    """Tell whether a text has words, and all in Latin letters."""
    return text.isascii() and sum(map(str.isalpha, text)) >= LEAST_LETTERS


def sources_of(turn: TurnRecord) -> list[str]:
    """Return what a turn cites, each once."""
    return list(dict.fromkeys(str(one["source"]) for said in turn.sentences for one in said.citations))


def cited(pattern: str, sources: Sequence[str]) -> bool:
    """Tell whether one of the sources is that document, or that part of it: "returns.md#the-window"."""
    return any(like(pattern, one) or like(pattern, one.partition("#")[0]) for one in sources)


def cites_wrong(wanted: Sequence[str], sources: Sequence[str]) -> str:
    """Compare what is cited with what is wanted; an empty list wants nothing."""
    if not wanted:
        return f"nothing was to be cited; cited: {_named(sources)}" if sources else ""
    missing = [one for one in wanted if not cited(one, sources)]
    return f"{', '.join(missing)} is not cited, but {_named(sources)}" if missing else ""


def tools_wrong(wanted: Sequence[ToolCall], calls: Sequence[Called]) -> str:
    """Compare the actions that were taken with those that are wanted; an empty list wants none.

    One that failed was not taken, but is not nothing either.
    """
    told = "; ".join(_call(one) for one in calls) or "none"
    if not wanted:
        return f"no action was to be taken; taken: {told}" if calls else ""
    for one in wanted:
        fitting = [
            call
            for call in calls
            if call.tool == one.name
            and not call.failed
            and all(
                argument_fits(value, call.arguments.get(name, "")) for name, value in one.arguments.items()
            )
        ]
        if len(fitting) != one.times:
            given = ", ".join(f"{name}={value}" for name, value in one.arguments.items())
            return f"{one.name}({given}) was taken {len(fitting)} times instead of {one.times}; taken: {told}"
    return ""


def tools_broken(calls: Sequence[Called]) -> str:
    """Tell which actions failed, and by which error."""
    return "; ".join(f"{_call(one)}: {quoted(one.result)}" for one in calls if one.failed)


def passed_on(turn: TurnRecord, *, people: bool) -> str | None:
    """Return why a visitor was passed on; None: they were not.

    Where nobody takes conversations over only the reply tells, and not why: empty. Where somebody does, such
    a reply may as well be an offer.
    """
    return turn.handoff or ("" if turn.outcome == Outcome.HANDOFF and not people else None)


def handoff_wrong(wanted: bool | str, reason: str | None) -> str:
    """Compare whether, or why, a visitor was passed on."""
    if isinstance(wanted, bool):
        if wanted == (reason is not None):
            return ""
        why = f" ({reason})" if reason else ""
        return "the visitor was not passed on" if wanted else f"the visitor was passed on{why}"
    if reason == "":
        return "passed on, but why is known only where there are people: write `fixtures: {people: there}`"
    return "" if reason == str(wanted) else f"{reason or 'not passed on'} instead of {wanted}"


def refused_wrong(wanted: bool, verdicts: Sequence[Judged]) -> str:
    """Compare whether the guard kept something back."""
    refused = [one.rule for one in verdicts if one.action in KEEPS_BACK]
    if wanted == bool(refused):
        return ""
    return "nothing was refused" if wanted else f"refused by {', '.join(refused)}"


def verdicts_wrong(wanted: Sequence[VerdictGiven], verdicts: Sequence[Judged]) -> str:
    """Compare verdicts with those that are wanted; an empty list wants nothing but "allow"."""
    if not wanted:
        others = [one for one in verdicts if one.action != Action.ALLOW.value]
        return f"everything was to be allowed; given: {_given(others)}" if others else ""
    for one in wanted:
        fits = any(
            judged.direction == one.direction.value
            and (one.action is None or judged.action == one.action.value)
            and (not one.rule or like(one.rule, judged.rule))
            for judged in verdicts
        )
        if not fits:
            action = one.action.value if one.action else "any action"
            wished = f"no verdict {one.direction.value} {action} {one.rule}".rstrip()
            return f"{wished}; given: {_given(verdicts)}"
    return ""


def late(took_ms: float | None, most_ms: float) -> str:
    """Tell whether something came too late, or not at all."""
    if took_ms is None:
        return f"it never happened; at most {most_ms:g} ms"
    return "" if took_ms <= most_ms else f"after {took_ms:.0f} ms, at most {most_ms:g}"


def _given(verdicts: Sequence[Judged]) -> str:
    return ", ".join(f"{one.direction} {one.action} {one.rule}".strip() for one in verdicts) or "none"


def _call(call: Called) -> str:
    given = ", ".join(f"{name}={value}" for name, value in call.arguments.items())
    return f"{call.tool}({given})" + (" failed" if call.failed else "")


def _errors(said: str, heard: str, language: str, most: float) -> str:
    rate = word_error_rate(said, heard, language)
    return "" if rate <= most else f"{rate:.2f} errors a word, at most {most:g}: heard {quoted(heard)}"


def _unlike(came: str, wanted: Sequence[str], more: str = "") -> str:
    return "" if came in wanted else f"{came or 'nothing'} instead of {_either(wanted)}{more}"


def _either(those: Sequence[str]) -> str:
    return " or ".join(those)


def _named(those: Sequence[str]) -> str:
    return ", ".join(those) or "nothing"
