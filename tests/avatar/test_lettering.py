import numpy as np
import pytest

from avatar.lettering import Lettering, _wrap


def grey(size: int = 256) -> np.ndarray:
    return np.full((size, size, 3), 128, np.uint8)


def test_label_and_caption_are_drawn_where_they_belong() -> None:
    picture = Lettering(size=256).draw(grey(), "You have thirty days.")
    changed = (picture != 128).any(-1)
    assert changed[:40, -60:].any()
    assert changed[-60:].any()
    assert not changed[60:-80].any()


def test_both_can_be_turned_off() -> None:
    lettering = Lettering(size=256, ai_label=False, captions=False)
    assert (lettering.draw(grey(), "words") == 128).all()


def test_chinese_letters_are_letters_and_not_boxes() -> None:
    lettering = Lettering(size=256, ai_label=False)
    one, two = lettering.draw(grey(), "退货"), lettering.draw(grey(), "您好")
    assert (one != two).any()
    assert (one > 200).any()


def test_a_long_caption_stays_inside_the_picture() -> None:
    picture = Lettering(size=256, ai_label=False).draw(grey(), "word " * 15)
    white = (picture.min(-1) > 240).nonzero()
    assert white[1].min() > 2
    assert white[1].max() < 253


@pytest.mark.parametrize(
    "text",
    [
        "请在收货后 14 天内告诉我们，并附上订单号和两张照片。",
        "Standard delivery within the United Kingdom takes three to five working days.",
        "您的订单 10342 已经发货，预计星期五送到。物流链接在发货邮件里。",
        "。。，",
    ],
)
def test_lines_are_balanced_and_lose_nothing(text: str) -> None:
    lines = _wrap(text, 20, 470)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(line[0] not in "，。！？" for line in lines[1:])
    if len(lines) > 1:
        assert min(map(len, lines)) > 0.5 * max(map(len, lines))
