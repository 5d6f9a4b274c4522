"""Groups: an NTE stays with its OBX, a repetition never leaks into the next, nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats.hl7v2 import Group, parse


def tree(segments: str, *, type_: str = "ORU^R01", version: str = "2.5.1") -> Group:
    lines = [f"MSH|^~\\&|A|B|C|D|2024||{type_}|1|P|{version}"]
    for index, name in enumerate(segments.split()):
        lines.append(f"{name}|{index}")
    return parse("\r".join(lines)).tree()


def shape(group: Group) -> str:
    inner = [shape(child) if isinstance(child, Group) else child.name for child in group.children]
    return f"{group.name}({' '.join(inner)})"


def inner(group: Group) -> str:
    return shape(group).removeprefix(f"{group.name}(MSH ").removesuffix(")")


@pytest.mark.parametrize("version", ["2.1", "2.3", "2.3.1", "2.4", "2.5.1", "2.8.2", "9.9", ""])
def test_group_names_do_not_depend_on_the_version(version):
    assert inner(tree("PID PV1 ORC OBR OBX NTE NTE OBX OBR OBX NTE", version=version)) == (
        "PATIENT_RESULT(PATIENT(PID VISIT(PV1)) "
        "ORDER_OBSERVATION(COMMON_ORDER(ORC) OBR OBSERVATION(OBX NTE NTE) OBSERVATION(OBX)) "
        "ORDER_OBSERVATION(OBR OBSERVATION(OBX NTE)))"
    )


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        # the order of a real ORU
        ("PID NTE OBR NTE OBX NTE", "PATIENT_RESULT(PATIENT(PID NTE) ORDER_OBSERVATION(OBR NTE OBSERVATION(OBX NTE)))"),
        # several patients
        (
            "PID OBR OBX PID OBR OBX",
            "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX))) "
            "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX)))",
        ),
        # results after the specimen are results when there are none before it, the specimen's own otherwise
        ("PID OBR SPM OBX NTE OBX", "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR SPECIMEN(SPM) OBSERVATION(OBX NTE) OBSERVATION(OBX)))"),
        ("PID OBR OBX SPM OBX NTE", "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR OBSERVATION(OBX) SPECIMEN(SPM SPECIMEN_OBSERVATION(OBX NTE))))"),
        # no OBR, no PID
        ("PID PV1 OBX OBX", "PATIENT_RESULT(PATIENT(PID VISIT(PV1)) ORDER_OBSERVATION(OBSERVATION(OBX) OBSERVATION(OBX)))"),
        ("PID OBX", "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBSERVATION(OBX)))"),
        ("OBR OBX", "PATIENT_RESULT(ORDER_OBSERVATION(OBR OBSERVATION(OBX)))"),
        # an NTE after a minor segment belongs to what takes notes
        ("PID NK1 NTE OBR TQ1 NTE OBX", "PATIENT_RESULT(PATIENT(PID NK1 NTE) ORDER_OBSERVATION(OBR TIMING_QTY(TQ1) NTE OBSERVATION(OBX)))"),
        # Z-segments stay where they stand
        ("ZZ1 PID ZPI PV1 ZPV OBR OBX ZBX NTE", "ZZ1 PATIENT_RESULT(PATIENT(PID ZPI VISIT(PV1 ZPV)) ORDER_OBSERVATION(OBR OBSERVATION(OBX ZBX NTE)))"),
        # segments out of turn or unknown to the structure
        ("PID OBR OBX PV1 OBX", "PATIENT_RESULT(PATIENT(PID VISIT(PV1)) ORDER_OBSERVATION(OBR OBSERVATION(OBX) OBSERVATION(OBX)))"),
        ("PID OBR OBX PD1 RXA OBX", "PATIENT_RESULT(PATIENT(PID PD1) ORDER_OBSERVATION(OBR OBSERVATION(OBX RXA) OBSERVATION(OBX)))"),
        ("NTE PID", "NTE PATIENT_RESULT(PATIENT(PID))"),
    ],
)  # fmt: skip
def test_results(segments, expected):
    assert inner(tree(segments, version="2.5.1" if segments != "PID OBX" else "2.4")) == expected


@pytest.mark.parametrize(
    ("type_", "segments", "expected"),
    [
        ("ADT^A01", "EVN PID PD1 NK1 NK1 PV1 PV2 OBX AL1 DG1 PR1 ROL PR1 GT1 IN1 IN2 IN1 ACC", "EVN PID PD1 NK1 NK1 PV1 PV2 OBX AL1 DG1 PROCEDURE(PR1 ROL) PROCEDURE(PR1) GT1 INSURANCE(IN1 IN2) INSURANCE(IN1) ACC"),
        ("ADT^A01", "EVN PID NTE PV1 NK1 IN1 DG1 IN2 PID", "EVN PID NTE PV1 NK1 INSURANCE(IN1 IN2) DG1 PID"),
        ("ADT^A40", "EVN PID PD1 MRG PV1 PID MRG", "EVN PATIENT(PID PD1 MRG PV1) PATIENT(PID MRG)"),
        ("ORM^O01", "PID PV1 IN1 GT1 ORC OBR NTE DG1 OBX NTE ORC RXO", "PATIENT(PID PATIENT_VISIT(PV1) INSURANCE(IN1) GT1) ORDER(ORC ORDER_DETAIL(OBR NTE DG1 OBSERVATION(OBX NTE))) ORDER(ORC ORDER_DETAIL(RXO))"),
        ("ORM^O01", "PID ORC PV1 OBR IN1 IN2 NTE OBX", "PATIENT(PID PATIENT_VISIT(PV1) INSURANCE(IN1 IN2) NTE) ORDER(ORC ORDER_DETAIL(OBR OBSERVATION(OBX)))"),
        ("OML^O21", "PID ORC OBR DG1 OBX SPM SAC SPM ORC OBR", "PATIENT(PID) ORDER(ORC OBSERVATION_REQUEST(OBR DG1 OBSERVATION(OBX) SPECIMEN(SPM CONTAINER(SAC)) SPECIMEN(SPM))) ORDER(ORC OBSERVATION_REQUEST(OBR))"),
        ("OML^O21", "PID ORC OBR PID ORC OBR OBX", "PATIENT(PID) ORDER(ORC OBSERVATION_REQUEST(OBR PRIOR_RESULT(PATIENT_PRIOR(PID) ORDER_PRIOR(ORC OBR OBSERVATION_PRIOR(OBX)))))"),
        ("SIU^S12", "SCH PID PV1 RGS AIS NTE AIP", "SCH PATIENT(PID PV1) RESOURCES(RGS SERVICE(AIS NTE) PERSONNEL_RESOURCE(AIP))"),
        ("XYZ^Q99", "PID OBX NTE", "PID OBX NTE"),
    ],
)  # fmt: skip
def test_other_messages(type_, segments, expected):
    assert inner(tree(segments, type_=type_)) == expected


def test_a_side_path_ends_when_the_message_goes_on():
    found = tree("PID ORC OBR IN1 OBX IN2 ORC", type_="ORM^O01")
    assert inner(found) == ("PATIENT(PID INSURANCE(IN1 IN2)) ORDER(ORC ORDER_DETAIL(OBR OBSERVATION(OBX))) ORDER(ORC)")


def test_newer_versions_keep_their_own_groups():
    assert inner(tree("PID OBX OBR OBX", version="2.8")) == (
        "PATIENT_RESULT(PATIENT(PID PATIENT_OBSERVATION(OBX)) ORDER_OBSERVATION(OBR OBSERVATION(OBX)))"
    )


def test_walking_the_tree():
    root = tree("PID NTE OBR NTE OBX NTE ZNT NTE OBX")
    orders = root.descend("PATIENT_RESULT.ORDER_OBSERVATION")
    first, second = orders[0].named("OBSERVATION")
    assert [note.raw(1) for note in first.notes(first.first("OBX"))] == ["5", "7"]
    assert second.notes(second.first("OBX")) == []
    assert root.descend("") == [root]
    assert root.descend("PATIENT.NOTHING") == []
    assert [segment.name for segment in root.segments] == ["MSH"]
    assert [group.name for group in root.groups] == ["PATIENT_RESULT"]
    assert (root.first("PID"), len(orders[0].all("NTE"))) == (None, 1)
    assert repr(second) == "<Group OBSERVATION: OBX>"


POOL = "PID PD1 NTE NK1 PV1 PV2 ORC OBR OBX SPM SAC TQ1 DG1 IN1 IN2 AL1 PR1 ROL ZZ1 RXE RXR MRG EVN TXA QQQ FT1"
NAMES = st.sampled_from(POOL.split())


@given(
    st.sampled_from(["ORU^R01", "ADT^A01", "ADT^A40", "ORM^O01", "OML^O21", "RDE^O11", "MDM^T02", "VXU^V04", "X^Y"]),
    st.sampled_from(["2.3", "2.5.1", "2.8.2"]),
    st.lists(NAMES, max_size=25),
)
def test_no_segment_is_ever_lost_or_doubled(type_, version, names):
    root = tree(" ".join(names), type_=type_, version=version)
    assert sorted(segment.position for segment in root.walk()) == list(range(len(names) + 1))


@given(st.lists(st.sampled_from(["OBX", "NTE", "ZNT"]), max_size=20))
def test_each_note_follows_the_result_it_was_sent_after(names):
    root = tree(" ".join(["PID", "OBR", "OBX", *names]))
    sent = ["PID", "OBR", "OBX", *names]
    owners = {}
    for index, name in enumerate(sent):
        if name == "OBX":
            owner = str(index)
        elif name == "NTE":
            owners[str(index)] = owner
    for group in root.descend("PATIENT_RESULT.ORDER_OBSERVATION.OBSERVATION"):
        result = group.first("OBX")
        assert all(owners.pop(note.raw(1)) == result.raw(1) for note in group.notes(result))
    assert not owners
