"""Prints the guide coverage: python -m tools.guide [--type ORU_R01] [--misses DIR] [--codes] [--write-messages]."""

import argparse
import sys
from collections import Counter
from pathlib import Path

import yaml

from tools.guide import coverage, exercise, gateway_output, tables
from tools.guide.coverage import Deviation, Mapper, Report
from tools.guide.oracle import Pair
from tools.guide.tables import Guide

ROOT = Path(__file__).parents[2]
TABLES = ROOT.parent / "shared" / "reference" / "v2-to-fhir"
MESSAGES = ROOT / "tests" / "guide" / "messages"
DEVIATIONS = ROOT / "docs" / "guide-deviations.yaml"
STORED = 2
SCOPE = [
    "ADT_A01", "ADT_A02", "ADT_A05", "ADT_A06", "ADT_A09", "ADT_A11", "ORU_R01", "ORM_O01", "OML_O21",
    "SIU_S12", "MDM_T02", "VXU_V04",
]  # fmt: skip
HEAD = (
    f"{'message':8} {'pairs':>5} {'C1':>6} {'C2':>6} {'C3':>6} {'C3+D':>6} | "
    f"{'right':>5} {'partly':>6} {'deviates':>8} {'wrong':>5} {'unjudged':>8} {'never':>5}"
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code (2 when the tables are not there)."""
    options = _options(arguments)
    if not (options.tables / "segments").is_dir():
        print(f"GUIDE COVERAGE NOT COUNTED: no tables at {options.tables}", file=sys.stderr)
        return 2
    guide = tables.load(options.tables)
    structures = options.type or SCOPE
    if options.write_messages:
        return _write_messages(guide, structures)
    mapper, declared = gateway_output.load(options.mappings)
    reports = _measure(guide, structures, mapper, declared, read_deviations(options.deviations))
    _print(reports)
    for report in reports:
        _misses(report, options.misses)
    if options.codes:
        _codes(guide, structures, mapper, options.misses)
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.guide", description=__doc__)
    parser.add_argument("--tables", type=Path, default=TABLES, help="folder of the guide's tables")
    parser.add_argument("--mappings", type=Path, nargs="+", default=[ROOT / "mappings"])
    parser.add_argument("--deviations", type=Path, default=DEVIATIONS)
    parser.add_argument("--type", nargs="+", metavar="ORU_R01", help="message structures (default: those in scope)")
    parser.add_argument("--misses", type=Path, metavar="DIR", help="write misses-TYPE.txt there ('-' prints)")
    parser.add_argument("--codes", action="store_true", help="count code pairs too (C4; takes a minute)")
    parser.add_argument("--write-messages", action="store_true", help="write tests/guide/messages anew")
    return parser.parse_args(arguments)


def read_deviations(path: Path) -> list[Deviation]:
    """Read the documented deviations; no file means none."""
    return coverage.deviations(yaml.safe_load(path.read_text(encoding="utf-8")) or []) if path.is_file() else []


def stored(structure: str) -> list[str]:
    """Return the stored exercise messages of a structure, lines ended by CR; none when there is no file."""
    path = MESSAGES / f"{structure}.hl7"
    if not path.is_file():
        return []
    return [block.strip("\n").replace("\n", "\r") + "\r" for block in path.read_text("utf-8").split("\n\n") if block]


def as_file(texts: list[str]) -> str:
    """Return messages as they are stored: LF lines, an empty line between two messages."""
    return "\n".join(text.replace("\r", "\n") for text in texts)


def _write_messages(guide: Guide, structures: list[str]) -> int:
    MESSAGES.mkdir(parents=True, exist_ok=True)
    for structure in structures:
        texts = exercise.messages(guide, structure)[:STORED]
        (MESSAGES / f"{structure}.hl7").write_text(as_file(texts), encoding="utf-8", newline="\n")
        print(f"{structure}: {len(texts)} messages")
    return 0


def _measure(
    guide: Guide,
    structures: list[str],
    mapper: Mapper,
    declared: dict[str, set[Pair]] | None,
    excuses: list[Deviation],
) -> list[Report]:
    return [
        coverage.measure(
            guide,
            structure,
            mapper,
            None if declared is None else declared.get(structure, set()),
            excuses,
        )
        for structure in structures
    ]


def _print(reports: list[Report]) -> None:
    print(HEAD)
    total: Counter[str] = Counter()
    for report in reports:
        figures = report.tally() | {"pairs": len(report.pairs)}
        total.update(figures)
        print(_line(report.structure, figures))
    if len(reports) > 1:
        print(_line("all", total))
    _print_deviations(reports)
    for report in reports:
        for failure in report.failures:
            print(f"MAPPER FAILED {failure}")


def _line(name: str, figures: dict[str, int] | Counter[str]) -> str:
    pairs = figures["pairs"] or 1

    def share(count: int) -> str:
        return f"{100 * count / pairs:5.1f}%" if count >= 0 else "     -"

    with_deviations = figures["right"] + figures["partly"] + figures["deviates"]
    return (
        f"{name:8} {pairs:5} {share(figures['declared'])} {share(figures['exercised'])} {share(figures['right'])} "
        f"{share(with_deviations)} | {figures['right']:5} {figures['partly']:6} {figures['deviates']:8} "
        f"{figures['wrong']:5} {figures['unjudged']:8} {figures['unexercised']:5}"
    )


def _print_deviations(reports: list[Report]) -> None:
    reasons: Counter[str] = Counter()
    for report in reports:
        for pair in report.pairs:
            state = report.state(pair)
            if state == "deviates":
                reasons[report.deviating[pair]] += 1
            elif state == "partly":
                reasons.update(report.counts[pair].excused)
    for reason, count in reasons.most_common():
        print(f"D {count:4} pairs  {reason}")


def _misses(report: Report, where: Path | None) -> None:
    lines = [str(miss) for miss in report.misses()]
    lines += _not_judged(report)
    if report.declared is not None:
        lines += [f"not declared: {m} {f}" for m, f in report.pairs if (m, f) not in report.declared]
    if where is None:
        return
    if str(where) == "-":
        print("\n".join(lines))
    else:
        (where / f"misses-{report.structure}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _not_judged(report: Report) -> list[str]:
    found = []
    for pair in report.pairs:
        if report.state(pair) in ("unjudged", "unexercised"):
            reasons = set(report.counts[pair].unjudged.values()) if pair in report.counts else set()
            found.append(f"not judged: {pair[0]} {pair[1]}: {'; '.join(sorted(reasons)) or 'no exercise reaches it'}")
    return found


def _codes(guide: Guide, structures: list[str], mapper: Mapper, where: Path | None) -> None:
    honoured, first = coverage.codes(guide, structures, mapper)
    total = sum(len(pairs) for pairs in guide.codes.values())
    distinct = {(pair.map, pair.code) for pairs in guide.codes.values() for pair in pairs}
    right = sum(honoured.values())
    print(f"C4 code pairs: {right} honoured, {len(honoured)} reached, {len(distinct)} distinct codes, {total} pairs")
    if where and str(where) != "-":
        missed = {code: text for code, text in first.items() if not honoured[code]}
        lines = [f"{name} {code}: {text}" for (name, code), text in sorted(missed.items())]
        lines += _never_reached(guide, honoured)
        (where / "misses-codes.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _never_reached(guide: Guide, honoured: dict[coverage.Code, bool]) -> list[str]:
    """Name the vocabularies with codes that no message in scope carries."""
    reached: Counter[str] = Counter(tables.plain(name) for name, _ in honoured)
    sizes = {pairs[0].map: (len(pairs), reached[name]) for name, pairs in guide.codes.items() if pairs}
    return [f"not reached: {name} {size - seen} of {size} codes" for name, (size, seen) in sizes.items() if seen < size]


if __name__ == "__main__":
    sys.exit(main())
