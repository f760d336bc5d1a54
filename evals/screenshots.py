"""Pictures of the live pages, taken from a real server by a real browser: `python -m evals.screenshots DIR`.

Starts `visavis serve` on a free port, opens the visitor's page, the kiosk and the widget in Chromium, types a
question into each, and takes a picture while the answer is being spoken.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

QUESTION = "How long is the warranty on a tent?"
START_S = 120
SPOKEN_MS = 1500
"""Into the answer's first sentence, so that the face, a caption and a source are to be seen."""
QUALITY = 88
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--no-sandbox"]


@contextmanager
def serving(desk: str) -> Iterator[str]:
    """Run a server of this package; its address."""
    command = [sys.executable, "-m", "server", "serve", desk, "--port", "0", "--store", "none", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = ""
            for line in process.stdout:
                lines += line
                if line.startswith("}"):
                    break
            if not lines:
                raise SystemExit("the server did not start; see its message above")
            yield json.loads(lines)["address"]
        finally:
            process.terminate()
            process.wait(30)


def photograph(folder: Path, desk: str, browser: str) -> list[Path]:
    """Take all pictures; returns their files."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with serving(desk) as address, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=FLAGS)
        for name, path, width, height in (
            ("page", "/", 1280, 800),
            ("phone", "/", 390, 844),
            ("kiosk", "/kiosk", 720, 1280),
            ("widget", "/widget-demo", 1280, 800),
        ):
            context = chromium.new_context(
                viewport={"width": width, "height": height}, permissions=["microphone"]
            )
            page = context.new_page()
            page.goto(address + path)
            inside: Any = page
            if name == "widget":
                page.get_by_role("button", name="Talk with us").click()
                inside = page.frame_locator("iframe")
            if name == "kiosk":
                page.locator("body").click(position={"x": width / 2, "y": height / 2})
            else:
                inside.get_by_role("button", name="Start talking").click()
            inside.locator(".caption:visible").filter(has_text="Hello").wait_for(timeout=START_S * 1000)
            field = inside.locator("#say")
            if field.is_visible():
                field.fill(QUESTION)
                field.press("Enter")
                inside.locator(".caption:visible").filter(has_text="warranty").wait_for(timeout=30_000)
            page.wait_for_timeout(SPOKEN_MS)
            file = folder / f"{name}.jpg"
            page.screenshot(path=file, type="jpeg", quality=QUALITY)
            taken.append(file)
            context.close()
        chromium.close()
    return taken


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--desk", default="demo")
    parser.add_argument("--browser", default=next(filter(None, map(shutil.which, BROWSERS)), ""))
    arguments = parser.parse_args()
    if not arguments.browser:
        raise SystemExit("there is no browser here: apt-get install chromium, or name one with --browser")
    for file in photograph(arguments.out, arguments.desk, arguments.browser):
        print(file)  # noqa: T201


if __name__ == "__main__":
    main()
