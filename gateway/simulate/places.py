"""Builds the county's places: the hospital, townships by size, villages, the people who work there, the teams."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from gateway.simulate import names, numbers
from gateway.simulate.catalogue import Book, book
from gateway.simulate.streams import Streams
from gateway.simulate.values import FEMALE, MALE, Staff, Team, Town, Village

_MEMBERS = ("家庭医生", "社区护士", "公卫医师")
_TEAM_ORDER = "一二三四五六七八九十"
_KINDS = ("基本型", "标准型", "提高型")


@dataclass(slots=True)
class Places:
    """Every place of the county and who works there."""

    towns: list[Town]
    villages: list[Village]
    hospital: list[Staff] = field(default_factory=list)
    rooms: dict[str, list[Staff]] = field(default_factory=dict)

    def doctor(self, department: str, turn: int) -> Staff:
        """Return a hospital doctor of the department, in turn."""
        held = self.rooms.get(department) or self.hospital
        return held[turn % len(held)]


def build(streams: Streams, residents: int, start: date) -> Places:
    """Return the places of a county of that many residents: 3 to 20 townships, villages of about 600."""
    county = book("county")
    count = min(20, max(3, round(residents / 6000)))
    towns = [_town(number, county) for number in range(1, count + 1)]
    villages = []
    for town in towns:
        for number in range(1, max(2, round(residents / count / 600)) + 1):
            town.villages.append(_village(town, number, county))
        villages.extend(town.villages)
    places = Places(towns, villages)
    _employ(places, streams, residents, start)
    return places


def _town(number: int, county: Book) -> Town:
    name = county["townships"][number - 1]
    kind = "C210" if number == 1 or name.endswith("镇") else "C220"
    organ = f"MB00010{number:02d}"
    word = "中心卫生院" if kind == "C210" else "卫生院"
    code = f"{organ}51992711{kind}1"
    society = numbers.society_code(f"12{numbers.AREA}{organ}")
    return Town(number, f"519927{100 + number}", name, name + word, code, society, f"H519927001{number:02d}")


def _village(town: Town, number: int, county: Book) -> Village:
    stock: list[str] = county["villages"]
    turn = (town.number - 1) * 7 + number - 1
    name = stock[turn % len(stock)]
    if number > len(stock):
        name = f"{name[:-1]}{'二三四五六七八九十'[min(8, number // len(stock) - 1)]}村"
    code = f"{town.area}{200 + number:03d}"
    return Village(number, code, name, f"{town.name}{name}卫生室", town)


def _employ(places: Places, streams: Streams, residents: int, start: date) -> None:
    county = book("county")
    desk = _Desk(streams, start)
    for code, room in county["departments"].items():
        for turn in range(max(1, round(room["doctors"] * residents / 20000))):
            house = county["hospital"]
            title = county["titles"][(turn + 1) % len(county["titles"])]
            person = desk.hire(
                f"{2001 + len(places.hospital)}", house["code"], house["name"], room["name"], title, turn
            )
            person.room_code = code
            places.hospital.append(person)
            places.rooms.setdefault(code, []).append(person)
    for town in places.towns:
        _staff_town(town, desk, county)
        _teams(town, places)


def _staff_town(town: Town, desk: "_Desk", county: Book) -> None:
    for turn, room in enumerate(county["township_rooms"]):
        number = f"{town.number:02d}{turn + 31:02d}"
        person = desk.hire(number, town.code, town.centre, room, "主治医师" if turn == 0 else "医师", turn)
        person.family_doctor = turn < 2
        town.staff.append(person)
    for village in town.villages:
        number = f"V{town.number:02d}{village.number:03d}"
        village.doctor = desk.hire(number, f"{village.code}001", village.clinic, "村卫生室", "", 5)
        village.doctor.family_doctor = True


def _teams(town: Town, places: Places) -> None:
    for turn in range(max(1, len(town.villages) // 6)):
        kind = _KINDS[(town.number + turn) % 3]
        order = _TEAM_ORDER[turn % 10]
        team = Team(f"TD{town.number:02d}{turn + 1:02d}", f"{town.name}第{order}家庭医生团队", kind, town)
        chosen = [town.staff[(turn + place) % len(town.staff)] for place in (0, 1, 3)]
        team.members = list(zip(chosen, _MEMBERS, strict=True))
        team.members += [(village.doctor, "乡村医生") for village in town.villages[turn::6][:6] if village.doctor]
        if kind == "提高型":
            team.members.append((places.doctor("0302", turn), "上级医院专科医师"))
        town.teams.append(team)


class _Desk:
    """Hires people: each with a name, an ID number and a phone of their own."""

    def __init__(self, streams: Streams, start: date) -> None:
        self._streams = streams
        self._start = start
        self._hired = 0

    def hire(self, number: str, house: str, house_name: str, room: str, title: str, turn: int) -> Staff:
        """Return a new colleague."""
        self._hired += 1
        stream = self._streams.of("staff", number)
        sex = stream.pick((MALE, FEMALE))
        birth = self._start - timedelta(days=stream.whole(27, 58) * 365 + stream.whole(0, 364))
        name = names.full(stream, names.surname(stream), birth.year, sex, "01")
        # Staff hold sequence numbers from 400 up, so that no resident shares one.
        held = numbers.resident_id(birth, 400 + self._hired % 97, sex)
        phone = numbers.phone(90_000_000 + self._hired)
        return Staff(number, name, sex, birth, held, house, house_name, room, title, phone)
