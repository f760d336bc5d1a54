"""A changed policy brings quarantined passages back, and takes those out that are now forbidden."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.desk import Desk
from agent.library import document_check, open_knowledge, screen_anew
from knowledge.quarantine import Rescreened, alone
from server.doctor_content import find_knowledge
from server.live import rescreening
from tests.agent.scripted import DESK

GIFTS = "# Gifts\n\n## Vouchers\n\nA voucher is worth ten euros.\n\n## 礼品卡\n\n礼品卡可以在店里购买。\n"
WITHOUT = '[engines]\nembedded = false\n[words]\nblocked = ["voucher", "礼品卡"]\n[actions.blocked]\n'


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("VISAVIS_STATE", str(tmp_path / "state"))
    folder = tmp_path / "desk"
    (folder / "knowledge").mkdir(parents=True)
    (folder / "knowledge" / "gifts.md").write_text(GIFTS, encoding="utf-8")
    (folder / "knowledge" / "hours.md").write_text("# Hours\n\nWe open at nine.\n")
    (folder / "desk.toml").write_text(DESK, encoding="utf-8")
    return Desk.load(folder)


def policy(desk: Desk, document: str) -> None:
    (desk.folder / "policy.toml").write_text(f'{WITHOUT}document = "{document}"\n', encoding="utf-8")


def sources(desk: Desk) -> set[str]:
    knowledge = open_knowledge(desk)
    found = {passage.source for record in knowledge.documents() for passage in record.passages}
    knowledge.close()
    return found


def anew(desk: Desk) -> Rescreened:
    return screen_anew(desk, desk.guard(), share=1.0, stop=lambda: False)


def opened_as(desk: Desk) -> Any:
    return SimpleNamespace(id="gifts", desk=desk, engines=SimpleNamespace(guard=desk.guard()))


def test_a_changed_policy_brings_passages_back_and_takes_them_out(desk: Desk) -> None:
    policy(desk, "refuse")
    assert sources(desk) == {"hours.md"}
    policy(desk, "allow")
    first = anew(desk)
    assert (first.passages, len(first.came_back), first.went) == (3, 2, ())
    assert sources(desk) == {"gifts.md#vouchers", "gifts.md#礼品卡", "hours.md"}
    assert anew(desk) == Rescreened()
    policy(desk, "refuse")
    again = anew(desk)
    assert (len(again.came_back), len(again.went)) == (0, 2)
    assert "blocked.word" in str(again)
    assert sources(desk) == {"hours.md"}


def test_what_earlier_rules_kept_out_is_told_to_be_screened_anew(desk: Desk) -> None:
    def told() -> str:
        problems: list[str] = []
        open_knowledge(desk, remind=True, problem=problems.append).close()
        return " ".join([*problems, find_knowledge(desk).missing])

    policy(desk, "refuse")
    assert told().count("change the text, or the rule") == 4
    policy(desk, "allow")
    assert told().count("gifts.md#vouchers: kept out by earlier rules; `visavis serve`") == 2
    assert "change the text" not in told()
    anew(desk)
    assert told().strip() == ""


@pytest.mark.parametrize(("documents", "seconds"), [(1, 1e9), (1_000, 0.0)])
def test_what_is_forbidden_now_is_not_found_before_a_long_run_ends(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, documents: int, seconds: float
) -> None:
    monkeypatch.setattr("knowledge.rescreening.EXCHANGE_AFTER", documents)
    monkeypatch.setattr("knowledge.rescreening.EXCHANGE_S", seconds)
    policy(desk, "allow")
    searching = open_knowledge(desk)
    assert searching.count == 3
    policy(desk, "refuse")
    seen: list[int] = []

    def look() -> bool:  # the run rests after each passage: two of gifts.md, then one of hours.md
        seen.append(searching.count)
        return False

    found = screen_anew(desk, desk.guard(), share=1.0, stop=look)
    searching.close()
    assert (seen, len(found.went)) == ([3, 3, 1], 2)


def test_lines_to_say_change_nothing_that_was_judged(desk: Desk) -> None:
    policy(desk, "refuse")
    before = document_check(desk).fingerprint
    with (desk.folder / "policy.toml").open("a", encoding="utf-8") as file:
        file.write('[safe_lines.en]\ndefault = "No."\n')
    assert document_check(desk).fingerprint == before


def test_screening_that_is_given_up_goes_on_later(desk: Desk) -> None:
    policy(desk, "refuse")
    sources(desk)
    policy(desk, "allow")
    with pytest.raises(InterruptedError):
        screen_anew(desk, desk.guard(), share=1.0, stop=lambda: True)
    assert anew(desk).came_back


async def test_a_server_that_ends_lets_what_was_judged_be_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, written = threading.Event(), threading.Event()

    def screening(*_: object, stop: Callable[[], bool], **__: object) -> Rescreened:
        began.set()
        while not stop():
            time.sleep(0.01)
        time.sleep(0.1)
        written.set()
        raise InterruptedError("given up")

    monkeypatch.setattr(rescreening, "screen_anew", screening)
    going = asyncio.create_task(rescreening.screened_anew({"gifts": opened_as(desk)}))
    await asyncio.to_thread(began.wait, 5)
    going.cancel()
    await asyncio.wait([going])
    assert written.is_set()


async def test_a_server_waits_for_another_that_screens_and_then_judges_by_its_own_rules(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescreening, "AGAIN_S", 0.01)
    policy(desk, "refuse")
    sources(desk)
    policy(desk, "allow")
    with alone(desk.state_folder / "knowledge") as mine:
        assert mine
        assert anew(desk).elsewhere
        waiting = asyncio.create_task(rescreening.screened_anew({"gifts": opened_as(desk)}))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        assert sources(desk) == {"hours.md"}
    await asyncio.wait_for(waiting, 20)
    assert len(sources(desk)) == 3
