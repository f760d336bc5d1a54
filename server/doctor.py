"""`visavis doctor`: what each stage will use, why, and what would make it better."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from agent.desk import Desk, state_root
from server.doctor_content import find_answering, find_knowledge, find_tools
from server.doctor_moderation import find_moderation
from server.doctor_privacy import find_privacy
from server.doctor_recommending import find_recommending
from server.finding import Finding

MIN_FREE_MB = 200
"""What an answer and its clip may need on the disk."""


def examine(where: str) -> dict[str, Any]:
    """Look at every stage of a desk without answering anything; asks only the servers that the desk names."""
    desk = Desk.load(where)
    checks: tuple[tuple[str, Callable[[Desk], Finding]], ...] = (
        ("hearing", _hearing),
        ("voice activity", _voice_activity),
        ("turn end", _turn_end),
        ("knowledge", find_knowledge),
        ("moderation", find_moderation),
        ("answering", find_answering),
        ("tools", find_tools),
        ("next questions", find_recommending),
        ("speaking", _speaking),
        ("face", _face),
        ("clips", _clips),
        ("privacy", find_privacy),
        ("state", _state),
    )
    findings = [_checked(stage, check, desk) for stage, check in checks]
    return {
        "ready": all(finding.ok for finding in findings),
        "desk": {"name": desk.settings.name, "folder": str(desk.folder)},
        "stages": [asdict(finding) for finding in findings],
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "gpu": _gpu(),
        },
    }


def show_examination(document: dict[str, Any]) -> None:
    """Print the findings, a stage a line, with what would help below."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"{document['desk']['name']}  ({document['desk']['folder']})")
    for found in document["stages"]:
        mark = ("ok  ", "green") if found["ok"] else ("no  ", "bold red")
        console.print(
            Text.assemble(mark, f"{found['stage']:<15}", (found["engine"], "bold"), f"  {found['why']}")
        )
        if found["missing"]:
            console.print(f"{'':19}{found['missing']}")
        if found["remedy"]:
            console.print(Text(f"{'':19}→ {found['remedy']}", "cyan"))
    machine = document["machine"]
    console.print(
        f"Python {machine['python']}, {machine['cores']} cores, GPU: {machine['gpu'] or 'none seen'}"
    )
    if not document["ready"]:
        console.print(Text("The main job cannot run; see the lines marked no.", "bold red"))


def _checked(stage: str, check: Callable[[Desk], Finding], desk: Desk) -> Finding:
    try:
        return check(desk)
    except Exception as error:
        # A broken part is what this command is there to report.
        remedy = "make setup" if isinstance(error, ImportError) else ""
        return Finding(stage, False, "-", "cannot be used", str(error) or type(error).__name__, remedy)


def _hearing(desk: Desk) -> Finding:
    from speech.recognizer import recognizer_plan

    settings = desk.settings
    plan = recognizer_plan(
        engine=settings.hearing.engine,
        model=desk.beside(settings.hearing.model) or None,
        languages=settings.languages,
    )
    return Finding("hearing", bool(plan.engine), plan.engine or "-", plan.why, plan.missing, plan.remedy)


def _turn_end(desk: Desk) -> Finding:
    from speech.smart_turn import load_smart_turn

    if desk.settings.hearing.turn_end == "words":
        return Finding("turn end", True, "words", "the desk's setting hearing.turn_end")
    if load_smart_turn() is not None:
        return Finding("turn end", True, "words, smart-turn-v3", "the words and the voice")
    return Finding(
        "turn end",
        True,
        "words",
        "whether they sound finished, and silence",
        "Smart Turn, which hears it in the voice too",
        "visavis models pull smart-turn",
    )


def _voice_activity(desk: Desk) -> Finding:
    from speech.vad import silero_path

    return Finding("voice activity", True, "silero", f"{silero_path().name}, carried by faster-whisper")


def _speaking(desk: Desk) -> Finding:
    from agent.face import voice_of
    from speech.synthesizer import synthesizer_plan

    settings = desk.settings
    plan = synthesizer_plan(
        engine=settings.voice.engine,
        voice=voice_of(desk),
        languages=settings.languages,
    )
    return Finding("speaking", bool(plan.engine), plan.engine or "-", plan.why, plan.missing, plan.remedy)


def _face(desk: Desk) -> Finding:
    from agent.face import background_file, find_rig, lips_file
    from avatar import load_rig

    lips_file(desk)
    rig = load_rig(find_rig(desk.settings.avatar.rig, desk))
    background = background_file(desk)
    if background is not None and not background.is_file():
        return Finding(
            "face",
            False,
            f"cpu/{rig.name}",
            "numba renderer on the CPU",
            f"the background {background} is not there",
            "put the picture into the desk's folder, or write a colour such as #e9eef3",
        )
    return Finding("face", True, f"cpu/{rig.name}", "numba renderer on the CPU")


def _clips(desk: Desk) -> Finding:
    import av

    missing = [codec for codec in ("libx264", "aac", "mov_text") if codec not in av.codecs_available]
    if missing:
        return Finding(
            "clips",
            False,
            "-",
            "encoders are missing",
            ", ".join(missing),
            "pip install --force-reinstall av",
        )
    return Finding("clips", True, "libx264 + aac", f"PyAV {av.__version__}")


def _state(desk: Desk) -> Finding:
    folder = desk.state_folder
    probe = folder / ".probe"
    probe.touch()
    probe.unlink()
    free_mb = shutil.disk_usage(folder).free // 2**20
    ok = free_mb >= MIN_FREE_MB
    return Finding(
        "state",
        ok,
        f"{free_mb} MB free",
        str(folder),
        "" if ok else f"less than {MIN_FREE_MB} MB free on the disk",
        "" if ok else f"free some, or set VISAVIS_STATE to a folder elsewhere (now {state_root()})",
    )


def _gpu() -> str | None:
    """Name the GPU that the driver reports; the core runs without one."""
    for information in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        for line in information.read_text(errors="replace").splitlines():
            if line.startswith("Model:"):
                return line.removeprefix("Model:").strip()
    return None
