"""What a run came to, in figures: `summary.json`, which also serves later runs as their baseline."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.checks.errors_of_words import word_error_rate, words_of
from evals.replay.record import ConversationRecord, TurnRecord
from evals.report.baseline import VERSION, Baseline, Past
from evals.report.regression import regression_of
from evals.report.standing import Standing, standings
from evals.report.turn_taking import turn_taking
from evals.results import Result, Results
from evals.scripts.expectations import TIMINGS
from evals.statistics import pass_hat, rate_interval, spread

LONGEST_HISTORY = 50
"""Runs that a chain of baselines remembers: a year of weekly releases."""
MASKS = "mask"
"""Verdict on words that a recognizer's transcript cannot be compared with any more."""


def summary_of(results: Results, baseline: Results | Baseline | None = None) -> dict[str, Any]:
    """Sum a run up.

    Args:
        results: of the run.
        baseline: a run of before; see `evals.report.read_baseline`.

    Returns:
        What `summary.json` holds. Replays that failed themselves, and scripts that could not be read,
        count under `errors` alone. `pass^k` is the
        mean over scripts of how likely k repeats all pass. `regression` is None without a baseline.
    """
    run, all_results = results.run, results.results
    judged = [one for one in all_results if not one.record.error]
    stood = standings(all_results)
    before = Baseline.model_validate(summary_of(baseline)) if isinstance(baseline, Results) else baseline
    regression = None if before is None else regression_of(stood, before.by_script)
    counts = _counts(all_results)
    turns = sum(len(one.record.turns) for one in judged)
    cpu_s = sum(one.record.cpu_s for one in judged)
    summary: dict[str, Any] = {
        "version": VERSION,
        "desk": run.desk,
        "mode": run.mode,
        "began": run.began,
        "fingerprint": run.fingerprint,
        "engines": run.engines,
        "complete": results.complete,
        "verdict": _verdict(results, counts, regression),
        "scripts": len({one.record.script for one in all_results}),
        "repeat": run.repeat,
        "turns": turns,
        **counts,
        "errors": counts["errors"] + len(run.wrong),
        "pass_rate_interval": [round(one, 4) for one in rate_interval(counts["passed"], len(judged))],
        "pass^k": pass_hat_curve(stood),
        "not_judged": run.not_judged,
        "left_out": list(run.left_out),
        "flaky": [{"script": one.script, "mode": one.mode} for one in stood if one.flaky],
        "checks": _by_check(judged),
        "by_tag": _by(all_results, lambda one: one.record.tags),
        "by_language": _by(all_results, lambda one: [one.record.language]),
        "by_mode": _by(all_results, lambda one: [one.record.mode]),
        "timings_ms": timings(one.record for one in judged),
        "wer": _word_errors([one.record for one in judged]),
        "turn_taking": turn_taking(one.record for one in judged),
        "turns_per_s": round(turns / cpu_s, 1) if cpu_s else None,
        "audio_realtime_factor": _audio_factor(judged),
        "media": _media(judged),
        "failures": _failures(all_results),
        "harness_errors": _harness_errors(results),
        "not_checked": _not_checked(judged),
        "notes": _notes(all_results),
        "regression": regression,
        "regressed": bool(regression and regression["regressed"]),
        "history": _history(before),
        "by_script": [one.document() for one in stood],
    }
    return summary


def timings(records: Iterable[ConversationRecord]) -> dict[str, dict[str, float]]:
    """Return the spread of every timing over all turns, in the order in which they come."""
    found = defaultdict[str, list[float]](list)
    for record in records:
        for turn in record.turns:
            for name, ms in turn.timings_ms.items():
                found[name].append(ms)
            if turn.yielded_ms is not None:
                found["yielded"].append(turn.yielded_ms)
    ordered = sorted(found, key=lambda name: (TIMINGS.index(name) if name in TIMINGS else len(TIMINGS), name))
    return {name: spread(found[name]) for name in ordered}


def pass_hat_curve(stood: Sequence[Standing]) -> dict[str, float]:
    """Return pass^k for every k that scripts were repeated; each over the scripts with so many repeats."""
    curve = dict[str, float]()
    for k in range(1, max((one.runs for one in stood), default=0) + 1):
        each = [pass_hat(one.passed, one.runs, k) for one in stood if one.runs >= k]
        curve[str(k)] = round(sum(each) / len(each), 4)
    return curve


def word_errors_of(turn: TurnRecord, language: str, *, reply: bool) -> tuple[float, float] | None:
    """Return errors and words of what was heard, or of the reply transcribed back; None: not comparable."""
    if reply:
        said, heard = turn.heard_reply, turn.transcribed
        language = turn.sentences[0].language if turn.sentences else language
        if not heard:
            return None
    else:
        said, heard = turn.said, turn.heard or turn.understood
        if any(one.direction == "input" and one.action == MASKS for one in turn.verdicts):
            return None
    words = len(words_of(said, language))
    return (word_error_rate(said, heard, language) * words, words) if words else None


def place(file: str, line: int = 0) -> str:
    """Return where something stands, seen from the working folder where it lies inside: "a/b.yaml:12"."""
    if not file:
        return ""
    path = Path(file)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return f"{path.as_posix()}:{line}" if line else path.as_posix()


def _counts(results: Sequence[Result]) -> dict[str, Any]:
    errors = sum(bool(one.record.error) for one in results)
    passed = sum(one.passed for one in results)
    judged = len(results) - errors
    return {
        "conversations": len(results),
        "passed": passed,
        "failed": judged - passed,
        "errors": errors,
        "pass_rate": round(passed / judged, 4) if judged else None,
    }


def _verdict(results: Results, counts: Mapping[str, Any], regression: Mapping[str, Any] | None) -> str:
    """Say in one word: regressed, failed, error, incomplete, empty, or passed; the first that holds."""
    for word, holds in (
        ("regressed", bool(regression and regression["regressed"])),
        ("failed", counts["failed"]),
        ("error", counts["errors"] or results.run.wrong),
        ("incomplete", not results.complete),
        ("empty", not counts["conversations"]),
    ):
        if holds:
            return word
    return "passed"


def _by(results: Sequence[Result], named: Callable[[Result], Sequence[str]]) -> dict[str, dict[str, Any]]:
    groups = defaultdict[str, list[Result]](list)
    for one in results:
        for name in dict.fromkeys(named(one)):
            groups[name].append(one)
    return {name: _counts(groups[name]) for name in sorted(groups)}


def _by_check(judged: Sequence[Result]) -> dict[str, dict[str, int]]:
    found = dict[str, dict[str, int]]()
    for one in judged:
        for check in one.checks:
            counted = found.setdefault(check.name, {"passed": 0, "failed": 0})
            came = "not_checked" if check.skipped else "passed" if check.passed else "failed"
            counted[came] = counted.get(came, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1]["failed"], item[0])))


def _word_errors(records: Sequence[ConversationRecord]) -> dict[str, dict[str, dict[str, float]]]:
    """Return errors a word of what was heard and of the replies transcribed back, for each language."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, reply in (("heard", False), ("reply", True)):
        sums = defaultdict[str, list[float]](lambda: [0.0, 0.0, 0.0])
        for record in records:
            for turn in record.turns if record.mode == "audio" else ():
                if (counted := word_errors_of(turn, record.language, reply=reply)) is not None:
                    total = sums[record.language]
                    total[0], total[1], total[2] = total[0] + counted[0], total[1] + counted[1], total[2] + 1
        if sums:
            found[name] = {
                language: {"wer": round(errors / words, 4), "words": int(words), "turns": int(turns)}
                for language, (errors, words, turns) in sorted(sums.items())
            }
    return found


def _audio_factor(judged: Sequence[Result]) -> float | None:
    """Return how many seconds of conversation with sound a core replays in a second."""
    heard = [one.record for one in judged if one.record.mode == "audio"]
    cpu_s = sum(one.cpu_s for one in heard)
    return round(sum(one.lasted_s for one in heard) / cpu_s, 2) if cpu_s else None


def _media(judged: Sequence[Result]) -> dict[str, Any] | None:
    media = [one.record.media for one in judged if one.record.media is not None]
    if not media:
        return None
    closures = [(one.lip_closure, one.bilabials) for one in media if one.lip_closure is not None]
    bilabials = sum(many for _, many in closures)
    offsets = [one.av_offset_ms for one in media if one.av_offset_ms is not None]
    faces = [one.face_present for one in media if one.face_present is not None]
    freezes = [one.longest_freeze_s for one in media if one.longest_freeze_s is not None]
    noises = [one.silent_noise_db for one in media if one.silent_noise_db is not None]
    closed = round(sum(share * many for share, many in closures) / bilabials, 4) if bilabials else None
    return {
        "conversations": len(media),
        "frames": sum(one.frames for one in media),
        "drawn": sum(one.drawn for one in media),
        "av_offset_ms": spread(offsets),
        "av_offset_ms_worst": max(offsets, key=abs, default=None),
        "lip_closure": closed,
        "bilabials": bilabials,
        "face_present_least": min(faces, default=None),
        "longest_freeze_s": max(freezes, default=None),
        "silent_noise_db_most": max(noises, default=None),
    }


def _failures(results: Sequence[Result]) -> list[dict[str, Any]]:
    return [
        {
            "script": one.record.script,
            "mode": one.record.mode,
            "repeat": one.record.repeat,
            "file": place(one.record.file),
            "line": check.line,
            "turn": check.turn,
            "check": check.name,
            "message": check.message,
        }
        for one in results
        if not one.record.error
        for check in one.failed
    ]


def _not_checked(judged: Sequence[Result]) -> list[dict[str, Any]]:
    """Return what could not be looked at: each reason once, with its checks and how many they were."""
    found = dict[str, Counter[str]]()
    for one in judged:
        for check in one.checks:
            if check.skipped:
                found.setdefault(check.message, Counter())[check.name] += 1
    return [
        {"why": why, "times": names.total(), "checks": dict(sorted(names.items()))}
        for why, names in sorted(found.items(), key=lambda item: -item[1].total())
    ]


def _harness_errors(results: Results) -> list[dict[str, Any]]:
    """Return what could not be judged: scripts that could not be read, without a name, and failed replays."""
    unread = [{"script": "", "mode": "", "repeat": 0, "message": one} for one in results.run.wrong]
    return unread + [
        {
            "script": one.record.script,
            "mode": one.record.mode,
            "repeat": one.record.repeat,
            "message": one.record.error,
        }
        for one in results.results
        if one.record.error
    ]


def _notes(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return what a script's replays have to say beside their verdicts, each script and note once."""
    found = {(one.record.script, one.record.mode, note): one for one in results for note in one.record.notes}
    return [
        {"script": script, "mode": mode, "repeat": one.record.repeat, "message": note}
        for (script, mode, note), one in found.items()
    ]


def _history(before: Baseline | None) -> list[dict[str, Any]]:
    """Return what the baseline remembers, and the baseline itself: the oldest first."""
    if before is None:
        return []
    own = Past(
        began=before.began,
        desk=before.desk,
        mode=before.mode,
        conversations=before.conversations,
        pass_rate=before.pass_rate,
        first_sound_p95_ms=before.timings_ms.get("first_sound", {}).get("p95"),
    )
    return [one.model_dump() for one in (*before.history, own)][-LONGEST_HISTORY:]
