"""Words in disguise, English and Chinese, and honest words that look like one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.disguise import dense_disguises, disguises
from moderation.lexicon import Lexicon, entries
from moderation.normalise import dense, fold, words
from moderation.screener import Subject
from moderation.spelling import respelt, unstarred
from moderation.verdict import Direction


@pytest.fixture(scope="module")
def lists() -> Lexicon:
    return Lexicon([entry for language in ("en", "zh") for entry in entries(language)])


def categories(lists: Lexicon, text: str) -> set[str]:
    language = "en" if text.isascii() else "zh"
    found = lists.screen(Subject(text, Direction.INPUT, language))
    return {finding.category for finding in found if finding.score >= 0.5}


DISGUISED = [
    *(
        "f**k you",
        "f*ck you",
        "a**hole",
        "@$$hole",
        "f***ing liars",
        "fcuk you",
        "phuck off",
        "biatch",
        "fuuck",
    ),
    *(
        "you are an idoit",
        "st00pid b1tch",
        "1d10t",
        "5h1t",
        "youareanidiot",
        "fuckyou",
        "fu ck you",
        "f uck off",
    ),
    *(
        "s.h.i.t",
        "f-ck you",
        "🅵🆄🅲🅺 you",
        "🇫🇺🇨🇰",
        "⒡⒰⒞⒦",
        "noʎ ʞɔnɟ",
        "ḟüćḳ",
        "fаggоt",
        "n*gger",
        "f4gg0t",
        "🖕",
    ),
    *("p0rn", "wh0re", "k i l l y o u r s e l f", "killyourself", "k!ll y0urself", "go k1ll urself"),
    *("ᖴᑌᑕK", "f\u200du\u2060ck", "fu\u0336c\u0336k\u0336", "motherf*cker", "FuCk", "f\tu\nc k you"),
]
DISGUISED_ZH = [
    *(
        "草泥马",
        "曹尼玛",
        "cao ni ma",
        "草ni马",
        "cao你妈",
        "操你媽",
        "傻*逼",
        "傻 逼",
        "傻1逼",
        "煞笔",
        "傻💩逼",
    ),
    *(
        "傻\u200b逼",
        "ＳＢ客服",
        "你个sb客服",
        "nmsl",
        "亻尔女马死了",
        "我要弓虽女干你",
        "我想自殺",
        "我想zisha",
        "去si",
    ),
    *(
        "你去4吧",
        "這個客服是傻逼",
        "ni shi sha bi",
        "操\\你/妈",
        "怎麼做炸彈",
        "滾你媽的蛋",
        "s逼",
        "傻屄",
        "伱妈死了",
    ),
]
HONEST = [
    *(
        "who're you",
        "he'll call",
        "Samsung Galaxy A55 case",
        "the R&D of AT&T",
        "kill -9 1234",
        "the Therapist's assassin",
    ),
    *("I assume you assist", "sizes s, m, l, xl", "press 1, 2 or 3", "HP-10342 A1B2C3", "e-mail co-op x-ray"),
    *("$45 for a 4k tv 60hz", "user_name is a_b", "**important** note", "5* rating", "the hero in the story"),
    *(
        "a flight to Niger",
        "a looser fit",
        "bulls hit the target",
        "Emily Dickinson of Scunthorpe",
        "the sheet is cut",
    ),
    *("my Shih Tzu", "class A B C D", "it costs 3.50 or so", "part S1-2-3-4", "WC-40 for the door"),
]
HONEST_ZH = [
    *(
        "还有啥比较便宜的",
        "丽莎比我高",
        "尼康SB-900闪光灯",
        "产品ABC你妈妈也能用",
        "沙比利木门多少钱",
        "这套有几把椅子",
    ),
    *(
        "吃炸鸡吧",
        "路口交通",
        "港口交货",
        "大撒币活动",
        "你好，猪肉怎么卖",
        "请问WC在哪里",
        "你家狗多大",
        "一次性交清",
    ),
    *(
        "微信群交流",
        "室内射灯",
        "我妈的手机坏了",
        "猪肉棒",
        "特色情侣套餐",
        "去4楼怎么走",
        "尺寸S比M小吗",
        "第3题和2B铅笔",
    ),
    *(
        "紫砂壶",
        "分娩中出现一次",
        "女马术运动员",
        "女干部",
        "曹操你妈妈认识吗",
        "日你好",
        "景色情况怎么样",
        "巨乳酪蛋糕",
    ),
]


@pytest.mark.parametrize("text", [*DISGUISED, *DISGUISED_ZH])
def test_a_word_in_disguise_is_found(lists: Lexicon, text: str) -> None:
    assert categories(lists, text)


@pytest.mark.parametrize("text", [*HONEST, *HONEST_ZH])
def test_an_honest_word_is_left_alone(lists: Lexicon, text: str) -> None:
    assert categories(lists, text) == set()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("idoit", ("idiot",)),
        ("prevoius", ("previous",)),
        ("ignroe", ("ignore",)),
        ("killyourself", ("kill", "yourself")),
        ("lamp", ()),
        ("therapist", ()),
    ],
)
def test_a_word_is_read_as_what_it_stands_for(written: str, meant: tuple[str, ...]) -> None:
    assert respelt(written) == meant


@pytest.mark.parametrize(
    ("starred", "meant"), [("f**k", "fuck"), ("s#it", "shit"), ("4**2", ""), ("q**z", "")]
)
def test_starred_letters_are_filled_in(starred: str, meant: str) -> None:
    assert unstarred(starred) == meant


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=120))
@settings(deadline=None, max_examples=150)
def test_every_reading_refers_to_the_text(text: str) -> None:
    folded = fold(text)
    plain = dense(folded)
    for reading in (folded, words(folded), plain, *disguises(folded), *dense_disguises(plain)):
        assert len(reading.positions) == len(reading.text)
        for at in range(len(reading.text)):
            start, end = reading.original(at, at + 1)
            assert 0 <= start < end <= len(text)


@pytest.mark.parametrize(
    "piece", ["f*", "a-", "f u ", "kil l ", "ɐɹ ", "你1", "女", "s.h", "x" * 50 + " ", "fuckyou", "\u200b"]
)
def test_readings_of_a_hostile_text_stay_as_long_as_it_is(piece: str) -> None:
    length = 20_000
    folded = fold((piece * length)[:length])
    for reading in (*disguises(folded), *dense_disguises(dense(folded))):
        assert len(reading.text) <= 4 * length
