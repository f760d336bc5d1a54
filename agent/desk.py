"""A desk: one service position, and a folder."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from agent.errors import DeskError
from agent.phrases import DEFAULTS, Phrases
from agent.settings import DeskSettings
from agent.tools import Tool, load_tools

if TYPE_CHECKING:
    from moderation import Guard

DEMO = "demo"
_BUILT_IN = Path(str(resources.files("agent"))) / "desks"
MOST_RULES = 12_000
"""Characters of a language model's rules; it reads them with every question."""
_CJK = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Desk:
    """A desk that was read and found right."""

    folder: Path
    settings: DeskSettings
    state: Path | None = None
    """Where its state is kept instead of the usual place: replays must not touch what visitors did."""
    _phrases: dict[str, Phrases] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Language → fixed lines, once they were asked for."""

    @classmethod
    def load(cls, where: str | Path = DEMO) -> Desk:
        """Read a desk.

        Args:
            where: its folder, its `desk.toml`, or "demo" for the one in the package.

        Raises:
            DeskError: it is missing or wrong; the message names file, key and remedy.
        """
        folder = _folder(where)
        return cls(folder=folder, settings=_read(folder / "desk.toml"))

    @property
    def knowledge_folder(self) -> Path:
        """Documents that the desk knows."""
        return self.folder / "knowledge"

    @property
    def policy_file(self) -> Path | None:
        """Its moderation policy; None for the default one."""
        file = self.folder / "policy.toml"
        return file if file.is_file() else None

    def guard(self) -> Guard:
        """Return the guard of its policy; the contacts that `desk.toml` names may be said.

        Raises:
            PolicyError: the policy is wrong.
            ModerationError: a classifier that it names, of texts or of pictures, cannot be opened.
        """
        from agent.contacts import with_contacts
        from moderation import Guard
        from moderation.image_settings import open_image_classifier
        from moderation.policy import Policy

        settings = self.settings
        lines = (*settings.persona.contact.values(), *settings.handoff.contact.values())
        policy = Policy.load(self.policy_file)
        open_image_classifier(policy)  # what is broken is told at start, not by the first photo
        return Guard.load(with_contacts(policy, lines))

    @property
    def scripts(self) -> tuple[Path, ...]:
        """Its scripted conversations."""
        return tuple(sorted((self.folder / "scripts").glob("*.yaml")))

    @property
    def state_folder(self) -> Path:
        """Where the index, the order book and the like are kept; made when missing.

        Named after the desk's folder, so that the folder itself may be read-only.
        """
        if self.state is not None:
            return self.state
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]
        state = state_root() / "desks" / f"{self.folder.name}-{digest}"
        try:
            state.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DeskError(
                f"{state}: cannot be made ({error.strerror}); set VISAVIS_STATE to a writable folder"
            ) from error
        return state

    def beside(self, name: str) -> str:
        """Return the path of what lies beside `desk.toml` under this name; else the name itself."""
        path = self.folder / name
        return str(path) if name and path.exists() else name

    def rules(self) -> str:
        """Return the company's own rules for a language model; empty where there are none.

        Raises:
            DeskError: the file that `answering.policy` names cannot be read, or is too long.
        """
        name = self.settings.answering.policy
        if not name:
            return ""
        file, where = self.folder / name, f"{self.folder / 'desk.toml'}: answering.policy"
        try:
            text = file.read_text(encoding="utf-8-sig").strip()
        except (OSError, ValueError) as error:
            raise DeskError(
                f"{where}: {file} cannot be read ({error}); name a UTF-8 text file in the desk's folder"
            ) from error
        if len(text) > MOST_RULES:
            raise DeskError(
                f"{where}: {file} has {len(text)} characters, at most {MOST_RULES} fit; shorten it, and put "
                "what visitors ask about into the knowledge"
            )
        return text

    def tools(self) -> tuple[Tool, ...]:
        """Import and return its business actions."""
        return load_tools(self.folder / "tools.py")

    def language_of(self, text: str) -> str:
        """Tell which of the desk's languages a text is in; the desk's first where neither fits."""
        chinese = len(_CJK.findall(text))
        latin = len(re.findall(r"[A-Za-z]+", text))
        if "zh" in self.settings.languages and chinese and chinese >= latin:
            return "zh"
        if "en" in self.settings.languages and latin:
            return "en"
        return self.settings.languages[0]

    def phrases(self, language: str) -> Phrases:
        """Return its fixed lines in a language, with names and contact filled in."""
        if (made := self._phrases.get(language)) is not None:
            return made
        settings = self.settings
        lines = DEFAULTS[language].model_dump()
        lines |= settings.phrases.get(language, {})  # type: ignore[call-overload]
        known = {
            "name": settings.persona.name,
            "company": settings.persona.company,
            "contact": settings.persona.contact.get(language, ""),  # type: ignore[call-overload]
        }
        for key, text in lines.items():
            for name, value in known.items():
                text = text.replace("{" + name + "}", value)
            lines[key] = text.strip()
        self._phrases[language] = Phrases(**lines)
        return self._phrases[language]


def state_root() -> Path:
    """Folder of everything that Visavis writes for itself: VISAVIS_STATE, else the user's data folder."""
    chosen = os.environ.get("VISAVIS_STATE")
    if chosen:
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("visavis")


def new_desk(folder: Path, *, name: str = "", company: str = "") -> Desk:
    """Write a starter desk into a new or empty folder.

    Raises:
        DeskError: the folder holds something already or cannot be written.
    """
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DeskError(f"{folder} is not empty; name a new folder")
    name, company = name or folder.name, company or "My company"
    if max(len(name), len(company)) > 120:
        raise DeskError("a desk's and a company's name have at most 120 letters; choose a shorter one")
    try:
        shutil.copytree(
            _BUILT_IN / "starter", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
        file = folder / "desk.toml"
        text = file.read_text(encoding="utf-8")
        for old, new in (("My desk", name), ("My company", company)):
            text = text.replace(f'"{old}"', f'"{_toml_text(new)}"')
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DeskError(f"{folder}: cannot be written ({error.strerror}); choose another place") from error
    return Desk.load(folder)


def _toml_text(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", " ", text).replace("\\", "\\\\").replace('"', '\\"')


def _folder(where: str | Path) -> Path:
    path = Path(where)
    if path.name == "desk.toml":
        path = path.parent
    if str(where) == DEMO and not (path / "desk.toml").is_file():
        return _BUILT_IN / DEMO  # also where some other folder happens to be called demo
    if path.is_dir():
        return path.resolve()
    if " " in str(where) and not path.parent.is_dir() or str(where).endswith("?"):
        raise DeskError(
            f'there is no desk called {str(where)[:60]!r}; a question goes behind --text: --text "…"'
        )
    raise DeskError(
        f"there is no desk at {where}; make one with `visavis new {where}`, or leave it out for the demo desk"
    )


def _read(file: Path) -> DeskSettings:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DeskError(f"{file.parent} holds no desk.toml; make a desk with `visavis new DIR`") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DeskError(f"{file}: cannot be read ({error}); it must be a UTF-8 text file") from error
    except (ValueError, RecursionError) as error:
        raise DeskError(f"{file}: not valid TOML: {str(error)[:200]}; mend that line") from error
    try:
        return DeskSettings.model_validate(data)
    except ValidationError as error:
        raise DeskError("; ".join(_complaint(file, item) for item in error.errors()[:5])) from error


def _complaint(file: Path, item: object) -> str:
    from typing import cast

    details = cast("dict[str, object]", item)
    where = ".".join(str(part) for part in cast("tuple[object, ...]", details["loc"])) or "the file"
    kind, message = str(details["type"]), str(details["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return f"{file}: there is no key {where}; check its spelling or remove it"
    if kind == "missing":
        return f"{file}: the key {where} is missing; add it"
    value = details["input"]
    if isinstance(value, dict | BaseModel):  # a whole table says nothing about what is wrong in it
        return f"{file}: {where}: {message[0].lower()}{message[1:]}"
    try:
        given = f" (it says {str(value)[:60]!r})"
    except ValueError:  # a number of thousands of digits has no text
        given = ""
    return f"{file}: {where}: {message[0].lower()}{message[1:]}{given}"
