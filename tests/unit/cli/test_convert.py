import json

import pytest

from gateway.settings import shipped
from tests.support.county import hl7, lab, msh, pid
from tests.unit.cli.conftest import gateway


@pytest.fixture
def file(tmp_path):
    def write(raw):
        path = tmp_path / "message.hl7"
        path.write_bytes(raw)
        return path

    return write


def resources(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_prints_each_resource_as_a_line_of_json(file):
    result = gateway("convert", file(lab("M1", "R1", ("GLU", "5.10"), ("K", "3.5"))))
    found = resources(result)
    assert result.exit_code == 0
    assert sorted(each["resourceType"] for each in found).count("Observation") == 2
    assert '"value":5.10' in result.stdout, "the digits that were sent"
    report = next(each for each in found if each["resourceType"] == "DiagnosticReport")
    assert report["subject"]["reference"].startswith("urn:draft:")
    assert all("id" not in each for each in found)


def test_stores_nothing(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gateway("convert", file(lab("M1", "R1", ("GLU", "5.1"))))
    assert [path.name for path in tmp_path.iterdir()] == ["message.hl7"]


def test_explain_names_element_rule_and_field_and_what_was_left(file):
    zed = hl7(msh("M1"), pid("P1"), "ZQX|1|something of the vendor's")
    result = gateway("convert", "--explain", file(zed))
    lines = [line.split("│") for line in result.stderr.splitlines() if line.startswith("│")]
    told = {(cells[2].strip(), cells[4].strip()) for cells in lines if len(cells) > 5}
    assert any(element.startswith("name") and field.startswith("PID[1]-5") for element, field in told)
    assert "populated fields" in result.stderr
    assert "left over" in result.stderr
    assert "ZQX" in result.stderr


def test_every_message_of_a_batch_is_converted(file):
    raw = b"FHS|^~\\&|HIS\rBHS|^~\\&|HIS\r" + hl7(msh("M1"), pid("P1")) + hl7(msh("M2"), pid("P2")) + b"BTS|2\rFTS|1\r"
    found = resources(gateway("convert", file(raw)))
    assert [each["identifier"][0]["value"] for each in found if each["resourceType"] == "Patient"] == ["P1", "P2"]


def test_one_bad_message_does_not_hide_the_others(file):
    bad = hl7(msh("M1"), pid("P1")).replace("张三".encode(), b"\xff\x80\xfe\x7c")
    result = gateway("convert", file(bad + hl7(msh("M2"), pid("P2"))))
    assert result.exit_code == 1
    assert [each["identifier"][0]["value"] for each in resources(result) if each["resourceType"] == "Patient"] == ["P2"]
    assert "error: " in result.stderr or "fatal: " in result.stderr


def test_a_file_that_is_not_hl7(file):
    result = gateway("convert", file(b"id,name\r\n1,x\r\n"))
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert "error: " in result.stderr


def test_the_feed_can_be_named(file):
    raw = hl7(msh("M1", sender="UNHEARD"), pid("P1"))
    assert gateway("convert", "--feed", "county-his", file(raw)).exit_code == 0
    result = gateway("convert", "--feed", "nobody", file(raw))
    assert result.exit_code == 1
    assert "there is no feed nobody; there are county-his" in result.stderr


def test_a_sender_of_two_feeds_is_told_apart_or_named(file, tmp_path):
    folder = tmp_path / "overlay" / "twins"
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        (folder / name / "feed.yaml").write_text("title: T\nformat: hl7v2\nmatch: {msh3: TWIN}\n", encoding="utf-8")
    (folder / "site.yaml").write_text("site: twins\n", encoding="utf-8")
    raw = file(hl7(msh("M1", sender="TWIN"), pid("P1")))
    result = gateway("convert", raw, "--mappings", folder.parent)
    assert result.exit_code == 1
    assert "one" in result.stderr
    assert "two" in result.stderr


def test_words_in_brackets_are_shown_as_they_are(file):
    result = gateway("convert", "--explain", file(hl7(msh("M1"), pid("P1", "[/red]某"))))
    assert result.exit_code == 0
    assert "[/red]某" in result.stdout


@pytest.mark.parametrize(
    "path", sorted((shipped("examples") / "messages").glob("*.hl7"))[:6], ids=lambda path: path.stem
)
def test_the_examples_convert(path):
    assert gateway("convert", path).exit_code == 0


@pytest.fixture
def tables(tmp_path):
    folder = tmp_path / "mappings"
    for path, text in {
        "base/tables/people_small.yaml": """
table: people_small
columns: [编号, 姓名, 费用]
key: [编号]
total: {sums: [费用]}
maps:
  Patient:
    - {id: 编号, to: "identifier[]", transform: identifier, args: {kind: patient}}
    - {id: 姓名, to: "name[0].text"}
resources: {patient: {type: Patient, on: {REC: Patient}, keys: patient}}
""",
        "small/site.yaml": "site: small\n",
        "small/small-csv/feed.yaml": "format: csv\ntables: {people_small: {mode: full}}\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def test_a_table_becomes_the_resources_of_its_rows(file, tables):
    raw = "编号,姓名,费用\n1,王桂兰,15\n2,陈玘,20\n合计,2例,35\n".encode("gb18030")
    result = gateway("convert", "--feed", "small-csv", "--mappings", tables, "--explain", file(raw))
    assert result.exit_code == 0, result.stderr
    assert [each["name"][0]["text"] for each in resources(result)] == ["王桂兰", "陈玘"]
    assert "people_small: 2 rows, 2 records, header in line 1" in result.stderr
    assert "total in line 4: 费用 35 agrees" in result.stderr
    assert "people_small 3: 姓名" in result.stderr
    assert "no rule reads this column" in result.stderr


def test_a_row_that_cannot_be_trusted_is_told_with_its_line(file, tables):
    raw = "编号,姓名,费用\n,王桂兰,15\n2,陈玘,20\n合计,,99\n".encode()
    result = gateway("convert", "--feed", "small-csv", "--mappings", tables, file(raw))
    assert result.exit_code == 1
    assert len(resources(result)) == 1
    assert "error: people_small 2: has no 编号" in result.stderr
    assert "费用 99 does not agree with 35" in result.stderr


def test_a_file_that_is_no_such_table_says_why(file, tables):
    result = gateway("convert", "--feed", "small-csv", "--mappings", tables, file(b"a,b\n1,2\n"))
    assert result.exit_code == 1
    assert "No header was found" in result.stderr
