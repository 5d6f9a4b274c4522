"""The lexer: every field at its number, in every message, however badly it was written down."""

import importlib.util
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats import hl7v2
from gateway.formats import hl7v2_tables as tables
from gateway.formats.hl7v2 import Message, NotHl7, parse

_SPEC = importlib.util.spec_from_file_location("format_samples", Path(__file__).with_name("conftest.py"))
samples = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(samples)

MSH = "MSH|^~\\&|HIS|YY|GW|YG|20240101||ADT^A04|1|P|2.4"
PID = "PID|1||P1^^^HIS^PI~ID1^^^^IdentifyNO||张三^ZHANGSAN||19800101|M"


def names(message: Message) -> str:
    return " ".join(segment.name for segment in message.segments)


def lines(text: str) -> list[str]:
    return [segment.line for segment in parse(text).segments]


# ---- the oracle -----------------------------------------------------------------------------------------


def oracle(line: str, version: str) -> dict[int, list]:
    """Return hl7apy's repetitions of each field of a segment, by HL7 number, in the first version that reads it."""
    from hl7apy.exceptions import HL7apyException
    from hl7apy.parser import parse_segment

    for candidate in (version, "2.5", "2.8.2", "2.3"):
        try:
            children = parse_segment(line, version=candidate).children
        except (HL7apyException, KeyError, AttributeError):
            continue
        found: dict[int, list] = {}
        for child in children:
            found.setdefault(_number(child), []).append(child)
        return found
    raise AssertionError(f"hl7apy reads {line!r} in no version")


def _number(element) -> int:
    return int(element.name.rsplit("_", 1)[1]) if element.name and "_" in element.name else 0


def parts(element) -> dict[int, str]:
    """Return the components that hl7apy sees in one repetition, {} for a plain value."""
    return {_number(child): child.to_er7() for child in element.children} if len(element.children) > 1 else {}


def pieces(raw: str) -> list[str]:
    return [plain(piece) for piece in re.split("[&^]", raw) if piece]


def plain(raw: str) -> str:
    """Return the value without what hl7apy does to it: escapes escaped again, leading zeros of numbers dropped."""
    return re.sub(r"\b0+(?=[0-9])", "", raw.replace("\\E\\", "\\"))


def fits(raw: str, segment: str, number: int, version: str) -> bool:
    """Say whether the version's datatype has room for the components; hl7apy closes ranks where it has not."""
    for fields in (tables.segment(segment, tables.nearest(version)), tables.newest_segment(segment)):
        if fields and number <= len(fields) and fields[number - 1]:
            parts = tables.datatype(fields[number - 1].datatype, tables.nearest(version))
            return raw.rstrip("^&").count("^") < max(len(parts), 1) and "&" not in raw
    return False


@pytest.mark.parametrize("path", [*samples.OWN, *samples.COUNTY, *samples.PUBLIC], ids=lambda path: path.stem)
def test_the_lexer_agrees_with_hl7apy_at_every_field_of_every_sample(path):
    """Same repetitions and values at the same field numbers; same component numbers where the datatype has them."""
    message = parse(samples.read_sample(path))
    compared, populated = 0, 0
    for segment in message.segments[1:]:
        if segment.name.startswith("Z"):
            continue
        judged = oracle(segment.line, message.version)
        for number in range(1, len(segment.fields)):
            mine = segment.reps(number)
            populated += len(mine)
            theirs = judged.get(number, [])
            if not theirs:
                continue
            assert [pieces(rep.to_er7()) for rep in theirs] == [pieces(one) for one in mine or [""]]
            compared += len(mine)
            for rep, one in zip(theirs, mine, strict=False):
                if fits(one, segment.name, number, message.version):
                    assert plain(rep.to_er7()).rstrip("^&") == plain(one).rstrip("^&"), (segment, number)
                    for part, value in parts(rep).items():
                        assert not part or plain(hl7v2.component(one, part, message.delimiters)) == plain(value)
    assert compared >= populated * 0.9


@pytest.mark.parametrize("path", [*samples.OWN, *samples.COUNTY, *samples.PUBLIC], ids=lambda path: path.stem)
def test_every_sample_reads_the_same_however_its_lines_end(path):
    text = samples.read_sample(path).rstrip("\r")
    whole = parse(text)
    for ending in ("\n", "\r\n", "\r\r", "\n\n"):
        assert lines(text.replace("\r", ending) + ending) == [segment.line for segment in whole.segments]
    assert parse("\ufeff\x0b" + text + "\r\x1c\r").text.startswith("MSH")
    assert "\r".join(lines(text)).replace("\r", "") == text.replace("\r", "")


@pytest.mark.parametrize("path", [*samples.OWN, *samples.COUNTY], ids=lambda path: path.stem)
def test_samples_without_any_separator_are_cut_again(path):
    """Some senders write no separator at all: the names alone say where segments begin."""
    whole = parse(samples.read_sample(path))
    glued = parse("".join(segment.line for segment in whole.segments))
    found = [segment.line for segment in glued.segments]
    expected = [segment.line for segment in whole.segments if segment.name[0] != "Z"]
    missed = [segment.name for segment in whole.segments if segment.line not in found and segment.name[0] != "Z"]
    assert sum("without a segment separator" in issue.text for issue in glued.issues) == len(found) - 1
    assert len(found) >= len(expected) * 0.8, missed
    assert "".join(found) == "".join(segment.line for segment in whole.segments)


# ---- glue -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MSH + PID + "\rPV1|1|O", "MSH PID PV1"),
        (MSH + "|" + PID, "MSH PID"),
        (MSH + "|||AL|AL|CHN|UNICODE" + "\r" + PID + "NK1|1|李四|SPO", "MSH PID NK1"),
        (MSH + "\rPID|1||P1|||||||||||||||||N^Not^HL70189NK1|1||OTH|||||||||||||OID724ORC|NW|7||", "MSH PID NK1 ORC"),
        (MSH + "\rSPM|2|S||B|||||||||||||201301160912-0800ORC|NW|ORD231|", "MSH SPM ORC"),
        (MSH + "\rOBX|1|NM|K||4.1|mmol/L|||||FOBX|2|NM|NA||140|mmol/L|||||F", "MSH OBX OBX"),
        (MSH + "\rOBX|1|ST|K||阳性NTE|1|L|复核", "MSH OBX NTE"),
        (MSH + "\rPID|1||P1||张三PV1|1|O|0101", "MSH PID PV1"),
        (MSH + "EVN|A04|20240101120000" + PID, "MSH EVN PID"),
    ],
)
def test_glued_segments_are_cut_on_known_names_with_an_issue_each(text, expected):
    message = parse(text)
    assert names(message) == expected
    cuts = len(message.segments) - 1 - text.count("\r")
    assert len(message.issues) == cuts
    assert all("without a segment separator" in issue.text for issue in message.issues)


def test_the_issue_of_a_cut_says_where():
    issue = parse(MSH + PID).issues[0]
    assert (issue.where, issue.text) == (
        "MSH[1]-12",
        "PID followed MSH-12 without a segment separator; the line was cut there.",
    )


@pytest.mark.parametrize(
    "line",
    [
        "OBX|1|NM|MPV1||9.8|fL|7-11|N|||F",
        "OBX|1|NM|LIPID|1|9.8|fL",
        "OBR|2|A|B|LIPID|||20240318|||",
        "PID|||1||RAPID||19800101|M||",
        "OBX|1|ST|X||see OBX||3-5||||F",
        "OBX|1|ST|X||SFAC|RAPP|WILLIAM|1|CONTROL|2|FAMILY PV1|1|",
        "ORC|NW|2021ACC|2022LOC|P0001ROL|1||",
        "NTE|1||PID|1||",
        "ERR||PID|101",
        "OBX|1|ST|PID^1||PID&1|PID~|",
        "GT1|1|150|BondGT1x|TOTAL1|VITAMIN1|GGT1|2|",
    ],
)
def test_words_that_end_like_a_segment_name_are_never_cut(line):
    message = parse(f"{MSH}\r{line}\r{PID}")
    assert (lines(message.text)[1], message.issues) == (line, [])


def test_senders_whose_names_end_like_a_segment_are_not_cut():
    head = MSH.replace("HIS|YY", "HIS2PID|1|X|3ORC|NW")
    assert names(parse(head + "\r" + PID)) == "MSH PID"


# ---- lines ----------------------------------------------------------------------------------------------


def test_text_that_runs_over_lines_stays_with_its_segment():
    message = parse(f"{MSH}\rOBX|1|TX|A||first line\nsecond line\r\nthird|1|\rNTE|1||x")
    assert names(message) == "MSH OBX NTE"
    assert message.segments[1].raw(5) == "first line\nsecond line\r\nthird"
    assert message.issues[0].where == "OBX[1]"
    assert "runs over more than one line" in message.issues[0].text


def test_names_without_fields_and_trailing_rubbish():
    assert lines(MSH + "\rDSC\rPID|1\r\r\n\x1c\r\x00") == [MSH, "DSC", "PID|1"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("\r\n", "empty"),
        ("PID|1", "begins with MSH; this begins with 'PID|1'"),
        ("FHS|^~\\&|", "split it first"),
        ("<xml/>", "begins with MSH"),
        ("MSH", "No field separator"),
        ("MSHX^~", "No field separator"),
        ("MSH \r", "No field separator"),
    ],
)
def test_what_is_not_hl7_is_said_so(text, says):
    with pytest.raises(NotHl7, match=says):
        parse(text)


# ---- fields ---------------------------------------------------------------------------------------------


def test_fields_are_numbered_as_in_hl7():
    message = parse(f"{MSH}\r{PID}")
    header, pid = message.segments
    assert [header.raw(n) for n in (0, 1, 2, 3, 12, 13, 99)] == ["MSH", "|", "^~\\&", "HIS", "2.4", "", ""]
    assert (header.reps(1), header.reps(2), header.reps(18)) == (["|"], ["^~\\&"], [])
    assert pid.reps(3) == ["P1^^^HIS^PI", "ID1^^^^IdentifyNO"]
    assert [pid.value(3), pid.value(3, 5), pid.value(5, 2), pid.value(3, 9), pid.value(30)] == [
        "P1",
        "PI",
        "ZHANGSAN",
        "",
        "",
    ]
    assert hl7v2.subcomponent("0002&静脉全血", 2, message.delimiters) == "静脉全血"
    assert [hl7v2.subcomponent("a", n, message.delimiters) for n in (1, 2)] == ["a", ""]
    assert [hl7v2.component("a^b", n, message.delimiters) for n in (1, 2, 3)] == ["a", "b", ""]
    assert hl7v2.subcomponent("a&b", 3, message.delimiters) == ""


def test_places_are_named_for_people():
    message = parse(f"{MSH}\r{PID}\rOBX|1\rNTE|1\rOBX|2")
    second = message.all("OBX")[1]
    assert (second.position, second.where(), second.where(5)) == (4, "OBX[2]", "OBX[2]-5")
    assert second.where(5, 2, 1, 3) == "OBX[2]-5[2].1.3"
    assert repr(second) == "<Segment OBX[2]>"
    assert message.first("ZZZ") is None


def test_header_facts():
    message = parse(MSH.replace("ADT^A04", "ADT^A04^ADT_A01") + "\rEVN|A08")
    assert [message.type, message.event, message.structure, message.version, message.control_id] == [
        "ADT", "A04", "ADT_A01", "2.4", "1",
    ]  # fmt: skip
    assert parse(MSH.replace("ADT^A04", "ADT") + "\rEVN|A08").event == "A08"
    assert parse("MSH|^~\\&").event == ""


@pytest.mark.parametrize(
    ("given", "structure"),
    [
        ("ADT^A01", "ADT_A01"), ("ADT^A04", "ADT_A01"), ("ADT^A08^ADT_A08", "ADT_A01"), ("ADT^A13", "ADT_A01"),
        ("ADT^A28", "ADT_A05"), ("ADT^A31", "ADT_A05"), ("ADT^A40", "ADT_A39"), ("ADT^A11", "ADT_A09"),
        ("ADT^A01^9.3-DEF", "ADT_A01"), ("ADT^ZP1", "ADT_A01"), ("ORU^R01", "ORU_R01"), ("ORU", "ORU_R01"),
        ("ORM^O01", "ORM_O01"), ("RDE^O01", "RDE_O01"), ("RDE^O11", "RDE_O11"), ("RSP^K23", "RSP_K23"),
        ("MDM^T02^MDM_T02", "MDM_T02"), ("XYZ^Q99", ""), ("", ""), ("ACK", "ACK"),
    ],
)  # fmt: skip
def test_the_structure_comes_from_the_header_else_the_event_else_the_type(given, structure):
    assert parse(MSH.replace("ADT^A04", given)).structure == structure


# ---- delimiters -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "expected", "issues"),
    [
        ("MSH|^~\\&|", "|^~\\&", 0),
        ("MSH|^~\\\\&|", "|^~\\&", 1),
        ("MSH|^~\\&#|", "|^~\\&#", 0),
        ("MSH|^~\\&amp;|", "|^~\\&", 0),
        ("MSH$%*!@$", "$%*!@", 0),
        ("MSH|^~|", "|^~\\&", 0),
        ("MSH||", "|^~\\&", 1),
        ("MSH|ABCD|", "|^~\\&", 1),
        ("MSH|^^^^|", "|^~\\&", 1),
        ("MSH|", "|^~\\&", 1),
    ],
)
def test_delimiters_are_read_from_the_header(start, expected, issues):
    message = parse(start + "HIS")
    found = message.delimiters
    assert found.field + found.msh2 == expected
    assert len(message.issues) == issues


def test_own_delimiters_are_used_everywhere():
    message = parse("MSH$%*!@$HIS$$$$$$ADT%A04$1$P$2.4\rPID$1$$P1%%%HIS@1.2@ISO*P2$$a!S!b^|\rEVN$A04")
    pid = message.first("PID")
    assert (message.event, pid.reps(3), pid.value(3, 4, 2), pid.value(5)) == (
        "A04",
        ["P1%%%HIS@1.2@ISO", "P2"],
        "1.2",
        "a%b^|",
    )
    assert names(message) == "MSH PID EVN"


# ---- robustness -----------------------------------------------------------------------------------------


@given(st.text(max_size=300))
def test_anything_parses_or_is_not_hl7(text):
    for candidate in (text, "MSH|^~\\&|" + text, "MSH" + text):
        try:
            message = parse(candidate)
        except NotHl7:
            continue
        for segment in message.segments:
            for number in range(1, 6):
                segment.reps(number)
                segment.value(number)
        assert sorted(s.position for s in message.tree().walk()) == list(range(len(message.segments)))
        assert [message.type, message.version, message.event, message.structure, message.control_id]


PIECES = st.sampled_from(
    ["PID|", "OBX|", "ORC|NW|", "NTE|1||", "x", "张", "|", "^", "~", "\\", "\r", "\n", "1", "PV1|1|O|", "ZZ1|", "&"]
)


@given(st.lists(PIECES, max_size=60))
def test_joined_segments_lose_nothing(parts):
    text = MSH + "|" + "".join(parts)
    joined = "\r".join(lines(text))
    assert joined.replace("\r", "").replace("\n", "") == text.replace("\r", "").replace("\n", "")


def test_a_million_segments_are_read_in_one_pass():
    message = parse(MSH + "\rNTE|1||x" * 1_000_000)
    assert len(message.segments) == 1_000_001
    assert message.segments[-1].raw(3) == "x"


def test_a_glued_megabyte_is_read_in_one_pass():
    message = parse(MSH + PID + "OBX|1|NM|K||4.1|mmol/L|||||F" * 40_000)
    assert len(message.segments) == 40_002


@pytest.mark.parametrize("path", [*samples.OWN, *samples.COUNTY, *samples.PUBLIC], ids=lambda path: path.stem)
def test_only_samples_that_are_glued_are_cut(path):
    cuts = [issue for issue in parse(samples.read_sample(path)).issues if "without a segment separator" in issue.text]
    assert bool(cuts) == (path.stem in ("oml_o21_ex4", "oml_o21_ex6") or "glued" in path.stem)
