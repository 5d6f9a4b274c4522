"""Import of code files a site may use (ICD-10, drugs, LOINC, items): read from any table format, kept by version."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway import clock
from gateway.errors import Category, GatewayError
from gateway.formats import sheet
from gateway.formats.sheet import Row, Sheet
from gateway.store.engine import Store
from gateway.store.terminology import CodeSystem, Concept, NewSystem

_LOOKED = 20  # rows in which the header must stand

# Headers of code files as publishers write them, in order of preference.
HEADERS: Mapping[str, tuple[str, ...]] = {
    "code": (
        "编码", "代码", "疾病编码", "诊断编码", "主要编码", "手术编码", "药品编码", "药品代码", "项目编码", "项目代码",
        "本地项目代码", "医保编码", "code", "concept_id", "loinc_num", "icd", "icdcode",
    ),
    "display": (
        "名称", "中文名称", "疾病名称", "诊断名称", "手术名称", "药品名称", "通用名", "项目名称", "本地项目名称",
        "display", "name", "long_common_name", "shortname", "component", "term",
    ),
    "parent": ("上级编码", "上级代码", "父编码", "类目编码", "parent", "parent_code"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did; `new` is False when this very file was imported before."""

    system: CodeSystem
    new: bool
    passed_over: tuple[str, ...] = ()


def import_file(
    store: Store, raw: bytes, *, url: str, version: str, title: str = "", source: str = "", columns: Mapping[str, str]
) -> Imported:
    """Store a code file as one version of a system, whole or not at all.

    `columns` names the columns of code, display and parent where they are not found by their usual headers. The same
    file again changes nothing; another file for a version that is there is refused, as is one with a code twice under
    different names.
    """
    digest = hashlib.sha256(raw).digest()
    found, passed_over = concepts(sheet.read(raw), columns)
    with store.write() as tx:
        same = [one for one in tx.code_systems(url) if one.version == version]
        if same and same[0].digest == digest:
            return Imported(same[0], new=False)
        if same:
            text = f"{url} {version} is there already, read from {same[0].source or 'another file'}"
            raise GatewayError(f"{text}; give this one a version of its own.", category=Category.CONFLICT)
        new = NewSystem(url, version, title, source, digest, clock.now_us())
        return Imported(tx.code_system_add(new, found), new=True, passed_over=tuple(passed_over))


def concepts(sheets: Sequence[Sheet], columns: Mapping[str, str]) -> tuple[list[Concept], list[str]]:
    """Return the concepts of a code file, and a sentence for each row passed over."""
    for one in sheets:
        at = _header(one, columns)
        if at is not None:
            return _read(one, *at)
    wanted = " and ".join(repr(columns.get(name, HEADERS[name][0])) for name in ("code", "display"))
    seen = "; ".join(",".join(one.rows[0].cells[:8]) for one in sheets if one.rows)
    raise GatewayError(
        f"No line has the headers {wanted} (seen first: {seen}). Name the columns with --code, --display."
    )


def _header(one: Sheet, columns: Mapping[str, str]) -> tuple[int, dict[str, int]] | None:
    for number, row in enumerate(one.rows[:_LOOKED]):
        names = [cell.strip().casefold() for cell in row.cells]
        places = {name: _place(names, columns.get(name, ""), usual) for name, usual in HEADERS.items()}
        if places["code"] >= 0 and places["display"] >= 0:
            return number, places
    return None


def _place(names: Sequence[str], told: str, usual: Sequence[str]) -> int:
    wanted = (told.strip().casefold(),) if told else usual
    return next((names.index(name) for name in wanted if name in names), -1)


def _read(one: Sheet, header: int, places: Mapping[str, int]) -> tuple[list[Concept], list[str]]:
    found: dict[str, Concept] = {}
    passed_over: list[str] = []
    for row in one.rows[header + 1 :]:
        code, display, parent = (_cell(row, places[name]) for name in ("code", "display", "parent"))
        if row.fault or not code or not display:
            if any(cell.strip() for cell in row.cells):
                passed_over.append(f"line {row.line}: {row.fault or 'no code or no name'}")
            continue
        before = found.setdefault(code, Concept(code, display, parent))
        if before.display != display:
            text = f"line {row.line}: code {code} is {before.display!r} and {display!r}; a code has one meaning."
            raise GatewayError(text)
    if not found:
        raise GatewayError("There is no code under the header; nothing was imported.")
    return list(found.values()), passed_over


def _cell(row: Row, place: int) -> str:
    return row.cells[place].strip() if 0 <= place < len(row.cells) else ""


def systems(store: Store) -> list[CodeSystem]:
    """Return every imported version."""
    with store.read() as tx:
        return tx.code_systems()


def look_up(store: Store, code: str, url: str = "") -> Iterator[tuple[CodeSystem, Concept]]:
    """Yield what a code means in each version imported, of one system or of all, newest import first."""
    with store.read() as tx:
        for system in reversed(tx.code_systems(url)):
            concept = tx.concepts(system.id, [code]).get(code)
            if concept is not None:
                yield system, concept
