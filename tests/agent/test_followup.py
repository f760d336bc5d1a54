"""Follow-ups are searched with what they leave to the conversation; what stands by itself is not touched."""

import re
from types import SimpleNamespace
from typing import cast

import pytest

from agent.engines import Engines
from agent.followup import follows, standalone
from agent.history import Exchange, Memory
from agent.lookup import Lookup
from agent.sentence import Outcome
from knowledge.passage import Passage


def after(*questions: str, reply: str = "", outcome: Outcome = Outcome.ANSWERED) -> tuple[Exchange, ...]:
    return tuple(Exchange(question, reply, outcome, False) for question in questions)


ENGLISH = [
    # before, follow-up, words that it must hold, words that it must not hold
    ("How much is delivery to Ireland?", "And for abroad?", "delivery abroad", "ireland"),
    ("How much is delivery in Ireland?", "what about Switzerland", "delivery switzerland", "ireland"),
    ("Do you deliver to Germany?", "How much is that?", "deliver germany", ""),
    ("Do you deliver to Norway?", "how long does it take?", "deliver norway", ""),
    ("How long do I have to return something?", "and for sale items?", "return sale items", ""),
    ("Can I return a tent?", "what about lamps?", "return lamps", "tent"),
    ("When is the Dublin store open?", "And Cork?", "store open cork", "dublin"),
    ("When is the Cork store open?", "and on Sundays?", "cork store open sundays", ""),
    ("Is the Dublin store open on Saturdays?", "And on Sundays?", "dublin store open sundays", "saturdays"),
    ("How do I return a backpack?", "Is it free?", "return backpack free", ""),
    ("Do you offer gift wrapping?", "How much does it cost?", "gift wrapping cost", ""),
    ("Where can I find my invoice?", "Can you send it again?", "invoice send", ""),
    ("How long is the warranty on tents?", "and on backpacks?", "warranty backpacks", ""),
    ("How long is the warranty on tents?", "What does it cover?", "warranty cover tents", ""),
    ("Can I pay by PayPal?", "And with a gift card?", "pay gift card", "paypal"),
    ("Can I pay with a credit card?", "what about cash?", "pay cash", ""),
    ("How do I clean a cast iron pan?", "and a tent?", "clean tent", "pan"),
    ("My parcel is late", "what can I do about it?", "parcel late", ""),
    ("Do you repair stoves?", "how much?", "repair stoves", ""),
    ("Do you repair stoves?", "How long?", "repair stoves", ""),
    ("Can I collect my order in a store?", "how long do you keep it?", "collect order store keep", ""),
    ("Can I collect in a store?", "Which ones?", "collect store", ""),
    ("Do you price match?", "Why not?", "price match", ""),
    ("How do I open an account?", "And how do I delete it?", "account delete", ""),
    ("Can I exchange a jacket?", "Do I pay for that?", "exchange jacket pay", ""),
    ("How do loyalty points work?", "When do they expire?", "loyalty points expire", ""),
    ("Do you sell gift cards?", "How long are they valid?", "gift cards valid", ""),
    ("Do you have instalments?", "is there interest on it?", "instalments interest", ""),
    ("Is express delivery possible?", "how much more is that?", "express delivery", ""),
    ("What does express delivery cost?", "and to Germany?", "express delivery cost germany", ""),
    ("Can I return worn shoes?", "and without a receipt?", "return shoes receipt", ""),
    ("Do you deliver large furniture?", "Is that upstairs too?", "deliver furniture upstairs", ""),
    ("What are your delivery times?", "for Belgium?", "delivery times belgium", ""),
    ("My lamp arrived damaged", "Do I need to send photos of it?", "lamp damaged photos", ""),
    ("Can I change my delivery address?", "Until when?", "change delivery address", ""),
    ("How can I get a refund?", "When will I get it?", "refund", ""),
    ("Do you recycle gas canisters?", "And batteries?", "recycle batteries", ""),
    (
        "Is the Galway store wheelchair accessible?",
        "and the Dublin one?",
        "store accessible dublin",
        "galway",
    ),
    ("How much is shipping within Ireland?", "How about to the UK?", "shipping uk", "ireland"),
    ("Do you have parking at the Cork store?", "is that free?", "parking cork", ""),
]
CHINESE = [
    ("寄到爱尔兰要多少钱？", "那国外呢？", "国外 寄到 多少钱", "爱尔兰"),
    ("退货要多久？", "那要多少钱？", "退货 多少钱", ""),
    ("退款怎么办理？", "那要多久?", "退款 多久", ""),
    ("能送到瑞士吗？", "要多久？", "送到 瑞士 多久", ""),
    ("能送到瑞士吗？", "那挪威呢？", "送到 挪威", "瑞士"),
    ("都柏林门店几点开门？", "周末呢？", "都柏林 门店 开门 周末", ""),
    ("都柏林门店几点开门？", "科克呢？", "门店 开门 科克", "都柏林"),
    ("周六开门吗？", "那周日呢？", "周日 开门", "周六"),
    ("帐篷可以退吗？", "睡袋呢？", "退 睡袋", ""),
    ("可以用支付宝付款吗？", "信用卡呢？", "付款 信用卡", "支付宝"),
    ("可以用支付宝付款吗？", "那微信也可以吗？", "付款 微信", ""),
    ("你们有礼品包装吗？", "多少钱？", "礼品包装 多少钱", ""),
    ("你们有礼品包装吗？", "贵吗？", "礼品包装 贵", ""),
    ("保修期是多长时间？", "那个要发票吗？", "保修期 发票", ""),
    ("灯坏了可以修吗？", "要钱吗？", "灯 修 钱", ""),
    ("怎么换货？", "免费吗？", "换货 免费", ""),
    ("我的包裹晚了", "怎么办？", "包裹 怎么办", ""),
    ("怎么开发票？", "这个要多久？", "发票 多久", ""),
    ("门店可以自提吗？", "可以保留几天？", "自提 保留", ""),
    ("积分怎么用？", "它们什么时候过期？", "积分 过期", ""),
    ("礼品卡能用多久？", "可以退吗？", "礼品卡 退", ""),
    ("大件家具能送货上门吗？", "那国外也可以吗？", "国外 大件 家具 送货", ""),
    ("可以分期付款吗？", "要利息吗？", "分期 利息", ""),
    ("我想取消预购", "为什么不行？", "预购", ""),
    ("退货的运费谁付？", "那换货呢？", "运费 换货", ""),
    ("订单可以改地址吗？", "什么时候之前？", "改地址 什么时候", ""),
    ("能开企业发票吗？", "怎么弄？", "企业发票 怎么弄", ""),
    ("快递丢了怎么办？", "要等几天？", "快递 丢 几天", ""),
    ("德国多久能送到？", "法国呢", "法国 送到", "德国"),
    ("有没有学生优惠？", "那会员呢？", "优惠 会员", ""),
    ("工作日几点关门？", "节假日呢？", "节假日 关门", "工作日"),
    ("修一个炉子多少钱？", "那要等多久？", "炉子 多久", ""),
    ("预购商品什么时候发货？", "可以取消吗？", "预购 取消", ""),
    ("送货到英国多少钱？", "那边要几天？", "英国 送货 几天", ""),
    ("可以货到付款吗？", "国外也行吗？", "国外 货到付款", ""),
    ("洗帐篷用什么？", "那背包呢？", "洗 背包", ""),
    ("退货需要原包装吗？", "没有的话呢？", "退货 包装", ""),
    ("可以修改订单吗？", "在哪里？", "修改订单 在哪里", ""),
    ("收到的货坏了", "这种情况可以退吗？", "坏 退", ""),
    ("会员有什么好处？", "怎么加入？", "会员 加入", ""),
]
ALONE = [
    "How do I return a tent?",
    "Can I return a tent if it is used?",
    "My lamp arrived broken and it is still in its box",
    "What is the warranty on your stoves?",
    "Is it possible to change the delivery address?",
    "Where is my order HP-10342?",
    "And how do I clean a cast iron pan?",
    "What about the warranty: how long does the shop repair lamps for free?",
    "Do you have a store in Cork?",
    "Are there any discounts for students?",
    "How long does it take to get a refund?",
    "thanks, bye",
    "I want to talk to a person",
    "怎么退货？",
    "退款要多久才能到账？",
    "那我想问一下礼品卡的有效期是多久？",
    "你们都柏林的门店周末开门吗？",
    "我的订单 HP-10342 到哪里了？",
    "这个帐篷的保修期是多久？",
    "谢谢，再见",
    "转人工",
]


@pytest.mark.parametrize(("before", "question", "holds", "lacks"), ENGLISH + CHINESE)
def test_a_follow_up_holds_what_it_left_to_the_conversation(
    before: str, question: str, holds: str, lacks: str
) -> None:
    made = standalone(question, after(before)).casefold()
    chinese = bool(re.search(r"[\u4e00-\u9fff]", question))
    words = made if chinese else set(re.findall(r"[a-z]+", made))
    assert [word for word in holds.split() if word not in words] == [], made
    assert [word for word in lacks.split() if word in words] == [], made


@pytest.mark.parametrize("question", ALONE)
@pytest.mark.parametrize("before", ["How much is delivery to Ireland?", "寄到爱尔兰要多少钱？"])
def test_a_question_that_stands_by_itself_is_not_touched(question: str, before: str) -> None:
    assert standalone(question, after(before)) == question


@pytest.mark.parametrize("question", ["And for abroad?", "那国外呢？", "How much is that?"])
def test_without_a_conversation_nothing_is_put_in(question: str) -> None:
    assert standalone(question, ()) == question


def test_a_chain_of_follow_ups_keeps_its_topic() -> None:
    made = standalone("how long does it take?", after("How much is delivery to Ireland?", "And to Spain?"))
    assert {"delivery", "spain"} <= set(re.findall(r"[a-z]+", made.casefold()))
    assert "ireland" not in made.casefold()
    made = standalone("要多久？", after("寄到爱尔兰要多少钱？", "那德国呢？"))
    assert "德国" in made
    assert "爱尔兰" not in made


def test_small_talk_and_refused_words_in_between_are_passed_over() -> None:
    history = (
        *after("Do you deliver to Norway?"),
        *after("you idiots", outcome=Outcome.REFUSED),
        *after("thank you"),
    )
    assert "norway" in standalone("how much is that?", history).casefold()


def test_a_name_that_was_spoken_of_is_put_in_where_a_question_means_it() -> None:
    history = after("I need a guest house.", reply="I recommend the Bridge Guest House. It has free parking.")
    assert "Bridge Guest House" in standalone("Do they have good breakfast?", history)
    history = after("any cheap hotel?", reply="The Kirkwood House has four stars.")
    assert "Kirkwood House" in standalone("Does the hotel have a gym?", history)


def test_a_follow_up_in_the_other_language_keeps_both() -> None:
    made = standalone("要多少钱？", after("Do you deliver to Norway?"))
    assert "Norway" in made
    assert "多少钱" in made


@pytest.mark.parametrize(
    ("reply", "answer", "chosen"),
    [
        (
            "I want to be sure that I understand. Do you mean Refunds, or Return costs?",
            "The second one.",
            "Return costs",
        ),
        (
            "I want to be sure that I understand. Do you mean Refunds, or Return costs?",
            "the first",
            "Refunds",
        ),
        ("我想确认一下，您是想问退款，还是退货？", "第二个", "退货"),
        ("我想确认一下，您是想问退款，还是退货？", "前者", "退款"),
    ],
)
def test_which_of_two_topics_is_meant_may_be_said_by_its_place(reply: str, answer: str, chosen: str) -> None:
    before = "How much is it?" if reply.isascii() else "要多久？"
    made = standalone(answer, after(before, reply=reply, outcome=Outcome.CLARIFIED))
    assert made.startswith(before[:3])
    assert made.endswith(chosen)


def passage(source: str, text: str, score: float = 0.9) -> Passage:
    return Passage(source, source, source, text, score)


def test_what_something_costs_is_spoken_of_where_there_is_a_price() -> None:
    tour = [passage("tour", "The harbour tour takes 90 minutes and is 69 euros a person.")]
    assert follows("How much is it?", tour)
    assert follows("多少钱？", [passage("tour", "港口游览每人六十九欧元。")])
    assert not follows("How heavy may it be?", tour)


@pytest.mark.parametrize(
    ("together", "alone", "taken"),
    [(0.57, 0.96, "deposit"), (0.57, 0.7, "prices"), (0.7, 0.96, "prices")],
)
def test_a_question_that_has_a_sure_answer_by_itself_is_not_bent_to_the_one_before(
    together: float, alone: float, taken: str
) -> None:
    def look_up(question: str, language: str, own: str = "") -> tuple[tuple[Passage, ...], float]:
        score, source = (alone, "deposit") if question == asked else (together, "prices")
        return (passage(source, "The deposit is 150 euros.", score),), score

    asked = "What about the deposit?"
    memory = SimpleNamespace(exchanges=after("How much does an e-bike cost per day?", reply="35 euros."))
    settings = SimpleNamespace(knowledge=SimpleNamespace(answer_from=0.5))
    engines = SimpleNamespace(look_up=look_up, desk=SimpleNamespace(settings=settings))
    found = Lookup(cast(Memory, memory), cast(Engines, engines), "en").of(asked).whole.passages
    assert found[0].source == taken
