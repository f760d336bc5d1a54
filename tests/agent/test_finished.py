import time

import pytest

from agent.finished import sounds_finished
from agent.train_endings import shop_texts
from agent.turn_settings import TurnSettings

WHOLE = """where is my order|I want to return my order.|what is it|how much is it|can you help me|yes
no thanks
what time do you close|if my parcel is late can I get a refund
my email is anna at example dot com
can you return it please|thank you very much|what are your opening hours?|I don't know what to do
怎么退货|请问你们几点开门？|如果晚到了能退款吗|这个多少钱|我想退货
that's all I wanted to know|if I send it back do I get a refund|not really
我还没收到|可以用支付宝付款吗|没有|不需要|我要這個
要等多久|要第二个|谢谢你们|两个我都要|是我先生订的|我用支付宝付的|什么时候能送到|来不及"""
OPEN = """I want to|my order number is|do you have it in blue and|um|so|I was wondering if you could
how much is|my email is anna at|if my parcel is late|where is my,|I would like a...
when I bought it
我想|我的订单号是|因为|如果我的包裹晚到了
I wanted to ask|I'd like to know|if I send it back|how much would it|as far as I know|by the way
我想问一下|我要退货因为|这双鞋有没有|我买了一个|我的手机号是一三八|你们，
我想知道|因为我下个月要|如果我退货的话|打开盒子的时候|我想把地址改成|事情是这样的|但是|如果"""


def lines(text: str) -> list[str]:
    return [line for each in text.split("\n") for line in each.split("|")]


@pytest.mark.parametrize("text", lines(WHOLE))
def test_what_is_whole_is_answered_soon(text: str) -> None:
    assert TurnSettings().end_delay_s(sounds_finished(text)) <= 0.8


@pytest.mark.parametrize("text", lines(OPEN))
def test_what_misses_something_is_waited_for(text: str) -> None:
    assert TurnSettings().end_delay_s(sounds_finished(text)) >= 1.5


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        ("my order number is 4", "my order number is 4 7 1 1"),
        ("my card number is 4 5 5 6", "my card number is 4 5 5 6 1 2 3 4 5 6 7 8 9 0 1 2"),
        ("my phone number is oh seven", "my phone number is oh seven seven double four three two"),
        ("订单号是四七", "订单号是四七一一"),
        ("我的手机号是13812", "我的手机号是13812345678"),
    ],
)
def test_the_more_digits_the_more_finished(shorter: str, longer: str) -> None:
    assert sounds_finished(shorter) < sounds_finished(longer)


@pytest.mark.parametrize("text", ["左边那只鞋的", "这个颜色跟网上的"])
def test_what_may_stand_before_a_thing_is_given_a_moment(text: str) -> None:
    assert 0.8 < TurnSettings().end_delay_s(sounds_finished(text)) < 2.0


def test_a_number_is_given_a_second_wherever_digits_may_follow() -> None:
    assert TurnSettings().end_delay_s(sounds_finished("my order number is 4711")) >= 1.0
    assert TurnSettings().end_delay_s(sounds_finished("four seven one one")) >= 1.0


def test_a_greeting_is_answered_but_not_at_once() -> None:
    assert 0.5 < TurnSettings().end_delay_s(sounds_finished("hello")) < 1.2
    assert 0.5 < TurnSettings().end_delay_s(sounds_finished("你好")) < 1.2


@pytest.mark.parametrize("text", ["", " ", "?!", "…", "x" * 5000, "a " * 2000, "的" * 2000, "🙂", "ｗｈａｔ"])
def test_any_text_has_a_score_soon(text: str) -> None:
    began = time.process_time()
    assert 0.0 <= sounds_finished(text) <= 1.0
    assert 0.0 <= sounds_finished(text, "zh") <= 1.0
    assert time.process_time() - began < 5.0  # nothing in it grows faster than the text


def test_a_full_stop_makes_no_half_sentence_whole() -> None:
    assert sounds_finished("I want to.") < 0.2
    assert sounds_finished("I want to return my order.") > 0.9


def test_most_of_what_customers_say_is_answered_soon_and_most_beginnings_are_not() -> None:
    said = shop_texts("en")[::7] + shop_texts("zh")[::7]
    waits = TurnSettings().end_delay_s
    soon = sum(waits(sounds_finished(text)) <= 0.5 for text in said) / len(said)
    assert soon > 0.85
    begun = [text.rsplit(" ", 2)[0] for text in shop_texts("en")[::7] if text.count(" ") > 3]
    early = sum(waits(sounds_finished(text)) <= 0.5 for text in begun) / len(begun)
    assert early < 0.35


@pytest.mark.parametrize(
    "text",
    [
        "what does delivery cost",
        "what does express delivery costs",
        "what does the warranty cover",
        "when are you open",
        "and when does the shop close",
    ],
)
def test_a_question_that_ends_in_its_verb_is_whole(text: str) -> None:
    assert sounds_finished(text, "en") >= 0.9


def test_a_question_that_goes_on_after_its_verb_is_not() -> None:
    assert sounds_finished("what does the delivery that you offer to", "en") < 0.5
