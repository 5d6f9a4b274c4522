"""What goes wrong when a person is registered: with names, numbers, birth dates and phones. Each says what it did."""

from calendar import monthrange
from datetime import date, timedelta

from gateway.simulate import numbers
from gateway.simulate import population_names as called
from gateway.simulate.catalogue import Book, book
from gateway.simulate.cells import mojibake
from gateway.simulate.population_people import Resident
from gateway.simulate.population_sites import Site, Visit
from gateway.simulate.streams import Stream

Errors = list[str]
_NEW_MOON = date(2000, 1, 6)
_MONTH = 29.530588853
_DUMMY_DAYS = ("1900-01-01", "1900-01-01", "1900-01-01", "1901-01-01", "1970-01-01", "1899-12-30")
_HALF = "锟斤拷"
_KEYS = dict(zip("0123456789", ("9", "247", "135", "26", "157", "2468", "359", "48", "579", "60"), strict=True))


def name(text: str, visit: Visit, stream: Stream, errors: Errors, *, read: bool) -> str:
    """Return a name as a desk and its system leave it; `read` from the chip of a card it has no typing errors."""
    rates: Book = book("population")["name"]
    if not read:
        text = _typed(text, visit, stream, errors, rates)
    text = _lettered(text, visit.site, stream, errors)
    if stream.chance(rates["blanks"]):
        errors.append("blanks")
        text = f"{text[0]}  {text[1:]}" if len(text) == 2 else f"{text} "
    if stream.chance(rates["garbled"] + visit.site.garbled):
        errors.append("garbled")
        text = garbled(text, stream)
    return _cut(text, visit.site, errors)


def _typed(text: str, visit: Visit, stream: Stream, errors: Errors, rates: Book) -> str:
    """Return a name as it is typed: at most one thing goes wrong with it."""
    left = stream.unit()
    for kind in ("sound", "look", "traditional", "surname_variant", "letter_missing", "turned", "nickname"):
        left -= rates[kind] if kind != "nickname" or visit.site.kind == "village" else 0.0
        if left < 0:
            turned = _TYPING[kind](text, stream)
            if turned != text:
                errors.append(kind)
            return turned
    return text


def _sound(text: str, stream: Stream) -> str:
    """Most often a letter of the given name; the surname is known to the desk."""
    at = stream.whole(0, len(text) - 1)
    at = stream.whole(1, len(text) - 1) if at == 0 and len(text) > 1 and stream.chance(0.7) else at
    return called.turned_by_sound(text, at, stream)


def _look(text: str, stream: Stream) -> str:
    table: dict[str, str] = called.names()["look_alike"]
    places = [at for at, letter in enumerate(text) if letter in table]
    if not places:
        return text
    at = stream.pick(places)
    return text[:at] + stream.pick(table[text[at]]) + text[at + 1 :]


def _traditional(text: str, stream: Stream) -> str:
    table: dict[str, str] = called.names()["traditional"]
    return "".join(table.get(letter, letter) for letter in text)


def _surname_variant(text: str, stream: Stream) -> str:
    others: str = called.names()["surname_variants"].get(text[:1], "")
    return stream.pick(others) + text[1:] if others else text


def _letter_missing(text: str, stream: Stream) -> str:
    at = stream.whole(1, len(text) - 1) if len(text) > 2 else 0
    return text[:at] + text[at + 1 :] if at else text


def _turned(text: str, stream: Stream) -> str:
    return text[0] + text[1:][::-1] if len(text) == 3 else text


def _nickname(text: str, stream: Stream) -> str:
    return called.parted(text)[0] + stream.pick(str(called.names()["nicknames"]).split())


_TYPING = {
    "sound": _sound,
    "look": _look,
    "traditional": _traditional,
    "surname_variant": _surname_variant,
    "letter_missing": _letter_missing,
    "turned": _turned,
    "nickname": _nickname,
}


def _lettered(text: str, site: Site, stream: Stream, errors: Errors) -> str:
    """Return a name with the letters and dots that the system of a site can hold."""
    if "·" in text:
        dot = stream.pick(called.names()["dots"])
        if dot != "·":
            errors.append("dot")
        return text.replace("·", dot)
    lacking = [letter for letter in text if not _holds(letter, site.charset)]
    for letter in lacking:
        errors.append("rare-letter")
        private: str = called.names()["private_use"].get(letter, "?")
        found = called.alike_in_sound(letter)
        sound = called.sounds().get(letter, "?").upper()
        others = (private, "?", "□", "*", found.draw(stream) if found else "?", sound)
        text = text.replace(letter, stream.pick(others))
    return text


def _holds(letter: str, charset: str) -> bool:
    try:
        letter.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def garbled(text: str, stream: Stream) -> str:
    """Return a name as GBK damage leaves it (china.md section 5.2 cases 3 and 5)."""
    kind = stream.weighted(book("population")["garbled"])
    at = stream.whole(0, len(text) - 1)
    if kind == "cut":
        return text.encode("gb18030", "replace")[:-1].decode("gb18030", "replace")
    if kind == "mojibake":
        return mojibake(text)
    if kind == "twice":
        return text[:at] + _HALF[: 2 + stream.whole(0, 1)] + text[at + 1 :]
    return text[:at] + ("□" if kind == "box" else "?" * stream.whole(1, 2)) + text[at + 1 :]


def _cut(text: str, site: Site, errors: Errors) -> str:
    """Return a name that fits in the bytes a site has for it."""
    raw = text.encode("gb18030", "replace")
    if not site.bytes or len(raw) <= site.bytes:
        return text
    errors.append("cut")
    return raw[: site.bytes].decode("gb18030", "replace")


def number(held: str, born: date, visit: Visit, stream: Stream, errors: Errors) -> str:
    """Return a resident ID as it is typed: most often rightly."""
    rates = book("population")["id"]
    if born.year < 1988 and visit.site.kind != "mch" and stream.chance(rates["fifteen"]):
        errors.append("fifteen")
        held = numbers.fifteen(held)
    if not stream.chance(rates["wrong"]):
        return held
    kind = stream.weighted(rates["wrong_kinds"])
    table = visit.site.kind in ("township", "village", "insurer", "mch")
    if kind == "zeroed" and table and len(held) == 18:
        errors.append("number-zeroed")
        return numbers.zeroed(held)
    if kind == "nearly" and table:
        errors.append("number-length")
        at = stream.whole(1, len(held) - 2)
        return held[:at] + (held[at + 1 :] if stream.chance(0.6) else held[at] + held[at:])
    errors.append("number-typed")
    return swapped(held, stream) if kind == "swapped" else digit_wrong(held, stream, 6)


def swapped(text: str, stream: Stream) -> str:
    """Return a number with two neighbouring digits changed for one another, where two differ."""
    places = [at for at in range(6, len(text) - 1) if text[at] != text[at + 1]]
    at = stream.pick(places) if places else len(text) - 2
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def digit_wrong(text: str, stream: Stream, start: int) -> str:
    """Return a number with one digit wrong from a place on: half of them a neighbour on the keys."""
    at = stream.whole(start, len(text) - 1)
    near = _KEYS.get(text[at], "1")
    others = near if stream.chance(0.5) else "0123456789".replace(text[at], "")
    return text[:at] + stream.pick(others) + text[at + 1 :]


def birth(person: Resident, visit: Visit, stream: Stream, errors: Errors, *, read: bool) -> str:
    """Return the birth date as it stands in the record, '' where it does not."""
    rates, place = book("population")["birth"], visit.room or visit.site.kind
    right = f"{person.birth:%Y-%m-%d}"
    if visit.room == "born" or (read and stream.chance(rates["from_id"])):
        return right
    if stream.chance(rates["missing"].get(place, rates["missing"].get(visit.site.kind, 0.0))):
        errors.append("birth-missing")
        return ""
    if stream.chance(rates["from_age"].get(place, 0.0)):
        errors.append("birth-from-age")
        return _from_age(person, visit.day)
    return _mistaken(person.birth, stream, rates, errors)


def _mistaken(day: date, stream: Stream, rates: Book, errors: Errors) -> str:
    """Return a birth date as it is told and typed: at most one thing goes wrong with it."""
    right, left = f"{day:%Y-%m-%d}", stream.unit()
    for kind in ("dummy", "year_only", "swapped", "typed", *(("lunar",) if day.year < 1975 else ())):
        left -= rates[kind]
        if left < 0:
            found = _BIRTHS[kind](day, stream)
            if found != right:
                errors.append(f"birth-{kind.replace('_', '-')}")
            return found
    return right


def _from_age(person: Resident, day: date) -> str:
    """Return the day of the visit as many years ago as the person says to be old."""
    year = day.year - person.age(day)
    return f"{year:04d}-{day.month:02d}-{min(day.day, monthrange(year, day.month)[1]):02d}"


def _dummy(day: date, stream: Stream) -> str:
    return stream.pick(_DUMMY_DAYS)


def _year_only(day: date, stream: Stream) -> str:
    return f"{day:%Y}" if stream.chance(0.4) else f"{day:%Y}-01-01"


def _day_swapped(day: date, stream: Stream) -> str:
    return f"{day:%Y-%d-%m}" if day.day <= 12 else f"{day:%Y-%m-%d}"


def _day_typed(day: date, stream: Stream) -> str:
    kind = stream.unit()
    if kind < 0.3:
        return f"{day + timedelta(days=stream.pick((-10, -1, 1, 10))):%Y-%m-%d}"
    if kind < 0.6:
        return f"{day.year + stream.pick((-1, 1)):04d}-{day.month:02d}-{min(day.day, 28):02d}"
    if kind < 0.75:
        return f"{day.year + stream.pick((-10, 10)):04d}-{day.month:02d}-{min(day.day, 28):02d}"
    return f"{day.year:04d}-{(day.month + stream.whole(0, 10)) % 12 + 1:02d}-{min(day.day, 28):02d}"


def lunar(day: date, stream: Stream) -> str:
    """Return the date by the moon (农历) written as if by the sun; months by the mean moon, a day may be off."""
    age = (day - _NEW_MOON).days % _MONTH
    moon = day - timedelta(days=int(age))
    month = int((moon.timetuple().tm_yday - 21) // 30.44) + 1
    year, month = (moon.year - 1, 12) if month < 1 else (moon.year, min(month, 12))
    return f"{year:04d}-{month:02d}-{min(int(age) + 1, monthrange(year, month)[1]):02d}"


_BIRTHS = {
    "dummy": _dummy,
    "year_only": _year_only,
    "swapped": _day_swapped,
    "typed": _day_typed,
    "lunar": lunar,
}
