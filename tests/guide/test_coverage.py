"""Guide coverage against the official tables; skipped with a loud line where they are not at hand."""

import pytest

from tools.guide import __main__ as command
from tools.guide import coverage, exercise, gateway_output, tables

ABSENT = f"GUIDE COVERAGE NOT COUNTED: no tables at {command.TABLES.name}; see docs/guide-coverage.md"
DECLARED, EXERCISED, RIGHT = 95, 90, 85


@pytest.fixture(scope="module")
def guide():
    if not (command.TABLES / "segments").is_dir():
        print(ABSENT)
        pytest.skip(ABSENT)
    return tables.load(command.TABLES)


@pytest.fixture(scope="module")
def mapped():
    return gateway_output.load([command.ROOT / "mappings"])


@pytest.mark.parametrize("structure", command.SCOPE)
def test_no_stored_exercise_makes_the_mapper_fail(mapped, structure):
    mapper, _ = mapped
    for text in command.stored(structure):
        assert mapper(text).resources


def test_the_tables_hold_what_the_figures_are_counted_against(guide):
    assert sum(len(rows) for rows in guide.segments.values()) == 1055
    assert sum(len(rows) for rows in guide.datatypes.values()) == 617
    assert sum(len(pairs) for pairs in guide.codes.values()) == 2324


@pytest.mark.parametrize("structure", command.SCOPE)
def test_stored_exercises_are_those_the_tables_give(guide, structure):
    assert command.stored(structure) == exercise.messages(guide, structure)[: command.STORED]


@pytest.mark.long
@pytest.mark.parametrize("structure", command.SCOPE)
def test_coverage_reaches_the_gate(guide, mapped, structure):
    mapper, declared = mapped
    excuses = command.read_deviations(command.DEVIATIONS)
    own = None if declared is None else declared.get(structure, set())
    report = coverage.measure(guide, structure, mapper, own, excuses)
    figures = report.tally()
    pairs = len(report.pairs)
    assert report.failures == []
    assert figures["declared"] * 100 >= DECLARED * pairs
    assert figures["exercised"] * 100 >= EXERCISED * pairs
    assert figures["right"] * 100 >= RIGHT * pairs
