"""What a desk can do in the world of τ²-bench's telecom tasks."""

from __future__ import annotations

import inspect

from evals.suites.generated import Action, Argument
from evals.suites.telecom import Telecom

_PHONE = r"(\+?\d{3}[-. ]?\d{3}[-. ]?\d{4})"
_ARGUMENTS = {
    "phone_number": Argument(_PHONE, "What is your phone number?"),
    "customer_id": Argument(r"\b(C\d{4})\b", "What is your customer id?"),
    "line_id": Argument(r"\b(L\d{4})\b", "Which line is it?"),
    "bill_id": Argument(r"\b(B\d{4,})\b", "Which bill is it?"),
    "id": Argument(r"\b([CLPBD]\d{4,})\b", "Which id is it?"),
    "gb_amount": Argument(r"\b(\d+(?:\.\d+)?) ?GB\b", "How many gigabytes?"),
    "full_name": Argument(r"\b([A-Z][a-z]+ [A-Z][a-z]+)\b", "What is your full name?"),
    "dob": Argument(r"\b(\d{4}-\d{2}-\d{2})\b", "What is your date of birth?"),
    "reason": Argument(r"(.{2,80})", "Why should it be suspended?"),
}
_ABOUT = {
    "get_customer_by_phone": _PHONE,
    "get_customer_by_id": r"\bC\d{4}\b",
    "get_customer_by_name": r"\b\d{4}-\d{2}-\d{2}\b",
    "get_details_by_id": r"\b[LPBD]\d{4,}\b",
    "get_bills_for_customer": r"\bbills?\b",
    "get_data_usage": r"\bdata usage\b|\bhow much data\b",
    "send_payment_request": r"\bpay\b.{0,30}\bbill\b|\boverdue\b",
    "suspend_line": r"\bsuspend\b",
    "resume_line": r"\bresume\b|\breactivate\b",
    "refuel_data": r"\brefuel\b|\b(?:add|more)\b.{0,20}\bdata\b",
    "enable_roaming": r"\benable\b.{0,20}\broaming\b",
    "disable_roaming": r"\bdisable\b.{0,20}\broaming\b",
}
"""Action → what visitors say who want it."""


def _action(name: str) -> Action:
    act = getattr(Telecom, name)
    wanted = [one for one in inspect.signature(act).parameters.values() if one.name != "self"]
    return Action(
        name,
        inspect.getdoc(act) or name,
        _ABOUT[name],
        not name.startswith("get_"),
        {one.name: _ARGUMENTS[one.name] for one in wanted if one.default is inspect.Parameter.empty},
    )


TELECOM_ACTIONS = tuple(map(_action, _ABOUT))
