"""Rows about persons: the residents' file of the public-health system, and the insurer's list of the insured."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from gateway.simulate import cells
from gateway.simulate.catalogue import rates
from gateway.simulate.desk import Desk
from gateway.simulate.nasty import mark
from gateway.simulate.streams import Stream
from gateway.simulate.values import INSURER, TOWNSHIP, Mark, Person, Row

_PLACES = {"name": "姓名", "id": "身份证号", "birth": "出生日期", "sex": "性别", "phone": "本人电话"}
_MARITAL = {"10": "1", "20": "2", "30": "3"}
_PAYMENT = {"390": "2", "310": "1", "": "7"}
_ILLNESSES = {"hypertension": "高血压", "diabetes": "糖尿病"}
_SCHEMES = {"390": "城乡居民基本医疗保险", "310": "职工基本医疗保险", "03": "新型农村合作医疗"}
_RH = {"1": "positive", "2": "negative", "3": "unknown"}


def residents(desk: Desk, day: date) -> Iterator[Row]:
    """Yield the residents' file as it stands, one row a person with a health record."""
    for person in desk.registry.people:
        if _unrecorded(desk, person):
            continue
        row = _resident(desk, person, day)
        row.marks = _newborn(desk, row, person) if person.mother else _spoiled(desk, row, person)
        yield row


def _unrecorded(desk: Desk, person: Person) -> bool:
    share: float = rates()["population"]["no_health_record"]
    return person.number > 40 and not person.mother and desk.streams.share("no-record", person.number) < share


def _resident(desk: Desk, person: Person, day: date) -> Row:
    stream = desk.streams.of("record", person.number)
    head = desk.registry[person.head]
    contact = head if head is not person else desk.registry[min(person.head + 1, len(desk.registry))]
    opened = date(2009 + stream.whole(0, 8), stream.whole(1, 12), stream.whole(1, 28))
    person.known(TOWNSHIP, "health-record", person.record)
    history = ";".join(f"{_ILLNESSES[one.kind]}({one.since:%Y-%m})" for one in person.courses)
    words = {
        "个人档案编号": person.record, "姓名": person.name, "性别": person.sex, "出生日期": person.birth.isoformat(),
        "身份证号": person.id, "本人电话": person.phone, "联系人姓名": contact.name, "联系人电话": contact.phone,
        "常住类型": "1" if stream.chance(0.93) else "2", "民族": str(int(person.ethnic)), "血型": person.blood,
        "RH阴性": person.rh,
        "文化程度": _schooling(person, stream, day), "婚姻状况": _MARITAL[person.marital],
        "医疗费用支付方式": _PAYMENT[person.insurance], "药物过敏史": _allergy(person, stream),
        "既往史": history or "无",
        "家族史": stream.weighted({"": 70, "父亲:2": 12, "母亲:2/3": 10, "父亲:2|母亲:3": 8}),
        "残疾情况": stream.weighted({"1": 93, "6": 4, "2": 3}), "户主姓名": head.name, "与户主关系": person.relation,
        "家庭编号": person.household_code, "现住址": person.address,
        "建档日期": max(opened, person.birth).isoformat(), "档案状态": "3" if person.died else "1",
    }  # fmt: skip
    return Row(words, person.number)


def _schooling(person: Person, stream: Stream, day: date) -> str:
    if person.age(day) < 7:
        return ""
    return stream.weighted({"8": 34, "7": 38, "6": 18, "4": 6, "2": 4})


def _allergy(person: Person, stream: Stream) -> str:
    if person.allergy == "1":
        return "1"
    return person.allergy if stream.chance(0.8) else f"{person.allergy};5"


def _newborn(desk: Desk, row: Row, child: Person) -> list[Mark]:
    if not desk.nasty.strikes("11.mother-id", f"resident|{child.number}"):
        return [mark("11.child-of", "a child without an ID of its own", resource="Patient", identifier=None)]
    row.cells["身份证号"] = desk.registry[child.mother].id
    note = "the mother's ID is not the child's own: RelatedPerson proposed, never linked to her, review"
    told: dict[str, Any] = {"identifier": None, "mother": child.mother}
    return [mark("11.mother-id", note, resource="Patient", **told), mark("N1", note, resource="Patient", **told)]


def _spoiled(desk: Desk, row: Row, person: Person) -> list[Mark]:
    key = f"resident|{person.number}"
    marks = cells.spoil(row.cells, _PLACES, person, desk.nasty, key, cells.RAW)
    if len(marks) > 0 or person.rh == "3":
        return marks
    if desk.nasty.strikes("16.rh", key):
        note = "column RH阴性: 1 is no, 2 is yes; the digits of a column RH mean the opposite"
        marks.append(mark("16.rh", note, resource="Observation", rh=_RH[person.rh]))
    return marks


def enrolment(desk: Desk, day: date) -> Iterator[Row]:
    """Yield the insurer's list: one row a person and scheme."""
    for person in desk.registry.people:
        if not person.insurance or person.died:
            continue
        row = _enrolled(desk, person, day)
        second = _insurance_case(desk, row, person)
        yield row
        if second:
            yield second


def _enrolled(desk: Desk, person: Person, day: date) -> Row:
    stream = desk.streams.of("enrolment", person.number)
    since = date(2016 + stream.whole(0, 9), 1, 1)
    paid = round(abs(stream.normal(600, 700)), 2) if stream.chance(0.4) else 0.0
    ill = ";".join(_ILLNESSES[one.kind] for one in person.courses)
    person.known(INSURER, "member", person.member)
    words = {
        "人员编号": person.member, "证件类型": "01", "证件号码": person.id, "姓名": person.name, "性别": person.sex,
        "险种类型": person.insurance, "险种名称": _SCHEMES[person.insurance], "参保状态": "1",
        "参保日期": f"{since:%Y%m%d}",
        "参保地区划": "519927", "单位名称": person.village.town.name + person.village.name,
        "人员类别": "1501" if person.insurance == "390" else "1101",
        "慢特病备案病种": ill, "慢特病有效期": f"{day.year + 1}1231" if ill else "",
        "签约定点机构编码": person.village.town.insurer_code if person.contract else "",
        "本年起付线累计": f"{min(paid, 150):.2f}", "本年统筹支付累计": f"{paid:,.2f}" if paid > 1000 else f"{paid:.2f}",
        "数据日期": f"{day:%Y%m%d}",
    }  # fmt: skip
    return Row(words, person.number)


def _insurance_case(desk: Desk, row: Row, person: Person) -> Row | None:
    key = f"enrolment|{person.number}"
    open_to = ["8.certificate", "26.elsewhere", "26.unit-code", "26.family"]
    if person.insurance == "390":
        open_to += ["26.legacy", "26.two-schemes"]
    case = desk.nasty.one(key, *open_to)
    if not case:
        row.marks = cells.spoil(row.cells, {"id": "证件号码"}, person, desk.nasty, key + "|id", ("10", "11", "13"))
        return None
    row.marks = [_SCHEME_CASES[case](row)]
    if case != "26.two-schemes":
        return None
    return Row(dict(row.cells) | {"险种类型": "310", "险种名称": _SCHEMES["310"]}, person.number)


def _legacy(row: Row) -> Mark:
    row.cells |= {"险种类型": "03", "险种名称": _SCHEMES["03"], "参保状态": "正常参保", "参保日期": "2015-01-01"}
    return mark(
        "26.legacy", "a scheme merged years ago: read as 390, the code sent is kept", resource="Coverage", type="390"
    )


def _two(row: Row) -> Mark:
    return mark("26.two-schemes", "two schemes at once: a Coverage each, no duplicate", resource="Coverage")


def _elsewhere(row: Row) -> Mark:
    row.cells["参保地区划"] = "519900"
    return mark("26.elsewhere", "insured in another place: a Coverage with that place as payor", resource="Coverage")


def _unit(row: Row) -> Mark:
    row.cells["人员类别"] = "Z17"
    return mark(
        "26.unit-code", "a code of one house: an issue, no guess", resource="Coverage", cell="人员类别", flagged=True
    )


def _family(row: Row) -> Mark:
    row.cells["单位名称"] = "家庭共济"
    return mark("26.family", "paid from a relative's account: the person's own Coverage", resource="Coverage")


def _certificate(row: Row) -> Mark:
    row.cells["证件类型"] = "1"
    return mark("8.certificate", "01 lost its nought: the same kind only by the site's own map", resource="Coverage")


_SCHEME_CASES = {
    "26.legacy": _legacy, "26.two-schemes": _two, "26.elsewhere": _elsewhere, "26.unit-code": _unit,
    "26.family": _family, "8.certificate": _certificate,
}  # fmt: skip


def survey(desk: Desk, at: datetime) -> Iterator[Row]:
    """Yield the third party's survey: words and digits, some answers anonymous."""
    towns = desk.places.towns
    for number in range(1, 12 + len(desk.registry) // 400):
        stream = desk.streams.of("survey", at.date(), number)
        town = towns[number % len(towns)]
        person = stream.pick(desk.registry.people)
        named = stream.chance(0.5) and not person.died
        words = {
            "调查编号": f"DC{at:%Y%m}-{number:04d}", "调查批次": f"{at.year}年第{'一二三四'[(at.month - 1) // 3]}季度",
            "调查单位": "第三方调查公司", "被调查机构": town.centre, "团队编号": town.teams[0].code,
            "调查方式": stream.pick(("电话", "入户", "短信")), "调查日期": at.date().isoformat(),
            "受访者编号": person.record if named else "匿名", "是否知晓家庭医生": stream.pick(("是", "不清楚", "是")),
            "是否知晓服务内容": stream.pick(("是", "部分", "否")),
            "总体满意度": stream.pick(("满意", "一般", "5", "4")),
            "服务态度": str(stream.whole(3, 5)), "就诊便捷": str(stream.whole(2, 5)),
            "转诊满意度": stream.pick(("4", "不适用", "5")),
            "意见建议": stream.pick(("", "", "希望能开两个月的药", "路远")),
            "是否投诉": "否" if stream.chance(0.98) else "是",
        }  # fmt: skip
        yield Row(words, person.number if named else 0)
