"""House rules on the shape of the code: lengths, opening sentences, and where the clock and the scope may be used."""

import ast
import re
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "gateway").rglob("*.py"))
EVERYTHING_ALLOWED = {
    "gateway/search/scope.py",
    "gateway/store/fsck.py",
    "gateway/cli/fsck.py",
    "gateway/pipeline/replay.py",
}


def functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def length(node):
    return node.end_lineno - node.lineno


def name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_file_fits_and_opens_with_its_job(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400, "split the file: one reason to open each"
    assert ast.get_docstring(ast.parse(text)), "say the module's job in one sentence"
    long = [f"{node.name}: {length(node)}" for node in functions(path) if length(node) > 50]
    assert not long


def test_functions_are_short():
    lengths = sorted(length(node) for path in MODULES for node in functions(path))
    assert statistics.median(lengths) <= 8
    assert lengths[int(len(lengths) * 0.9)] <= 25


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_every_public_function_says_what_it_does(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = [
        node.name
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not silent


@pytest.mark.parametrize(
    ("pattern", "home"),
    [
        (r"\bdatetime\.now\(|\btime\.time\(|\buuid\.uuid4\(|\btime\.time_ns\(", {"gateway/clock.py"}),
        (r"\bos\.environ\b|\bos\.getenv\b", {"gateway/settings.py"}),
        (r"^\s*(import|from) hl7apy", {"gateway/formats/hl7v2_strict.py"}),
        (r"^\s*(import|from) fhir\.", {"gateway/fhir/models.py"}),
        (r"Scope\.everything\(\)", EVERYTHING_ALLOWED),
    ],
)
def test_guests_stay_in_their_room(pattern, home):
    found = {
        name(path)
        for path in MODULES
        if re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE) and name(path) not in home
    }
    assert not found


def test_no_address_of_a_registry_or_of_a_machine_is_committed():
    folders = ("gateway", "requirements", "docs", "mappings", "profiles", "examples", "tools", "benchmarks", "tests")
    outer = str(ROOT.parent) + "/"
    bad = re.compile(r"--index-url|--find-links|https?://\S+\.(whl|tar\.gz|tgz|deb)\b")
    found = []
    for folder in folders:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in {".py", ".md", ".yaml", ".json", ".txt", ".in", ".toml"}:
                text = path.read_text(encoding="utf-8", errors="ignore")
                if path != Path(__file__) and (bad.search(text) or (len(outer) > 3 and f"{outer}main" in text)):
                    found.append(name(path))
    assert not found
