"""The judge of a simulated county can fail: it finds a wrong outcome, a missing row, a wrong number, a lost file."""

import json

import pytest

from gateway.cli.score import Judge
from gateway.listeners.values import Who
from tests.support import exports
from tests.support.county import county, hl7, lab, msh, pid

RESIDENT = "11010519491231002X"
PEOPLE = exports.csv(
    [exports.person(1), exports.person(2, "寮犱笁"), ("", "无号", "1", "", "", ""), exports.person(4, "张三")]
)
TRUE = [
    {"person": 1, "id": RESIDENT, "sites": {"green-village": {"number": ["V00001"]}}},
    {"person": 2, "id": "", "sites": {}},
]


def adt(control, number="P1"):
    return hl7(msh(control), pid(number).replace("^^^^LocalID", f"^^^^LocalID~{RESIDENT}^^^^IdentifyNO"))


MESSAGES = {
    "1.hl7": adt("M1"),
    "2.hl7": lab("M2", "R1", ("GLU", "<0.01"), status="C"),
    "3.hl7": lab("M3", "R1", ("GLU", "9.9"), patient="P2"),
    "5.hl7": adt("M5"),
    "4.hl7": hl7(msh("M1"), pid("P9", "李珅")),
}
SENT = [{"file": name, "feed": ""} for name in ("1.hl7", "1.hl7", "2.hl7", "3.hl7", "5.hl7", "4.hl7")] + [
    {"file": "2.hl7", "feed": "", "frame": "open"}
]


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A county of one file and five messages, worked off."""
    folder = tmp_path_factory.mktemp("score")
    for name, raw in MESSAGES.items():
        (folder / name).write_bytes(raw)
    database = f"sqlite:///{folder}/gateway.db"
    with county(database, folder / "var", [exports.mappings(folder / "mappings")]) as town:
        intake = town.gateway.intake()
        intake.start()
        for entry in SENT:
            if "frame" not in entry:
                intake.take(MESSAGES[entry["file"]], Who("mllp", "test"))
                town.work()
        intake.take(PEOPLE, Who("folder", "test", feed="village-csv", file="people.csv"))
        intake.stop(5)
        town.work()
        assert town.states() == ["applied"] * 2 + ["parked key-reused"] + ["applied"] * 4 + [
            "parked quarantined",
            "applied",
        ]
        yield town, folder


def scored(lived, *labels, files=()):
    town, folder = lived
    given = {"truth": labels, "files": files, "manifest": SENT, "persons": TRUE}
    for name, lines in given.items():
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return Judge(town.store, folder).score()


def row(line, **expect):
    return {"case": "7", "variant": "x", "feed": "village-csv", "file": "village-csv/people.csv", "line": line, "person": 1,
            "expect": {"outcome": "applied"} | expect}  # fmt: skip


def message(control, file="", **expect):
    feed = "county-lis" if control in ("M2", "M3") else "county-his"
    return {
        "case": "22",
        "feed": feed,
        "file": file,
        "control_id": control,
        "person": 1,
        "expect": {"outcome": "applied"} | expect,
    }


GOOD = [
    row(2, resource="Patient", name="人1", birth="1901-01-01", gender="male"),
    row(3, flagged=True, cell="姓名", issue="wrong charset"),
    row(4, outcome="quarantined"),
    row(None),
    row(7, outcome="ignored", reason="total-line"),
    message("M1", "1.hl7", resource="Patient", identifier=RESIDENT, visit_card="P1", says=["张三"]),
    message("M1", "1.hl7", outcome="ignored", reason="duplicate"),
    message("M1", "4.hl7", name="李珅", identifier=None),
    message("M5", "5.hl7", resource="Patient", identifier=RESIDENT),
    message("M2", "2.hl7", resource="DiagnosticReport", status="corrected", value="<0.01", time="2026-01-06T08:00"),
    message("M2", "2.hl7", outcome="ignored", reason="aborted-frame"),
    message("M3", "3.hl7", outcome="parked", reason="key-reused"),
    message("M9", "9.hl7", outcome="ignored", reason="aborted-frame"),
    {
        "case": "23",
        "feed": "village-csv",
        "file": "x/none.csv",
        "line": None,
        "expect": {"outcome": "ignored", "reason": "empty"},
    },
]
WRONG = [
    (row(2, resource="CarePlan"), "no CarePlan came of it, but Patient"),
    (row(2, name="人2"), "the name is not 人2"),
    (row(2, birth="1902-01-01"), "the birth date is not 1902-01-01"),
    (row(2, gender="female"), "the sex is not female"),
    (row(2, identifier=RESIDENT), "the ID is not"),
    (row(2, flagged=True, cell="姓名"), "no issue about 姓名"),
    (row(3, flagged=False, cell="姓名"), "an issue about 姓名"),
    (row(3, issue="two active teams"), "no issue says: two active teams"),
    (row(3, words="寮犱笁二"), "stands nowhere as text"),
    (row(4), "parked (quarantined)"),
    (row(2, outcome="parked", reason="key-reused"), "expected parked (key-reused), is applied"),
    (row(2, outcome="waits"), "applied"),
    (row(3, outcome="ignored", reason="total-line"), "a total became an item"),
    (row(None) | {"file": "village-csv/other.csv"}, "the file is not there"),
    (row(None, outcome="ignored", reason="empty"), "rows came of an empty file"),
    (message("M9"), "no item was made of it"),
    (message("M1", "1.hl7", identifier="440524188001010014"), "the ID is not 440524188001010014"),
    (message("M1", "1.hl7", identifier=None) | {"person": 2}, "came of it"),
    (message("M1", "4.hl7", name="张三"), "the name is not 张三"),
    (message("M5", "5.hl7", resource="Patient") | {"person": 2}, "no Patient came of it, but nothing"),
    (message("M2", "2.hl7", status="final", resource="DiagnosticReport"), "the status is not final"),
    (message("M2", "2.hl7", value="0.01"), "no result says 0.01, but <0.01"),
    (message("M2", "2.hl7", says="9.9"), "9.9 stands nowhere"),
    (
        message("M2", "2.hl7", says="lastUpdated"),
        "lastUpdated stands nowhere",
    ),  # the moments in meta hold all sorts of digits
    (message("M2", "2.hl7", type="390"), "the type is not 390"),
    (message("M2", "2.hl7", rh="positive"), "Rh is not positive, but unknown"),
    (message("M2", "2.hl7", adverse=True), "an adverse reaction is not True"),
    (message("M9", "2.hl7", outcome="ignored", reason="aborted-frame"), "0 items of 1 whole frames"),
    (message("M3", "3.hl7", outcome="ignored", reason="duplicate"), "1 items; parked"),
    (message("M3", "3.hl7", outcome="parked", reason="invalid"), "expected parked (invalid)"),
]


def test_what_was_handled_as_labelled_is_good(lived):
    score = scored(lived, *GOOD)
    assert list(score.missed()) == []
    assert score.good == len(GOOD)


@pytest.mark.parametrize(("label", "why"), WRONG)
def test_what_was_not_is_found_and_said(lived, label, why):
    score = scored(lived, GOOD[0], label)
    assert score.good == 1
    ((name, number, told),) = score.missed()
    assert (name.split("/")[0], number) == (label["case"], 1)
    assert why in told


def test_what_belongs_to_later_work_is_counted_apart(lived):
    label = row(2, name="人1", later={"work": "the rules of contracts", "issue": "signed"})
    score = scored(
        lived,
        label,
        row(3, later={"work": "the rules of contracts", "issue": "wrong charset"}),
        row(4, later={"issue": "x"}),
    )
    assert score.good == 2
    assert list(score.later()) == [("the rules of contracts: no issue says: signed", 1)]


def file(name="people.csv", items=4, **told):
    return {"feed": "village-csv", "file": f"village-csv/{name}", "table": "people", "items": items} | told


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (file(items=5), "4 rows were read of 5"),
        (file("other.csv"), "the file is not there"),
        ({"feed": "county-his", "file": "9.hl7", "control_id": "M9", "items": 1}, "message M9 became 0 items"),
    ],
)
def test_a_row_or_a_file_that_is_not_accounted_for_is_found(lived, entry, why):
    sound = ({"feed": "county-his", "file": "1.hl7", "control_id": "M1", "items": 1}, file(), file("none.csv", items=0))
    score = scored(lived, files=(*sound, entry))
    assert (score.whole, len(score.files)) == (3, 4)
    ((_, _, told),) = score.missed()
    assert told == why
