import pytest

from agent.cards import Card, listed, source_card, take_links
from agent.sentence import Citation


@pytest.mark.parametrize(
    ("text", "said", "url"),
    [
        ("Track it here: https://shop.example/t/1.", "Track it here.", "https://shop.example/t/1"),
        ("See [the tracking page](https://shop.example/t) for more.", "See the tracking page for more.", "https://shop.example/t"),
        ("请打开 https://shop.example/t。", "请打开。", "https://shop.example/t"),
    ],
)  # fmt: skip
def test_a_link_goes_to_a_card_and_is_not_said(text: str, said: str, url: str) -> None:
    spoken, (card,) = take_links(text, "Tracking")
    assert spoken == said
    assert (card.kind, card.url) == ("link", url)
    assert "http" not in spoken


def test_a_line_without_links_stays_as_it_is() -> None:
    assert take_links("Call us on 020 910 0142: we are open.", "x") == (
        "Call us on 020 910 0142: we are open.",
        (),
    )


@pytest.mark.parametrize("text", ["javascript:alert(1)", "[x](javascript:alert(1))", "data:text/html,x"])
def test_only_web_addresses_become_links(text: str) -> None:
    assert take_links(text, "x")[1] == ()
    assert source_card(Citation(text, "x", "", 1.0, url=text)) is None


def test_a_list_becomes_a_card_and_numbered_lines_are_steps() -> None:
    assert listed("Bring:\n- a photo ID\n- the code", "Collect") == Card(
        "list", "Collect", ("a photo ID", "the code")
    )
    steps = listed("1. Open it.\n2. Print it.", "Return")
    assert steps == Card("steps", "Return", ("Open it.", "Print it."))
    assert listed("- one only", "x") is None
    assert listed("No list - at all. It costs 3. Then more.", "x") is None
