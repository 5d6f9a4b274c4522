"""Rows of a clinic's day: visits, prescriptions, laboratory results long and wide, images taken here and read there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.simulate import cells, laboratory
from gateway.simulate.catalogue import book
from gateway.simulate.desk import Desk
from gateway.simulate.laboratory import Result
from gateway.simulate.nasty import mark
from gateway.simulate.streams import Stream
from gateway.simulate.values import Bare, Cut, Mark, Person, Row, Staff, Town, Village, Visit

_PLACES = {"name": "姓名", "id": "身份证号", "birth": "出生日期", "sex": "性别"}
_WIDE = {
    "WBC": "WBC(10^9/L)", "NEUTP": "NEUT%", "LYMPHP": "LYMPH%", "RBC": "RBC(10^12/L)", "HGB": "HGB(g/L)",
    "PLT": "PLT(10^9/L)",
}  # fmt: skip


def moment(at: datetime) -> str:
    """Return a time as these systems write it."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def visit(desk: Desk, one: Visit) -> Row:
    """Return the row of an out-patient visit of a township centre or a village room."""
    person, house = one.person, one.house
    code, name = (f"{house.code}001", house.clinic) if isinstance(house, Village) else _centre(house)
    again = desk.streams.share("again", one.number) < 0.4
    row = Row({
        "就诊流水号": one.number, "机构代码": code, "机构名称": name, "门诊号": one.outpatient, "姓名": person.name,
        "性别": person.sex, "出生日期": person.birth.isoformat(), "身份证号": person.id,
        "医保人员编号": person.member if person.insurance else "", "就诊类型": "普通门诊",
        "初复诊": "复" if again else "初诊",
        "就诊科室": one.doctor.room, "接诊医生工号": one.doctor.number, "接诊医生": one.doctor.name,
        "就诊时间": moment(one.start), "主诉": one.illness["complaint"], "主要诊断编码": one.illness["code"],
        "主要诊断名称": one.illness["name"], "转诊单号": one.referral, "签约标志": "1" if person.contract else "0",
        "总费用": f"{one.total:.2f}", "医保支付": f"{one.total * 0.6:.2f}" if person.insurance else "0.00",
        "个人支付": f"{one.total - round(one.total * 0.6, 2):.2f}" if person.insurance else f"{one.total:.2f}",
    }, person.number)  # fmt: skip
    _spoil_visit(desk, row, one)
    return row


def _centre(house: Town | None) -> tuple[str, str]:
    return (house.code, house.centre) if house else ("", "")


def _spoil_visit(desk: Desk, row: Row, one: Visit) -> None:
    key = f"visit|{row.cells['机构代码']}|{one.number}"
    open_to = ["5.cut-cell", "19.midnight", "19.dashes", "23.quotes"]
    open_to += ["14.daily-number"] if isinstance(one.house, Town) else ["27.village-as-township"]
    if isinstance(one.house, Village):
        open_to.remove("5.cut-cell")  # a workbook knows no bytes
        open_to.remove("23.quotes")
    case = desk.nasty.one(key, *open_to)
    if not case:
        row.marks = cells.spoil(row.cells, _PLACES, one.person, desk.nasty, f"{key}|cell", cells.RAW)
        return
    row.marks = [*cells.natural(one.person, row.cells["姓名"]), _VISIT_CASES[case](row, one)]


def _cut(row: Row, one: Visit) -> Mark:
    row.cells["主诉"] = Cut("因慢性病控制不佳，家属陪同前来要求双向转诊")
    return mark(
        "5.cut-cell",
        "cut in the middle of a character: flagged, the record stands",
        resource="Encounter",
        cell="主诉",
        flagged=True,
    )


def _midnight(row: Row, one: Visit) -> Mark:
    row.cells["就诊时间"] = f"{one.start:%Y-%m-%d} 24:00:00"
    following = one.start.date() + timedelta(days=1)
    return mark("19.midnight", "24:00:00 is the next day's 00:00", resource="Encounter", day=following.isoformat())


def _dashes(row: Row, one: Visit) -> Mark:
    start = one.start
    row.cells["就诊时间"] = f"{start.year}/{start.month}/{start.day} {start.hour}:{start:%M}"
    note = "a time to the minute, with slashes: +08:00, the precision is kept"
    return mark("19.dashes", note, resource="Encounter", time=f"{start:%Y-%m-%dT%H:%M}")


def _quotes(row: Row, one: Visit) -> Mark:
    row.cells["主诉"] = Bare(f'"患者诉"{one.illness["complaint"]}"，自服药物无效"')
    return mark(
        "23.quotes", "quotes not doubled: the row is read whole, or set aside with its line", resource="Encounter"
    )


def _daily(row: Row, one: Visit) -> Mark:
    note = "门诊号 starts anew each day: the key is institution, number and date"
    return mark("14.daily-number", note, resource="Encounter", outpatient=one.outpatient)


def _as_township(row: Row, one: Visit) -> Mark:
    town = one.person.village.town
    row.cells["机构代码"] = town.code
    note = "the village room sends under the centre's code: the room is told by its name, within that centre"
    return mark("27.village-as-township", note, resource="Encounter", centre=town.code)


_VISIT_CASES = {
    "5.cut-cell": _cut, "19.midnight": _midnight, "19.dashes": _dashes, "23.quotes": _quotes,
    "14.daily-number": _daily, "27.village-as-township": _as_township,
}  # fmt: skip


def prescriptions(desk: Desk, one: Visit, stream: Stream) -> list[Row]:
    """Return the rows of one prescription, a drug each; now and then a formula of herbs."""
    number = desk.number("CF", one.start.date(), 4)
    base = {
        "处方号": number, "处方日期": moment(one.start + timedelta(minutes=8)), "就诊流水号": one.number,
        "门诊号": one.outpatient,
        "姓名": one.person.name, "身份证号": one.person.id, "开方机构": one.doctor.house_name,
        "开方科室": one.doctor.room,
        "开方医生": one.doctor.name, "诊断编码": one.illness["code"], "诊断名称": one.illness["name"], "组号": "1",
    }  # fmt: skip
    if one.doctor.room == "中医科" and stream.chance(0.6):
        return [_herb(base, one.person)]
    kinds = {course.kind for course in one.person.courses}
    drugs: list[dict[str, Any]] = [drug for drug in book("clinic")["drugs"] if drug["for"] in kinds] or [
        drug for drug in book("clinic")["drugs"] if not drug["for"]
    ]
    chosen = {drug["code"]: drug for drug in (stream.pick(drugs) for _ in range(1 + stream.whole(0, 1)))}
    long = bool(kinds) and stream.chance(0.3)
    return [_drug(base, one.person, drug, long) for drug in chosen.values()]


def _drug(base: dict[str, str], person: Person, drug: dict[str, Any], long: bool) -> Row:
    words = {
        "处方类型": "西药", "长处方标志": "1" if long else "0", "延伸处方标志": "0", "药品编码": drug["code"],
        "药品名称": drug["name"],
        "规格": drug["spec"], "单次剂量": drug["dose"], "剂量单位": drug["unit"], "用法": drug["route"],
        "频次": drug["often"],
        "天数剂数": "30" if long else "7", "数量": "4盒" if long else "1",
    }  # fmt: skip
    return Row(base | words, person.number)


def _herb(base: dict[str, str], person: Person) -> Row:
    herb = book("clinic")["herbs"]
    words = {
        "处方类型": "中药饮片", "长处方标志": "0", "延伸处方标志": "0", "诊断编码": herb["diagnosis"],
        "诊断名称": herb["words"],
        "药品编码": herb["code"], "药品名称": herb["name"], "规格": herb["spec"], "单次剂量": herb["dose"],
        "剂量单位": herb["unit"],
        "用法": "水煎服", "频次": "一日1付，分2次", "天数剂数": "7付", "数量": "63",
    }  # fmt: skip
    return Row(base | words, person.number)


@dataclass(slots=True)
class Sample:
    """One tube at a township laboratory."""

    visit: Visit
    number: int
    barcode: str
    report: str
    drawn: datetime
    results: list[Result]


def sample(desk: Desk, one: Visit, stream: Stream, panel: str) -> Sample:
    """Return a tube drawn at a visit, with its results; sample numbers restart each day in every laboratory."""
    day = one.start.date()
    place = one.person.village.town.number
    number = desk.turn(f"sample|{place}|{day}")
    drawn = one.start + timedelta(minutes=stream.whole(10, 40))
    barcode = desk.number("", day, 7)
    results = laboratory.results(one.person, panel, drawn, desk.streams)
    return Sample(one, number, barcode, f"{day:%Y%m%d}T{place:02d}{number:04d}", drawn, results)


def long(desk: Desk, tube: Sample) -> list[Row]:
    """Return the rows of a report in the long form, an item each, with the odd values and ages of real ones."""
    one, person = tube.visit, tube.visit.person
    age = str(person.age(one.start.date()))
    base = {
        "条码号": tube.barcode, "报告单号": tube.report, "样本号": str(tube.number), "病人类型": "门诊",
        "门诊住院号": one.outpatient, "姓名": person.name, "性别": person.word, "年龄": f"{age}岁",
        "送检机构": one.doctor.house_name,
        "送检科室": one.doctor.room, "送检医生": one.doctor.name, "标本类型": "静脉血", "采样时间": moment(tube.drawn),
        "接收时间": moment(tube.drawn + timedelta(minutes=12)), "审核时间": moment(tube.drawn + timedelta(minutes=75)),
        "报告状态": "已审核", "检测方法": "NULL", "检验机构": person.village.town.centre,
    }  # fmt: skip
    rows = []
    for place, result in enumerate(tube.results):
        marks: list[Mark] = []
        if place == 0 and desk.nasty.strikes("12.age-text", tube.barcode):
            base["年龄"] = stream_age(person, one.start)
            marks.append(
                mark("12.age-text", "an age in words: kept as text, no birth date from it", resource="Patient")
            )
        if desk.nasty.strikes("20.value", f"{tube.barcode}|{result.code}"):
            result = laboratory.odd(result, desk.turn("odd"))  # noqa: PLW2901 - the odd one takes its place
            note = f"{result.odd}: a comparator or text, never cut to a number"
            marks.append(mark("20.value", note, resource="Observation", value=result.value))
        words = {
            "项目代码": result.code, "项目名称": result.name, "结果": result.value, "单位": result.unit or "NULL",
            "参考范围": result.range.replace("-", "--") if result.numeric else result.range,
            "异常标志": {"H": "↑", "L": "↓"}.get(result.flag, ""),
        }  # fmt: skip
        rows.append(Row(base | words, person.number, marks))
    return rows


def taken_back(tube: Sample, rows: list[Row]) -> list[Row]:
    """Return the rows of a report again after its audit was undone (反审核, ruling R2)."""
    note = "the audit was undone: entered in error, readers are told"
    told = {"status": "entered-in-error", "report": tube.report}
    words = {"报告状态": "反审核", "审核时间": moment(tube.drawn + timedelta(minutes=250))}
    return [
        Row(row.cells | words, row.person, [mark("21.unaudited", note, resource="Observation", **told)]) for row in rows
    ]


def stream_age(person: Person, at: datetime) -> str:
    """Return an age as words that are no number of years."""
    years = person.age(at.date())
    if years < 2:
        return f"{max(1, (at.date() - person.birth).days // 30)}月龄"
    return f"虚岁{years + 1}"


def reused(desk: Desk, first: Sample, one: Visit) -> list[Row]:
    """Return a row under the number of somebody else's report: another person, no sampling time, a critical value."""
    person = one.person
    later = first.drawn + timedelta(hours=5)
    note = "the number of another person's report: parked, or kept under a date; never recognised, no sampling time"
    told = mark(
        "N4.number-reused",
        note,
        outcome="parked",
        reason="key-reused",
        resource="DiagnosticReport",
        report=first.report,
    )
    words = {
        "条码号": desk.number("", one.start.date(), 7), "报告单号": first.report, "样本号": str(first.number),
        "病人类型": "门诊",
        "门诊住院号": one.outpatient, "姓名": person.name, "性别": person.word,
        "年龄": f"{person.age(one.start.date())}岁",
        "送检机构": one.doctor.house_name, "送检科室": one.doctor.room, "送检医生": one.doctor.name, "标本类型": "血清",
        "接收时间": moment(later), "审核时间": moment(later + timedelta(minutes=88)), "报告状态": "已审核",
        "项目代码": "K",
        "项目名称": "*钾 K+", "结果": "6.31", "单位": "mmol/L", "参考范围": "3.5--5.3", "异常标志": "↑↑",
        "检测方法": "ISE",
        "检验机构": person.village.town.centre,
    }  # fmt: skip
    return [Row(words, person.number, [told])]


def wide(desk: Desk, tube: Sample, checker: Staff) -> Row:
    """Return the row of a blood count as the analyser's daily sheet has it: a column an item, flags glued to values."""
    one, person = tube.visit, tube.visit.person
    words = {
        "样本号": str(tube.number), "检验日期": tube.drawn.date().isoformat(), "姓名": person.name, "性别": person.word,
        "年龄": str(person.age(one.start.date())), "门诊号": one.outpatient, "科别": "全科", "标本": "末梢血",
        "CRP(mg/L)": "<0.5", "临床诊断": one.illness["name"], "检验者": checker.name, "审核者": checker.name,
    }  # fmt: skip
    row = Row(words, person.number)
    for result in tube.results:
        if result.code in _WIDE:
            sign = {"H": "↑", "L": "↓"}.get(result.flag, "")
            row.cells[_WIDE[result.code]] = result.value + sign
    if any(sign in value for value in row.cells.values() for sign in "↑↓") and desk.nasty.strikes(
        "20.value", tube.report
    ):
        row.marks.append(
            mark("20.value", "flags glued to values: the value and the flag, both", resource="Observation")
        )
    return row
