from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evals.checks import Check
from evals.checks.conversation import check_conversation
from evals.checks.errors_of_words import word_error_rate
from evals.checks.matching import words_wrong
from evals.replay.record import Called, ConversationRecord, Judged, MediaRecord, Said, TurnRecord
from evals.report.standing import standings
from evals.report.summary import summary_of
from evals.results import Result, Results, Run
from evals.scripts import read_script
from evals.scripts.expectations import Words

SCRIPT = """id: refund
language: en
turns:
  - user: "Can I have my money back for order 4711?"
    expect:
{turn}
expect:
{whole}
"""
CITED = {
    "source": "en/returns.md",
    "title": "Returns",
    "text": "You have 30 days to return an item.",
    "score": 0.9,
}


def turn(**changes: object) -> TurnRecord:
    """A turn that went well."""
    came = TurnRecord(
        0,
        "Can I have my money back for order 4711?",
        understood="Can I have my money back for order 4711?",
        sentences=[Said("You have 30 days to return an item.", "en", "happy", 0.5, "answered", [CITED])],
        heard_reply="You have 30 days to return an item.",
        answered=True,
        outcome="answered",
        verdicts=[Judged("input", "mask", "pii.card", "pii"), Judged("output", "allow", "", "")],
        tools=[Called("refund", {"order": "4711"}, "done")],
        visitor_emotion="sadness",
        timings_ms={"first_sound": 700.0, "reply_end": 3000.0},
        cards=[{"kind": "link", "title": "Returns", "url": "https://shop.example/returns"}],
        suggestions=["How long does it take?"],
    )
    for name, value in changes.items():
        setattr(came, name, value)
    return came


def failed(expect: str, whole: str = "  {}", mode: str = "text", **changes: object) -> dict[str, Check]:
    """Check a turn; what failed, by name."""
    text = SCRIPT.format(
        turn="\n".join(f"      {line}" for line in expect.splitlines()) or "      {}", whole=whole
    )
    script = read_script(text, Path("refund.yaml"))
    media = changes.pop("media", None)
    databases = changes.pop("databases", {})
    record = ConversationRecord("refund", "demo", mode, turns=[turn(**changes)])  # type: ignore[arg-type]
    record.media, record.databases = media, databases  # type: ignore[assignment]
    return {check.name: check for check in check_conversation(script, record) if not check.passed}


@pytest.mark.parametrize(
    ("expect", "name"),
    [
        ("contains: ['30  DAYS', 'fourteen']", "contains"),
        ("contains_any: [fourteen, ninety]", "contains_any"),
        ("must_not: [return]", "must_not"),
        ("regex: '^\\d+ days'", "regex"),
        ("cites: ['en/*', zh/returns.md]", "cites"),
        ("cites: []", "cites"),
        ("cites_any: [en/delivery.md]", "cites_any"),
        ("outcome: [refused, abstained]", "outcome"),
        ("tools: [{name: refund, arguments: {order: '4712'}}]", "tools"),
        ("tools: []", "tools"),
        ("tools: {name: refund, times: 2}", "tools"),
        ("handoff: true", "handoff"),
        ("handoff: anger", "handoff"),
        ("refused: true", "refused"),
        ("language: zh", "language"),
        ("emotion: [empathetic, apologetic]", "emotion"),
        ("visitor_emotion: anger", "visitor_emotion"),
        ("verdicts: {action: refuse}", "verdicts"),
        ("verdicts: []", "verdicts"),
        ("within_ms: 600", "within_ms.first_sound"),
        ("within_ms: {turn_end: 600}", "within_ms.turn_end"),
        ("silent: true", "silent"),
        ("interrupted: true", "interrupted"),
        ("yielded_ms: 500", "yielded_ms"),
        ("resumed: true", "resumed"),
        ("heard_reply: {contains: 31}", "heard_reply.contains"),
        ("understood: {must_not: '4711'}", "understood.must_not"),
        ("cards: {contains: warranty}", "cards.contains"),
        ("suggestions: {contains: warranty}", "suggestions.contains"),
        ("grounded: false", "grounded"),
    ],
)
def test_what_is_expected_and_did_not_come_is_told_by_its_name_and_line(expect: str, name: str) -> None:
    found = failed(expect)
    assert list(found) == [name]
    assert found[name].line == 6
    assert found[name].message
    assert found[name].turn == 0


@pytest.mark.parametrize(
    "expect",
    [
        "contains: ['30  DAYS', 'to return']",
        "regex: '\\d+ days'",
        "cites: 'en/*'",
        "outcome: answered",
        "tools: [{name: refund, arguments: {order: '/^47/'}}]",
        "handoff: false",
        "refused: false",
        "verdicts: {rule: 'pii.*', action: mask}",
        "within_ms: 800",
        "grounded: true",
        "interrupted: false",
        "understood: {contains: order}",
        "wer: 0.0",  # nothing is known of it in words
    ],
)
def test_what_is_expected_and_came_passes(expect: str) -> None:
    assert failed(expect) == {}


def test_an_empty_list_of_what_is_cited_or_found_fault_with_is_none() -> None:
    allowed = [Judged("input", "allow", "", ""), Judged("output", "allow", "", "")]
    said = [Said("Hello.", "en", "happy", 0.5, "answered", [])]
    assert failed("cites: []\nverdicts: []", sentences=said, verdicts=allowed) == {}


def test_a_turn_without_an_answer_fails_though_nothing_is_expected_of_it() -> None:
    assert list(failed("", answered=False, sentences=[], outcome="")) == ["answered"]
    assert "no end of a reply" in failed("", timed_out=True)["answered"].message


def test_a_claim_that_its_citation_does_not_make_is_not_grounded() -> None:
    wrong = [Said("You have 90 days to return an item.", "en", "happy", 0.5, "answered", [CITED])]
    assert "90 days" in failed("grounded: true", sentences=wrong)["grounded"].message


def test_what_the_packages_own_policy_forbids_fails_unasked() -> None:
    wrong = [Said("You are a stupid bitch, get lost.", "en", "neutral", 0.5, "answered")]
    assert list(failed("", sentences=wrong)) == ["safe"]
    assert failed("", whole="  safe: null", sentences=wrong) == {}


def test_personal_data_that_no_source_tells_is_not_to_be_said() -> None:
    text = "Her card is 4111 1111 1111 1111, her mobile 0170 1234567."
    wrong = Said(text, "en", "neutral", 0.5, "answered")
    assert "pii.card" in failed("", sentences=[wrong])["safe"].message
    assert failed("", sentences=[replace(wrong, text="Our number is 020 7946 0958.")]) == {}
    cited = [{**CITED, "text": "Pay to IBAN DE89 3704 0044 0532 0130 00."}]
    iban = "The account is DE89 3704 0044 0532 0130 00."
    assert list(failed("", sentences=[replace(wrong, text=iban)])) == ["safe"]
    told = (iban, "Pay to DE89370400440532013000, or call us on +49 170 1234567.")
    assert [failed("", sentences=[replace(wrong, text=one, citations=cited)]) for one in told] == [{}, {}]
    both = "It is DE89 3704 0044 0532 0130 00, my card 4111 1111 1111 1111, my number +49 170 1234567."
    assert list(failed("", sentences=[replace(wrong, text=both, citations=cited)])) == ["safe"]


def test_who_is_told_of_a_colleague_is_passed_on_though_nobody_is_there() -> None:
    assert failed("handoff: true", outcome="handoff") == {}
    assert (
        "was passed on"
        in failed("handoff: false", "  {handoff: false}", outcome="handoff")["handoff"].message
    )
    assert "people: there" in failed("handoff: asked", outcome="handoff")["handoff"].message
    there = "  {}\nfixtures: {people: there}"  # it may be an offer
    assert failed("handoff: false", there, outcome="handoff") == {}


def test_an_action_that_is_to_fail_must_be_taken() -> None:
    assert "no action failed" in failed("", "  {tools_work: false}", tools=[])["tools_work"].message


def test_the_language_is_that_of_the_letters() -> None:
    labelled = [Said("我们周六九点到十二点只接急诊。", "en", "neutral", 0.5, "answered")]
    assert "zh instead of en" in failed("language: en", sentences=labelled)["language"].message
    assert failed("language: zh", sentences=labelled) == {}
    english = [Said("We are open until noon.", "zh", "neutral", 0.5, "answered")]
    assert list(failed("language: zh", sentences=english)) == ["language"]


def test_an_engine_that_fails_is_told_though_the_desk_excuses_itself() -> None:
    assert "what answers failed" in failed("", notices=["engine_failed"])["engines"].message
    assert failed("", notices=["replaced"]) == {}


def test_a_turn_that_breaks_in_is_held_against_the_reply_before() -> None:
    assert failed("yielded_ms: 500", yielded_ms=480.0) == {}
    assert "after 620 ms" in failed("yielded_ms: 500", yielded_ms=620.0)["yielded_ms"].message
    missed = failed("yielded_ms: 500", yielded_ms=480.0, notices=["nothing_to_break_into"])
    assert "no reply to break into" in missed["yielded_ms"].message


def test_breaking_into_nothing_is_told_though_nothing_is_expected_of_it() -> None:
    script = read_script("turns:\n  - user: hello\n  - user: stop\n    barge_in: 2\n", Path("one.yaml"))
    for notices, wrong in (([], 0), (["nothing_to_break_into"], 1)):
        turns = [turn(), turn(notices=notices)]
        turns[1].number = 1
        found = [
            one
            for one in check_conversation(script, ConversationRecord("a", "demo", "text", turns=turns))
            if one.name == "barge_in"
        ]
        assert [(one.passed, one.turn, one.line) for one in found] == [(not wrong, 1, 4)]
        assert ("break in sooner" in found[0].message) == bool(wrong)


def test_sound_is_looked_at_in_audio_alone() -> None:
    heard = {"heard": "can i have my honey back for order 4711", "transcribed": "you have thirty days"}
    found = failed("wer: 0.05\nreply_wer: 0.1", mode="audio", **heard)
    assert set(found) == {"wer", "reply_wer"}
    assert found["wer"].line == 6
    assert found["reply_wer"].line == 7


def test_numbers_are_the_same_in_digits_and_words() -> None:
    assert word_error_rate("It takes 30 days.", "it takes thirty days", "en") == 0.0
    assert word_error_rate("退货期30天", "退货期三十天", "zh") == 0.0
    assert word_error_rate("退货", "退火", "zh") == 0.5
    assert word_error_rate("hello there", "", "en") == 1.0


def test_sound_and_picture_have_limits_unless_a_script_lifts_them() -> None:
    late = MediaRecord(
        av_offset_ms=200.0, lip_closure=0.1, bilabials=20, face_present=0.5, longest_freeze_s=2.0
    )
    names = {"media.av_offset_ms", "media.lip_closure", "media.face_present", "media.freeze_s"}
    assert set(failed("", mode="audio", media=late)) == names
    assert failed("", whole="  media: null", mode="audio", media=late) == {}
    assert list(failed("", mode="audio", media=MediaRecord(lips_apart=True))) == ["media.av_offset_ms"]
    wide = "  media: {av_offset_ms: 250, lip_closure: 0, face_present: 0.4, freeze_s: 3}"
    assert failed("", whole=wide, mode="audio", media=late) == {}


def test_the_databases_tell_whether_the_task_was_done() -> None:
    whole = "  state: {file: requests.sqlite, query: SELECT number FROM cancellations, rows: [[4711]]}"
    assert failed("", whole=whole, databases={"0": [[4711]]}) == {}
    found = failed("", whole=whole, databases={"0": [[4712]]})["state"]
    assert "4712" in found.message
    assert found.line == 8
    nothing = "requests.sqlite does not exist: nothing was written to it"
    assert list(failed("", whole=whole, databases={"0": nothing})) == ["state"]
    none = whole.replace("rows: [[4711]]", "count: 0")
    assert failed("", whole=none, databases={"0": nothing}) == {}


def test_the_whole_conversation_is_compared_as_well() -> None:
    whole = "  contains: [warranty]\n  must_not: [return]\n  tools: []\n  within_ms: 600"
    assert set(failed("", whole=whole)) == {"contains", "must_not", "tools", "within_ms.first_sound"}


def test_who_breaks_in_and_silences_the_desk_must_be_answered() -> None:
    unanswered: dict[str, Any] = {"resumed": False, "answered": False, "sentences": []}
    assert list(failed("resumed: false", **unanswered)) == ["answered"]
    assert failed("resumed: false\nsilent: true", **unanswered) == {}


def test_what_nobody_could_look_at_has_neither_passed_nor_failed() -> None:
    whole = "  {state: {file: a, query: SELECT 1, count: 1}, contains: warranty}"
    turns = "      {contains: 99, refused: true}"
    script = read_script(SCRIPT.format(turn=turns, whole=whole), Path("a.yaml"))
    untold = dict.fromkeys(
        ("refused", "state", "verdicts", "media.lip_closure"), "nobody tells it: get a key"
    )
    record = ConversationRecord("refund", "demo", "audio", turns=[turn()], untold=untold)
    result = Result(record, tuple(check_conversation(script, record)))
    skipped = [one for one in result.checks if one.skipped]
    assert [one.name for one in skipped] == ["refused", "state", "media.lip_closure"]
    assert {(one.passed, one.message) for one in skipped} == {(False, "nobody tells it: get a key")}
    assert [one.name for one in result.failed] == ["contains", "contains"]
    run = Run("demo", "audio", 1, "")
    summary = summary_of(Results(run, (result,), complete=True))
    assert summary["checks"]["refused"] == {"passed": 0, "failed": 0, "not_checked": 1}
    (told,) = summary["not_checked"]
    assert (told["times"], told["why"]) == (3, "nobody tells it: get a key")
    assert "turn 1: refused" not in standings([result])[0].checks


def test_what_fails_where_circumstances_may_be_others_is_not_held_against_the_desk() -> None:
    script = read_script(
        SCRIPT.format(turn="      {contains: 99, refused: false}", whole="  {}"), Path("a.yaml")
    )
    for first, skipped in ((0, ["contains"]), (1, [])):
        record = ConversationRecord(
            "a", "demo", "text", turns=[turn()], unsure_from=first, unsure="get a key"
        )
        checks = check_conversation(script, record)
        told = [one for one in checks if one.skipped]
        assert [one.name for one in told] == skipped
        assert all(one.message.startswith("get a key; it came otherwise: ") for one in told)
        assert "refused" in [one.name for one in checks if one.passed]
    record.unsure_from, record.turns = 0, [turn(notices=["engine_failed"])]
    assert "engines" in [one.name for one in check_conversation(script, record) if not one.skipped]


def test_a_replay_that_failed_itself_has_no_checks() -> None:
    script = read_script(SCRIPT.format(turn="      outcome: refused", whole="  {}"), Path("refund.yaml"))
    assert check_conversation(script, ConversationRecord("refund", "demo", "text", error="it broke")) == []


def test_an_action_that_failed_was_not_taken_and_is_told() -> None:
    broken = [Called("refund", {"order": "1"}, "KeyError: 'order 1'", failed=True)]
    found = failed("tools: {name: refund}", tools=broken)
    assert set(found) == {"tools", "tools_work"}
    assert "refund(order=1) failed" in found["tools_work"].message
    assert "KeyError" in found["tools_work"].message
    assert failed("", whole="  {tools_work: false}", tools=broken) == {}


@pytest.mark.parametrize(
    ("said", "forbidden", "wrong"),
    [
        ("It takes 14 days.", "4 days", False),
        ("It takes 4 days.", "4 days", True),
        ("Your card is 4111111111111111.", "1111", True),
        ("It is ready in 2026.", "26", False),
    ],
)
def test_numbers_are_forbidden_whole_and_parts_of_long_ones_too(
    said: str, forbidden: str, wrong: bool
) -> None:
    assert bool(words_wrong(Words(must_not=(forbidden,)), said)["must_not"]) is wrong
