"""Derives the HL7 v2 tables we ship (structures, segments, datatypes, events) from hl7apy's version tables.

Run: `python tools/derive_hl7v2_tables.py`; it rewrites gateway/formats/data/hl7v2_*.json, byte for byte the same for
the same hl7apy. Definitions that several versions share are written once.
"""

import importlib
import json
import re
from pathlib import Path
from typing import Any

VERSIONS = ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.1", "2.8.2")
DATA = Path(__file__).resolve().parent.parent / "gateway" / "formats" / "data"
CARDINALITY = {(0, 1): "?", (1, 1): "", (0, -1): "*", (1, -1): "+"}
ANY = "ANYHL7SEGMENT"
ACRONYMS = "ID HL7 SSN VIP ISO DNA DRG EIN CCU ICU UPC NDC PID PV1 NK1 OBX OBR"
UPPER = {word.lower(): word for word in ACRONYMS.split()}

# Group names that hl7apy's sources misspell or that only one version calls differently.
GROUP_NAMES = {"TIIMING": "TIMING", "RESPONSE": "PATIENT_RESULT"}
RENAMED = {"ORU_R01": {"RESPONSE"}}

# HL7 table 0354 (v2.8.2, older events from v2.3.1 to v2.6): which trigger events share a structure.
EVENTS = {
    "ADT_A01": "A01 A04 A08 A13",
    "ADT_A02": "A02",
    "ADT_A03": "A03",
    "ADT_A05": "A05 A14 A28 A31",
    "ADT_A06": "A06 A07",
    "ADT_A09": "A09 A10 A11",
    "ADT_A12": "A12",
    "ADT_A15": "A15",
    "ADT_A16": "A16",
    "ADT_A17": "A17",
    "ADT_A18": "A18",
    "ADT_A20": "A20",
    "ADT_A21": "A21 A22 A23 A25 A26 A27 A29 A32 A33",
    "ADT_A24": "A24",
    "ADT_A30": "A30 A34 A35 A36 A46 A47 A48 A49",
    "ADT_A37": "A37",
    "ADT_A38": "A38",
    "ADT_A39": "A39 A40 A41 A42",
    "ADT_A43": "A43",
    "ADT_A44": "A44",
    "ADT_A45": "A45",
    "ADT_A50": "A50 A51",
    "ADT_A52": "A52 A53",
    "ADT_A54": "A54 A55",
    "ADT_A60": "A60",
    "ADT_A61": "A61 A62",
    "BAR_P01": "P01",
    "BAR_P02": "P02",
    "BAR_P05": "P05",
    "BAR_P06": "P06",
    "BAR_P10": "P10",
    "BAR_P12": "P12",
    "DFT_P03": "P03",
    "DFT_P11": "P11",
    "MDM_T01": "T01 T03 T05 T07 T09 T11",
    "MDM_T02": "T02 T04 T06 T08 T10",
    "ORM_O01": "O01",
    "ORR_O02": "O02",
    "OMG_O19": "O19",
    "ORG_O20": "O20",
    "OML_O21": "O21",
    "ORL_O22": "O22",
    "OML_O33": "O33",
    "OML_O35": "O35",
    "OML_O39": "O39",
    "OMP_O09": "O09",
    "ORP_O10": "O10",
    "OMS_O05": "O05",
    "OMN_O07": "O07",
    "OMD_O03": "O03",
    "OMI_O23": "O23",
    "OMB_O27": "O27",
    "ORU_R01": "R01",
    "ORU_R30": "R30 R31 R32",
    "OUL_R21": "R21",
    "OUL_R22": "R22",
    "OUL_R23": "R23",
    "OUL_R24": "R24",
    "QRY_R02": "R02",
    "ORF_R04": "R04",
    "RDE_O11": "O11 O25",
    "RDE_O01": "O01",
    "RRE_O12": "O12",
    "RDS_O13": "O13",
    "RDS_O01": "O01",
    "RRD_O14": "O14",
    "RGV_O15": "O15",
    "RGV_O01": "O01",
    "RRG_O16": "O16",
    "RAS_O17": "O17",
    "RAS_O01": "O01",
    "RRA_O18": "O18",
    "SIU_S12": "S12 S13 S14 S15 S16 S17 S18 S19 S20 S21 S22 S23 S24 S26 S27",
    "SRM_S01": "S01 S02 S03 S04 S05 S06 S07 S08 S09 S10 S11",
    "SRR_S01": "S01 S02 S03 S04 S05 S06 S07 S08 S09 S10 S11",
    "SQM_S25": "S25",
    "SQR_S25": "S25",
    "REF_I12": "I12 I13 I14 I15",
    "RRI_I12": "I12 I13 I14 I15",
    "RPA_I08": "I08 I09 I10 I11",
    "RQA_I08": "I08 I09 I10 I11",
    "RQC_I05": "I05 I06",
    "RQI_I01": "I01 I02 I03 I07",
    "RPI_I01": "I01 I04",
    "MFN_M01": "M01",
    "MFN_M02": "M02",
    "MFN_M03": "M03",
    "MFN_M04": "M04",
    "MFN_M05": "M05",
    "MFN_M06": "M06",
    "MFN_M08": "M08",
    "MFN_M09": "M09",
    "MFN_M10": "M10",
    "MFN_M11": "M11",
    "MFN_M12": "M12",
    "MFN_M13": "M13",
    "MFN_M15": "M15",
    "MFK_M01": "M01 M02 M03 M04 M05 M06 M08 M09 M10 M11 M12 M13 M15",
    "QRY_A19": "A19",
    "ADR_A19": "A19",
    "QBP_Q11": "Q11",
    "QBP_Q13": "Q13",
    "QBP_Q15": "Q15",
    "QBP_Q21": "Q21 Q22 Q23 Q24 Q25",
    "RSP_K11": "K11",
    "RSP_K21": "K21",
    "RSP_K22": "K22",
    "RSP_K23": "K23 K24",
    "RSP_K25": "K25",
    "VXU_V04": "V04",
    "VXQ_V01": "V01",
    "VXR_V03": "V03",
    "VXX_V02": "V02",
    "PPR_PC1": "PC1 PC2 PC3",
    "PGL_PC6": "PC6 PC7 PC8",
    "PMU_B01": "B01 B02",
    "PMU_B03": "B03",
    "PMU_B04": "B04 B05 B06",
    "PMU_B07": "B07",
    "PMU_B08": "B08",
    "CRM_C01": "C01 C02 C03 C04 C05 C06 C07 C08",
    "CSU_C09": "C09 C10 C11 C12",
    "SSU_U03": "U03",
    "SSR_U04": "U04",
    "INU_U05": "U05",
    "ESU_U01": "U01",
}

# What an event we do not know most resembles, by message type (home-made events such as ADT^ZP1).
TYPES = {
    "ACK": "ACK",
    "ADT": "ADT_A01",
    "BAR": "BAR_P01",
    "DFT": "DFT_P03",
    "MDM": "MDM_T02",
    "MFN": "MFN_M01",
    "OMG": "OMG_O19",
    "OML": "OML_O21",
    "OMP": "OMP_O09",
    "ORM": "ORM_O01",
    "ORR": "ORR_O02",
    "ORU": "ORU_R01",
    "OUL": "OUL_R21",
    "PPR": "PPR_PC1",
    "QBP": "QBP_Q11",
    "QRY": "QRY_A19",
    "RAS": "RAS_O17",
    "RDE": "RDE_O11",
    "RDS": "RDS_O13",
    "REF": "REF_I12",
    "RGV": "RGV_O15",
    "RSP": "RSP_K11",
    "SIU": "SIU_S12",
    "SRM": "SRM_S01",
    "VXU": "VXU_V04",
}


def main() -> None:
    """Write the four tables and say how large they are."""
    modules = {v: importlib.import_module("hl7apy.v" + v.replace(".", "_")) for v in VERSIONS}
    structures = _shared({v: _structures(m) for v, m in modules.items()})
    _write("structures", {"versions": VERSIONS, "structures": structures})
    _write("segments", _shared({v: _segments(m) for v, m in modules.items()}))
    _write("datatypes", _shared({v: _datatypes(m) for v, m in modules.items()}))
    _write("events", _events(structures))


def _structures(module: Any) -> dict[str, Any]:
    return {name: _items(module, name, spec[1]) for name, spec in module.MESSAGES.items()}


def _items(module: Any, structure: str, children: Any) -> list[Any]:
    return [_item(module, structure, *child) for child in children if child[0] != ANY]


def _item(module: Any, structure: str, name: str, _ref: Any, cardinality: Any, kind: str) -> Any:
    """Return `PID`, `NTE*`, a choice of segments `OBR/RXO?`, or a group [`PATIENT?`, item, …]."""
    mark = CARDINALITY[tuple(cardinality)]
    if kind == "SEG":
        return name + mark
    rule, children = module.GROUPS[name]
    if rule == "choice" and all(child[3] == "SEG" for child in children):
        return "/".join(child[0] for child in children if child[0] != ANY) + mark
    items = _items(module, structure, children)
    if rule == "choice":
        items = [_optional(item) for item in items]
    return [_group_name(structure, name) + mark, *items]


def _optional(item: Any) -> Any:
    """Return the item of a choice between groups as one that may be absent."""
    head = item if isinstance(item, str) else item[0]
    loose = head if head[-1] in "?*" else head.rstrip("+") + ("*" if head.endswith("+") else "?")
    return loose if isinstance(item, str) else [loose, *item[1:]]


def _group_name(structure: str, name: str) -> str:
    short = name.removeprefix(structure + "_")
    if short == "RESPONSE" and short not in RENAMED.get(structure, ()):
        return short
    return GROUP_NAMES.get(short, short)


def _segments(module: Any) -> dict[str, Any]:
    return {name: _fields(spec) for name, spec in module.SEGMENTS.items() if len(name) == 3}


def _children(spec: Any) -> Any:
    """Return the fields of a segment; hl7apy's 2.1 leaves the wrapper off ORO and the fields off some others."""
    if spec[0] == "sequence":
        return spec[1] if len(spec) > 1 else ()
    return spec


def _fields(spec: Any) -> list[str | None]:
    """Return one `Name|datatype|R*` per field number; None where the version withdrew the field."""
    numbered = {int(child[0].rsplit("_", 1)[1]): child for child in _children(spec)}
    return [_field(numbered.get(number)) for number in range(1, max(numbered, default=0) + 1)]


def _field(child: Any) -> str | None:
    if child is None or tuple(child[2]) == (0, 0):
        return None
    low, high = child[2]
    repeats = "*" if high == -1 else str(high) if high > 1 else ""
    return f"{_title(child[1][-3])}|{child[1][2]}|{'R' if low else ''}{repeats}"


def _datatypes(module: Any) -> dict[str, Any]:
    return {name: [_part(child) for child in parts] for name, parts in module.DATATYPES_STRUCTS.items()}


def _part(child: Any) -> str | None:
    if tuple(child[2]) == (0, 0):
        return None
    return f"{_title(child[1][3])}|{child[1][2]}|{'R' if child[2][0] else ''}"


def _title(name: str) -> str:
    words = re.sub(r"_+", " ", name).strip().capitalize().split(" ")
    return " ".join(UPPER.get(word.lower(), word) for word in words)


def _shared(versions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return name -> [[versions…], definition] with equal definitions written once, oldest first."""
    merged: dict[str, list[tuple[list[str], Any]]] = {}
    for version, table in versions.items():
        for name, definition in table.items():
            entries = merged.setdefault(name, [])
            same = next((versions for versions, known in entries if known == definition), None)
            if same is None:
                entries.append(([version], definition))
            else:
                same.append(version)
    return dict(sorted(merged.items()))


def _events(structures: dict[str, Any]) -> dict[str, Any]:
    events = {}
    for structure, names in EVENTS.items():
        if structure in structures:
            kind = structure.split("_")[0]
            events.update({f"{kind}^{event}": structure for event in names.split()})
    for structure in structures:
        events.setdefault(structure.replace("_", "^"), structure)
    return {"events": dict(sorted(events.items())), "types": TYPES}


def _write(name: str, table: Any) -> None:
    path = DATA / f"hl7v2_{name}.json"
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":")).replace('],"', '],\n"') + "\n"
    path.write_text(text, encoding="utf-8")
    print(f"{path.name}: {len(text):,} characters")


if __name__ == "__main__":
    main()
