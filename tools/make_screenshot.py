"""Writes docs/images/demo.svg: the guided tour as a person sees it. Run: python tools/make_screenshot.py."""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 120


def main() -> None:
    """Run the tour, keep its end, and write the picture."""
    shown = _tour()
    start = shown.index("What it became")
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text.from_ansi("$ gateway demo --once\n…\n" + shown[shown.rindex("\n", 0, start) + 1 :]))
    picture = console.export_svg(title="gateway demo --once")
    # The picture must not fetch a font from anywhere.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    (ROOT / "docs" / "images").mkdir(exist_ok=True)
    (ROOT / "docs" / "images" / "demo.svg").write_text(picture, encoding="utf-8")


def _tour() -> str:
    """Return what the tour prints to a terminal of WIDTH columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
    environment = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "gateway", "demo", "--once"]
    tour = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=theirs)
    os.close(theirs)
    parts = []
    try:
        while part := os.read(ours, 65536):
            parts.append(part)
    except OSError:  # the other side closed the terminal
        pass
    if tour.wait():
        raise SystemExit(f"the tour ended with {tour.returncode}")
    return b"".join(parts).decode().replace("\r\n", "\n")


if __name__ == "__main__":
    main()
