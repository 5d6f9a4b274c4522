"""Rows that the hospital's offices export: discharges, images read for others, tele-consultations, places to book."""

from datetime import date, datetime, timedelta

from gateway.simulate import cells
from gateway.simulate.catalogue import book
from gateway.simulate.desk import Desk, at
from gateway.simulate.nasty import mark
from gateway.simulate.rows_care import moment
from gateway.simulate.streams import Stream
from gateway.simulate.values import HOSPITAL, Mark, Person, Row, Visit

ACCESS = "http://127.0.0.1/pacs/viewer?acc="


def discharge(desk: Desk, stay: Visit) -> Row:
    """Return the front page of a stay, as the records office sends it."""
    person, end = stay.person, stay.end or stay.start
    record = f"00{231000 + person.number:06d}"
    person.known(HOSPITAL, "record", record)
    town = person.village.town
    row = Row({
        "机构名称": book("county")["hospital"]["name"], "病案号": record, "住院次数": str(1 + person.number % 3),
        "医疗付款方式": {"390": "2", "310": "1"}.get(person.insurance, "7"), "健康卡号": "-", "姓名": person.name,
        "性别": person.sex,
        "出生日期": f"{person.birth:%Y%m%d}", "身份证号": person.id or "-", "现住址": person.address,
        "电话": person.phone,
        "入院途径": "2", "入院时间": f"{stay.start:%Y%m%d%H}", "入院科别": stay.doctor.room_code,
        "出院时间": f"{end:%Y%m%d%H}",
        "出院科别": stay.doctor.room_code, "实际住院天数": str(max(1, (end.date() - stay.start.date()).days)),
        "主要诊断": stay.illness["name"], "主要诊断编码": stay.illness["code"], "入院病情": "1", "其他诊断编码": "-",
        "主要手术编码": "-", "离院方式": stay.leave, "拟接收机构名称": town.centre if stay.leave == "3" else "-",
        "总费用": f"{stay.total:,.2f}" if stay.total > 10000 else f"{stay.total:.2f}",
    }, person.number)  # fmt: skip
    row.marks = _spoiled(desk, row, person, stay.number)
    return row


def _spoiled(desk: Desk, row: Row, person: Person, key: str) -> list[Mark]:
    open_to = ["8.record-number", *(["7.exponent"] if person.id else [])]
    # The first row is N5, whatever has been seen elsewhere.
    first = person.id and desk.turn("discharges") == 1
    case = "7.exponent" if first else desk.nasty.one(f"discharge|{key}", *open_to)
    if case == "7.exponent":
        row.cells |= {"身份证号": f"{person.id[0]}.{person.id[1:6]}E+17", "现住址": "不详"}
        note = "digits lost for good: the row is kept, the ID dropped with an issue, no guess"
        return [
            mark("7.exponent", note, resource="Patient", cell="身份证号", identifier=None, flagged=True),
            mark("N5", note, resource="Patient", cell="身份证号", identifier=None, flagged=True),
        ]
    if case:
        row.cells["病案号"] = row.cells["病案号"].lstrip("0")
        return [mark(case, "leading noughts lost: another text, never padded by guess", resource="Encounter")]
    return cells.natural(person, row.cells["姓名"])


def total(rows: list[Row]) -> tuple[str, ...]:
    """Return the line under the discharges: how many, and their sum."""
    summed = sum(float(row.cells["总费用"].replace(",", "")) for row in rows)
    return ("合计", f"{len(rows)}例", *[""] * 22, f"{summed:.2f}")


def image(desk: Desk, one: Visit, stream: Stream) -> Row:
    """Return the row of an exam taken in the township and read in the hospital."""
    day = one.start.date()
    code = stream.weighted({"DR0101": 6, "US0201": 4})
    exam = book("clinic")["imaging"][code]
    number = desk.number(exam["kind"] + "T", day, 4)
    taken = one.start + timedelta(minutes=stream.whole(10, 50))
    read = taken + timedelta(minutes=stream.whole(20, 120))
    reader = desk.doctor("4005", stream)
    findings = stream.pick(book("clinic")["findings"])
    town = one.person.village.town
    row = Row({
        "检查号": number, "报告单号": f"BG{number}", "申请单号": f"SQ{number}", "姓名": one.person.name,
        "性别": stream.pick((one.person.word, "M" if one.person.sex == "1" else "F")),
        "年龄": stream.pick((f"{one.person.age(day):03d}Y", f"{one.person.age(day)}岁")), "身份证号": one.person.id,
        "病人来源": "门诊", "申请机构": town.centre, "申请科室": one.doctor.room, "申请医生": one.doctor.name,
        "检查类别": exam["kind"], "检查部位": exam["part"], "检查方法": exam["method"], "检查机构": town.centre,
        "检查时间": stream.pick((moment(taken), f"{taken:%Y%m%d%H%M%S}")),
        "诊断机构": book("county")["hospital"]["name"],
        "报告医生": reader.name, "审核医生": reader.name, "报告时间": moment(read), "报告状态": "已审核",
        "影像所见": findings[0].replace("|", "\n"), "诊断意见": findings[1],
        "StudyInstanceUID": f"1.2.999.519927.{town.number}.{day:%Y%m%d}.{desk.turn('study')}",
        "影像调阅地址": f"{ACCESS}{number}" if stream.chance(0.8) else "",
    }, one.person.number)  # fmt: skip
    row.marks = cells.natural(one.person, one.person.name)
    return row


def consultation(desk: Desk, person: Person, day: date) -> Row:
    """Return the row of a tele-consultation or a tele-ECG, with its fee and who pays."""
    stream = desk.streams.of("consultation", person.number, day)
    asked = at(day, stream, 8, 15)
    ecg = stream.chance(0.4)
    village = person.village
    doctor = village.doctor if ecg and village.doctor else village.town.staff[0]
    expert = desk.doctor("0302", stream)
    words = {
        "会诊编号": f"HZ{day:%Y%m%d}{desk.turn('consultation'):03d}", "会诊类型": "远程心电" if ecg else "远程会诊",
        "会诊状态": "已报告" if ecg else "已完成", "申请机构": doctor.house_name, "申请医生": doctor.name,
        "申请时间": f"{asked:%Y-%m-%d %H:%M}", "受邀医院": book("county")["hospital"]["name"],
        "受邀科室": "心电诊断中心" if ecg else expert.room, "会诊专家": "" if ecg else expert.name,
        "预约时间": "" if ecg else f"{asked + timedelta(hours=1):%Y-%m-%d %H:%M}",
        "开始时间": f"{asked + timedelta(hours=1):%Y-%m-%d %H:%M}",
        "结束时间": f"{asked + timedelta(minutes=78):%Y-%m-%d %H:%M}",
        "患者姓名": person.name, "身份证号": person.id, "病情摘要": "高血压联合用药后仍未达标" if not ecg else "胸闷",
        "会诊目的": "诊断" if ecg else "调整方案",
        "会诊意见": "窦性心律，ST段改变，请结合临床" if ecg else "加用ARB，2周复查血钾",
        "会诊费": "0.00" if ecg else "30", "医保报销金额": "0.00" if ecg else "15", "个人支付": "0.00" if ecg else "15",
    }  # fmt: skip
    row = Row(words, person.number)
    row.marks = cells.spoil(
        row.cells, {"name": "患者姓名", "id": "身份证号"}, person, desk.nasty, words["会诊编号"], ("7", "10")
    )
    return row


def slots(desk: Desk, day: date, now: datetime) -> list[Row]:
    """Return what can be booked on a day: places with doctors, beds and equipment; a row is n places."""
    rows = []
    for department in ("2001", "0302", "0304", "2003"):
        for turn, doctor in enumerate(desk.places.rooms.get(department, [])[:2]):
            for half, begin, end in (("上午", "08:00", "12:00"), ("下午", "14:00", "17:30")):
                stream = desk.streams.of("slot", doctor.number, day, half)
                places = stream.whole(6, 20)
                rows.append(_slot(day, now, {
                    "号源编号": f"HY{day:%Y%m%d}-{doctor.number}-{'AM' if half == '上午' else 'PM'}-{turn + 1:02d}",
                    "科室代码": department, "科室名称": doctor.room, "医生工号": doctor.number, "医生姓名": doctor.name,
                    "号别": "专家号" if "主任" in doctor.title else "普通号", "资源类型": "门诊号", "班次": half,
                    "时段开始": begin,
                    "时段结束": end, "总号数": str(places), "预留基层数": str(places // 2),
                    "剩余数": str(stream.whole(0, places)), "挂号诊查费": "15",
                }))  # fmt: skip
    rows.append(_slot(day, now, {
        "号源编号": f"CW{day:%Y%m%d}-0302", "科室代码": "0302", "科室名称": "心血管内科", "资源类型": "预留床位",
        "班次": "全天",
        "时段开始": "0:00", "时段结束": "24:00", "总号数": "2", "预留基层数": "2", "剩余数": "1",
    }))  # fmt: skip
    return rows


def _slot(day: date, now: datetime, words: dict[str, str]) -> Row:
    hospital = book("county")["hospital"]
    return Row({
        "医院代码": hospital["code"], "医院名称": hospital["name"], "出诊日期": day.isoformat(), "停诊标志": "0",
        "基层开放时间": f"{day - timedelta(days=14)} 00:00", "公众开放时间": f"{day - timedelta(days=7)} 00:00",
        "更新时间": moment(now),
    } | words)  # fmt: skip
