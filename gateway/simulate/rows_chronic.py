"""Rows of chronic care: follow-ups on both forms, what of a contract was fulfilled, and the yearly health check."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gateway.simulate import cells, chronic
from gateway.simulate.catalogue import book
from gateway.simulate.chronic import DIABETES, HYPERTENSION
from gateway.simulate.desk import Desk, at
from gateway.simulate.nasty import mark
from gateway.simulate.values import TOWNSHIP, Mark, Person, Row, Staff

_WAYS = {"1": "门诊", "2": "家庭", "3": "电话"}
_PROBLEMS = {HYPERTENSION: "高血压", DIABETES: "2型糖尿病"}
_PLACES = {"id": "身份证号", "name": "姓名"}


@dataclass(slots=True)
class Seen:
    """What was found at one follow-up."""

    person: Person
    day: date
    doctor: Staff
    systolic: int
    diastolic: int
    sugar: float
    satisfied: bool
    way: str
    weight: float
    entered: datetime


def see(desk: Desk, person: Person, day: date) -> Seen:
    """Return what the village doctor finds on a day."""
    stream = desk.streams.of("follow-up", person.number, day)
    systolic, diastolic = chronic.pressure(person, day, desk.streams)
    sugar = chronic.glucose(person, day, desk.streams)
    satisfied = chronic.on_target(person, systolic, diastolic, sugar, day)
    body = round(
        desk.streams.of("body", person.number).normal(61 if person.sex == "2" else 66, 7) + stream.normal(0, 0.8), 1
    )
    late = timedelta(days=stream.whole(4, 19)) if stream.chance(0.1) else timedelta()
    doctor = person.village.doctor or person.village.town.staff[0]
    entered = at(day, stream, 9, 18) + late
    return Seen(person, day, doctor, systolic, diastolic, sugar, satisfied, stream.pick("1223"), body, entered)


def hypertension(desk: Desk, seen: Seen) -> Row:
    """Return the row of the form for high blood pressure."""
    person, stream = seen.person, desk.streams.of("form", seen.person.number, seen.day)
    good = chronic.on_target(person, seen.systolic, seen.diastolic, 5.0, seen.day)
    sent = chronic.twice_off(person, seen.day, desk.streams)
    row = Row(_common(seen, "SF", "随访编号") | {
        "随访方式": seen.way, "目前症状": stream.pick(("1", "2", "2,6")) if not good else "1",
        "收缩压(mmHg)": str(seen.systolic), "舒张压(mmHg)": str(seen.diastolic), "体重(kg)": f"{seen.weight:g}",
        "目标体重(kg)": f"{seen.weight - 3:.0f}", "心率": str(stream.whole(62, 88)),
        "日吸烟量(支)": str(stream.pick((0, 0, 0, 10, 20))) if person.sex == "1" else "0",
        "日饮酒量(两)": stream.pick("0001"),
        "服药依从性": "1" if good else stream.pick("12"), "药物不良反应": "1", "随访分类": "1" if good else "2",
        "用药情况": _drugs(person, HYPERTENSION), "随访医生": seen.doctor.name, "随访机构": seen.doctor.house_name,
        "转归": "1",
        "转诊原因": "1" if sent else "", "转诊机构及科别": "青禾县人民医院心内科" if sent else "",
    }, person.number)  # fmt: skip
    _mark(desk, row, person, "SF")
    return row


def diabetes(desk: Desk, seen: Seen) -> Row:
    """Return the row of the form for diabetes: pairs in a cell, words for codes."""
    person, stream = seen.person, desk.streams.of("sugar", seen.person.number, seen.day)
    good = seen.sugar <= 6.9
    tested = stream.chance(0.3)
    row = Row(_common(seen, "TN", "随访编号") | {
        "随访方式": _WAYS[seen.way], "症状": "无症状" if good else stream.pick(("多饮", "多尿;多饮", "视物模糊")),
        "血压(mmHg)": f"{seen.systolic}/{seen.diastolic}", "体重/目标(kg)": f"{seen.weight:g}/{seen.weight - 3:.0f}",
        "体质指数": f"{seen.weight / 2.56:.1f}", "足背动脉搏动": stream.pick("1112"),
        "空腹血糖(mmol/L)": f"{seen.sugar:g}",
        "餐后2小时血糖(mmol/L)": f"{seen.sugar + 2.6:.1f}" if stream.chance(0.4) else "未测",
        "糖化血红蛋白(%)": f"{chronic.hba1c(person, seen.day, desk.streams):g}" if tested else "",
        "糖化检查日期": (seen.day - timedelta(days=5)).isoformat() if tested else "",
        "服药依从性": "1" if good else "2", "药物不良反应": "1", "低血糖反应": "1", "随访分类": "1" if good else "2",
        "用药情况": _drugs(person, DIABETES), "随访医生": seen.doctor.name,
    }, person.number)  # fmt: skip
    _mark(desk, row, person, "TN")
    return row


def fulfilled(desk: Desk, seen: Seen, number: str) -> Row:
    """Return the row that says the contract's item was done; the count runs, it is no increment."""
    person = seen.person
    code = "XM0501" if person.course(DIABETES) and not person.course(HYPERTENSION) else "XM0401"
    done = 1 + (seen.day.timetuple().tm_yday // chronic.INTERVAL) % 4
    person.known(TOWNSHIP, "health-record", person.record)
    verdict = "控制满意" if seen.satisfied else "控制不满意，建议复查"
    return Row({
        "服务记录编号": f"LY{seen.day:%Y%m%d}{person.number:05d}", "签约编号": person.contract, "身份证号": person.id,
        "姓名": person.name, "服务包名称": "糖尿病中级包" if code == "XM0501" else "高血压中级包", "项目编码": code,
        "项目名称": "面对面随访", "计划次数": "4", "已服务次数": str(done), "本次服务日期": f"{seen.day:%Y.%m.%d}",
        "服务方式": _WAYS[seen.way], "服务地点": "居民家中" if seen.way == "2" else "卫生室",
        "服务人员工号": seen.doctor.number,
        "服务人员": seen.doctor.name, "服务机构": seen.doctor.house_name,
        "服务结果": f"血压{seen.systolic}/{seen.diastolic}，{verdict}", "关联业务单号": number, "居民确认方式": "签字",
        "录入日期": f"{seen.entered:%Y-%m-%d %H:%M:%S}",
    }, person.number)  # fmt: skip


def health_check(desk: Desk, person: Person, day: date) -> Row:
    """Return the row of a yearly health check: units in some cells, not in others."""
    stream = desk.streams.of("check", person.number, day)
    systolic, diastolic = chronic.pressure(person, day, desk.streams)
    height = round(stream.normal(156 if person.sex == "2" else 167, 6))
    body = round(desk.streams.of("body", person.number).normal(61 if person.sex == "2" else 66, 7), 1)
    creatinine = stream.whole(48, 104)
    row = Row(_who(person) | {
        "体检编号": f"TJ{day:%Y%m%d}{person.number:05d}", "体检日期": day.isoformat(),
        "体检机构": person.village.town.centre,
        "责任医生": person.village.town.staff[0].name, "身高(cm)": str(height), "体重(kg)": f"{body:g}",
        "腰围(cm)": str(stream.whole(70, 98)), "体质指数": f"{body / (height / 100) ** 2:.1f}",
        "左侧血压": f"{systolic}/{diastolic}", "右侧血压": f"{systolic - 2}/{diastolic}",
        "空腹血糖": f"{chronic.glucose(person, day, desk.streams):g}", "总胆固醇": f"{stream.normal(4.8, 0.9):.2f}",
        "血清肌酐": str(creatinine), "血红蛋白": str(stream.whole(108, 158)), "尿蛋白": stream.pick(("-", "-", "±")),
        "心电图": stream.pick(("1:正常", "2:左室高电压", "未查")), "腹部B超": stream.pick(("1:未见异常", "2:脂肪肝")),
        "生活自理能力评分": str(stream.pick((0, 0, 4))) if person.age(day) >= 65 else "",
        "中医体质": stream.pick(("平和质", "阴虚质", "气虚质")),
        "现存主要健康问题": ";".join(_PROBLEMS[one.kind] for one in person.courses) or "无",
        "健康评价": "2" if person.courses else "1", "健康指导": "1,2" if person.courses else "",
    }, person.number)  # fmt: skip
    _units(desk, row, person, creatinine)
    return row


def _units(desk: Desk, row: Row, person: Person, creatinine: int) -> None:
    if desk.nasty.strikes("20.unit-in-cell", row.cells["体检编号"]):
        row.cells["血清肌酐"] = f"{creatinine / 88.4:.1f}mg/dl"
        row.cells["血红蛋白"] = f"{int(row.cells['血红蛋白']) / 10:.1f}"
        row.cells["空腹血糖"] += " mmol/L"
        note = "units inside cells, and another unit without a word: nothing is converted by guess"
        row.marks.append(mark("20.unit-in-cell", note, resource="Observation"))
    elif not row.marks:
        row.marks = cells.spoil(row.cells, _PLACES, person, desk.nasty, row.cells["体检编号"], cells.RAW)


def _who(person: Person) -> dict[str, str]:
    person.known(TOWNSHIP, "health-record", person.record)
    return {"个人档案编号": person.record, "姓名": person.name, "身份证号": person.id}


def _common(seen: Seen, prefix: str, column: str) -> dict[str, str]:
    following = seen.day + timedelta(days=chronic.INTERVAL if seen.satisfied else chronic.SOON)
    return _who(seen.person) | {
        column: f"{prefix}{seen.day:%Y%m%d}{seen.person.number:06d}", "随访日期": seen.day.isoformat(),
        "下次随访日期": following.isoformat(), "录入日期": f"{seen.entered:%Y-%m-%d %H:%M:%S}",
    }  # fmt: skip


def _drugs(person: Person, kind: str) -> str:
    course = person.course(kind)
    names = {drug["code"]: drug for drug in book("clinic")["drugs"]}
    taken = [names[code] for code in (course.drugs if course else ())]
    words = [f"{drug['name']}{drug['spec'].split('*')[0]} {drug['often']}" for drug in taken]
    return ";".join(words) or "自行停药"


def _mark(desk: Desk, row: Row, person: Person, prefix: str) -> None:
    key = f"{prefix}|{row.cells['随访编号']}"
    open_to = ("17.way", "16.adverse") if prefix == "SF" else ("17.way",)
    case = desk.nasty.one(key, *open_to)
    if case == "17.way":
        row.cells["随访方式"] = "dh" if person.number % 2 else "4"
        note = "a code of another release: an issue, never read as the nearest"
        row.marks.append(mark(case, note, resource="Encounter", cell="随访方式", flagged=True))
    elif case == "16.adverse":
        row.cells["药物不良反应"] = "2"
        row.marks.append(mark(case, "2 is yes on this form, no on another", resource="Observation", adverse=True))
    else:
        row.marks = _identity(desk, row, person, key)


def _identity(desk: Desk, row: Row, person: Person, key: str) -> list[Mark]:
    return cells.spoil(row.cells, _PLACES, person, desk.nasty, f"{key}|id", ("10", *cells.RAW))
