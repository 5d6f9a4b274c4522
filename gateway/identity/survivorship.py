"""Survivorship: which of several Patients' values stands for the person, by rules that are data, and who told it."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import yaml

from gateway.errors import GatewayError
from gateway.identity import evidence, glyphs, names
from gateway.identity.evidence import Evidence

Json = dict[str, Any]
Rule = Literal["in-use", "authority", "verified", "newest", "complete"]
Level = Literal["level1", "level2", "level3", "level4"]
LEVELS: tuple[Level, ...] = ("level1", "level2", "level3", "level4")

_MASKS = frozenset("*＊?？□■�")
_DATE = "@"  # how the key of a birth date begins
_LETTERS = "~"  # how the key of a name in letters begins: pinyin beside a Chinese name contradicts nobody
_FIELDS = ("identifier", "name", "telecom", "gender", "birthDate", "address")


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one element of a Person is made: of the best record or of each, and whether other sayings are shown."""

    take: Literal["best", "each"]
    conflict: bool = False


class Assurance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How sure a link is, by what it stands on."""

    merged: Level
    decided: Level
    reasons: dict[str, Level]
    grades: dict[str, Level]
    otherwise: Level


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of survivorship of one region."""

    version: str
    order: tuple[Rule, ...]
    fields: dict[Literal["identifier", "name", "telecom", "gender", "birthDate", "address"], Field]
    assurance: Assurance


class Member(NamedTuple):
    """One Patient of a person; `told_us` is the source's newest time of its demographics."""

    pid: int
    fid: str
    site: str
    body: Json
    says: Evidence
    told_us: int = 0
    authority: bool = False
    replaced: bool = False

    @property
    def in_use(self) -> bool:
        """Say whether the record is one that its site works with."""
        return not self.replaced and self.body.get("active") is not False


class Said(NamedTuple):
    """One value as one Patient says it; values with the same key mean the same."""

    member: Member
    value: Any
    key: str


class Chosen(NamedTuple):
    """One value of a Person: who says so, the winner first, why it won, and what others say otherwise."""

    value: Any
    tellers: tuple[Member, ...]
    because: str
    otherwise: tuple[Said, ...] = ()


def load(path: Path) -> Rules:
    """Return the rules of a file; raises GatewayError naming the file and what is wrong in it."""
    try:
        return msgspec.convert(yaml.safe_load(path.read_text("utf-8")), Rules)
    except OSError as fault:
        raise GatewayError(f"cannot be read: {fault.strerror}", where=str(path)) from None
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as fault:
        raise GatewayError(f"is no table of survivorship: {fault}", where=str(path)) from None


def member(body: Json, site: str, **told: Any) -> Member:
    """Return one Patient of a person with what it says of who it is."""
    return Member(body=body, site=site, says=evidence.of_patient(body, site), **told)


def chosen(rules: Rules, members: Sequence[Member]) -> dict[str, list[Chosen]]:
    """Return, for each element of a Person that anybody told, its values in order of weight."""
    made = {name: _field(rules, name, members) for name in _FIELDS if name in rules.fields}
    return {name: values for name, values in made.items() if values}


def _field(rules: Rules, name: Any, members: Sequence[Member]) -> list[Chosen]:
    said = [each for one in members for each in said_by(one, name)]
    if not said:
        return []
    born = _proven(members)
    weigh = {one.pid: _weights(rules.order, name, one, born) for one in members}
    ranked = sorted(said, key=lambda each: (weigh[each.member.pid], -each.member.pid), reverse=True)
    if rules.fields[name].take == "each":
        return _each(ranked)
    return _best(ranked, rules, weigh, conflict=rules.fields[name].conflict)


def _each(ranked: Sequence[Said]) -> list[Chosen]:
    """Return every value once, with all who say it."""
    first = {said.key: said for said in reversed(ranked)}
    keys = dict.fromkeys(said.key for said in ranked)
    return [Chosen(first[key].value, _tellers(ranked, [key]), "") for key in keys]


def _best(ranked: Sequence[Said], rules: Rules, weigh: Mapping[int, Any], *, conflict: bool) -> list[Chosen]:
    """Return the values of the winner, the first one with why it won and what others say otherwise."""
    ranked = [_completed(ranked), *ranked[1:]]
    winner = ranked[0].member
    mine = list({said.key: said for said in reversed(ranked) if said.member is winner}.values())[::-1]
    keys = [said.key for said in mine]
    others = [said for said in ranked if not _alike(said, ranked, keys) and not _spelled(said.key, keys)]
    because = _because(rules.order, weigh[winner.pid], [weigh[said.member.pid] for said in others])
    values = [Chosen(said.value, _tellers(ranked, [said.key]), "") for said in mine]
    return [values[0]._replace(because=because, otherwise=tuple(others) if conflict else ()), *values[1:]]


def _completed(ranked: Sequence[Said]) -> Said:
    """Return the first value; a date that another record tells more exactly, and means the same, in that form."""
    first = ranked[0]
    fuller = [said for said in ranked if first.key[:1] == _DATE and said.key.startswith(first.key)]
    best = max(fuller, key=lambda said: len(said.key), default=first)
    return first._replace(value=best.value, key=best.key)


def _alike(said: Said, ranked: Sequence[Said], keys: Sequence[str]) -> bool:
    """Say whether a value means what the winner says, or its record says that too (a second name, say)."""
    own = {each.key for each in ranked if each.member is said.member}
    return any(_same(one, key) for one in own for key in keys)


def _same(one: str, other: str) -> bool:
    """Say whether two keys mean the same: equal, or one of two dates told less exactly."""
    return one == other or (one[:1] == other[:1] == _DATE and (one.startswith(other) or other.startswith(one)))


def _spelled(key: str, keys: Sequence[str]) -> bool:
    """Say whether a name in letters meets names in characters alone, or the other way round."""
    return all((one[:1] == _LETTERS) != (key[:1] == _LETTERS) for one in keys)


def _tellers(ranked: Sequence[Said], keys: Sequence[str]) -> tuple[Member, ...]:
    told = {said.member.pid: said.member for said in ranked if any(_same(said.key, key) for key in keys)}
    return tuple(told.values())


# --- the rules ----------------------------------------------------------------------------------------------------


def _weights(order: Iterable[Rule], name: str, one: Member, born: tuple[str, str]) -> tuple[int, ...]:
    found = {
        "in-use": int(one.in_use),
        "authority": int(one.authority),
        "verified": _verified(name, one, born),
        "newest": one.told_us,
        "complete": 0 if name == "gender" else _complete(one.body.get(name)),
    }
    return tuple(found[rule] for rule in order)


def _verified(name: str, one: Member, born: tuple[str, str]) -> int:
    """Say whether an ID number proves what a record tells: 1 it does, -1 it says otherwise, 0 it says nothing."""
    told = {"birthDate": born[0], "gender": born[1]}.get(name)
    if told is None:
        return int(bool(one.says.resident))
    if not told:
        return 0
    value = str(one.body.get(name, ""))
    return 1 if value == told else 0 if name == "birthDate" and told.startswith(value) else -1


def _proven(members: Sequence[Member]) -> tuple[str, str]:
    """Return birth date and sex by the person's resident ID; nothing where there is none, or there are several."""
    numbers = {one.says.resident for one in members if one.says.resident and "borrowed-id" not in one.says.flags}
    if len(numbers) != 1:
        return "", ""
    number = numbers.pop()
    return f"{number[6:10]}-{number[10:12]}-{number[12:14]}", "male" if int(number[16]) % 2 else "female"


def _complete(value: Any) -> int:
    if isinstance(value, list):
        return max((_complete(each) for each in value), default=0)
    if isinstance(value, dict):
        return sum(_complete(each) for name, each in value.items() if name != "extension")
    return len(str(value)) if value is not None else 0


def _because(order: Sequence[Rule], mine: tuple[int, ...], others: Sequence[tuple[int, ...]]) -> str:
    """Return the rule that set the winner before the best of those who say otherwise; `only` where nobody does."""
    if not others:
        return "only"
    best = max(others)
    return next((rule for rule, one, other in zip(order, mine, best, strict=True) if one != other), "oldest")


# --- what a Patient says ------------------------------------------------------------------------------------------


def said_by(one: Member, name: str) -> list[Said]:
    """Return what a Patient says of one element, without what is damaged, masked or a dummy."""
    told = one.body.get(name)
    values = told if isinstance(told, list) else [told]
    found = [Said(one, value, _KEYS[name](value, one)) for value in values if value]
    return [said for said in found if said.key]


def _of_identifier(value: Any, _: Member) -> str:
    number = value.get("value") if isinstance(value, dict) else None
    if not isinstance(number, str) or not sound(number):
        return ""
    coding = value.get("type", {}).get("coding") or [{}]
    return "|".join([value.get("system", ""), "" if "system" in value else str(coding[0].get("code", "")), number])


def _of_name(value: Any, _: Member) -> str:
    found = next(iter(names.of_names([value]).names), None)
    if found is None or found.damaged or not sound(found.text):
        return ""
    return found.text if glyphs.holds_han(found.text) else f"{_LETTERS}{found.text}"


def _of_telecom(value: Any, _: Member) -> str:
    number = value.get("value") if isinstance(value, dict) else None
    if not isinstance(number, str) or not sound(number):
        return ""
    return f"{value.get('system', '')}|{''.join(number.split())}"


def _of_gender(value: Any, _: Member) -> str:
    return value if value in ("male", "female", "other") else ""


def _of_birth(value: Any, one: Member) -> str:
    return f"{_DATE}{value}" if isinstance(value, str) and one.says.birth else ""


def _of_address(value: Any, _: Member) -> str:
    if not isinstance(value, dict):
        return ""
    parts = [value.get("text"), *(value.get("line") or ()), value.get("district"), value.get("city")]
    text = "".join(part for part in parts if isinstance(part, str))
    return "".join(unicodedata.normalize("NFKC", text).split()) if sound(text) else ""


_KEYS: dict[str, Any] = {
    "identifier": _of_identifier,
    "name": _of_name,
    "telecom": _of_telecom,
    "gender": _of_gender,
    "birthDate": _of_birth,
    "address": _of_address,
}


@lru_cache(maxsize=4096)
def sound(text: str) -> bool:
    """Say whether a text is whole: not masked, without a character that stands for a lost one."""
    if not text or not _MASKS.isdisjoint(text) or "锟斤拷" in text:
        return False
    return not any(unicodedata.category(character) in ("Co", "Cs") for character in text)
