import os
import threading
from pathlib import Path

import jwt
import pytest

from agent.errors import DeskError
from server.live.errors import LiveError
from server.live.tokens import AUDIENCE, Tokens, load_secret

SECRET = b"s" * 32


def refused(tokens: Tokens, token: str, session: str = "abc", origin: str = "") -> str:
    with pytest.raises(LiveError) as caught:
        tokens.read(token, session=session, origin=origin)
    assert caught.value.remedy
    return caught.value.code


def test_a_token_lets_in_for_its_session_desk_and_origin() -> None:
    tokens = Tokens(SECRET)
    token = tokens.issue("abc", "front", "https://shop.example", expires_s=60)
    claims = tokens.read(token, session="abc", origin="https://shop.example")
    assert (claims.session, claims.desk) == ("abc", "front")
    assert refused(tokens, token, "abd", "https://shop.example") == "token_elsewhere"
    assert refused(tokens, token, "abc", "https://evil.example") == "token_elsewhere"
    assert refused(tokens, token, "abc", "") == "token_elsewhere"


def test_two_tokens_of_a_session_are_different() -> None:
    tokens = Tokens(SECRET)
    assert tokens.issue("abc", "d", "", expires_s=60) != tokens.issue("abc", "d", "", expires_s=60)


def test_an_old_token_has_expired() -> None:
    tokens = Tokens(SECRET)
    assert refused(tokens, tokens.issue("abc", "d", "", expires_s=-1)) == "token_expired"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "é",
        "\0",
        "x" * 4096,
        jwt.encode({"sub": "abc", "aud": AUDIENCE, "exp": 9e9, "iat": 0, "jti": "x"}, b"o" * 32, "HS256"),
        jwt.encode({"sub": "abc", "aud": "other", "exp": 9e9, "iat": 0, "jti": "x"}, SECRET, "HS256"),
        jwt.encode({"sub": "abc", "aud": AUDIENCE, "iat": 0, "jti": "x"}, SECRET, "HS256"),
        jwt.encode({"sub": "abc", "aud": AUDIENCE, "exp": 9e9, "iat": 0, "jti": "x"}, None, "none"),
        jwt.encode({"sub": "abc", "aud": AUDIENCE, "exp": 9e9, "iat": 0, "jti": "x"}, SECRET * 2, "HS512"),
    ],
)
def test_a_forged_token_is_invalid(token: str) -> None:
    assert refused(Tokens(SECRET), token) == "token_invalid"


def test_a_short_secret_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32"):
        Tokens(b"short")
    monkeypatch.setenv("VISAVIS_SECRET", "short")
    with pytest.raises(DeskError, match="openssl"):
        load_secret(tmp_path / "secret")


def test_a_secret_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    file = tmp_path / "state" / "secret"
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(load_secret(file))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert os.stat(file).st_mode & 0o777 == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["secret"]


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    load_secret(file)
    file.chmod(0o644)
    with pytest.raises(DeskError, match="chmod 600"):
        load_secret(file)


def test_a_given_secret_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISAVIS_SECRET", "g" * 40)
    assert load_secret(tmp_path / "secret") == b"g" * 40
    assert list(tmp_path.iterdir()) == []
