"""The rules of identity as data: every rule has its reason in two languages, and a mistake in the file is named."""

from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.identity import rules
from gateway.identity.agreement import Agreement, Level
from gateway.identity.facts import FACTS
from gateway.settings import shipped

SHIPPED = (shipped("profiles") / "identity" / "rules.yaml").read_text(encoding="utf-8")


def nothing(**levels: str) -> Agreement:
    return Agreement(**{name: Level(levels.get(name, "absent")) for name in Agreement._fields})


def test_every_rule_explains_itself_in_english_and_chinese() -> None:
    told = rules.read(shipped("profiles") / "identity" / "rules.yaml")
    every = (*told.limits, *told.grants)
    assert len({one.code for one in every}) == len(every)
    assert all(one.text.endswith(".") and one.zh.endswith("。") for one in every)


def test_every_fact_explains_itself_in_english_and_chinese() -> None:
    assert all(text.endswith(".") and zh.endswith("。") for text, zh in FACTS.values())
    assert {code.split("-")[0] for code in FACTS} == set(Agreement._fields)


def test_facts_say_what_is_known_and_nothing_of_what_is_not() -> None:
    ruling = rules.ours().ruling(nothing(name="same", phone="apart"), frozenset())
    assert [one.code for one in ruling.facts] == ["name-same", "phone-apart"]


def test_name_and_birth_date_alone_are_not_even_worth_a_score() -> None:
    ruling = rules.ours().ruling(nothing(name="same", birth="same", sex="same"), frozenset())
    assert (ruling.scored, ruling.floor) == ((), "apart")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("verdict: same", "verdict: perhaps", "perhaps"),
        ("limits:", "limit:", "limit"),
        ("when: {local: [same]}", "when: {colour: [same]}", "rule same-local-number-in-conflict names 'colour'"),
        ("phone: {phone: [same]}", "phone: {telephone: [same]}", "group phone names 'telephone'"),
        ("groups:", "groups: [", "cannot be used"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(SHIPPED.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(GatewayError, match="rules of identity cannot be used") as fault:
        rules.load(path)
    assert told in fault.value.text
    assert fault.value.where == str(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(GatewayError) as fault:
        rules.load(tmp_path / "none.yaml")
    assert fault.value.where.endswith("none.yaml")
