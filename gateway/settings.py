"""The settings: one table of them, where their values come from, and where the shipped files lie."""

import difflib
import json
import os
import tomllib
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from gateway.errors import Category, GatewayError

FILE = "gateway.toml"
PREFIX = "GATEWAY_"
_MIB = 1024 * 1024
_REQUIRED: Any = object()


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `type` names how its text is read, `help` is what the documentation prints."""

    name: str
    default: Any
    type: str
    help: str


SETTINGS: tuple[Setting, ...] = (
    Setting("data", "./var", "path", "Folder of everything the gateway keeps (SQLite files, keys, inbox)."),
    Setting(
        "database",
        "",
        "text",
        "Where the record is stored: sqlite:///FILE or postgresql://…; default sqlite:///<data>/gateway.db.",
    ),
    Setting("host", "127.0.0.1", "text", "Address the web server listens on."),
    Setting("port", 8000, "port", "Port of the web server."),
    Setting("mllp_host", "127.0.0.1", "text", "Address the HL7 v2 (MLLP) listener listens on."),
    Setting("mllp_port", 2575, "port", "Port of the HL7 v2 (MLLP) listener; 0 lets the system choose one."),
    Setting("mllp_tls_cert", None, "path", "Certificate chain (PEM) of the MLLP listener; switches TLS on."),
    Setting("mllp_tls_key", None, "path", "Private key (PEM) that belongs to mllp_tls_cert."),
    Setting("mllp_tls_ca", None, "path", "Authorities (PEM) whose client certificates are let in (mutual TLS)."),
    Setting("insecure_local", False, "switch", "No login, loopback addresses only; what `gateway demo` uses."),
    Setting("mappings", (), "paths", "Folders of mappings beside the shipped ones; a site in a later one wins whole."),
    Setting("profiles", None, "path", "Folder of profiles, value sets and naming systems; default the shipped."),
    Setting(
        "base_url",
        "https://yigong.example/fhir",
        "url",
        "Base of the identifier systems of institution numbers; never change it once data is stored.",
    ),
    Setting("public_url", "", "url", "Address clients reach /fhir at, for links; default http://host:port/fhir."),
    Setting("zone", "Asia/Shanghai", "zone", "Time zone of dates and times that come without one."),
    Setting("max_message_bytes", 32 * _MIB, "bytes", "Largest message or file taken, such as 32 MiB."),
    Setting("attachment_inline", 8 * 1024, "bytes", "Attachments of more bytes get a Binary of their own."),
    Setting("frame_deadline", 30.0, "seconds", "Longest a sender may take to finish a message it has begun."),
    Setting("workers", 2, "count", "Worker processes that `gateway serve` starts; they share the patients among them."),
    Setting("linking", True, "switch", "Link the records that several sites hold of one person, as they change."),
    Setting("batch_size", 64, "count", "Messages a worker takes and commits at once; twice as many while more wait."),
    Setting("group_commit_messages", 256, "count", "Messages stored in one transaction before their answers."),
    Setting("raw_retention_days", 1095, "count", "Days the raw bytes are kept; digest and date stay for good."),
    Setting("page_size", 20, "count", "Resources on a search page when the client names no _count."),
    Setting("max_page_size", 1000, "count", "Most resources on a search page, whatever _count says."),
    Setting("max_body_bytes", 16 * _MIB, "bytes", "Largest body of a FHIR request, also when inflated from gzip."),
    Setting("max_bundle_entries", 5000, "count", "Most entries of a batch or transaction."),
    Setting(
        "bundle_timeout_s", 60.0, "seconds", "Longest a batch may take; entries it has not reached then are refused."
    ),
    Setting("max_nesting", 100, "depth", "Deepest JSON a client may send: objects and arrays inside each other."),
    Setting("max_conditional_deletes", 1, "count", "Most resources one conditional delete may remove."),
    Setting("references_exist", False, "switch", "Whether clients may refer only to resources that are there."),
    Setting("include_limit", 1000, "count", "Most resources that _include and _revinclude add to a page."),
    Setting("include_rounds", 10, "count", "How many times _include:iterate goes on from what it included."),
    Setting("estimate_limit", 10_000, "count", "Matches that _total=estimate counts before it stops."),
    Setting("search_timeout_s", 10.0, "seconds", "Longest a search may run before it is stopped."),
    Setting("validate_timeout_s", 5.0, "seconds", "Longest a resource is judged before the judge says what it has."),
    Setting("log_level", "info", "level", "Least severe line that is logged: debug, info, warning or error."),
    Setting(
        "installation_key_file",
        None,
        "path",
        "Key that names new resources; default <data>/installation.key, made at the first start.",
    ),
    Setting("min_free_bytes", 512 * _MIB, "bytes", "Free disk space under which no new message is taken."),
    Setting("listeners", (), "tables", "More MLLP listeners: [[listeners]] tables with name, host, port, tls_…."),
    Setting("folders", (), "tables", "Watched folders: [[folders]] tables with path and feed."),
    Setting("pulls", (), "tables", "Queries of views: [[pulls]] tables with name, feed, url, query, every, since."),
    Setting("failpoint", "", "text", "For tests only: fp1 to fp14, the place where the process kills itself."),
)
"""Every setting there is; `gateway serve --help` and the documentation are made from this table."""

_BY_NAME = {setting.name: setting for setting in SETTINGS}

_INTERNAL = frozenset({"supervisor"})
"""Variables the gateway sets for its own processes, which are no settings."""

TABLE_KEYS: dict[str, dict[str, tuple[str, Any]]] = {
    "listeners": {
        "name": ("text", _REQUIRED),
        "host": ("text", "127.0.0.1"),
        "port": ("port", _REQUIRED),
        "tls_cert": ("path", None),
        "tls_key": ("path", None),
        "tls_ca": ("path", None),
    },
    "folders": {"path": ("path", _REQUIRED), "feed": ("text", _REQUIRED)},
    "pulls": {
        "name": ("text", _REQUIRED),
        "feed": ("text", _REQUIRED),
        "url": ("text", _REQUIRED),
        "query": ("text", _REQUIRED),
        "every": ("seconds", 900.0),
        "since": ("text", ""),
        "begin": ("text", ""),
        "overlap": ("seconds", 3600.0),
    },
}
"""Keys of the tables of each `tables` setting: how they are read, and their default."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force, read as attributes (`settings.port`), and where each was given."""

    values: Mapping[str, Any]
    sources: Mapping[str, str]

    def __getattr__(self, name: str) -> Any:
        """Return the value of the setting `name`; raises AttributeError when there is none."""
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(_unknown(name, "Settings").text) from None

    def environment(self) -> dict[str, str]:
        """Return this process's environment with every given setting in it, for a process it starts."""
        given = {name: self.values[name] for name in self.sources if name in _BY_NAME}
        return {**os.environ, **{PREFIX + name.upper(): _written(value) for name, value in given.items()}}

    def need(self, name: str) -> Any:
        """Return a setting that this task cannot do without; raises GatewayError naming each place tried."""
        value = self.values[name]
        if value in (None, "", ()):
            places = ", ".join(_places(name, self.sources.get(FILE, FILE)))
            raise GatewayError(f"The setting {name} is missing. {_BY_NAME[name].help} Looked in: {places}.")
        return value


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        if not value or not isinstance(value[0], Mapping):
            return os.pathsep.join(str(part.absolute()) for part in value)
        given = [{key: entry for key, entry in table.items() if entry is not None} for table in value]
        return json.dumps(given, default=str)
    return str(value.absolute() if isinstance(value, Path) else value)


def load(file: Path | None = None, environment: Mapping[str, str] | None = None, **options: Any) -> Settings:
    """Return the settings: `gateway.toml`, overridden by GATEWAY_… variables, overridden by `options`.

    An option that is None was not given. Raises GatewayError for an unknown key (naming the nearest known
    one), for a value that cannot be read, and for a named file that is not there.
    """
    path = file or Path(FILE)
    layers = (
        (str(path), path.absolute().parent, _from_file(path, wanted=file is not None)),
        ("environment", Path.cwd(), _from_environment(os.environ if environment is None else environment)),
        ("option", Path.cwd(), {name: value for name, value in options.items() if value is not None}),
    )
    values: dict[str, Any] = {setting.name: setting.default for setting in SETTINGS}
    values["data"] = Path(values["data"])
    sources = {FILE: str(path)}
    for source, folder, given in layers:
        for name, value in given.items():
            values[name] = _read(name, value, source, folder)
            sources[name] = _place(name, source)
    return Settings(_complete(values), sources)


def _from_file(path: Path, *, wanted: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if wanted:
            raise GatewayError(f"There is no settings file {path}.", category=Category.NOT_FOUND) from None
        return {}
    except (OSError, ValueError) as error:
        raise GatewayError(f"The settings file cannot be read: {error}.", where=str(path)) from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value and name.removeprefix(PREFIX).lower() not in _INTERNAL
    }


def _complete(values: dict[str, Any]) -> dict[str, Any]:
    data: Path = values["data"]
    values["database"] = values["database"] or f"sqlite:///{data / 'gateway.db'}"
    values["public_url"] = values["public_url"] or f"http://{_host(values['host'])}:{values['port']}/fhir"
    values["installation_key_file"] = values["installation_key_file"] or data / "installation.key"
    values["profiles"] = values["profiles"] or shipped("profiles")
    if values["page_size"] > values["max_page_size"]:
        raise GatewayError("page_size is larger than max_page_size: make it as large at most.")
    if bool(values["mllp_tls_cert"]) != bool(values["mllp_tls_key"]):
        raise GatewayError("mllp_tls_cert and mllp_tls_key belong together: give both, or neither.")
    return values


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _read(name: str, value: Any, source: str, folder: Path) -> Any:
    setting = _BY_NAME.get(name)
    if setting is None:
        raise _unknown(name, source)
    try:
        return _tables(name, value, folder) if setting.type == "tables" else _parse(setting.type, value, folder)
    except (ValueError, TypeError) as error:
        tried = ", ".join(_places(name, source if source.endswith(".toml") else FILE))
        text = f"{name} cannot be {value!r}: {error}. {setting.help} Places: {tried}."
        raise GatewayError(text, where=_place(name, source)) from None


def _unknown(name: str, source: str) -> GatewayError:
    near = difflib.get_close_matches(name, _BY_NAME, n=1, cutoff=0.0)
    return GatewayError(f"There is no setting {name!r}; the nearest is {near[0]!r}.", where=_place(name, source))


def _place(name: str, source: str) -> str:
    forms = {"environment": f"the variable {PREFIX}{name.upper()}", "option": f"the option {_option(name)}"}
    return forms.get(source, f"{name} in {source}")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _places(name: str, file: str) -> list[str]:
    return [_place(name, source) for source in ("option", "environment", file)]


def _parse(kind: str, value: Any, folder: Path) -> Any:
    return _READERS[kind](value, folder)


def _text(value: Any, _: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("write some text")
    return value.strip()


def _path(value: Any, folder: Path) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("write a path")
    path = Path(value).expanduser()
    return path if path.is_absolute() or folder == Path.cwd() else folder / path


def _paths(value: Any, folder: Path) -> tuple[Path, ...]:
    parts = value.split(os.pathsep) if isinstance(value, str) else value
    return tuple(_path(part, folder) for part in parts)


def _zone(value: Any, folder: Path) -> str:
    name = _text(value, folder)
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, OSError):
        raise ValueError("this machine knows no such zone (is the package tzdata there?)") from None
    return name


def _url(value: Any, folder: Path) -> str:
    text = _text(value, folder)
    if not text.startswith(("http://", "https://")) or any(sign in text for sign in " ?#"):
        raise ValueError("write an address such as https://health.example/fhir")
    return text.rstrip("/")


def _whole(least: int, most: int, hint: str) -> Callable[[Any, Path], int]:
    def read(value: Any, _: Path) -> int:
        number = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
            raise ValueError(hint)
        return number

    return read


def _duration(value: Any, _: Path) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if isinstance(value, bool) or not 0 < number < 1e9:
        raise ValueError("write a number above 0")
    return number


_UNITS = {"": 1, "b": 1, "kib": 1024, "mib": _MIB, "gib": 1024 * _MIB, "kb": 1000, "mb": 10**6, "gb": 10**9}


def _bytes(value: Any, _: Path) -> int:
    text = str(value).strip().lower()
    digits = text.rstrip("kmgib ")
    unit = _UNITS.get(text[len(digits) :].strip())
    if isinstance(value, bool) or unit is None or not digits.isdecimal() or int(digits) == 0:
        raise ValueError("write a size such as 33554432 or 32 MiB")
    return int(digits) * unit


_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def _switch(value: Any, _: Path) -> bool:
    found = value if isinstance(value, bool) else _WORDS.get(str(value).strip().lower())
    if found is None:
        raise ValueError("write true or false")
    return found


def _level(value: Any, _: Path) -> str:
    text = str(value).strip().lower()
    if text not in ("debug", "info", "warning", "error"):
        raise ValueError("write debug, info, warning or error")
    return text


_READERS: dict[str, Callable[[Any, Path], Any]] = {
    "text": _text,
    "path": _path,
    "paths": _paths,
    "url": _url,
    "zone": _zone,
    "port": _whole(0, 65535, "write a port from 0 to 65535"),
    "count": _whole(1, 2**31 - 1, "write a whole number above 0"),
    "depth": _whole(10, 100, "write a whole number from 10 to 100"),
    "seconds": _duration,
    "bytes": _bytes,
    "switch": _switch,
    "level": _level,
}


def _tables(name: str, value: Any, folder: Path) -> tuple[Mapping[str, Any], ...]:
    if isinstance(value, str):
        value = json.loads(value)  # a variable carries the tables as JSON
    if not isinstance(value, list | tuple) or not all(isinstance(table, Mapping) for table in value):
        raise ValueError(f"write [[{name}]] tables in {FILE}")
    return tuple(_table(TABLE_KEYS[name], table, folder) for table in value)


def _table(known: dict[str, tuple[str, Any]], table: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    strange = next((key for key in table if key not in known), None)
    if strange is not None:
        near = difflib.get_close_matches(strange, known, n=1, cutoff=0.0)
        raise ValueError(f"a table has no key {strange!r}; the nearest is {near[0]!r}")
    missing = next((key for key, (_, default) in known.items() if default is _REQUIRED and key not in table), None)
    if missing is not None:
        raise ValueError(f"a table lacks {missing!r}")
    return {
        key: _parse(kind, table[key], folder) if key in table else default for key, (kind, default) in known.items()
    }


def shipped(name: str) -> Path:
    """Return the folder `mappings`, `profiles` or `examples` that came with the gateway.

    Inside an installed wheel it is gateway/_shipped/NAME, in a checkout the folder at its root. Raises
    GatewayError naming both places when neither is there.
    """
    package = Path(str(resources.files("gateway")))
    places = (package / "_shipped" / name, package.parent / name)
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        tried = " and ".join(str(place) for place in places)
        raise GatewayError(f"The gateway's own {name} are not there; looked in {tried}: install it again.")
    return found
