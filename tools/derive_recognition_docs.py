"""Write the tables of docs/recognition.md from profiles/recognition/ and the gates; with --check only say what differs.

Usage: python tools/derive_recognition_docs.py [--check]
"""

import re
import sys
from collections import Counter
from pathlib import Path

from gateway.community.recognition.items import Imaging, Laboratory, Panel
from gateway.community.recognition.knowledge import Knowledge, load
from gateway.community.recognition.outcomes import OUTCOMES

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "recognition.md"
MARK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main(words: list[str]) -> int:
    """Write the page, or compare it; return the exit code."""
    text = PAGE.read_text("utf-8")
    wanted = written(text, load(ROOT / "profiles" / "recognition"))
    if "--check" in words:
        print("as derived" if text == wanted else f"{PAGE.name} differs: run this tool without --check")
        return int(text != wanted)
    PAGE.write_text(wanted, "utf-8")
    return 0


def written(text: str, known: Knowledge) -> str:
    """Return the page with its tables made anew."""
    tables = {"counts": counts, "gates": gates, "outcomes": outcomes, "exceptions": exceptions, "windows": windows}
    return MARK.sub(lambda found: found[1] + table(tables[found[2]](known)) + found[3], text)


def table(rows: list[tuple[str, ...]]) -> str:
    """Return rows as a Markdown table, the first as its head."""
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]) + "\n"


def counts(known: Knowledge) -> list[tuple[str, ...]]:
    """Return how much there is of what."""
    items = known.catalogue.items.values()
    kinds = Counter(type(item).__name__ for item in items)
    quality = sum(len(rows) for rows in known.policy.quality.values())
    spoken = known.catalogue.words
    words = sum(
        len(one.spellings)
        for one in (spoken.specimens, spoken.methods, spoken.conditions, spoken.sides, spoken.modalities, spoken.parts)
    )
    assumed = sum(window.assumed for window in known.policy.windows.values())
    return [
        ("What", "How many", "File"),
        ("laboratory items", str(kinds[Laboratory.__name__]), "`laboratory.yaml`"),
        ("imaging and function items", str(kinds[Imaging.__name__]), "`imaging.yaml`"),
        ("panels", str(kinds[Panel.__name__]), "`laboratory.yaml`, `codes.yaml`"),
        ("LOINC codes, each found in a publication", str(len(known.catalogue.loinc)), "`tools/verify_recognition.py`"),
        ("cover relations, with what follows from chains", str(len(known.catalogue.covers)), "`covers.yaml`, panels"),
        (f"windows, {assumed} of them assumed", str(len(known.policy.windows)), "`windows.yaml`"),
        ("scopes of marks", str(len(known.policy.scopes.scopes)), "`scopes.yaml`"),
        ("when a repeat is justified (E1–E6)", str(len(known.policy.exceptions)), "`exceptions.yaml`"),
        ("lists", str(len(known.policy.lists)), "`lists.yaml`"),
        ("results of quality assessment (the simulated county)", str(quality), "`quality.yaml`"),
        ("prices (the simulated county)", str(len(known.policy.prices)), "`prices.yaml`"),
        ("local codes (the simulated county)", str(len(known.catalogue.local)), "`codes.yaml`"),
        ("words for specimens, methods, parts, sides …", str(words), "`words.yaml`"),
        ("outcomes with their texts in Chinese and English", str(len(OUTCOMES)), "`reasons.yaml`"),
    ]


def gates(known: Knowledge) -> list[tuple[str, ...]]:
    """Return the gates with their codes."""
    rows: list[tuple[str, ...]] = [("Gate", "", "Rule", "Reason codes")]
    for gate in known.reasons.gates.values():
        codes = dict.fromkeys(f"`{one.code}`" for one in OUTCOMES if one.gate == gate.id)
        rows.append((gate.id, f"{gate.zh} {gate.en}", f"{gate.rule_en} ({gate.rule_zh})", ", ".join(codes)))
    return rows


def outcomes(known: Knowledge) -> list[tuple[str, ...]]:
    """Return every outcome with its texts."""
    rows: list[tuple[str, ...]] = [("Gate", "Code", "Detail", "English", "中文")]
    for one in OUTCOMES:
        text = known.reasons.texts[one.code, one.detail]
        rows.append((one.gate or "all passed", f"`{one.code}`", f"`{one.detail}`", text.en, text.zh))
    return rows


def exceptions(known: Knowledge) -> list[tuple[str, ...]]:
    """Return when a repeat is justified."""
    rows: list[tuple[str, ...]] = [("Code", "Circumstances of the order", "Items", "Source")]
    for row, _ in known.policy.exceptions:
        rows.append((row.code, code(row.when), code(row.items), row.source))
    return rows


def windows(known: Knowledge) -> list[tuple[str, ...]]:
    """Return every window with its source."""
    rows: list[tuple[str, ...]] = [("Of", "Patient", "Issuer's level", "Days", "Source")]
    for one in known.policy.windows.values():
        name = f"item {one.item}" if one.item else f"{known.policy.classes[one.group].zh} `{one.group}`"
        level = "any" if one.issuer is None else str(one.issuer)
        rows.append((name, one.patient or "any", level, str(one.days), one.source))
    return rows


def code(words: tuple[str, ...]) -> str:
    """Return words as code, one after the other."""
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
