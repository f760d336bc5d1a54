"""Session tokens: signed, short-lived, good for one session, one desk and one origin."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import jwt

from agent.errors import DeskError
from server.live.errors import LiveError

ALGORITHM = "HS256"
AUDIENCE = "visavis-live"
"""So that a token signed with the same secret for something else does not let in here."""
SECRET_BYTES = 32
"""As long as the hash: RFC 7518, section 3.2."""
SECRET_VARIABLE = "VISAVIS_SECRET"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says."""

    session: str
    desk: str
    origin: str
    """Of the page that asked for it; "" for a client that is no browser."""
    id: str
    number: int = 0
    """Of the session's tokens, which take the place of one another; see `passes`."""


class Tokens:
    """Signs and reads tokens.

    Args:
        secret: at least 32 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_BYTES:
            raise ValueError(f"a secret has at least {SECRET_BYTES} bytes")
        self._secret = secret

    def issue(self, session: str, desk: str, origin: str, *, expires_s: float, number: int = 0) -> str:
        """Sign a token that lets in for `expires_s` seconds; later ones of a session have higher numbers."""
        now = time.time()
        claims = {
            "aud": AUDIENCE,
            "sub": session,
            "desk": desk,
            "origin": origin,
            "jti": secrets.token_urlsafe(12),
            "num": number,
            "iat": int(now),
            "exp": now + expires_s,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def read(self, token: str, *, session: str, origin: str, host: str = "") -> Claims:
        """Check a token.

        Args:
            token: as it came.
            session: that it is used for.
            origin: of the page that uses it; "" where there is none.
            host: of this server, where its own pages may ask without naming an origin; "": they may not.

        Raises:
            LiveError: "token_expired", "token_invalid" or "token_elsewhere".
        """
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["exp", "iat", "sub", "jti"]},
            )
        except jwt.ExpiredSignatureError:
            raise LiveError(
                "token_expired", "the token has expired", "ask for a new session", status=401
            ) from None
        except (jwt.PyJWTError, ValueError):
            raise LiveError(
                "token_invalid", "the token is not one of this server's", "ask for a new session", status=401
            ) from None
        issued = str(claims.get("origin"))
        own = not origin and bool(host) and urlsplit(issued).netloc == host
        if claims["sub"] != session or not (own or issued == origin):
            raise LiveError(
                "token_elsewhere",
                "the token belongs to another session or another site",
                "ask for a new session from this page",
                status=403,
            )
        number = claims.get("num", 0)
        return Claims(session, str(claims.get("desk", "")), issued, str(claims["jti"]), int(number))


def load_secret(file: Path) -> bytes:
    """Return the server's secret: from VISAVIS_SECRET, else from the file, which is made when missing.

    Raises:
        DeskError: it is too short, cannot be read or made, or others may read the file.
    """
    given = os.environ.get(SECRET_VARIABLE, "")
    if given:
        if len(given.encode()) < SECRET_BYTES:
            raise DeskError(
                f"{SECRET_VARIABLE} has under {SECRET_BYTES} characters; make one with `openssl rand -hex 32`"
            )
        return given.encode()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Made under a name of its own and linked: two servers that start at once agree on one.
        fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(secrets.token_hex(SECRET_BYTES).encode())
            os.link(fresh, file)
        except FileExistsError:
            pass
        finally:
            fresh.unlink(missing_ok=True)
        secret = file.read_bytes().strip()
        mode = file.stat().st_mode
    except OSError as error:
        raise DeskError(
            f"{file}: cannot be read or made ({error.strerror}); set {SECRET_VARIABLE}, or name another file"
        ) from error
    if mode & 0o077:
        raise DeskError(f"{file}: others may read the secret; run `chmod 600 {file}`")
    if len(secret) < SECRET_BYTES:
        raise DeskError(f"{file}: holds under {SECRET_BYTES} bytes; delete it, and a new one is made")
    return secret
