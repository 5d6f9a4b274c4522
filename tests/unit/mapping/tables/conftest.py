"""A catalogue of small tables, written to a folder and loaded as a site's would be."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from gateway.mapping import catalog
from gateway.mapping.catalog import Catalog
from tests.support.told import ROOT, Told, sampled

GENERIC = "message: generic\nfor: []\nresources: {}\n"
NAMING = """
national: {resident-id: "urn:oid:2.16.156.10011.1.3", health-record: "urn:oid:2.16.156.10011.1.2"}
identifiers: {visit-card: {kind: visit-card, weak: true}}
absent: [无, 不详]
units: {"mmol/L": mmol/L, kg: kg, mmHg: "mm[Hg]", "10^9/L": "10*9/L"}
"""
FEED = "format: csv\ntables:\n"


class House:
    """A folder of mappings that tests fill with tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("base/messages/generic.yaml", GENERIC)
        self.write("base/naming.yaml", NAMING)
        self.write("site/site.yaml", "site: town\n")

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def table(self, name: str, text: str) -> None:
        self.write(f"base/tables/{name}.yaml", f"table: {name}\n{text}")

    def load(self, *names: str, more: str = "") -> Catalog:
        uses = "".join(f"  {name}: {{mode: full}}\n" for name in names)
        self.write("site/town-csv/feed.yaml", f"{FEED}{uses}{more}")
        return catalog.load([self.folder])

    def faults(self, *names: str, more: str = "") -> list[str]:
        with pytest.raises(catalog.WrongDefinitions) as found:
            self.load(*names, more=more)
        return [text.replace(str(self.folder), "") for text in found.value.faults]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


PEOPLE = """
columns:
  - {name: 档案编号, also: [phrId], needed: true}
  - {name: 姓名, also: [personName, XM]}
  - {name: 性别}
  - {name: 身份证号, also: [证件号码, 身份证件号码, idCard]}
  - {name: 检查结果}
  - {name: 体重(kg), unit: kg}
  - {name: 血压, parts: "/", unit: mmHg}
  - {name: 病史, split: ";；", parts: "()", item: true}
  - {name: 费用, also: [总费用(元)]}
  - 日期
key: [档案编号]
time: [日期]
patient: [身份证号, 档案编号]
total: {sums: [费用]}
kept: {检查结果: told elsewhere}
codes:
  性别: {男: male, 女: female}
maps:
  Patient:
    - {id: 档案编号, to: "identifier[]", transform: identifier, args: {national: health-record}}
    - {id: 姓名, to: "name[0].text", transform: words}
    - {id: 性别, to: gender, code: 性别}
    - {id: 身份证号, to: "identifier[]", transform: resident_id}
  Weight:
    - {id: 体重(kg), to: valueQuantity, transform: measure}
    - {id: 日期, to: effectiveDateTime, transform: date_time}
    - {id: always/status, to: status, value: final}
  Pressure:
    - {id: 血压.1, to: "component[].valueQuantity", transform: measure}
    - {id: 血压.2, to: "component[].valueQuantity", transform: measure}
  Illness:
    - {id: 结果.1, to: code.text}
    - {id: 结果.2, to: onsetDateTime, transform: date}
    - {id: 日期, to: recordedDate, transform: date}
  Fee:
    - {id: 费用, to: totalGross, transform: money}
resources:
  patient: {type: Patient, on: {REC: Patient}, keys: patient, mode: fill}
  weight:
    type: Observation
    on: {REC: {map: Weight, when: {present: 体重(kg)}}}
    keys: child
    parent: patient
    by: [日期]
    links: {subject: patient}
  pressure:
    type: Observation
    on: {REC: {map: Pressure, when: {present: 血压}}}
    keys: child
    parent: patient
    by: [日期, 血压]
  illness:
    type: Condition
    on: {ITM: {map: Illness, when: {field: 项目, equals: 病史}}}
    keys: child
    parent: patient
    by: [项目, 结果.1]
    links: {subject: patient}
  fee:
    type: Invoice
    on: {REC: Fee}
    keys: child
    parent: patient
    by: [日期]
"""


@pytest.fixture
def people(house: House) -> Catalog:
    house.table("people", PEOPLE)
    return house.load("people")


LAB = """
columns:
  - {name: 条码号, needed: true}
  - 姓名
  - {name: 项目代码, also: [xmbh]}
  - {name: 结果, keeps: ["-"]}
  - 单位
  - 参考范围
  - 检验者
key: [条码号]
group: [条码号]
maps:
  Report:
    - {id: 条码号, to: "identifier[]", transform: identifier, args: {kind: barcode}}
    - {id: 姓名, to: conclusion}
    - {id: 检验者, to: "performer[0].display"}
  Result:
    - {id: 项目代码, to: "code.coding[]", transform: coding}
    - {id: 结果, to: $this, transform: result, args: {unit: 单位}}
    - {id: 单位, by: 结果}
    - {id: 参考范围, to: $this, transform: range, args: {unit: 单位}}
resources:
  report: {type: DiagnosticReport, on: {REC: Report}, keys: owned}
  result:
    type: Observation
    under: report
    on: {ROW: Result}
    keys: observation
    by: [项目代码]
    into: {report: "result[]"}
"""


@pytest.fixture
def lab(house: House) -> Catalog:
    house.table("lab", LAB)
    return house.load("lab")


WIDE = """
columns:
  - {name: 样本号, needed: true}
  - {name: 检验日期, needed: true}
  - {name: WBC, also: [白细胞], item: true}
  - {name: CRP, item: true, unit: mg/L}
key: [检验日期, 样本号]
maps:
  Specimen:
    - {id: 样本号, to: "identifier[]", transform: identifier, args: {kind: specimen}}
  Item:
    - {id: 项目, to: code.text}
    - {id: 结果, to: $this, transform: result, args: {unit: 单位}}
    - {id: 单位, by: 结果}
    - {id: 次序, by: 结果}
    - {id: 检验日期, to: effectiveDateTime, transform: date_time}
resources:
  specimen: {type: Specimen, on: {REC: Specimen}, keys: numbered}
  item: {type: Observation, on: {ITM: Item}, keys: child, parent: specimen, by: [项目, 检验日期], links: {specimen: specimen}}
"""


@pytest.fixture
def wide(house: House) -> Catalog:
    house.table("wide", WIDE)
    return house.load("wide")


def rows(*lines: str) -> bytes:
    """Return lines as a file."""
    return ("\r\n".join(lines) + "\r\n").encode()


@pytest.fixture(scope="session")
def book() -> Catalog:
    """The shipped mappings."""
    return catalog.load([ROOT / "mappings"])


@pytest.fixture(scope="session")
def told(book: Catalog) -> Callable[[str], list[Told]]:
    """Return the records of one table's golden sample."""
    return partial(sampled, book)
