"""Identity numbers, devices, wallets, spoken numbers and addresses, names: what is found and what is not."""

import pytest

from moderation.mask import masked
from moderation.personal_data import PersonalDataScreener, personal_findings, personal_spans
from moderation.policy import Contacts, PersonalData
from moderation.screener import Subject
from moderation.verdict import Direction

FOUND = [
    ("my social is 123 45 6789", "my social is [social security number]"),
    ("ITIN 912-70-1234", "ITIN [social security number]"),
    ("NHS number 943 476 5919", "NHS number [ID number]"),
    ("Steuer-ID 36574261809", "Steuer-ID [ID number]"),
    ("DNI 12345678Z", "DNI [ID number]"),
    ("X1234567L", "[ID number]"),
    ("codice fiscale RSSMRA85T10A562S", "codice fiscale [ID number]"),
    ("BSN 111222333", "BSN [ID number]"),
    ("Aadhaar 2341 2341 2346", "Aadhaar [ID number]"),
    ("PAN ABCPE1234F", "PAN [ID number]"),
    ("NRIC S1234567D", "NRIC [ID number]"),
    ("HKID A123456(3)", "HKID [ID number]"),
    ("身份证 A123456789", "身份证 [证件号码]"),
    ("身份證11010519491231002X", "身份證[身份证号]"),
    ("My Number 1234 5678 9018", "My Number [ID number]"),
    ("900101-1234567", "[ID number]"),
    ("CPF 529.982.247-25", "CPF [ID number]"),
    ("my SIN is 046 454 286", "my SIN is [ID number]"),
    ("TFN 123 456 782", "TFN [ID number]"),
    ("driver's license number is F162823540116", "driver's license number is [licence number]"),
    ("my IP is 41.173.96.26", "my IP is [IP address]"),
    ("mac 00:1A:2B:3C:4D:5E", "mac [device address]"),
    ("0x52908400098527886E0F7030069857D2E4169EE7", "[wallet address]"),
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "[wallet address]"),
    ("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "[wallet address]"),
    ("license plate ABC 1234", "license plate [number plate]"),
    ("车牌京A12345", "车牌[车牌号]"),
    ("BIC DEUTDEFF500", "BIC [bank code]"),
    (
        "sort code 20-00-00 account number 12345678",
        "sort code [account number] account number [account number]",
    ),
    ("cvv is one two three", "cvv is [security code]"),
    ("my birthday is March 3rd, 1985", "my birthday is [date of birth]"),
    ("生日是1990年2月3日", "生日是[出生日期]"),
    ("I was born on the third of May 1984", "I was born on the [date of birth]"),
    ("my birthday is may twenty-first, nineteen oh four", "my birthday is [date of birth]"),
    ("生日就是一九八四年五月二十三号", "生日就是[出生日期]"),
    ("我是八四年十二月三日出生的", "我是[出生日期]出生的"),
    (
        "the last four of my ssn are six seven eight nine",
        "the last four of my ssn are [social security number]",
    ),
    ("my SSN ends in 6789", "my SSN ends in [social security number]"),
    ("卡号四一一一 一一一一 一一一一 一一一一", "卡号[银行卡号]"),
    ("手机幺三八，三个零，幺二三四五", "手机[电话号码]"),
    ("card four one double one, one one one one, one triple one, one one one one", "card [card number]"),
    ("four to four two four two four too four two four two four two four two", "[card number]"),
    ("john dot smith at example dot com", "[e-mail address]"),
    ("my email is j o h n at gmail dot com", "my email is [e-mail address]"),
    ("write to john [at] example [dot] org", "write to [e-mail address]"),
    ("我的邮箱是 zhangsan 艾特 qq 点 com", "我的邮箱是 [邮箱]"),
    ("call 345-899-3560x4587", "call [phone number]"),
    ("Desk: +1-903-140-4508x769", "Desk: [phone number]"),
    ("call me on 01.84.17.61.18?", "call me on [phone number]?"),
    ("card number 630427373398 is lost", "card number [card number] is lost"),
    ("I live at 221B Baker Street, London NW1 6XE", "I live at [address]"),
    ("ship it to 55 W 42nd St, New York, NY 10036", "ship it to [address]"),
    ("送到北京市朝阳区建国路12号3单元", "送到[地址]"),
    ("My name is Peter Parker", "My name is [name]"),
    ("我是张伟先生", "我是[姓名]先生"),
    ("收件人：王小明", "收件人：[姓名]"),
]
NOT_PERSONAL = [
    *(
        "192.168.1.1 is my router",
        "my order of the third of May nineteen eighty four",
        "我一九八四年五月三日买的",
        "is there anything free on my birthday in May",
        "the last four digits of my order are 6789",
        "firmware 1.2.33.4",
        "tracking 1Z999AA10123456784",
        "my account id is hzmks1",
    ),
    *(
        "order id 1234567890",
        "parcel 9400110200881234567890",
        "订单号 202611210001",
        "1,234,567.89 or 1.234.567,89",
    ),
    *("my membership number is 12345678", "isbn 978-3-16-148410-0", "EAN 4006381333931", "serial S1234567"),
    *(
        "part B12345678Z",
        "order at lamps dot com",
        "look at amazon dot com",
        "一个人三个月两个包",
        "two to three for four",
    ),
    *(
        "the 2nd street on the left",
        "I waited 5 days on the street",
        "file name: Report",
        "my name is on the list",
    ),
    *("I am happy", "我是高兴的", "2026-11-21 10:30:00", "card ending 4242", "call me at 10 30"),
    *("the meeting is 10.00-18.00", "between 2019 2020 2021 2022", "京东A区3号柜", "the plate is 30 cm"),
]


@pytest.mark.parametrize(("text", "shown"), FOUND)
def test_what_is_personal_is_found_for_what_is_kept(text: str, shown: str) -> None:
    language = "en" if text.isascii() or text[0].isascii() else "zh"
    findings = personal_findings(text)
    assert masked(text, findings, language) == shown


@pytest.mark.parametrize("text", NOT_PERSONAL)
def test_what_is_not_personal_stays(text: str) -> None:
    assert personal_findings(text) == []


def test_spans_are_in_order_and_say_what_they_are() -> None:
    text = "My name is Peter Parker, my card is 4111 1111 1111 1111"
    spans = personal_spans(text)
    assert [(text[span.start : span.end], span.category) for span in spans] == [
        ("Peter Parker", "pii.name"),
        ("4111 1111 1111 1111", "pii.card"),
    ]


def test_names_and_addresses_reach_what_answers_unless_the_policy_says_otherwise() -> None:
    subject = Subject("My name is Peter Parker", Direction.INPUT, "en")
    assert list(PersonalDataScreener(PersonalData(), Contacts()).screen(subject)) == []
    asked = PersonalDataScreener(PersonalData(names=True), Contacts()).screen(subject)
    assert [each.rule for each in asked] == ["pii.name"]


def test_the_desk_may_name_its_own_address() -> None:
    screener = PersonalDataScreener(PersonalData(names=True), Contacts())
    subject = Subject("Our shop is at 12 Elm Street, Springfield.", Direction.OUTPUT, "en")
    assert list(screener.screen(subject)) == []
