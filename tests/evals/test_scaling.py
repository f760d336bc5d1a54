from importlib.util import find_spec
from pathlib import Path

import pytest

from evals.running import SuiteError, tasks_of
from evals.scaling import run_on_ray
from evals.scripts import load_scripts
from evals.variant import Variant
from evals.worker import Job

DESK = 'name = "Test"\nlanguages = ["en"]\n[persona]\nname = "Ada"\ncompany = "Acme"\n'
SCRIPT = (
    "id: {name}\nturns:\n  - {{user: How long can I return something?, expect: {{contains: thirty days}}}}\n"
)
WITHOUT_RAY = "Ray is not installed: pip install 'visavis[scale]'"


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setenv("VISAVIS_STATE", str(tmp_path / "state"))
    folder = tmp_path / "acme"
    (folder / "knowledge").mkdir(parents=True)
    (folder / "scripts").mkdir()
    (folder / "desk.toml").write_text(DESK, "utf-8")
    (folder / "knowledge" / "help.md").write_text(
        "# Returns\n\nYou have thirty days to return an item.\n", "utf-8"
    )
    for name in ("one", "two", "three"):
        (folder / "scripts" / f"{name}.yaml").write_text(SCRIPT.format(name=name), "utf-8")
    return Job((Variant(str(folder)),))


@pytest.mark.skipif(find_spec("ray") is None, reason=WITHOUT_RAY)
def test_ray_shares_scripts_out(job: Job) -> None:
    scripts, _ = load_scripts(sorted(Path(job.variants[0].desk).glob("scripts/*.yaml")))
    found = list(run_on_ray(tasks_of(scripts, job, 2), job, 2, "local"))
    assert len(found) == 6
    assert all(result.passed for _, result in found)


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_it_is_said_how_to_get_it(job: Job) -> None:
    with pytest.raises(SuiteError, match=r"visavis\[scale\]"):
        list(run_on_ray([], job, 1, "local"))
