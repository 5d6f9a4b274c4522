"""Valid, distinguishable sample values for every v2 data type the guide's tables read."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from tools.guide.tables import Guide

PARTS: dict[str, list[str]] = {
    "CX": ["ST", "NM", "ID", "HD", "ID", "", "DT", "DT"],
    "XPN": ["FN", "ST", "ST", "ST", "ST", "ST", "ID", "", "", "DR", "ID", "DTM", "DTM", "ST"],
    "FN": ["ST", "ST", "ST", "ST", "ST"],
    "SAD": ["ST", "ST", "ST"],
    "XAD": ["SAD", "ST", "ST", "ST", "PC", "CC", "ID", "", "CWE", "CWE", "", "DR", "DTM", "DTM"],
    "XTN": ["TEL", "ID", "ID", "MAIL", "N2", "N3", "N8", "N3", "", "", "", "TEL", "DTM", "DTM", "", "", "", "NM"],
    "CWE": ["ST", "ST", "SYS", "ST", "ST", "SYS2", "NM", "NM", "ST", "ST", "ST", "SYS3", "NM"],
    "EI": ["ST", "IS", "OID", "ISO"],
    "EIP": ["EI", "EI"],
    "HD": ["IS", "OID", "ISO"],
    "PL": ["HD", "HD", "HD", "HD", "", "", "HD", "HD", "ST"],
    "XCN": [
        "ST", "FN", "ST", "ST", "ST", "ST", "ID", "", "HD", "ID", "NM", "ID", "ID", "", "", "", "DR", "ID",
        "DTM", "DTM", "ST",
    ],
    "XON": ["ST", "", "NM", "NM", "ID", "HD", "ID", "", "", "ST"],
    "DR": ["DTM", "DTM"],
    "CQ": ["NM", "UNIT"],
    "TQ": ["CQ", "", "", "DTM", "DTM", "ID", "", "TX", "", "", "", "NM"],
    "NDL": ["CNN", "DTM", "DTM"],
    "CNN": ["ST", "ST", "ST", "ST", "ST", "ST", "ST"],
    "SPS": ["CWE", "CWE", "TX", "CWE", "", "CWE"],
    "DLN": ["ST", "CWE", "DT"],
    "DLD": ["CWE", "DTM"],
    "PT": ["ID", "ID"],
    "RPT": ["CWE", "", "", "", "NM", "TIME", "", "ID"],
    "RI": ["IS", "ST"],
    "FC": ["CWE"],
    "PLN": ["ST", "CWE", "", "DT"],
    "OG": ["ST", "NM", "NM", "ST"],
    "ED": ["HD", "", "MIME", "B64", "DATA"],
    "RP": ["URL", "HD", "TYPE", "SUBTYPE"],
    "NR": ["NM", "NM"],
    "VR": ["ST", "ST"],
    "NA": ["NM", "NM", "NM"],
}  # fmt: skip
PARTS |= {"CE": PARTS["CWE"][:6], "CNE": PARTS["CWE"], "CF": PARTS["CWE"]}
USED: dict[str, list[list[int]]] = {
    "XTN": [[1, 2, 3], [2, 3, 4], [2, 3, 5, 6, 7], [2, 3, 5, 6, 7, 8, 13], [3, 12, 14, 18], [2, 3, 6, 7]],
    "XPN": [[1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 14], [1, 2, 7, 10], [1, 2]],
    "XCN": [
        [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 18, 19, 20, 21],
        [1, 2, 3, 9, 13, 17],
        [1, 2, 3],
    ],
    "XAD": [[1, 2, 3, 4, 5, 6, 7, 9, 10, 13, 14], [1, 3, 4, 5, 7, 12], [1, 3, 9]],
    "CX": [[1, 4, 5], [1, 2, 3, 4, 5, 7, 8]],
    "CWE": [[1, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 5, 6, 10, 11, 12]],
    "CNE": [[1, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 5, 6, 10, 11, 12]],
    "CF": [[1, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]],
    "HD": [[1], [1, 2, 3]],
    "EI": [[1], [1, 2], [1, 2, 3, 4]],
    "FN": [[1], [1, 2, 3, 4, 5]],
    "SAD": [[1], [1, 2, 3]],
    "XON": [[1, 6, 7, 10], [1, 3, 4, 5, 6, 7], [1, 10]],
    "PL": [[1, 2, 3, 4], [1, 2, 3, 4, 7, 8, 9], [1, 4], [2, 3, 4]],
}
FIXED: dict[str, Callable[[int], str]] = {
    "TEL": lambda n: f"100{n:08d}",
    "MAIL": lambda n: f"box{n}@mail.example",
    "N2": lambda n: "86",
    "N3": lambda n: f"0{n % 90 + 10}",
    "N8": lambda n: f"{55000000 + n}",
    "NM": str,
    "SI": lambda n: "1",
    "PC": lambda n: f"{400000 + n}",
    "CC": lambda n: "CHN",
    "OID": lambda n: f"1.2.156.999.{n}",
    "ISO": lambda n: "ISO",
    "SYS": lambda n: "SCT",
    "SYS2": lambda n: "99LOC",
    "SYS3": lambda n: "I10",
    "UNIT": lambda n: "mL",
    "TIME": lambda n: "d",
    "MIME": lambda n: "pdf",
    "B64": lambda n: "Base64",
    "DATA": lambda n: "JVBERi0xLjQK",
    "URL": lambda n: f"http://pacs.example/doc/{n}",
    "TYPE": lambda n: "image",
    "SUBTYPE": lambda n: "jpeg",
    "DT": lambda n: f"2024{n % 12 + 1:02d}{n % 28 + 1:02d}",
    "TM": lambda n: f"{n % 24:02d}{n % 60:02d}00",
    "DTM": lambda n: f"2025{n % 12 + 1:02d}{n % 28 + 1:02d}{n % 24:02d}{n % 60:02d}{n % 59:02d}",
}
FIXED["TS"] = FIXED["DTM"]
WORDS = "衡山岳麓湘江沅水资阳澧浦潇河洞庭"
ADDRESS_TYPES = ["H", "M", "B", "SH", "C", "HV"]


@dataclass(slots=True)
class Maker:
    """Makes values; every call gives a new one, and `turn` picks the components and the codes used."""

    guide: Guide
    turn: int
    every_code: bool
    numbers: "count[int]"

    def value(self, kind: str, tag: str, vocabulary: str = "", deep: int = 0) -> str:
        """Return a value of a v2 type; `tag` marks texts, `deep` is 0 for fields, 1 for components."""
        if kind in PARTS and deep < 2:
            return self._parts(kind, tag, vocabulary, deep)
        if vocabulary and self.guide.vocabulary(vocabulary):
            return self.code(vocabulary)
        number = next(self.numbers)
        if kind in FIXED:
            return FIXED[kind](number)
        if kind in ("ID", "IS") and not tag:
            return f"K{number}"
        return f"{WORDS[number % len(WORDS)]}{tag}n{number}" if kind in ("ST", "TX", "FT") else f"{tag}n{number}"

    def code(self, vocabulary: str) -> str:
        """Return one of the codes of a vocabulary map."""
        pairs = self.guide.vocabulary(vocabulary)
        return pairs[self.turn % len(pairs)].code

    def _parts(self, kind: str, tag: str, vocabulary: str, deep: int) -> str:
        shapes = USED.get(kind, [list(range(1, len(PARTS[kind]) + 1))])
        shape = shapes[self.turn % len(shapes)]
        cells = [""] * len(PARTS[kind])
        for number in shape:
            inner = self._inner(kind, number)
            if number <= len(cells) and PARTS[kind][number - 1]:
                cells[number - 1] = self.value(PARTS[kind][number - 1], f"{tag}c{number}", inner, deep + 1)
        self._settle(kind, cells, vocabulary)
        return ("^" if deep == 0 else "&").join(cells).rstrip("^&")

    def _equipment(self) -> str:
        codes = [pair.code for pair in self.guide.vocabulary("TelecommunicationEquipmentType")]
        phones = [code for code in codes if code not in ("Internet", "X.400")]
        return phones[self.turn % len(phones)] if phones and self.every_code else "FX" if self.turn % 4 == 3 else "PH"

    def _inner(self, kind: str, number: int) -> str:
        """Return the vocabulary that some data type table names for a component."""
        return self.guide.component_vocabularies().get(f"{kind}.{number}", "")

    def _settle(self, kind: str, cells: list[str], vocabulary: str) -> None:
        """Make the components agree with each other and with the vocabulary."""
        pairs = self.guide.vocabulary(vocabulary)
        if kind in ("CWE", "CE", "CNE", "CF", "DLD", "FC") and pairs:
            pair = pairs[self.turn % len(pairs)]
            cells[0] = pair.code
            if kind[0] == "C" and len(cells) > 2:
                cells[2] = pair.code_system
        if kind == "HD" and len(cells) > 2 and cells[2] and not self.every_code:
            cells[2] = "DNS" if self.turn % 4 == 3 else "ISO"
        if kind == "XTN":
            cells[2] = "Internet" if cells[3] else self._equipment()
        if kind == "XAD" and cells[6]:
            kinds = [*ADDRESS_TYPES, "BA", "BI", "O"] if self.every_code else ADDRESS_TYPES
            cells[6] = kinds[self.turn % len(kinds)]
        if kind in ("XCN", "CX") and len(cells) > 4:
            where = 12 if kind == "XCN" else 4
            cells[where] = cells[where] and ("EI" if kind == "XCN" else "MR")
