"""A small site that sends table exports, and ways to write such files; all persons are invented."""

from collections.abc import Iterable
from pathlib import Path

_SITE = "site: green-village\n"
_FEED = """\
title: Exports of a made-up village clinic
format: csv
demographic_authority: true
tables:
  people: {mode: full, files: ["people*"]}
  visits: {mode: delta, files: ["visits*"]}
  weights: {mode: window, files: ["weights*"]}
"""
_PEOPLE = """\
table: people
title: persons
columns:
  - {name: 编号, also: [no], needed: true}
  - {name: 姓名, also: [name], needed: true}
  - {name: 性别}
  - {name: 出生日期}
  - {name: 费用}
  - {name: 录入日期}
key: [编号]
total: {label: [合计], sums: [费用]}
time: 录入日期
patient: [编号]
codes:
  性别: {"1": male, "2": female}
maps:
  Person:
    - {id: 编号, to: "identifier[0].value"}
    - {id: 姓名, to: "name[0].text"}
    - {id: 性别, to: gender, code: 性别}
    - {id: 出生日期, to: birthDate}
resources:
  person: {type: Patient, on: {REC: Person}, keys: patient, mode: replace}
"""


def mappings(folder: Path) -> Path:
    """Write the site's definitions below a folder; return it."""
    site = folder / "green-village"
    (site / "tables").mkdir(parents=True)
    (site / "village-csv").mkdir()
    (site / "site.yaml").write_text(_SITE, encoding="utf-8")
    (site / "village-csv" / "feed.yaml").write_text(_FEED, encoding="utf-8")
    for name, text in (("people", _PEOPLE), ("visits", _renamed("visits")), ("weights", _renamed("weights"))):
        (site / "tables" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def _renamed(name: str) -> str:
    return _PEOPLE.replace("table: people", f"table: {name}")


def csv(rows: Iterable[tuple[str, ...]], encoding: str = "utf-8", delimiter: str = ",", last: str = "") -> bytes:
    """Return a file with the header of `people` and these rows (编号, 姓名, 性别, 出生日期, 费用, 录入日期)."""
    lines = [("编号", "姓名", "性别", "出生日期", "费用", "录入日期"), *rows]
    text = "".join(delimiter.join(line) + "\r\n" for line in lines)
    return (text + last).encode(encoding)


def person(number: int, name: str = "", sex: str = "1", cost: str = "1.50", day: str = "2026-10-01") -> tuple[str, ...]:
    """Return one row."""
    return (f"V{number:05}", name or f"人{number}", sex, f"19{number % 100:02}-01-01", cost, day)
