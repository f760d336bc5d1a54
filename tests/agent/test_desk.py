from pathlib import Path

import pytest

from agent.desk import Desk, new_desk
from agent.errors import DeskError

GOOD = 'name = "Test"\nlanguages = ["en", "zh"]\n[persona]\nname = "Ada"\ncompany = "Acme"\n'


def desk_with(folder: Path, text: str) -> Desk:
    (folder / "desk.toml").write_text(text, encoding="utf-8")
    return Desk.load(folder)


def test_the_demo_desk_loads() -> None:
    desk = Desk.load()
    assert desk.settings.languages == ("en", "zh")
    assert desk.knowledge_folder.is_dir()


def test_a_folder_called_demo_does_not_hide_the_demo_desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    assert Desk.load().settings.name == "Hollow & Pine service desk"


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    assert desk_with(tmp_path, GOOD).settings.avatar.size == 512


def test_a_new_desk_loads_and_bears_its_names(tmp_path: Path) -> None:
    desk = new_desk(tmp_path / "mine", name='The "Blue" desk', company="Blue\nBottle")
    assert desk.settings.name == 'The "Blue" desk'
    assert desk.settings.persona.company == "Blue Bottle"
    assert any(desk.knowledge_folder.rglob("*.md"))


def test_a_new_desk_may_be_the_folder_one_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert new_desk(Path(".")).settings.name == tmp_path.name


def test_a_name_that_is_too_long_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(DeskError, match="120"):
        new_desk(tmp_path / "mine", name="x" * 121)
    assert not (tmp_path / "mine").exists()


def test_a_new_desk_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("x")
    with pytest.raises(DeskError, match="not empty"):
        new_desk(tmp_path)


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        (GOOD.replace("company", "compny"), "persona.compny", "spelling"),
        (GOOD.replace('company = "Acme"\n', ""), "persona.company", "add it"),
        (GOOD + "[avatar]\nsize = 5000\n", "avatar.size", "1080"),
        (GOOD.replace('"zh"', '"fr"'), "languages.1", "'en' or 'zh'"),
        (GOOD + '[phrases.en]\nhelo = "x"\n', "phrases", "greeting"),
        (GOOD + "[limits\n", "desk.toml", "TOML"),
        ("\x00\xff", "desk.toml", "TOML"),
        ("x = " + "9" * 5000, "desk.toml", "TOML"),
        ("x = " + "[" * 5000, "desk.toml", "TOML"),
        (GOOD + "[avatar]\nsize = 0x" + "f" * 5000 + "\n", "avatar.size", "multiple"),
        (GOOD + '[phrases.en]\nunknown = " "\n', "phrases.en.unknown", "leave it out"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_remedy(
    tmp_path: Path, text: str, key: str, remedy: str
) -> None:
    with pytest.raises(DeskError) as caught:
        desk_with(tmp_path, text)
    message = str(caught.value)
    assert "desk.toml" in message
    assert key in message
    assert remedy in message
    assert "\n" not in message


def test_a_missing_desk_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeskError, match="visavis new"):
        Desk.load(tmp_path / "nowhere")
    with pytest.raises(DeskError, match="no desk.toml"):
        Desk.load(tmp_path)


def test_lines_are_filled_in_and_can_be_reworded(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, GOOD + '[phrases.en]\ngreeting = "Hi from {company}, {odd}"\n')
    assert desk.phrases("en").greeting == "Hi from Acme, {odd}"
    assert "Ada" in desk.phrases("zh").greeting


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("where is it", "en"),
        ("我的订单在哪里", "zh"),
        ("我的 HP-10342 在哪里", "zh"),
        ("12345", "en"),
        ("", "en"),
    ],
)
def test_language_is_told_from_the_script(tmp_path: Path, text: str, language: str) -> None:
    assert desk_with(tmp_path, GOOD).language_of(text) == language


def test_state_lies_outside_the_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISAVIS_STATE", str(tmp_path / "state"))
    (tmp_path / "d").mkdir()
    desk = desk_with(tmp_path / "d", GOOD)
    assert desk.state_folder.is_relative_to(tmp_path / "state")
    assert desk.state_folder.is_dir()


def test_what_the_owner_wrote_as_contact_may_be_said(tmp_path: Path) -> None:
    desk = desk_with(
        tmp_path,
        GOOD
        + "[persona.contact]\n"
        + 'en = "Call 020 7946 0958 or write to help@bikes.example, see www.bikes.example/help."\n'
        + "[handoff.contact]\n"
        + 'zh = "请致电400-820-1234或发邮件至kefu@bikes.cn，周一到周五9:00-17:00。"\n',
    )
    guard = desk.guard()
    for said in (
        "Phone us on 020 7946 0958.",
        "Write to help@bikes.example or look at https://bikes.example/hours.",
        "也可以发邮件至kefu@bikes.cn，或致电400-820-1234。",
    ):
        assert guard.screen(said, direction="output").text == said
    for said in ("Write to joe@other.example.", "请致电13812345678。", "Call 020 7946 0123."):
        assert guard.screen(said, direction="output").text != said
