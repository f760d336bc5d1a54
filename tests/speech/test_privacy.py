"""What runs on the visitor's words tells nobody."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = """
import numpy as np
from speech.vad import SileroVad
SileroVad().probability(np.zeros(512, np.float32))
"""


def test_listening_leaves_no_telemetry_behind(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "HF_"))}
    # onnxruntime keeps still under CI on its own: that must not hide what it does elsewhere.
    for name in ("CI", "TF_BUILD", "GITHUB_ACTIONS"):
        environment.pop(name, None)
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, env=environment, check=True)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []
