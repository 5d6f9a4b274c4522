"""Derive profiles/{structures,valuesets,codesystems,conceptmaps,searchparameters} from tools/definitions/*.yaml.

Usage: python tools/derive_definitions.py [--check] [ROOT]
ROOT is the checkout. --check writes nothing and says which files differ (exit code 1). Concept maps are made of the
code maps in mappings/, so that what we publish is what we do. The tables of docs/profiles.md are made here too.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]

BASE = "https://yigong.example/fhir"
CORE = "http://hl7.org/fhir/StructureDefinition/"
DAY = "2026-11-22"
CLAIMED = {"system": f"{BASE}/CodeSystem/profile-use", "code": "claimed"}
CN = [{"coding": [{"system": "urn:iso:std:iso:3166", "code": "CN"}]}]
FIRST = 20000
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MARK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main(words: list[str]) -> int:
    """Write or check every derived file; return the exit code."""
    root = Path(next((word for word in words if not word.startswith("-")), Path(__file__).resolve().parents[1]))
    wanted = derive(root)
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    left = [path for path in ours(root) if path not in wanted]
    if "--check" in words:
        for path in [*stale, *left]:
            print(f"{path.relative_to(root)} is not what the definitions say: run tools/derive_definitions.py")
        return 1 if stale or left else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], "utf-8")
    for path in left:
        path.unlink()
    print(f"{len(wanted)} files, {len(stale)} written, {len(left)} removed")
    return 0


def derive(root: Path) -> dict[Path, str]:
    """Return the text of every derived file by its path."""
    made = {root / "profiles" / name: _text(definition) for name, definition in definitions(root).items()}
    page = root / "docs" / "profiles.md"
    if page.exists():
        made[page] = MARK.sub(lambda found: found[1] + TABLES[found[2]](root) + found[3], page.read_text("utf-8"))
    return made


def ours(root: Path) -> Iterator[Path]:
    """Yield the files of the folders that hold nothing but derived ones."""
    for folder in ("structures", "valuesets", "codesystems", "conceptmaps", "searchparameters"):
        yield from sorted((root / "profiles" / folder).glob("*.json"))


def definitions(root: Path) -> dict[str, Json]:
    """Return every derived definition by its path below profiles/."""
    made: dict[str, Json] = {}
    for name, one in source(root, "extensions").items():
        made[f"structures/extension-{name}.json"] = extension(name, one)
    for name, one in source(root, "profiles").items():
        made[f"structures/{name}.json"] = profile(name, one)
    systems = source(root, "codesystems")
    for name, one in systems.items():
        made[f"codesystems/{name}.json"] = code_system(name, one)
    for name, one in source(root, "valuesets").items():
        made[f"valuesets/{name}.json"] = value_set(name, one or {}, systems)
    maps = code_maps(root)
    for name, one in source(root, "conceptmaps").items():
        made[f"conceptmaps/{name}.json"] = concept_map(name, one, maps, systems)
    for name, one in source(root, "searchparameters").items():
        made[f"searchparameters/{name}.json"] = search_parameter(name, one)
    _numbered(source(root, "searchparameters"))
    return made


def source(root: Path, name: str) -> dict[str, Json]:
    """Return one file of tools/definitions."""
    return _yaml(root / "tools" / "definitions" / f"{name}.yaml")


def _text(definition: Json) -> str:
    return json.dumps(definition, ensure_ascii=False, indent=2) + "\n"


def _head(kind: str, name: str, one: Json, url: str = "") -> Json:
    head = {"resourceType": kind, "id": name, "url": url or f"{BASE}/{kind}/{name}"}
    head |= {"version": one["version"]} if "version" in one else {}
    head |= {"name": one.get("name") or _name(name), "title": one["title"], "status": "active", "experimental": False}
    return head | {"date": DAY, "publisher": "Yigong Gateway", "description": one.get("text") or one.get("en", "")}


def _name(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))


# Extensions


def extension(name: str, one: Json) -> Json:
    """Return the StructureDefinition of an extension."""
    url = f"{BASE}/StructureDefinition/{name}"
    head = _head("StructureDefinition", f"extension-{name}", one | {"text": f"{one['en']}."}, url)
    context = [{"type": "element", "expression": place} for place in one["where"]]
    root = {"id": "Extension", "path": "Extension", "short": one["title"], "definition": f"{one['en']}."}
    root |= {"min": 0, "max": "*" if one.get("many") else "1"} | _constraints([one["rule"]] if "rule" in one else [])
    parts = one.get("parts")
    elements = [root, *(_parts(parts) if parts else []), _url("Extension", url)]
    elements.append(
        {"id": "Extension.value[x]", "path": "Extension.value[x]", "max": "0"} if parts else _value("Extension", one)
    )
    if not parts:
        elements.insert(1, {"id": "Extension.extension", "path": "Extension.extension", "max": "0"})
    return head | _structure("complex-type", "Extension", {"context": context}, elements)


def _structure(kind: str, of: str, more: Json, elements: list[Json]) -> Json:
    return {
        "jurisdiction": CN,
        "fhirVersion": "4.0.1",
        "kind": kind,
        "abstract": False,
        **more,
        "type": of,
        "baseDefinition": CORE + of,
        "derivation": "constraint",
        "differential": {"element": elements},
    }


def _url(at: str, url: str) -> Json:
    return {"id": f"{at}.url", "path": "Extension.extension.url" if ":" in at else "Extension.url", "fixedUri": url}


def _value(at: str, one: Json) -> Json:
    kinds = one["type"] if isinstance(one["type"], list) else [one["type"]]
    targets = {"targetProfile": [CORE + name for name in one["to"]]} if "to" in one else {}
    element = {"id": f"{at}.value[x]", "path": "Extension.extension.value[x]" if ":" in at else "Extension.value[x]"}
    element |= {"min": 1, "type": [{"code": kind} | targets for kind in kinds]}
    return element | _binding(one.get("values"))


def _binding(values: list[str] | None) -> Json:
    if not values:
        return {}
    return {"binding": {"strength": values[1], "valueSet": f"{BASE}/ValueSet/{values[0]}"}}


def _parts(parts: Json) -> list[Json]:
    at = "Extension.extension"
    by = {"discriminator": [{"type": "value", "path": "url"}], "rules": "closed"}
    made: list[Json] = [{"id": at, "path": at, "slicing": by, "min": 1}]
    for name, one in parts.items():
        inner = f"{at}:{name}"
        made.append(
            {
                "id": inner,
                "path": at,
                "sliceName": name,
                "short": one["title"],
                "definition": f"{one['en']}.",
                "min": one.get("min", 0),
                "max": "1",
            }
        )
        made.append({"id": f"{inner}.extension", "path": f"{at}.extension", "max": "0"})
        made += [_url(inner, name), _value(inner, one)]
    return made


def _constraints(rules: list[list[str]]) -> Json:
    made = [{"key": key, "severity": level, "human": words, "expression": path} for key, level, words, path in rules]
    return {"constraint": made} if made else {}


# Profiles


def profile(name: str, one: Json) -> Json:
    """Return the StructureDefinition of a profile of the region."""
    of = one["of"]
    head = _head("StructureDefinition", name, one)
    elements = [{"id": of, "path": of, "short": one["title"]}]
    for told in one["elements"]:
        element = _element(of, told)
        if element["id"] == of:
            elements[0] |= element
        else:
            elements += [element] if element["id"] not in {known["id"] for known in elements} else []
    more = {"keyword": [CLAIMED]} if one.get("claimed") else {}
    structure = _structure("resource", of, {}, _sliced(elements))
    return head | {"jurisdiction": structure.pop("jurisdiction")} | more | structure


def _element(of: str, told: Json) -> Json:
    at = f"{of}.{told['at']}" if told["at"] else of
    element: Json = {"id": at, "path": re.sub(r":[A-Za-z]+", "", at)}
    last = at.rpartition(".")[2]
    if ":" in last:
        element["sliceName"] = last.partition(":")[2]
    if "slices" in told:
        kind, path = told["slices"]
        element["slicing"] = {"discriminator": [{"type": kind, "path": path}], "rules": "open"}
    element |= {"short": told["why"]} if "why" in told else {}
    element |= {"min": told["min"]} if "min" in told else {}
    element |= {"max": str(told["max"])} if "max" in told else {}
    element |= _types(told)
    for key in ("fixed", "pattern"):
        if key in told:
            element[key + told[key][0]] = told[key][1]
    return element | _constraints(told.get("rules", [])) | _binding(told.get("values"))


def _types(told: Json) -> Json:
    if "extension" in told:
        return {"type": [{"code": "Extension", "profile": [f"{BASE}/StructureDefinition/{told['extension']}"]}]}
    if "to" in told:
        return {"type": [{"code": "Reference", "targetProfile": [CORE + name for name in told["to"]]}]}
    return {}


def _sliced(elements: list[Json]) -> list[Json]:
    """Say before the first slice of a list of extensions that their URL tells them apart, as R4 has it."""
    made: list[Json] = []
    for element in elements:
        parent = element["id"].rpartition(":")[0]
        if element["path"].endswith(".extension") and parent not in {known["id"] for known in made}:
            by = {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}
            made.append({"id": parent, "path": element["path"], "slicing": by})
        made.append(element)
    return made


# Codes


def code_system(name: str, one: Json) -> Json:
    """Return a CodeSystem with its codes in Chinese and English."""
    head = _head("CodeSystem", name, one, one.get("url", "")) | {"jurisdiction": CN, "caseSensitive": True}
    if "codes" not in one:
        return head | {"content": one["content"]}
    codes = [_concept(code, names) for code, names in one["codes"].items()]
    return head | {"content": one.get("content", "complete"), "count": len(codes), "concept": codes}


def _concept(code: str, names: list[str]) -> Json:
    chinese, english, *others = names
    told = [{"language": "en", "value": english}, *({"language": "zh-CN", "value": other} for other in others)]
    return {"code": code, "display": chinese, "designation": told}


def value_set(name: str, one: Json, systems: dict[str, Json]) -> Json:
    """Return a ValueSet: all codes of a system, unless it names some."""
    system = systems[one.get("of", name)]
    url = system.get("url") or f"{BASE}/CodeSystem/{one.get('of', name)}"
    told = {
        "title": one.get("title") or system["title"],
        "text": one.get("text") or system["text"],
        "name": _name(name),
    }
    codes = {"concept": [{"code": code} for code in one["codes"]]} if "codes" in one else {}
    return _head("ValueSet", name, told) | {"jurisdiction": CN, "compose": {"include": [{"system": url} | codes]}}


def code_maps(root: Path) -> dict[str, Json]:
    """Return the code maps of mappings/base by name, those of exports as table.column."""
    base = root / "mappings" / "base"
    maps = {one["map"]: one for one in map(_yaml, sorted((base / "codes").rglob("*.yaml")))}
    for table in map(_yaml, sorted((base / "tables").glob("*.yaml"))):
        for column, one in table.get("codes", {}).items():
            maps[f"{table['table']}.{column}"] = one
    return maps


def _yaml(path: Path) -> Json:
    read: Json = yaml.load(path.read_text("utf-8"), Loader=LOADER)
    return read


def concept_map(name: str, one: Json, maps: dict[str, Json], systems: dict[str, Json]) -> Json:
    """Return a ConceptMap that says what a code map of the mappings does."""
    named = one["map"] if isinstance(one["map"], list) else [one["map"]]
    rows = {code: _target(row, maps[mapped]) for mapped in named for code, row in maps[mapped]["rows"].items()}
    url, names = "", {}
    if not one.get("names"):
        url = _source(one, maps[named[0]], systems)
        names = next(
            told["codes"] for known, told in systems.items() if (told.get("url") or f"{BASE}/CodeSystem/{known}") == url
        )
        rows = _coded(rows, {code: told[0] for code, told in names.items()}, through="through" in one)
    head = _head("ConceptMap", name, one) | {"jurisdiction": CN}
    return head | {"group": _groups(url, rows, names)}


def _target(row: Json, mapped: Json) -> tuple[str, str, str]:
    return row.get("system") or mapped["system"], row["code"], row.get("display", "")


def _source(one: Json, mapped: Json, systems: dict[str, Json]) -> str:
    if "through" not in one:
        return str(mapped["table"])
    return str(systems[one["through"]].get("url") or f"{BASE}/CodeSystem/{one['through']}")


def _coded(
    rows: dict[str, tuple[str, str, str]], names: dict[str, str], *, through: bool
) -> dict[str, tuple[str, str, str]]:
    if through:
        return {code: rows[name] for code, name in names.items() if name in rows}
    return {code: target for code, target in rows.items() if code in names}


def _groups(url: str, rows: dict[str, tuple[str, str, str]], names: Json) -> list[Json]:
    count = Counter((system, code) for system, code, _ in rows.values())
    groups: dict[str, list[Json]] = {}
    for code, (system, target, display) in rows.items():
        told = {"code": target, **({"display": display} if display else {})}
        told["equivalence"] = "equivalent" if count[system, target] == 1 else "wider"
        shown = {"display": names[code][0]} if code in names else {}
        groups.setdefault(system, []).append({"code": code} | shown | {"target": [told]})
    at = {"source": url} if url else {}
    return [at | {"target": system, "element": elements} for system, elements in groups.items()]


def search_parameter(name: str, one: Json) -> Json:
    """Return a SearchParameter with the number its index rows stand under."""
    head = _head("SearchParameter", name, one | {"title": one["code"]})
    head.pop("title")
    number = {"url": f"{BASE}/StructureDefinition/search-parameter-number", "valueInteger": one["number"]}
    body = {"jurisdiction": CN, "code": one["code"], "base": [one["of"]], "type": one["kind"]}
    return (
        {"resourceType": "SearchParameter", "id": name, "extension": [number]}
        | head
        | body
        | {"expression": one["path"]}
    )


def _numbered(parameters: dict[str, Json]) -> None:
    numbers = [one["number"] for one in parameters.values()]
    if len(set(numbers)) < len(numbers) or min(numbers) < FIRST:
        raise ValueError(f"search parameters need numbers of their own from {FIRST}")


# Tables of docs/profiles.md


def profiles_table(root: Path) -> str:
    """Return what each profile demands, element by element."""
    made = []
    for name, one in source(root, "profiles").items():
        mark = " (named in `meta.profile`)" if one.get("claimed") else ""
        made += [
            f"### {one['title']} · `{name}`{mark}",
            "",
            one["text"].strip(),
            "",
            "| Element | Demand |",
            "|---|---|",
        ]
        made += [
            f"| `{one['of']}{'.' if told['at'] else ''}{told['at']}` | {_demand(told)} |" for told in one["elements"]
        ]
        made.append("")
    return "\n".join(["", *made, ""])


def _demand(told: Json) -> str:
    words = _times(told.get("min"), told.get("max"))
    words += [f"the extension `{told['extension']}`"] if "extension" in told else []
    words += [f"a reference to {' or '.join(told['to'])}"] if "to" in told else []
    words += [f"is `{_shown(told['fixed'][1])}`"] if "fixed" in told else []
    words += [f"holds `{_shown(told['pattern'][1])}`"] if "pattern" in told else []
    words += [f"codes of `{told['values'][0]}` ({told['values'][1]})"] if "values" in told else []
    words += [f"told apart by {told['slices'][1].replace('$this', 'what they hold')}"] if "slices" in told else []
    sentences = [", ".join(words)] if words else []
    for key, level, sentence, _ in told.get("rules", []):
        sentences.append(f"{'*Warning:* ' if level == 'warning' else ''}{sentence.rstrip('.')} (`{key}`)")
    sentences += [told["why"].rstrip(".")] if "why" in told else []
    return ". ".join(sentences).replace("|", "\\|")


def _times(least: int | None, most: int | None) -> list[str]:
    if least and least == most:
        return ["once" if least == 1 else f"{least} times"]
    need = ["needed" if least == 1 else f"at least {least}"] if least else []
    return need + (["at most one" if most == 1 else f"at most {most}"] if most else [])


def _shown(value: Any) -> str:
    if isinstance(value, dict) and "coding" in value:
        coding = value["coding"][0]
        return "|".join(part for part in (coding["system"].rpartition("/")[2], coding.get("code", "")) if part)
    return str(value).lower() if isinstance(value, bool) else str(value)


def extensions_table(root: Path) -> str:
    """Return every extension: where it stands and what it holds."""
    rows = [
        f"| `{name}` | {one['title']} | {', '.join(one['where'])} | {_holds(one)} | {one['en']} |"
        for name, one in source(root, "extensions").items()
    ]
    return "\n".join(["", "| Extension | 名称 | Stands on | Holds | Says |", "|---|---|---|---|---|", *rows, "", ""])


def _holds(one: Json) -> str:
    if "parts" in one:
        held = ", ".join(f"{name} ({part['type']})" for name, part in one["parts"].items())
    else:
        held = " or ".join(one["type"]) if isinstance(one["type"], list) else one["type"]
    return held + (", several" if one.get("many") else "")


def systems_table(root: Path) -> str:
    """Return every code system with its URL and how much of it is here."""
    rows = []
    for name, one in source(root, "codesystems").items():
        held = {"not-present": "published elsewhere", "fragment": "what is used"}.get(one.get("content", ""), "whole")
        url = one.get("url") or f"…/CodeSystem/{name}"
        rows.append(f"| `{url}` | {one['title']} | {len(one.get('codes', {}))} | {held} |")
    return "\n".join(["", "| System | 名称 | Codes | Here |", "|---|---|---|---|", *rows, "", ""])


def maps_table(root: Path) -> str:
    """Return every concept map and which code map it is made of."""
    rows = []
    for name, one in source(root, "conceptmaps").items():
        named = one["map"] if isinstance(one["map"], list) else [one["map"]]
        rows.append(f"| `{name}` | {one['title']} | {', '.join(f'`{known}`' for known in named)} | {one['text']} |")
    return "\n".join(["", "| Map | 名称 | Made of | Translates |", "|---|---|---|---|", *rows, "", ""])


def searches_table(root: Path) -> str:
    """Return every search parameter of our own."""
    rows = [
        f"| {one['number']} | `{one['of']}?{one['code']}=` | {one['kind']} | `{one['path']}` | {one['text']} |"
        for one in source(root, "searchparameters").values()
    ]
    return "\n".join(["", "| Number | Parameter | Type | Looks at | For |", "|---|---|---|---|---|", *rows, "", ""])


def series_table(root: Path) -> str:
    """Return the series of institution numbers that the base mappings know, with the maps that write them."""
    found: dict[str, set[str]] = {}
    for path in sorted((root / "mappings" / "base").rglob("*.yaml")):
        for kind in _kinds(_yaml(path)):
            found.setdefault(kind, set()).add(path.stem)
    rows = [f"| `{kind}` | {', '.join(f'`{name}`' for name in sorted(found[kind]))} |" for kind in sorted(found)]
    return "\n".join(["", "| Series | Written by |", "|---|---|", *rows, "", ""])


def _kinds(value: Any) -> Iterator[str]:
    """Yield the series named by `kind` in the arguments of rules and among the identifier types."""
    if isinstance(value, dict):
        if isinstance(value.get("kind"), str) and "url" not in value:
            yield value["kind"]
        for below in value.values():
            yield from _kinds(below)
    elif isinstance(value, list):
        for one in value:
            yield from _kinds(one)


TABLES = {
    "series": series_table,
    "profiles": profiles_table,
    "extensions": extensions_table,
    "systems": systems_table,
    "maps": maps_table,
    "searches": searches_table,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
