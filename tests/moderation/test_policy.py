from pathlib import Path

import pytest

from moderation import Action, Direction, Guard, Policy, PolicyError


def write(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_desk_names_only_what_differs(tmp_path: Path) -> None:
    policy = Policy.load(write(tmp_path, '[actions.profanity]\ninput = "refuse"\n'))
    assert policy.action("profanity.strong", Direction.INPUT) is Action.REFUSE
    assert policy.action("profanity.strong", Direction.OUTPUT) is Policy.load().action(
        "profanity.strong", Direction.OUTPUT
    )
    assert policy.words == Policy.load().words


def test_a_rule_goes_before_its_category() -> None:
    policy = Policy.from_table({"rules": {"pii.email": {"input": "allow"}}})
    assert policy.action("pii.email", Direction.INPUT) is Action.ALLOW
    assert policy.action("pii.card", Direction.INPUT) is Action.MASK
    assert policy.action("pii.email", Direction.OUTPUT) is Action.MASK


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        ("[wordz]\n", "wordz", "Did you mean 'words'?"),
        ("[words]\nblockd = []\n", "words.blockd", "Did you mean 'blocked'?"),
        ("[actions.hat]\n", "actions.hat", "Did you mean 'hate'?"),
        ('[actions.hate]\ninput = "no"\n', "actions.hate.input", "not one of allow, mask"),
        ("[thresholds]\nhate = 3\n", "thresholds.hate", "less than or equal to 1"),
        ('[rules]\n"email" = {}\n', "rules.email", 'Write "category.rule"'),
        ('[words]\nblocked = ["re:(a+)+b"]\n', "words.blocked.0", "repeats a repeat"),
        ('[words]\nblocked = ["re:("]\n', "words.blocked.0", "not a regular expression"),
        ('[words]\npromises = ["{we|i guarantee"]\n', "words.promises.0", "brace"),
        ('[words]\nblocked = ["' + "{|a|b|c|d}" * 4 + '"]\n', "words.blocked.0", "no word that must occur"),
        ('[words]\nblocked = [" "]\n', "words.blocked.0", "is empty"),
        ('[personal_data]\nregions = ["uk"]\n', "personal_data.regions.0", "two capital letters"),
    ],
)
def test_an_error_names_file_key_and_remedy(tmp_path: Path, text: str, key: str, remedy: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(PolicyError) as raised:
        Policy.load(path)
    message = str(raised.value)
    assert str(path) in message
    assert key in message
    assert remedy in message
    assert "\n" not in message


def test_patterns_that_do_not_ship_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, "[topics.medicall]\npatterns = true\n")
    with pytest.raises(PolicyError, match=r"line 2: topics\.medicall\.patterns: .*Did you mean 'medical'"):
        Guard.load(path)


def test_an_unknown_rule_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, '[rules]\n"pii.emial" = { input = "allow" }\n')
    with pytest.raises(PolicyError, match=r"rules\.pii\.emial: no such rule\. Did you mean 'pii\.email'"):
        Guard.load(path)


@pytest.mark.parametrize("content", [b"[words", b"\xff\xfe\x00", b"a = " + b"[" * 5000])
def test_a_broken_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(content)
    with pytest.raises(PolicyError):
        Policy.load(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="Check the path"):
        Guard.load(tmp_path / "none.toml")


def test_every_safe_line_exists_in_both_languages() -> None:
    lines = Policy.load().safe_lines
    assert lines["en"].keys() == lines["zh"].keys()
    assert "{help_line}" in lines["en"]["self_harm"]
    assert "{help_line}" in lines["zh"]["self_harm"]


def test_a_desk_has_its_own_words() -> None:
    guard = Guard(
        Policy.from_table(
            {
                "words": {
                    "blocked": ["frobnicate", "re:acme-\\d+"],
                    "competitors": ["Lamp World"],
                    "promises": ["{we|i} promise"],
                    "allowed": ["killer bitch lamp"],
                },
                "topics": {
                    "politics": {"phrases": ["who should i vote for"], "lines": {"en": "No politics here."}}
                },
            }
        )
    )
    assert guard.screen("please Frobnicate it").rule == "blocked.word"
    assert guard.screen("an ACME-42").rule == "blocked.word"
    assert guard.screen("is Lamp World cheaper?").passes
    assert guard.screen("Lamp World is worse.", "output").rule == "competitor.named"
    assert guard.screen("We promise it.", "output").rule == "promise.made"
    assert guard.screen("We do not promise it.", "output").passes
    assert guard.screen("one killer bitch lamp please").rule == ""
    politics = guard.screen("Who should I vote for?")
    assert politics.rule == "topic.politics"
    assert guard.safe_line(politics, "en") == "No politics here."
