from evals.replay.told_words import ToldWords


class Mouth:
    """Says something, as far as a test lets it."""

    def __init__(self) -> None:
        self.now = (0, "Where is my order? It is late.", 0.0)

    def said(self) -> tuple[int, str, float]:
        return self.now


def test_words_are_known_as_far_as_they_have_sounded() -> None:
    mouth = Mouth()
    words = ToldWords(mouth.said, "en")
    assert words.stream().finish().text == ""
    mouth.now = (*mouth.now[:2], 0.35)
    assert words.stream().finish().text == "Where is my"
    mouth.now = (*mouth.now[:2], 1.0)
    assert words.stream().finish().text == "Where is my order? It is late."


def test_what_was_answered_is_not_heard_again() -> None:
    mouth = Mouth()
    words = ToldWords(mouth.said, "en")
    mouth.now = (*mouth.now[:2], 0.62)
    assert words.transcribe((), 16_000).text == "Where is my order?"
    words.forget()
    assert words.transcribe((), 16_000).text == ""
    mouth.now = (*mouth.now[:2], 1.0)
    assert words.transcribe((), 16_000).text == "It is late."
    mouth.now = (1, "再见。", 1.0)
    assert words.transcribe((), 16_000).text == "再见。"
