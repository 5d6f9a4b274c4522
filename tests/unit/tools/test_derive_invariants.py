"""The table of R4's constraints, derived from definitions as the package has them."""

import json
import sys

from tools import derive_invariants


def structure(name, *elements, **given):
    plain = {
        "resourceType": "StructureDefinition",
        "name": name,
        "kind": "complex-type",
        "derivation": "specialization",
        "differential": {"element": list(elements)},
    }
    return plain | given


def rule(key):
    return {"key": key, "severity": "error", "human": f"{key} holds", "expression": "true"}


DEFINITIONS = [
    structure("Period", {"path": "Period", "constraint": [rule("per-1")]}, {"path": "Period.start"}),
    structure("Patient", {"path": "Patient"}, {"path": "Patient.contact", "constraint": [rule("pat-1")]}),
    structure("Element", {"path": "Element", "constraint": [rule("ele-1")]}, derivation=None),
    structure("mine", {"path": "Patient", "constraint": [rule("mine-1")]}, derivation="constraint"),
    structure("Fivews", {"path": "FiveWs", "constraint": [rule("five-1")]}, kind="logical"),
    {"resourceType": "ValueSet", "url": "urn:v"},
]


def test_each_type_has_what_it_adds():
    table = derive_invariants.derive(iter(DEFINITIONS))
    assert table == {
        "Element": [["ele-1", "error", "ele-1 holds", "true"]],
        "Patient.contact": [["pat-1", "error", "pat-1 holds", "true"]],
        "Period": [["per-1", "error", "per-1 holds", "true"]],
    }


def test_the_table_is_written_a_line_a_key(tmp_path, monkeypatch, capsys):
    for number, one in enumerate(DEFINITIONS):
        (tmp_path / f"{number}.json").write_text(json.dumps(one))
    monkeypatch.setattr(sys, "argv", ["derive", str(tmp_path), "--out", str(tmp_path)])
    derive_invariants.main()
    lines = (tmp_path / "invariants.json").read_text().splitlines()
    assert len(lines) == 5
    assert "3 entries" in capsys.readouterr().out
