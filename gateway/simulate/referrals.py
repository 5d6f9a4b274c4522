"""Referrals up and down: why, where to, how they went, and the odd ones; the numbers tie the way back to the way up."""

from datetime import date, datetime, timedelta

from gateway.simulate import cells, numbers
from gateway.simulate.catalogue import book, rates
from gateway.simulate.desk import Desk, at
from gateway.simulate.nasty import mark
from gateway.simulate.rows_care import moment
from gateway.simulate.values import Mark, Person, Row, Staff, Village, Visit

UP, DOWN = "1", "2"
_REASONS = ("连续两次随访血压控制不满意", "明确诊断", "大型检查", "调整方案", "住院治疗")
_CASES = ("25.name-only", "25.number-reused", "25.free-text", "25.never-arrived", "25.back-dated")
_ELSEWHERE = "青禾县中医医院（青禾县第二人民医院、青禾县康"  # the export cuts names at 44 bytes


class Referrals:
    """Writes referrals; remembers who was sent up, so that the way back names the number."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._up: dict[int, str] = {}
        self._first: str = ""

    def past(self, first: date) -> list[Row]:
        """Return referrals of the weeks before the start, accepted, arrived, refused or lost."""
        rows: list[Row] = []
        for person in self.desk.attending("referred", first, 0.0, "referrals", lambda one, day: one.age(day) > 40):
            stream = self.desk.streams.of("referral", person.number)
            day = first - timedelta(days=stream.whole(3, 60))
            state = stream.weighted({"4": 6, "6": 3, "3": 1, "5": 1, "2": 2})
            doctor = person.village.town.staff[0]
            rows += self._odd(person, self.up(person, at(day, stream, 8, 16), doctor, state))
        return rows

    def send(self, one: Visit, when: datetime, *, arrives: datetime | None) -> Row:
        """Write the referral of a visit to the hospital; returns its row. It was accepted, and maybe arrived."""
        row = self.up(one.person, when, one.doctor, "4" if arrives else "2", arrives)
        one.referral = row.cells["转诊单号"]
        table = (one.person.village.code, "referrals")
        if isinstance(one.house, Village):
            self.desk.village(*table, row)
        else:
            self.desk.town("referrals", *self._odd(one.person, row))
        return row

    def up(self, person: Person, when: datetime, doctor: Staff, state: str, arrives: datetime | None = None) -> Row:
        """Return the row of an up-referral in a state."""
        stream = self.desk.streams.of("up", person.number, when)
        number = f"ZZS{when:%Y%m%d}{self.desk.turn('referral'):05d}"
        self._up[person.number] = number
        person.known("township-centre", "referral", number)
        hospital = book("county")["hospital"]
        seen = arrives or when + timedelta(days=2)
        specialist = self.desk.doctor("0302", stream)
        words = {
            "转诊类型": UP, "转诊状态": state, "预约单号": f"YY{number[3:]}" if state in "246" else "",
            "申请机构代码": doctor.house, "申请机构名称": doctor.house_name, "申请医生": doctor.name,
            "申请日期": moment(when),
            "转入医院代码": hospital["code"], "转入医院名称": hospital["name"], "转入科室名称": specialist.room,
            "转诊诊断": "I10.x00 高血压3级", "转诊原因": stream.pick(_REASONS),
            "病情描述": "近3月血压158~162/94~96mmHg，已联合用药", "转诊注意事项": "请携带既往用药",
            "接诊医生": specialist.name if state in "46" else "", "到诊时间": moment(seen) if state in "46" else "",
            "离院时间": moment(seen + timedelta(days=8)) if state == "6" else "",
            "不接收原因": "床位已满" if state == "3" else "",
        }  # fmt: skip
        return self._row(person, number, words)

    def down(self, stay: Visit) -> list[Row]:
        """Return the row that sends a patient back to the township; it names the way up where there was one."""
        person, end = stay.person, stay.end or stay.start
        town, hospital = person.village.town, book("county")["hospital"]
        number = f"ZZX{end:%Y%m%d}{self.desk.turn('referral'):05d}"
        source = self._up.pop(person.number, "")
        row = self._row(person, number, {
            "转诊类型": DOWN, "转诊状态": "2", "申请机构代码": hospital["code"], "申请机构名称": hospital["name"],
            "申请医生": stay.doctor.name, "申请日期": moment(end + timedelta(minutes=30)), "转入医院代码": town.code,
            "转入医院名称": town.centre, "转入科室名称": town.staff[0].room,
            "转诊诊断": f"{stay.illness['code']} {stay.illness['name']}", "转诊原因": "病情稳定，转回基层康复",
            "病情描述": "出院带药1周，2周后复查血钾、肌酐", "转诊注意事项": "按出院医嘱调整用药", "原转诊单号": source,
        })  # fmt: skip
        if not source:
            note = "a way back without a way up: stored, an issue, no number is invented"
            row.marks.append(mark("25.down-alone", note, resource="ServiceRequest"))
        return [row]

    def _row(self, person: Person, number: str, words: dict[str, str]) -> Row:
        base = {
            "转诊单号": number, "病人姓名": person.name, "病人性别": person.sex, "病人身份证号": person.id,
            "病人联系电话": person.phone, "签约编号": person.contract,
        }  # fmt: skip
        return Row(base | words, person.number, cells.natural(person, person.name))

    def _odd(self, person: Person, row: Row) -> list[Row]:
        case = self.desk.nasty.one(f"referral|{row.cells['转诊单号']}", *_CASES)
        if case == "25.number-reused" and not self._first:
            case = "25.free-text"
        self._first = self._first or row.cells["转诊单号"]
        if case == "25.name-only":
            self._name_only(person, row)
        elif case == "25.number-reused":
            note = "the number of another person's referral: parked, that referral is not touched"
            row.cells["转诊单号"] = self._first
            self._up.pop(person.number, None)
            row.marks = [mark(case, note, outcome="parked", reason="key-reused", resource="ServiceRequest")]
        elif case:
            row.marks.append(_ODD[case](row))
        return [row]

    def _name_only(self, person: Person, row: Row) -> None:
        row.cells |= {
            "转入医院代码": "", "转入医院名称": _ELSEWHERE, "申请机构名称": row.cells["申请机构名称"][:-1],
            "签约编号": "",
            "病人联系电话": numbers.masked(person.phone, 3, 4), "转诊状态": "2", "到诊时间": "", "接诊医生": "",
            "离院时间": "",
            "转诊诊断": "胸闷查因", "病情描述": '患者诉"胸口发闷",活动后明显,\n休息可缓解;\n既往:高血压',
        }  # fmt: skip
        note = "one row with breaks and commas; the hospital by its cut name only as a proposal; never arrived: overdue"
        row.marks += [
            mark("25.name-only", note, resource="ServiceRequest"),
            mark("N3", note, resource="ServiceRequest"),
        ]


def arrives(desk: Desk, key: str, when: datetime) -> datetime | None:
    """Return when a referred patient comes to the hospital, None when he never does."""
    stream = desk.streams.of("arrives", key)
    if not stream.chance(rates()["chances"]["arrives"]):
        return None
    return when + timedelta(minutes=stream.whole(120, 260))


def _free_text(row: Row) -> Mark:
    row.cells["转诊诊断"] = "考虑冠心病？高血压3级很高危"
    note = "a diagnosis in words: text, no code is guessed"
    return mark("25.free-text", note, resource="ServiceRequest", words=row.cells["转诊诊断"])


def _never(row: Row) -> Mark:
    row.cells |= {"转诊状态": "2", "到诊时间": "", "接诊医生": "", "离院时间": ""}
    return mark("25.never-arrived", "accepted, never arrived: overdue", resource="ServiceRequest")


def _back_dated(row: Row) -> Mark:
    arrived = row.cells["到诊时间"] or row.cells["申请日期"]
    later = datetime.fromisoformat(arrived) + timedelta(days=3)
    row.cells |= {"转诊状态": "4", "到诊时间": arrived, "申请日期": moment(later)}
    note = "asked for after the arrival, for the deductible: an issue"
    return mark("25.back-dated", note, resource="ServiceRequest")


_ODD = {"25.free-text": _free_text, "25.never-arrived": _never, "25.back-dated": _back_dated}
