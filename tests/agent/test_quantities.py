import pytest

from agent.quantities import quantities


def found(text: str) -> list[tuple[float, str]]:
    return [(one.value, one.unit) for one in quantities(text)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("within thirty days", "30 天内"),
        ("within a week", "7 days"),
        ("two to four working days", "2到4个工作日"),
        ("12 months", "one year"),
        ("€12.90", "12.90 euros"),
        ("1,299 dollars", "1299美元"),
        ("twenty-five per cent", "百分之二十五"),
        ("two hundred and fifty pounds", "250英镑"),
        ("31 January", "1 月 31 日"),
        ("January 31st", "2026-01-31"),
        ("from 9 am to 5:30 pm", "上午九点到下午五点半"),
        ("13:00", "下午一点"),
        ("30 minutes", "半小时"),
        ("on Wednesday", "星期三"),
        ("020 910 0142", "0209100142"),
        ("两千三百五十元", "2350 yuan"),
        ("三件商品", "3 goods"),
    ],
)
def test_the_same_amount_is_the_same_however_it_is_written(one: str, other: str) -> None:
    ours, theirs = quantities(one), quantities(other)
    assert ours
    assert all(any(a.agrees(b) for b in theirs) for a in ours)
    assert all(any(a.agrees(b) for b in ours) for a in theirs)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("30 days", "30 weeks"),
        ("5 days", "5 working days"),
        ("9.90 euros", "9.90 dollars"),
        ("10 %", "10 euros"),
        ("9 am", "9 pm"),
        ("1 May", "5 January"),
        ("Monday", "Tuesday"),
        ("HP-41170", "HP-41171"),
        ("三天", "四天"),
        ("八折", "八元"),
    ],
)
def test_other_amounts_are_others(one: str, other: str) -> None:
    (ours,), (theirs,) = quantities(one), quantities(other)
    assert not ours.agrees(theirs)


@pytest.mark.parametrize(
    "text", ["one of us", "一样可以退", "有一点贵", "第一次", "you may come", "统一", "all together"]
)
def test_words_that_only_look_like_numbers_are_none(text: str) -> None:
    assert found(text) == []


def test_a_range_has_its_unit_on_both_sides() -> None:
    assert found("2 to 4 weeks") == [(336, "hour"), (672, "hour")]
