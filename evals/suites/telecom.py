"""The world of τ²-bench's telecom tasks: the company's database, a customer's phone, and what links them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from evals.suites.figures import SuiteDataError
from evals.suites.lookup import in_words
from evals.suites.tau2_tasks import Assertion, By, Call, Task
from evals.suites.telecom_phone import Phone, fresh_phone

TODAY, LAST_MONTH = "2025-02-25", ("2025-01-01", "2025-01-31")
"""As the benchmark has it: the database was written for that day."""
Row = dict[str, Any]
_KEYS = {"customers": "customer_id", "lines": "line_id", "plans": "plan_id", "bills": "bill_id",
         "devices": "device_id"}  # fmt: skip
_TABLES = {"C": "customers", "L": "lines", "P": "plans", "B": "bills", "D": "devices"}
"""First letter of an id → table."""


class WorldError(ValueError):
    """An action cannot be done; nothing was changed."""


class Telecom:
    """The world.

    Args:
        state: "company" as `db.toml` has it, and "phone".
    """

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.phone = Phone(state["phone"])

    @classmethod
    def begin(cls, database: Mapping[str, Any], task: Task) -> Telecom:
        """Return the world as a task begins.

        Raises:
            SuiteDataError: what the task begins with cannot be done.
        """
        world = cls({"company": copy.deepcopy(dict(database)), "phone": fresh_phone()})
        for call in task.begins:
            try:
                world.do(call)
            except WorldError as error:
                raise SuiteDataError(
                    f"task {task.id!r} begins with {call.name}: {error}; is db.toml of the same version?"
                ) from error
        return world

    @classmethod
    def load(cls, file: Path) -> Telecom:
        """Read a world that was saved."""
        return cls(json.loads(file.read_text(encoding="utf-8")))

    def save(self, file: Path) -> None:
        """Save it."""
        file.write_text(json.dumps(self.state), encoding="utf-8")

    def do(self, call: Call) -> str:
        """Do something, and return what is told of it.

        Raises:
            WorldError: it cannot be done.
        """
        act = self._act(call.name, call.by)
        if act is None:
            raise WorldError(f"the {call.by} has no action {call.name}")
        before = copy.deepcopy(self.state)
        try:
            told = act(**call.arguments)
        except (ValueError, KeyError, TypeError) as error:
            self.state.clear()
            self.state.update(before)
            self.phone = Phone(self.state["phone"])
            raise WorldError(str(error)) from error
        self._link()
        return told if isinstance(told, str) else "Done." if told is None else in_words(told)

    def can(self, name: str, by: By = "assistant") -> bool:
        """Tell whether there is such an action."""
        return self._act(name, by) is not None

    def holds(self, one: Assertion) -> bool | None:
        """Tell whether an assertion is true; None: it is not known here."""
        phone, wanted = self.phone.state, one.arguments
        match one.name:
            case "assert_service_status":
                so = phone["connection"] == wanted["expected_status"]
            case "assert_mobile_data_status":
                so = self.phone.data_works == wanted["expected_status"]
            case "assert_internet_speed":
                mbps, word = self.phone.speed
                so = (
                    mbps >= wanted["expected_speed"] and word == (wanted.get("expected_desc") or word).lower()
                )
            case "assert_internet_not_excellent":
                so = self.phone.speed[1] != "excellent"
            case "assert_can_send_mms":
                so = self.phone.sends_mms == wanted["expected_status"]
            case "assert_airplane_mode_status":
                so = phone["airplane"] == wanted["expected_status"]
            case "assert_mobile_roaming_status":
                so = phone["roaming"] == wanted["expected_status"]
            case "assert_mobile_data_saver_mode_status":
                so = phone["saver"] == wanted["expected_status"]
            case "assert_no_overdue_bill":
                bills = {bill["bill_id"]: bill["status"] for bill in self._table("bills")}
                so = bills.get(wanted["overdue_bill_id"], "Paid") == "Paid"
            case "assert_data_refueling_amount":
                so = abs(self._line(**_ids(wanted))["data_refueling_gb"] - wanted["expected_amount"]) < 1e-6  # noqa: PLR2004
            case "assert_line_status":
                so = self._line(**_ids(wanted))["status"] == wanted["expected_status"]
            case _:
                return None
        return bool(so == one.value)

    # What the company's agent can do

    def get_customer_by_phone(self, phone_number: str) -> Row:
        """Find a customer by a telephone number."""
        for customer in self._table("customers"):
            lines = [self._row("lines", one)["phone_number"] for one in customer["line_ids"]]
            if _digits(phone_number) in map(_digits, [customer["phone_number"], *lines]):
                return customer
        raise WorldError(f"no customer has the number {phone_number}")

    def get_customer_by_id(self, customer_id: str) -> Row:
        """Find a customer by id."""
        return self._row("customers", customer_id)

    def get_customer_by_name(self, full_name: str, dob: str) -> list[Row]:
        """Find customers by name and date of birth."""
        wanted = (full_name.casefold(), dob)
        return [
            one
            for one in self._table("customers")
            if (one["full_name"].casefold(), one["date_of_birth"]) == wanted
        ]

    def get_details_by_id(self, id: str) -> Row:  # noqa: A002
        """Look up a customer, line, plan, bill or device."""
        if id[:1] not in _TABLES:
            raise WorldError(f"{id} is no id of a customer, line, plan, bill or device")
        return self._row(_TABLES[id[:1]], id)

    def get_bills_for_customer(self, customer_id: str, limit: int = 12) -> list[Row]:
        """Look up a customer's bills, newest first."""
        bills = [self._row("bills", one) for one in self._row("customers", customer_id)["bill_ids"]]
        return sorted(bills, key=lambda bill: str(bill["issue_date"]), reverse=True)[: int(limit)]

    def get_data_usage(self, customer_id: str, line_id: str) -> Row:
        """Look up how much data a line used."""
        line = self._line(customer_id, line_id)
        limit = self._row("plans", line["plan_id"])["data_limit_gb"]
        return {key: line[key] for key in ("line_id", "data_used_gb", "data_refueling_gb")} | {
            "data_limit_gb": limit
        }

    def send_payment_request(self, customer_id: str, bill_id: str) -> str:
        """Ask the customer to pay a bill."""
        customer = self._row("customers", customer_id)
        if bill_id not in customer["bill_ids"]:
            raise WorldError(f"the customer has no bill {bill_id}")
        if any(self._row("bills", one)["status"] == "Awaiting Payment" for one in customer["bill_ids"]):
            raise WorldError("another bill awaits payment")
        self._row("bills", bill_id)["status"] = "Awaiting Payment"
        return f"A payment request for bill {bill_id} was sent."

    def suspend_line(self, customer_id: str, line_id: str, reason: str) -> str:
        """Suspend a line."""
        line = self._line(customer_id, line_id)
        if line["status"] != "Active":
            raise WorldError("only an active line can be suspended")
        line |= {"status": "Suspended", "suspension_start_date": TODAY}
        return f"Line {line_id} is suspended."

    def resume_line(self, customer_id: str, line_id: str) -> str:
        """Resume a line."""
        line = self._line(customer_id, line_id)
        if line["status"] not in ("Suspended", "Pending Activation"):
            raise WorldError("only a suspended line can be resumed")
        line |= {"status": "Active", "suspension_start_date": None}
        return f"Line {line_id} is active again."

    def refuel_data(self, customer_id: str, line_id: str, gb_amount: float) -> str:
        """Add data to a line."""
        line, amount = self._line(customer_id, line_id), float(gb_amount)
        if amount <= 0:
            raise WorldError("the amount must be above 0")
        line["data_refueling_gb"] += amount
        charge = amount * self._row("plans", line["plan_id"])["data_refueling_price_per_gb"]
        self.state["company"].setdefault("charges", []).append([customer_id, line_id, charge])
        return f"{amount:g} GB were added to line {line_id} for ${charge:.2f}."

    def enable_roaming(self, customer_id: str, line_id: str) -> str:
        """Let a line roam."""
        self._line(customer_id, line_id)["roaming_enabled"] = True
        return f"Roaming is enabled for line {line_id}."

    def disable_roaming(self, customer_id: str, line_id: str) -> str:
        """No longer let a line roam."""
        self._line(customer_id, line_id)["roaming_enabled"] = False
        return f"Roaming is disabled for line {line_id}."

    def transfer_to_human_agents(self, summary: str = "") -> str:
        """Pass the customer on to a person."""
        return "The customer was passed on to a person."

    # What tasks begin with, at the company

    def set_data_usage(self, customer_id: str, line_id: str, data_used_gb: float) -> None:
        """Let a line have used so much data."""
        self._line(customer_id, line_id)["data_used_gb"] = data_used_gb

    def suspend_line_for_overdue_bill(
        self, customer_id: str, line_id: str, new_bill_id: str, contract_ended: bool
    ) -> None:
        """Suspend a line because a bill was not paid."""
        line, customer = self._line(customer_id, line_id), self._row("customers", customer_id)
        price = self._row("plans", line["plan_id"])["price_per_month"]
        first, last = LAST_MONTH
        self._table("bills").append(
            {"bill_id": new_bill_id, "customer_id": customer_id, "period_start": first, "period_end": last,
             "issue_date": first, "total_due": price, "status": "Overdue"}
        )  # fmt: skip
        customer["bill_ids"].append(new_bill_id)
        line |= {"status": "Suspended", "suspension_start_date": TODAY}
        if contract_ended:
            line["contract_end_date"] = last

    def _act(self, name: str, by: By) -> Callable[..., Any] | None:
        if name.startswith("_") or name in ("do", "can", "holds", "begin", "load", "save"):
            return None
        found = getattr(self.phone if by == "user" else self, name, None)
        return found if callable(found) else None

    def _link(self) -> None:
        """Let the phone know of its line, and the company of what was paid."""
        phone = self.phone.state
        if not phone["phone_number"]:
            return
        line = next(
            (
                one
                for one in self._table("lines")
                if _digits(one["phone_number"]) == _digits(phone["phone_number"])
            ),
            None,
        )
        if line is None:
            return
        limit = self._row("plans", line["plan_id"])["data_limit_gb"] + line["data_refueling_gb"]
        phone |= {
            "line_active": line["status"] == "Active",
            "roaming_allowed": line["roaming_enabled"],
            "usage_exceeded": line["data_used_gb"] >= limit,
        }
        if phone["payment"] is not None and phone["payment"]["paid"]:
            self._row("bills", phone["payment"]["bill_id"])["status"] = "Paid"
            phone["payment"] = None
        if phone["payment"] is None:
            for bill_id in self.get_customer_by_phone(phone["phone_number"])["bill_ids"]:
                bill = self._row("bills", bill_id)
                if bill["status"] == "Awaiting Payment":
                    phone["payment"] = {"bill_id": bill_id, "due": bill["total_due"], "paid": False}
                    break

    def _table(self, name: str) -> list[Row]:
        rows: list[Row] = self.state["company"].get(name, [])
        return rows

    def _row(self, table: str, id_: str) -> Row:
        for row in self._table(table):
            if row[_KEYS[table]] == id_:
                return row
        raise WorldError(f"there is no {id_} among the {table}")

    def _line(self, customer_id: str, line_id: str) -> Row:
        if line_id not in self._row("customers", customer_id)["line_ids"]:
            raise WorldError(f"the customer has no line {line_id}")
        return self._row("lines", line_id)


def _ids(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {name: arguments[name] for name in ("customer_id", "line_id")}


def _digits(text: str) -> str:
    return "".join(one for one in text if one.isdigit())
