import pytest

from moderation import Guard, Policy

FOUND = [
    ("my card is 4111 1111 1111 1111 ok", "pii.card", "my card is [card number] ok"),
    ("4111-1111-1111-1111", "pii.card", "[card number]"),
    ("5555555555554444", "pii.card", "[card number]"),
    ("378282246310005", "pii.card", "[card number]"),
    ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "pii.card", "[card number]"),
    ("４１１１ １１１１ １１１１ １１１１", "pii.card", "[card number]"),
    ("4111 1111 1111 1111 12/26", "pii.card", "[card number] 12/26"),
    (
        "it's four one one one, one one one one, one one one one, one one one one thanks",
        "pii.card",
        "it's [card number] thanks",
    ),
    ("IBAN GB82 WEST 1234 5698 7654 32", "pii.iban", "IBAN [account number]"),
    ("de89370400440532013000", "pii.iban", "[account number]"),
    ("write to jo.bloggs+x@mail.example.org.", "pii.email", "write to [e-mail address]."),
    ("jo at gmail dot com", "pii.email", "[e-mail address]"),
    ("call me on 07911 123456", "pii.phone", "call me on [phone number]"),
    ("call (202) 555-0143", "pii.phone", "call [phone number]"),
    ("my number is 2025550143", "pii.phone", "my number is [phone number]"),
    ("(977) 625-2661", "pii.phone", "[phone number]"),
    ("my phone number is 467 3395", "pii.phone", "my phone number is [phone number]"),
    ("+49 30 901820", "pii.phone", "[phone number]"),
    ("two oh two five five five oh one four three", "pii.phone", "[phone number]"),
    ("我的手机号是13812345678。", "pii.phone", "我的手机号是[电话号码]。"),
    ("我的卡号是4111111111111111谢谢", "pii.card", "我的卡号是[银行卡号]谢谢"),
    ("打给我+44 20 7946 0958好吗", "pii.phone", "打给我[电话号码]好吗"),
    ("电话幺三八一二三四五六七八", "pii.phone", "电话[电话号码]"),
    ("身份证11010519491231002X", "pii.resident_id", "身份证[身份证号]"),
    ("ssn 123-45-6789", "pii.ssn", "ssn [social security number]"),
    ("my NI number is AB 12 34 56 C", "pii.nino", "my NI number is [national insurance number]"),
    ("the cvv is 123", "pii.security_code", "the cvv is [security code]"),
    ("I was born on 12/03/1985", "pii.birth_date", "I was born on [date of birth]"),
    ("passport number X1234567", "pii.passport", "passport number [passport number]"),
    ("barcode 4111111111111111", "pii.card", "barcode [card number]"),
    ("货号4111111111111111", "pii.card", "货号[银行卡号]"),
]
NOT_PERSONAL = [
    "order HP-10342",
    "my order 10342",
    "order number 12345678",
    "tracking 1234567890",
    "parcel 9400110200881234567890",
    "it was 1,299.00 on 2026-10-11 at 10:30",
    "between 2019 2020 2021 2022",
    "210 x 140 x 110 cm, 2000 2500 mm",
    "model 5520-1234-88",
    "4111 1111 1111 1112",
    "DE89370400440532013001",
    "11010519491231002Y",
    "order one oh three four two",
    "two lamps, three chairs, four cups, five plates and six forks",
    "我的订单是一零三四五",
    "订单号12345678",
    "1 800 lumens",
    "open 9-5 and 10.00-18.00",
    "me @ home",
    "I have 10 20 30 40 50",
    "serial number 2025550143",
]


@pytest.mark.parametrize(("text", "rule", "masked"), FOUND)
def test_personal_data_is_masked(guard: Guard, text: str, rule: str, masked: str) -> None:
    verdict = guard.screen(text)
    assert (verdict.action, verdict.rule, verdict.text) == ("mask", rule, masked)


@pytest.mark.parametrize("text", NOT_PERSONAL)
def test_order_numbers_prices_and_years_are_not_personal(guard: Guard, text: str) -> None:
    verdict = guard.screen(text)
    assert (verdict.action, verdict.text) == ("allow", text)


@pytest.mark.parametrize(
    ("text", "rule", "masked"),
    [
        ("my password is Sommer24!", "secrets.password", "my password is [secret]"),
        ("密码是abc12345", "secrets.password", "密码是[密码]"),
        ("the verification code is 483920", "secrets.code", "the verification code is [secret]"),
        ("key sk-abcdefghijklmnopqrstuvwx123", "secrets.key", "key [secret]"),
        ("AKIAIOSFODNN7EXAMPLE", "secrets.key", "[secret]"),
    ],
)
def test_secrets_are_masked_when_heard_and_refused_when_said(
    guard: Guard, text: str, rule: str, masked: str
) -> None:
    heard = guard.screen(text)
    assert (heard.action, heard.rule, heard.text) == ("mask", rule, masked)
    assert guard.screen(text, "output").action == "refuse"


@pytest.mark.parametrize(
    "text", ["my password is not working", "I forgot my password", "密码是多少", "the code is broken"]
)
def test_talk_about_passwords_is_no_secret(guard: Guard, text: str) -> None:
    assert guard.screen(text).action == "allow"


def test_the_desk_says_only_its_own_contacts() -> None:
    guard = Guard(
        Policy.from_table(
            {
                "contacts": {
                    "phones": ["+44 20 7946 0958"],
                    "emails": ["@shop.example"],
                    "links": ["shop.example"],
                }
            }
        )
    )
    own = "Call 020 7946 0958, write to help@shop.example or see www.shop.example/help."
    assert guard.screen(own, "output").action == "allow"
    foreign = guard.screen(
        "Call 020 7946 0111, write to a@evil.example or see http://evil.example/x.", "output"
    )
    assert foreign.action == "mask"
    assert foreign.text == "Call [phone number], write to [e-mail address] or see [link]."
    assert guard.screen("my number is 020 7946 0958").rule == "pii.phone"


def test_a_desk_may_ignore_its_own_numbers() -> None:
    guard = Guard(Policy.from_table({"personal_data": {"ignore": [r"\bSN \d{4} \d{4} \d{4} \d{4}\b"]}}))
    assert guard.screen("SN 4111 1111 1111 1111").action == "allow"
    assert guard.screen("no 4111 1111 1111 1111").rule == "pii.card"


@pytest.mark.parametrize(
    ("link", "rule"),
    [
        ("http://192.168.1.1/login", "unsafe_link.address"),
        ("https://paypal.com@evil.example/", "unsafe_link.userinfo"),
        ("https://xn--pypal-4ve.com", "unsafe_link.lookalike"),
        ("https://pаypal.com", "unsafe_link.lookalike"),
        ("bit.ly/abc", "unsafe_link.shortener"),
        ("https://shop.example/setup.exe", "unsafe_link.download"),
        ("javascript:alert(1)", "unsafe_link.scheme"),
        ("http://free.gift.tk/", "unsafe_link.domain"),
    ],
)
def test_a_link_that_hides_where_it_leads_is_masked(guard: Guard, link: str, rule: str) -> None:
    verdict = guard.screen(f"go to {link} now")
    assert (verdict.action, verdict.rule, verdict.text) == ("mask", rule, "go to [link] now")


def test_a_plain_link_may_be_heard(guard: Guard) -> None:
    assert guard.screen("I saw it on www.shop.example/lamps, e.g. this.").action == "allow"
