"""Masks: what stands, and is spoken, in place of personal data."""

from __future__ import annotations

import re
from collections.abc import Iterable

from moderation.screener import Finding

_LABELS = {
    "en": {
        "card": "[card number]",
        "iban": "[account number]",
        "email": "[e-mail address]",
        "phone": "[phone number]",
        "resident_id": "[ID number]",
        "ssn": "[social security number]",
        "nino": "[national insurance number]",
        "passport": "[passport number]",
        "security_code": "[security code]",
        "birth_date": "[date of birth]",
        "national_id": "[ID number]",
        "driving_licence": "[licence number]",
        "plate": "[number plate]",
        "account": "[account number]",
        "bic": "[bank code]",
        "ip_address": "[IP address]",
        "mac_address": "[device address]",
        "wallet": "[wallet address]",
        "name": "[name]",
        "address": "[address]",
        "secret": "[secret]",
        "link": "[link]",
        "": "[removed]",
    },
    "zh": {
        "card": "[银行卡号]",
        "iban": "[银行账号]",
        "email": "[邮箱]",
        "phone": "[电话号码]",
        "resident_id": "[身份证号]",
        "ssn": "[社会保障号]",
        "nino": "[国民保险号]",
        "passport": "[护照号]",
        "security_code": "[安全码]",
        "birth_date": "[出生日期]",
        "national_id": "[证件号码]",
        "driving_licence": "[驾驶证号]",
        "plate": "[车牌号]",
        "account": "[银行账号]",
        "bic": "[银行代码]",
        "ip_address": "[IP 地址]",
        "mac_address": "[设备地址]",
        "wallet": "[钱包地址]",
        "name": "[姓名]",
        "address": "[地址]",
        "secret": "[密码]",
        "link": "[链接]",
        "": "[已隐去]",
    },
}


def masked(text: str, findings: Iterable[Finding], language: str) -> str:
    """The text with each finding's stretch replaced by a label in `language` (English where unknown)."""
    labels = _LABELS.get(language, _LABELS["en"])
    pieces: list[str] = []
    at = 0
    for finding in sorted(findings, key=lambda finding: (finding.start, -finding.end)):
        if finding.end <= at:
            continue
        if finding.start >= at:
            pieces += [text[at : finding.start], labels.get(finding.replacement, labels[""])]
        at = finding.end
    pieces.append(text[at:])
    return "".join(pieces)


_ANY_LABEL = re.compile(
    "|".join(sorted({re.escape(label) for labels in _LABELS.values() for label in labels.values()}))
)


def unlabelled(text: str) -> str:
    """A masked text with an ellipsis for each label, whose words models would take for the visitor's."""
    return _ANY_LABEL.sub("…", text)
