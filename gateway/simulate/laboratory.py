"""Laboratory results: values that fit the person, his illness and the season, and the odd ones of real analysers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.simulate import chronic
from gateway.simulate.catalogue import book
from gateway.simulate.streams import Stream, Streams
from gateway.simulate.values import FEMALE, Person


@dataclass(slots=True)
class Result:
    """One result as the laboratory prints it; `flag` H, L or empty."""

    code: str
    name: str
    value: str
    unit: str
    range: str
    flag: str
    numeric: bool
    odd: str = ""


def panels_for(person: Person, stream: Stream, second: float) -> list[str]:
    """Return the panels a doctor asks for this person, one or two."""
    if person.course(chronic.DIABETES) and stream.chance(0.6):
        return ["3002", "3004"]
    if person.course(chronic.HYPERTENSION) and stream.chance(0.5):
        return ["3002", "3003"]
    first = stream.weighted({"3001": 5, "3002": 3, "3003": 1, "3005": 1.5, "3006": 0.8})
    return [first, "3002" if first == "3001" else "3001"] if stream.chance(second) else [first]


def results(person: Person, panel: str, at: datetime, streams: Streams) -> list[Result]:
    """Return the results of one panel for a person at a time."""
    stream = streams.of("results", person.number, panel, at)
    catalogue = book("clinic")
    return [
        _result(code, catalogue["items"][code], person, at, streams, stream)
        for code in catalogue["panels"][panel]["items"]
    ]


def corrected(result: Result, stream: Stream) -> Result:
    """Return a result as it stands after the laboratory found its mistake."""
    if not result.numeric:
        return result
    item = book("clinic")["items"][result.code]
    return _numeric(result.code, item, item["mean"] + item["sd"] * (stream.unit() - 0.5), result.range)


def odd(result: Result, which: int) -> Result:
    """Return a result with a value that is no plain number (case 20)."""
    entry: dict[str, Any] = book("clinic")["odd_values"][which % len(book("clinic")["odd_values"])]
    return Result(
        result.code, result.name, entry["value"], entry["unit"], entry["range"], "", numeric=False, odd=entry["note"]
    )


def _result(code: str, item: dict[str, Any], person: Person, at: datetime, streams: Streams, stream: Stream) -> Result:
    if "words" in item:
        value = stream.pick(item["words"])
        return Result(
            code, item["name"], value, "", "阴性", "A" if "阳" in value or "1:8" in value else "", numeric=False
        )
    mean = item["mean"]
    if item.get("course") == "glucose":
        return _numeric(code, item, chronic.glucose(person, at.date(), streams))
    if item.get("course") == "hba1c":
        return _numeric(code, item, chronic.hba1c(person, at.date(), streams))
    if code in ("HGB", "RBC") and person.sex == FEMALE:
        mean *= 0.91
    return _numeric(code, item, stream.normal(mean, item["sd"]))


def _numeric(code: str, item: dict[str, Any], value: float, words: str = "") -> Result:
    value = max(value, item["low"] * 0.4, 0.01 if item["digits"] == 2 else 0)
    text = f"{value:.{item['digits']}f}"
    flag = "H" if float(text) > item["high"] else "L" if float(text) < item["low"] else ""
    span = words or f"{item['low']}-{item['high']}"
    return Result(code, item["name"], text, item["unit"], span, flag, numeric=True)
