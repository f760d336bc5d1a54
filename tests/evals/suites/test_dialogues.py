from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evals.scripts import load_script
from evals.suites import command
from evals.suites.abcd import measure_abcd, read_abcd, scripts_of
from evals.suites.abcd_values import same_values
from evals.suites.exporting import write_scripts
from evals.suites.figures import SuiteDataError
from evals.suites.star import measure_star, read_star

ONTOLOGY = {
    "intents": {"subflows": {"account_access": ["recover_password"], "product_defect": ["return_size"]}},
    "actions": {
        "kb_query": {"validate-purchase": ["username", "email", "order_id"], "make-password": []},
        "interaction": {"pull-up-account": ["customer_name", "account_id"]},
    },
    "values": {"enumerable": {"customer_name": ["Crystal Minh"]}},
}
KB = {
    "recover_password": ["pull-up-account", "make-password"],
    "return_size": ["pull-up-account", "validate-purchase"],
}


def _guideline(text: str) -> dict[str, Any]:
    return {"instructions": [text], "actions": [{"text": "Use the button", "subtext": []}]}


GUIDELINES = {
    "Product Defect": {"subflows": {"Return Due to Size": _guideline("Return a wrong size.")}},
    "Account Access": {"subflows": {"Recover Password": _guideline("Forgotten password.")}},
}
SAID = [
    ("customer", "I want to return a shirt of the wrong size", None, None, []),
    ("agent", "Your name?", "retrieve_utterance", None, []),
    ("customer", "Crystal Minh", None, None, []),
    ("action", "", "take_action", "pull-up-account", ["crystal minh"]),
    ("customer", "cminh730, cminh730@email.com", None, None, []),
    ("customer", "and the order is 3348917502", None, None, []),
    ("action", "", "take_action", "validate-purchase", ["cminh730", "cminh730@email.com", "3348917502"]),
]


def _abcd(folder: Path) -> Path:
    conversation = {
        "convo_id": 7,
        "scenario": {"flow": "product_defect", "subflow": "return_size"},
        "original": [[speaker, text] for speaker, text, *_ in SAID],
        "delexed": [
            {"speaker": speaker, "text": text.lower(), "targets": ["return_size", step, button, values, -1]}
            for speaker, text, step, button, values in SAID
        ],
    }
    for name, document in (
        ("ontology", ONTOLOGY), ("kb", KB), ("guidelines", GUIDELINES), ("abcd_sample", [conversation]),
    ):  # fmt: skip
        (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def test_buttons_and_values_are_foretold_from_the_guidelines(tmp_path: Path) -> None:
    found = measure_abcd(read_abcd(_abcd(tmp_path)))
    assert [row["given_intent"] for row in found.rows] == ["return_size", "return_size"]
    assert [row["given_button"] for row in found.rows] == ["pull-up-account", "validate-purchase"]
    assert found.figures["b_slot"] == found.figures["value"] == found.figures["action"] == 1.0
    assert found.not_measured
    assert not same_values(["a"], ["a", "b"])


def test_conversations_become_scripts_that_can_be_read_again(tmp_path: Path) -> None:
    write_scripts(tmp_path / "scripts", scripts_of(read_abcd(_abcd(tmp_path)).conversations))
    script = load_script(tmp_path / "scripts" / "abcd-7.yaml")
    assert [turn.user for turn in script.turns] == [
        "I want to return a shirt of the wrong size",
        "Crystal Minh",
        "cminh730, cminh730@email.com and the order is 3348917502",
    ]
    assert [tool.name for tool in script.expect.tools or ()] == ["pull_up_account", "validate_purchase"]


def _star(folder: Path, number: int, said: str, label: str) -> None:
    def picked(text: str, chosen: str) -> dict[str, Any]:
        return {
            "Agent": "Wizard", "Action": "pick_suggestion", "Text": text, "ActionLabel": chosen,
            "ActionLabelOptions": ["goodbye", chosen],
        }  # fmt: skip

    document = {
        "DialogueID": number,
        "Scenario": {"Happy": number % 2 == 0, "MultiTask": False, "WizardCapabilities": [{"Task": "bank"}]},
        "Events": [
            {"Agent": "User", "Action": "utter", "Text": said},
            picked(f"About {label}: which account?", label),
            {"Agent": "Wizard", "Action": "utter", "Text": "free words"},
        ],
    }
    (folder / f"{number}.json").write_text(json.dumps(document), encoding="utf-8")


def test_the_next_action_is_that_of_the_most_similar_step_of_other_dialogues(tmp_path: Path) -> None:
    for number in range(3):
        _star(tmp_path, 2 * number, "what is my balance, how much money have I got", "balance")
        _star(tmp_path, 2 * number + 1, "somebody stole my card and bought things", "fraud")
    found = measure_star(read_star(tmp_path))
    assert found.figures["steps"] == 6
    assert found.figures["next_action_accuracy"] == found.figures["next_action_f1"] == 1.0
    assert found.figures["suggestion_accuracy"] == 1.0
    assert found.figures["first_suggestion_accuracy"] == 0.0
    assert set(found.parts["dialogues"]) == {"happy", "unhappy", "bank"}
    assert any("6 replies" in note for note in found.notes)


def test_a_folder_without_dialogues_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SuiteDataError, match="Events"):
        read_star(tmp_path)
    (tmp_path / "a.json").write_text('{"Events": [{"Agent": "User"}]}', encoding="utf-8")
    with pytest.raises(SuiteDataError, match=r"a\.json"):
        read_star(tmp_path)


def test_the_command_prints_one_document_and_names_bad_data_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(
        f"question about {label} number {n},{label}\n" for label in ("cards", "hours") for n in range(6)
    )
    (tmp_path / "set.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    command.main(["intents", str(tmp_path / "set.csv"), "--json", "--out", str(tmp_path / "rows.csv")])
    assert json.loads(capsys.readouterr().out)["figures"]["labels"] == 2
    assert "given" in (tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines()[0]
    with pytest.raises(SystemExit) as ended:
        command.main(["intents", str(tmp_path / "none.csv")])
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert len(told.err.strip().splitlines()) == 1
