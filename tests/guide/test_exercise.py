"""Exercise messages: they fill what is mapped and reach both sides of what is conditional."""

import pytest

from tools.guide import __main__ as command
from tools.guide import exercise
from tools.guide.oracle import Oracle


def test_every_mapped_field_is_reached(small_guide):
    texts = exercise.messages(small_guide, "ADT_A01")
    oracle = Oracle(small_guide)
    reached = {fragment.pair for text in texts for fragment in oracle.read(text, "ADT_A01").fragments}
    assert set(small_guide.pairs("ADT_A01")) - reached == {("PID[Patient]", "PID-10")}


def test_conditions_are_reached_on_both_sides(small_guide):
    texts = "".join(exercise.messages(small_guide, "ADT_A01"))
    kin = {line.split("|")[3] for line in texts.split("\r") if line.startswith("NK1") and line.count("|") > 2}
    births = {len(line.split("|")[7]) for line in texts.split("\r") if line.startswith("PID")}
    assert not {"EMR", "E"} & kin
    assert 14 in births


def test_codes_come_round(small_guide):
    texts = list(exercise.turns(small_guide, "ADT_A01", 2))
    sexes = {line.split("|")[8].split("^")[0] for text in texts for line in text.split("\r") if line[:3] == "PID"}
    assert sexes == {"F", "M"}


def test_messages_are_stored_and_read_back(small_guide, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "MESSAGES", tmp_path)
    texts = exercise.messages(small_guide, "ADT_A01")
    (tmp_path / "ADT_A01.hl7").write_text(command.as_file(texts), encoding="utf-8")
    assert command.stored("ADT_A01") == texts
    assert command.stored("ADT_A02") == []


@pytest.mark.parametrize("structure", command.SCOPE)
def test_stored_messages_are_kept_for_every_type_in_scope(structure):
    texts = command.stored(structure)
    assert len(texts) == command.STORED
    assert all(text.startswith("MSH|^~\\&|") for text in texts)
