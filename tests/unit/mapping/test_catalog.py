"""A catalogue activates whole or not at all, with every fault told; overlays say what they replace."""

import textwrap

import pytest

from gateway.errors import GatewayError
from gateway.formats import hl7v2
from gateway.mapping import catalog
from gateway.mapping.catalog import WrongDefinitions

BASE = {
    "base/naming.yaml": "coding: {LN: 'http://loinc.org'}\nnational: {resident-id: 'urn:oid:1'}\n",
    "base/codes/Sex.yaml": 'map: Sex\ntable: HL70001\nsystem: "http://x"\nrows:\n  "M": {code: male}\n',
    "base/datatypes/CX.yaml": 'datatype: "CX[Identifier]"\nnative: identifier\ncomponents: [1]\n',
    "base/datatypes/XCN.yaml": """
        datatype: "XCN[Practitioner]"
        type: Practitioner
        rules:
          - {id: XCN.1, to: "identifier[0].value"}
        """,
    "base/segments/PID.yaml": """
        segment: "PID[Patient]"
        rules:
          - {id: PID-3, to: "identifier[]", as: "CX[Identifier]"}
          - {id: PID-8, to: gender, code: Sex}
        kept: {PID-1: set number}
        """,
    "base/messages/generic.yaml": """
        message: generic
        resources:
          patient: {type: Patient, on: {PID: "PID[Patient]"}, keys: patient}
        """,
    "h/site.yaml": "site: hospital\nnaming: {identifiers: {MR: {kind: mr}}}\n",
    "h/his/feed.yaml": "feed: his\nmatch: {msh3: HIS}\n",
}
MESSAGE = "MSH|^~\\&|HIS||||20260101||ADT^A01|M1\rPID|1||7^^^^MR|||||1\rZPI|green\r"


@pytest.fixture
def load(tmp_path):
    def loading(**changes):
        for name, text in (BASE | {name.replace("__", "/"): text for name, text in changes.items()}).items():
            path = tmp_path / (name if name.endswith(".yaml") else f"{name}.yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return catalog.load([tmp_path])

    return loading


def patient(book, feed="his"):
    return book.mapper(feed).map(hl7v2.parse(MESSAGE)).drafts[0]


def test_the_smallest_catalogue_maps(load):
    book = load()
    draft = patient(book)
    assert draft.keys[0].system == "https://yigong.example/fhir/id/hospital/mr"
    assert [feed.name for feed in book.feeds] == ["his"]
    assert book.book().get("his").site == "hospital"


def test_the_version_is_of_the_content(load):
    one = load().version
    assert load().version == one
    assert load(h__his__feed="feed: his\ntitle: x\n").version != one


def test_a_site_replaces_a_rule_and_a_feed_adds_a_segment(load):
    book = load(
        h__codes__Sex='map: Local\ntable: T\nsystem: "http://y"\nrows:\n  "1": {code: male}\n',
        h__segments__PID='segment: "PID[Patient]"\nrules:\n  - {replaces: PID-8, to: gender, code: Local}\n',
        h__his__segments__ZPI='segment: "ZPI[Patient]"\nrules:\n  - {id: ZPI-1, to: "extension(u).valueString"}\n',
        h__his__messages__every='message: every\nresources:\n  patient: {also: {ZPI: "ZPI[Patient]"}}\n',
    )
    body = patient(book).body
    assert body["gender"] == "male"
    assert body["extension"] == [{"url": "u", "valueString": "green"}]


def test_an_overlay_drops_a_rule(load):
    book = load(
        h__segments__PID='segment: "PID[Patient]"\nrules:\n  - {replaces: PID-8, drop: true, note: unreliable}\n'
    )
    result = book.mapper("his").map(hl7v2.parse(MESSAGE))
    assert "gender" not in result.drafts[0].body
    assert "PID[1]-8" in [left.where for left in result.left]


def test_a_rule_can_be_renamed_by_its_replacement(load):
    book = load(h__segments__PID='segment: "PID[Patient]"\nrules:\n  - {replaces: PID-8, id: PID-8/x, to: language}\n')
    assert patient(book).body["language"] == "1"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("base/segments/PID", "a: [", "cannot be read"),
        ("base/segments/PID", "- a", "not a mapping"),
        ("base/segments/PID", "segment: 'PID[Patient]'\nscript: 1", "unknown words script"),
        ("base/segments/PID", "rules: []", "names no map"),
        (
            "base/segments/PID",
            "segment: 'PID[Patient]'\nrules:\n  - {id: PID-5, to: a, as: 'X[Y]'}",
            "no data-type map X[Y]",
        ),
        ("base/segments/PID", "segment: 'PID[Patient]'\nrules:\n  - {id: PID-5, to: a, code: X}", "no code map X"),
        ("base/segments/PID", "segment: 'PID[Patient]'\nrules:\n  - {id: PID-5, to: a, transform: x}", "no function x"),
        ("base/segments/PID", "segment: 'PID[Patient]'\nrules:\n  - {id: PID-5, by: PID-6}", "is used by PID-6"),
        (
            "base/segments/PID",
            "segment: 'PID[Patient]'\nrules:\n  - {id: PID-5, to: a, spawn: 'CX[string]'}",
            "cannot be spawned",
        ),
        ("base/segments/PID", "segment: 'PID[Patient]'\nrules:\n  - {id: PID-5, to: 'a b'}", "cannot read the path"),
        (
            "base/segments/PID",
            "segment: 'PID[Patient]'\nrules:\n  - {id: PID-5, to: a}\n  - {id: PID-5, to: b}",
            "a rule PID-5 already",
        ),
        ("base/segments/PID", "segment: 'PID[Patient]'\nrules:\n  - 7", "mapping with an `id`"),
        ("base/segments/PID", "segment: 'PID[Patient]'\nkept: {what: ever}", "no field"),
        ("h/segments/PID", "segment: 'PID[Patient]'\nrules:\n  - {id: PID-8, to: a}", "say `replaces: PID-8`"),
        ("h/segments/PID", "segment: 'PID[Patient]'\nrules:\n  - {replaces: PID-9, to: a}", "which is not there"),
        ("base/codes/Sex", "map: Sex", "a code map has"),
        ("base/codes/Sex", "map: Sex\nrows: {1: {code: a}}", "a row is quoted text"),
        ("h/codes/Sex", "map: Sex\nrows: {}", "replaces: true"),
        ("base/datatypes/CX", "datatype: 'CX[Identifier]'\nnative: magic", "no function magic"),
        ("base/messages/generic", "message: generic\nscript: 1", "unknown words script"),
        ("base/messages/generic", "resources: {}", "names no message map"),
        ("base/messages/generic", "message: generic\ntime: x", "no field"),
        ("base/messages/generic", "message: generic\nmerge: {MRG: 'MRG[X]'}", "no segment map MRG[X]"),
        ("base/messages/generic", "message: generic\nresources: {p: 1}", "is a mapping"),
        ("base/messages/generic", "message: generic\nresources: {p: {type: Patient}}", "needs `on`"),
        (
            "base/messages/generic",
            "message: generic\nresources: {p: {type: P, on: {PID: 'PID[X]'}, keys: patient}}",
            "no segment map PID[X]",
        ),
        (
            "base/messages/generic",
            "message: generic\nresources: {p: {type: P, on: {PV1: 'PID[Patient]'}, keys: patient}}",
            "cannot be read with",
        ),
        (
            "base/messages/generic",
            "message: generic\nresources: {p: {type: P, on: {PID: 'PID[Patient]'}, keys: magic}}",
            "no key function magic",
        ),
        (
            "base/messages/generic",
            "message: generic\nresources: {p: {type: P, on: {PID: 'PID[Patient]'}, keys: patient, under: q}}",
            "no resource q",
        ),
        (
            "base/messages/generic",
            "message: generic\nresources: {p: {type: P, on: {PID: 'PID[Patient]'}, keys: patient, required: [x]}}",
            "requires x",
        ),
        (
            "base/messages/generic",
            "message: generic\nresources: {p: {type: P, on: {PID: 'PID[Patient]'}, keys: patient, under: p}}",
            "under itself",
        ),
        ("h/messages/generic", "message: generic\nresources: {patient: {mode: fill}}", "replaces: true"),
        ("h/site", "site: s\nnaming: {colours: {}}", "unknown word colours"),
        ("h/site", "site: s\nnaming: {identifiers: {MR: mr}}", "says `kind`"),
        ("h/his/feed", "feed: her", "its folder is his"),
    ],
)
def test_every_fault_is_told_with_its_file_and_nothing_is_activated(load, name, text, words):
    extra = {"base/datatypes/string.yaml": 'datatype: "CX[string]"\nrules: [{id: CX.1, to: $value}]\n'}
    with pytest.raises(WrongDefinitions) as caught:
        load(**{**extra, f"{name}.yaml": text})
    assert words in caught.value.text
    assert name.rsplit("/", 1)[1] in caught.value.text


def test_all_faults_are_told_at_once(load):
    with pytest.raises(WrongDefinitions) as caught:
        load(
            base__segments__PID='segment: "PID[Patient]"\nrules:\n  - {id: PID-3, to: a, code: X}\n  - {id: PID-5}\n',
            h__his__feed="feed: his\nack: never\n",
        )
    assert len(caught.value.faults) == 3


def test_two_feeds_of_one_name_are_a_fault(load):
    with pytest.raises(WrongDefinitions, match="another feed called his"):
        load(i__site="site: i\n", i__his__feed="feed: his\n")


def test_an_overlay_may_stand_for_a_whole_resource_or_map(load):
    book = load(
        h__messages__generic='message: generic\nresources:\n  patient: {replaces: true, type: Person, on: {PID: "PID[Patient]"}, keys: patient}\n',
        h__codes__Sex='map: Sex\nreplaces: true\ntable: T\nsystem: "http://y"\nrows:\n  "1": {code: female}\n',
    )
    draft = patient(book)
    assert (draft.type, draft.body["gender"]) == ("Person", "female")


def test_an_unknown_feed_is_told_what_there_is(load):
    with pytest.raises(GatewayError, match="there are his"):
        load().mapper("nobody")


def test_a_missing_site_file_is_no_site(load, tmp_path):
    (tmp_path / "empty").mkdir()
    assert [feed.name for feed in load().feeds] == ["his"]


def test_the_rules_of_a_message_map_can_be_listed(load):
    book = load(
        base__messages__ADT='message: ADT_A01\nfor: [ADT_A04, "ADT^*"]\nresources:\n  p: {type: Patient, on: {PID: "PID[Patient]"}, keys: patient}\n'
    )
    listed = set(book.declared("his"))
    assert ("ADT_A01", "PID[Patient]", "PID-3") in listed
    assert ("ADT_A04", "PID[Patient]", "PID-8") in listed


def test_wrong_arguments_of_a_function_are_a_fault_and_no_crash(load):
    text = 'segment: "PID[Patient]"\nrules:\n  - {id: PID-7, to: $this, transform: ended}\n'
    with pytest.raises(WrongDefinitions, match="cannot be compiled"):
        load(base__segments__PID=text)


def test_the_generic_map_must_be_there(load):
    text = 'message: other\nresources:\n  p: {type: Patient, on: {PID: "PID[Patient]"}, keys: patient}\n'
    with pytest.raises(WrongDefinitions, match="generic"):
        load(base__messages__generic=text)
