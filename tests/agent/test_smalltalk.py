from __future__ import annotations

import pytest

from agent.smalltalk import Talk, small_talk


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Hi there!", Talk.GREETING),
        ("good morning, how are you today?", Talk.GREETING),
        ("Hello? Is anyone there?", Talk.GREETING),
        ("can you help me please", Talk.GREETING),
        ("您好", Talk.GREETING),
        ("你好呀，有人吗", Talk.GREETING),
        ("Thanks a lot, that's very kind of you", Talk.THANKS),
        ("ok perfect thank you so much for your help", Talk.THANKS),
        ("好的，谢谢您的解答", Talk.THANKS),
        ("Oh, never mind.", Talk.NEVER_MIND),
        ("算了吧", Talk.NEVER_MIND),
        ("never mind, bye", Talk.GOODBYE),
        ("thanks, bye", Talk.GOODBYE),
        ("see you later then", Talk.GOODBYE),
        ("谢谢，再见", Talk.GOODBYE),
        ("Are you a real person?", Talk.IDENTITY),
        ("who am I talking to", Talk.IDENTITY),
        ("what’s your name?", Talk.IDENTITY),
        ("您是真人吗？", Talk.IDENTITY),
        ("你叫什么名字", Talk.IDENTITY),
        ("I want to talk to a real person", Talk.HANDOFF),
        ("can I speak with one of your colleagues please", Talk.HANDOFF),
        ("get me a human", Talk.HANDOFF),
        ("Agent please!", Talk.HANDOFF),
        ("转人工", Talk.HANDOFF),
        ("我不想跟机器人说话，叫个真人来", Talk.HANDOFF),
    ],
)
def test_small_talk_is_told_apart(text: str, kind: Talk) -> None:
    assert small_talk(text) is kind


@pytest.mark.parametrize(
    "text",
    [
        "hi, how do I return a lamp",
        "thanks, and what does delivery cost",
        "thank you for nothing, my parcel is lost",
        "are your chairs real leather",
        "I need a manager to sign for my parcel",
        "what are you doing about late parcels",
        "help me with my return",
        "你好，我想退货",
        "",
        "?!",
    ],
)
def test_questions_are_not_small_talk(text: str) -> None:
    assert small_talk(text) is None
