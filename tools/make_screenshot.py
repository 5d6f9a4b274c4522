"""Writes docs/images/demo.svg: the guided tour as a person sees it. Run: python tools/make_screenshot.py."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 110


def main() -> None:
    """Run the tour, keep its end, and write the picture."""
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "gateway", "demo", "--once"]
    shown = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
    start = shown.index("What it became")
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text.from_ansi("$ gateway demo --once\n…\n" + shown[shown.rindex("\n", 0, start) + 1 :]))
    picture = console.export_svg(title="gateway demo --once")
    # The picture must not fetch a font from anywhere.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    (ROOT / "docs" / "images").mkdir(exist_ok=True)
    (ROOT / "docs" / "images" / "demo.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
