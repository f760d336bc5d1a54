import pytest

from agent.dictation import asks_to_dictate


@pytest.mark.parametrize(
    "text",
    [
        "What is your order number?",
        "Could you give me the order number, please?",
        "Please tell me your e-mail address.",
        "Could you spell your name?",
        "请告诉我您的订单号。",
        "您的手机号是多少？",
    ],
)
def test_a_question_for_digits_or_an_address_is_patient(text: str) -> None:
    assert asks_to_dictate(text)


@pytest.mark.parametrize(
    "text",
    [
        "Your order number stands in the e-mail that we sent you.",
        "Do you mean a return, or a repair?",
        "How can I help you?",
        "订单号在确认邮件里。",
        "请问有什么可以帮您？",
    ],
)
def test_what_only_speaks_of_them_is_not(text: str) -> None:
    assert not asks_to_dictate(text)
