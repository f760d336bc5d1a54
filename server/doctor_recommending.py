"""What `visavis doctor` says of next questions."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.desk import Desk
from agent.recommend import HABITS_FILE
from agent.recommend_history import Habits, can_learn
from server.finding import Finding

STAGE = "next questions"


def find_recommending(desk: Desk) -> Finding:
    """Say from what the questions are chosen that visitors may ask next."""
    settings = desk.settings.recommending
    if not settings.on:
        return Finding(STAGE, True, "off", "the desk's setting recommending.on")
    if not settings.visitors:
        return Finding(STAGE, True, "content", "the desk's setting recommending.visitors")
    if not can_learn():
        return Finding(
            STAGE,
            True,
            "content",
            "near what was asked and answered",
            "implicit, which learns what visitors go on to ask",
            "pip install 'visavis[recommend]'",
        )
    habits = Habits.load(desk.state_folder / HABITS_FILE)
    if habits is None:
        why = "no visitors were learnt from yet; `visavis serve` does at its start and every day"
        return Finding(STAGE, True, "content", why)
    if not habits.topics:
        return Finding(STAGE, True, "content", f"to learn from visitors there are {habits.why}")
    learnt = datetime.fromtimestamp(habits.at_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
    why = f"{len(habits.topics)} topics of {habits.visits} visits, learnt {learnt}"
    return Finding(STAGE, True, "content + visitors", why)
