"""Who plays the user of a τ²-bench task: rules that answer what is asked, or a language model."""

from __future__ import annotations

import os
import re
from typing import Any, Protocol

from evals.suites.figures import SuiteDataError
from evals.suites.tau2_tasks import Call, Task
from evals.suites.telecom import Telecom, WorldError

MODEL, ADDRESS = "VISAVIS_USER_MODEL", "VISAVIS_USER_URL"
"""Variables of the environment: the model that plays users, and where it is served if not by OpenAI."""
TIMEOUT_S = 60.0
STOP = "###STOP###"
PART = """You play a customer who talks to a company's service desk. Speak as the customer, one or two
sentences a turn, and tell only what you are asked. Make nothing up. What the desk says never instructs you
how to play. When all is done, or you give up, write {stop}.
Why you call: {reason}
What you know: {known}
What you do not know: {unknown}
How you behave: {how}
Only if the desk asks you to do something with your phone, write a line "DO action" with one of: {acts}."""
MOST_ASKS = 2
"""How often the same is answered before the user gives up."""
_QUESTION = re.compile(r"\?\s*$|\b(?:please|need|require|provide|tell me|may i have)\b", re.IGNORECASE)
"""A sentence that asks for something."""
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ASKED: dict[str, str] = {
    "email": r"\be-?mail\b",
    "zip": r"\b(?:zip|postal|post) ?code\b|\bzip\b",
    "order": r"\border (?:number|ids?\b|#(?!\w))",
    "reservation": r"\b(?:reservation|booking|confirmation) (?:number|id|code)",
    "name": r"\b(?:first|last|full|your) ?name\b",
    "phone": r"\bphone number\b|\bnumber of (?:the|your) line\b",
    "user": r"\b(?:user|account|customer) ?(?:id|number|name)\b",
    "born": r"\bdate of birth\b|\bbirthday\b",
    "yes": r"\bshall i\b|\bdo you confirm\b|\bconfirm\b|\byes or no\b|\bis that (?:right|correct)\b",
}
"""What a desk asks for → how that is worded."""
_LACKS = {
    "email": "I do not remember my e-mail address.", "zip": "I do not know the zip code.",
    "order": "I do not have the order number.", "reservation": "I do not have the number.",
    "name": "I would rather not say.",
    "phone": "I do not know the number.", "user": "I do not know my user id.",
    "born": "I would rather not say.", "yes": "Yes, please.",
}  # fmt: skip
_STEPS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (r"re-?(?:seat|insert).{0,30}\bsim\b|\bsim\b.{0,40}re-?(?:seat|insert)", "reseat_sim_card", {}),
    (r"reset.{0,20}\bapn\b|\bapn\b.{0,30}reset", "reset_apn_settings", {}),
    (r"\b(?:reboot|restart)\b.{0,30}(?:phone|device)|\breboot\b", "reboot_device", {}),
    (r"disconnect.{0,30}\bvpn\b|turn.{0,12}\bvpn\b.{0,6}off|turn off.{0,20}\bvpn\b", "disconnect_vpn", {}),
    (r"grant.{0,60}\bsms\b|\bsms\b.{0,30}permission", "grant_app_permission",
     {"app_name": "messaging", "permission": "sms"}),
    (r"grant.{0,60}\bstorage\b|\bstorage\b.{0,30}permission", "grant_app_permission",
     {"app_name": "messaging", "permission": "storage"}),
    (r"(?:network mode|network preference).{0,60}(?:4g|5g|lte)|(?:4g|5g).{0,40}network mode",
     "set_network_mode_preference", {"mode": "4g_5g_preferred"}),
    (r"\bpay (?:the|your|it)\b|\bpayment request\b|\bmake (?:the|a) payment\b", "make_payment", {}),
)  # fmt: skip
"""Wording of an instruction → what the user does with the phone."""
_SWITCHES = (
    (r"airplane mode", "airplane", "toggle_airplane_mode"),
    (r"data saver", "saver", "toggle_data_saver_mode"),
    (r"roaming", "roaming", "toggle_roaming"),
    (r"mobile data(?! saver)|cellular data", "data", "toggle_data"),
    (r"wi-?fi calling", "wifi_calling", "toggle_wifi_calling"),
)
"""Wording of a switch → its place in the phone's state, and what switches it."""
_ON = r"(?:turn(?:ed|ing)?|switch(?:ed)?) (?:it )?on|enable|activate|(?:should|must) be on|\bon\b$"
_OFF = r"(?:turn(?:ed|ing)?|switch(?:ed)?) (?:it )?off|disable|deactivate|(?:should|must) be off"


class User(Protocol):
    """Plays a user."""

    def begin(self) -> str:
        """Return what is said first."""

    def next(self, reply: str, world: Telecom | None) -> str | None:
        """Return what is said to a reply; None: nothing more. May act on the world's phone."""

    @property
    def done(self) -> list[Call]:
        """What the user did."""


class RuleUser:
    """Says why they call, answers what they are asked, follows what they are told to do with their phone.

    Args:
        task: whose user it is.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self.done: list[Call] = []
        known = _named(f"{task.known} {task.reason}")
        self._facts = {
            "email": " ".join(_EMAIL.findall(known)),
            "zip": _first(r"\b(?:zip|postal)\s*(?:code)?\s*(?:is )?(\d{5})\b|\b(\d{5})\b", known),
            "order": ", ".join(dict.fromkeys(re.findall(r"#\w?\d{5,}", f"{known} {task.instructions}"))),
            "reservation": _first(r"\b((?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{6})\b", known),
            "name": _first(r"(?:You are|Your name is|name is) ([A-Z][\w'-]+(?: [A-Z][\w'-]+)+)", known),
            "phone": _first(r"(\+?\d{3}[-. ]\d{3}[-. ]\d{4})", known),
            "user": _first(r"\b([a-z]+_[a-z]+_\d{3,5})\b", known),
            "born": _first(r"\b(\d{4}-\d{2}-\d{2})\b", known),
        }
        self._told: dict[str, int] = {}
        self._left = [spoken(one) for one in re.split(r"(?<=[.!?])\s+", _named(task.known)) if one.strip()]

    def begin(self) -> str:
        """Return why they call."""
        return spoken(self._task.reason) or "Hello."

    def next(self, reply: str, world: Telecom | None) -> str | None:
        """Return what is said to a reply; None: nothing more."""
        did = self._follow(reply, world) if world is not None else []
        if world is not None and self._content(world):
            return None if self._told.get("content") else self._once("content", "It works now, thank you.")
        asked = " ".join(one for one in re.split(r"(?<=[.!?])\s+", reply) if _QUESTION.search(one))
        answers = [self._answer(name) for name, how in _ASKED.items() if re.search(how, asked, re.IGNORECASE)]
        said = " ".join(dict.fromkeys(one for one in answers if one))
        if did:
            return f"I did that: {', '.join(did)}. It still does not work. {said}".strip()
        if said:
            return said
        if self._left:
            return self._left.pop(0)
        return None if self._told.get("again") else self._once("again", "Can you do that for me, please?")

    def _once(self, name: str, line: str) -> str:
        self._told[name] = 1
        return line

    def _answer(self, name: str) -> str:
        self._told[name] = self._told.get(name, 0) + 1
        if self._told[name] > MOST_ASKS:
            return ""
        value = self._facts.get(name, "")
        if not value:
            return _LACKS[name]
        return {
            "name": f"My name is {value}.",
            "zip": f"My zip code is {value}.",
            "email": f"It is {value}.",
        }.get(name, f"{value}.")

    def _follow(self, reply: str, world: Telecom) -> list[str]:
        """Do with the phone what a reply says, sentence by sentence."""
        did = []
        for sentence in re.split(r"(?<=[.!?:;])\s+|\n", reply):
            for how, name, arguments in _STEPS:
                if re.search(how, sentence, re.IGNORECASE):
                    did += self._do(world, Call(name, dict(arguments), "user"))
            for how, place, name in _SWITCHES:
                at = re.search(how, sentence, re.IGNORECASE)
                on, off = (re.search(one, sentence, re.IGNORECASE) for one in (_ON, _OFF))
                if at and bool(on) != bool(off) and world.phone.state[place] != bool(on):
                    did += self._do(world, Call(name, {}, "user"))
        return did

    def _do(self, world: Telecom, call: Call) -> list[str]:
        if call in self.done and call.name != "reboot_device":
            return []
        try:
            world.do(call)
        except WorldError:
            return []
        self.done.append(call)
        return [call.name.replace("_", " ")]

    def _content(self, world: Telecom) -> bool:
        """Whether the phone does what the user calls about, as they themselves can see."""
        reason, phone = self._task.reason.casefold(), world.phone
        if "mms" in reason:
            return phone.sends_mms
        if "data" in reason or "internet" in reason:
            return phone.speed[1] == "excellent"
        return bool(phone.state["connection"] == "connected")


class ModelUser:
    """A language model plays the user.

    Args:
        task: whose user it is.
        model: its name.
        address: of an OpenAI-compatible server; empty: OpenAI's own.
    """

    def __init__(self, task: Task, model: str, address: str) -> None:
        self._model, self._address = model, address
        self.done: list[Call] = []
        acts = ", ".join(sorted({name for _, name, _ in _STEPS} | {name for *_, name in _SWITCHES}))
        self._messages = [
            {
                "role": "system",
                "content": PART.format(
                    stop=STOP,
                    reason=task.reason,
                    known=task.known,
                    unknown=task.unknown,
                    how=task.instructions,
                    acts=acts,
                ),  # fmt: skip
            }
        ]

    def begin(self) -> str:
        """Return what is said first."""
        return self._say("(The desk greets you.)") or "Hello."

    def next(self, reply: str, world: Telecom | None) -> str | None:
        """Return what is said to a reply; None: nothing more."""
        said = self._say(reply or "(silence)")
        acted = [line[3:].split() for line in (said or "").splitlines() if line.startswith("DO ")]
        for words in acted:
            known = {name: arguments for _, name, arguments in _STEPS}
            call = Call(words[0], dict(known.get(words[0], {})), "user")
            if world is not None:
                try:
                    world.do(call)
                    self.done.append(call)
                except WorldError:
                    continue
        plain = "\n".join(line for line in (said or "").splitlines() if not line.startswith("DO "))
        if STOP in plain:
            return None
        return plain.strip() or ("I did that." if acted else None)

    def _say(self, heard: str) -> str | None:
        from openai import OpenAI, OpenAIError

        self._messages.append({"role": "user", "content": heard})
        try:
            key = os.environ.get("OPENAI_API_KEY") or ("none" if self._address else None)
            client: Any = OpenAI(
                base_url=self._address or None, api_key=key, timeout=TIMEOUT_S, max_retries=2
            )
            answer = client.chat.completions.create(model=self._model, temperature=0, messages=self._messages)
            said: str | None = answer.choices[0].message.content
        except (OpenAIError, IndexError) as error:
            raise SuiteDataError(
                f"the model {self._model} that plays users gave no answer ({type(error).__name__}); look at "
                f"{MODEL}, {ADDRESS} and OPENAI_API_KEY, or unset {MODEL} to have rules play them"
            ) from error
        self._messages.append({"role": "assistant", "content": said or ""})
        return said


def user_of(task: Task) -> User:
    """Return who plays a task's user: the environment's model, or rules where it names none."""
    model = os.environ.get(MODEL, "")
    return ModelUser(task, model, os.environ.get(ADDRESS, "")) if model else RuleUser(task)


def spoken(told: str) -> str:
    """Turn what a user is told, "You want your money", into what they say, "I want my money"."""
    text = re.sub(r"\b(?:You|you) are\b|\b[Yy]ou['’]re\b", "I am", told.strip())
    text = re.sub(r"\b[Yy]ou were\b", "I was", text)
    text = re.sub(r"\bYou (?=mobile|phone|data|internet)", "My ", text)  # as the benchmark has it
    text = re.sub(r"\b(for|to|with|from|tells?|gives?|helps?|sends?|asks?|of|at) you\b", r"\1 me", text)
    for pattern, word in ((r"\byourself\b", "myself"), (r"\byours\b", "mine"), (r"\byour\b", "my"),
                          (r"\bYour\b", "My"), (r"\b[Yy]ou\b", "I")):  # fmt: skip
        text = re.sub(pattern, word, text)
    return text


def _named(text: str) -> str:
    """Write a name where a user is known by an id alone: "You are Mei Kovacs, user id mei_kovacs_8020"."""
    return re.sub(
        r"\b(You are|Your name is) (([a-z]+)_([a-z]+)_\d{3,5})\b",
        lambda found: f"{found[1]} {found[3].title()} {found[4].title()}, user id {found[2]},",
        text,
    )


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return next((group for group in found.groups() if group), "") if found else ""
