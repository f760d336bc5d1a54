"""Credentials: keys, tokens, passwords and one-time codes, by their published forms or by what names them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from moderation.screener import Finding, Subject

_KEYS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS access key id
    r"|\bsk-(?:proj-|ant-)?[A-Za-z0-9_\-]{20,200}"  # OpenAI, Anthropic
    r"|\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{30,255}\b|\bgithub_pat_[A-Za-z0-9_]{30,255}\b"
    r"|\bglpat-[A-Za-z0-9_\-]{20,64}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,255}"  # Slack
    r"|\bAIza[0-9A-Za-z_\-]{35}"  # Google
    r"|\b(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{16,255}\b"  # Stripe
    r"|\bhf_[A-Za-z0-9]{30,64}\b"
    r"|\beyJ[A-Za-z0-9_\-]{8,2000}\.eyJ[A-Za-z0-9_\-]{8,4000}\.[A-Za-z0-9_\-]{8,1000}"  # JWT
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
)
_KEY_MARKS = ("AKIA", "ASIA", "sk-", "gh", "glpat", "xox", "AIza", "k_", "hf_", "eyJ", "-----BEGIN")
_NAMED = re.compile(
    r"\b(?:password|passwd|pwd|passcode|pass phrase|passphrase"
    r"|api[ _-]?key|secret key|access token|auth token|bearer)\b"
    r"[\"' ]{0,3}(?:is|was|:|=|=>)[\"' :]{0,4}((?=[^\s\"']{0,63}\d)[^\s\"',]{4,64})"
    r"|(?:密码|口令|密钥)[ ]?(?:是|为|：|:|=)[ \"'“]{0,3}((?=[!-~]{0,63}\d)[!-~]{4,64})",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\b(?:verification|one[ -]time|confirmation|authentication|security|otp|2fa|login|sms)"
    r"[ -]?(?:pass)?(?:code|pin|password)?\b"
    r"[^0-9a-z]{0,3}(?:is|was|:)[^0-9a-z]{0,3}(\d{4,8})\b"
    r"|(?:验证码|动态码|校验码)[ ]?(?:是|为|：|:)?[ ]?(\d{4,8})(?!\d)",
    re.IGNORECASE,
)


class CredentialScreener:
    """Finds `secrets.*`."""

    def screen(self, subject: Subject) -> Iterator[Finding]:
        """Findings `secrets.key`, `secrets.password` and `secrets.code`."""
        text = subject.text
        if any(mark in text for mark in _KEY_MARKS):
            for match in _KEYS.finditer(text):
                yield Finding("secrets.key", 0.97, *match.span(), "secret")
        for pattern, rule in ((_NAMED, "secrets.password"), (_CODE, "secrets.code")):
            for match in pattern.finditer(text):
                yield Finding(rule, 0.85, *match.span(match.lastindex or 1), "secret")
