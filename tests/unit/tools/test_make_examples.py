"""The example messages are what their readable source says, and their persons cannot be real."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def tool():
    """Load tools/make_examples.py, which is no package."""
    spec = importlib.util.spec_from_file_location("make_examples", ROOT / "tools" / "make_examples.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def book():
    """Return the readable source."""
    return yaml.safe_load((EXAMPLES / "messages.yaml").read_text(encoding="utf-8"))


def test_committed_bytes_are_made_from_the_source(tool, book):
    on_disk = {path.name: path.read_bytes() for path in (EXAMPLES / "messages").glob("*.hl7")}
    assert tool.make(book) == on_disk


def test_readme_table_is_current(tool, book):
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert tool.with_table(page, tool.table(book)) == page


def test_published_id_number_has_its_check_character(tool):
    assert tool.resident_id("19491231", "002", area="110105") == "11010519491231002X"


def test_every_id_number_is_of_the_area_nobody_has(book):
    text = (EXAMPLES / "messages.yaml").read_text(encoding="utf-8")
    assert not re.search(r"(?<!\d)\d{17}[\dXx]", text)
    for phone in re.findall(r"(?<!\d)1\d{10}(?!\d)", text):
        assert phone.startswith("100")


@pytest.mark.parametrize(
    ("name", "character", "delimiter"),
    [("01-adt-a28-new-person", "珅", b"|"), ("09-adt-a01-admission", "玘", b"^"),
     ("17-adt-a01-emergency-z-segment", "珇", b"~"), ("19-adt-a28-glued-segments", "玕", b"\\")],
)  # fmt: skip
def test_names_collide_with_the_delimiters(name, character, delimiter):
    raw = (EXAMPLES / "messages" / f"{name}.hl7").read_bytes()
    assert character.encode("gb18030").endswith(delimiter)
    assert character.encode("gb18030") in raw
