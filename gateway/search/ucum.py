"""Units of UCUM as far as results are measured in them: which go into each other, and by what factor.

Written from the tables and grammar of The Unified Code for Units of Measure (ucum.org). A unit is read, not looked
up, so `ug/(24.h)` is as good as `mg/d`. Amounts of substance, equivalents, osmoles, arbitrary units and years are
dimensions of their own here: between them and others no factor holds for every substance or calendar.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache, lru_cache
from typing import NamedTuple

Dimension = tuple[tuple[str, int], ...]
"""Base units with their exponents, by name."""

_PREFIX = {
    "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15,
}  # fmt: skip
# Unit -> its factor and what it is made of; those of the first table take prefixes.
_METRIC = {
    "g": ("1", "g"), "m": ("1", "m"), "s": ("1", "s"), "K": ("1", "K"), "mol": ("1", "mol"), "eq": ("1", "eq"),
    "osm": ("1", "osm"), "[IU]": ("1", "IU"), "[iU]": ("1", "IU"), "L": ("0.001", "m3"), "l": ("0.001", "m3"),
    "Pa": ("1000", "g m-1 s-2"), "bar": ("100000000", "g m-1 s-2"), "N": ("1000", "g m s-2"),
    "J": ("1000", "g m2 s-2"), "W": ("1000", "g m2 s-3"), "cal": ("4184", "g m2 s-2"), "Hz": ("1", "s-1"),
    "U": ("1e-6/60", "mol s-1"), "kat": ("1", "mol s-1"), "m[Hg]": ("133322000", "g m-1 s-2"),
    "m[H2O]": ("9806650", "g m-1 s-2"), "Bq": ("1", "s-1"), "Gy": ("1", "m2 s-2"), "Sv": ("1", "m2 s-2"),
    "t": ("1e6", "g"),
}  # fmt: skip
_PLAIN = {
    "min": ("60", "s"), "h": ("3600", "s"), "d": ("86400", "s"), "wk": ("604800", "s"), "a": ("1", "a"),
    "mo": ("1/12", "a"), "%": ("0.01", ""), "10*": ("10", ""), "10^": ("10", ""), "[ppth]": ("1e-3", ""),
    "[ppm]": ("1e-6", ""), "[ppb]": ("1e-9", ""), "[lb_av]": ("453.59237", "g"), "[oz_av]": ("28.349523125", "g"),
    "[in_i]": ("0.0254", "m"), "[ft_i]": ("0.3048", "m"), "[drp]": ("5e-8", "m3"), "[pH]": ("1", "pH"),
    "deg": ("1", "deg"),
}  # fmt: skip
# Temperatures have a zero of their own: kelvin = (degrees + shift) * factor.
_SHIFTED = {"K": ("0", "1"), "Cel": ("273.15", "1"), "[degF]": ("459.67", "5/9")}

_COMMON = """
mol/L mmol/L umol/L nmol/L pmol/L fmol/L mol/kg mmol/kg umol/g mmol/mol umol/mol umol/mmol nmol/mmol mol mmol umol
nmol kg/L g/L mg/L ug/L ng/L pg/L g/dL mg/dL ug/dL ng/dL pg/dL g/mL mg/mL ug/mL ng/mL pg/mL fg/mL kg g mg ug ng pg t
[lb_av] [oz_av] g/kg mg/kg ug/kg mg/g ug/g ng/g ng/mg g/d mg/d ug/d mg/h mg/min ug/min g/(24.h) mg/(24.h) ug/(24.h)
mmol/d mmol/(24.h) umol/d umol/(24.h) nmol/d nmol/(24.h) U/L kU/L mU/L U/mL mU/mL U/dL kat/L ukat/L nkat/L U/g U/mol
nkat [IU]/L k[IU]/L m[IU]/L u[IU]/mL [IU]/mL k[IU]/mL m[IU]/mL [IU]/dL [IU] k[IU] [IU]/kg 10*12/L 10*9/L 10*6/L 10*3/L
10*3/uL 10*6/uL 10*3/mL 10*6/mL 10*4/uL /L /mL /uL /mm3 /nL /fL 10*9/mL % 1 10*-3 10*-2 [ppm] [ppb] [ppth] m dm cm mm
um nm km [in_i] [ft_i] m2 cm2 mm2 m3 cm3 mm3 L dL cL mL uL nL pL fL L/min mL/min mL/s L/h mL/h L/s mL/d L/d mL/(24.h)
L/(24.h) mL/min/{1.73_m2} s ms us min h d wk mo a /min /s /h /d Hz kHz Pa kPa hPa MPa mm[Hg] cm[H2O] mm[H2O] bar mbar
kcal cal kJ J kcal/d W mW meq/L ueq/L eq/L meq meq/d mosm/kg osm/kg mosm/L osm/L kg/m2 g/m2 g/cm3 mm/h cm/s m/s
pg/(10*9) mGy Gy mSv Sv
""".split()  # noqa: SIM905  units read better without quotes

_LONGEST = 60


class Measure(NamedTuple):
    """What a unit is: so many of its base units."""

    factor: Decimal
    dimension: Dimension


@lru_cache(maxsize=4096)
def measure(unit: str) -> Measure | None:
    """Return what a UCUM code measures, None where it is none or not of the kinds here."""
    if not unit or len(unit) > _LONGEST or not unit.isascii():
        return None
    reader = _Reader(re.sub(r"\{[^{}]*\}", "", unit) or "1")
    made = reader.term()
    return made if made is not None and not reader.rest else None


def others(unit: str, number: Decimal) -> Mapping[str, Decimal]:
    """Return a number in every common unit that its unit goes into, without its own."""
    return {other: number * ratio + shift for other, (ratio, shift) in _ways(unit).items()}


@lru_cache(maxsize=4096)
def _ways(unit: str) -> dict[str, tuple[Decimal, Decimal]]:
    """Return common unit -> (ratio, shift) for which number * ratio + shift is the number in it."""
    if unit in _SHIFTED:
        return {other: _between(unit, other) for other in _SHIFTED if other != unit}
    mine = measure(unit)
    if mine is None:
        return {}
    found = _families().get(mine.dimension, {})
    return {other: (mine.factor / factor, Decimal(0)) for other, factor in found.items() if other != unit}


def _between(unit: str, other: str) -> tuple[Decimal, Decimal]:
    (shift, factor), (shift2, factor2) = (
        (_number(one), _number(two)) for one, two in (_SHIFTED[unit], _SHIFTED[other])
    )
    ratio = factor / factor2
    return ratio, shift * ratio - shift2


@cache
def _families() -> Mapping[Dimension, Mapping[str, Decimal]]:
    """Return dimension -> common units with their factors."""
    families: dict[Dimension, dict[str, Decimal]] = {}
    for unit in _COMMON:
        made = measure(unit)
        assert made is not None, unit
        families.setdefault(made.dimension, {})[unit] = made.factor
    return families


def _number(text: str) -> Decimal:
    above, _, below = text.partition("/")
    return Decimal(above) / Decimal(below or 1)


class _Reader:
    """Reads a unit from left to right: terms of components joined by . and /."""

    def __init__(self, text: str) -> None:
        self.rest = text

    def term(self) -> Measure | None:
        """Read components up to the end or a closing bracket."""
        made = Measure(Decimal(1), ())
        sign = -1 if self._take("/") else 1
        while True:
            part = self._component()
            if part is None:
                return None
            made = _times(made, part, sign)
            if self._take("."):
                sign = 1
            elif self._take("/"):
                sign = -1
            else:
                return made

    def _take(self, mark: str) -> bool:
        if self.rest.startswith(mark):
            self.rest = self.rest[len(mark) :]
            return True
        return False

    def _component(self) -> Measure | None:
        if self._take("("):
            made = self.term()
            return made if self._take(")") else None
        if not self.rest or self.rest[0] in "./)":
            return Measure(Decimal(1), ())  # an annotation stood here
        number = re.match(r"\d{1,9}(?![\d*^])", self.rest)
        if number:
            self.rest = self.rest[number.end() :]
            value = Decimal(number[0])
            return Measure(value, ()) if value else None
        return self._symbol()

    def _symbol(self) -> Measure | None:
        found = re.match(r"(10[*^]|(?:[A-Za-z%]|\[[A-Za-z0-9_]*\])+)([+-]?\d{1,2})?", self.rest)
        unit = _unit(found[1]) if found else None
        if found is None or unit is None:
            return None
        self.rest = self.rest[found.end() :]
        return _times(Measure(Decimal(1), ()), unit, int(found[2] or 1))


@cache
def _units() -> Mapping[str, Measure]:
    return {name: Measure(_number(factor), _dimension(of)) for name, (factor, of) in (_METRIC | _PLAIN).items()}


def _dimension(text: str) -> Dimension:
    found = (re.fullmatch(r"([A-Za-z]+)(-?\d*)", part) for part in text.split())
    return tuple(sorted((one[1], int(one[2] or 1)) for one in found if one))


def _unit(name: str) -> Measure | None:
    known = _units().get(name)
    if known is not None:
        return known
    for prefix, power in _PREFIX.items():
        rest = name.removeprefix(prefix)
        if rest != name and rest in _METRIC:
            unit = _units()[rest]
            return Measure(unit.factor.scaleb(power), unit.dimension)
    return None


def _times(one: Measure, other: Measure, power: int) -> Measure:
    exponents = dict(one.dimension)
    for name, exponent in other.dimension:
        exponents[name] = exponents.get(name, 0) + exponent * power
    dimension = tuple(sorted((name, exponent) for name, exponent in exponents.items() if exponent))
    return Measure(one.factor * other.factor**power, dimension)
