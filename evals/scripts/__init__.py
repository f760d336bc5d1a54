"""Scripted conversations: one YAML file each, read with the line of every mistake."""

from evals.scripts.errors import ScriptError
from evals.scripts.reading import find_scripts, load_script, load_scripts, read_script
from evals.scripts.script import Script, Turn

__all__ = ["Script", "ScriptError", "Turn", "find_scripts", "load_script", "load_scripts", "read_script"]
