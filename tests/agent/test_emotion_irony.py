"""Praise that is none, and feelings that are told outright."""

import pytest

from agent import detect_emotion
from agent.emotion_irony import Irony, irony


@pytest.mark.parametrize("text", [
    "great, another broken lamp", "Oh wonderful, you lost my parcel again.", "Thanks for nothing!",
    "Thank you so much for ruining my weekend.", "Brilliant. The fourth time it arrives cracked.",
    "Well done, wrong size again", "I just love waiting on hold", "Oh great, just what I needed",
    "How kind of you to forget my order", "Lovely! Still no refund, and nobody answers.",
    "真行啊，又坏了", "可真够快的，等了一个月", "真是谢谢你们了，又发错货", "呵呵，你们服务真好",
    "太好了，又要等一周",
    "真有你们的，第三次送错了", "谢谢你们浪费我的时间",
])  # fmt: skip
def test_bitter_praise_is_anger(text: str) -> None:
    assert irony(text) is Irony.SURE
    felt = detect_emotion(text)
    assert felt.label in ("anger", "sadness", "disgust")
    assert felt.scores["joy"] <= 0.1


@pytest.mark.parametrize("text", [
    "Great, my order is late.", "Wonderful! I lost my card, can I get a new one?",
    "not the best experience",
    "I can't say I'm impressed", "I'm less than thrilled",
    "The lamp is great, but the switch broke.", "帐篷很好，但是拉链坏了",
    "算不上满意", "不怎么开心",
])  # fmt: skip
def test_what_may_be_ironic_or_understated_is_no_joy(text: str) -> None:
    assert irony(text) is Irony.MAYBE
    assert detect_emotion(text).label != "joy"


@pytest.mark.parametrize("text", [
    "Great, thanks! One question: my tent broke, can I return it?", "Amazing tent, no leak, never broke.",
    "Perfect, the replacement for my broken lamp arrived, thank you!", "Great! And what if it is broken?",
    "Wonderful, I will buy another one again!", "That is just what I needed, thank you!",
    "I love how light it is",
    "Thanks for sending it so quickly", "太好了，等了一周终于到了", "真棒，从来没坏过",
    "谢谢，我的包坏了怎么修",
    "Thank you for not charging me twice", "I love it that my parcels never arrive late",
    "服务真好，下次又来买", "",
])  # fmt: skip
def test_honest_praise_stays_praise(text: str) -> None:
    assert irony(text) is Irony.NONE


@pytest.mark.parametrize("text", [
    "I am furious! Where is my order?", "i'm fed up where is my refund",
    "This is ridiculous! Where is my parcel?",
    "This is a terrible shop, do you sell boats?",
    "Are you kidding me? I have been waiting for three weeks!",
    "You people are useless, how do I get my money back?", "Your support is awful.", "I'm livid",
    "我很生气！我的订单呢？", "气死我了，怎么还没到？", "太差劲了！你们卖船吗？", "我非常愤怒",
    "你们太过分了！什么时候退款？", "烦死了，怎么还没到？", "真烦人，我的订单呢？",
])  # fmt: skip
def test_anger_that_ends_in_a_question_is_anger_enough_for_an_apology(text: str) -> None:
    felt = detect_emotion(text)
    assert felt.label == "anger"
    assert felt.intensity >= 0.5


@pytest.mark.parametrize("text", [
    "I am not angry", "What are your opening hours?", "Who do I write to if I am angry?",
    "Do you sell the Angry Mug?",
    "Why do people get angry?", "我不生气", "烦请告诉我营业时间", "怎么退帐篷？", "愤怒的小鸟多少钱？",
    "你是机器人还是真人啊",
])  # fmt: skip
def test_calm_questions_stay_calm(text: str) -> None:
    assert detect_emotion(text).label in ("neutral", "surprise")


@pytest.mark.parametrize(
    "text", ["Sorry to bother you, what is your phone number?", "不好意思，请问几点开门？"]
)
def test_who_excuses_themselves_politely_is_not_sad(text: str) -> None:
    assert detect_emotion(text).label == "neutral"


def test_plain_questions_are_no_surprise_and_startled_ones_are() -> None:
    assert detect_emotion("What are your opening hours?").label == "neutral"
    assert detect_emotion("What?! You are closed already?").label == "surprise"
