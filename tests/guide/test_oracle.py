"""The oracle and the comparison, on a guide of a few rows."""

import base64

import pytest

from tools.guide import compare, coverage, paths, values
from tools.guide.compare import Output, Resource
from tools.guide.hand import HAND
from tools.guide.message import nearest, place, read
from tools.guide.oracle import Here, Oracle
from tools.guide.tables import MessageRow, Row
from tools.guide.values import Expected

MESSAGE = (
    "MSH|^~\\&|HIS|H1\rPID|1||P7^^^H1~P8||赵^明||199001010830|F^女^HL70001\r"
    "NK1|1|赵^强|FTH\rNK1|2|厂^^|E\rPV1|1|I|||||D1^钱^^^^^^^&1.2.3&ISO\r"
)


@pytest.fixture
def reading(small_guide):
    return Oracle(small_guide).read(MESSAGE, "ADT_A01")


def facts(reading, source):
    return [
        (paths.show(fragment.root, fact.path), fact.expected.texts)
        for fragment in reading.fragments
        if fragment.pair[1] == source
        for fact in fragment.facts
    ]


def test_every_repetition_gives_its_own_fragment(reading):
    assert [f.where for f in reading.fragments if f.pair[1] == "PID-3"] == ["PID[1]-3[1]", "PID[1]-3[2]"]


def test_data_types_vocabulary_and_constants_become_facts(reading):
    assert facts(reading, "PID-5") == [("Patient.name.family", ("赵",)), ("Patient.name.given", ("明",))]
    assert facts(reading, "PID-8") == [("Patient.gender", ("female",))]
    assert facts(reading, "PID-7") == [
        ("Patient.birthDate", ("1990-01-01",)),
        ("Patient.birthDate.extension.url", ("http://hl7.org/fhir/StructureDefinition/patient-birthTime",)),
    ]


def test_nested_data_types_read_subcomponents_and_expressions(reading):
    assert facts(reading, "PV1-7") == [
        ("Encounter.participant.individual->Practitioner.identifier.value", ("D1",)),
        ("Encounter.participant.individual->Practitioner.identifier.system", ("urn:oid:1.2.3",)),
        ("Encounter.participant.type.coding.code", ("ATND",)),
    ]


def test_a_message_condition_decides_for_each_segment(reading):
    assert [f.where for f in reading.fragments if f.pair[0] == "NK1[Patient]"] == ["NK1[1]-2[1]"]


def test_a_condition_in_words_is_noted_as_not_judged(small_guide):
    text = MESSAGE.replace("HL70001\r", "HL70001||R1\r", 1)
    found = Oracle(small_guide).read(text, "ADT_A01")
    assert (("PID[Patient]", "PID-10"), "PID[Patient]#9") in found.unjudged


def output(patient, encounter=None, practitioner=None):
    resources = [Resource("patient", "Patient", patient)]
    links = {}
    if encounter:
        resources += [Resource("visit", "Encounter", encounter), Resource("doctor", "Practitioner", practitioner)]
        links = {id(encounter["participant"][0]["individual"]): "doctor"}
    return Output(resources, links)


def states(guide, made):
    report = coverage.measure(guide, "ADT_A01", lambda text: made, None, [], [MESSAGE])
    return {pair[1]: report.state(pair) for pair in report.pairs}, report


def test_right_output_is_right_and_wrong_output_says_why(small_guide):
    patient = {
        "identifier": [{"value": "P7"}],
        "name": [{"family": "赵", "given": ["明"]}],
        "gender": "male",
        "birthDate": "1990-01-01",
        "_birthDate": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime"}]},
        "contact": [{"name": {"family": "赵"}}, {"name": {"given": ["强"]}}],
    }
    practitioner = {"identifier": [{"value": "D1", "system": "urn:oid:1.2.3"}]}
    visit = {"participant": [{"individual": {}, "type": [{"coding": [{"code": "ATND"}]}]}]}
    found, report = states(small_guide, output(patient, visit, practitioner))
    assert found["PID-5"] == found["PID-7"] == found["PV1-7"] == "right"
    assert found["PID-3"] == found["PID-8"] == found["NK1-2"] == "wrong"
    texts = [str(miss) for miss in report.misses()]
    assert any("PID-3" in text and "expected 'P8'; got 'P7'" in text for text in texts)
    assert any("NK1-2" in text and "not in one element" in text for text in texts)
    assert report.tally()["exercised"] == 6


def test_a_documented_deviation_is_counted_apart(small_guide):
    excuses = coverage.deviations([{"map": "PID[Patient]", "fields": ["PID-8"], "reason": "told otherwise"}])
    report = coverage.measure(small_guide, "ADT_A01", lambda text: Output([], {}), set(), excuses, [MESSAGE])
    assert report.state(("PID[Patient]", "PID-8")) == "deviates"
    assert report.tally()["deviates"] == 1
    assert report.tally()["right"] == 0


def test_a_deviation_of_one_row_leaves_the_rest_to_be_judged(small_guide):
    excuses = coverage.deviations([{"rows": ["HD[uri]#4"], "reason": "R3 names the system"}])
    practitioner = {"identifier": [{"value": "D1", "system": "other"}]}
    visit = {"participant": [{"individual": {}, "type": [{"coding": [{"code": "ATND"}]}]}]}
    made = output({}, visit, practitioner)
    report = coverage.measure(small_guide, "ADT_A01", lambda text: made, None, excuses, [MESSAGE])
    assert report.state(("PV1[Encounter]", "PV1-7")) == "partly"


def test_a_deviation_without_a_reason_is_refused():
    with pytest.raises(ValueError, match="needs a reason"):
        coverage.deviations([{"map": "PID[Patient]"}])


def test_a_failing_mapper_is_a_figure_not_an_end(small_guide):
    def fails(text):
        raise RuntimeError("no")

    report = coverage.measure(small_guide, "ADT_A01", fails, None, [], [MESSAGE])
    assert report.failures == ["ADT_A01 1: RuntimeError: no"]


def test_codes_are_sent_one_by_one(small_guide):
    honoured, first = coverage.codes(small_guide, ["ADT_A01"], lambda text: output({"gender": "female"}), most=3)
    assert honoured == {("AdministrativeSex", "F"): True, ("AdministrativeSex", "M"): False}
    assert "expected 'male', got 'female'" in first[("AdministrativeSex", "M")]


def test_a_place_is_found_through_the_place_it_is_part_of():
    bed, ward, visit = {"name": "3"}, {"name": "W"}, {"location": [{"location": {}}]}
    bed["partOf"] = {}
    made = Output(
        [Resource("v", "Encounter", visit), Resource("b", "Location", bed), Resource("w", "Location", ward)],
        {id(visit["location"][0]["location"]): "b", id(bed["partOf"]): "w"},
    )
    from tools.guide.oracle import Fact

    fact = Fact(("", ""), (), "", paths.parse("location.location(Location.name)"), Expected("text", ("W",)))
    assert compare.holds_fact(fact, "Encounter", made)


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (Expected("time", ("2025-01-02T03:04:00+08:00",)), "2025-01-01T19:04:00Z", True),
        (Expected("time", ("2025-01-02",)), "2025-01-02T00:00:00+08:00", False),
        (Expected("number", ("72.50",)), 72.5, True),
        (Expected("number", ("7",)), "x", False),
        (Expected("bool", ("true",)), True, True),
        (Expected("bool", ("true",)), "true", False),
        (Expected("text", ("1.2.3",)), "urn:oid:1.2.3", True),
        (Expected("text", ("a b",)), "a  b", True),
        (Expected("text", ("a",)), True, False),
        (values.ANYTHING, "x", True),
        (values.ANYTHING, "", False),
    ],
)
def test_values_are_equal_only_where_they_mean_the_same(expected, got, same):
    assert values.equal(expected, got) is same


@pytest.mark.parametrize(
    ("text", "kind", "made"),
    [
        ("19900101", "date", "1990-01-01"),
        ("202501020304", "dateTime", "2025-01-02T03:04:00+08:00"),
        ("20250102030405.5+0900", "instant", "2025-01-02T03:04:05.5+09:00"),
        ("2025", "dateTime", "2025"),
        ("1015", "time", "10:15:00"),
        ("Y", "boolean", "true"),
        ("a\\T\\b", "string", "a&b"),
    ],
)
def test_primitives_are_converted(text, kind, made):
    assert values.convert(text, kind, "", "").texts == (made,)


def test_nonsense_dates_give_no_fact():
    assert values.convert("yesterday", "dateTime", "DTM", "") is None


def test_segments_find_their_group_and_their_nearest_neighbour():
    order = ("ORDER*",)
    rows = [
        MessageRow("X", 1, "PID", (), False),
        MessageRow("X", 2, "ORC", order, False),
        MessageRow("X", 3, "OBR", order, False),
        MessageRow("X", 4, "NTE", order, True),
        MessageRow("X", 5, "OBX", (*order, "RESULT*"), False),
        MessageRow("X", 6, "NTE", (*order, "RESULT*"), True),
    ]
    segments = read("PID|1\rORC|NW\rOBR|1\rOBX|1\rNTE|1\rOBX|2\rORC|NW\rOBR|2\rNTE|2\rOBR|3\r")
    place(segments, rows)
    groups = [segment.group for segment in segments]
    assert groups[4] == (("ORDER*", 1), ("RESULT*", 1))
    assert groups[5] == (("ORDER*", 1), ("RESULT*", 2))
    assert groups[6:9] == [(("ORDER*", 2),)] * 3
    assert groups[9] == (("ORDER*", 3),)
    assert nearest(segments, segments[7], "ORC") is segments[6]
    assert nearest(segments, segments[9], "ORC") is None
    assert nearest(segments, segments[9], "PID") is segments[0]


def test_what_encloses_a_segment_is_nearer_than_what_stands_in_a_group_below():
    order = ("ORDER*",)
    rows = [
        MessageRow("X", 1, "ORC", order, False),
        MessageRow("X", 2, "OBR", (*order, "REQUEST"), False),
        MessageRow("X", 3, "OBX", (*order, "REQUEST"), True),
        MessageRow("X", 4, "ORC", (*order, "REQUEST", "PRIOR*"), False),
        MessageRow("X", 5, "OBR", (*order, "REQUEST", "PRIOR*"), False),
    ]
    segments = read("ORC|NW|P1\rOBR|1\rOBX|1\rORC|NW\rOBR|2\r")
    place(segments, rows)
    assert nearest(segments, segments[1], "ORC") is segments[0]
    assert nearest(segments, segments[4], "ORC") is segments[3]


APPOINTMENT = (
    "SCH|1||||||||||^^^20250301083000\rAIS|1||X|20250301090000|15|min|2|h\rNTE|1||a\\T\\b~c||||||K1^甲^L^^^^^^乙\r"
)


@pytest.mark.parametrize(
    ("row", "field", "made"),
    [
        ("AIS[Appointment]#7", ("AIS", 5), "2025-03-01T08:45:00+08:00"),
        ("AIS[Appointment]#9", ("AIS", 7), "2025-03-01T11:00:00+08:00"),
        ("NTE[DocumentReference]#5", ("NTE", 3), base64.b64encode(b"a&b\nc").decode()),
        ("NTE[DocumentReference]#12", ("NTE", 9), base64.b64encode("乙\nK1-甲-L".encode()).decode()),
    ],
)
def test_assignments_in_words_are_computed_by_hand(row, field, made):
    segments = read(APPOINTMENT)
    segment = next(one for one in segments if one.name == field[0])
    text = segment.reps(field[1])[0]
    here = Here(text, "^", segment, segments, text, Row("", 0, f"{field[0]}-{field[1]}"))
    assert HAND[row](here).texts == (made,)


@pytest.mark.parametrize("unit", ["", "mL"])
def test_a_length_without_a_unit_of_time_is_not_judged(unit):
    segments = read(APPOINTMENT.replace("|2|h", f"|2|{unit}"))
    assert HAND["AIS[Appointment]#9"](Here("2", "^", segments[1], segments, "2", Row("", 0, "AIS-7"))) is None


def test_pieces_of_an_expression_are_joined_as_written(small_guide):
    from dataclasses import replace

    from tools.guide.oracle import Here

    row = replace(small_guide.segments["PID[Patient]"][0], assignment='"id "+CX.1+"^"+CX.2')
    segment = read(MESSAGE)[1]
    here = Here("P7^9", "^", segment, [segment], "P7^9", row)
    assert Oracle(small_guide)._assigned(row, here, "value").texts == ("id P7^9",)
