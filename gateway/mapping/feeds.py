"""Feeds: who sends what, and how it is answered; each declared by its feed.yaml, all matched by the book."""

import fnmatch
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple

Match = Mapping[str, tuple[str, ...]]
_MATCH = ("listener", "peer", "certificate", "msh3", "msh4")
_CHOICES: dict[str, tuple[str, ...]] = {
    "format": ("hl7v2", "csv", "xlsx", "fhir"),
    "ack": ("original", "enhanced"),
    "ack_when": ("stored", "applied"),
    "parked": ("hold", "skip"),
    "test_traffic": ("separate", "real", "refuse"),
    "on_fault": ("close", "reject"),
    "reused": ("park", "separate"),
    "empty": ("keep", "clear"),
}
TABULAR = frozenset({"csv", "xlsx"})
_MODES = ("full", "delta", "window")
_NAMING_WORDS = frozenset({"naming", "note"})
_QUERY_WORDS = frozenset({"events", "scope"})
QUERIES = ("QBP^Q22", "QBP^Q21", "QRY^A19", "ADT^ZP1")
"""What may be asked; the last is a home-made event of Chinese systems, a query only for a feed that says so."""
_LISTS = frozenset({"events", "daily"})


class TableUse(NamedTuple):
    """How a feed sends one table: `mode` (ruling R6), names of its files (* and ? are wildcards), empty cells."""

    mode: Literal["full", "delta", "window"] = "delta"
    files: tuple[str, ...] = ()
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed. `daily` lists number series that start again each day; `insecure_only` answers only loopback demos.

    `queries` are those it may ask (none by default), about persons of its own site or of the whole community.
    """

    name: str
    site: str
    format: Literal["hl7v2", "csv", "xlsx", "fhir"] = "hl7v2"
    match: Match = field(default_factory=dict)
    charset: str = ""
    ack: Literal["original", "enhanced"] = "original"
    ack_when: Literal["stored", "applied"] = "stored"
    parked: Literal["hold", "skip"] = "hold"
    test_traffic: Literal["separate", "real", "refuse"] = "separate"
    on_fault: Literal["close", "reject"] = "close"
    reused: Literal["park", "separate"] = "park"
    events: tuple[str, ...] = ()
    daily: tuple[str, ...] = ()
    demographic_authority: bool = False
    message_header: bool = False
    insecure_only: bool = False
    title: str = ""
    tables: Mapping[str, TableUse] = field(default_factory=dict)
    empty: Literal["keep", "clear"] = "keep"
    delimiter: str = ""
    queries: tuple[str, ...] = ()
    query_scope: Literal["site", "community"] = "site"

    @property
    def tabular(self) -> bool:
        """Say whether the feed sends files of tables, whose rows are its messages."""
        return self.format in TABULAR

    @property
    def hold(self) -> bool:
        """Say whether later messages of a patient wait behind a parked one (architecture decision 12)."""
        return self.parked == "hold"

    def is_test(self, processing_id: str) -> bool:
        """Say whether MSH-11 marks test traffic that is kept apart from the record."""
        return self.test_traffic == "separate" and processing_id[:1].upper() in ("T", "D")

    def takes(self, message_type: str, event: str) -> bool:
        """Say whether the feed takes this event; a feed that lists none takes all."""
        return not self.events or any(
            fnmatch.fnmatchcase(f"{message_type}^{event}", pattern) for pattern in self.events
        )


class Seen(NamedTuple):
    """What is seen of a sender."""

    listener: str = ""
    peer: str = ""
    certificate: str = ""
    msh3: str = ""
    msh4: str = ""


@dataclass(frozen=True, slots=True)
class NoMatch:
    """That no single feed is this sender's, with a sentence for people."""

    text: str


class FeedBook:
    """All feeds of a catalogue; finds the one a sender belongs to."""

    def __init__(self, feeds: Iterable[Feed], *, insecure_local: bool = False) -> None:
        self._feeds = {feed.name: feed for feed in feeds}
        self._insecure_local = insecure_local

    def __iter__(self) -> Any:
        return iter(self._feeds.values())

    def get(self, name: str) -> Feed | None:
        """Return a feed by its name, None when there is none."""
        return self._feeds.get(name)

    def match(self, seen: Seen) -> Feed | NoMatch:
        """Return the one feed whose `match` fits; a feed without any is only for unconfigured local senders."""
        found = [feed for feed in self._feeds.values() if feed.match and _fits(feed.match, seen)]
        if len(found) == 1:
            return found[0]
        if found:
            names = " and ".join(sorted(feed.name for feed in found))
            return NoMatch(f"More than one feed matches this sender: {names}. {_told(seen)} Make their `match` differ.")
        open_feeds = [feed for feed in self._feeds.values() if feed.insecure_only]
        if self._insecure_local and len(open_feeds) == 1:
            return open_feeds[0]
        return NoMatch(
            f"Unknown feed: no feed matches this sender. {_told(seen)} Add a feed.yaml whose `match` says so."
        )


def read(name: str, site: str, raw: Mapping[str, Any]) -> tuple[Feed | None, list[str]]:
    """Read a feed.yaml; returns the feed, or None with every fault as a sentence."""
    known = {item.name for item in fields(Feed)} - {"name", "site", "query_scope"}
    faults = [
        f"unknown word {word}; known are {', '.join(sorted(known))}"
        for word in raw
        if word not in known | _NAMING_WORDS | {"feed", "site"}
    ]
    told = {word: value for word, value in raw.items() if word in known}
    if raw.get("feed", name) != name:
        faults.append(f"says feed: {raw['feed']}, but its folder is {name}")
    for word, choices in _CHOICES.items():
        if word in told and told[word] not in choices:
            faults.append(f"{word} is one of {', '.join(choices)}, not {told[word]!r}")
    match, wrong = _match(told.pop("match", None))
    faults.extend(wrong)
    if "queries" in told:
        told["queries"], told["query_scope"], wrong = _queries(told["queries"])
        faults.extend(wrong)
    if "tables" in told:
        told["tables"], wrong = _tables(told["tables"])
        faults.extend(wrong)
    if told.get("tables") and told.get("format") not in TABULAR:
        faults.append("has tables, so its format is csv (any table format; the bytes decide)")
    for word in _LISTS & told.keys():
        told[word] = tuple(str(item) for item in _listed(told[word]))
    for word in ("demographic_authority", "message_header", "insecure_only"):
        if word in told and not isinstance(told[word], bool):
            faults.append(f"{word} is true or false, not {told[word]!r}")
    if faults:
        return None, faults
    return Feed(name=name, site=site, match=match, **told), []


def _match(raw: Any) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    if raw is None:
        return {}, []
    if not isinstance(raw, dict):
        return {}, [f"match is a mapping of {', '.join(_MATCH)}, not {raw!r}"]
    faults = [f"match: unknown word {word}; known are {', '.join(_MATCH)}" for word in raw if word not in _MATCH]
    return {word: tuple(str(item) for item in _listed(value)) for word, value in raw.items()}, faults


def _queries(raw: Any) -> tuple[tuple[str, ...], str, list[str]]:
    """Read `queries: [QBP^Q22]`, or `queries: {events: [QBP^Q22], scope: community}`."""
    said = raw if isinstance(raw, dict) else {"events": raw}
    scope = said.get("scope", "site")
    faults = [f"queries: unknown word {word}; known are events, scope" for word in said if word not in _QUERY_WORDS]
    if scope not in ("site", "community"):
        faults.append(f"queries: scope is one of site, community, not {scope!r}")
    events = tuple(str(event) for event in _listed(said.get("events") or ()))
    faults += [
        f"queries: {event!r} is none that is answered: {', '.join(QUERIES)}" for event in events if event not in QUERIES
    ]
    if not events:
        faults.append("queries lists the events the feed may ask, such as QBP^Q22")
    return events, scope, faults


def _tables(raw: Any) -> tuple[dict[str, TableUse], list[str]]:
    if not isinstance(raw, dict):
        return {}, [f"tables is a mapping of tables to what is said of them, not {raw!r}"]
    found, faults = {}, []
    for name, told in raw.items():
        said = {} if told is None else told
        if not isinstance(said, dict) or set(said) - {"mode", "files", "empty"}:
            faults.append(f"tables, {name}: says only mode, files and empty, not {told!r}")
        elif said.get("mode", "delta") not in _MODES:
            faults.append(f"tables, {name}: mode is one of {', '.join(_MODES)}, not {said['mode']!r}")
        elif said.get("empty", "keep") not in _CHOICES["empty"]:
            faults.append(f"tables, {name}: empty is one of keep, clear, not {said['empty']!r}")
        else:
            files = tuple(str(pattern) for pattern in _listed(said.get("files", ())))
            found[str(name)] = TableUse(said.get("mode", "delta"), files, str(said.get("empty", "")))
    return found, faults


def _fits(match: Match, seen: Seen) -> bool:
    """Every word given must fit; of its alternatives one."""
    return all(any(_alike(word, one, getattr(seen, word)) for one in told) for word, told in match.items())


def _alike(word: str, pattern: str, value: str) -> bool:
    if word == "peer" and "/" in pattern:
        try:
            return ipaddress.ip_address(value) in ipaddress.ip_network(pattern, strict=False)
        except ValueError:
            return False
    return fnmatch.fnmatchcase(value, pattern)


def _told(seen: Seen) -> str:
    names = {"listener": "listener", "peer": "peer", "certificate": "certificate", "msh3": "MSH-3", "msh4": "MSH-4"}
    said = [f"{names[word]} '{getattr(seen, word)}'" for word in _MATCH if getattr(seen, word)]
    return f"Seen: {', '.join(said) or 'nothing'}."


def _listed(raw: Any) -> list[Any]:
    return list(raw) if isinstance(raw, list | tuple) else [raw]
