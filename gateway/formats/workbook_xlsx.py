"""Reads XLSX workbooks: values as stored, digits kept, number formats applied, memory in proportion to the cells."""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.formats import workbook_xml as markup
from gateway.formats.sheet_model import NotATable, Sheet, error_issue, hidden_issue
from gateway.formats.workbook_grid import Area, Grid
from gateway.formats.workbook_values import BUILT_IN, Writer, number, writer

LARGEST = 400 << 20  # bytes of all parts, uncompressed
_MOST_PARTS = 10_000
_MOST_COLUMNS = 16_384
_MOST_ROWS = 1_048_576
_TOKEN = re.compile(
    r'<(?:\w+:)?(?:c(?: r="([A-Z]{1,3})([0-9]+)")?(?: s="([0-9]+)")?(?: t="(\w+)")?'
    r"((?:\s[^>]*?)?)(?:/>|>(.*?)</(?:\w+:)?c>)|row\b([^>]*)>)",
    re.S,
)
_VALUE = re.compile(r"<(?:\w+:)?v\b[^>]*?>(.*?)</(?:\w+:)?v>", re.S)
_REFERENCE = re.compile("([A-Z]{1,3})([0-9]+)")
_SHARED = re.compile(r"<(?:\w+:)?si\b[^>]*?(?:/>|>(.*?)</(?:\w+:)?si>)", re.S)
_MERGED = re.compile(r'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+[0-9]+):([A-Z]+[0-9]+)"')


@dataclass(slots=True)
class _Book:
    """What the sheets of a workbook share: its parts, texts, and a writer for each cell style."""

    parts: zipfile.ZipFile
    names: dict[str, str]
    shared: list[str] = field(default_factory=list)
    styles: list[Writer] = field(default_factory=list)

    def xml(self, name: str) -> str:
        """Return a part as text without comments and CDATA, '' when it does not exist; raises NotATable if damaged."""
        stored = self.names.get(name.lstrip("/").lower())
        if stored is None:
            return ""
        try:
            raw = self.parts.read(stored)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise markup.damaged(f"its part {name} cannot be unpacked ({error})") from error
        return markup.markup(raw, name)


def read(raw: bytes) -> list[Sheet]:
    """Return the sheets of an XLSX workbook that hold text; raises NotATable when damaged, too large or no workbook."""
    try:
        parts = zipfile.ZipFile(io.BytesIO(raw))
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError) as error:
        raise markup.damaged(f"the archive is cut off or broken ({error})") from error
    with parts:
        _check(parts)
        # Some writers use backslashes, or capitals that the relations do not have.
        book = _Book(parts, {name.replace("\\", "/").lower(): name for name in parts.namelist()})
        return [sheet for sheet in _read(book) if sheet.rows]


def _read(book: _Book) -> Iterator[Sheet]:
    where = _workbook_part(book)
    workbook = book.xml(where)
    rels = book.xml(_beside(where, f"_rels/{posixpath.basename(where)}.rels"))
    targets = {found.get("Id", ""): found for found in markup.elements(rels, "Relationship")}
    base_1904 = markup.attributes_of(workbook, "workbookPr").get("date1904", "0") in ("1", "true")
    book.shared = list(_shared(book.xml(_related(targets, "sharedStrings", where))))
    book.styles = list(_styles(book.xml(_related(targets, "styles", where)), base_1904))
    return _sheets(book, workbook, targets, where)


def _related(targets: dict[str, dict[str, str]], kind: str, where: str) -> str:
    """Return the part that the workbook's relations give for `kind`, the usual one when they do not."""
    found = (one.get("Target", "") for one in targets.values() if one.get("Type", "").endswith(f"/{kind}"))
    return _beside(where, next(found, "") or f"{kind}.xml")


def _check(parts: zipfile.ZipFile) -> None:
    names = [name.replace("\\", "/").lower() for name in parts.namelist()]
    if sum(part.file_size for part in parts.infolist()) > LARGEST or len(names) > _MOST_PARTS:
        raise NotATable(f"The workbook unpacks to more than {LARGEST >> 20} MiB; ask for it in parts, or as CSV.")
    if any(part.flag_bits & 1 for part in parts.infolist()):
        raise NotATable("The archive is protected by a password; ask the sender to send it without one.")
    if any(name.endswith("workbook.bin") for name in names):
        raise NotATable("The file is an Excel binary workbook (XLSB); ask the sender to save it as XLSX or CSV.")
    if not any(name.startswith("xl/") for name in names):
        raise NotATable("The file is a ZIP archive without an Excel workbook; send the CSV or XLSX file itself.")


def _workbook_part(book: _Book) -> str:
    targets = [
        found["Target"].lstrip("/")
        for found in markup.elements(book.xml("_rels/.rels"), "Relationship")
        if found.get("Type", "").endswith("/officeDocument") and "Target" in found
    ]
    return targets[0] if targets else "xl/workbook.xml"


def _beside(part: str, target: str) -> str:
    if target.startswith("/"):
        return target[1:]
    return posixpath.normpath(posixpath.join(posixpath.dirname(part), target))


def _sheets(book: _Book, workbook: str, targets: dict[str, dict[str, str]], where: str) -> Iterator[Sheet]:
    named = list(markup.elements(workbook, "sheet"))
    if not named:
        raise markup.damaged("it names no sheets")
    for found in named:
        target = targets.get(next((value for key, value in found.items() if key.endswith(":id")), ""), {})
        if target.get("Type", "/worksheet").endswith("/worksheet"):
            part = _beside(where, target.get("Target", ""))
            yield _sheet(book, part, found)


def _sheet(book: _Book, part: str, found: dict[str, str]) -> Sheet:
    name = found.get("name", "")
    xml = book.xml(part)
    if not xml:
        raise markup.damaged(f"the part of its sheet '{name}' is missing")
    grid, errors = _grid(book, xml)
    grid.areas = list(_merged(xml))
    issues = hidden_issue(name) if found.get("state", "visible") != "visible" else ()
    return Sheet(grid.rows(), "xlsx", "utf-8", "", name, (*issues, *error_issue(errors)))


def _grid(book: _Book, xml: str) -> tuple[Grid, list[str]]:
    """Return the cells of a sheet and the references of those that hold an error."""
    grid, errors = Grid(), list[str]()
    row, column, cells = 0, -1, dict[int, str]()
    columns: dict[str, int] = {}
    for found in _TOKEN.finditer(xml):
        letters, digits, style, kind, rest, body, opened = found.groups()
        if opened is not None:
            row, column = _row_number(markup.attributes(opened).get("r"), row), -1
            cells = grid.cells.setdefault(row, {})
            continue
        if rest:
            letters, style, kind = _loose(rest, letters, style, kind)
        if letters and letters not in columns:
            columns[letters] = _column(letters)
        column = columns[letters] if letters else column + 1
        text = _text(book, kind, style, body) if body else ""
        cells[column] = text
        if kind == "e" and text:
            errors.append(f"{letters or column + 1}{digits or row}")
    return grid, errors


def _loose(rest: str, letters: str | None, style: str | None, kind: str | None) -> tuple[str | None, ...]:
    """Return reference letters, style and type of a cell whose attributes stand in an unusual order."""
    named = markup.attributes(rest)
    reference = _REFERENCE.fullmatch(named.get("r", ""))
    return (reference.group(1) if reference else letters), named.get("s", style), named.get("t", kind)


def _text(book: _Book, kind: str | None, style: str | None, body: str) -> str:
    if kind == "inlineStr":
        bare = body[7:-9] if body.startswith("<is><t>") else "<"
        return markup.rich(body) if "<" in bare else markup.plain(bare)
    if body.startswith("<v>") and body.endswith("</v>"):
        value = body[3:-4]
    else:
        found = _VALUE.search(body)
        value = found.group(1) if found else ""
    if kind == "s":
        return _pick(book.shared, value)
    if kind in (None, "n"):
        return _number(book, style, value) if value else ""
    if kind == "b":
        return {"1": "TRUE", "0": "FALSE"}.get(value, value)
    return markup.plain(value)


def _pick(shared: list[str], index: str) -> str:
    place = markup.count(index)
    if place is None or place >= len(shared):
        raise markup.damaged(f"a cell refers to the text number '{index}' of {len(shared)}")
    return shared[place]


def _number(book: _Book, style: str | None, value: str) -> str:
    index = markup.count(style or "") or 0
    return book.styles[index](value) if index < len(book.styles) else number(value)


def _shared(xml: str) -> Iterator[str]:
    return (markup.rich(found.group(1) or "") for found in _SHARED.finditer(xml))


def _styles(xml: str, base_1904: bool) -> Iterator[Writer]:
    """Yield what writes the numbers of each cell style (cellXfs)."""
    patterns = dict(BUILT_IN)
    for found in markup.elements(xml, "numFmt"):
        patterns[markup.count(found.get("numFmtId", ""))] = markup.plain(found.get("formatCode", ""))
    formats = re.search(r"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", xml, re.S)
    for found in markup.elements(formats.group(), "xf") if formats else ():
        yield writer(patterns.get(markup.count(found.get("numFmtId", "0")), ""), base_1904)


def _merged(xml: str) -> Iterator[Area]:
    for first, last in _MERGED.findall(xml, max(xml.rfind("</sheetData>"), 0)) or _MERGED.findall(xml):
        start, end = _REFERENCE.fullmatch(first), _REFERENCE.fullmatch(last)
        if start and end:
            top, bottom = _row_number(start.group(2), 0), _row_number(end.group(2), 0)
            yield Area(top, _column(start.group(1)), bottom, _column(end.group(1)))


def _column(letters: str) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    if index > _MOST_COLUMNS:
        raise markup.damaged(f"it has a column {letters}")
    return index - 1


def _row_number(said: str | None, before: int) -> int:
    """Return the row's own number, or the one after the row before; raises NotATable beyond Excel's last row."""
    row = before + 1 if said is None else markup.count(said)
    if row is None or not 0 < row <= _MOST_ROWS:
        raise markup.damaged(f"it has a row '{said}'")
    return row
