"""Credentials: keys, tokens, passwords and one-time codes, by their published forms or by what names them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import log2

from moderation.screener import Finding, Subject
from moderation.spoken_digits import spoken_numbers

_KEYS = re.compile(
    r"\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}\b"  # AWS
    r"|\bsk-(?:proj-|ant-(?:api\d\d-)?|or-v1-|svcacct-)?[A-Za-z0-9_\-]{20,200}"  # OpenAI, Anthropic
    r"|\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{30,255}\b|\bgithub_pat_[A-Za-z0-9_]{30,255}\b"
    r"|\bgl(?:pat|dt|rt|cbt)-[A-Za-z0-9_\-]{20,64}"
    r"|\bxox[abeprs]-[A-Za-z0-9-]{10,255}|\bxapp-\d-[A-Z0-9]{8,16}-[A-Za-z0-9-]{10,255}"  # Slack
    r"|\bAIza[0-9A-Za-z_\-]{35}|\bya29\.[0-9A-Za-z_\-]{20,500}|\bGOCSPX-[A-Za-z0-9_\-]{20,40}"  # Google
    r"|\b(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{16,255}\b|\bwhsec_[A-Za-z0-9]{24,80}"  # Stripe
    r"|\bhf_[A-Za-z0-9]{30,64}\b|\bnpm_[A-Za-z0-9]{36}\b|\bpypi-AgEI[A-Za-z0-9_\-]{40,400}"
    r"|\bSG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{30,60}"  # SendGrid
    r"|\bkey-[0-9a-f]{32}\b|\b[0-9a-f]{32}-us\d{1,2}\b"  # Mailgun, Mailchimp
    r"|\b(?:AC|SK)[0-9a-f]{32}\b"  # Twilio
    r"|\b\d{8,10}:AA[A-Za-z0-9_\-]{33}\b"  # Telegram
    r"|\bdop_v1_[0-9a-f]{64}\b|\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b|\bsq0(?:atp|csp)-[A-Za-z0-9_\-]{22,43}"
    r"|\bdckr_pat_[A-Za-z0-9_\-]{20,60}|\bglsa_[A-Za-z0-9_]{30,60}"
    r"|\bntn_[A-Za-z0-9]{40,60}|\bgsk_[A-Za-z0-9]{40,60}"
    r"|\bLTAI[A-Za-z0-9]{12,24}\b|\bAKID[A-Za-z0-9]{32}\b"  # Alibaba, Tencent
    r"|\beyJ[A-Za-z0-9_\-]{8,2000}\.eyJ[A-Za-z0-9_\-]{8,4000}\.[A-Za-z0-9_\-]{8,1000}"  # JWT
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\sA-Za-z0-9+/=:,-]{0,8000}-----END [A-Z ]{0,40}-----|(?:\s+[A-Za-z0-9+/=]{4,200}){0,99})"
    r"|\bPuTTY-User-Key-File-\d"
    r"|\b(?:postgres(?:ql)?|mysql|mongodb(?:\+srv)?|redis|amqps?|mssql|https?|ftp)://[^\s:/@]{1,64}:[^\s@/]{3,128}@"
    r"|DefaultEndpointsProtocol=https?;AccountName=[^;\s]{1,64};AccountKey=[A-Za-z0-9+/=]{40,100}"
    r"|\bhooks\.slack\.com/services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{16,32}"
)
_KEY_MARKS = re.compile(
    r"A(?:KI|SI|RO|ID)|LTAI|sk-|gh[pousr]_|_pat_|gl[pdrc]|xox|xapp|AIza|ya29|GOCS|[srp]k_|whsec|hf_|npm_|pypi-|SG\."
    r"|key-|-us\d|AC[0-9a-f]|SK[0-9a-f]|:AA|dop_|shp|sq0|dckr|glsa|ntn_|gsk_|eyJ|-----BEGIN|PuTTY|://|AccountKey|hooks\."
)
_NAMED = re.compile(
    r"\b(?:password|passwort|passwd|pwd|passcode|pass ?phrase|pass ?word|wi-?fi (?:key|password)"
    r"|(?:api|secret|access|private|auth|client|encryption)[ _-]?(?:key|token|secret)|bearer|authorization)\b"
    r"(?: (?:for|of|to) (?:my|the|our) [a-z -]{2,24}?)?"
    r"[\"' ]{0,3}(?:is now|is|was|will be|to be|should be|:|=>|=|->)"
    r"[\"'“ :]{0,4}(?:basic |bearer )?([^\s\"'“”,;]{4,200})"
    r"|\bbearer ([A-Za-z0-9_\-.=+/]{16,2000})"
    r"|(?:密码|口令|密钥|秘钥)[ ]?(?:就是|改成|设成|设置为|设为|是|为|：|:|=)[ \"'“:：]{0,3}([!-~]{4,64})",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(
    r"(?:not|now|still|also|always|never|too|very|wrong|right|correct|incorrect|invalid|expired|broken|lost|stolen"
    r"|gone|safe"
    r"|weak|strong|required|needed|missing|blank|empty|changed|reset|being|working|forgotten|case|sensitive"
    r"|stored|saved|sent"
    r"|my|your|the|that|this|what|where|when|how|for|with|from|only|just|longer|different|same|unique|private|secret"
    r"|important"
    r"|accepted|rejected|declined|failing|protected|compromised|hacked|known|unknown|asking|asked|set|made|used|likely"
    r"|[a-z]{1,24}(?:ing|ed|ly|ive|able|ible))[.!?]*",
    re.IGNORECASE,
)
"""What people say of a password rather than the password."""
_CODE = re.compile(
    r"\b(?:(?:verification|one[ -]time|confirmation|authentication|security|activation|recovery|backup|unlock"
    r"|login|sign[ -]?in|sms|text|access|entry|door|gate)[ -]?(?:pass)?(?:code|pin|password)|otp|2fa|mfa"
    r"|one[ -]time)[^0-9a-z]{0,3}(?:is|was|says|reads|:|=)?[^0-9a-z]{0,3}"
    r"((?:[a-z]-)?\d(?:[ -]?\d){3,7})(?!\w)"
    r"|\b(?:the|my|this|your|that) (?:\d-digit )?(?:code|otp|pin)"
    r"(?: (?:i|you) (?:got|received|sent(?: me)?))?"
    r"[^0-9a-z]{0,3}(?:is|was|=|:)[^0-9a-z]{0,3}(\d(?:[ -]?\d){3,7})(?!\w)"
    r"|(?:验证码|动态码|校验码|动态密码|短信码|安全验证|密码)[ ]?(?:是|为|：|:)?[ ]?(\d{4,8})(?!\d)"
    r"|\b(g-\d{6})\b",
    re.IGNORECASE,
)
_NO_CODE = re.compile(
    r"\b(?:post(?:al)?|zip|area|country|error|promo|discount|voucher|coupon|product"
    r"|item|order|tracking)\b"
)
_SPOKEN_CODE = re.compile(
    r"(?:\b(?:code|otp|one[ -]time (?:password|pin)|passcode|password|pin)\b[^.!?]{0,20}"
    r"|验证码\D{0,6}|密码\D{0,4})$",
    re.IGNORECASE,
)
_BLOB = re.compile(
    r"(?<![\w/+=.-])(?=[A-Za-z_\-/+]{0,63}\d)(?=[^A-Z]{0,63}[A-Z])(?=[^a-z]{0,63}[a-z])"
    r"[A-Za-z0-9_\-/+]{32,128}={0,2}(?![\w/+=.-])"
)
_BLOB_CUE = re.compile(r"key|token|secret|credential|密钥|令牌|秘钥", re.IGNORECASE)
MIN_ENTROPY = 4.0
"""Bits a letter: random letters and digits have more, words and names less."""
REACH = 40
"""Characters before a number or a random text in which its name counts."""


class CredentialScreener:
    """Finds `secrets.*`."""

    def screen(self, subject: Subject) -> Iterator[Finding]:
        """Findings `secrets.key`, `secrets.password` and `secrets.code`."""
        text = subject.text
        if _KEY_MARKS.search(text):
            for match in _KEYS.finditer(text):
                yield Finding("secrets.key", 0.97, *match.span(), "secret")
        if len(text) >= 32:
            for match in _BLOB.finditer(text):
                before = text[max(0, match.start() - REACH) : match.start()]
                if _BLOB_CUE.search(before) and _entropy(match.group()) >= MIN_ENTROPY:
                    yield Finding("secrets.key", 0.85, *match.span(), "secret")
        for match in _NAMED.finditer(text):
            group = match.lastindex or 1
            sure = match.group()[: -len(match[group])].rstrip(" \"'“").endswith((":", "=", "：", ">"))
            if not _NO_SECRET.fullmatch(match[group]) and (sure or _is_password(match[group])):
                yield Finding("secrets.password", 0.85, *match.span(group), "secret")
        for match in _CODE.finditer(text):
            if not _NO_CODE.search(text[max(0, match.start() - REACH) : match.start()].lower()):
                yield Finding("secrets.code", 0.85, *match.span(match.lastindex or 1), "secret")
        for spoken in spoken_numbers(subject.folded, least=4):
            first, last = spoken.original(0, len(spoken.text))
            before = text[max(0, first - REACH) : first]
            if len(spoken.text) <= 8 and _SPOKEN_CODE.search(before) and not _NO_CODE.search(before.lower()):
                yield Finding("secrets.code", 0.8, first, last, "secret")


def _is_password(word: str) -> bool:
    """A word with digits, signs inside, or capitals inside; a plain word is as often what is said of it."""
    core = word.rstrip(".!?")
    return (
        any(map(str.isdigit, core))
        or (len(core) >= 6 and bool(re.search(r"[^\w\s'’-]", core)))
        or (core.isalpha() and core[1:] != core[1:].lower() and not core.isupper())
    )


def _entropy(text: str) -> float:
    return -sum(count / len(text) * log2(count / len(text)) for count in Counter(text).values())
