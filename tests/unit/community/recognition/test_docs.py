"""docs/recognition.md says what the data and the gates say."""

import importlib.util
from pathlib import Path

from gateway.community.recognition import marks
from gateway.community.recognition.advice import Show
from tests.support.recognition import known

ROOT = Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs" / "recognition.md").read_text("utf-8")


def tool():
    spec = importlib.util.spec_from_file_location("docs", ROOT / "tools" / "derive_recognition_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_as_derived():
    """When this fails, run tools/derive_recognition_docs.py."""
    assert tool().written(PAGE, known()) == PAGE


def test_the_page_names_what_there_is():
    for word in Show:
        assert f"`{word}`" in PAGE
    for text in ("★", "鄂HR", "[武汉HR]"):
        assert marks.split(f"{text} 钾").marks and text in PAGE
    for path in (ROOT / "profiles" / "recognition").glob("*.yaml"):
        assert path.name in PAGE, path.name
