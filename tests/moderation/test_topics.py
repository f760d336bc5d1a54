"""Topics that a desk gives no advice on, promises that it does not make, rivals that it does not name."""

from __future__ import annotations

import pytest

from moderation import Guard, Policy

ADVICE = {
    "medical": [
        "Can I take ibuprofen with alcohol?",
        "is it safe to take ibuprofen while pregnant?",
        "do I have diabetes?",
        "吃了布洛芬可以喝酒吗",
        "孩子发烧吃什么药",
        "头孢和布洛芬能一起吃吗",
    ],
    "legal": [
        "should I sue my landlord?",
        "Can my landlord evict me in winter?",
        "do I need a lawyer",
        "我该起诉房东吗",
        "老板可以开除我吗",
    ],
    "financial": [
        "which stock should I buy",
        "should I invest in Tesla?",
        "How should I invest my savings?",
        "比特币还会涨吗",
        "我该买什么基金",
    ],
}
SHOP = [
    "is this tent safe in storms",
    "what legal form has your company",
    "can I pay in instalments",
    "Do you sell ibuprofen?",
    "can I take my medication on the plane",
    "should I buy gold or silver earrings",
    "which stocks do you have in 42",
    "what are my rights if the item is faulty",
    "I'll sue you if you don't refund me",
    "is it safe to use this indoors",
    "I want to invest in a better mattress, which one do you recommend?",
    "can I get a receipt for my tax return",
    "可以分期付款吗",
    "你们公司是什么性质的",
    "可以告诉我订单状态吗",
    "药盒有货吗",
    "过敏了可以退吗",
    "可以开发票吗",
]


@pytest.fixture(scope="module")
def strict() -> Guard:
    return Guard(
        Policy.from_table(
            {"actions": {"topic": {"output": "refuse"}}, "words": {"competitors": ["Amazon", "亚马逊"]}}
        )
    )


@pytest.mark.parametrize(("topic", "text"), [(name, one) for name, ones in ADVICE.items() for one in ones])
def test_a_question_for_a_professional_is_refused(guard: Guard, topic: str, text: str) -> None:
    assert guard.screen(text).rule == f"topic.{topic}"


@pytest.mark.parametrize("text", SHOP)
def test_a_question_for_a_shop_is_answered(guard: Guard, text: str) -> None:
    assert guard.screen(text).passes


def test_advice_is_kept_from_what_the_desk_says_where_its_policy_says_so(guard: Guard, strict: Guard) -> None:
    for advice in (
        "You should take two ibuprofen.",
        "您可以直接起诉他们。",
        "I suggest buying Tesla shares.",
    ):
        assert strict.screen(advice, "output").category == "topic"
        assert guard.screen(advice, "output").passes
    for declined in ("Please ask a doctor before you take ibuprofen.", "我不能提供投资建议。"):
        assert strict.screen(declined, "output").passes


def test_a_desk_may_do_without_the_patterns() -> None:
    pharmacy = Guard(Policy.from_table({"topics": {"medical": {"patterns": False, "phrases": []}}}))
    assert pharmacy.screen("Can I take ibuprofen with alcohol?").passes
    assert pharmacy.screen("should I sue my landlord?").rule == "topic.legal"


@pytest.mark.parametrize(
    "text",
    [
        "This is 100 % guaranteed.",
        "You'll definitely receive your refund tomorrow.",
        "We give you our word.",
        "Your parcel will definitely arrive tomorrow.",
        "我们保证",
        "您一定会收到退款",
        "绝对没问题",
        "保证明天送到",
    ],
)
def test_a_promise_is_not_made(guard: Guard, text: str) -> None:
    assert guard.screen(text, "output").rule == "promise.made"


@pytest.mark.parametrize(
    "text",
    [
        "We cannot guarantee that.",
        "Delivery is not guaranteed.",
        "I can't promise you will definitely get it.",
        "You will get your refund within 14 days.",
        "我们不能保证",
        "您不一定会收到退款",
        "无法保证明天送到",
    ],
)
def test_what_is_hedged_is_no_promise(guard: Guard, text: str) -> None:
    assert guard.screen(text, "output").passes


def test_a_river_is_no_competitor(strict: Guard) -> None:
    assert strict.screen("In the Amazon rainforest it rains.", "output").passes
    assert strict.screen("亚马逊雨林很潮湿。", "output").passes
    assert strict.screen("It is cheaper on Amazon.", "output").rule == "competitor.named"
    assert strict.screen("亚马逊上更便宜。", "output").rule == "competitor.named"
