"""Writes HL7 v2 messages as the county hospital's systems do: segments from fields, a header, bytes in its charset."""

from dataclasses import dataclass, field
from datetime import datetime

from gateway.simulate import names
from gateway.simulate.cells import Cells
from gateway.simulate.values import HIS, LIS, RIS, Mark, Person, Staff, Visit

_APPS = {HIS: "HIS", LIS: "LIS", RIS: "RIS"}
_FACILITY = "QHXRMYY"
_MARITAL = {"10": "S^未婚", "20": "M^已婚", "30": "W^丧偶"}
_PAYMENT = {"390": "3^城乡居民医保", "310": "1^职工医保", "": "7^自费"}
BROKEN = "%BROKEN%"  # stands for bytes of no charset until the message is rendered
_ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\"})


@dataclass(slots=True)
class Post:
    """One message to be sent: when, by which feed, its segments without the header, what is odd about it.

    `frame` open = the sender dies before the end of the frame; `repeats` = sent again so often; `alike` = it carries
    the control number of the message before it; `joined` = it stands in one frame with the message before it.
    """

    at: datetime
    feed: str
    kind: str
    lines: list[str]
    person: int = 0
    marks: list[Mark] = field(default_factory=list)
    version: str = "2.4"
    charset: str = "GB2312"
    encoding: str = "gb18030"
    frame: str = ""
    repeats: int = 0
    broken: bool = False


def stamp(at: datetime) -> str:
    """Return a time as HL7 writes it, to the second, without a zone."""
    return f"{at:%Y%m%d%H%M%S}"


def text(value: str) -> str:
    """Return free text with the delimiters escaped."""
    return value.translate(_ESCAPES)


def segment(name: str, fields: dict[int, str]) -> str:
    """Return one segment; absent fields are empty."""
    last = max(fields)
    return "|".join([name, *(fields.get(number, "") for number in range(1, last + 1))])


def render(post: Post, control: str) -> bytes:
    """Return the bytes of a message with its control number; `broken` puts bytes of no charset into the name."""
    kind = post.kind
    cells = ["MSH", "^~\\&", _APPS[post.feed], _FACILITY, "YIGONG", "QHXYGT", stamp(post.at), "", kind, control, "P"]
    cells += [post.version, "", "", "AL", "NE", "CHN", post.charset]
    raw = ("\r".join(["|".join(cells), *post.lines]) + "\r").encode(post.encoding)
    return raw.replace(BROKEN.encode(), b"\xff\x80\xfe") if post.broken else raw


def person_cells(person: Person) -> Cells:
    """Return what the registration desk knows of a person, to be spoiled or not."""
    return {
        "id": person.id, "name": person.name, "birth": f"{person.birth:%Y%m%d}",
        "sex": "M" if person.sex == "1" else "F", "phone": person.phone,
    }  # fmt: skip


def pid(
    person: Person, cells: Cells, *, admission: str = "", outpatient: str = "", mrn: str = "", card: str = ""
) -> str:
    """Return the PID of a person; IDCard is the visit card and IdentifyNO the resident ID, as in life."""
    held = cells["id"]
    numbers = [
        f"{mrn or person.mrn}^^^^LocalID", f"{held}^^^^IdentifyNO", f"{card or person.card}^^^^IDCard",
        f"{admission}^^^^PatientNO", f"{outpatient}^^^^Outpatient", "^^^^OtherID",
    ]  # fmt: skip
    latin = names.pinyin(person.name)
    return segment("PID", {
        1: "1", 3: "~".join(numbers), 5: f"{cells['name']}^{latin}" if latin else cells["name"], 7: cells["birth"],
        8: cells["sex"], 11: f"青禾县{person.address}^^^^^^H", 13: cells["phone"], 16: _MARITAL[person.marital],
        19: held, 22: ethnic(person), 28: "156^中国", 38: _PAYMENT[person.insurance],
    })  # fmt: skip


def ethnic(person: Person) -> str:
    """Return the ethnic group as this hospital writes it: without the leading nought."""
    return f"{int(person.ethnic)}^{ETHNIC.get(person.ethnic, '')}"


ETHNIC = {
    "01": "汉族",
    "07": "彝族",
    "33": "羌族",
    "04": "藏族",
    "03": "回族",
    "15": "土家族",
    "06": "苗族",
    "05": "维吾尔族",
}


def staff(one: Staff) -> str:
    """Return a colleague as number and name."""
    return f"{one.number}^{one.name}"


def pv1(visit: Visit, *, ended: bool = False, doctor: bool = True) -> str:
    """Return the PV1 of a visit; an ended stay tells how it ended."""
    place = f"^^^{visit.doctor.room_code}^{visit.doctor.room}"
    if visit.inpatient:
        place = f"{visit.bed}^{visit.doctor.room_code}^{visit.doctor.room}"
    emergency = visit.doctor.room_code == "4900"
    fields = {
        1: "1", 2: "I" if visit.inpatient else "E" if emergency else "T" if visit.doctor.room_code == "2900" else "O",
        3: place, 10: visit.doctor.room_code, 19: visit.number, 44: stamp(visit.start),
    }  # fmt: skip
    if doctor:
        fields[7] = staff(visit.doctor)
    if ended and visit.end:
        fields[36], fields[45] = visit.leave, stamp(visit.end)
        if visit.leave == "3":
            fields[37] = f"QH{visit.person.village.town.number:02d}^{visit.person.village.town.centre}"
    return segment("PV1", fields)


def dg1(visit: Visit, kind: str) -> str:
    """Return the diagnosis of a visit; `kind` A on admission, W at work, F final."""
    words = f"{visit.illness['code']}^{visit.illness['name']}^ICD-10"
    return segment("DG1", {1: "1", 3: words, 5: stamp(visit.start), 6: kind})
