"""Settlements: what a visit or stay cost, who paid which part, and refunds; every row adds up to the cent."""

from datetime import timedelta

from gateway.simulate import cells
from gateway.simulate.catalogue import book, rates
from gateway.simulate.desk import Desk
from gateway.simulate.rows_care import moment
from gateway.simulate.values import HOSPITAL, INSURER, Row, Village, Visit

_RATIO = {"hospital": 70, "town": 80, "village": 85}
_MONEY = (
    "医疗费总额", "全自费金额", "先行自付", "符合政策范围金额", "实际支付起付线", "统筹基金支出", "大病保险支出",
    "医疗救助支出", "个人账户支出", "个人现金支出",
)  # fmt: skip


def settlements(desk: Desk, one: Visit) -> list[Row]:
    """Return the settlement of a visit, and its refund where the till made a mistake."""
    stream = desk.streams.of("settlement", one.number, one.site, one.person.number)
    end = one.end or one.start
    settled = end + timedelta(minutes=stream.whole(2, 40))
    number = f"519927{settled:%Y%m%d}{desk.turn('settlement'):07d}"
    level, code, name = _house(one)
    cents = round(one.total * 100)
    own = cents * stream.whole(0, 6) // 100
    first = cents * stream.whole(0, 5) // 100
    scope = cents - own - first
    threshold = min(scope, 40000) if one.inpatient and not one.referral else 0
    fund = (scope - threshold) * _RATIO[level] // 100
    one.person.known(INSURER, "member", one.person.member)
    words = {
        "结算流水号": number, "就诊流水号": one.number, "定点机构编码": code, "定点机构名称": name,
        "人员编号": one.person.member,
        "姓名": one.person.name, "证件号码": one.person.id, "险种类型": one.person.insurance,
        "医疗类别": "21" if one.inpatient else "11", "就诊开始时间": moment(one.start), "就诊结束时间": moment(end),
        "结算时间": moment(settled), "转诊单号": one.referral, "退费标志": "0",
    } | _amounts(cents, own, first, scope, threshold, fund)  # fmt: skip
    row = Row(words, one.person.number, cells.natural(one.person, one.person.name))
    if not stream.chance(rates()["chances"]["refund"]) and desk.turn("refunds") != 3:
        return [row]
    return [row, _refund(row, desk, settled.date().strftime("%Y%m%d"))]


def _amounts(cents: int, own: int, first: int, scope: int, threshold: int, fund: int) -> dict[str, str]:
    values = (cents, own, first, scope, threshold, fund, 0, 0, 0, cents - fund)
    return {name: f"{value / 100:.2f}" for name, value in zip(_MONEY, values, strict=True)}


def _refund(row: Row, desk: Desk, day: str) -> Row:
    back = {name: f"-{row.cells[name]}" if float(row.cells[name]) else "0.00" for name in _MONEY}
    number = f"519927{day}{desk.turn('settlement'):07d}"
    words = dict(row.cells) | back | {"结算流水号": number, "退费标志": "1", "原结算流水号": row.cells["结算流水号"]}
    return Row(words, row.person)


def _house(one: Visit) -> tuple[str, str, str]:
    hospital = book("county")["hospital"]
    if one.site == HOSPITAL:
        return "hospital", hospital["insurer_code"], hospital["name"]
    town = one.person.village.town
    if isinstance(one.house, Village):
        return "village", town.insurer_code, one.house.clinic
    return "town", town.insurer_code, town.centre
