"""The catalogue: all feeds of the mapping folders with their compiled definitions, activated whole or not at all."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from gateway.errors import Category, GatewayError
from gateway.formats.hl7v2 import Message
from gateway.mapping import checking, feeds
from gateway.mapping.compiling import Compiler
from gateway.mapping.definition import MessageDef, Source
from gateway.mapping.draft import Mapped
from gateway.mapping.engine import Lefts, Run
from gateway.mapping.environment import BASE, Environment
from gateway.mapping.feeds import Feed, FeedBook
from gateway.mapping.library import Library, Reader, expand_every
from gateway.mapping.plan import MessagePlan, compile_plan
from gateway.mapping.program import SegmentProgram
from gateway.mapping.tables import rules
from gateway.mapping.tables.definition import TableDef
from gateway.mapping.tables.reading import Tables
from gateway.mapping.tables.records import TableMessage
from gateway.mapping.tables.running import TableRun

INLINE = 8192


class WrongDefinitions(GatewayError):
    """The mapping folders have faults; `faults` lists every one with its file and rule."""

    category = Category.INVALID

    def __init__(self, faults: list[str]) -> None:
        head = f"The mapping definitions have {len(faults)} fault{'s' if len(faults) > 1 else ''}"
        super().__init__(f"{head}; nothing was activated:\n" + "\n".join(f"- {fault}" for fault in faults))
        self.faults = faults


class Mapper:
    """Maps the messages of one feed; programs are compiled when first needed and kept."""

    def __init__(self, environment: Environment, library: Library, *, envelope: bool = False) -> None:
        self._env = environment
        self._library = library
        self._envelope = envelope
        self._plans: dict[tuple[str, bool], MessagePlan] = {}
        self._programs: dict[tuple[str, bool], SegmentProgram] = {}
        self._compilers = {trace: Compiler(environment, library.datatypes, trace=trace) for trace in (False, True)}
        self._lefts: Lefts = {}
        self._covers = _covers(library.messages.values())

    def map(self, message: Message, *, trace: bool = False) -> Mapped:
        """Return what the message becomes; data faults are issues, nothing is raised for them."""
        plan = self.plan(message.type, message.event, message.structure, trace=trace)
        if isinstance(message, TableMessage):
            run: Run = TableRun(message, plan, self._env, self._lefts)
        else:
            run = Run(message, plan, self._env, self._lefts)
        for segment in message.segments:
            run.segment(segment)
        return run.close()

    def plan(self, message_type: str, event: str, structure: str, *, trace: bool = False) -> MessagePlan:
        """Return the plan for an event: its own, its structure's, its type's, else the generic one."""
        wanted = (f"{message_type}^{event}", structure, f"{message_type}_{event}", f"{message_type}^*")
        name = next((self._covers[word] for word in wanted if word in self._covers), checking.GENERIC)
        return self._plans.get((name, trace)) or self._compile(name, trace)

    @property
    def environment(self) -> Environment:
        """Return the names this feed converts with."""
        return self._env

    def with_envelope(self) -> "Mapper":
        """Return a mapper of the same feed that also makes MessageHeader and Provenance resources."""
        return Mapper(self._env, self._library, envelope=True)

    def declared(self) -> Iterator[tuple[str, str, str]]:
        """Yield message structure, segment map and field for every rule there is (guide coverage, C1)."""
        for message in self._library.messages.values():
            uses = [use for one in message.resources.values() for use in (*one.on.values(), *one.also.values())]
            names = dict.fromkeys(name for use in uses for name in use.maps)
            for structure in (word for word in (message.name, *message.covers) if "^" not in word):
                for name in names:
                    segment = self._library.segments[name]
                    fields = {str(Source(rule.source.name, rule.source.field)) for rule in segment.rules.values()}
                    yield from (
                        (structure, told, field) for told in (name, *segment.stands_for) for field in sorted(fields)
                    )

    def compile_all(self) -> None:
        """Compile every plan, so that a fault shows now and not with a message."""
        for name in self._library.messages:
            self._compile(name, trace=False)

    def _compile(self, name: str, trace: bool) -> MessagePlan:
        plan = self._plans[(name, trace)] = compile_plan(
            self._library.messages[name],
            lambda part: self._program(part, trace),
            envelope=self._envelope,
            authority=self._env.authority,
        )
        return plan

    def _program(self, name: str, trace: bool) -> SegmentProgram:
        found = self._programs.get((name, trace))
        if found is None:
            found = self._compilers[trace].segment(self._library.segments[name])
            self._programs[(name, trace)] = found
        return found


class Catalog:
    """All feeds, each with its mapper; `version` is the digest of every file read, `base_tables` those of the base."""

    def __init__(
        self,
        version: str,
        mappers: dict[str, Mapper],
        book: Iterable[Feed],
        attachment_inline: int = INLINE,
        tables: Mapping[str, Tables] | None = None,
        base_tables: Iterable[TableDef] = (),
    ) -> None:
        self.version = version
        self.base_tables = tuple(base_tables)
        self._tables = dict(tables or {})
        self.attachment_inline = attachment_inline
        self.feeds = list(book)
        self._mappers = mappers

    def mapper(self, feed_name: str) -> Mapper:
        """Return the mapper of a feed; raises GatewayError naming the feeds there are."""
        found = self._mappers.get(feed_name)
        if found is None:
            told = f"there is no feed {feed_name!r}; there are {', '.join(sorted(self._mappers))}"
            raise GatewayError(told, category=Category.NOT_FOUND)
        return found

    def tables(self, feed_name: str) -> Tables:
        """Return the tables of a feed; raises GatewayError when the feed sends none."""
        found = self._tables.get(feed_name)
        if found is None:
            told = (
                f"the feed {feed_name!r} sends no tables; those that do are {', '.join(sorted(self._tables)) or 'none'}"
            )
            raise GatewayError(told, category=Category.NOT_FOUND)
        return found

    def declared(self, feed_name: str = checking.GENERIC) -> Iterator[tuple[str, str, str]]:
        """Yield message structure, segment map and field of every rule one feed sees."""
        return self.mapper(feed_name).declared()

    def book(self, *, insecure_local: bool = False) -> FeedBook:
        """Return the feeds as a book that finds a sender's."""
        return FeedBook(self.feeds, insecure_local=insecure_local)


def load(folders: list[Path], *, base: str = BASE, attachment_inline: int = INLINE) -> Catalog:
    """Read, check and compile every definition; raises WrongDefinitions listing every fault there is.

    `attachment_inline` is how many bytes of an attachment stay inside its resource.
    """
    reader = Reader()
    library = Library()
    for folder in folders:
        naming = folder / "base" / "naming.yaml"
        if naming.is_file():
            reader.naming(library, reader.yaml(naming), naming)
        reader.lay_over(library, folder / "base")
    _check_tables(library.copy(), reader)
    loaded = _Loaded(reader, base)
    for site in _sites(folders):
        loaded.site(library, site)
    if reader.faults.found:
        raise WrongDefinitions(reader.faults.found)
    known = library.tables.values()
    return Catalog(reader.version, loaded.mappers, loaded.feeds, attachment_inline, loaded.tables, known)


def _check_tables(library: Library, reader: Reader) -> None:
    """Check the tables of the base by themselves, so that those no feed sends yet are sound too."""
    library.messages = {name: item for name, item in library.messages.items() if name == checking.GENERIC}
    for table in library.tables.values():
        rules.build(table, library, reader.faults)
    if library.tables:
        checking.check(library, reader.faults)


class _Loaded:
    """The feeds found so far, and their mappers."""

    def __init__(self, reader: Reader, base: str) -> None:
        self._reader = reader
        self._base = base
        self._checked: set[str] = set(reader.faults.found)
        self.feeds: list[Feed] = []
        self.mappers: dict[str, Mapper] = {}
        self.tables: dict[str, Tables] = {}

    def site(self, library: Library, folder: Path) -> None:
        """Lay a site's definitions over the base, then each of its feeds'."""
        file = folder / "site.yaml"
        raw = self._reader.yaml(file)
        mine = library.copy()
        name = str(raw.get("site", folder.name))
        self._reader.naming(mine, raw.get("naming") or {}, file)
        self._reader.lay_over(mine, folder)
        for path in sorted(folder.glob("*/feed.yaml")):
            self._feed(mine.copy(), name, path)

    def _feed(self, library: Library, site: str, path: Path) -> None:
        faults = self._reader.faults
        raw = self._reader.yaml(path)
        name = path.parent.name
        feed, wrong = feeds.read(name, site, raw)
        for text in wrong:
            faults.add(path, "", text)
        if any(other.name == name for other in self.feeds):
            faults.add(path, "", f"there is another feed called {name}")
        self._reader.naming(library, raw.get("naming") or {}, path)
        self._reader.lay_over(library, path.parent)
        expand_every(library.messages)
        before = len(faults.found)
        if feed is not None and feed.tabular:
            self._tabular(feed, library, path)
        checking.check(library, faults)
        fresh = [text for text in faults.found[before:] if text not in self._checked]
        self._checked.update(fresh)
        faults.found[before:] = fresh
        if feed is None or len(faults.found) > 0:
            return
        mapper = Mapper(_environment(feed, library, self._base), library, envelope=feed.message_header)
        try:
            mapper.compile_all()
        except (KeyError, TypeError, ValueError, IndexError) as fault:
            faults.add(path, "", f"cannot be compiled, the arguments of a function are wrong: {fault!r}")
            return
        self.feeds.append(feed)
        self.mappers[name] = mapper
        if feed.tables:
            self.tables[name] = Tables(feed, [library.tables[table] for table in feed.tables])

    def _tabular(self, feed: Feed, library: Library, path: Path) -> None:
        """Let a feed of tables have the maps of those it sends, and no others."""
        library.messages = {name: item for name, item in library.messages.items() if name == checking.GENERIC}
        for name in feed.tables:
            if name in library.tables:
                rules.build(library.tables[name], library, self._reader.faults)
            else:
                known = ", ".join(sorted(library.tables)) or "none"
                self._reader.faults.add(path, "tables", f"there is no table {name}; there are {known}")


def _environment(feed: Feed, library: Library, base: str) -> Environment:
    naming = library.naming
    return Environment(
        site=feed.site,
        feed=feed.name,
        base=base,
        coding=dict(naming.coding),
        identifiers=dict(naming.identifiers),
        national=dict(naming.national),
        units=dict(naming.units),
        absent=frozenset(naming.absent),
        codes=library.codes,
        daily=frozenset(feed.daily),
        authority=feed.demographic_authority,
    )


def _covers(messages: Iterable[MessageDef]) -> dict[str, str]:
    return {word: message.name for message in messages for word in (message.name, *message.covers)}


def _sites(folders: list[Path]) -> list[Path]:
    """Return the folders of sites; a later one stands for an earlier one of the same name."""
    found = {file.parent.name: file.parent for folder in folders for file in sorted(folder.glob("*/site.yaml"))}
    return [found[name] for name in sorted(found)]
