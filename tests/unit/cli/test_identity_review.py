"""gateway identity explain and review: what is shown, what is masked, what is decided, and by whom."""

import pytest

from gateway.store.engine import open_store
from tests.support.county import county
from tests.support.patients import id_number
from tests.support.two_sites import clinic, hospital
from tests.unit.cli.conftest import gateway

ONE = id_number()
PHONE = "10013579246"


@pytest.fixture
def data(tmp_path):
    """A store where two records of two sites are linked, and a third waits for a person."""
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path) as town:
        town.run(
            hospital("M1", number=ONE),
            clinic("M2", number=ONE),
            clinic("M3", "78", number=ONE, name="李建国"),
        )
    return tmp_path


def fids(data):
    store = open_store(f"sqlite:///{data}/gateway.db")
    with store.read() as tx:
        found = [head.fid for head in tx.heads_by_pid(tx.patients_after(0, 9)).values()]
    store.close()
    return found


def run(data, *words):
    return gateway("identity", *words, "--data", data)


def test_a_pair_is_explained_with_numbers_masked_unless_asked_for(data):
    here, there, _ = fids(data)
    told = run(data, "explain", f"Patient/{here}", there, "--by", "Dr Li").output
    for wanted in ("county-hospital", "generic", "blocks they share:", "resident", "decision: same (certain)", "张三",
                   "Linked directly: same, made by the linker.", "same-resident-id", "linked"):  # fmt: skip
        assert wanted in told
    assert ONE not in told
    assert PHONE not in told
    assert ONE[:6] in told
    plain = run(data, "explain", here, there, "--by", "Dr Li", "--plain").output
    assert ONE in plain
    assert PHONE in plain
    store = open_store(f"sqlite:///{data}/gateway.db")
    assert {(row.actor, row.action) for _, row in store.audit.rows()} == {("Dr Li", "explain")}
    store.close()


def test_a_case_is_listed_shown_and_decided(data):
    listed = run(data, "review", "list").output
    assert " open " in listed
    assert "张三" not in listed
    shown = run(data, "review", "show", "1", "--by", "Dr Li").output
    assert "case 1: open" in shown
    assert "李建国" in shown
    assert ONE not in shown
    assert "linked to Patient/" in shown
    put_off = run(data, "review", "later", "1", "--by", "Dr Li", "--note", "ask")
    assert put_off.output == "case 1: later; 0 links made, 0 ended\n"
    assert "by Dr Li: ask" in run(data, "review", "show", "1", "--by", "Dr Li").output
    assert "case 1: different" in run(data, "review", "different", "1", "--by", "Dr Li").output
    assert "case 1" not in run(data, "review", "list").output
    assert "Dr Li" in run(data, "review", "list", "--state", "different").output


def test_two_records_are_decided_by_their_ids(data):
    here, there, _ = fids(data)
    parted = run(data, "review", "different", here, f"Patient/{there}", "--by", "Dr Li")
    assert parted.output.endswith("different; 0 links made, 1 ended\n")
    assert "1 links made" in run(data, "review", "same", here, there, "--by", "Dr Li").output
    third = fids(data)[2]
    told = run(data, "review", "same", here, third, "--by", "Dr Li").output
    assert "contradict each other" in told or "1 links made" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("same", "one", "--by", "x"), "name one case by its number"),
        (("same", "1", "2", "3", "--by", "x"), "name one case by its number"),
        (("same", "99", "--by", "x"), "no case 99"),
        (("different", "a", "b", "--by", "x"), "no Patient a"),
        (("show", "1", "--by", " "), "give a name"),
    ],
)
def test_what_cannot_be_done_is_said(data, words, told):
    result = run(data, "review", *words)
    assert result.exit_code == 1
    assert told in result.output


def test_records_without_evidence_are_explained_too(tmp_path):
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path, linking=False) as town:
        town.run(hospital("M1", number=ONE), clinic("M2", number=ONE))
    here, there = fids(tmp_path)
    told = run(tmp_path, "explain", here, there, "--by", "Dr Li").output
    assert "decision: none" in told
    assert "has no evidence" in told
    assert "changes of Patients behind" in told
