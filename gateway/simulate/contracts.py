"""Family-doctor contracts: who has one, with whom, when it is renewed, and the rows that tell of it."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from gateway.simulate import numbers
from gateway.simulate.catalogue import Book, book, rates
from gateway.simulate.desk import Desk, at
from gateway.simulate.nasty import mark
from gateway.simulate.values import TOWNSHIP, VILLAGE, Mark, Person, Row, Team

YEAR = 365
# The township's module and the villages' form code the groups of people the other way round (china.md 3.6).
_GROUPS_TOWN = {"elder": "03", "child": "02", "hypertension": "04", "diabetes": "05"}
_GROUPS_VILLAGE = {"elder": "01", "child": "04", "hypertension": "02", "diabetes": "03"}
_CASES = (
    "24.two-teams", "24.end-before-start", "24.status-four", "24.before-birth", "24.backdated", "24.household-id",
    "24.same-day", "24.invoice", "8.population",
)  # fmt: skip


class Contracts:
    """The contracts of the county; signed before the start, renewed and signed as days go by."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def signed(self) -> Iterator[Row]:
        """Yield every contract in force at the start, with the odd ones among them; signs the persons up."""
        for person in self.desk.registry.people:
            share = rates()["population"]["contracted"]
            chance = share["old" if person.age(self.desk.first) >= 65 or person.courses else "young"]
            lot = self.desk.streams.share("contract", person.number)
            if person.mother or (lot >= chance and not person.died):
                continue
            day = self.desk.first - timedelta(
                days=1 + int(self.desk.streams.share("signed", person.number) * (YEAR - 2))
            )
            if person.died:
                yield from self._dead(person, day)
                continue
            row = self.row(person, day, "1", self._team(person, day))
            yield from self._odd(person, row, day)

    def day(self, day: date) -> None:
        """Renew what falls due and sign who comes; rows go to the township's export or the village's workbook."""
        fresh = rates()["activity"]["signing"]
        early = self._early(day)
        for person in self.desk.attending(
            "sign", day, fresh, "signing", lambda one, _: not one.contract and not one.mother
        ):
            self._file(person, self.row(person, day, "1", self._team(person, day)), day)
        ending = rates()["activity"]["endings"]
        for person in self.desk.attending("end", day, ending, "endings", lambda one, _: bool(one.contract)):
            self.desk.town("contracts", self._ended(person, day))
        for person in self.desk.registry.people:
            if person.contract and not person.died and (person is early or self._falls_due(person, day)):
                self._file(person, self.row(person, day, "3", person.team or self._team(person, day)), day)

    def row(self, person: Person, day: date, state: str, team: Team, *, entered: datetime | None = None) -> Row:
        """Return the row of a contract signed on a day with a team; the person is signed up."""
        person.contract, person.team = f"QY{day:%Y%m%d}{person.number:05d}", team
        person.known(TOWNSHIP, "contract", person.contract)
        stream = self.desk.streams.of("contract", person.contract)
        pack = _pack(person, day)
        written = entered or at(day, stream, 9, 17)
        return Row({
            "签约编号": person.contract, "签约状态": state, "签约来源": stream.pick(("0", "0", "1", "2")),
            "人群分类": groups(person, day, _GROUPS_TOWN), "家庭编号": person.household_code,
            "家庭代表": self.desk.registry[person.head].name, "签约人姓名": person.name, "身份证号": person.id,
            "联系电话": person.phone, "团队编号": team.code, "签约团队": team.name, "家庭医生": team.leader.name,
            "签约机构": team.town.centre,
            "签约二级医院": book("county")["hospital"]["name"] if stream.chance(0.3) else "",
            "开始日期": day.isoformat(), "结束日期": (day + timedelta(days=YEAR - 1)).isoformat(),
            "签约日期": day.isoformat(),
            "录入日期": f"{written:%Y-%m-%d %H:%M:%S}", "签约周期": "1年", "服务包": pack["name"],
            "是否收费": "1" if pack["price"] else "2", "个人应缴金额": str(pack["price"]),
        }, person.number)  # fmt: skip

    def _ended(self, person: Person, day: date) -> Row:
        """Return the row that ends a contract: the same number, state 2, the day and the reason."""
        number, team = person.contract, person.team or self._team(person, day)
        row = self.row(person, _signed(person), "2", team, entered=at(day, self.desk.streams.of("end", number), 9, 17))
        reason = self.desk.streams.of("why", number).pick(("01", "02", "04", "05"))
        row.cells |= {"签约编号": number, "解约日期": day.isoformat(), "解约原因": reason}
        person.contract = ""
        return row

    def _team(self, person: Person, day: date) -> Team:
        teams = person.village.town.teams
        return teams[person.village.number % len(teams)]

    def _falls_due(self, person: Person, day: date) -> bool:
        return (day - _signed(person)).days == YEAR

    def _early(self, day: date) -> Person | None:
        """Return somebody of the key groups who renews on the first day, before it is due."""
        held = (one for one in self.desk.registry.people if one.contract and not one.died and _words(one, day))
        return next(held, None) if day == self.desk.first else None

    def _file(self, person: Person, row: Row, day: date) -> None:
        renewed = day == self.desk.first and row.cells["签约状态"] == "3"
        by_village = renewed or self.desk.streams.share("signed-by", person.number, day) < 0.4
        if not by_village:
            self.desk.town("contracts", *self._odd(person, row, day))
            return
        person.known(VILLAGE, "contract", person.contract)
        row.cells["人群分类"] = groups(person, day, _GROUPS_VILLAGE)
        if row.cells["人群分类"] and self.desk.nasty.strikes("16.population", person.contract):
            note = "the village's form codes groups otherwise than the township's"
            row.marks.append(mark("16.population", note, resource="CarePlan", groups=_words(person, day)))
        self.desk.village(person.village.code, "contracts", row)

    def _dead(self, person: Person, day: date) -> Iterator[Row]:
        if person.died and self.desk.nasty.strikes("24.after-death", person.number):
            row = self.row(person, max(day, person.died + timedelta(days=3)), "1", self._team(person, day))
            note = "signed after death: stored with an issue, ended by the death"
            row.marks.append(mark("24.after-death", note, resource="CarePlan", later=_checks("signed")))
            yield row

    def _odd(self, person: Person, row: Row, day: date) -> list[Row]:
        open_to = [case for case in _CASES if case != "8.population" or row.cells["人群分类"]]
        case = self.desk.nasty.one(f"contract|{person.contract}", *open_to)
        if case == "24.two-teams":
            return [row, self._second(person, row, day)]
        if case == "24.same-day":
            return self._again(person, row, day)
        if case:
            row.marks.append(_ODD[case](row, person, self.desk))
        return [row]

    def _second(self, person: Person, row: Row, day: date) -> Row:
        teams = [team for town in self.desk.places.towns for team in town.teams if team is not person.team]
        team = teams[person.number % len(teams)]
        later = min(day + timedelta(days=20), self.desk.first - timedelta(days=1)) if day < self.desk.first else day
        last = later + timedelta(days=5 * YEAR)
        cells = dict(row.cells) | {
            "签约编号": f"QY{later:%Y%m%d}9{person.number:05d}", "签约来源": "1",
            "团队编号": team.code, "签约团队": team.name, "家庭医生": team.leader.name, "签约机构": team.town.centre,
            "联系电话": numbers.masked(person.phone, 3, 4), "开始日期": later.isoformat(), "结束日期": last.isoformat(),
            "签约日期": later.isoformat(), "录入日期": f"{later + timedelta(days=41)} 23:58:10", "签约周期": "5年",
        }  # fmt: skip
        note = "two teams at once: both stored, an issue on each, neither closed; a masked phone overwrites nothing"
        row.marks.append(mark("24.two-teams", note, resource="CarePlan", other=cells["签约编号"]))
        told = {"other": row.cells["签约编号"], "issue": "two active teams at once"}
        second = Row(cells, person.number, [mark("24.two-teams", note, resource="CarePlan", **told)])
        second.marks.append(mark("N2", note, resource="CarePlan", **told))
        return second

    def _again(self, person: Person, row: Row, day: date) -> list[Row]:
        ended = Row(dict(row.cells) | {"签约状态": "2", "解约日期": day.isoformat(), "解约原因": "05"}, person.number)
        note = "ended and signed anew on one day: two contracts in order, no overlap"
        ended.marks.append(mark("24.same-day", note, resource="CarePlan"))
        number = f"QY{day:%Y%m%d}8{person.number:05d}"
        person.contract = number
        anew = Row(dict(row.cells) | {"签约编号": number, "签约状态": "3"}, person.number)
        anew.marks.append(mark("24.same-day", note, resource="CarePlan", replaces=row.cells["签约编号"]))
        return [ended, anew]


def _signed(person: Person) -> date:
    number = person.contract
    return date(int(number[2:6]), int(number[6:8]), int(number[8:10]))


def groups(person: Person, day: date, codes: dict[str, str]) -> str:
    """Return a person's groups in the codes of one form, comma between them."""
    return ",".join(codes[word] for word in _words(person, day))


def _words(person: Person, day: date) -> list[str]:
    age = person.age(day)
    found = [word for word, fits in (("elder", age >= 65), ("child", age <= 6)) if fits]
    return found + [one.kind for one in person.courses]


def _pack(person: Person, day: date) -> Book:
    packs: dict[str, Book] = {pack["code"]: pack for pack in book("county")["packages"]}
    for kind, code in (("hypertension", "FWB-GXY-2"), ("diabetes", "FWB-TNB-2")):
        if person.course(kind) and person.number % 2:
            return packs[code]
    return packs["FWB-LNR-1"] if person.age(day) >= 70 else packs["FWB-JC-0"]


def _checks(issue: str) -> dict[str, str]:
    """Return what the rules of contracts, which come later, will say of a row."""
    return {"work": "the rules of contracts", "issue": issue}


def _ends_first(row: Row, person: Person, desk: Desk) -> Mark:
    row.cells["结束日期"] = f"{int(row.cells['开始日期'][:4]) - 1}{row.cells['开始日期'][4:].replace('02-29', '02-28')}"
    note = "ends before it begins: an issue, no period is invented"
    return mark("24.end-before-start", note, resource="CarePlan", flagged=True)


def _status_four(row: Row, person: Person, desk: Desk) -> Mark:
    row.cells["签约状态"] = "4"
    note = "4 is 待审核 here, 待签约 elsewhere: by the feed's own map, a draft either way"
    return mark("24.status-four", note, resource="CarePlan", status="draft")


def _before_birth(row: Row, person: Person, desk: Desk) -> Mark:
    row.cells["签约日期"] = row.cells["开始日期"] = f"{person.birth.year - 2}-06-01"
    return mark(
        "24.before-birth", "signed before birth: stored with an issue", resource="CarePlan", later=_checks("signed")
    )


def _backdated(row: Row, person: Person, desk: Desk) -> Mark:
    entered = date.fromisoformat(row.cells["签约日期"]) + timedelta(days=45)
    row.cells["录入日期"] = f"{entered} 23:58:10"
    return mark(
        "24.backdated", "entered weeks after it was signed: an issue", resource="CarePlan", later=_checks("signed")
    )


def _household(row: Row, person: Person, desk: Desk) -> Mark:
    head = desk.registry[person.head if person.head != person.number else min(person.number + 1, len(desk.registry))]
    row.cells["身份证号"] = head.id
    note = "a household signed with one member's ID: this member is unproven, an issue"
    return mark("24.household-id", note, resource="CarePlan", holder=head.number, later=_checks("household"))


def _invoice(row: Row, person: Person, desk: Desk) -> Mark:
    row.cells |= {"签约状态": "2", "解约日期": row.cells["签约日期"], "解约原因": "06"}
    return mark(
        "24.invoice",
        "the invoice was cancelled, and with it the contract: revoked",
        resource="CarePlan",
        status="revoked",
    )


def _population(row: Row, person: Person, desk: Desk) -> Mark:
    row.cells["人群分类"] = ",".join(code.lstrip("0") for code in row.cells["人群分类"].split(","))
    return mark(
        "8.population",
        "03 became 3: another code until the site maps it, an issue",
        resource="CarePlan",
        cell="人群分类",
        flagged=True,
    )


_ODD: dict[str, Callable[[Row, Person, Desk], Mark]] = {
    "24.end-before-start": _ends_first, "24.status-four": _status_four, "24.before-birth": _before_birth,
    "24.backdated": _backdated, "24.household-id": _household, "24.invoice": _invoice, "8.population": _population,
}  # fmt: skip
