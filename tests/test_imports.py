"""Who may import whom: the dependency rules of the house."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "avatar", "speech", "knowledge", "moderation", "server", "evals")
ALLOWED = {
    "speech": set(),
    "knowledge": set(),
    "moderation": set(),
    "avatar": {"speech.timeline"},
    "agent": {"speech", "knowledge", "moderation", "avatar"},
    "server": {"agent", "speech", "knowledge", "moderation", "avatar"},
    "evals": {"agent", "speech", "knowledge", "moderation", "avatar", "server"},
}
# The command line is one door for all: only its module of words and options reaches up to evals.
EXCEPTIONS = {("server/command.py", "evals")}


def imported_modules(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names.add(node.module or "")
    return names


def breaches(package: str) -> list[str]:
    found = []
    for file in sorted((ROOT / package).rglob("*.py")):
        place = file.relative_to(ROOT).as_posix()
        if "/desks/" in place:
            continue  # a desk's tools.py is loaded as the desk owner's code
        for module in imported_modules(file):
            top = module.split(".")[0]
            if top not in PACKAGES or top == package or (place, top) in EXCEPTIONS:
                continue
            if not any(module == ok or module.startswith(f"{ok}.") for ok in ALLOWED[package]):
                found.append(f"{place} imports {module}")
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_package_imports_only_what_the_design_allows(package: str) -> None:
    assert breaches(package) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    heavy = (
        "numba", "cv2", "chromadb", "onnxruntime", "faster_whisper", "ctranslate2", "langchain_openai",
        "openai", "av", "jieba", "bm25s", "pocketsphinx", "torch",
    )  # fmt: skip
    code = f"import sys, {package}; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_in_the_product_reads_the_shared_folder() -> None:
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            assert "../shared" not in file.read_text(encoding="utf-8"), file


def test_lock_holds_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    pins = [line for line in lock.splitlines() if line and line[0].isalnum()]
    assert pins
    for pin in pins:
        assert "==" in pin
    assert lock.count("--hash=sha256:") >= len(pins)
