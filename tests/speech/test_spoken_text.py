"""What is written → what is said, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.errors import SpeechError
from speech.spoken_chinese import chinese_number, digit_by_digit
from speech.spoken_text import (
    MAX_TEXT_CHARACTERS,
    check_text,
    language_of,
    normal_language,
    spoken,
    written_words,
)

ENGLISH = [
    ("It costs $29.99.", "It costs 29 dollars and 99 cents."),
    ("Only $1 or $0.99.", "Only 1 dollar or 99 cents."),
    ("A £5 fee", "A 5 pounds fee"),
    ("€12.50", "12 euros and 50 cents"),
    ("$1,299.00 in all", "1299 dollars in all"),
    ("about $2 million", "about 2 million dollars"),
    ("$1.50/day", "1 dollar and 50 cents per day"),
    ("$5-$10", "5 to 10 dollars"),
    ("20 EUR", "20 euros"),
    ("3-5 days", "3 to 5 days"),
    ("within 3–5 days", "within 3 to 5 days"),
    ("We answer 24/7.", "We answer 24 7."),
    ("order VV-10342 shipped", "order V V, 1 0 3 4 2 shipped"),
    ("A1234", "ay, 1 2 3 4"),
    ("order number is 10342", "order number is 1 0 3 4 2"),
    ("call 1-800-555-0199", "call 1, 8 0 0, 5 5 5, 0 1 9 9"),
    ("call +44 20 7946 0958", "call plus 4 4, 2 0, 7 9 4 6, 0 9 5 8"),
    ("555-0123", "5 5 5, 0 1 2 3"),
    ("mail help@visavis.shop", "mail help at visavis dot shop"),
    ("see https://www.visavis.shop/returns?x=1.", "see visavis dot shop."),
    ("10% off", "10 percent off"),
    ("9:00-18:00", "9 AM to 6 PM"),
    ("from 9:30 am", "from 9 30 AM"),
    ("at 14:05", "at 2 oh 5 PM"),
    ("at 9:00", "at 9 o'clock"),
    ("by 2026-05-04", "by May 4th, 20 26"),
    ("on 2005-11-22", "on November 22nd, 2005"),
    ("5 kg", "5 kilograms"),
    ("1 kg", "1 kilogram"),
    ("30 x 40 cm", "30 by 40 centimetres"),
    ("e.g. shoes", "for example, shoes"),
    ("shoes, shirts, etc.", "shoes, shirts, et cetera."),
    ("he and/or she", "he and or she"),
    ("tea & milk", "tea and milk"),
    ("iPhone 15 Pro, USB-C", "iPhone 15 Pro, USB-C"),
    ("1,000 items, 1000-2000 units", "1,000 items, 1000 to 2000 units"),
]

CHINESE = [
    ("3-5天送达", "三到五天送达"),
    ("价格¥199", "价格一百九十九元"),
    ("199元", "一百九十九元"),
    ("$29.99", "二十九点九九美元"),
    ("优惠30%", "优惠百分之三十"),
    ("10-15%", "百分之十到百分之十五"),
    ("订单VV-10342", "订单V V 一零三四二"),
    ("订单号10342", "订单号一零三四二"),
    ("热线400-820-8820", "热线四零零，八二零，八八二零"),
    ("手机13812345678", "手机幺三八幺二三四五六七八"),
    ("2026-05-04", "二零二六年五月四日"),
    ("2026年5月", "二零二六年五月"),
    ("营业9:00-18:30", "营业九点到十八点半"),
    ("2:05", "两点零五分"),
    ("2件，第2天，2个月", "两件，第二天，两个月"),
    ("重15kg，25℃", "重十五公斤，二十五摄氏度"),
    ("共12000元", "共一万二千元"),
    ("邮箱a@b.com", "邮箱a艾特b点com"),
]


@pytest.mark.parametrize(("written", "said"), ENGLISH, ids=[pair[0] for pair in ENGLISH])
def test_english_figures_and_signs_are_said_as_people_say_them(written: str, said: str) -> None:
    assert spoken(written, "en").text == said


@pytest.mark.parametrize(("written", "said"), CHINESE, ids=[pair[0] for pair in CHINESE])
def test_chinese_figures_and_signs_are_said_as_people_say_them(written: str, said: str) -> None:
    assert spoken(written, "zh").text == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("**Refunds** take *time*.", "Refunds take time."),
        ("see [our page](https://x.shop/a)", "see our page"),
        ("# Title\n- one\n- two `code`", "Title. one. two code"),
        ("| a | b |\n|---|---|\n| c | d |", "a, b. c, d"),
        ("<b>bold</b>", " bold "),
        ("~~old~~ new", "old new"),
        ("fine 😀👍🏽 thanks", "fine thanks"),
        ("a\u200bb\u0000c", "a b c"),
        ("3*4", "3 times 4"),
    ],
)
def test_markup_and_emoji_are_not_spoken(written: str, said: str) -> None:
    assert spoken(written, "en").text == said


@pytest.mark.parametrize("written", ["", "   ", "...!?", "😀🎉", "—", "。。。", "\n\n", "\ud800"])
@pytest.mark.parametrize("language", ["en", "zh", "de"])
def test_what_has_nothing_to_say_is_empty(written: str, language: str) -> None:
    assert spoken(written, language).text == ""


@given(st.text(max_size=80), st.sampled_from(["en", "zh", "de"]))
def test_every_spoken_character_comes_from_a_written_one_in_order(written: str, language: str) -> None:
    said = spoken(written, language)
    assert len(said.origins) == len(said.text)
    assert list(said.origins) == sorted(said.origins)
    assert all(0 <= origin < len(written) for origin in said.origins)


def test_origins_point_at_what_was_rewritten() -> None:
    written = "Pay $29.99 now"
    said = spoken(written, "en")
    assert written[said.origins[said.text.index("29")]] == "$"
    assert written[said.origins[said.text.index("now")]] == "n"


def test_language_follows_the_script() -> None:
    assert language_of("Where is my order?") == "en"
    assert language_of("我的订单在哪里") == "zh"
    assert language_of("请用Visa或Mastercard支付") == "zh"
    assert language_of("My friend 王 is waiting in the shop") == "en"
    assert language_of("12345") == "en"
    assert normal_language("zh-CN") == normal_language("cmn") == "zh"
    assert normal_language("en_US") == "en"


def test_written_words_are_words_in_english_and_characters_in_chinese() -> None:
    assert [word.text for word in written_words("**Hello**, you 😀")] == ["Hello**,", "you", "😀"]
    assert [word.text for word in written_words("您好，Visa。")] == ["您", "好，", "Visa。"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("0", "零"),
        ("10", "十"),
        ("15", "十五"),
        ("101", "一百零一"),
        ("110", "一百一十"),
        ("1010", "一千零一十"),
        ("10001", "一万零一"),
        ("12000", "一万二千"),
        ("100000", "十万"),
        ("100000001", "一亿零一"),
        ("1,200,300.05", "一百二十万零三百点零五"),
    ],
)
def test_chinese_numbers(number: str, said: str) -> None:
    assert chinese_number(number) == said


def test_a_number_too_long_for_chinese_places_is_read_digit_by_digit() -> None:
    assert chinese_number("9" * 17) == "九" * 17
    assert digit_by_digit("101", "幺") == "幺零幺"


def test_a_text_too_long_for_a_voice_is_refused_with_advice() -> None:
    check_text("a" * MAX_TEXT_CHARACTERS)
    with pytest.raises(SpeechError, match="split it into sentences"):
        check_text("a" * (MAX_TEXT_CHARACTERS + 1))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("from 1 November to 24 December", "from the 1st of November to the 24th of December"),
        ("until the 31 January", "until the 31st of January"),
        ("on Friday 3 October 2026", "on Friday the 3rd of October 20 26"),
        ("in May", "in May"),
        ("45 March hares", "45 March hares"),
    ],
)
def test_a_day_of_a_month_is_said_as_people_do(written: str, said: str) -> None:
    assert spoken(written, "en").text == said
