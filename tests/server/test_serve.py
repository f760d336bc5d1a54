"""What `visavis serve` is told and tells; as a process it is tried in `live/test_kill.py`."""

import os
import socket
from pathlib import Path

import pytest

from server.boundary import UsageError
from server.progress import Silent, stages
from server.serve import Opened, _document, open_desks, show_serving
from server.serve_options import options_of
from server.web_server import bound, say_finishing

GIVEN = {
    "host": "127.0.0.1", "port": 0, "secret_file": None, "stun": [], "turn": [], "relay_only": False,
    "max_sessions": None, "origins": [], "store": "", "recordings": None,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISAVIS_STATE", str(tmp_path / "state"))
    for name in ("VISAVIS_SECRET", "VISAVIS_TURN_SECRET", "VISAVIS_TURN_USERNAME", "VISAVIS_TURN_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


def test_an_address_that_is_taken_is_told_before_anything_is_opened() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UsageError, match="--port"):
            bound("127.0.0.1", other.getsockname()[1])
    with pytest.raises(UsageError, match="--host"):
        bound("203.0.113.7", 0)
    with pytest.raises(UsageError, match="--port"):
        bound("127.0.0.1", 70_000)


def test_a_secret_is_made_for_the_server_and_stays_the_same(tmp_path: Path) -> None:
    first, second = options_of(**GIVEN), options_of(**GIVEN)
    assert len(first.secret) >= 32
    assert first.secret == second.secret
    assert (tmp_path / "state" / "secret").stat().st_mode & 0o777 == 0o600


def test_wrong_addresses_of_helpers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="STUN"):
        options_of(**{**GIVEN, "stun": ["http://stun.example"]})
    turn = {**GIVEN, "turn": ["turn:turn.example:3478"]}
    with pytest.raises(UsageError, match="VISAVIS_TURN_SECRET"):
        options_of(**turn)
    monkeypatch.setenv("VISAVIS_TURN_SECRET", "hidden")
    options = options_of(**turn)
    assert options.ice.for_browser("x")[0]["urls"] == ["turn:turn.example:3478"]
    assert "hidden" not in repr(options)


def test_a_range_of_ports_reaches_the_connections() -> None:
    assert options_of(**GIVEN).ice.host_ports is None
    assert options_of(**GIVEN, udp_ports="40000-40009").ice.host_ports == range(40_000, 40_010)
    for wrong in ("40000", "40100-40000"):
        with pytest.raises(UsageError, match="write it like 40000-40100"):
            options_of(**GIVEN, udp_ports=wrong)


def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("nothing", encoding="utf-8")
    with pytest.raises(UsageError, match="PEM"):
        options_of(**GIVEN, certificate=tmp_path / "none.pem")
    with pytest.raises(UsageError, match="--certificate"):
        options_of(**GIVEN, key=tmp_path / "none.pem")


def test_events_may_be_kept_nowhere() -> None:
    assert options_of(**{**GIVEN, "store": "none"}).store == ""


def test_as_many_processes_draw_as_there_are_cores_unless_told_otherwise() -> None:
    assert options_of(**GIVEN).drawers == max(1, min(8, os.cpu_count() or 1))
    assert [options_of(**GIVEN, drawers=number).drawers for number in (0, 3)] == [0, 3]
    assert options_of(**GIVEN).store.endswith("sessions.sqlite")


def test_a_store_that_cannot_be_opened_is_told_before_the_desks_are(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no database, no folder", encoding="utf-8")
    for store in (str(tmp_path / "file" / "x.sqlite"), "nonsense://"):
        options = options_of(**{**GIVEN, "store": store})
        with pytest.raises(UsageError, match="--store"):
            open_desks(["demo"], options, Silent())


def test_a_database_password_is_not_shown() -> None:
    options = options_of(**{**GIVEN, "store": "postgresql://me:hidden@db.example/visavis"})
    with bound("127.0.0.1", 0) as listener:
        document = _document(Opened(options, listener, [], {}))
    assert document["store"] == "postgresql://me:***@db.example/visavis"


def test_steps_are_told_where_no_terminal_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    with stages(always=True) as shown:
        shown.stage("opening Front")
        shown.advance(1, 2)
        shown.note("something")
    with stages(quiet=True, always=True) as shown:
        shown.stage("opening Back")
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "visavis: opening Front\nvisavis: something\n")


def test_how_many_conversations_are_let_end_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for count in (0, 1, 2):
        say_finishing(count)
    assert capsys.readouterr().err.splitlines() == [
        "visavis: finishing 1 conversation (Ctrl-C again: at once)",
        "visavis: finishing 2 conversations (Ctrl-C again: at once)",
    ]


def test_people_are_told_where_to_go(capsys: pytest.CaptureFixture[str]) -> None:
    show_serving(
        {
            "desks": [{"id": "demo", "name": "Front", "engines": {"answering": "extractive"}}],
            "pages": {"visitor": "http://127.0.0.1:1/", "kiosk": "http://127.0.0.1:1/kiosk"},
            "max_sessions": 4,
            "notes": ["Note: something."],
        }
    )
    said = capsys.readouterr().out
    assert "http://127.0.0.1:1/" in said
    assert "answering extractive" in said
