"""Assurance: how sure each record is of the person, by the links that lead to it."""

import json

import pytest

from gateway.identity.assurance import level, levels
from gateway.identity.survivorship import load
from gateway.settings import shipped
from gateway.store.values import Link

RULES = load(shipped("profiles") / "identity" / "survivorship.yaml").assurance


def link(one, other, kind="same", **evidence):
    return Link(1, kind, one, other, "active", json.dumps(evidence), None, 1, None)


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (link(1, 2, "replaced-by"), "level4"),
        (link(1, 2, actor="dr"), "level4"),
        (link(1, 2, actor="linker", decision="same", reasons=["same-resident-id"]), "level4"),
        (link(1, 2, actor="linker", reasons=[["same-resident-id", "text", "zh"]]), "level4"),
        (link(1, 2, actor="linker", reasons=[{"code": "same-resident-id"}]), "level4"),
        (link(1, 2, actor="linker", decision="same", reasons=["same-document"]), "level3"),
        (link(1, 2, grade="probable"), "level2"),
        (link(1, 2, reasons=[[], 7, None]), "level1"),
        (link(1, 2)._replace(evidence="no JSON"), "level1"),
        (link(1, 2)._replace(evidence="[]"), "level1"),
    ],
)
def test_a_link_is_as_sure_as_what_it_stands_on(made, wanted):
    assert level(RULES, made) == wanted


def test_of_a_way_the_least_sure_step_counts_and_of_several_ways_the_surest():
    sure = {"reasons": ["same-resident-id"]}
    chain = [link(1, 2, **sure), link(2, 3, grade="possible"), link(3, 4, **sure)]
    assert levels(RULES, 1, chain) == {1: "level4", 2: "level4", 3: "level1", 4: "level1"}
    assert levels(RULES, 1, [*chain, link(1, 4, grade="probable")]) == {
        1: "level4",
        2: "level4",
        3: "level2",
        4: "level2",
    }
    assert levels(RULES, 7, []) == {7: "level4"}
