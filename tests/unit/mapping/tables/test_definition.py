"""Table definitions: every fault is a sentence with file and rule; overlays merge by name."""

import pytest

from gateway.mapping.catalog import Catalog
from tests.unit.mapping.tables.conftest import PEOPLE, rows

SMALL = """
columns: [a, b]
key: [a]
maps: {Patient: [{id: a, to: "identifier[]", transform: identifier}]}
resources: {patient: {type: Patient, on: {REC: Patient}, keys: patient}}
"""


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("key: [a]", "key: [c]"), "small.yaml, small, key: there is no column c"),
        (("key: [a]", "note: x"), "small.yaml, small: says no `key`"),
        (("columns: [a, b]", "columns: [a, {nome: b}]"), "columns: a column is a name or a mapping with a `name`"),
        (("columns: [a, b]", "columns: [a, {name: b, kind: x}]"), "column b: unknown words kind; known are also,"),
        (("columns: [a, b]", "columns: [{name: a, also: [x]}, {name: b, also: [X ]}]"), "the header X names both a and b"),
        (("key: [a]", "key: [a]\ncolour: red"), "small.yaml: unknown word colour; known are codes, columns"),
        (("{id: a,", "{id: c,"), "small Patient, rule c: there is no column c"),
        (("{id: a,", "{id: a, when: {present: z},"), "small Patient, rule a: there is no column z"),
        (("{id: a,", "{ab: a,"), "small Patient: a rule is a mapping with an `id`"),
        (("transform: identifier}", "transform: magic}"), "there is no function magic"),
        (("transform: identifier}", "code: nowhere}"), "there is no code map nowhere"),
        (("transform: identifier}]", "transform: identifier}, {id: a, to: id}]"), "give this one a suffix: a/more"),
        (("on: {REC: Patient}", "on: {PID: Patient}"), "a table has the segments REC, ROW, ITM, not PID"),
        (("on: {REC: Patient}", "on: {REC: Other}"), "there is no map Other; its maps are Patient"),
        (("keys: patient}", "keys: somehow}"), "there is no key function somehow"),
        (("keys: patient}", "keys: patient, by: [z]}"), "resource patient: there is no column z"),
        (("keys: patient}}", "keys: patient}, x: 1}"), "resource x: is a mapping"),
        (("maps: {", "maps: {Spare: [{id: a, to: id}], "), "map Spare: is used by no resource"),
        (("key: [a]", "key: [a]\ncodes: {a: {1: x}}"), "codes a: code 1 needs quotation marks"),
        (("key: [a]", "key: [a]\ncodes: {a: {'1': [x]}}"), "codes a: the target of '1' is a code"),
        (("key: [a]", "key: [a]\ncodes: {a: x}"), "codes a: is a mapping of codes to targets"),
        (("key: [a]", "key: [a]\nkept: [a]"), "kept: is a mapping of names"),
        (("key: [a]", "key: [a]\ntotal: {sum: a}"), "total: says only `label`"),
        (("resources: {patient: {type: Patient, on: {REC: Patient}, keys: patient}}", ""), "makes no `resources`"),
    ],
)  # fmt: skip
def test_faults_are_sentences_with_file_and_rule(house, change, fault):
    house.table("small", SMALL.replace(*change))
    told = house.faults("small")
    assert any(fault in text for text in told), told
    assert all(".yaml" in text for text in told)


def test_a_fault_of_the_base_is_told_once_and_without_any_feed(house):
    house.table("small", SMALL.replace("key: [a]", "key: [c]"))
    house.write("site/site.yaml", "site: town\n")
    assert len([text for text in house.faults("small") if "no column c" in text]) == 1


def test_a_table_has_a_name(house):
    house.write("base/tables/x.yaml", "table: Groß\n")
    assert any("says no `table`" in text for text in house.faults("x"))


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("  other: {mode: full}\n", "there is no table other; there are small"),
        ("  small2: {mode: sometimes}\n", "tables, small2: mode is one of full, delta, window, not 'sometimes'"),
        ("  small2: {when: x}\n", "tables, small2: says only mode, files and empty"),
        ("  small2: {empty: x}\n", "tables, small2: empty is one of keep, clear, not 'x'"),
        ("empty: x\n", "empty is one of keep, clear, not 'x'"),
    ],
)
def test_faults_of_a_feed(house, more, fault):
    house.table("small", SMALL)
    assert any(fault in text for text in house.faults("small", more=more))


def test_tables_need_a_table_format(house):
    house.table("small", SMALL)
    house.write("site/x/feed.yaml", "format: hl7v2\ntables: {small: {}}\n")
    assert any("its format is csv" in text for text in house.faults("small"))
    house.write("site/x/feed.yaml", "format: csv\ntables: [small]\n")
    assert any("tables is a mapping" in text for text in house.faults("small"))


def _first(catalog: Catalog, raw: bytes) -> dict:
    record = catalog.tables("town-csv").read(raw).records[0]
    return catalog.mapper("town-csv").map(record.message).drafts[0].body


def test_an_overlay_adds_columns_aliases_codes_and_rules(house):
    house.table("people", PEOPLE)
    house.write(
        "site/tables/people.yaml",
        """
table: people
columns: [{name: 性别, also: [XB]}, 民族]
codes: {性别: {"2": female}, 民族: {system: "urn:x", rows: {"1": {code: HA, display: 汉}, "3": MA}}}
maps:
  Patient:
    - {replaces: 姓名, to: "name[0].family"}
    - {id: 民族, to: "extension(urn:e).valueCoding", transform: coding, code: 民族}
    - {replaces: 身份证号, drop: true, note: not sent}
kept: {身份证号: not trusted here}
""",
    )
    catalog = house.load("people")
    body = _first(catalog, rows("phrId,XM,XB,民族,身份证号", "1,王桂兰,2,1,11010519491231002X"))
    assert body["name"] == [{"family": "王桂兰"}]
    assert body["gender"] == "female"
    coding = body["extension"][0]["valueCoding"]
    assert coding == {"system": "urn:x", "code": "HA", "display": "汉"}
    assert len(body["identifier"]) == 1


def test_an_overlay_cannot_add_a_rule_twice_nor_replace_what_is_not_there(house):
    house.table("small", SMALL)
    house.write(
        "site/tables/small.yaml",
        "table: small\nmaps: {Patient: [{id: a, to: id}, {replaces: b, to: id}]}\nresources: {patient: {type: Group}}\n",
    )
    told = "\n".join(house.faults("small"))
    assert "there is a rule a already; say `replaces: a`" in told
    assert "replaces b, which is not there" in told
    assert "an addition says only also, links and into" in told


def test_an_overlay_extends_or_replaces_resources(house):
    house.table("small", SMALL)
    house.write(
        "site/tables/small.yaml",
        """
table: small
maps: {Group: [{id: b, to: name}]}
resources:
  patient: {also: {REC: Group}}
  group: {type: Group, on: {REC: Group}, keys: child, parent: patient, by: [b]}
""",
    )
    house.write("site/town-csv/tables/small.yaml", "table: small\nresources: {group: {replaces: true, type: Basic, on: {REC: Group}, keys: child, by: [b]}}\n")  # fmt: skip
    catalog = house.load("small")
    record = catalog.tables("town-csv").read(rows("a,b", "1,x")).records[0]
    types = [draft.type for draft in catalog.mapper("town-csv").map(record.message).drafts]
    assert types == ["Patient", "Basic"]


def test_a_code_file_may_say_the_codes_of_a_column(house):
    house.table("people", PEOPLE)
    house.write("site/codes/sex.yaml", 'map: people.性别\nrows: {"1": {code: male}}\n')
    catalog = house.load("people")
    body = _first(catalog, rows("phrId,姓名,性别", "1,陈玘,1"))
    assert body["gender"] == "male"


def test_only_the_tables_of_a_feed_are_compiled(house):
    house.table("people", PEOPLE)
    house.table("small", SMALL)
    assert house.load("people").tables("town-csv").names == ["people"]
