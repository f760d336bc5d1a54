import numpy as np

from avatar.lettering import Lettering


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
